"""Keeps the counters among Sentry's ingest metrics and transforms them in Rust.

    oxflow run examples/metrics/pipeline.py \
        --stream ingest-metrics=file:in.jsonl --stream transformed-metrics=file:out.jsonl

`metrics_steps` is a user's own Rust extension: `steps/` beside this file, built with maturin.
"""

from typing import Literal, TypedDict

import metrics_steps

from oxflow import Filter, Map, Message, Parser, Serializer, StreamSink, streaming_source


class EncodedSeries(TypedDict):
    """Values that are packed."""

    format: Literal["array", "base64", "zstd"]
    data: str | list[int | float]


class Gauge(TypedDict):
    """Statistics in place of values."""

    min: int | float
    max: int | float
    sum: int | float
    count: int
    last: int | float


class _Required(TypedDict):
    org_id: int
    project_id: int
    name: str
    type: str
    timestamp: int
    tags: dict[str, str]
    value: int | float | list[int | float] | EncodedSeries | Gauge
    retention_days: int


class IngestMetric(_Required, total=False):
    """A message of the topic `ingest-metrics`."""

    received_at: int | None
    sampling_weight: int | float | None


def is_counter(msg: Message[IngestMetric]) -> bool:
    """Say whether a metric counts something, as opposed to distributions and sets."""
    return msg.payload["type"] == "c"


pipeline = (
    streaming_source("metrics", stream_name="ingest-metrics")
    .apply(Parser("parse", IngestMetric))
    .apply(Filter("counters", function=is_counter))
    .apply(Map("transform", function=metrics_steps.RustTransformMsg()))
    .apply(Serializer("serialize"))
    .sink(StreamSink("out", stream_name="transformed-metrics"))
)
