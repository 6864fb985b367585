"""Keeps the counters among Sentry's ingest metrics and transforms them in Rust.

    oxflow run examples/metrics/pipeline.py \
        --stream ingest-metrics=file:in.jsonl --stream transformed-metrics=file:out.jsonl

`metrics_steps` is a user's own Rust extension: `steps/` beside this file, built with maturin.
"""

from typing import TypedDict

import metrics_steps

from oxflow import Filter, Map, Message, Parser, Serializer, StreamSink, streaming_source


class EncodedValue(TypedDict):
    """Numbers as compressed or base64 text."""

    format: str
    data: str


class _Required(TypedDict):
    org_id: int
    project_id: int
    name: str
    type: str
    timestamp: int
    tags: dict[str, str]
    value: int | float | list[int | float] | EncodedValue
    retention_days: int


class IngestMetric(_Required, total=False):
    """A message of the topic `ingest-metrics`."""

    sampling_weight: int


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
