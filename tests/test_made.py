"""Rust functions that are made of arguments, and those that take lists, batches or what lies in the message."""

from __future__ import annotations

import inspect
import json
import pickle
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

import oxflow
from oxflow import (
    Batch,
    EncodeError,
    ExtensionError,
    Filter,
    Map,
    Message,
    Parser,
    PlanError,
    Serializer,
    StepError,
    StreamSink,
    streaming_source,
)
from oxflow.testing import run

if TYPE_CHECKING:
    from pathlib import Path

SINK = StreamSink("sink", stream_name="out")


def words(*counts: int) -> list[bytes]:
    return [json.dumps({"text": f"w{number}", "count": count}).encode() for number, count in enumerate(counts)]


def counts(outputs: list[bytes]) -> list[int]:
    return [json.loads(output)["count"] for output in outputs]


# Not typed: each test puts another step in the middle.
def through(*steps: Any) -> Any:
    pipeline: Any = streaming_source("source", stream_name="in").apply(Parser("parse", test_steps.Word))
    for step in steps:
        pipeline = pipeline.apply(step)
    return pipeline.apply(Serializer("serialise")).sink(SINK)


def test_a_function_has_the_arguments_that_it_was_made_of() -> None:
    pipeline = through(Filter("more", function=test_steps.MoreThan(2, words=["w0"])))
    assert counts(run(pipeline, {"in": words(1, 2, 3)})["out"]) == [1, 3]


def test_arguments_show_themselves() -> None:
    function = test_steps.MoreThan(count=2)
    assert repr(function) == "test_steps.MoreThan(count=2)"
    assert function == test_steps.MoreThan(2)
    assert function != test_steps.MoreThan(3)
    assert hash(function) == hash(test_steps.MoreThan(2))
    copy = pickle.loads(pickle.dumps(test_steps.MoreThan(5, ["w0"])))  # noqa: S301  # made here
    assert copy == test_steps.MoreThan(5, ["w0"])
    # What is left out is its default.
    assert function == test_steps.MoreThan(2, []) != test_steps.MoreThan(2, ["w0"])
    assert hash(function) == hash(test_steps.MoreThan(2, []))
    assert copy(Message({"text": "w1", "count": 6})) is True


@pytest.mark.parametrize(
    ("arguments", "named", "error", "text"),
    [
        ((), {}, TypeError, "test_steps.MoreThan: missing a required argument: 'count'"),
        ((1,), {"most": 2}, TypeError, "test_steps.MoreThan: got an unexpected keyword argument 'most'"),
        (("1",), {}, ExtensionError, 'invalid type: string "1", expected i64'),
        ((-1,), {}, ExtensionError, "-1 is no count"),
        ((object(),), {}, EncodeError, "count"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    arguments: tuple[Any, ...], named: dict[str, Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as caught:
        test_steps.MoreThan(*arguments, **named)
    assert text in str(caught.value)


def test_a_parameter_whose_name_python_can_not_have_has_another() -> None:
    assert test_steps.RunningTotal(from_=3)(Message({"text": "a", "count": 4}))["count"] == 7
    assert list(inspect.signature(test_steps.RunningTotal).parameters) == ["args", "kwargs"]


def test_state_goes_from_message_to_message() -> None:
    total = test_steps.RunningTotal(10)
    pipeline = through(Map("total", function=total))
    assert counts(run(pipeline, {"in": words(1, 2, 3)})["out"]) == [11, 13, 16]
    # The run had one of its own.
    assert total(Message({"text": "a", "count": 1}))["count"] == 11
    assert total(Message({"text": "a", "count": 1}))["count"] == 12


def test_each_lane_has_state_of_its_own(tmp_path: Path) -> None:
    for name, given in (("one", words(1, 1, 1)), ("ten", words(10, 10, 10))):
        (tmp_path / f"{name}.jsonl").write_bytes(b"\n".join(given))
    out = tmp_path / "out"
    pipeline = through(Map("total", function=test_steps.RunningTotal()))
    streams = {"in": f"file:{tmp_path}/*.jsonl", "out": f"file:{out}"}
    oxflow.run(pipeline, streams=streams, config={"run": {"lanes": 2}})
    assert sorted(counts(out.read_bytes().splitlines())) == [1, 2, 3, 10, 20, 30]


def test_a_list_goes_through_an_accumulator() -> None:
    pipeline = through(Batch("pairs", batch_size=2), Map("longest", function=test_steps.Longest()))
    given = [json.dumps({"text": text, "count": 1}).encode() for text in ("a", "bbb", "cc", "d", "ee")]
    outputs = run(pipeline, {"in": given})
    assert [json.loads(output)["text"] for output in outputs["out"]] == ["bbb", "cc", "ee"]


def test_a_function_of_a_list_follows_a_batch() -> None:
    pipeline = through(Batch("pairs", batch_size=2), Map("total", function=test_steps.total))
    assert run(pipeline, {"in": words(1, 2, 3)})["out"] == [b"3", b"3"]


def test_a_batch_function_sees_what_comes_together() -> None:
    pipeline = through(Map("share", function=test_steps.share))
    outputs = run(pipeline, {"in": words(1, 3, 4)})
    assert [json.loads(output) for output in outputs["out"]] == [0.125, 0.375, 0.5]
    assert test_steps.share(Message({"text": "a", "count": 1})) == 1.0


def test_one_message_of_a_batch_function_may_fail() -> None:
    pipeline = through(Map("share", function=test_steps.share))
    given = [*words(1), json.dumps({"text": "bad", "count": 1}).encode()]
    outputs = run(pipeline, {"in": given}, config={"steps": {"share": {"on_error": "dead_letter"}}})
    assert outputs["out"] == [b"0.5"]
    assert [letter.text for letter in outputs.dead_letters] == ["a bad word"]
    with pytest.raises(StepError):
        test_steps.share(Message({"text": "bad", "count": 1}))


def test_what_lies_in_the_message_goes_through() -> None:
    pipeline = (
        streaming_source("source", stream_name="in")
        .apply(Parser("parse", test_steps.BorrowedWord))
        .apply(Filter("frequent", function=test_steps.is_frequent_borrowed))
        .apply(Map("double", function=test_steps.double_borrowed))
        .apply(Map("again", function=test_steps.double_borrowed))
        .apply(Serializer("serialise"))
        .sink(SINK)
    )
    given = [
        '{"text":"é\\n","count":2,"tags":{"a":"b","\\u00e9":"d"}}'.encode(),
        b'{"text":"x","count":1}',
        b'{"text":"y","count":3}',
    ]
    outputs = run(pipeline, {"in": given})
    assert [json.loads(output) for output in outputs["out"]] == [
        {"text": "é\n", "count": 8, "tags": {"a": "b", "é": "d"}},
        {"text": "y", "count": 12, "tags": {}},
    ]
    assert test_steps.double_borrowed(Message({"text": "a", "count": 1}))["count"] == 2


def test_a_type_that_borrows_agrees_with_one_that_does_not() -> None:
    pipeline = through(
        Map("double", function=test_steps.double_borrowed),
        Map("own", function=test_steps.Double()),
        Filter("frequent", function=test_steps.is_frequent_borrowed),
    )
    assert counts(run(pipeline, {"in": words(0, 1)})["out"]) == [4]


def test_a_function_that_can_not_be_made_for_a_lane_is_told_with_its_step() -> None:
    pipeline = through(Map("once", function=test_steps.Once()))
    with pytest.raises(PlanError) as caught:
        run(pipeline, {"in": words(1)})
    assert caught.value.code == "OXF0604"
    assert "step `once`" in str(caught.value)
    assert "it was made already" in str(caught.value)
