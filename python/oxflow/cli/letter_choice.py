"""Which dead letters a command is about."""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxflow.cli.letter_store import Letter

__all__ = ["Choice", "add_filters", "chosen"]

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_SHORTEST_ID = 4


@dataclass(frozen=True)
class Choice:
    """What a dead letter must be to be chosen; `None` and an empty tuple stand for any.

    Attributes:
        ids: beginnings of ids.
        steps: names of steps.
        errors: codes or classes of errors.
        partitions: partitions that the message was read from.
        offsets: first and last offset there; either may be `None`.
        since: when it failed at the earliest, seconds since 1970.
        until: when it failed at the latest.
        text: what stands in the error or in the payload, whatever its case.
        all_states: those that were sent again or dropped, too.
    """

    ids: tuple[str, ...]
    steps: tuple[str, ...]
    errors: tuple[str, ...]
    partitions: tuple[int, ...]
    offsets: tuple[int | None, int | None]
    since: float | None
    until: float | None
    text: str | None
    all_states: bool

    def takes(self, letter: Letter) -> bool:
        """Whether it is chosen."""
        return (self.all_states or letter.is_open) and self._is_about(letter) and self._is_when(letter)

    def _is_about(self, letter: Letter) -> bool:
        content = letter.content
        if self.ids and not content.id.startswith(self.ids):
            return False
        if self.steps and content.step not in self.steps:
            return False
        if self.errors and not {content.error, content.error.rpartition("::")[2], content.code} & set(self.errors):
            return False
        if self.text is None:
            return True
        payload = content.as_read.payload.decode(errors="replace")
        return any(self.text.casefold() in where.casefold() for where in (content.text, payload))

    def _is_when(self, letter: Letter) -> bool:
        origin, time = letter.content.as_read.origin, letter.content.time
        first, last = self.offsets
        if origin is None:
            return not self.partitions and first is None and last is None
        return (
            (not self.partitions or origin.partition in self.partitions)
            and (first is None or origin.offset >= first)
            and (last is None or origin.offset <= last)
            and (self.since is None or time >= self.since)
            and (self.until is None or time <= self.until)
        )


def chosen(options: argparse.Namespace) -> Choice:
    """The choice that the options name."""
    return Choice(
        ids=tuple(options.id),
        steps=tuple(options.step),
        errors=tuple(options.error),
        partitions=tuple(options.partition),
        offsets=options.offsets,
        since=options.since,
        until=options.until,
        text=options.text,
        all_states=options.all_states,
    )


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose."""
    several = parser.add_argument_group("which dead letters", "all that are open, if nothing is said")

    def add(option: str, metavar: str, about: str, kind: Callable[[str], object] = str) -> None:
        several.add_argument(option, metavar=metavar, help=about, action="append", default=[], type=kind)

    add("--id", "ID", "the one whose id begins so; may be given several times, as may the next three", _id)
    add("--step", "NAME", "failed in this step")
    add("--error", "CODE", "failed with this code or class: OXF0503, ValueError")
    add("--partition", "N", "read from this partition", _number)
    about = "read from these offsets, both included; either may be left out"
    several.add_argument("--offsets", metavar="FIRST..LAST", help=about, type=_offsets, default=(None, None))
    about = "failed at this time or later: 2026-11-27T08:00, in UTC unless it says otherwise, or 90m, 2h, 7d ago"
    several.add_argument("--since", metavar="TIME", help=about, type=_time)
    several.add_argument("--until", metavar="TIME", help="failed at this time or earlier", type=_time)
    several.add_argument("--text", metavar="TEXT", help="has this in its error or payload, whatever the case")


def _id(text: str) -> str:
    if len(text) < _SHORTEST_ID or re.fullmatch("[0-9a-fA-F]*", text) is None:
        raise argparse.ArgumentTypeError(f"`{text}` is not the beginning of an id: {_SHORTEST_ID} or more of 0-9, a-f")
    return text.lower()


def _number(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"`{text}` is not a number")
    return int(text)


def _offsets(text: str) -> tuple[int | None, int | None]:
    found = re.fullmatch(r"(\d*)\.\.(\d*)|(\d+)", text)
    if found is None:
        raise argparse.ArgumentTypeError(f"`{text}` is not of the form FIRST..LAST")
    if found[3]:
        return int(found[3]), int(found[3])
    return (int(found[1]) if found[1] else None), (int(found[2]) if found[2] else None)


def _time(text: str) -> float:
    age = re.fullmatch(r"(\d+)([smhd])", text)
    try:
        if age is not None:
            return (datetime.now(timezone.utc) - timedelta(**{_UNITS[age[2]]: int(age[1])})).timestamp()
        time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"`{text}` is neither a time, 2026-11-27T08:00, nor an age, 2h") from None
    return (time if time.tzinfo is not None else time.replace(tzinfo=timezone.utc)).timestamp()
