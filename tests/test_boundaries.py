"""Where steps of two languages, or of two types, meet: what passes is what the steps say, however they are fused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, TypedDict

import metrics_steps
import pytest
import test_steps

import oxflow
from oxflow import Filter, FlatMap, Map, Message, Parser, Serializer, StepError, StreamSink
from oxflow.testing import run

Json = dict[str, Any]


class Strict(TypedDict):
    """`Word` with a field more."""

    text: str
    count: int
    extra: int


class _Counted(TypedDict):
    text: str
    count: int


class Counted(_Counted, total=False):
    """Exactly what the Rust type `Word` says."""

    tags: dict[str, str]


@dataclass
class Narrow:
    """A word of which only the text matters."""

    text: str


def source() -> Any:
    """A source whose chain is typed by what the test is about."""
    return oxflow.streaming_source("source", stream_name="in")


def through(*steps: Any) -> Any:
    pipeline = source()
    for step in steps:
        pipeline = pipeline.apply(step)
    return pipeline.apply(Serializer("serialize")).sink(StreamSink("sink", stream_name="out"))


def lines(*values: object) -> list[bytes]:
    return [json.dumps(value, separators=(",", ":")).encode() for value in values]


def word(text: str, count: int = 1) -> Json:
    return {"text": text, "count": count, "tags": {}}


def letters(message: Message[Json]) -> list[str]:
    return list(message.payload["text"])


def not_b(message: Message[str]) -> str:
    if message.payload == "b":
        raise ValueError("b")
    return message.payload


def untouched(message: Message[Any]) -> Any:
    return message.payload


def test_an_output_that_fails_costs_only_itself() -> None:
    config = {"steps": {"not-b": {"on_error": "skip"}}}
    fused = [Parser("parse", Json), FlatMap("letters", function=letters), Map("not-b", function=not_b)]
    outputs = run(through(*fused), {"in": lines(word("abc"), word("bb"), word("d"))}, config=config)
    assert outputs["out"] == lines("a", "c", "d")
    assert outputs.report.sources[0].committed == 3


def test_a_rust_filter_of_another_type_than_the_next_step_changes_nothing() -> None:
    metric: Json = {
        "org_id": 1, "project_id": 2, "name": "c:sessions/session@none", "type": "c", "timestamp": 3, "tags": {},
        "value": 1, "retention_days": 90,
    }  # fmt: skip
    pipeline = through(
        Parser("parse", Json),
        Filter("frequent", function=test_steps.is_frequent),
        Map("transform", function=metrics_steps.RustTransformMsg()),
    )
    given = [{**metric, **word("a", 2)}, {**metric, **word("a", 1)}]
    assert [json.loads(line)["use_case"] for line in run(pipeline, {"in": lines(*given)})["out"]] == ["sessions"]


def is_long(message: Message[Narrow]) -> bool:
    return len(message.payload.text) > 1


@pytest.mark.parametrize("after", [[], [Map("same", function=untouched)], [Map("rust", function=test_steps.Double())]])
def test_a_python_filter_changes_nothing_of_what_comes_from_rust(after: list[Any]) -> None:
    pipeline = through(
        Parser("parse", test_steps.Word),
        Map("double", function=test_steps.Double()),
        Filter("long", function=is_long),
        *after,
    )
    (line,) = run(pipeline, {"in": lines(word("a", 1), word("ab", 1))})["out"]
    factor = 2 if "rust" in [step.name for step in after] else 1
    assert json.loads(line) == word("ab", 2 * factor)


def test_a_parser_checks_what_its_type_says_also_where_rust_follows() -> None:
    given = lines({"text": "a", "count": 1})
    for between in ([], [Map("between", function=untouched)]):
        pipeline = through(Parser("parse", Strict), *between, Map("double", function=test_steps.Double()))
        with pytest.raises(StepError, match="`extra`: field is missing") as caught:
            run(pipeline, {"in": given})
        assert caught.value.code == "OXF0503"


def test_a_rust_type_without_known_fields_parses_in_rust() -> None:
    pipeline = through(Parser("parse", test_steps.Words), Map("join", function=test_steps.join))
    assert run(pipeline, {"in": lines([word("a", 1), word("b", 2)])})["out"] == lines(word("a b", 3))
    with pytest.raises(StepError) as caught:
        run(pipeline, {"in": lines({"not": "words"})})
    assert caught.value.code == "OXF0503"
    assert "step `parse`" in str(caught.value)


def shouted(message: Message[Counted]) -> Counted:
    return {**message.payload, "text": message.payload["text"].upper()}


def is_short(message: Message[Counted]) -> bool:
    # What a filter does to the payload is not its answer.
    message.payload["count"] = 0
    return len(message.payload["text"]) < 3


def test_a_rust_filter_reads_for_a_python_parser_of_its_type() -> None:
    pipeline = through(
        Parser("parse", Counted), Filter("frequent", function=test_steps.is_frequent), Map("shout", function=shouted)
    )
    given = lines({**word("a", 2), "unknown": [1.0]}, word("b", 1), {"text": 3, "count": 2}, word("c", 3))
    outputs = run(pipeline, {"in": given}, config={"steps": {"parse": {"on_error": "skip"}}})
    assert outputs["out"] == lines({**word("A", 2), "unknown": [1.0]}, word("C", 3))
    counts = [(step.name, step.language, step.messages_in, step.messages_out) for step in outputs.report.steps[1:4]]
    assert counts == [("parse", "rust", 4, 3), ("frequent", "rust", 3, 2), ("shout", "python", 2, 2)]
    assert [skipped.step for skipped in outputs.report.skipped] == ["parse"]


def test_what_python_filters_keep_is_read_by_a_rust_step_as_it_came() -> None:
    pipeline = through(
        Parser("parse", Counted), Filter("short", function=is_short), Map("double", function=test_steps.Double())
    )
    given = lines(word("a", 2), word("long", 1), {"text": 3, "count": 2}, word("c", 3))
    outputs = run(pipeline, {"in": given}, config={"steps": {"parse": {"on_error": "skip"}}})
    assert list(map(json.loads, outputs["out"])) == [word("a", 4), word("c", 6)]
    counts = [(step.name, step.language, step.messages_in, step.messages_out) for step in outputs.report.steps[1:4]]
    assert counts == [("parse", "python", 4, 3), ("short", "python", 3, 2), ("double", "rust", 2, 2)]
    assert [skipped.step for skipped in outputs.report.skipped] == ["parse"]


# What one language passes over in a field that nobody reads, and the other refuses.
ODD = [
    b'{"text":"a","count":2,"tags":{},"more":"\\ud800"}',
    b'{"text":"a","count":2,"tags":{},"more":%s}' % (b"[" * 300 + b"]" * 300),
    b'{"text":"a","count":1,"count":2,"tags":{}}',
]


@pytest.mark.parametrize("odd", ODD, ids=["half a pair", "deep", "a key that comes twice"])
@pytest.mark.parametrize(
    "steps",
    [
        [Filter("rust", function=test_steps.is_frequent), Map("shout", function=shouted)],
        [Filter("python", function=is_short), Map("double", function=test_steps.Double())],
        [Filter("rust", function=test_steps.is_frequent), Filter("python", function=is_short)],
        [Map("shout", function=shouted), Filter("python", function=is_short)],
    ],
)
def test_a_message_that_some_step_cannot_read_was_the_parsers_to_refuse(steps: list[Any], odd: bytes) -> None:
    pipeline = through(Parser("parse", Counted), *steps)
    outputs = run(
        pipeline, {"in": [odd, *lines(word("c", 3))]}, config={"steps": {"parse": {"on_error": "dead_letter"}}}
    )
    refused = [letter.step for letter in outputs.dead_letters]
    # Which of them are refused depends on who reads; never where.
    assert (refused, len(outputs["out"])) in [([], 2), (["parse"], 1)]


def kept(message: Message[Json]) -> bool:
    return bool(message.payload.get("count", 1))


def same(message: Message[Json]) -> Json:
    return message.payload


FREQUENT = Filter("frequent", function=test_steps.is_frequent)
DOUBLE = Map("double", function=test_steps.Double())


@pytest.mark.parametrize(
    ("steps", "first"),
    [
        ([Parser("parse", Json), DOUBLE], "double"),
        ([Parser("parse", Json), FREQUENT, DOUBLE], "frequent"),
        ([Parser("parse", Json), FREQUENT, Map("same", function=same)], "frequent"),
        ([Parser("parse", Json), Filter("kept", function=kept), DOUBLE], "double"),
        ([Parser("parse", Json), Filter("borrowed", function=test_steps.is_frequent_borrowed), DOUBLE], "borrowed"),
    ],
)
def test_what_a_dict_takes_and_rust_does_not_is_no_fault_of_the_parser(steps: list[Any], first: str) -> None:
    bad = [b'{"text": "a"}', b'{"text": 1, "count": 2, "tags": {}}', b'{"text": "a", "count": 2.5, "tags": {}}']
    worse = [b"{", b"[1]", b"3", b'"x"', b"", b'{"text": "a", "count": 2} x', b"\xff"]
    good = lines(word("a", 2))
    names = [step.name for step in steps]
    config: dict[str, Any] = {"steps": {name: {"on_error": "dead_letter"} for name in names}}
    config["run"] = {"dead_letters": {"max_in_a_row": 1000, "max_percent": 100}}
    outputs = run(through(*steps), {"in": [*bad, *worse, *good]}, config=config)
    assert len(outputs["out"]) == 1
    found = [(letter.step, letter.as_read.payload) for letter in outputs.dead_letters]
    assert sorted(found) == sorted([(first, payload) for payload in bad] + [("parse", payload) for payload in worse])
