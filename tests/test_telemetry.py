"""Spans, as they arrive at a real Collector."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from oxflow import telemetry
from oxflow.telemetry import Config, Limits, Span, TraceSink, start_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collector import Collector


@pytest.fixture
def service(collector: Collector, request: pytest.FixtureRequest) -> Iterator[str]:
    """A service whose spans go to the Collector."""
    name = request.node.name
    telemetry.init(Config(name, sinks=[TraceSink(collector.grpc)]))
    yield name
    telemetry.shutdown()


def arrived(collector: Collector, service: str, count: int) -> dict[str, dict[str, Any]]:
    """The spans of a service by name."""
    assert telemetry.force_flush(20)
    return {span["name"]: span for span in collector.spans(service, count)}


def test_a_span_arrives_with_all_that_it_was_given(collector: Collector, service: str) -> None:
    before = time.time_ns()
    given = {"text": "grün", "int": -(2**63), "float": 0.5, "flag": True, "list": [1, 2], "map": {"a": ("b",)}}
    with start_span("GET", {**given, "none": None}, "server") as span:
        span.set_attribute("int", 7)
        span.set_attributes({"big": 2**63, "bytes": b"\x00\xff"})
        span.add_event("hit", {"by": "x"}, timestamp=77)
        span.add_link("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", {"why": "cause"})
        span.set_status("error", "broken")
        span.update_name("GET /")
        assert span.attributes["int"] == 7
        assert span.events == [(77, "hit", {"by": "x"})]
    found = arrived(collector, service, 1)["GET /"]
    expected = {**given, "int": 7, "map": {"a": ["b"]}, "big": str(2**63), "bytes": "AP8="}
    assert found["attributes"] == expected
    assert (found["traceId"], found["spanId"], found["kind"]) == (span.trace_id(), span.span_id(), 2)
    assert before <= int(found["startTimeUnixNano"]) <= int(found["endTimeUnixNano"]) <= time.time_ns()
    assert found["events"][0]["timeUnixNano"] == "77"
    assert found["links"][0]["spanId"] == "b7ad6b7169203331"
    assert found["status"] == {"code": 2, "message": "broken"}
    assert found["resource"]["telemetry.sdk.language"] == "python"


def test_spans_nest_by_with_and_siblings_do_not(collector: Collector, service: str) -> None:
    with start_span("parent"):
        with start_span("one"):
            start_span("loose").end()
        with start_span("two"):
            pass
    with start_span("other"):
        pass
    assert telemetry.current_span() is None
    spans = arrived(collector, service, 5)
    parents = {name: spans[name].get("parentSpanId") for name in spans}
    parent = spans["parent"]["spanId"]
    assert parents == {"parent": None, "one": parent, "two": parent, "loose": spans["one"]["spanId"], "other": None}
    assert spans["other"]["traceId"] != spans["parent"]["traceId"]


def test_spans_that_end_in_any_order_leave_nothing_current(service: str) -> None:
    one, two, three = start_span("one"), start_span("two"), start_span("three")
    for span in (one, two, three):
        span.__enter__()
    one.end()
    assert telemetry.current_span() is three
    two.__exit__(None, None, None)
    three.end()
    assert telemetry.current_span() is None
    for span in (one, two, three):
        span.end()
        assert not span.is_recording()
    with pytest.raises(RuntimeError, match="current already"), start_span("twice") as twice, twice:
        pass


def test_a_span_that_is_forgotten_is_nobodys_parent(service: str) -> None:
    def forget() -> None:
        start_span("forgotten")

    forget()
    with start_span("next") as span:
        assert span.parent_id() is None


def test_a_span_ends_in_another_thread_or_task(collector: Collector, service: str) -> None:
    span = start_span("thread")
    span.__enter__()
    thread = threading.Thread(target=span.end)
    thread.start()
    thread.join()
    assert not span.is_recording()
    span.__exit__(None, None, None)

    async def work() -> None:
        span = start_span("task")
        span.__enter__()

        async def finish() -> None:
            span.end()

        # Which has a copy of the context.
        await asyncio.create_task(finish())
        assert telemetry.current_span() is None
        start_span("next").end()

    asyncio.run(work())
    spans = arrived(collector, service, 3)
    assert set(spans) == {"thread", "task", "next"}
    assert not spans["next"].get("parentSpanId")


def test_tasks_and_executors_have_contexts_of_their_own(collector: Collector, service: str) -> None:
    async def child(number: int) -> None:
        async with start_span(f"child{number}") as span:
            await asyncio.sleep(0.001 * (5 - number))
            assert telemetry.current_span() is span

    async def work() -> None:
        async with start_span("root"):
            await asyncio.gather(*(child(number) for number in range(5)))

    asyncio.run(work())
    with ThreadPoolExecutor(1) as pool, start_span("submitter"):
        pool.submit(contextvars.copy_context().run, lambda: start_span("pooled").end()).result()
    spans = arrived(collector, service, 8)
    assert {spans[f"child{number}"]["parentSpanId"] for number in range(5)} == {spans["root"]["spanId"]}
    assert spans["pooled"]["parentSpanId"] == spans["submitter"]["spanId"]


def test_functions_become_spans(collector: Collector, service: str) -> None:
    @start_span("sum", {"a": 1}, "client")
    def add(one: int, other: int) -> int:
        """Add."""
        return one + other

    @start_span("await")
    async def wait() -> int:
        await asyncio.sleep(0)
        return add(1, 1)

    assert add(2, 3) == 5
    assert add.__doc__ == "Add."
    assert asyncio.run(wait()) == 2
    assert telemetry.force_flush(20)
    spans = collector.spans(service, 3)
    assert sorted(span["name"] for span in spans) == ["await", "sum", "sum"]
    assert {span["kind"] for span in spans if span["name"] == "sum"} == {3}
    with pytest.raises(TypeError, match="is a generator"):

        @start_span("lazy")
        def numbers() -> Iterator[int]:
            yield 1


def test_a_function_that_was_decorated_before_init_is_a_span_after_it(collector: Collector) -> None:
    telemetry.shutdown()

    @start_span("early", {"a": 1})
    def work() -> None:
        pass

    telemetry.init(Config("decorated-early", sinks=[TraceSink(collector.http + "/v1/traces", "http/protobuf")]))
    work()
    assert arrived(collector, "decorated-early", 1)["early"]["attributes"] == {"a": 1}
    telemetry.shutdown()


class BrokenError(Exception):
    pass


def test_an_exception_is_recorded_and_goes_on(collector: Collector, service: str) -> None:
    with pytest.raises(BrokenError), start_span("failed"):
        raise BrokenError("so it is")
    for stop in (asyncio.CancelledError, GeneratorExit, KeyboardInterrupt):
        with pytest.raises(stop), start_span(stop.__name__):
            raise stop
    spans = arrived(collector, service, 4)
    assert spans["failed"]["status"] == {"code": 2, "message": "BrokenError: so it is"}
    event = spans["failed"]["events"][0]
    told = {pair["key"]: pair["value"]["stringValue"] for pair in event["attributes"]}
    assert event["name"] == "exception"
    assert told["exception.type"].endswith(".BrokenError")
    assert "test_telemetry.py" in told["exception.stacktrace"]
    assert all(not spans[name].get("status") for name in ("CancelledError", "GeneratorExit", "KeyboardInterrupt"))


class AwkwardError(Exception):
    def __str__(self) -> str:
        raise ValueError("no")


class Awkward:
    def __str__(self) -> str:
        raise ZeroDivisionError


def test_nothing_that_is_recorded_raises(collector: Collector, service: str) -> None:
    awkward = Awkward()
    deep: list[Any] = []
    deep.append(deep)
    # A key that is no text, as a program without types may have it.
    with start_span("awkward", {"a": awkward, "deep": deep, "half": "\ud800", 5: "number"}) as span:  # type: ignore[dict-item]
        span.record_exception(AwkwardError())
    found = arrived(collector, service, 1)["awkward"]["attributes"]
    assert "Awkward" in found["a"]
    assert found["5"] == "number"


def test_a_dictionary_that_changes_while_it_is_shown_harms_nobody(service: str) -> None:
    state: dict[Any, Any] = {}

    class Shown:
        def __str__(self) -> str:
            state[len(state)] = "one more"
            return "shown"

    state[0] = Shown()
    with start_span("changing", {"state": state}) as span:
        span.set_attributes(state)


def test_an_object_that_leads_to_itself_has_an_end(service: str) -> None:
    tree: dict[str, Any] = {}
    tree |= {"left": tree, "right": tree, "parent": tree}
    with start_span("tree", {"tree": tree}) as span:
        # Beside a thousand values there is the text of what is deeper than they may be.
        assert str(span.attributes["tree"]).count("left") < 2000


def test_samplers_keep_what_they_say(collector: Collector) -> None:
    def sampler(*, name: str, attributes: dict[str, Any], **_: Any) -> bool | dict[str, Any]:
        return {"sampled.by": "me"} if attributes.get("wanted") else name == "kept"

    telemetry.init(Config("sampled", sinks=[TraceSink(collector.grpc, sampler=sampler)]))
    for name, given in (("kept", {}), ("dropped", {}), ("asked", {"wanted": True})):
        with start_span(name, given) as span:
            assert span.is_recording() is (name != "dropped")
    spans = arrived(collector, "sampled", 2)
    assert {name: span["attributes"] for name, span in spans.items()} == {
        "kept": {},
        "asked": {"wanted": True, "sampled.by": "me"},
    }
    telemetry.init(
        Config("sampled", sinks=[TraceSink(collector.grpc, sampler="parent_based_traceid_ratio", sampler_arg=0)])
    )
    with start_span("never") as never, start_span("child") as child:
        assert (never.is_recording(), child.is_recording()) == (False, False)
        assert child.trace_id() == never.trace_id()
        assert never.traceparent().endswith("-02")
    with telemetry.extract_headers({"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}):
        start_span("asked-for").end()
    assert "asked-for" in arrived(collector, "sampled", 3)
    telemetry.shutdown()


def test_limits_hold(collector: Collector) -> None:
    telemetry.init(
        Config("limited", sinks=[TraceSink(collector.grpc)], limits=Limits(attributes=1, attribute_length=2))
    )
    with start_span("full", {"a": "long", "b": 1}):
        pass
    found = arrived(collector, "limited", 1)["full"]
    assert (found["attributes"], found["droppedAttributesCount"]) == ({"a": "lo"}, 1)
    telemetry.shutdown()


def test_all_that_was_made_is_counted(collector: Collector, service: str) -> None:
    for _ in range(5000):
        start_span("many").end()
    counts = telemetry.stats().sinks[0]
    assert counts.made == 5000 == counts.delivered + counts.dropped.total + counts.queued
    assert telemetry.force_flush(20)
    assert (telemetry.stats().delivered, telemetry.stats().queued) == (5000, 0)
    assert len(collector.spans(service, 5000)) == 5000


def test_before_init_all_is_still(capfd: pytest.CaptureFixture[str]) -> None:
    telemetry.shutdown()
    with start_span("before") as span:
        assert not span.is_recording()
        span.set_attribute("a", 1)
    assert telemetry.force_flush(1)
    assert capfd.readouterr().err == ""


def test_what_cannot_be_is_an_error_that_says_so(service: str) -> None:
    for wrong, text in (
        (lambda: start_span("x", kind="sever"), "no kind `sever`"),
        (lambda: start_span("x", parent="nonsense"), "no `traceparent`"),
        (lambda: start_span("x").set_status("bad"), "no status"),
    ):
        with pytest.raises(ValueError, match=text):
            wrong()
    with pytest.raises(TypeError, match="a dictionary of names and values"):
        start_span("x", 5)  # type: ignore[arg-type]  # what is refused


def test_a_span_says_who_it_is(service: str) -> None:
    with start_span("who") as span:
        assert isinstance(span, Span)
        assert repr(span) == f'<Span "who" {span.traceparent()}>'
        assert span.traceparent() == f"00-{span.trace_id()}-{span.span_id()}-03"


def test_spans_nest_in_those_of_opentelemetry_and_these_in_ours(collector: Collector, service: str) -> None:
    from opentelemetry import baggage, context, trace
    from opentelemetry.sdk.trace import TracerProvider

    tracer = TracerProvider().get_tracer("theirs")
    # Another test may have left spans in another order than they began, as OpenTelemetry's own API lets them be.
    outside = trace.get_current_span()
    with start_span("ours") as ours, tracer.start_as_current_span("theirs") as theirs:
        assert theirs.get_span_context().trace_id == int(ours.trace_id(), 16)
        with start_span("inner") as inner:
            assert inner.parent_id() == f"{theirs.get_span_context().span_id:016x}"
            assert id(trace.get_current_span()) == id(inner)
            token = context.attach(baggage.set_baggage("tenant", "a"))
            assert telemetry.get_baggage() == {"tenant": "a"}
            context.detach(token)
        assert trace.get_current_span() is theirs
    assert telemetry.current_span() is None
    assert id(trace.get_current_span()) == id(outside)
    assert set(arrived(collector, service, 2)) == {"ours", "inner"}
