"""Pipelines whose ends are msgpack or protobuf: all in Rust, all in Python, and mixed."""

from __future__ import annotations

import base64
import importlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, TypedDict

import metrics_steps
import pytest
import test_steps as steps
from hypothesis import given, strategies as st

import oxflow
from oxflow import Batch, Filter, Map, Message, Parser, PlanError, Serializer, StepError, StreamSink, branch
from oxflow.plan import lower
from oxflow.testing import run

if TYPE_CHECKING:
    from pathlib import Path

    from oxflow import Pipeline
    from oxflow.steps import Codec
    from oxflow.testing import Outputs

# They have no types of their own.
msgpack: Any = importlib.import_module("msgpack")
SOURCE: Any = oxflow.streaming_source("source", stream_name="in")
SINK = StreamSink("sink", stream_name="out")
WORD = {"text": "to be", "count": 2, "tags": {"a": "b"}}
PACKET = {"name": "n", "body": b"\x00\n\xff", "tags": {"a": 1.5}}


class Tagged(TypedDict, total=False):
    tags: dict[str, str]


class Word(Tagged):
    text: str
    count: int


class Blob(TypedDict):
    name: str
    body: bytes
    tags: dict[str, float]


def packed(value: object) -> bytes:
    data: bytes = msgpack.packb(value)
    return data


def in_json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def doubled(message: Message[Word]) -> Word:
    return {**message.payload, "count": message.payload["count"] * 2}


def same(message: Message[Any]) -> Any:
    return message.payload


def turned(message: Message[Blob]) -> Blob:
    return {**message.payload, "body": message.payload["body"][::-1]}


def is_frequent(message: Message[Word]) -> bool:
    return message.payload["count"] > 1


def counts(message: Message[list[Word]]) -> list[int]:
    return [word["count"] for word in message.payload]


RUST = Map("double", function=steps.Double())
PYTHON = Map("double", function=doubled)


def pipeline(payload_type: Any, *between: Any, read: Codec = "json", write: Codec = "json") -> Pipeline[Any]:
    chain: Any = SOURCE.apply(Parser("parse", payload_type, codec=read))
    for step in between:
        chain = chain.apply(step)
    ended: Pipeline[Any] = chain.apply(Serializer("serialize", codec=write)).sink(SINK)
    return ended


def through(*messages: bytes, of: Pipeline[Any]) -> list[bytes]:
    return run(of, {"in": list(messages)})["out"]


def refused(pipeline: Pipeline[Any]) -> str:
    with pytest.raises(PlanError) as caught:
        run(pipeline, {"in": []})
    return str(caught.value)


@pytest.mark.parametrize("payload_type", [steps.Word, Word], ids=["Rust", "Python"])
@pytest.mark.parametrize(
    "between",
    [
        [RUST],
        [PYTHON],
        [RUST, Map("again", function=same)],
        [Map("first", function=same), RUST],
        [Filter("frequent", function=steps.is_frequent), PYTHON],
        [Filter("frequent", function=is_frequent), RUST],
        [RUST, Filter("frequent", function=is_frequent)],
        [RUST, Filter("frequent", function=is_frequent), Filter("more", function=steps.is_frequent)],
        [Filter("frequent", function=steps.is_frequent), Filter("more", function=is_frequent), RUST],
        [RUST, Filter("value", function=steps.is_frequent_by_value)],
    ],
    ids=lambda between: "-".join(step.name for step in between),
)
def test_what_comes_out_does_not_depend_on_the_codecs(payload_type: Any, between: list[Any]) -> None:
    expected = {**WORD, "count": 4}
    write = {"json": in_json, "msgpack": packed}
    codecs: tuple[Codec, Codec] = ("json", "msgpack")
    for read in codecs:
        for out in codecs:
            built = pipeline(payload_type, *between, read=read, write=out)
            assert through(write[read](WORD), of=built) == [write[out](expected)], (read, out)


def test_a_parser_and_a_serializer_alone_transcode() -> None:
    assert through(packed(WORD), of=pipeline(steps.Word, read="msgpack")) == [in_json(WORD)]
    assert through(in_json(WORD), of=pipeline(Word, write="msgpack")) == [packed(WORD)]
    assert lower(pipeline(steps.Word, read="msgpack")).runs()[0] == ("rust", ("parse", "serialize"))


def test_rust_at_both_ends_needs_no_interpreter() -> None:
    runs = lower(pipeline(Word, RUST, read="msgpack", write="msgpack")).runs()
    assert runs == (("rust", ("parse", "double", "serialize")), (None, ("sink",)))


def test_bytes_inside_of_a_value_pass_in_rust_and_in_python() -> None:
    turned_round = packed(PACKET | {"body": b"\xff\n\x00"})
    in_rust = pipeline(steps.Packet, Map("turn", function=steps.turned), read="msgpack", write="msgpack")
    in_python = pipeline(Blob, Map("turn", function=turned), read="msgpack", write="msgpack")
    assert through(packed(PACKET), of=in_rust) == through(packed(PACKET), of=in_python) == [turned_round]
    # Between the languages they are JSON.
    mixed = pipeline(steps.Packet, Map("turn", function=steps.turned), Map("same", function=same), read="msgpack")
    assert through(packed(PACKET), of=mixed) == [in_json(PACKET | {"body": [255, 10, 0]})]


def test_each_branch_has_its_own_codec() -> None:
    codecs: tuple[Codec, Codec] = ("json", "msgpack")
    ways = [
        branch(codec).apply(Serializer(f"as-{codec}", codec=codec)).sink(StreamSink(f"{codec}-out", stream_name=codec))
        for codec in codecs
    ]
    parsed = SOURCE.apply(Parser("parse", steps.Packet, codec="msgpack")).apply(Map("turn", function=steps.turned))
    done = run(parsed.broadcast("both", routes=ways), {"in": [packed(PACKET)]})
    assert done["json"] == [in_json(PACKET | {"body": [255, 10, 0]})]
    # What Rust gave is written by Rust: bytes stay bytes.
    assert done["msgpack"] == [packed(PACKET | {"body": b"\xff\n\x00"})]


def test_lists_are_written_by_what_gathered_them() -> None:
    gathered = pipeline(steps.Word, RUST, Batch("two", batch_size=2), read="msgpack", write="msgpack")
    assert through(packed(WORD), packed(WORD), of=gathered) == [packed([WORD | {"count": 4}] * 2)]
    counted = pipeline(
        Word, Batch("two", batch_size=2), Map("counts", function=counts), read="msgpack", write="msgpack"
    )
    assert through(packed(WORD), packed(WORD), of=counted) == [packed([2, 2])]


BAD: dict[str, bytes] = {
    "cut": packed(WORD)[:-1],
    "hostile": b"\xdf\xff\xff\xff\xff",
    "type": packed(WORD | {"count": "two"}),
    "deep": b"\x81\xa4text" + b"\x91" * 100_000,
    "trailing": packed(WORD) + b"\x00",
    "extension": packed({"text": msgpack.Timestamp(0), "count": 1, "tags": {}}),
    "json": in_json(WORD),
    "nothing": b"",
}


@pytest.mark.parametrize("payload_type", [steps.Word, Word], ids=["Rust", "Python"])
@pytest.mark.parametrize("bad", BAD)
def test_a_bad_message_costs_only_itself(payload_type: Any, bad: str) -> None:
    config = {"steps": {"parse": {"on_error": "dead_letter"}}}
    built = pipeline(payload_type, RUST, read="msgpack", write="msgpack")
    done: Outputs = run(built, {"in": [packed(WORD), BAD[bad], packed(WORD)]}, config=config)
    assert done["out"] == [packed(WORD | {"count": 4})] * 2
    (letter,) = done.dead_letters
    assert (letter.as_read.payload, letter.step, letter.code) == (BAD[bad], "parse", "OXF0503")


def test_the_error_names_the_byte() -> None:
    with pytest.raises(StepError) as caught:
        through(BAD["type"], of=pipeline(steps.Word, RUST, read="msgpack"))
    assert 'msgpack: invalid type: string "two", expected i64 at byte 19' in str(caught.value)


def test_fields_that_are_dropped_are_counted() -> None:
    done = run(pipeline(steps.Word, RUST, read="msgpack"), {"in": [packed(WORD | {"more": {"a": 1}})]})
    assert done.report.steps[1].unknown_fields == 1


def test_a_value_that_msgpack_cannot_hold_fails_its_serializer() -> None:
    built = pipeline(dict[str, Any], Map("same", function=same), write="msgpack")
    with pytest.raises(StepError) as caught:
        through(b'{"n": 18446744073709551616}', of=built)
    assert "`n`: an integer of more than 64 bits cannot be msgpack" in str(caught.value)


# --- protobuf -------------------------------------------------------------------------------------------------------


def reading_class() -> Any:
    """Describe `Reading` to Google's implementation, which reads and writes it without any code of ours."""
    descriptor: Any = importlib.import_module("google.protobuf.descriptor_pb2")
    pool: Any = importlib.import_module("google.protobuf.descriptor_pool").DescriptorPool()
    kinds, labels = descriptor.FieldDescriptorProto, descriptor.FieldDescriptorProto
    file = descriptor.FileDescriptorProto(name="reading.proto", syntax="proto3")
    reading = file.message_type.add(name="Reading")
    entry = reading.nested_type.add(name="CountsEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, type=kinds.TYPE_STRING, label=labels.LABEL_OPTIONAL)
    entry.field.add(name="value", number=2, type=kinds.TYPE_SINT64, label=labels.LABEL_OPTIONAL)
    reading.oneof_decl.add(name="place")
    one, many = {"label": labels.LABEL_OPTIONAL}, {"label": labels.LABEL_REPEATED}
    reading.field.add(name="sensor", number=1, type=kinds.TYPE_STRING, **one)
    reading.field.add(name="celsius", number=2, type=kinds.TYPE_DOUBLE, **many)
    reading.field.add(name="counts", number=3, type=kinds.TYPE_MESSAGE, type_name=".Reading.CountsEntry", **many)
    reading.field.add(name="before", number=4, type=kinds.TYPE_MESSAGE, type_name=".Reading", **one)
    reading.field.add(name="name", number=5, type=kinds.TYPE_STRING, oneof_index=0, **one)
    reading.field.add(name="number", number=6, type=kinds.TYPE_UINT32, oneof_index=0, **one)
    pool.Add(file)
    factory: Any = importlib.import_module("google.protobuf.message_factory")
    return factory.GetMessageClass(pool.FindMessageTypeByName("Reading"))


READING = reading_class()
FINITE = st.floats(allow_nan=False, allow_infinity=False)
BEFORE: dict[str, Any] = {"sensor": "before", "celsius": [], "counts": {}, "before": None, "place": None}
READINGS = st.builds(
    dict[str, Any],
    sensor=st.text(),
    celsius=st.lists(FINITE, max_size=5),
    counts=st.dictionaries(st.text(), st.integers(-(2**63), 2**63 - 1), max_size=5),
    before=st.none() | st.just(BEFORE),
    place=st.none()
    | st.builds(dict[str, Any], Name=st.text())
    | st.builds(dict[str, Any], Number=st.integers(0, 2**32 - 1)),
)


def in_protobuf(reading: dict[str, Any]) -> bytes:
    before = reading["before"]
    fields = {"sensor": reading["sensor"], "celsius": reading["celsius"], "counts": reading["counts"]}
    chosen: dict[str, Any] = reading["place"] or {}
    place = {name.lower(): value for name, value in chosen.items()}
    if before is not None:
        place["before"] = READING(sensor=before["sensor"])
    data: bytes = READING(**fields, **place).SerializeToString(deterministic=True)
    return data


@given(READINGS)
def test_another_implementation_of_protobuf_agrees(reading: dict[str, Any]) -> None:
    message = in_protobuf(reading)
    (read,) = through(message, of=pipeline(steps.Reading, read="protobuf"))
    assert json.loads(read) == reading
    (written,) = through(in_json(reading), of=pipeline(steps.Reading, write="protobuf"))
    assert READING.FromString(written) == READING.FromString(message)


def test_protobuf_goes_through_rust_and_python() -> None:
    reading = {"sensor": "s", "celsius": [1.0, 2.0], "counts": {}, "before": None, "place": {"Number": 7}}
    mean = reading | {"celsius": [1.0, 2.0, 1.5]}
    rust = Map("mean", function=steps.with_mean)
    filters = [Filter("any", function=steps.has_values), Filter("python", function=lambda _message: True)]
    for between in ([rust], [rust, *filters], [Map("same", function=same), rust], [*filters, rust]):
        built = pipeline(steps.Reading, *between, read="protobuf", write="protobuf")
        (written,) = through(in_protobuf(reading), of=built)
        assert READING.FromString(written) == READING.FromString(in_protobuf(mean))
    built = pipeline(steps.Reading, rust, Map("same", function=same), read="protobuf", write="msgpack")
    assert through(in_protobuf(reading), of=built) == [packed(mean)]


def test_a_bad_message_of_protobuf_costs_only_itself() -> None:
    good = in_protobuf({"sensor": "s", "celsius": [], "counts": {}, "before": None, "place": None})
    bad = [b"\x0a\xff\xff\xff\xff\x0f", b"\x0a\x02s", b"\x12\x01\x00", b"\xff" * 20, b"\x22\x80\x80\x80\x80\x08"]
    config = {"steps": {"parse": {"on_error": "dead_letter"}}}
    done = run(pipeline(steps.Reading, read="protobuf"), {"in": [good, *bad, good]}, config=config)
    assert len(done["out"]) == 2
    assert [letter.as_read.payload for letter in done.dead_letters] == bad
    assert all(letter.text.startswith("protobuf: ") for letter in done.dead_letters)


# --- what is refused before the first message -----------------------------------------------------------------------


def test_protobuf_needs_a_type_of_rust() -> None:
    text = refused(pipeline(Word, read="protobuf"))
    assert "parser `parse` makes `Word` of protobuf" in text
    assert 'use a Rust type with `#[payload(codec = "protobuf")]`, or another codec' in text
    text = refused(pipeline(Word, PYTHON, write="protobuf"))
    assert "step `double` returns `Word`, which serializer `serialize` cannot write as protobuf" in text
    text = refused(pipeline(steps.Reading, Map("same", function=same), write="protobuf"))
    assert "serializer `serialize` cannot write protobuf here" in text


def test_a_type_without_the_codec_is_told_before_the_first_message() -> None:
    text = refused(pipeline(steps.Word, read="protobuf"))
    assert "step `parse` has no codec `protobuf` for `Word`\n" in text
    assert "`Word` in the module `test_steps` has no protobuf" in text
    text = refused(pipeline(int, Map("more", function=steps.one_more), write="msgpack"))
    assert "`ByHand` in the module `test_steps` has no msgpack" in text


METRIC = metrics_steps.IngestMetric
TRANSFORM = Map("transform", function=metrics_steps.RustTransformMsg())


def test_a_module_that_was_built_without_the_codec_is_named() -> None:
    why = "the module `metrics_steps` was built without the feature `msgpack` of `oxflow`"
    text = refused(pipeline(METRIC, TRANSFORM, read="msgpack"))
    assert "[OXF0608]" in text
    assert "step `parse` has no codec `msgpack` for `IngestMetric`" in text
    assert why in text
    text = refused(pipeline(METRIC, TRANSFORM, write="msgpack"))
    assert "step `serialize` has no codec `msgpack` for `TransformedIngestMetric`" in text
    assert why in text


def test_check_tells_it_too(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import metrics_steps\nfrom oxflow import *\n"
        'pipeline = streaming_source("s", stream_name="in").apply(Parser("parse", metrics_steps.IngestMetric, codec="msgpack"))\n'
        'pipeline = pipeline.apply(Serializer("write")).sink(StreamSink("sink", stream_name="out"))\n'
    )
    for more in ([], ["--json"]):
        command = [sys.executable, "-m", "oxflow", "check", *more, "app.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 3
        assert "OXF0608" in done.stdout + done.stderr


def test_a_codec_that_is_none_is_told_with_the_one_that_was_meant() -> None:
    codec: Any = "msgpak"
    text = refused(pipeline(Word, read=codec, write=codec))
    assert 'step `parse` has no codec "msgpak"' in text
    assert 'step `serialize` has no codec "msgpak"' in text
    assert "did you mean `msgpack`?" in text
    codec = None
    assert "use one of `json`, `msgpack`, `protobuf`" in refused(pipeline(Word, write=codec))


def test_the_codec_stands_in_the_plan_the_graph_and_the_text() -> None:
    built = pipeline(Word, read="msgpack", write="msgpack")
    parse, serialize, _ = lower(built).data["steps"]
    assert parse["operation"]["parser"]["codec"] == serialize["operation"]["serializer"]["codec"] == "msgpack"
    assert "Word of msgpack" in lower(built).graph("mermaid")
    assert 'Parser("parse", Word, codec="msgpack")' in repr(built)
    assert 'Serializer("serialize", codec="msgpack")' in repr(built)
    assert 'Serializer("serialize")' in repr(pipeline(Word))
    assert '"codec"' not in lower(pipeline(Word)).text
    assert pipeline(Word) == pipeline(Word)
    assert pipeline(Word) != pipeline(Word, write="msgpack")


# --- streams --------------------------------------------------------------------------------------------------------


def test_lines_have_no_room_for_line_feeds_in_msgpack(tmp_path: Path) -> None:
    built = pipeline(steps.Packet, read="msgpack", write="msgpack")
    with pytest.raises(StepError) as caught:
        oxflow.run(built, streams={"in": [packed(PACKET)], "out": f"file:{tmp_path}/out"})
    assert "step `sink` cannot write the payload" in str(caught.value)


def test_a_dead_letter_keeps_bytes_that_are_no_text(tmp_path: Path) -> None:
    letters = tmp_path / "letters.jsonl"
    config = {"steps": {"parse": {"on_error": "dead_letter"}}}
    streams: Any = {"in": [BAD["cut"] + b"\xff"], "out": "null:", "dead-letters": f"file:{letters}"}
    oxflow.run(pipeline(Word, read="msgpack"), streams=streams, config=config)
    letter = json.loads(letters.read_bytes())
    assert base64.b64decode(letter["payload"]["base64"]) == BAD["cut"] + b"\xff"
