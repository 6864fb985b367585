"""What the engine does with messages, through the public API and the production engine."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

import oxflow
from oxflow import Batch, Filter, FlatMap, Map, Message, Parser, Serializer, StepError, StepPanicked, StreamSink, branch
from oxflow.plan import lower
from oxflow.testing import advance, run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oxflow import Pipeline
    from oxflow.pipeline import Ended
    from oxflow.steps import Step
    from oxflow.testing import Advance

Json = dict[str, Any]
Word = test_steps.Word


def source() -> Pipeline[bytes]:
    return oxflow.streaming_source("source", stream_name="in")


def sink(name: str = "out") -> StreamSink:
    return StreamSink(f"sink-{name}", stream_name=name)


def lines(*values: object) -> list[bytes]:
    return [json.dumps(value, separators=(",", ":")).encode() for value in values]


def word(text: str, count: int = 1) -> Json:
    return {"text": text, "count": count, "tags": {}}


def chain(start: Pipeline[Any], steps: Iterable[Any]) -> Pipeline[Ended]:
    """The steps meet when the pipeline is checked: a row of them has no type of its own."""
    for step in steps:
        start = start.apply(step)
    return start.apply(Serializer("serialize")).sink(sink())


def through(*steps: Step) -> Pipeline[Ended]:
    """Lines parsed as dictionaries, through the steps, to lines."""
    return chain(source().apply(Parser("parse", Json)), steps)


def rust(*steps: Step) -> Pipeline[Ended]:
    """Lines parsed as Rust's `Word`, through the steps, to lines."""
    return chain(source().apply(Parser("parse", Word)), steps)


def same(message: Message[Json]) -> Json:
    return message.payload


def is_odd(message: Message[Json]) -> bool:
    count: int = message.payload["count"]
    return count % 2 == 1


def counts(message: Message[list[Json]]) -> list[int]:
    return [word["count"] for word in message.payload]


def length_class(message: Message[Json]) -> str:
    return "long" if len(message.payload["text"]) > 3 else "short"


def double(message: Message[Json]) -> Json:
    return {**message.payload, "count": message.payload["count"] * 2}


def test_bytes_pass_untouched_without_a_step() -> None:
    assert run(source().sink(sink()), {"in": [b"a", b"", b"\xff"]})["out"] == [b"a", b"", b"\xff"]


def test_python_steps_run_in_order() -> None:
    pipeline = through(
        Filter("odd", function=is_odd),
        FlatMap("twice", function=lambda message: [message.payload, message.payload]),
        Map("double", function=double),
    )
    assert run(pipeline, {"in": lines(word("a", 1), word("b", 2), word("c", 3))})["out"] == lines(
        word("a", 2), word("a", 2), word("c", 6), word("c", 6)
    )


@pytest.mark.parametrize(
    ("step", "given", "expected"),
    [
        (Map("step", function=test_steps.Double()), [word("a", 2)], [word("a", 4)]),
        (Filter("step", function=test_steps.is_frequent), [word("a", 1), word("b", 2)], [word("b", 2)]),
        (Filter("step", function=test_steps.is_frequent_by_value), [word("a", 1), word("b", 2)], [word("b", 2)]),
        (
            FlatMap("step", function=test_steps.letters),
            [word("ab"), word(""), word("c")],
            [word("a"), word("b"), word("c")],
        ),
        (Map("step", function=test_steps.long_only), [word("ab"), word("abcd")], [word("abcd")]),
        (Map("step", function=test_steps.describe), [word("a"), word("b")], [word("in 0 0"), word("in 0 1")]),
    ],
    ids=["map", "filter", "filter by value", "flat map", "option", "origin"],
)
@pytest.mark.parametrize("build", [through, rust], ids=["after Python", "all Rust"])
def test_rust_steps_do_what_their_kind_says(
    build: Callable[..., Pipeline[Ended]], step: Step, given: list[Json], expected: list[Json]
) -> None:
    assert [json.loads(line) for line in run(build(step), {"in": lines(*given)})["out"]] == expected


def test_rust_and_python_steps_take_turns() -> None:
    pipeline = through(
        Map("a", function=test_steps.Double()),
        Map("b", function=double),
        Filter("c", function=test_steps.is_frequent),
        Map("d", function=double),
        Map("e", function=test_steps.Double()),
        Map("f", function=test_steps.Double()),
    )
    assert run(pipeline, {"in": lines(word("a", 1), word("b", 0))})["out"] == lines(word("a", 32))


def test_a_rust_filter_changes_nothing_of_what_passes() -> None:
    given = b'{"text": "a", "count": 2, "unknown": [1.0, 1e400, "\\u00e4"]}'.replace(b"1e400", b"12345678901234567890")
    pipeline = through(Filter("frequent", function=test_steps.is_frequent), Map("same", function=same))
    (line,) = run(pipeline, {"in": [given]})["out"]
    assert json.loads(line) == json.loads(given)


def test_a_rust_filter_may_take_a_type_that_cannot_be_cloned() -> None:
    pipeline = through(Filter("plain", function=test_steps.IsPlain()))
    assert run(pipeline, {"in": lines({"count": 1, "x": 1}, {"count": 2})})["out"] == lines({"count": 1, "x": 1})


def test_a_function_of_another_rust_type_gets_the_payload_decoded_anew() -> None:
    pipeline = through(
        Map("keyed", function=test_steps.key_by_text),
        Filter("plain", function=test_steps.IsPlain()),
        Map("double", function=test_steps.Double()),
    )
    runs = [part.steps for part in lower(pipeline).runs() if part.language == "rust"]
    assert not [steps for steps in runs if {"keyed", "plain"} <= {*steps}], "`Word` and `Plain` share no handle"
    assert run(pipeline, {"in": lines(word("a", 1), word("b", 0))})["out"] == lines(word("a", 2))


@pytest.mark.parametrize(
    ("pipeline", "languages"),
    [
        (rust(Map("step", function=test_steps.Double())), [None, "rust", "rust", "rust", None]),
        (through(Map("step", function=double)), [None, "python", "python", "python", None]),
        (
            through(Map("step", function=double), Map("next", function=test_steps.Double())),
            [None, "python", "python", "rust", "rust", None],
        ),
    ],
    ids=["Rust", "Python", "both"],
)
def test_the_report_names_the_language_that_did_the_work(
    pipeline: Pipeline[Ended], languages: list[str | None]
) -> None:
    steps = run(pipeline, {"in": lines(word("a", 1))}).report.steps
    assert [step.language for step in steps] == languages


def test_raw_bytes_need_no_parser() -> None:
    assert run(source().apply(Map("reverse", function=test_steps.reverse)).sink(sink()), {"in": [b"abc"]})["out"] == [
        b"cba"
    ]


def test_keys_and_headers_pass_through_every_step() -> None:
    steps = [
        Map("python", function=double),
        Filter("python-filter", function=lambda message: True),
        FlatMap("python-flat", function=lambda message: [message.payload]),
        Map("rust", function=test_steps.Double()),
        Filter("rust-filter", function=test_steps.is_frequent),
        FlatMap("rust-flat", function=test_steps.letters),
    ]
    given = Message(lines(word("x", 1))[0], key=b"k", headers=[("h", b"1"), ("h", b"2")], timestamp=1.5)
    (message,) = run(through(*steps), {"in": [given]}).messages("out")
    assert (message.key, message.headers, message.timestamp) == (b"k", (("h", b"1"), ("h", b"2")), 1.5)
    assert message.origin == oxflow.Origin("in", 0, 0)


def test_a_python_function_may_change_key_headers_and_timestamp() -> None:
    def rekey(message: Message[Json]) -> Message[Json]:
        return message.replace(
            key=message.payload["text"].encode(), headers=[*message.headers, ("n", b"1")], timestamp=2.0
        )

    given = [Message(line, headers=[("h", b"0")], timestamp=1.0) for line in lines(word("a"), word("b"))]
    outputs = run(through(Map("rekey", function=rekey), Map("double", function=test_steps.Double())), {"in": given})
    assert [(m.key, m.headers, m.timestamp) for m in outputs.messages("out")] == [
        (b"a", (("h", b"0"), ("n", b"1")), 2.0),
        (b"b", (("h", b"0"), ("n", b"1")), 2.0),
    ]


def test_a_rust_function_may_change_key_and_headers() -> None:
    pipeline = through(Map("key", function=test_steps.key_by_text), Map("double", function=test_steps.Double()))
    given = [Message(line, key=b"old", timestamp=3.0) for line in lines(word("a"), word("b"))]
    outputs = run(pipeline, {"in": given})
    assert [(m.key, m.headers, m.timestamp) for m in outputs.messages("out")] == [
        (b"a", (("keyed", b"yes"),), 3.0),
        (b"b", (("keyed", b"yes"),), 3.0),
    ]


@pytest.mark.parametrize(
    "function",
    [length_class, test_steps.length_class],
    ids=["Python", "Rust"],
)
def test_each_message_goes_down_the_branch_of_its_key(function: Any) -> None:
    pipeline = (
        source()
        .apply(Parser("parse", Json))
        .route(
            "length",
            routing_function=function,
            routing_table={
                "short": branch("short").apply(Serializer("s1")).sink(sink("short")),
                "long": branch("long").apply(Map("double", function=double)).apply(Serializer("s2")).sink(sink("long")),
            },
        )
    )
    outputs = run(pipeline, {"in": lines(word("a"), word("abcd"), word("b"))})
    assert dict(outputs) == {"short": lines(word("a"), word("b")), "long": lines(word("abcd", 2))}


def test_every_branch_of_a_broadcast_gets_a_copy_of_its_own() -> None:
    def spoil(message: Message[Json]) -> Json:
        message.payload["tags"]["spoilt"] = "yes"
        return message.payload

    # Any: Rust takes its `Word` out of any dictionary that fits.
    parsed: Pipeline[Any] = source().apply(Parser("parse", Json))
    pipeline = parsed.broadcast(
        "all",
        routes=[
            branch("a").apply(Map("spoil-a", function=spoil)).apply(Serializer("s1")).sink(sink("a")),
            branch("b").apply(Map("double", function=test_steps.Double())).apply(Serializer("s2")).sink(sink("b")),
            branch("c").apply(Map("keep", function=same)).apply(Serializer("s3")).sink(sink("c")),
        ],
    )
    outputs = run(pipeline, {"in": lines(word("w", 1))})
    spoilt = {**word("w", 1), "tags": {"spoilt": "yes"}}
    assert dict(outputs) == {"a": lines(spoilt), "b": lines(word("w", 2)), "c": lines(word("w", 1))}


def test_a_batch_closes_at_its_size_and_at_the_end() -> None:
    pipeline = through(Batch("batch", batch_size=2), Map("counts", function=counts))
    assert run(pipeline, {"in": lines(*(word("w", n) for n in range(5)))})["out"] == [b"[0,1]", b"[2,3]", b"[4]"]


def test_a_batch_closes_when_its_time_is_over() -> None:
    pipeline = through(Batch("batch", batch_size=100, batch_timedelta=timedelta(seconds=10)))
    a, b, c, d = lines(word("a"), word("b"), word("c"), word("d"))
    given: list[bytes | Advance] = [a, advance(6), b, advance(6), c, advance(3), d]
    outputs = run(pipeline, {"in": given})
    assert [[w["text"] for w in json.loads(line)] for line in outputs["out"]] == [["a", "b"], ["c", "d"]]


def test_a_batch_of_bytes_closes_at_its_bytes_and_is_a_list_of_bytes() -> None:
    pipeline = (
        source()
        .apply(Batch("batch", batch_size=10, batch_bytes=4))
        .apply(Map("join", function=join_bytes))
        .sink(sink())
    )
    assert run(pipeline, {"in": [b"ab", b"cd", b"efghi", b"j"]})["out"] == [b"ab+cd", b"efghi", b"j"]


def test_a_batch_of_what_python_gives_closes_at_its_bytes() -> None:
    pipeline = (
        source()
        .apply(Map("twice", function=twice))
        .apply(Batch("batch", batch_size=10, batch_bytes=4))
        .apply(Map("join", function=join_bytes))
        .sink(sink())
    )
    assert run(pipeline, {"in": [b"a", b"b", b"cde", b"f"]})["out"] == [b"aa+bb", b"cdecde", b"ff"]


def twice(message: Message[bytes]) -> bytes:
    return message.payload * 2


def join_bytes(message: Message[list[bytes]]) -> bytes:
    return b"+".join(message.payload)


@pytest.mark.parametrize("build", [through, rust], ids=["of Python objects", "of Rust values"])
def test_a_rust_function_takes_a_batch(build: Callable[..., Pipeline[Ended]]) -> None:
    pipeline = build(Batch("batch", batch_size=2), Map("join", function=test_steps.join))
    outputs = run(pipeline, {"in": lines(word("a", 1), word("b", 2), word("c", 4))})
    assert outputs["out"] == lines(word("a b", 3), word("c", 4))


def test_a_batch_has_the_key_headers_and_origin_of_its_first_message() -> None:
    given = [Message(line, key=key) for line, key in zip(lines(word("a"), word("b")), [b"1", b"2"], strict=True)]
    (message,) = run(through(Batch("batch", batch_size=2)), {"in": given}).messages("out")
    assert (message.key, message.origin) == (b"1", oxflow.Origin("in", 0, 0))


def test_the_order_within_a_partition_is_kept() -> None:
    partitions = [lines(*(word(f"{p}-{n}") for n in range(3000))) for p in range(3)]
    outputs = run(through(Map("double", function=test_steps.Double())), {"in": partitions})
    texts = [json.loads(line)["text"] for line in outputs["out"]]
    for partition in range(3):
        assert [text for text in texts if text.startswith(f"{partition}-")] == [f"{partition}-{n}" for n in range(3000)]
    assert [source.committed for source in outputs.report.sources] == [3000, 3000, 3000]


def test_the_report_counts_each_step() -> None:
    pipeline = rust(
        Filter("frequent", function=test_steps.is_frequent), FlatMap("letters", function=test_steps.letters)
    )
    report = run(pipeline, {"in": lines(word("ab", 2), word("c", 1))}).report
    assert [(step.name, step.messages_in, step.messages_out) for step in report.steps] == [
        ("source", 2, 2),
        ("parse", 2, 2),
        ("frequent", 2, 1),
        ("letters", 1, 2),
        ("serialize", 2, 2),
        ("sink-out", 2, 2),
    ]
    assert (report.status, report.messages_in, report.messages_out) == ("drained", 2, 2)


def fails_on_bad(message: Message[Json]) -> Json:
    if message.payload["text"] == "bad":
        raise KeyError("no such word")
    return message.payload


GOOD_BAD_GOOD = lines(word("good"), word("bad"), word("late"))


@pytest.mark.parametrize("function", [fails_on_bad, test_steps.check], ids=["Python", "Rust"])
@pytest.mark.parametrize("msg_type", [Json, Word], ids=["dict", "Word"])
def test_what_comes_before_a_message_that_fails_is_delivered(msg_type: type[Any], function: Any) -> None:
    sunk: list[bytes] = []

    def record(message: Message[bytes]) -> bytes:
        sunk.append(message.payload)
        return message.payload

    parser: Parser[Any] = Parser("parse", msg_type)
    pipeline = source().apply(parser).apply(Map("check", function=function))
    recorded = pipeline.apply(Serializer("serialize")).apply(Map("record", function=record)).sink(sink())
    with pytest.raises(StepError) as caught:
        run(recorded, {"in": GOOD_BAD_GOOD})
    assert sunk == GOOD_BAD_GOOD[:1]
    assert "step `check` failed at stream in, partition 0, offset 1" in str(caught.value)
    assert caught.value.report is not None
    assert caught.value.report.sources[0].committed == 1


def test_the_exception_of_a_python_step_is_the_cause() -> None:
    with pytest.raises(StepError) as caught:
        run(through(Map("check", function=fails_on_bad)), {"in": GOOD_BAD_GOOD})
    assert isinstance(caught.value.__cause__, KeyError)
    assert "KeyError: 'no such word'" in str(caught.value)


def test_a_panic_is_an_error_of_its_message() -> None:
    with pytest.raises(StepPanicked, match="the word was `panic`"):
        run(through(Map("check", function=test_steps.check)), {"in": lines(word("panic"))})


@pytest.mark.parametrize("function", [fails_on_bad, test_steps.check], ids=["Python", "Rust"])
def test_a_step_may_skip_what_fails(function: Any) -> None:
    config = {"steps": {"check": {"on_error": "skip"}}}
    given = lines(word("good"), word("bad"), word("late"), word("bad"))
    outputs = run(through(Map("check", function=function)), {"in": given}, config=config)
    assert outputs["out"] == lines(word("good"), word("late"))
    assert [item.origin for item in outputs.report.skipped] == [
        "stream in, partition 0, offset 1",
        "stream in, partition 0, offset 3",
    ]
    step = next(step for step in outputs.report.steps if step.name == "check")
    assert (step.messages_in, step.messages_out, step.errors, step.skipped) == (4, 2, 2, 2)
    assert outputs.report.sources[0].committed == 4


# Any: what no checker would let pass.
def nothing(message: Message[Json]) -> Any:
    return None


def no_bytes(message: Message[bytes]) -> Any:
    return "no bytes"


@pytest.mark.parametrize(
    ("pipeline", "code"),
    [
        (through(Filter("step", function=nothing)), "OXF0505"),
        (through(FlatMap("step", function=lambda m: "text")), "OXF0505"),
        (through(Map("step", function=lambda m: {"x": float("nan")})), "OXF0504"),
        (through(Map("step", function=lambda m: object())), "OXF0504"),
        (source().apply(Map("step", function=no_bytes)).sink(sink()), "OXF0505"),
        (rust(), "OXF0503"),
    ],
    ids=["filter", "flat map", "nan", "object", "sink", "decode"],
)
def test_what_a_step_cannot_use_is_an_error_with_a_code(pipeline: Pipeline[Ended], code: str) -> None:
    with pytest.raises(StepError) as caught:
        run(pipeline, {"in": lines({})})
    assert caught.value.code == code


def test_a_key_without_a_branch_is_an_error_that_lists_the_keys() -> None:
    pipeline = source().route("r", routing_function=lambda m: "c", routing_table={"a": branch("a").sink(sink())})
    with pytest.raises(StepError, match="the routing function gave 'c'; the branches have \"a\"") as caught:
        run(pipeline, {"in": [b"x"]})
    assert caught.value.code == "OXF0506"
