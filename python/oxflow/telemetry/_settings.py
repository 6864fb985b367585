"""What a program and the environment said, with nothing left open, as the Rust side takes it."""

from __future__ import annotations

import itertools
import math
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oxflow.telemetry import _environment as environment
from oxflow.telemetry.config import Config, MetricSink, OtlpLogSink, SlsLogSink, TraceSink, View

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    AnySink = TraceSink | MetricSink | OtlpLogSink | SlsLogSink

__all__ = ["Settings", "propagators", "severity"]

SEVERITIES = {"trace": 1, "debug": 5, "info": 9, "warn": 13, "warning": 13, "error": 17, "fatal": 21, "critical": 21}
_SAMPLERS = ("always_on", "always_off", "traceidratio")
_SIGNALS = {TraceSink: "traces", MetricSink: "metrics", OtlpLogSink: "logs"}
# That a request to the Simple Log Service may have.
_MOST_LOGS = 4096
# Of exponential histograms.
_LEAST_BUCKETS, _SCALES = 2, range(-10, 21)
_FORMATS = ("tracecontext", "baggage", "b3", "b3multi")


def severity(level: str) -> int:
    """The number of a severity, from 1 to 24.

    Raises:
        ValueError: there is none of this name.
    """
    found = SEVERITIES.get(level.lower())
    if found is None:
        raise ValueError(
            f"there is no level `{level}`: there are `trace`, `debug`, `info`, `warn`, `error` and `fatal`"
        )
    return found


def propagators() -> list[str]:
    """The formats of headers: `OTEL_PROPAGATORS`, or W3C trace context and baggage."""
    named = environment.text("OTEL_PROPAGATORS")
    if named is None:
        return ["tracecontext", "baggage"]
    found = [name.strip().lower() for name in named.split(",")]
    unknown = [name for name in found if name not in (*_FORMATS, "none")]
    if unknown:
        known = ", ".join(f"`{name}`" for name in _FORMATS)
        raise ValueError(f"`OTEL_PROPAGATORS` names `{unknown[0]}`: there are {known} and `none`")
    return [name for name in _FORMATS if name in found]


@dataclass(frozen=True)
class Sink:
    """A collector, with nothing left open."""

    signal: str
    endpoint: str
    is_insecure: bool
    protocol: str
    headers: list[tuple[str, str]]
    compression: str
    timeout_ms: int
    retry_ms: int
    certificate: Any
    client_certificate: Any
    client_key: Any
    queue: int
    batch: int
    delay_ms: int
    sampler: str
    sampler_arg: float
    sample: Callable[..., Any] | None
    temporality: str
    least_severity: int
    sls: Sls | None = None


@dataclass(frozen=True)
class Sls:
    """What only a logstore has."""

    project: str
    logstore: str
    topic: str
    source: str
    key_id: str
    key_secret: str
    token: str | None
    region: str | None


@dataclass(frozen=True)
class Console:
    """The console, with nothing left open."""

    format: str
    least_severity: int
    has_colours: bool


@dataclass(frozen=True)
class Bounds:
    """`Limits`, with nothing left open."""

    attributes: int
    attribute_length: int | None
    events: int
    links: int
    event_attributes: int
    link_attributes: int
    log_attributes: int
    log_attribute_length: int | None


@dataclass(frozen=True)
class Seen:
    """A `View`."""

    instrument: str | None
    kind: str | None
    unit: str | None
    meter: str | None
    name: str | None
    description: str | None
    attribute_keys: list[str] | None
    aggregation: str | None
    boundaries: list[float] | None
    buckets: int
    scale: int


@dataclass(frozen=True)
class Settings:
    """All of it."""

    resource: dict[str, Any]
    schema_url: str
    sinks: list[Sink]
    console: Console | None
    limits: Bounds
    views: list[Seen]

    @classmethod
    def of(cls, config: Config) -> Settings:
        """Read a configuration, and the environment where it says nothing.

        Raises:
            ValueError: something that it says, or that a variable says, can't be used.
        """
        is_disabled = environment.flag("OTEL_SDK_DISABLED")
        sinks = [] if is_disabled else _sinks(config.sinks)
        return cls(
            resource=_resource(config),
            schema_url="",
            sinks=[_logstore(sink) if isinstance(sink, SlsLogSink) else _sink(sink) for sink in sinks],
            console=None if is_disabled else _console(config, has_sinks=bool(sinks)),
            limits=_bounds(config),
            views=_views(config.views),
        )


def _resource(config: Config) -> dict[str, Any]:
    from oxflow import __version__

    named = environment.text("OTEL_SERVICE_NAME")
    resource: dict[str, Any] = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "oxflow",
        "telemetry.sdk.version": __version__,
        "service.name": "unknown_service",
        **environment.pairs("OTEL_RESOURCE_ATTRIBUTES"),
        **({"service.name": named} if named else {}),
        **(config.resource_attributes or {}),
    }
    return {**resource, "service.name": config.service_name} if config.service_name else resource


def _sinks(named: Sequence[AnySink] | None) -> list[AnySink]:
    if named is not None:
        return list(named)
    found: list[AnySink] = []
    for sink in (TraceSink(), MetricSink(), OtlpLogSink()):
        name = _SIGNALS[type(sink)].upper()
        is_there = environment.text(f"OTEL_EXPORTER_OTLP_{name}_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT") is not None
        exporter = environment.text(f"OTEL_{name}_EXPORTER") or ("otlp" if is_there else "none")
        if exporter not in ("otlp", "console", "none"):
            raise ValueError(f"`OTEL_{name}_EXPORTER` is `{exporter}`: there are `otlp`, `console` and `none`")
        if exporter == "otlp":
            found.append(sink)
    return found


def _console(config: Config, *, has_sinks: bool) -> Console | None:
    level = config.console_level
    if level is None:
        exporters = [environment.text(f"OTEL_{signal.upper()}_EXPORTER") for signal in _SIGNALS.values()]
        # Who wants nothing at all says `none` for each.
        is_wanted = "console" in exporters or (not has_sinks and set(exporters) != {"none"})
        level = "info" if is_wanted else None
    if level is None:
        return None
    has_colours = sys.stderr is not None and sys.stderr.isatty() and environment.text("NO_COLOR") is None
    return Console(config.console_format, severity(level), has_colours)


def _sink(sink: TraceSink | MetricSink | OtlpLogSink) -> Sink:
    signal = _SIGNALS.get(type(sink))
    if signal is None:
        raise ValueError(
            f"`{type(sink).__name__}` is no sink: there are `TraceSink`, `MetricSink`, `OtlpLogSink` and `SlsLogSink`"
        )
    prefix = f"OTEL_EXPORTER_OTLP_{signal.upper()}_"

    def either(name: str) -> tuple[str, str]:
        return prefix + name, f"OTEL_EXPORTER_OTLP_{name}"

    protocol = sink.protocol or environment.text(*either("PROTOCOL")) or "grpc"
    insecure = sink.insecure
    if insecure is None:
        insecure = (environment.text(*either("INSECURE")) or "").lower() == "true"
    headers = sink.headers if sink.headers is not None else environment.pairs(*either("HEADERS"))
    timeout = sink.timeout_ms if sink.timeout_ms is not None else environment.number(*either("TIMEOUT"))
    queue, batch, delay = _batch(sink)
    sampler, ratio, sample = _sampler(sink)
    return Sink(
        signal=signal,
        endpoint=sink.endpoint or _endpoint(signal, protocol),
        is_insecure=insecure,
        protocol=protocol,
        headers=[(name.lower(), value) for name, value in headers.items()],
        compression=sink.compression or environment.text(*either("COMPRESSION")) or "none",
        timeout_ms=10_000 if timeout is None else int(timeout),
        retry_ms=sink.retry_ms,
        certificate=sink.certificate or environment.text(*either("CERTIFICATE")),
        client_certificate=sink.client_certificate or environment.text(*either("CLIENT_CERTIFICATE")),
        client_key=sink.client_key or environment.text(*either("CLIENT_KEY")),
        queue=queue,
        batch=batch,
        delay_ms=delay,
        sampler=sampler,
        sampler_arg=ratio,
        sample=sample,
        temporality=_temporality(sink),
        least_severity=severity(sink.level) if isinstance(sink, OtlpLogSink) else 1,
    )


def _logstore(sink: SlsLogSink) -> Sink:
    # What it leaves open is what it is for another sink of logs.
    queue, batch, delay = _batch(sink)
    region = None
    if sink.signature_version == "v4":
        region = sink.region or sink.endpoint.rpartition("/")[2].partition(".")[0].removesuffix("-intranet")
    elif sink.signature_version != "v1":
        raise ValueError(f"there is no signature `{sink.signature_version}`: there are `v1` and `v4`")
    return Sink(
        signal="logs",
        endpoint=sink.endpoint,
        is_insecure=False,
        protocol="",
        headers=[],
        compression=sink.compression,
        timeout_ms=sink.timeout_ms,
        retry_ms=sink.retry_ms,
        certificate=sink.certificate,
        client_certificate=None,
        client_key=None,
        queue=queue,
        batch=min(batch, _MOST_LOGS),
        delay_ms=delay,
        sampler="always_on",
        sampler_arg=1.0,
        sample=None,
        temporality="cumulative",
        least_severity=severity(sink.level),
        sls=Sls(
            project=sink.project,
            logstore=sink.logstore,
            topic=sink.topic,
            source=sink.source,
            key_id=sink.ak_id,
            key_secret=sink.ak_secret,
            token=sink.security_token,
            region=region,
        ),
    )


def _endpoint(signal: str, protocol: str) -> str:
    own = environment.text(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
    if own is not None:
        return own
    is_http = protocol.startswith("http")
    base = environment.text("OTEL_EXPORTER_OTLP_ENDPOINT") or f"http://localhost:{4318 if is_http else 4317}"
    return f"{base.rstrip('/')}/v1/{signal}" if is_http else base


def _batch(sink: AnySink) -> tuple[int, int, int]:
    """Records that wait, that are sent together, and how long one waits."""
    if isinstance(sink, MetricSink):
        interval = sink.export_interval_ms or environment.number("OTEL_METRIC_EXPORT_INTERVAL") or 60_000
        return 1 << 20, 1 << 20, int(interval)
    prefix = "OTEL_BSP_" if isinstance(sink, TraceSink) else "OTEL_BLRP_"
    queue = sink.batch_max_queue or environment.number(f"{prefix}MAX_QUEUE_SIZE") or 16_384
    batch = sink.batch_max_export or environment.number(f"{prefix}MAX_EXPORT_BATCH_SIZE") or 2048
    delay = sink.batch_schedule_delay_ms
    if delay is None:
        asked = environment.number(f"{prefix}SCHEDULE_DELAY")
        delay = (5000 if isinstance(sink, TraceSink) else 1000) if asked is None else int(asked)
    return int(queue), int(batch), delay


def _sampler(sink: TraceSink | MetricSink | OtlpLogSink) -> tuple[str, float, Callable[..., Any] | None]:
    if not isinstance(sink, TraceSink):
        return "always_on", 1.0, None
    ratio = sink.sampler_arg
    if callable(sink.sampler):
        return "custom", 1.0, sink.sampler
    named = sink.sampler
    if named is None:
        named = environment.text("OTEL_TRACES_SAMPLER") or "parentbased_always_on"
        ratio = environment.number("OTEL_TRACES_SAMPLER_ARG") if ratio is None else ratio
    # As pytracingx writes them, too.
    name = named.lower().replace("parent_based", "parentbased").replace("traceid_ratio", "traceidratio")
    if name.removeprefix("parentbased_") not in _SAMPLERS:
        known = ", ".join(f"`{known}`" for known in _SAMPLERS)
        raise ValueError(f"there is no sampler `{named}`: there are {known}, and each with `parentbased_` before it")
    ratio = 1.0 if ratio is None else ratio
    if not 0.0 <= ratio <= 1.0:
        raise ValueError(f"the share of traces that are sampled is from 0 to 1, not {ratio}")
    return name, float(ratio), None


def _temporality(sink: TraceSink | MetricSink | OtlpLogSink) -> str:
    if not isinstance(sink, MetricSink):
        return "cumulative"
    named = environment.text("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")
    return (sink.temporality or named or "cumulative").lower()


def _bounds(config: Config) -> Bounds:
    limits = config.limits

    def count(given: int | None, *names: str) -> int:
        found = given if given is not None else environment.number(*names)
        return 128 if found is None else int(found)

    def length(given: int | None, *names: str) -> int | None:
        found = given if given is not None else environment.number(*names)
        return None if found is None else int(found)

    all_counts, all_lengths = "OTEL_ATTRIBUTE_COUNT_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"
    return Bounds(
        attributes=count(limits.attributes, "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", all_counts),
        attribute_length=length(limits.attribute_length, "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", all_lengths),
        events=count(limits.events, "OTEL_SPAN_EVENT_COUNT_LIMIT"),
        links=count(limits.links, "OTEL_SPAN_LINK_COUNT_LIMIT"),
        event_attributes=count(limits.event_attributes, "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"),
        link_attributes=count(limits.link_attributes, "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"),
        log_attributes=count(limits.log_attributes, "OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", all_counts),
        log_attribute_length=length(
            limits.log_attribute_length, "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", all_lengths
        ),
    )


def _boundaries(view: View) -> list[float] | None:
    """Where the buckets of a view end.

    Raises:
        ValueError: they are no histogram's, or don't ascend; or a size or scale can't be.
    """
    if view.max_size < _LEAST_BUCKETS:
        raise ValueError(
            f"`max_size` of a view is {view.max_size}: a histogram has at least 2 buckets on either side of zero"
        )
    if view.max_scale not in _SCALES:
        raise ValueError(f"`max_scale` of a view is {view.max_scale}: scales are from -10 to 20")
    if view.boundaries is None:
        return None
    if view.aggregation not in {None, "histogram"}:
        raise ValueError(f"a view with `boundaries` is a `histogram`, not `{view.aggregation}`")
    bounds = [float(bound) for bound in view.boundaries]
    if not all(map(math.isfinite, bounds)) or any(one >= other for one, other in itertools.pairwise(bounds)):
        raise ValueError(f"`boundaries` of a view are {bounds}: they are finite and ascend")
    return bounds


def _views(views: Sequence[View]) -> list[Seen]:
    asked = environment.text("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION") or "explicit_bucket_histogram"
    made = [
        Seen(
            instrument=view.instrument,
            kind=view.kind,
            unit=view.unit,
            meter=view.meter,
            name=view.name,
            description=view.description,
            attribute_keys=None if view.attribute_keys is None else list(view.attribute_keys),
            # Who says where buckets end wants a histogram.
            aggregation=view.aggregation if view.boundaries is None else "histogram",
            boundaries=_boundaries(view),
            buckets=view.max_size,
            scale=view.max_scale,
        )
        for view in views
    ]
    if asked.lower() == "base2_exponential_bucket_histogram" and not made:
        made = _views([View(kind="histogram", aggregation="exponential_histogram")])
    return made
