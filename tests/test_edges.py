"""Payloads from a Python run to a Rust run: objects that the Rust step reads, and JSON of them, come to the same."""

from __future__ import annotations

import dataclasses
import gc
import importlib
import json
import sys
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings, strategies as st

import oxflow
from oxflow import Filter, FlatMap, Map, Message, Parser, Serializer, StepError, StreamSink, codec
from oxflow.testing import Outputs, run
from strategies import values
from test_objects import bent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Any: what it holds is known when it is built, not when this file is checked.
steps: Any = importlib.import_module("test_steps")
msgpack: Any = importlib.import_module("msgpack")

WORD = {"text": "a", "count": 1, "tags": {"k": "v"}}
# However many they are.
DEAD_LETTERS = {
    "steps": {name: {"on_error": "dead_letter"} for name in ("make", "rust")},
    "run": {"dead_letters": {"max_percent": 100, "max_in_a_row": 1_000_000}},
}


@dataclasses.dataclass
class Word:
    text: str
    count: int
    tags: dict[str, str] = dataclasses.field(default_factory=dict[str, str])


class WordStruct(msgspec.Struct):
    text: str
    count: int
    tags: dict[str, str] = {}


def through(*between: Any) -> Any:
    pipeline: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", int))
    for step in between:
        pipeline = pipeline.apply(step)
    return pipeline.apply(Serializer("serialize")).sink(StreamSink("sink", stream_name="out"))


def numbers(count: int) -> dict[str, list[bytes]]:
    return {"in": [str(number).encode() for number in range(count)]}


def given_on(payloads: list[Any], function: Any, config: dict[str, Any] | None = None) -> Outputs:
    """Run a Python step that gives these payloads, and a Rust function after it."""

    def make(message: Message[int]) -> Any:
        return payloads[message.payload]

    return run(
        through(Map("make", function=make), Map("rust", function=function)), numbers(len(payloads)), config=config
    )


def told(outputs: Outputs) -> Any:
    """What came of all messages but the first."""
    letters = [(at.step, at.code, at.error, at.text, at.as_read.payload) for at in outputs.dead_letters]
    counts = [(step.name, step.messages_in, step.messages_out, step.errors) for step in outputs.report.steps]
    return [json.loads(line) for line in outputs["out"]][1:], letters, counts


# --- the same ---------------------------------------------------------------------------------------------------------

NAMES = ("scalars", "containers", "narrow", "sparse", "choices", "flattened", "tree", "pair", "page", "open", "strict")


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_what_rust_reads_of_objects_is_what_it_reads_of_their_json(name: str, data: st.DataObject) -> None:
    function = getattr(steps, f"same_{name}")
    shape = function.described["input"]
    first = data.draw(values(shape, {}))
    payloads = data.draw(st.lists(values(shape, {}), max_size=4))
    payloads = [bent(data, payload) if data.draw(st.booleans()) else payload for payload in payloads]
    directly = given_on([first, *payloads], function, DEAD_LETTERS)
    # Bytes are JSON already, and what the first message is, the others are taken for.
    by_text = given_on([codec.encode(first), *payloads], function, DEAD_LETTERS)
    assert told(directly) == told(by_text)


@pytest.mark.parametrize("odd", [codec.encode(WORD), {**WORD, "text": 1}, {**WORD, "more": object()}])
@pytest.mark.parametrize("place", [0, 1, 300])
def test_a_payload_that_is_not_read_directly_stands_among_others_in_its_place(odd: Any, place: int) -> None:
    payloads: list[Any] = [{**WORD, "count": count} for count in range(600)]
    payloads[place] = odd
    outputs = given_on(payloads, steps.Double(), DEAD_LETTERS)
    counts = [json.loads(line)["count"] for line in outputs["out"]]
    expected = [count * 2 for count in range(600)]
    expected[place : place + 1] = [2] if isinstance(odd, bytes) else []
    assert counts == expected
    assert [letter.as_read.payload for letter in outputs.dead_letters] == (
        [] if isinstance(odd, bytes) else [b"%d" % place]
    )


@pytest.mark.parametrize("odd", [range(1, 4000, 2), range(65, 128), range(4000)])
def test_many_payloads_that_are_not_read_directly_stand_in_their_places(odd: range) -> None:
    """So many in a batch that it is given up to try, for this batch and for batches after it, and then taken up again."""
    payloads: list[Any] = [{**WORD, "count": count} for count in range(4000)]
    payloads = [OrderedDict(payload) if place in odd else payload for place, payload in enumerate(payloads)]
    outputs = given_on(payloads, steps.Double(), {"run": {"batch": {"messages": 32}}})
    assert [json.loads(line)["count"] for line in outputs["out"]] == [count * 2 for count in range(4000)]


@pytest.mark.parametrize("word", [Word("a", 3), WordStruct("a", 3)])
def test_records_are_read_without_their_json(word: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def kind_of(_: object) -> str:
        raise AssertionError("its JSON was asked for")

    monkeypatch.setattr(codec, "kind_of", kind_of)
    assert given_on([word] * 3, steps.Double())["out"] == [b'{"text":"a","count":6,"tags":{}}'] * 3


def test_fields_that_a_rust_step_drops_are_counted() -> None:
    payloads = [{**WORD, "more": 1, "most": {"a": 2}}, WORD, codec.encode({**WORD, "more": 1})]
    outputs = given_on(payloads, steps.Double())
    assert [step.unknown_fields for step in outputs.report.steps if step.name == "rust"] == [3]


def words(count: int) -> list[Any]:
    """Objects of all kinds."""
    kinds: list[Callable[..., Any]] = [dict[str, Any], Word, WordStruct]
    return [kinds[number % 3](text=f"w{number}", count=number % 4 + 1, tags={}) for number in range(count)]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        # Of each run of 256, which a batch function is given at once.
        (Map("rust", function=steps.share), [(number % 4 + 1) / 640 for number in range(512)]),
        (
            Map("rust", function=steps.RunningTotal()),
            [number // 4 * 10 + (1, 3, 6, 10)[number % 4] for number in range(512)],
        ),
        (Filter("rust", function=steps.is_frequent), [number % 4 + 1 for number in range(512) if number % 4]),
        (Filter("rust", function=steps.MoreThan(2)), [number % 4 + 1 for number in range(512) if number % 4 > 1]),
        (FlatMap("rust", function=steps.letters), [number % 4 + 1 for number in range(512) for _ in f"w{number}"]),
    ],
)
def test_functions_of_every_kind_read_what_python_gave(step: Any, expected: list[float]) -> None:
    payloads = words(512)

    def make(message: Message[int]) -> Any:
        return payloads[message.payload]

    outputs = run(through(Map("make", function=make), step), numbers(512))
    values = [json.loads(line) for line in outputs["out"]]
    assert [value["count"] if isinstance(value, dict) else value for value in values] == expected


def test_what_python_made_of_msgpack_is_read_by_rust() -> None:
    def make(message: Message[dict[str, Any]]) -> dict[str, Any]:
        return {**message.payload, "count": message.payload["count"] + 1}

    pipeline: Any = oxflow.streaming_source("source", stream_name="in").apply(
        Parser("parse", dict[str, Any], codec="msgpack")
    )
    pipeline = pipeline.apply(Map("make", function=make)).apply(Map("rust", function=steps.Double()))
    pipeline = pipeline.apply(Serializer("serialize", codec="msgpack")).sink(StreamSink("sink", stream_name="out"))
    packed = [msgpack.packb({**WORD, "count": count}) for count in range(600)]
    outputs = run(pipeline, {"in": packed})
    assert [msgpack.unpackb(line)["count"] for line in outputs["out"]] == [(count + 1) * 2 for count in range(600)]


# --- at the time where it was given ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [dict, Word, WordStruct])
def test_a_step_may_change_what_it_gave_before(kind: Callable[..., Any]) -> None:
    held = kind(text="", count=0, tags={})

    def once_more(message: Message[int]) -> Any:
        if kind is dict:
            held["count"], held["tags"]["n"] = message.payload, str(message.payload)
        else:
            held.count, held.tags["n"] = message.payload, str(message.payload)
        return held

    pipeline = through(Map("make", function=once_more), Map("rust", function=steps.Double()))
    given_on = [json.loads(line) for line in run(pipeline, numbers(600))["out"]]
    assert given_on == [{"text": "", "count": 2 * n, "tags": {"n": str(n)}} for n in range(600)]


# --- what ends, changes or repeats a run ------------------------------------------------------------------------------


def test_what_comes_before_a_message_that_ends_the_run_passes_the_rust_step(tmp_path: Path) -> None:
    def make(message: Message[int]) -> list[dict[str, Any]]:
        def some() -> Iterator[dict[str, Any]]:
            yield {**WORD, "count": message.payload}
            if message.payload == 300:
                yield {**WORD, "count": object()}

        return list(some())

    (tmp_path / "in.jsonl").write_bytes(b"".join(b"%d\n" % number for number in range(600)))
    pipeline = through(FlatMap("make", function=make), Map("rust", function=steps.Double()))
    streams = {"in": f"file:{tmp_path}/in.jsonl", "out": f"file:{tmp_path}/out.jsonl"}
    with pytest.raises(StepError, match="step `make`") as caught:
        oxflow.run(pipeline, streams=streams)
    assert caught.value.code == "OXF0504"
    written = [json.loads(line)["count"] for line in (tmp_path / "out.jsonl").read_bytes().splitlines()]
    assert written == [number * 2 for number in range(300)]


def test_filters_flat_maps_and_new_metadata_reach_the_rust_step() -> None:
    def make(message: Message[int]) -> list[Message[Any]]:
        word = {**WORD, "text": str(message.payload)}
        return [message.replace(payload=word, key=b"%d" % message.payload, headers=[("h", b"v")])] * 2

    def is_even(message: Message[Any]) -> bool:
        return int(message.payload["text"]) % 2 == 0

    between = [FlatMap("make", function=make), Filter("even", function=is_even)]
    outputs = run(through(*between, Map("describe", function=steps.describe)), numbers(600))
    assert [json.loads(line)["text"] for line in outputs["out"]] == [
        f"in 0 {n}" for n in range(0, 600, 2) for _ in "12"
    ]
    assert [message.key for message in outputs.messages("out")] == [b"%d" % n for n in range(0, 600, 2) for _ in "12"]
    assert {message.headers for message in outputs.messages("out")} == {(("h", b"v"),)}


@pytest.mark.parametrize("again", ["make", "rust"])
def test_a_step_that_is_called_again_gets_what_it_needs(again: str) -> None:
    failed: set[int] = set()

    def make(message: Message[int]) -> dict[str, Any]:
        if again == "make" and message.payload % 3 == 0 and message.payload not in failed:
            failed.add(message.payload)
            raise ValueError
        return {**WORD, "text": f"{again} {message.payload}", "count": message.payload % 2}

    rust = steps.stubborn if again == "rust" else steps.Double()
    pipeline = through(Map("make", function=make), Map("rust", function=rust))
    config = {"steps": {again: {"on_error": {"retry": {"times": 3, "backoff_ms": 0}}}}}
    outputs = run(pipeline, numbers(20), config=config)
    assert [json.loads(line)["text"] for line in outputs["out"]] == [f"{again} {number}" for number in range(20)]


# --- memory ---------------------------------------------------------------------------------------------------------


def test_nothing_that_rust_borrowed_outlives_the_run() -> None:
    text = "a text that " + "is borrowed"
    before = sys.getrefcount(text)
    lent = {"slice": text, "cow": text, "text": text, "tags": {text: [text]}}
    payloads = [lent, codec.encode(lent), {**lent, "cow": 1}] * 400
    outputs = given_on(payloads, steps.same_lent, DEAD_LETTERS)
    assert len(outputs["out"]) == 800
    payloads.clear()
    lent.clear()
    gc.collect()
    assert sys.getrefcount(text) == before
