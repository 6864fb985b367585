"""Errors of Rust functions that know what is to be done with their messages."""

from __future__ import annotations

import json
from typing import Any

import pytest
import test_steps

import oxflow
from oxflow import Filter, Map, Message, Parser, Serializer, StepError, StreamError, StreamSink, streaming_source
from oxflow.plan import lower
from oxflow.testing import run

SINK = StreamSink("sink", stream_name="out")


def word(text: str, count: int = 1) -> bytes:
    return json.dumps({"text": text, "count": count}).encode()


# Not typed: behind a parser of plain dicts a checker can't know that it fits.
TAKE: Any = test_steps.take


# Not typed: what is taken is known to the tests alone.
def taking() -> Any:
    return (
        streaming_source("source", stream_name="in")
        .apply(Parser("parse", test_steps.Word))
        .apply(Filter("frequent", function=test_steps.is_frequent))
        .apply(Map("take", function=test_steps.take))
        .apply(Serializer("serialise"))
        .sink(SINK)
    )


def texts(outputs: list[bytes]) -> list[str]:
    return [json.loads(output)["text"] for output in outputs]


def test_each_variant_is_met_as_it_wants() -> None:
    given = [word("a", 2), word("test", 2), word("bad", 2), word("z", 2)]
    outputs = run(taking(), {"in": given})
    assert texts(outputs["out"]) == ["a", "z"]
    assert [letter.text for letter in outputs.dead_letters] == ["Bad"]
    step = next(step for step in outputs.report.steps if step.name == "take")
    assert (step.errors, step.skipped, step.dead_lettered) == (2, 1, 1)


def test_a_variant_without_a_policy_is_met_as_the_configuration_says() -> None:
    config = {"steps": {"take": {"on_error": "skip"}}}
    assert texts(run(taking(), {"in": [word("other", 2), word("a", 2)]}, config=config)["out"]) == ["a"]
    with pytest.raises(StepError):
        run(taking(), {"in": [word("other", 2), word("a", 2)]})


def test_a_variant_that_wants_to_fail_does_so_whatever_the_configuration_says() -> None:
    config = {"steps": {"take": {"on_error": "skip"}}}
    with pytest.raises(StepError, match="Poison"):
        run(taking(), {"in": [word("a", 2), word("poison", 2)]}, config=config)


def test_a_variant_may_be_tried_again() -> None:
    given = [word("busy", 2), word("busy too", 3), word("a", 2), word("other", 2), word("test", 2)]
    outputs = run(taking(), {"in": given}, config={"steps": {"take": {"on_error": "skip"}}})
    # Two more calls are made: enough for the first, not for the second, whose last resort are the dead letters.
    assert texts(outputs["out"]) == ["busy", "a"]
    assert [json.loads(letter.as_read.payload)["text"] for letter in outputs.dead_letters] == ["busy too"]
    step = next(step for step in outputs.report.steps if step.name == "take")
    assert (step.retried, step.skipped, step.dead_lettered) == (4, 2, 1)


def test_dead_letters_that_an_error_may_want_need_a_stream(tmp_path: Any) -> None:
    source = tmp_path / "in.jsonl"
    source.write_bytes(word("a", 2) + b"\n")
    streams = {"in": f"file:{source}", "out": f"file:{tmp_path / 'out.jsonl'}"}
    with pytest.raises(StreamError, match="dead-letters"):
        oxflow.run(taking(), streams=streams)


def test_the_plan_says_what_errors_may_want() -> None:
    (take,) = (step for step in json.loads(lower(taking()).text)["steps"] if step["name"] == "take")
    assert take["operation"]["map"]["wishes"] == ["fail", "skip", "dead_letter", "retry"]


@pytest.mark.parametrize("policy", ["skip", {"retry": {"times": 1, "backoff_ms": 1, "then": "skip"}}])
def test_what_a_function_cannot_read_is_its_fault_also_where_it_may_be_tried_again(policy: Any) -> None:
    pipeline: Any = (
        streaming_source("source", stream_name="in")
        .apply(Parser("parse", dict[str, Any]))
        .apply(Map("take", function=TAKE))
        .apply(Serializer("serialise"))
        .sink(SINK)
    )
    outputs = run(pipeline, {"in": [b'{"nope":1}', word("a")]}, config={"steps": {"take": {"on_error": policy}}})
    assert texts(outputs["out"]) == ["a"]
    skipped = {step.name: step.skipped for step in outputs.report.steps}
    assert (skipped["parse"], skipped["take"]) == (0, 1)


def test_a_field_is_dropped_once_however_often_its_message_is_tried() -> None:
    pipeline: Any = (
        streaming_source("source", stream_name="in")
        .apply(Parser("parse", dict[str, Any]))
        .apply(Map("same", function=same))
        .apply(Map("take", function=TAKE))
        .apply(Serializer("serialise"))
        .sink(SINK)
    )
    config = {"steps": {"take": {"on_error": {"retry": {"times": 3, "backoff_ms": 0, "then": "skip"}}}}}
    outputs = run(pipeline, {"in": [b'{"text":"other","count":2,"zzz":1}']}, config=config)
    step = next(step for step in outputs.report.steps if step.name == "take")
    assert (step.messages_in, step.retried, step.unknown_fields) == (1, 3, 1)


def same(message: Message[dict[str, Any]]) -> dict[str, Any]:
    return message.payload
