"""The picture of a pipeline shows the runs that the engine makes."""

from __future__ import annotations

import json
from typing import Any

import pytest
import test_steps

import oxflow
from oxflow import Filter, Map, Message, Parser, Serializer, StreamSink, branch
from oxflow.plan import lower

Json = dict[str, Any]
Word = test_steps.Word


def same(message: Message[Json]) -> Json:
    return message.payload


def rust(name: str) -> Map[Any, Any]:
    return Map(name, function=test_steps.Double())


def python(name: str) -> Map[Any, Any]:
    return Map(name, function=same)


@pytest.mark.parametrize(
    ("msg_type", "steps", "frames"),
    [
        (Word, [rust("a"), rust("b")], [("rust", ["parse", "a", "b", "serialize"])]),
        (Json, [python("a"), python("b")], [("python", ["parse", "a", "b", "serialize"])]),
        (Json, [python("a"), rust("b")], [("python", ["parse", "a"]), ("rust", ["b", "serialize"])]),
        # The filter looks at a copy, so it is in no run with its neighbours.
        (Json, [python("a"), Filter("b", function=test_steps.is_frequent_by_value)], [("python", ["parse", "a"])]),
    ],
    ids=["Rust", "Python", "both", "a filter between"],
)
def test_a_frame_is_a_run_of_the_engine(msg_type: type[Any], steps: list[Any], frames: list[Any]) -> None:
    start: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", msg_type))
    for step in steps:
        start = start.apply(step)
    plan = lower(start.apply(Serializer("serialize")).sink(StreamSink("sink", stream_name="out")))
    graph = json.loads(plan.graph("json"))
    drawn = [(run["language"], [graph["nodes"][node]["name"] for node in run["nodes"]]) for run in graph["runs"]]
    assert drawn == [(run.language, list(run.steps)) for run in plan.runs() if run.language and len(run.steps) > 1]
    assert drawn == frames


def test_runs_of_branches_are_drawn_too() -> None:
    ways = [
        branch(f"way-{name}")
        .apply(rust(f"map-{name}"))
        .apply(Serializer(f"to-{name}"))
        .sink(StreamSink(name, stream_name=name))
        for name in ("a", "b")
    ]
    start: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", Word))
    graph = json.loads(lower(start.broadcast("all", routes=ways)).graph("json"))
    names = [[graph["nodes"][node]["name"] for node in run["nodes"]] for run in graph["runs"]]
    assert names == [["map-a", "to-a"], ["map-b", "to-b"]]


def test_a_pipeline_without_an_end_is_drawn_without_runs() -> None:
    start: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", Word)).apply(rust("a"))
    graph = json.loads(lower(start).graph("json"))
    assert [node["name"] for node in graph["nodes"]] == ["source", "parse", "a"]
    assert graph["runs"] == []
