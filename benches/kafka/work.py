"""The job in Python, the same code for everybody: keep counters, add what their name says."""

from __future__ import annotations

from typing import Any

import orjson


def is_counter(metric: dict[str, Any]) -> bool:
    """The filter."""
    return bool(metric["type"] == "c")


def transform(metric: dict[str, Any]) -> dict[str, Any]:
    """The map."""
    kind, _, rest = metric["name"].partition(":")
    use_case, _, rest = rest.partition("/")
    _, _, unit = rest.rpartition("@")
    return {**metric, "use_case": use_case, "unit": unit, "transformed": bool(kind)}


def whole(payload: bytes) -> bytes:
    """All of it in one function, which keeps every message: parse, look at it, change it, write it."""
    metric = orjson.loads(payload)
    made: bytes = orjson.dumps(transform(metric) if is_counter(metric) else metric)
    return made
