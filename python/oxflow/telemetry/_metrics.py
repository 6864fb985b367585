"""Meters and instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oxflow._oxflow import Instrument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Measured = int | float | tuple[int | float, Mapping[str, Any]]
    Callback = Callable[[], int | float | Iterable[Measured] | None]

__all__ = [
    "Counter",
    "Gauge",
    "Histogram",
    "Meter",
    "ObservableCounter",
    "ObservableGauge",
    "ObservableUpDownCounter",
    "UpDownCounter",
    "get_meter",
]


class Counter(Instrument):
    """What only grows: `add(amount, attributes)`. An amount less than 0 is passed over."""

    add = Instrument._record  # noqa: SLF001  # its own, in Rust: one call less


class UpDownCounter(Instrument):
    """What grows and shrinks: `add(amount, attributes)`."""

    add = Instrument._record  # noqa: SLF001  # as above


class Histogram(Instrument):
    """How values are distributed: `record(amount, attributes)`."""

    record = Instrument._record  # noqa: SLF001  # as above


class Gauge(Instrument):
    """What is now: `set(amount, attributes)`, also called `record`."""

    set = Instrument._record  # noqa: SLF001  # as above
    record = Instrument._record  # noqa: SLF001  # as above


class ObservableCounter(Instrument):
    """What only grows, and is asked for when it is collected."""


class ObservableUpDownCounter(Instrument):
    """What grows and shrinks, and is asked for when it is collected."""


class ObservableGauge(Instrument):
    """What is now, and is asked for when it is collected."""


class Meter:
    """Makes instruments under a name. The same one twice is one; one may be made before `init`, and counts from then on.

    A callback of an observable instrument is called on a thread of its own. It returns a number, or some: each a number or a pair of one
    and a dictionary of attributes. One that raises is reported by `sys.unraisablehook`, and asked again the next time.
    """

    __slots__ = ("attributes", "name", "schema_url", "version")

    def __init__(
        self,
        name: str,
        version: str | None = None,
        schema_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:
        self.name = name
        self.version = version
        self.schema_url = schema_url
        self.attributes = attributes

    def counter(self, name: str, *, unit: str | None = None, description: str | None = None) -> Counter:
        """Make a counter."""
        return self._made(Counter, "counter", name, unit, description)

    def up_down_counter(self, name: str, *, unit: str | None = None, description: str | None = None) -> UpDownCounter:
        """Make an up-down counter."""
        return self._made(UpDownCounter, "up_down_counter", name, unit, description)

    def histogram(
        self,
        name: str,
        *,
        unit: str | None = None,
        description: str | None = None,
        boundaries: Sequence[float] | None = None,
    ) -> Histogram:
        """Make a histogram whose buckets end at `boundaries`, which ascend.

        Raises:
            ValueError: they don't.
        """
        bounds = None if boundaries is None else [float(bound) for bound in boundaries]
        return self._made(Histogram, "histogram", name, unit, description, bounds=bounds)

    def gauge(self, name: str, *, unit: str | None = None, description: str | None = None) -> Gauge:
        """Make a gauge."""
        return self._made(Gauge, "gauge", name, unit, description)

    def observable_counter(
        self, name: str, callback: Callback, *, unit: str | None = None, description: str | None = None
    ) -> ObservableCounter:
        """Make a counter that asks `callback` for the whole amount."""
        return self._made(ObservableCounter, "observable_counter", name, unit, description, callback=callback)

    def observable_up_down_counter(
        self, name: str, callback: Callback, *, unit: str | None = None, description: str | None = None
    ) -> ObservableUpDownCounter:
        """Make an up-down counter that asks `callback` for the whole amount."""
        return self._made(
            ObservableUpDownCounter, "observable_up_down_counter", name, unit, description, callback=callback
        )

    def observable_gauge(
        self, name: str, callback: Callback, *, unit: str | None = None, description: str | None = None
    ) -> ObservableGauge:
        """Make a gauge that asks `callback`."""
        return self._made(ObservableGauge, "observable_gauge", name, unit, description, callback=callback)

    def _made(  # all that the instruments have in common
        self,
        face: type[_I],
        kind: str,
        name: str,
        unit: str | None,
        description: str | None,
        *,
        bounds: list[float] | None = None,
        callback: Callback | None = None,
    ) -> _I:
        whose = (self.name, self.version, self.schema_url, self.attributes)
        return face(kind, name, unit or "", description or "", bounds, *whose, callback)

    def __repr__(self) -> str:
        return f"Meter({self.name!r})"


if TYPE_CHECKING:
    from typing import TypeVar

    _I = TypeVar("_I", bound=Instrument)


def get_meter(
    name: str,
    version: str | None = None,
    schema_url: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Meter:
    """Give the meter of this name."""
    return Meter(name, version, schema_url, attributes)
