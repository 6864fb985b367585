"""The functions of sentry-streams' example `simple_map_filter`, but that they print nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentry_kafka_schemas.schema_types.ingest_metrics_v1 import IngestMetric
    from sentry_streams.pipeline.message import Message


def transform_msg(msg: Message[IngestMetric]) -> Mapping[str, Any]:
    """The map."""
    return {**msg.payload, "transformed": True}


def filter_events(msg: Message[IngestMetric]) -> bool:
    """The filter."""
    return bool(msg.payload["type"] == "c")
