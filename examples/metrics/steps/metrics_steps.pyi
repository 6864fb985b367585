"""The Rust steps of the metrics pipeline, as Python sees them."""

from typing import Any, TypedDict

from oxflow import RustFunction

class IngestMetric(TypedDict, total=False):
    """A bucket of one metric, as Relay sends it."""

    org_id: int
    project_id: int
    name: str
    type: str
    timestamp: int
    tags: dict[str, str]
    value: Any
    retention_days: int
    received_at: int | None
    sampling_weight: int | float | None

class TransformedIngestMetric(IngestMetric, total=False):
    """A metric whose name was understood."""

    use_case: str
    unit: str
    transformed: bool

class RustTransformMsg(RustFunction[Any, TransformedIngestMetric]):
    """Adds what the name of a metric says: its use case and its unit."""

keep: RustFunction[Any, bool]
