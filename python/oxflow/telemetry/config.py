"""What is recorded and where it goes, as a program says it.

What is `None` is taken from the variables of OpenTelemetry (`OTEL_SERVICE_NAME`, `OTEL_EXPORTER_OTLP_ENDPOINT` and so on), or is
what these have as their default.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Config", "Limits", "MetricSink", "OtlpLogSink", "SlsLogSink", "TraceSink", "View"]


@dataclass(frozen=True)
class TraceSink:
    """A collector for spans.

    Attributes:
        endpoint: its address, used as it is given: `http://host:4317`, or for HTTP the whole `https://host:4318/v1/traces`.
        protocol: `grpc` or `http/protobuf`.
        headers: sent with each request; they never show.
        timeout_ms: how long a request may take.
        sampler: `always_on`, `always_off`, `traceidratio`, one of these with `parentbased_` before it, or a function of `name`, `kind`,
            `trace_id`, `attributes` and `parent_sampled` (all by keyword) that returns whether to record the span, or attributes to add.
        sampler_arg: the share of traces for `traceidratio`, from 0 to 1.
        batch_max_queue: most spans that wait; what comes faster is dropped and counted.
        batch_max_export: spans that are sent together.
        batch_schedule_delay_ms: how long a span waits for others at most.
        retry_ms: for how long a batch is tried; what wasn't delivered then is dropped and counted.
        compression: `gzip`, `zstd` or `none`.
        certificate: a PEM file of authorities that are trusted in place of the system's.
        client_certificate: a PEM file that says who we are.
        client_key: its key.
        insecure: go without TLS to an endpoint that has neither `http://` nor `https://` before it.
    """

    endpoint: str | None = None
    protocol: Literal["grpc", "http/protobuf"] | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    timeout_ms: int | None = None
    sampler: str | Callable[..., bool | Mapping[str, Any]] | None = None
    sampler_arg: float | None = None
    batch_max_queue: int | None = None
    batch_max_export: int | None = None
    batch_schedule_delay_ms: int | None = None
    retry_ms: int = 60_000
    compression: Literal["gzip", "zstd", "none"] | None = None
    certificate: str | os.PathLike[str] | None = None
    client_certificate: str | os.PathLike[str] | None = None
    client_key: str | os.PathLike[str] | None = None
    insecure: bool | None = None


@dataclass(frozen=True)
class MetricSink:
    """A collector for metrics.

    Attributes:
        endpoint: as in `TraceSink`, and so all that have the same name.
        protocol: `grpc` or `http/protobuf`.
        headers: sent with each request; they never show.
        timeout_ms: how long a request may take.
        export_interval_ms: how often metrics are collected and sent.
        temporality: `cumulative`, `delta` or `lowmemory`: whether a point counts from the beginning, or from the last one.
        retry_ms: for how long a batch is tried.
        compression: `gzip`, `zstd` or `none`.
        certificate: a PEM file of authorities that are trusted in place of the system's.
        client_certificate: a PEM file that says who we are.
        client_key: its key.
        insecure: go without TLS to an endpoint that has neither `http://` nor `https://` before it.
    """

    endpoint: str | None = None
    protocol: Literal["grpc", "http/protobuf"] | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    timeout_ms: int | None = None
    export_interval_ms: int | None = None
    temporality: Literal["cumulative", "delta", "lowmemory"] | None = None
    retry_ms: int = 60_000
    compression: Literal["gzip", "zstd", "none"] | None = None
    certificate: str | os.PathLike[str] | None = None
    client_certificate: str | os.PathLike[str] | None = None
    client_key: str | os.PathLike[str] | None = None
    insecure: bool | None = None


@dataclass(frozen=True)
class OtlpLogSink:
    """A collector for log records.

    Attributes:
        endpoint: as in `TraceSink`, and so all that have the same name.
        protocol: `grpc` or `http/protobuf`.
        headers: sent with each request; they never show.
        timeout_ms: how long a request may take.
        level: the least severity that is sent: `trace`, `debug`, `info`, `warn`, `error` or `fatal`.
        batch_max_queue: most records that wait; what comes faster is dropped and counted.
        batch_max_export: records that are sent together.
        batch_schedule_delay_ms: how long a record waits for others at most.
        retry_ms: for how long a batch is tried.
        compression: `gzip`, `zstd` or `none`.
        certificate: a PEM file of authorities that are trusted in place of the system's.
        client_certificate: a PEM file that says who we are.
        client_key: its key.
        insecure: go without TLS to an endpoint that has neither `http://` nor `https://` before it.
    """

    endpoint: str | None = None
    protocol: Literal["grpc", "http/protobuf"] | None = None
    headers: Mapping[str, str] | None = field(default=None, repr=False)
    timeout_ms: int | None = None
    level: str = "trace"
    batch_max_queue: int | None = None
    batch_max_export: int | None = None
    batch_schedule_delay_ms: int | None = None
    retry_ms: int = 60_000
    compression: Literal["gzip", "zstd", "none"] | None = None
    certificate: str | os.PathLike[str] | None = None
    client_certificate: str | os.PathLike[str] | None = None
    client_key: str | os.PathLike[str] | None = None
    insecure: bool | None = None


@dataclass(frozen=True)
class SlsLogSink:
    """A logstore of Alibaba Cloud's Simple Log Service, for log records.

    Each is a log with the fields `level`, `message` and `logger`, `trace_id` and `span_id` inside of a span, and one for each
    attribute; what is known of the process stands in the tags.

    Attributes:
        endpoint: the service in a region, `cn-hangzhou.log.aliyuncs.com`; `https://` unless it says something else. The project's
            name comes before it, but not before an IP address.
        project: the project.
        logstore: the logstore.
        ak_id: the access key.
        ak_secret: its secret; it never shows.
        topic: a word by which logs are found.
        source: where they come from.
        security_token: of the Security Token Service, with a key that it gave; it never shows.
        signature_version: `v1` or `v4`.
        region: for `v4`; what the endpoint begins with if it isn't given.
        timeout_ms: how long a request may take.
        level: the least severity that is sent.
        batch_max_queue: most records that wait; what comes faster is dropped and counted.
        batch_max_export: records that are sent together, 4096 at most.
        batch_schedule_delay_ms: how long a record waits for others at most.
        retry_ms: for how long a batch is tried.
        compression: `lz4` or `zstd`.
        certificate: a PEM file of authorities that are trusted in place of the system's.
    """

    endpoint: str
    project: str
    logstore: str
    ak_id: str
    ak_secret: str = field(repr=False)
    topic: str = ""
    source: str = ""
    security_token: str | None = field(default=None, repr=False)
    signature_version: Literal["v1", "v4"] = "v1"
    region: str | None = None
    timeout_ms: int = 10_000
    level: str = "trace"
    batch_max_queue: int | None = None
    batch_max_export: int | None = None
    batch_schedule_delay_ms: int | None = None
    retry_ms: int = 60_000
    compression: Literal["lz4", "zstd"] = "lz4"
    certificate: str | os.PathLike[str] | None = None


@dataclass(frozen=True)
class Limits:
    """How much a span or a record may hold; what finds no room is counted in it. `None` is 128, or for lengths any.

    Attributes:
        attributes: most attributes of a span.
        attribute_length: most characters of a text in a span.
        events: most events of a span.
        links: most links of a span.
        event_attributes: most attributes of an event.
        link_attributes: most attributes of a link.
        log_attributes: most attributes of a log record.
        log_attribute_length: most characters of a text in a log record's attributes.
    """

    attributes: int | None = None
    attribute_length: int | None = None
    events: int | None = None
    links: int | None = None
    event_attributes: int | None = None
    link_attributes: int | None = None
    log_attributes: int | None = None
    log_attribute_length: int | None = None


@dataclass(frozen=True)
class View:
    """What is seen of the instruments that fit all that is given: under another name, by other attributes, aggregated otherwise.

    Attributes:
        instrument: name of the instruments, with `*` for any letters and `?` for one.
        kind: `counter`, `up_down_counter`, `histogram`, `gauge`, or one of the first two or the last with `observable_` before it.
        unit: their unit.
        meter: name of their meter.
        name: what they are called instead.
        description: what they are described as instead.
        attribute_keys: the only attributes that are kept.
        aggregation: `drop`, `sum`, `last_value`, `histogram` or `exponential_histogram`.
        boundaries: where the buckets of a `histogram` end, ascending and finite.
        max_size: for `exponential_histogram`, most buckets on either side of zero, at least 2.
        max_scale: for `exponential_histogram`, the finest scale, -10 to 20.
    """

    instrument: str | None = None
    kind: str | None = None
    unit: str | None = None
    meter: str | None = None
    name: str | None = None
    description: str | None = None
    attribute_keys: Sequence[str] | None = None
    aggregation: Literal["drop", "sum", "last_value", "histogram", "exponential_histogram"] | None = None
    boundaries: Sequence[float] | None = None
    max_size: int = 160
    max_scale: int = 20


@dataclass(frozen=True)
class Config:
    """What is recorded, and where it goes.

    Attributes:
        service_name: the service, `unknown_service` if nobody says.
        resource_attributes: what else is known of the process.
        sinks: where records go. `None` asks the variables of OpenTelemetry; where there is none, all stands on the console.
        console_level: the least severity that stands on the console, where spans count as `info`; `None` for nothing if there are sinks,
            and `info` if there are none.
        console_format: `compact`, `pretty` or `json`.
        limits: how much a span or a record may hold.
        views: what is seen of instruments otherwise than they are.
        exit_timeout_s: how long the end of the process may wait for what is queued, in seconds.
    """

    service_name: str | None = None
    resource_attributes: Mapping[str, Any] | None = None
    sinks: Sequence[TraceSink | MetricSink | OtlpLogSink | SlsLogSink] | None = None
    console_level: str | None = None
    console_format: Literal["compact", "pretty", "json"] = "compact"
    limits: Limits = Limits()
    views: Sequence[View] = ()
    exit_timeout_s: float = 5.0
