"""The metrics pipeline as a plain Python loop with orjson: `loop.py INPUT OUTPUT`."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import orjson

NAME = re.compile(r"^[a-z]+:(?P<use_case>[^/]+)/[^@]+@(?P<unit>.+)$")


def transform(metric: dict[str, Any]) -> dict[str, Any]:
    """Do what the Rust step does."""
    parts = NAME.match(metric["name"])
    if parts is None:
        raise ValueError(f"malformed name {metric['name']}")
    return metric | parts.groupdict() | {"transformed": True}


def main(source: str, sink: str) -> None:
    """Read, filter, transform, write."""
    with Path(source).open("rb") as lines, Path(sink).open("wb") as out:
        for line in lines:
            metric = orjson.loads(line)
            if metric["type"] == "c":
                out.write(orjson.dumps(transform(metric), option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main(*sys.argv[1:])
