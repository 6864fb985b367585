"""What the Rust module `metrics_steps` shows to Python.

Made by `oxflow stubs metrics_steps`; not edited by hand.
"""

from typing import Literal, TypedDict

from oxflow import RustFunction
from typing_extensions import NotRequired

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

class IngestMetric(TypedDict):
    """A bucket of one metric, as Relay sends it."""

    org_id: int
    project_id: int
    name: str
    type: str
    timestamp: int
    tags: dict[str, str]
    value: int | float | list[int | float] | EncodedSeries | Gauge
    retention_days: int
    received_at: NotRequired[int | None]
    sampling_weight: NotRequired[int | float | None]

class TransformedIngestMetric(TypedDict):
    """An [`IngestMetric`] whose name was understood."""

    org_id: int
    project_id: int
    name: str
    type: str
    timestamp: int
    tags: dict[str, str]
    value: int | float | list[int | float] | EncodedSeries | Gauge
    retention_days: int
    received_at: NotRequired[int | None]
    sampling_weight: NotRequired[int | float | None]
    use_case: str
    unit: str
    transformed: bool

class RustTransformMsg(RustFunction[IngestMetric, TransformedIngestMetric]):
    """Adds what the name of a metric says: its use case and its unit."""

keep: RustFunction[IngestMetric, bool]
"""Keeps counters."""
