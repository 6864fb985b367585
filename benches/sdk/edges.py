"""Measures edges between Python and Rust steps: payloads that cross as objects against the same that cross as JSON.

    edges.py FOLDER [--turns N] [--results FOLDER]

Run by a Python with oxflow, `sdk_steps` and `msgspec`, built for release. `FOLDER` holds the input. A step that may be called again is
given JSON, and gives it, so the same pipeline is run with and without a retry of its Python step, which never fails. Both come one
after the other in each turn; what counts is the CPU time of the process for a message, all of the pipeline.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

sys.path.insert(0, str(Path(__file__).parent.parent / "streams"))

import msgspec
import sdk_steps
import turns
from readings import reading
from turns import Row, Spread

import oxflow
from oxflow import Map, Message, Parser, Pipeline, Serializer, StreamSink, streaming_source

if TYPE_CHECKING:
    from collections.abc import Callable

MESSAGES = 20_000
TURNS = 9
WAYS: dict[str, dict[str, Any]] = {
    "objects": {},
    "JSON": {"steps": {"python": {"on_error": {"retry": {"times": 1, "backoff_ms": 0}}}}},
}


class Typed(TypedDict):
    """What a Rust step gives."""

    org_id: int
    project_id: int
    name: str
    timestamp: int
    value: float
    tags: dict[str, str]
    large: bool


@dataclasses.dataclass
class Plain:
    """The same as a dataclass."""

    org_id: int
    project_id: int
    name: str
    timestamp: int
    value: float
    tags: dict[str, str]
    large: bool = False


class Struct(msgspec.Struct):
    """The same as a `msgspec.Struct`."""

    org_id: int
    project_id: int
    name: str
    timestamp: int
    value: float
    tags: dict[str, str]
    large: bool = False


def look(msg: Message[dict[str, Any]]) -> int:
    """Look at a dictionary."""
    org: int = msg.payload["org_id"]
    return org


def look_typed(msg: Message[Typed]) -> int:
    """Look at a dictionary of a type that is checked."""
    return msg.payload["org_id"]


def look_plain(msg: Message[Plain]) -> int:
    """Look at a dataclass."""
    return msg.payload.org_id


def look_struct(msg: Message[Struct]) -> int:
    """Look at a `msgspec.Struct`."""
    return msg.payload.org_id


def same(msg: Message[dict[str, Any]]) -> dict[str, Any]:
    """Give a dictionary."""
    return msg.payload


def plain(msg: Message[dict[str, Any]]) -> Plain:
    """Give a dataclass."""
    return Plain(**msg.payload)


def struct(msg: Message[dict[str, Any]]) -> Struct:
    """Give a `msgspec.Struct`."""
    return Struct(**msg.payload)


def odd(msg: Message[dict[str, Any]]) -> Any:
    """Give a subclass of a dictionary for every other message, which no module reads."""
    return OrderedDict(msg.payload) if msg.payload["org_id"] % 2 else msg.payload


def to_python(parsed: Any, rust: Any, function: Callable[[Message[Any]], object]) -> Pipeline[Any]:
    """A Rust step before a Python step."""
    return _pipeline(parsed, Map("rust", function=rust), Map("python", function=function))


def to_rust(rust: Any, function: Callable[[Message[Any]], object]) -> Pipeline[Any]:
    """A Python step before a Rust step."""
    return _pipeline(dict[str, Any], Map("python", function=function), Map("rust", function=rust))


def _pipeline(parsed: Any, *steps: Any) -> Pipeline[Any]:
    pipeline: Pipeline[Any] = streaming_source("source", stream_name="in").apply(Parser("parse", parsed))
    for step in steps:
        pipeline = pipeline.apply(step)
    return pipeline.apply(Serializer("serialize")).sink(StreamSink("sink", stream_name="out"))


def edges() -> dict[str, Pipeline[Any]]:
    """What is measured."""
    return {
        "to Python, dict": to_python(sdk_steps.Reading, sdk_steps.judge, look),
        "to Python, dict, borrowed": to_python(sdk_steps.Lent, sdk_steps.judge_lent, look),
        "to Python, TypedDict": to_python(sdk_steps.Reading, sdk_steps.judge, look_typed),
        "to Python, dataclass": to_python(sdk_steps.Reading, sdk_steps.judge, look_plain),
        # Which is read from JSON in any case: what the retry costs.
        "to Python, Struct": to_python(sdk_steps.Reading, sdk_steps.judge, look_struct),
        "to Python, every other value has no JSON": to_python(sdk_steps.Reading, sdk_steps.judge_oddly, look),
        "to Rust, dict": to_rust(sdk_steps.judge, same),
        "to Rust, dict, borrowed": to_rust(sdk_steps.judge_lent, same),
        "to Rust, dataclass": to_rust(sdk_steps.judge, plain),
        "to Rust, Struct": to_rust(sdk_steps.judge, struct),
        "to Rust, every other one a subclass of dict": to_rust(sdk_steps.judge, odd),
    }


def cost(pipeline: Pipeline[Any], source: Path, config: dict[str, Any]) -> float:
    """Microseconds of CPU time of a message."""
    begin = time.process_time_ns()
    oxflow.run(pipeline, streams={"in": f"file:{source}", "out": "null:"}, config={"run": {"lanes": 1}, **config})
    return (time.process_time_ns() - begin) / MESSAGES / 1e3


def main() -> None:
    """Run the turns and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    source = given.folder / "readings.jsonl"
    source.write_text("".join(json.dumps(reading(number)) + "\n" for number in range(MESSAGES)))
    costs: dict[str, list[float]] = {}
    for _ in range(given.turns):
        for name, pipeline in edges().items():
            for way, config in WAYS.items():
                costs.setdefault(f"{name}: {way}", []).append(cost(pipeline, source, config))
    table: list[Row] = []
    for name in edges():
        ways = [f"{name}: {way}" for way in WAYS]
        table += [Row(way, Spread.of(costs[way]), "us a message") for way in ways]
        table.append(Row(f"{name}: objects / JSON", turns.ratios(*(costs[way] for way in ways)), "x"))
    print(turns.render(table))
    if given.results is not None:
        turns.keep(given.results, "edges", table, {"us": costs})


if __name__ == "__main__":
    main()
