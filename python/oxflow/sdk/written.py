"""Files that a command makes: what has to change in them, and writing them only when something has."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def difference(path: Path, text: str, wanted: str) -> str:
    """Give what has to change in a file, as a unified diff; empty if nothing has.

    Args:
        path: the file, which may not be there.
        text: what has to be in it.
        wanted: what that text is, for the head of the diff.
    """
    there = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    lines = difflib.unified_diff(there.splitlines(keepends=True), text.splitlines(keepends=True), str(path), wanted)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ no newline at the end\n" for line in lines)


def write(path: Path, text: str) -> bool:
    """Write a file, unless it is right already; say whether it was written."""
    if not difference(path, text, ""):
        return False
    path.write_text(text, encoding="utf-8", newline="\n")
    return True
