"""Text that quotes messages, as a terminal may have it: a message may be long, and may hold what steers a terminal."""

from __future__ import annotations

__all__ = ["printable", "readable"]

_LINE = 2000


def printable(text: str) -> str:
    """Write out what would steer a terminal."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else ascii(letter)[1:-1] for letter in text)


def readable(text: str) -> str:
    """Make a text printable, with no more of its long lines than people read."""
    return printable("\n".join(map(_cut, text.split("\n"))))


def _cut(line: str) -> str:
    return line if len(line) <= _LINE else f"{line[:_LINE]}... and {len(line) - _LINE} letters more"
