"""Pipelines as values: built, compared, printed, composed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from oxflow import Batch, Branch, Filter, Map, Message, Pipeline, Serializer, StreamSink, branch, streaming_source

if TYPE_CHECKING:
    from collections.abc import Callable


def upper(message: Message[bytes]) -> bytes:
    return message.payload.upper()


def is_long(message: Message[bytes]) -> bool:
    return len(message.payload) > 3


def complete() -> Pipeline[Any]:
    return (
        streaming_source("in", stream_name="a")
        .apply(Filter("long", function=is_long))
        .apply(Map("upper", function=upper))
        .sink(StreamSink("out", stream_name="b"))
    )


def routed() -> Pipeline[Any]:
    return streaming_source("in", stream_name="a").route(
        "side",
        routing_function=is_long,
        routing_table={
            True: branch("long").apply(Map("upper", function=upper)).sink(StreamSink("out", stream_name="b")),
            False: branch("short").sink(StreamSink("rest", stream_name="c")),
        },
    )


def test_pipelines_of_the_same_steps_are_equal_wherever_they_are_written() -> None:
    assert complete() == complete()
    assert hash(complete()) == hash(complete())
    assert routed() == routed()
    assert hash(routed()) == hash(routed())


def test_pipelines_of_other_steps_differ() -> None:
    start = streaming_source("in", stream_name="a")
    assert start.apply(Map("m", function=upper)) != start.apply(Map("n", function=upper))
    assert start.apply(Batch("b", batch_size=1)) != start.apply(Batch("b", batch_size=2))
    assert start != streaming_source("in", stream_name="b")


def test_a_method_leaves_its_pipeline_as_it_was() -> None:
    start = streaming_source("in", stream_name="a")
    start.apply(Map("m", function=upper))
    assert start == streaming_source("in", stream_name="a")


def test_repr_reads_like_the_code() -> None:
    assert (
        repr(complete())
        == """\
(
    streaming_source("in", stream_name="a")
    .apply(Filter("long", function=is_long))
    .apply(Map("upper", function=upper))
    .sink(StreamSink("out", stream_name="b"))
)"""
    )


def test_repr_shows_branches_inside_their_route() -> None:
    assert (
        repr(routed())
        == """\
(
    streaming_source("in", stream_name="a")
    .route(
        "side",
        routing_function=is_long,
        routing_table={
            True: (
                branch("long")
                .apply(Map("upper", function=upper))
                .sink(StreamSink("out", stream_name="b"))
            ),
            False: (
                branch("short")
                .sink(StreamSink("rest", stream_name="c"))
            ),
        },
    )
)"""
    )


def test_a_branch_can_be_applied_to_several_pipelines() -> None:
    common: Branch[bytes, bytes] = (
        branch("common").apply(Filter("long", function=is_long)).apply(Map("upper", function=upper))
    )
    by_branch = streaming_source("in", stream_name="a").apply(common).sink(StreamSink("out", stream_name="b"))
    assert by_branch == complete()


def test_functions_can_be_named_instead_of_imported() -> None:
    assert repr(Map("m", function="package.module:name")) == 'Map("m", function="package.module:name")'


def test_only_steps_and_branches_can_be_applied() -> None:
    anything: Any = 3
    with pytest.raises(TypeError, match=r"apply takes a step \(Map, Filter, \.\.\.\) or a branch, not 3"):
        streaming_source("in", stream_name="a").apply(anything)
    with pytest.raises(TypeError, match="a way on must be a branch, not 3"):
        streaming_source("in", stream_name="a").broadcast("all", routes=[anything])


def test_a_step_without_arguments_is_named_only() -> None:
    assert repr(Serializer("s")) == 'Serializer("s")'


def test_a_notebook_draws_the_pipeline() -> None:
    notebook: Any = complete()
    drawn = notebook._repr_mermaid_()
    assert "upper" in drawn
    assert "long" in drawn


@pytest.mark.parametrize(
    ("make", "error", "text"),
    [
        (lambda: Map(wrong(3), function=upper), TypeError, "the name of a step is a `str`, not 3"),
        (
            lambda: Map("a\ud800", function=upper),
            ValueError,
            r"the name of a step holds half of a surrogate pair: 'a\ud800'",
        ),
        (lambda: StreamSink("s", stream_name=wrong(None)), TypeError, "the name of a stream is a `str`, not None"),
        (
            lambda: streaming_source(wrong(b"a"), stream_name="a"),
            TypeError,
            "the name of a source is a `str`, not b'a'",
        ),
        (lambda: branch(wrong(1)), TypeError, "the name of a branch is a `str`, not 1"),
        (lambda: Batch("b", batch_size=wrong(1.5)), TypeError, "`batch_size` is a whole number, not 1.5"),
        (lambda: Batch("b", batch_size=2**64), ValueError, f"`batch_size` is at most {2**63 - 1}, not {2**64}"),
        (lambda: Batch("b", batch_bytes=wrong("1k")), TypeError, "`batch_bytes` is a whole number, not '1k'"),
        (
            lambda: Batch("b", batch_timedelta=wrong(5)),
            TypeError,
            "`batch_timedelta` is a `timedelta`, not 5: write `timedelta(seconds=...)`",
        ),
    ],
)
def test_what_no_plan_can_hold_is_refused_at_once(
    make: Callable[[], object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as caught:
        make()
    assert str(caught.value) == text


def wrong(value: Any) -> Any:
    """Keep type checkers from refusing it first."""
    return value
