"""Payloads from a Rust run to a Python run: objects that the module makes of its rows, and JSON of them, come to the same."""

from __future__ import annotations

import dataclasses
import gc
import importlib
import json
import sys
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

import oxflow
from oxflow import Batch, Filter, FlatMap, Map, Message, Parser, Serializer, StepError, StreamSink
from oxflow.testing import run
from strategies import is_list, is_object, values
from test_edges import NAMES

if TYPE_CHECKING:
    from pathlib import Path

# Any: what it holds is known when it is built, not when this file is checked.
steps: Any = importlib.import_module("test_steps")

WORD = {"text": "a", "count": 1, "tags": {"k": "v"}}
# However many they are.
LIMITS = {"dead_letters": {"max_percent": 100, "max_in_a_row": 1_000_000}}
DEAD_LETTERS: dict[str, Any] = {
    "steps": {name: {"on_error": "dead_letter"} for name in ("rust", "seen")},
    "run": LIMITS,
}
# A step that may be called again is given JSON, of which it can be given once more what it failed on.
BY_TEXT: dict[str, Any] = {
    "steps": {
        "rust": {"on_error": "dead_letter"},
        "seen": {"on_error": {"retry": {"times": 1, "backoff_ms": 0, "then": "dead_letter"}}},
    },
    "run": LIMITS,
}


def through(*between: Any, parsed: Any = Any) -> Any:
    pipeline: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", parsed))
    for step in between:
        pipeline = pipeline.apply(step)
    return pipeline.apply(Serializer("serialize")).sink(StreamSink("sink", stream_name="out"))


def lines(payloads: list[Any]) -> dict[str, list[bytes]]:
    return {"in": [json.dumps(payload).encode() for payload in payloads]}


def shown(value: Any) -> Any:
    """A value with the types of all that is in it, and the order of keys."""
    if is_object(value):
        return [(key, shown(item)) for key, item in value.items()]
    return [shown(item) for item in value] if is_list(value) else (type(value).__name__, repr(value))


def seen_by_python(
    function: Any, payloads: list[Any], config: dict[str, Any], kind: Any = Map
) -> tuple[list[Any], Any, Any]:
    """What a Python step after a Rust function is given, and what came of all messages."""
    seen: list[Any] = []

    def see(msg: Message[Any]) -> Any:
        seen.append((shown(msg.payload), msg.key, msg.headers, msg.timestamp, msg.origin))
        return msg.payload

    outputs = run(through(kind("rust", function=function), Map("seen", function=see)), lines(payloads), config=config)
    letters = [(at.step, at.code, at.error, at.text, at.as_read.payload) for at in outputs.dead_letters]
    counts = [(step.name, step.messages_in, step.messages_out, step.errors) for step in outputs.report.steps]
    return seen, (outputs["out"], letters), counts


# --- the same ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_python_is_given_of_rows_is_what_it_is_given_of_their_json(name: str, data: st.DataObject) -> None:
    function = getattr(steps, f"same_{name}")
    payloads = data.draw(st.lists(values(function.described["input"], {}), min_size=1, max_size=4))
    assert seen_by_python(function, payloads, DEAD_LETTERS) == seen_by_python(function, payloads, BY_TEXT)


@pytest.mark.parametrize(("config", "way"), [(DEAD_LETTERS, "object"), (BY_TEXT, "text")])
def test_rows_become_objects_with_no_text_in_between(config: dict[str, Any], way: str) -> None:
    _, (out, _), _ = seen_by_python(steps.told, [{"text": "a"}] * 3, config)
    assert [json.loads(line) for line in out] == [{"text": "a", "way": way}] * 3


class TypedWord(TypedDict):
    text: str
    way: str


@dataclasses.dataclass
class PlainWord:
    text: str
    way: str


class StructWord(msgspec.Struct):
    text: str
    way: str


def takes_dict(msg: Message[dict[str, Any]]) -> list[str]:
    return [type(msg.payload).__name__, msg.payload["text"], msg.payload["way"]]


def takes_typed(msg: Message[TypedWord]) -> list[str]:
    return [type(msg.payload).__name__, msg.payload["text"], msg.payload["way"]]


def takes_plain(msg: Message[PlainWord]) -> list[str]:
    return [type(msg.payload).__name__, msg.payload.text, msg.payload.way]


def takes_struct(msg: Message[StructWord]) -> list[str]:
    return [type(msg.payload).__name__, msg.payload.text, msg.payload.way]


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (takes_dict, ["dict", "a", "object"]),
        (takes_typed, ["dict", "a", "object"]),
        (takes_plain, ["PlainWord", "a", "object"]),
        # Which msgspec reads from JSON.
        (takes_struct, ["StructWord", "a", "text"]),
    ],
)
def test_a_step_is_given_the_type_that_it_names(function: Any, told: list[str]) -> None:
    outputs = run(through(Map("rust", function=steps.told), Map("seen", function=function)), lines([{"text": "a"}]))
    assert [json.loads(line) for line in outputs["out"]] == [told]


@pytest.mark.parametrize("place", [0, 1, 300])
@pytest.mark.parametrize("odd", ["unwritable", "panic"])
def test_what_has_neither_object_nor_json_costs_only_itself(odd: str, place: int) -> None:
    payloads = [{"text": str(number)} for number in range(600)]
    payloads[place]["text"] = odd
    directly, by_text = (seen_by_python(steps.told, payloads, config) for config in (DEAD_LETTERS, BY_TEXT))
    (_, letters), _ = directly[1:]
    assert [(step, json.loads(as_read)["text"]) for step, _, _, _, as_read in letters] == [("rust", odd)]
    assert letters == by_text[1][1]
    assert directly[2] == by_text[2]
    assert [json.loads(line)["text"] for line in directly[1][0]] == [
        str(number) for number in range(600) if number != place
    ]


@pytest.mark.parametrize("odd", [range(0, 4000, 500), range(1, 4000, 2), range(65, 128), range(4000)])
def test_payloads_that_are_made_of_their_json_stand_in_their_places(odd: range) -> None:
    """Many in a batch make the run go by JSON for some batches; then it tries again."""
    payloads = [{**WORD, "count": 0 if place in odd else 1} for place in range(4000)]
    outputs = run(
        through(Map("rust", function=steps.inverse), Map("seen", function=lambda msg: [msg.payload])),
        lines(payloads),
        config={"run": {"batch": {"messages": 32}}},
    )
    expected = [[None if place in odd else 1.0] for place in range(4000)]
    assert [json.loads(line) for line in outputs["out"]] == expected


def test_outputs_of_one_message_and_new_metadata_reach_python() -> None:
    payloads = [{**WORD, "text": "abc"[: number % 4]} for number in range(600)]
    for function, kind in ((steps.letters, FlatMap), (steps.key_by_text, Map), (steps.long_only, Map)):
        directly, by_text = (seen_by_python(function, payloads, config, kind) for config in (DEAD_LETTERS, BY_TEXT))
        assert directly == by_text


def test_one_output_of_a_message_that_fails_costs_only_itself() -> None:
    payloads = [{"text": text} for text in ("a b", "c unwritable d panic", "unwritable unwritable", "e")]
    directly, by_text = (
        seen_by_python(steps.told_by_word, payloads, config, FlatMap) for config in (DEAD_LETTERS, BY_TEXT)
    )
    assert [json.loads(line)["text"] for line in directly[1][0]] == ["a", "b", "c", "d", "e"]
    assert directly[1][1] == by_text[1][1]


def text(msg: Message[Any]) -> Any:
    return msg.payload["text"]


# --- what ends, drops or repeats ----------------------------------------------------------------------------------------


def test_what_comes_before_a_row_that_has_no_object_is_delivered(tmp_path: Path) -> None:
    texts = [json.dumps({"text": "unwritable" if number == 300 else str(number)}) for number in range(600)]
    (tmp_path / "in.jsonl").write_text("\n".join(texts) + "\n")
    pipeline = through(Map("rust", function=steps.told), Map("seen", function=text))
    streams = {"in": f"file:{tmp_path}/in.jsonl", "out": f"file:{tmp_path}/out.jsonl"}
    with pytest.raises(StepError, match="step `rust`") as caught:
        oxflow.run(pipeline, streams=streams)
    assert caught.value.code == "OXF0504"
    assert "line 301" in str(caught.value)
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert written == [str(number) for number in range(300)]


def test_what_comes_before_a_message_that_python_fails_on_is_delivered(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps({"text": str(number)}) + "\n" for number in range(600)))

    def fails(msg: Message[Any]) -> Any:
        if msg.payload["text"] == "300":
            raise ValueError
        return msg.payload["text"]

    pipeline = through(Map("rust", function=steps.told), Map("seen", function=fails))
    streams = {"in": f"file:{tmp_path}/in.jsonl", "out": f"file:{tmp_path}/out.jsonl"}
    with pytest.raises(StepError, match="step `seen`"):
        oxflow.run(pipeline, streams=streams)
    written = [json.loads(line) for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert written == [str(number) for number in range(300)]


def is_even(msg: Message[Any]) -> bool:
    return int(msg.payload["text"]) % 2 == 0


def identity(msg: Message[Any]) -> Any:
    return msg.payload


@pytest.mark.parametrize(
    ("between", "way"),
    [
        ([Filter("even", function=is_even), Map("seen", function=identity)], "object"),
        ([FlatMap("seen", function=lambda msg: [msg.payload]), Filter("even", function=is_even)], "object"),
        # A filter lets pass what it was given.
        ([Filter("even", function=is_even)], "text"),
        ([Batch("list", batch_size=1), FlatMap("open", function=identity), Filter("even", function=is_even)], "text"),
    ],
)
def test_steps_between_are_given_what_they_can_take(between: list[Any], way: str) -> None:
    payloads = [{"text": str(number)} for number in range(600)]
    outputs = run(through(Map("rust", function=steps.told), *between), lines(payloads))
    expected = [{"text": str(number), "way": way} for number in range(0, 600, 2)]
    assert [json.loads(line) for line in outputs["out"]] == expected


def test_objects_go_to_rust_and_back() -> None:
    def again(msg: Message[Any]) -> Any:
        return {**msg.payload, "count": msg.payload["count"] + 1}

    between: list[Any] = []
    for number in range(3):
        between += [Map(f"python{number}", function=again), Map(f"rust{number}", function=steps.double_borrowed)]
    payloads = [{**WORD, "count": number} for number in range(600)]
    outputs = run(through(*between, Map("last", function=again)), lines(payloads))
    expected = [((((number + 1) * 2 + 1) * 2 + 1) * 2) + 1 for number in range(600)]
    assert [json.loads(line)["count"] for line in outputs["out"]] == expected


# --- memory -------------------------------------------------------------------------------------------------------------


def test_neither_rows_nor_what_they_borrow_outlive_the_run() -> None:
    text = "a text that " + "is borrowed"
    before = sys.getrefcount(text)
    lent = {"slice": text, "cow": text, "text": text, "tags": {text: [text]}}

    def make(_: Message[Any]) -> Any:
        return lent

    between = [Map("make", function=make), Map("rust", function=steps.same_lent), Map("seen", function=identity)]
    outputs = run(through(*between), lines([0] * 1000))
    assert json.loads(outputs["out"][-1]) == lent
    lent.clear()
    gc.collect()
    assert sys.getrefcount(text) == before


def alive() -> int:
    return int(steps.how_many_live(Message(WORD)))


@pytest.mark.parametrize("config", [{}, {"steps": {"seen": {"on_error": "skip"}}}])
def test_rows_that_python_never_takes_are_freed(config: dict[str, Any]) -> None:
    def fails(msg: Message[Any]) -> Any:
        if msg.payload["text"] == "300":
            raise ValueError
        return msg.payload

    before = alive()
    payloads = [{"text": str(number), "count": 1} for number in range(600)]
    pipeline = through(Map("rust", function=steps.check_living), Map("seen", function=fails))
    if config:
        assert len(run(pipeline, lines(payloads), config=config)["out"]) == 599
    else:
        with pytest.raises(StepError):
            run(pipeline, lines(payloads))
    assert alive() == before
