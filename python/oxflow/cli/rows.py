"""Cuts a plan into its runs: rows of steps of one language.

Each cut between Python and Rust is a conversion of every message, so that is what someone who moves steps wants to see.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ENGINE = "engine"


class Row(NamedTuple):
    """Neighbouring steps of one language."""

    language: str
    steps: tuple[str, ...]


def rows_of(plan: Mapping[str, Any]) -> Iterator[Row]:
    """Cut a plan, branch by branch."""
    return _rows(plan["steps"], _ENGINE)


def _rows(steps: Sequence[Mapping[str, Any]], before: str) -> Iterator[Row]:
    names: list[str] = []
    current = before
    for step in steps:
        language = _language(step["operation"], current)
        if names and language != current:
            yield Row(current, tuple(names))
            names = []
        names.append(step["name"])
        current = language
    if names:
        yield Row(current, tuple(names))
    for way in _branches(steps):
        yield from _rows(way["steps"], _ENGINE)


def _language(operation: Any, before: str) -> str:
    """A serializer belongs to the run that made its value; a parser to the language of its type."""
    match operation:
        case "serializer":
            return "rust" if before == "rust" else "python"
        case {"parser": {"record": {"kind": "rust"}}}:
            return "rust"
        case {"parser": _}:
            return "python"
        case {"map": function} | {"flat_map": function} | {"filter": function} | {"route": {"function": function}}:
            return str(function["language"])
        case _:
            return _ENGINE


def _branches(steps: Sequence[Mapping[str, Any]]) -> list[Any]:
    operation: Any = steps[-1]["operation"] if steps else None
    match operation:
        case {"route": {"branches": branches}} | {"broadcast": branches}:
            return list(branches)
        case _:
            return []
