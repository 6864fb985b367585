"""Measures calls of Rust functions from plain Python, prints each row of the table with its bar, and keeps the raw figures.

    calls.py [--rounds N] [--calls N] [--results FOLDER]

Run by a Python with oxflow, `sdk_steps`, `json_round_trip` and `msgspec`, all built for release. The message has 6 fields and a
map of 5 entries, 270 B of JSON; the functions add a field. Figures are nanoseconds of CPU time of the thread for a call, the
median of rounds in which all contestants take turns.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime as dt
import gc
import json
import platform
import statistics
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import json_round_trip
import msgspec
import sdk_steps
from readings import reading

from oxflow import Message

if TYPE_CHECKING:
    from collections.abc import Callable

ROUNDS = 15
CALLS = 4000
# Distinct messages, so that no cache of one value helps.
MESSAGES = 500
# A value above it is large.
USUAL = 100.0


@dataclasses.dataclass
class Plain:
    """The message as a dataclass."""

    org_id: int
    project_id: int
    name: str
    timestamp: int
    value: float
    tags: dict[str, str]


class Struct(msgspec.Struct):
    """The message as a `msgspec.Struct`."""

    org_id: int
    project_id: int
    name: str
    timestamp: int
    value: float
    tags: dict[str, str]


class Row(NamedTuple):
    """A figure and its bar; a row without a bar is there to be looked at."""

    what: str
    value: float
    unit: str
    bar: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the figure reaches its bar."""
        return None if self.bar is None else self.value <= self.bar


def contestants() -> dict[str, tuple[Callable[[Any], object], list[Any]]]:
    """What is called, and with what."""
    payloads = [reading(number) for number in range(MESSAGES)]
    dicts = [Message(payload) for payload in payloads]
    return {
        "dict, direct": (sdk_steps.judge, dicts),
        "dict, direct, borrowed": (sdk_steps.judge_lent, dicts),
        "dataclass, direct": (sdk_steps.judge, [Message(Plain(**payload)) for payload in payloads]),
        "msgspec.Struct, direct": (sdk_steps.judge, [Message(Struct(**payload)) for payload in payloads]),
        "dict, direct, filter": (sdk_steps.is_large, dicts),
        "dict, convert_via_json!": (sdk_steps.judge_written, dicts),
        "bytes": (sdk_steps.same_bytes, [Message(json.dumps(payload).encode()) for payload in payloads]),
        "dict, as sentry-streams does it": (json_round_trip.judge, payloads),
        "dict, the same work in Python": (in_python, dicts),
    }


def in_python(msg: Message[dict[str, Any]]) -> dict[str, Any]:
    """What the Rust functions do."""
    return {**msg.payload, "large": msg.payload["value"] > USUAL}


def cost(function: Callable[[Any], object], inputs: list[Any], calls: int) -> float:
    """Nanoseconds of a call."""
    start = time.thread_time_ns()
    for _ in range(calls // len(inputs)):
        for item in inputs:
            function(item)
    return (time.thread_time_ns() - start) / (calls // len(inputs) * len(inputs))


def measured(rounds: int, calls: int) -> dict[str, list[float]]:
    """The figures of each round."""
    all_of_them = contestants()
    expected = sdk_steps.judge(Message(reading(7)))
    for name, (function, inputs) in all_of_them.items():
        if "filter" not in name and name != "bytes" and function(inputs[7]) != expected:
            sys.exit(f"`{name}` gives another value")
    costs: dict[str, list[float]] = {name: [] for name in all_of_them}
    for _ in range(rounds):
        for name, (function, inputs) in all_of_them.items():
            # What a call allocates is part of it; when all that lives is looked at is chance.
            gc.collect()
            gc.disable()
            costs[name].append(cost(function, inputs, calls))
            gc.enable()
    return costs


def rows(median: dict[str, float]) -> list[Row]:
    """The table."""
    table = [Row(name, value, "ns a call") for name, value in median.items()]
    of = "the JSON round trip of convert_via_json! as sentry-streams does it"
    ratio = median["dict, direct"] / median["dict, as sentry-streams does it"]
    table.append(Row(f"direct dict in and out / {of}", ratio, "x", 0.25))
    own = median["dict, direct"] / median["dict, convert_via_json!"]
    table.append(Row("direct dict in and out / our own convert_via_json!", own, "x"))
    return table


def render(table: list[Row]) -> str:
    """The table as text."""
    widest = max(len(row.what) for row in table)
    lines: list[str] = []
    for row in table:
        verdict = "" if row.met is None else f"<= {row.bar:<5g} {'met' if row.met else 'MISSED'}"
        lines.append(f"{row.what:<{widest}}  {row.value:8.2f} {row.unit:<10} {verdict}".rstrip())
    return "\n".join(lines)


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--calls", type=int, default=CALLS)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    costs = measured(given.rounds, given.calls)
    table = rows({name: statistics.median(figures) for name, figures in costs.items()})
    print(render(table))
    if given.results is not None:
        _keep(given.results, costs, table)


def _keep(folder: Path, costs: dict[str, list[float]], table: list[Row]) -> None:
    now = dt.datetime.now(dt.timezone.utc)
    raw = {
        "at": now.isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}",
        "rows": [row._asdict() | {"met": row.met} for row in table],
        "ns": costs,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now.date()}-calls.json"
    path.write_text(json.dumps(raw, indent=1) + "\n", encoding="utf-8")
    print(f"raw figures in {path}", file=sys.stderr)


if __name__ == "__main__":
    main()
