"""The work as a plain loop with orjson: `orjson_loop.py INPUT OUTPUT`; without `OUTPUT` what it makes is thrown away."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import orjson


def is_active(event: dict[str, Any]) -> bool:
    """The filter."""
    return event["active"] is True


def enrich(event: dict[str, Any]) -> dict[str, Any]:
    """The map."""
    return {**event, "total": event["price"] * event["count"], "minute": event["at"] // 60_000}


def main(source: str, sink: str | None = None) -> None:
    """Read, filter, map, write."""
    with Path(source).open("rb") as lines, Path(sink or "/dev/null").open("wb") as out:
        write = out.write if sink else len
        for line in lines:
            event = orjson.loads(line)
            if is_active(event):
                write(orjson.dumps(enrich(event), option=orjson.OPT_APPEND_NEWLINE))


if __name__ == "__main__":
    main(*sys.argv[1:])
