"""Reads what oxflow wrote, without oxflow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import zstandard

if TYPE_CHECKING:
    from pathlib import Path


def read_zst(path: Path) -> bytes:
    """Unpack all frames of a file."""
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as reader:
        return reader.read()
