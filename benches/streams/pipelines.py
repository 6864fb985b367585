"""The pipelines of the benchmark; each is the same work, its steps in one language or the other."""

from __future__ import annotations

from typing import Any, TypedDict

import bench_steps

from oxflow import Filter, Map, Message, Parser, Pipeline, Serializer, StreamSink, streaming_source


class Event(TypedDict):
    """What the Rust type of the same name says."""

    id: str
    active: bool
    user: int
    at: int
    price: int
    count: int
    score: float
    text: str
    parts: list[int]
    tags: dict[str, str]


Dict = dict[str, Any]


def is_active(msg: Message[Dict]) -> bool:
    """The filter, in Python."""
    return msg.payload["active"] is True


def enrich(msg: Message[Dict]) -> Dict:
    """The map, in Python."""
    event = msg.payload
    return {**event, "total": event["price"] * event["count"], "minute": event["at"] // 60_000}


def typed_is_active(msg: Message[Event]) -> bool:
    """The filter of a type that is checked, in Python."""
    return msg.payload["active"]


def typed_enrich(msg: Message[Event]) -> Dict:
    """The map of a type that is checked, in Python."""
    event = msg.payload
    return {**event, "total": event["price"] * event["count"], "minute": event["at"] // 60_000}


def _pipeline(parsed: Any, keep: Any, change: Any) -> Pipeline[Any]:
    return (
        streaming_source("events", stream_name="in")
        .apply(Parser("parse", parsed))
        .apply(Filter("active", function=keep))
        .apply(Map("enrich", function=change))
        .apply(Serializer("serialise"))
        .sink(StreamSink("out", stream_name="out"))
    )


rust = _pipeline(bench_steps.Event, bench_steps.is_active, bench_steps.enrich)
rust_borrowed = _pipeline(bench_steps.BorrowedEvent, bench_steps.is_active_borrowed, bench_steps.enrich_borrowed)
python = _pipeline(Dict, is_active, enrich)
python_typed = _pipeline(Event, typed_is_active, typed_enrich)
typed_rust_filter = _pipeline(Event, bench_steps.is_active_borrowed, typed_enrich)
typed_rust_map = _pipeline(Event, typed_is_active, bench_steps.enrich_borrowed)
dict_rust_filter = _pipeline(Dict, bench_steps.is_active_borrowed, enrich)
dict_rust_map = _pipeline(Dict, is_active, bench_steps.enrich_borrowed)
nothing = streaming_source("events", stream_name="in").sink(StreamSink("out", stream_name="out"))
