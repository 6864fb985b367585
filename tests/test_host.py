"""What Rust extensions log arrives in `logging`: with its level, its text, its place, and its place in a trace."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

import metrics_steps
import pytest
import test_steps

from oxflow import Map, Message, Parser, Serializer, StepError, StepPanicked, StreamSink, streaming_source
from oxflow.testing import run

if TYPE_CHECKING:
    from collections.abc import Generator

    from oxflow.report import Recorded
    from oxflow.testing import Outputs

LOGGER = "test_steps.recorded"
METRIC: dict[str, Any] = {
    "org_id": 1, "project_id": 2, "name": "c:sessions/session@none", "type": "c", "timestamp": 3, "tags": {}, "value": 4,
    "retention_days": 90,
}  # fmt: skip


class Kept(logging.Handler):
    """Keeps the records that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Any] = []
        self.heard = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        if record.name == LOGGER:
            self.heard.set()

    def said(self) -> list[tuple[str, str]]:
        return [(record.levelname, record.getMessage()) for record in self.records]


@pytest.fixture
def kept() -> Generator[Kept, None, None]:
    """Everything that is logged while a test runs."""
    handler, level = Kept(), logging.root.level
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.NOTSET)
    try:
        yield handler
    finally:
        logging.root.removeHandler(handler)
        logging.root.setLevel(level)


def word(text: str, count: int = 1) -> bytes:
    return json.dumps({"text": text, "count": count}).encode()


def pipeline(*steps: Any, types: type[Any] = test_steps.Word) -> Any:
    start: Any = streaming_source("source", stream_name="in").apply(Parser("parse", types))
    for step in steps:
        start = start.apply(step)
    return start.apply(Serializer("serialize")).sink(StreamSink("sink", stream_name="out"))


def carried(function: Any, *words: bytes) -> Outputs:
    return run(pipeline(Map("step", function=function)), {"in": list(words)})


def recorded(function: Any, *words: bytes) -> Recorded:
    return carried(function, *words).report.recorded


# --- logging --------------------------------------------------------------------------------------------------------


def test_records_arrive_with_the_level_and_the_text_that_they_had(kept: Kept) -> None:
    carried(test_steps.record, word("abc", 3))
    assert kept.said() == [
        ("TRACE", "as small as can be"),
        ("DEBUG", "seen count=3"),
        ("INFO", "100 % text=abc flag=True share=0.5 big=18446744073709551615 shown={}"),
        ("WARNING", "abc is odd"),
        ("WARNING", "by log: abc"),
        ("ERROR", "outside of the span"),
    ]


def test_a_record_says_where_and_when_it_was_made(kept: Kept) -> None:
    before = time.time()
    carried(test_steps.record, word("abc"))
    error = kept.records[-1]
    assert (error.name, error.oxflow_step, error.threadName) == (LOGGER, "step", "oxflow-lane-0")
    assert (error.filename, error.funcName) == ("recorded.rs", "test_steps::recorded")
    assert error.lineno > 0
    assert before <= error.created <= time.time()
    assert [record.name for record in kept.records if record.name != LOGGER] == ["test_steps.elsewhere"]


def test_fields_arrive_as_values(kept: Kept) -> None:
    carried(test_steps.record, word("abc"))
    info = next(record for record in kept.records if record.levelno == logging.INFO)
    assert info.oxflow_fields == {"text": "abc", "flag": True, "share": 0.5, "big": 2**64 - 1, "shown": "{}"}


def test_a_record_names_its_span_with_what_the_span_has_been_told(kept: Kept) -> None:
    carried(test_steps.record, word("abc"))
    *inside, outside = kept.records
    assert {(record.oxflow_span, record.oxflow_span_fields["text"]) for record in inside} == {("look", "abc")}
    assert inside[0].oxflow_span_fields["length"] == 3
    assert (outside.oxflow_span, outside.oxflow_span_fields) == (None, {})


def test_a_span_is_a_child_of_the_call_of_its_step(kept: Kept) -> None:
    steps = [Map("step", function=test_steps.record), Map("trace", function=test_steps.traceparent)]
    (traceparent,) = run(pipeline(*steps), {"in": [word("abc")]})["out"]
    *inside, outside = kept.records
    assert {record.oxflow_trace_id for record in kept.records} == {traceparent.decode().split("-")[1]}
    assert {record.oxflow_parent_id for record in inside} == {outside.oxflow_span_id}
    assert len({outside.oxflow_span_id, inside[0].oxflow_span_id, traceparent.decode().split("-")[2]}) == 3


def test_each_batch_is_a_trace_of_its_own(kept: Kept) -> None:
    config = {"run": {"batch": {"messages": 1}}}
    steps = pipeline(Map("step", function=test_steps.warn_often))
    run(steps, {"in": [word("a", 2), word("b", 2)]}, config=config)
    assert [record.oxflow_trace_id for record in kept.records].count(kept.records[0].oxflow_trace_id) == 2
    assert len({record.oxflow_trace_id for record in kept.records}) == 2


def to_metric(_: Message[Any]) -> dict[str, Any]:
    return METRIC


def test_two_extensions_in_one_run_join_one_trace(kept: Kept) -> None:
    steps = pipeline(
        Map("words", function=test_steps.record),
        Map("metric", function=to_metric),
        Map("transform", function=metrics_steps.RustTransformMsg()),
    )
    run(steps, {"in": [word("abc")]})
    error = kept.records[-2]
    (understood,) = [record for record in kept.records if record.name == "metrics_steps.name"]
    assert (error.oxflow_step, understood.oxflow_step) == ("words", "transform")
    assert (understood.oxflow_span, understood.oxflow_span_fields) == ("understand", {"name": METRIC["name"]})
    assert understood.oxflow_fields == {"use_case": "sessions", "unit": "none"}
    assert understood.oxflow_trace_id == error.oxflow_trace_id
    assert understood.oxflow_parent_id not in {None, error.oxflow_span_id, kept.records[0].oxflow_span_id}


def test_a_panic_leaves_the_spans_that_it_was_in(kept: Kept) -> None:
    config = {"steps": {"step": {"on_error": "skip"}}}
    steps = pipeline(Map("step", function=test_steps.panic_in_span))
    report = run(steps, {"in": [word("panic"), word("a"), word("panic"), word("b")]}, config=config).report
    assert [record.oxflow_span for record in kept.records] == ["inner", "inner"]
    assert len({record.oxflow_parent_id for record in kept.records}) == 2
    assert [(span.name, span.count) for span in report.recorded.spans] == [("inner", 4), ("outer", 4)]


def test_a_span_that_is_never_left_ends_with_its_batch(kept: Kept) -> None:
    config = {"run": {"batch": {"messages": 1}}}
    run(pipeline(Map("step", function=test_steps.leak_span)), {"in": [word("a"), word("b")]}, config=config)
    assert [(record.getMessage(), record.oxflow_span) for record in kept.records] == [("a", None), ("b", None)]


def test_a_thread_of_the_extension_belongs_to_the_run(kept: Kept) -> None:
    report = carried(test_steps.warn_elsewhere, word("a")).report
    assert [(record.oxflow_step, record.oxflow_span) for record in kept.records] == [(None, None), ("step", "lent")]
    assert [(metric.name, metric.value) for metric in report.recorded.metrics] == [("words", 1)]


# --- levels ---------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize(
    ("level", "count"),
    [("TRACE", 5), ("DEBUG", 4), ("INFO", 3), (15, 3), ("WARNING", 2), ("ERROR", 1), ("CRITICAL", 0)],
)
def test_what_nobody_listens_to_is_not_recorded(level: str | int, count: int) -> None:
    logger = logging.getLogger("test_steps.recorded")
    logger.setLevel(level)
    try:
        logs = recorded(test_steps.record, word("abc")).logs
    finally:
        logger.setLevel(logging.NOTSET)
    # One comes from another target.
    assert sum(item.count for item in logs) == count + 1


@pytest.mark.usefixtures("kept")
def test_levels_that_logging_disables_are_not_recorded() -> None:
    logging.disable(logging.WARNING)
    try:
        logs = recorded(test_steps.record, word("abc")).logs
    finally:
        logging.disable(logging.NOTSET)
    assert [(item.step, item.level, item.count) for item in logs] == [("step", "error", 1)]


def test_spans_are_kept_whatever_the_level_of_records_is() -> None:
    assert logging.root.level == logging.WARNING
    spans = recorded(test_steps.record, word("abc"), word("abc")).spans
    assert [(span.step, span.name, span.count) for span in spans] == [("step", "look", 2)]
    assert 0 < spans[0].time_s < 10


def test_a_level_that_changes_during_a_run_is_followed(kept: Kept) -> None:
    logger = logging.getLogger(LOGGER)
    logger.setLevel(logging.CRITICAL)

    def lower(message: Message[Any]) -> Any:
        logger.setLevel(logging.ERROR)
        # Whoever waits for the run follows in a moment, and then each message says something.
        kept.heard.wait(0.01)
        return message.payload

    steps = pipeline(Map("lower", function=lower), Map("step", function=test_steps.record))
    try:
        run(steps, {"in": [word("abc")] * 1000}, config={"run": {"batch": {"messages": 1}}})
    finally:
        logger.setLevel(logging.NOTSET)
    assert ("ERROR", "outside of the span") in kept.said()


# --- handlers -------------------------------------------------------------------------------------------------------


def test_a_handler_that_raises_stops_nothing(kept: Kept, capfd: pytest.CaptureFixture[str]) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002  # the name is that of the base
            raise OSError("the disk is full")

    broken = Broken()
    logging.root.addHandler(broken)
    try:
        outputs = carried(test_steps.warn_often, word("a", 2), word("b", 1))
    finally:
        logging.root.removeHandler(broken)
    assert len(outputs["out"]) == 2
    assert len(kept.records) == 3
    assert capfd.readouterr().err.count("OSError: the disk is full") == 3


def test_a_slow_handler_stops_no_lane(kept: Kept) -> None:
    """It waits for the end of the step, which it would wait for in vain if the lane waited for it."""
    ended = threading.Event()
    seen: list[bool] = []

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002  # the name is that of the base
            seen.append(ended.wait(20))

    def end(message: Message[Any]) -> Any:
        ended.set()
        return message.payload

    slow = Slow()
    logging.root.addHandler(slow)
    try:
        steps = pipeline(Map("warn", function=test_steps.warn_often), Map("end", function=end))
        run(steps, {"in": [word("a", 3)]})
    finally:
        logging.root.removeHandler(slow)
    assert seen == [True, True, True]
    assert len(kept.records) == 3


def test_what_finds_no_room_is_counted_and_dropped(kept: Kept) -> None:
    """The first record keeps the handler busy until the step has made far more than there is room for."""
    ended = threading.Event()

    class Slow(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:  # noqa: ARG002  # the name is that of the base
            ended.wait(20)

    def end(message: Message[Any]) -> Any:
        ended.set()
        return message.payload

    slow = Slow()
    logging.root.addHandler(slow)
    try:
        steps = pipeline(Map("warn", function=test_steps.warn_often), Map("end", function=end))
        report = run(steps, {"in": [word("a", 20_000)]}).report
    finally:
        logging.root.removeHandler(slow)
    made = sum(item.count for item in report.recorded.logs)
    assert made == 20_000
    assert report.recorded.dropped == made - len(kept.records)
    assert 8192 <= len(kept.records) <= 2 * 8192
    assert f"logged: 20,000 warnings; {report.recorded.dropped:,} of them dropped" in str(report)


def test_all_records_are_there_when_a_run_that_failed_returns(kept: Kept) -> None:
    with pytest.raises(StepPanicked):
        carried(test_steps.panic_in_span, word("a"), word("b"), word("panic"))
    assert [text for _, text in kept.said()] == ["a", "b"]


# --- calls from plain Python ----------------------------------------------------------------------------------------


def test_records_of_a_direct_call_arrive_before_it_returns(kept: Kept) -> None:
    test_steps.record(Message({"text": "abc", "count": 1, "tags": {}}))
    assert [record.levelname for record in kept.records] == ["TRACE", "DEBUG", "INFO", "WARNING", "WARNING", "ERROR"]
    assert {record.oxflow_step for record in kept.records} == {None}
    assert {record.threadName for record in kept.records} == {"MainThread"}


def test_records_of_a_direct_call_that_fails_arrive_before_it_raises(kept: Kept) -> None:
    test_steps.panic_in_span(Message({"text": "a", "count": 1, "tags": {}}))
    with pytest.raises(StepError):
        test_steps.panic_in_span(Message({"text": "panic", "count": 1, "tags": {}}))
    test_steps.panic_in_span(Message({"text": "b", "count": 1, "tags": {}}))
    assert [(record.getMessage(), record.oxflow_span) for record in kept.records] == [("a", "inner"), ("b", "inner")]
    assert len({record.oxflow_trace_id for record in kept.records}) == 2


def test_a_direct_call_follows_a_level_at_once(kept: Kept) -> None:
    logger = logging.getLogger(LOGGER)
    for level in (logging.ERROR, logging.DEBUG, logging.CRITICAL, logging.WARNING):
        kept.records.clear()
        logger.setLevel(level)
        test_steps.record(Message({"text": "abc", "count": 1, "tags": {}}))
        levels = [record.levelno for record in kept.records if record.name == LOGGER]
        assert levels == [made for made in (5, 10, 20, 30, 40) if made >= level]
    logger.setLevel(logging.NOTSET)


def test_a_direct_call_in_a_step_belongs_to_the_step(kept: Kept) -> None:
    def call(message: Message[Any]) -> Any:
        return test_steps.record(message)

    report = carried(call, word("abc")).report
    assert {(record.oxflow_step, record.threadName) for record in kept.records} == {("step", "oxflow-lane-0")}
    assert {(item.step, item.count) for item in report.recorded.logs if item.level == "warning"} == {("step", 2)}
