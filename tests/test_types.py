"""Rust payloads of every form: what Python sees of them is what serde writes, and serde reads what Python may give."""

from __future__ import annotations

import importlib
import itertools
import json
from typing import Any, TypedDict

import pytest
from hypothesis import given, settings, strategies as st

from oxflow import Map, Message, Parser, PlanError, Serializer, StepError, StreamSink, streaming_source, testing
from strategies import is_list, is_object, values

# Any: what they hold is known when they are built, not when this file is checked.
steps: Any = importlib.import_module("test_steps")
metrics: Any = importlib.import_module("metrics_steps")


def covers(found: Any, drawn: Any) -> bool:
    """Is everything that was drawn there, and nothing else but fields that were filled in?"""
    if is_object(drawn):
        return is_object(found) and all(name in found and covers(found[name], drawn[name]) for name in drawn)
    if is_list(drawn):
        return len(found) == len(drawn) and all(itertools.starmap(covers, zip(found, drawn, strict=True)))
    return bool(found == drawn)


@pytest.mark.parametrize(
    "name",
    [
        "scalars",
        "containers",
        "sparse",
        "choices",
        "flattened",
        "tree",
        "owner",
        "pet",
        "pair",
        "page",
        "internal",
        "open",
        "strict",
    ],
)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_the_shape_allows_comes_back_as_what_the_shape_says(name: str, data: st.DataObject) -> None:
    same = getattr(steps, f"same_{name}")
    drawn = data.draw(values(same.described["input"], {}))
    # Read in Rust, written in Rust, and checked against the Python types by the call.
    found = listed(same(Message(drawn)))
    assert covers(found, without_none(drawn, found)), (drawn, found)
    assert listed(same(Message(found))) == found


def listed(value: Any) -> Any:
    """Tuples as the lists that they are in JSON."""
    return json.loads(json.dumps(value))


def without_none(drawn: Any, found: Any) -> Any:
    """A `None` that `skip_serializing_if` leaves out isn't looked for."""
    if is_object(drawn) and is_object(found):
        kept = {name: value for name, value in drawn.items() if value is not None or name in found}
        return {name: without_none(value, found.get(name)) for name, value in kept.items()}
    return drawn


@settings(max_examples=60, deadline=None)
@given(
    payload=st.fixed_dictionaries(
        {
            "letter": st.characters(exclude_categories=["Cs"]),
            "set": st.lists(st.integers(0, 255), unique=True).map(sorted),
            "numbers": st.dictionaries(st.integers(-(2**15), 2**15 - 1).map(str), st.booleans()),
            "flags": st.dictionaries(st.sampled_from(["true", "false"]), st.integers(0, 255)),
            "colours": st.dictionaries(st.sampled_from(["red", "light-blue"]), st.integers(0, 255)),
            "address": st.ip_addresses().map(str),
            "when": st.datetimes().map(lambda when: f"{when.isoformat()}Z"),
            "day": st.dates().map(lambda day: day.isoformat()),
            "id": st.uuids().map(str),
        }
    )
)
def test_types_that_are_text_in_json_are_text_in_python(payload: dict[str, Any]) -> None:
    found = steps.same_narrow(Message(payload))
    assert {**found, "when": payload["when"], "address": payload["address"]} == payload
    assert steps.same_narrow(Message(found)) == found


WIDTHS = {
    "small": (-(2**7), 2**7 - 1),
    "large": (-(2**63), 2**63 - 1),
    "larger": (0, 2**64 - 1),
    "largest": (-(2**127), 2**127 - 1),
}


@pytest.mark.parametrize("name", WIDTHS)
def test_an_integer_is_as_wide_as_in_rust(name: str) -> None:
    payload: dict[str, Any] = dict.fromkeys(["small", "large", "larger", "largest"], 0) | {
        "truth": True,
        "single": 0.5,
        "double": 1e300,
    }
    payload |= {"text": "", "nothing": None, "any": 1}
    for limit, beyond in zip(WIDTHS[name], (-1, 1), strict=True):
        assert steps.same_scalars(Message(payload | {name: limit}))[name] == limit
        with pytest.raises(StepError):
            steps.same_scalars(Message(payload | {name: limit + beyond}))


def through(function: Any, payload_type: Any, *lines: bytes, config: dict[str, Any] | None = None) -> testing.Outputs:
    pipeline = (
        streaming_source("in", stream_name="in")
        .apply(Parser("parse", payload_type))
        .apply(Map("same", function=function))
        .apply(Serializer("serialize"))
        .sink(StreamSink("out", stream_name="out"))
    )
    return testing.run(pipeline, {"in": list(lines)}, config=config)


def test_fields_that_are_dropped_are_counted_where_they_are_dropped() -> None:
    lines = [
        b'{"value":1,"children":[{"value":2,"children":[],"parent":null,"b":[{"c":1}]}],"parent":null,"a":{"d":1}}'
    ] * 300
    in_rust = through(steps.same_tree, steps.Tree, *lines)
    assert [step.unknown_fields for step in in_rust.report.steps] == [0, 600, 0, 0, 0]
    in_python = through(steps.same_tree, dict[str, Any], *lines)
    assert [step.unknown_fields for step in in_python.report.steps] == [0, 0, 600, 0, 0]
    assert in_rust["out"] == in_python["out"] != lines
    assert "600 unknown fields dropped" in str(in_rust.report)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Owner", b'{"pets":[{"owner":{"pets":[]}},{"owner":null}]}'),
        ("Pet", b'{"owner":{"pets":[{"owner":null}]}}'),
        ("Pair", b'[1,"a"]'),
    ],
)
def test_a_parser_makes_what_a_function_of_the_type_takes(name: str, line: bytes) -> None:
    assert through(getattr(steps, f"same_{name.lower()}"), getattr(steps, name), line)["out"] == [line]


def test_a_type_that_rejects_fails_the_message_and_names_the_field() -> None:
    good, bad = b'{"id":1,"places":[{"x":1,"y":0.5}]}', b'{"id":1,"places":[{"x":1,"y":0.5,"z":2}]}'
    with pytest.raises(StepError, match=r"unknown field `places\.z`"):
        through(steps.same_strict, steps.Strict, bad)
    skipped = through(steps.same_strict, steps.Strict, bad, good, config={"steps": {"parse": {"on_error": "skip"}}})
    assert skipped["out"] == [good]
    assert [step.unknown_fields for step in skipped.report.steps] == [0, 0, 0, 0, 0]


def test_the_rest_of_the_fields_comes_out_again() -> None:
    line = b'{"id":1,"a":1.5,"b":"text","c":true}'
    outputs = through(steps.same_open, steps.Open, line)
    assert outputs["out"] == [line]
    assert sum(step.unknown_fields for step in outputs.report.steps) == 0


METRIC = (
    b'{"timestamp":3,"name":"c:sessions/session@none","type":"c","value":1,"tags":{},"org_id":1,"project_id":2,'
    b'"retention_days":90}'
)


def test_equal_fields_of_two_modules_agree() -> None:
    pipeline = (
        streaming_source("in", stream_name="in")
        .apply(Parser("parse", steps.Metric))
        .apply(Map("here", function=steps.same_metric))
        .apply(Map("there", function=metrics.RustTransformMsg()))
        .apply(Serializer("serialize"))
        .sink(StreamSink("out", stream_name="out"))
    )
    (out,) = testing.run(pipeline, {"in": [METRIC]})["out"]
    assert json.loads(out) == json.loads(METRIC) | {"use_case": "sessions", "unit": "none", "transformed": True}


def test_other_fields_of_two_modules_are_an_error_that_names_both_steps() -> None:
    pipeline = (
        streaming_source("in", stream_name="in")
        .apply(Parser("parse", steps.Place))
        .apply(Map("here", function=steps.same_internal))
        .apply(Map("there", function=metrics.RustTransformMsg()))
        .apply(Serializer("serialize"))
        .sink(StreamSink("out", stream_name="out"))
    )
    with pytest.raises(PlanError) as caught:
        testing.run(pipeline, {"in": []})
    assert "step `here` returns" in str(caught.value)
    assert "`there` takes `IngestMetric`" in str(caught.value)


class Full(TypedDict):
    """What Rust's `Sparse` always writes, although it need not read it."""

    alwaysThere: int
    optional: int | None
    defaulted: list[int]


class Fuller(Full):
    sometimes: str


def full(message: Message[Full]) -> list[int]:
    return message.payload["defaulted"]


def fuller(message: Message[Fuller]) -> str:
    return message.payload["sometimes"]


def made_in_python(message: Message[Any]) -> Any:
    return message.payload


# Known when it is built, not when this file is checked.
made_in_python.__annotations__["return"] = steps.Sparse


def after(first: Any, second: Any, line: bytes) -> list[bytes]:
    pipeline = (
        streaming_source("in", stream_name="in")
        .apply(Parser("parse", dict[str, Any]))
        .apply(Map("first", function=first))
        .apply(Map("second", function=second))
        .apply(Serializer("serialize"))
        .sink(StreamSink("out", stream_name="out"))
    )
    return testing.run(pipeline, {"in": [line]})["out"]


def test_what_serde_always_writes_is_there_for_the_next_step() -> None:
    assert after(steps.same_sparse, full, b'{"alwaysThere":1}') == [b"[]"]
    with pytest.raises(PlanError, match="field `sometimes` may be absent"):
        after(steps.same_sparse, fuller, b'{"alwaysThere":1}')


def test_what_python_makes_of_a_rust_type_may_lack_what_serde_would_write() -> None:
    with pytest.raises(PlanError, match="field `optional` may be absent"):
        after(made_in_python, full, b'{"alwaysThere":1}')
    assert after(made_in_python, steps.same_sparse, b'{"alwaysThere":1}') == [
        b'{"alwaysThere":1,"optional":null,"defaulted":[]}'
    ]
