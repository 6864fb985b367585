"""Meters for the OpenTelemetry API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import metrics

from oxflow.telemetry import _metrics as native
from oxflow.telemetry.otel._provider import Shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from opentelemetry.metrics import CallbackT, Observation
    from opentelemetry.util.types import Attributes

    from oxflow._oxflow import Instrument

__all__ = ["MeterProvider"]

for _face, _ours in (
    (metrics.Counter, native.Counter),
    (metrics.UpDownCounter, native.UpDownCounter),
    (metrics.Histogram, native.Histogram),
    (metrics.ObservableCounter, native.ObservableCounter),
    (metrics.ObservableUpDownCounter, native.ObservableUpDownCounter),
    (metrics.ObservableGauge, native.ObservableGauge),
):
    _face.register(_ours)

MadeT = TypeVar("MadeT", bound="Instrument")


class MeterProvider(Shared, metrics.MeterProvider):
    """Gives meters whose measurements go where `config` says."""

    def get_meter(
        self, name: str, version: str | None = None, schema_url: str | None = None, attributes: Attributes = None
    ) -> metrics.Meter:
        """Give the meter of a library."""
        return _Meter(name, version, schema_url, attributes)


class _Meter(metrics.Meter):
    """Makes instruments under a name."""

    def __init__(
        self, name: str, version: str | None = None, schema_url: str | None = None, attributes: Attributes = None
    ) -> None:
        super().__init__(name, version, schema_url)
        self._native = native.Meter(name, version, schema_url, attributes)

    def create_counter(self, name: str, unit: str = "", description: str = "") -> Any:
        """Make a counter."""
        return self._native.counter(name, unit=unit, description=description)

    def create_up_down_counter(self, name: str, unit: str = "", description: str = "") -> Any:
        """Make an up-down counter."""
        return self._native.up_down_counter(name, unit=unit, description=description)

    def create_histogram(
        self,
        name: str,
        unit: str = "",
        description: str = "",
        *,
        explicit_bucket_boundaries_advisory: Sequence[float] | None = None,
    ) -> Any:
        """Make a histogram."""
        boundaries = explicit_bucket_boundaries_advisory
        return self._native.histogram(name, unit=unit, description=description, boundaries=boundaries)

    def create_gauge(self, name: str, unit: str = "", description: str = "") -> Any:
        """Make a gauge."""
        return self._native.gauge(name, unit=unit, description=description)

    def create_observable_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> Any:
        """Make a counter that asks `callbacks`."""
        return _observed(self._native.observable_counter, name, callbacks, unit, description)

    def create_observable_up_down_counter(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> Any:
        """Make an up-down counter that asks `callbacks`."""
        return _observed(self._native.observable_up_down_counter, name, callbacks, unit, description)

    def create_observable_gauge(
        self, name: str, callbacks: Sequence[CallbackT] | None = None, unit: str = "", description: str = ""
    ) -> Any:
        """Make a gauge that asks `callbacks`."""
        return _observed(self._native.observable_gauge, name, callbacks, unit, description)


def _observed(
    make: Callable[..., MadeT], name: str, callbacks: Sequence[CallbackT] | None, unit: str, description: str
) -> MadeT:
    # One instrument of this name, whom several are asked for: one that raises harms no other.
    made = [make(name, _asked(callback), unit=unit, description=description) for callback in callbacks or [_nothing]]
    return made[-1]


def _nothing(_: metrics.CallbackOptions) -> Iterable[Observation]:
    return ()


def _asked(callback: CallbackT) -> Callable[[], list[tuple[float, Mapping[str, Any] | None]]]:
    """A callback of the API, as our instruments ask."""
    if callable(callback):
        ask: Callable[[metrics.CallbackOptions], Iterable[Observation]] = callback
    else:
        # A generator waits for options before its first answer.
        next(callback)
        ask = callback.send
    return lambda: [(found.value, found.attributes) for found in ask(metrics.CallbackOptions())]
