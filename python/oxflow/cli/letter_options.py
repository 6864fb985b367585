"""The options of `oxflow dead-letters`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxflow.cli import letters
from oxflow.cli.letter_choice import add_filters

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["add_dead_letters"]

_ABOUT = "Look at dead letters in a file or topic, send their messages again, or note that they are done with."
_WHERE = (
    "URL of the stream, file:dead.jsonl or kafka://HOST:PORT/TOPIC, or its name in the configuration; default: the name in "
    "run.dead_letters.stream"
)


def add_dead_letters(
    add: Callable[..., argparse.ArgumentParser],
    add_settings: Callable[[argparse.ArgumentParser], None],
    count: Callable[[str], int],
) -> None:
    """Add the command."""
    parser = add("dead-letters", help="look at dead letters, replay or drop them", description=_ABOUT)
    inner = parser.add_subparsers(required=True, metavar="ACTION").add_parser

    def action(name: str, command: Callable[[argparse.Namespace], int], about: str) -> argparse.ArgumentParser:
        one = inner(name, help=about.lower().rstrip("."), description=about)
        one.add_argument("letters", metavar="LETTERS", nargs="?", help=_WHERE)
        add_settings(one)
        one.add_argument("--limit", metavar="N", type=count, help="no more than so many, the first ones")
        add_filters(one)
        one.set_defaults(command=command)
        return one

    for name, command, about in (
        ("ls", letters.ls, "List dead letters, a line each."),
        ("show", letters.show, "Show all that is in dead letters."),
    ):
        one = action(name, command, about)
        one.add_argument("--all", dest="all_states", action="store_true", help="also those replayed or dropped")
        one.add_argument("--json", action="store_true", help="print each as a line of JSON")
    one = action("replay", letters.replay, "Send the messages of dead letters again, and note that.")
    about = "where to: a URL, or a name in the configuration; default: the topic that each message was read from"
    one.add_argument("--to", metavar="TO", help=about)
    one.add_argument(
        "--again", dest="all_states", action="store_true", help="also those that were replayed or dropped before"
    )
    _add_doing(one, "send and note nothing, say what would be sent")
    one = action("drop", letters.drop, "Note that dead letters are done with; nothing is removed.")
    one.set_defaults(all_states=False)
    _add_doing(one, "note nothing, say what would be dropped")


def _add_doing(parser: argparse.ArgumentParser, about: str) -> None:
    parser.add_argument("--dry-run", action="store_true", help=about)
    parser.add_argument("--json", action="store_true", help="print what was done as JSON")
