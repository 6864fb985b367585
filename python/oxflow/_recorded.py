"""What Rust extensions recorded during a run: log records, spans and measurements, added up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from oxflow import _oxflow
from oxflow._terminal import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LogCount", "Metric", "Recorded", "SpanTotal", "duration", "picked"]

# Lines of spans and metrics that a printed report has; its data has them all.
_SHOWN = 20
_LEVELS = ("error", "warning", "info", "debug", "trace")
_COUNTABLE = ("error", "warning")
_QUANTILES = (("median", 0.5), ("p95", 0.95), ("p99", 0.99))


@dataclass(frozen=True)
class LogCount:
    """How many log records of a level a step in Rust made.

    Attributes:
        step: name of the step; `None` for a thread of the extension's own.
        level: `error`, `warning`, `info`, `debug` or `trace`.
        count: how many.
    """

    step: str | None
    level: str
    count: int


@dataclass(frozen=True)
class SpanTotal:
    """How many spans of a name a step in Rust made.

    Attributes:
        step: name of the step; `None` for a thread of the extension's own.
        name: name of the spans.
        count: how many ended.
        time_s: seconds from their beginnings to their ends, all together.
    """

    step: str | None
    name: str
    count: int
    time_s: float


@dataclass(frozen=True)
class Metric:
    """What a Rust extension measured with one instrument.

    Attributes:
        module: the extension.
        name: name of the instrument.
        kind: `counter`, `gauge` or `histogram`.
        doc: what it measures.
        attributes: which of several things, `{"reason": "short"}`.
        value: sum of a counter, last value of a gauge, mean of a histogram.
        count: how many values a histogram has; `None` for the others.
        sum: their sum.
        min: the least.
        max: the greatest.
    """

    module: str
    name: str
    kind: Literal["counter", "gauge", "histogram"]
    doc: str
    attributes: Mapping[str, str]
    value: float
    count: int | None = None
    sum: float | None = None
    min: float | None = None
    max: float | None = None
    _buckets: Sequence[tuple[float, int]] = field(default=(), repr=False, compare=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Metric:
        """Read what the engine says of an instrument."""
        same = {name: data[name] for name in ("module", "name", "kind", "doc", "attributes")}
        if data["kind"] != "histogram":
            return cls(**same, value=data["total"] if data["kind"] == "counter" else data["last"])
        per_doubling = 2.0 ** data["scale"]
        middles = [(2.0 ** ((index + 0.5) / per_doubling), count) for index, count in data["buckets"]]
        figures = {name: data[name] for name in ("count", "sum", "min", "max")}
        return cls(**same, value=data["sum"] / data["count"], **figures, _buckets=[(0.0, data["low"]), *middles])

    def __str__(self) -> str:
        attributes = ", ".join(f"{name}={value}" for name, value in self.attributes.items())
        return printable(f"{self.module}.{self.name}{f'{{{attributes}}}' if attributes else ''}: {self._figures()}")

    def _figures(self) -> str:
        if self.count is None or self.min is None or self.max is None:
            return f"{self.value:,}"
        quantiles = ", ".join(f"{_figure(self.quantile(share))} {name}" for name, share in _QUANTILES)
        return f"{self.count:,} of {_figure(self.min)} to {_figure(self.max)}, mean {_figure(self.value)}, {quantiles}"

    def quantile(self, share: float) -> float:
        """Estimate the value that so large a share of a histogram's values doesn't pass.

        It is right to 5 %, and to less where the values are millions of times apart.

        Args:
            share: from 0 to 1; 0.5 is the median.

        Raises:
            ValueError: the metric is no histogram.
        """
        if self.count is None or self.min is None or self.max is None:
            raise ValueError(f"`{self.name}` is a {self.kind}, not a histogram")
        if share >= 1:
            return self.max
        left = share * self.count
        for middle, count in self._buckets:
            left -= count
            if left <= 0 and count:
                return max(self.min, min(self.max, middle))
        return self.max


@dataclass(frozen=True)
class Recorded:
    """What Rust extensions logged, timed and measured during a run.

    Attributes:
        logs: log records by step and level, as far as anyone listened.
        dropped: log records that found no room on their way to `logging`; they are counted in `logs`.
        spans: spans by step and name.
        metrics: what was measured.
    """

    logs: tuple[LogCount, ...] = ()
    dropped: int = 0
    spans: tuple[SpanTotal, ...] = ()
    metrics: tuple[Metric, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recorded:
        """Read what the engine says."""
        return cls(
            logs=tuple(picked(LogCount, item) for item in data["logs"]),
            dropped=data["dropped"],
            spans=tuple(picked(SpanTotal, item) for item in data["spans"]),
            metrics=tuple(map(Metric.from_dict, data["metrics"])),
        )

    def lines(self) -> list[str]:
        """Say it for people; nothing where nothing was recorded."""
        lines = [self._logged()] if self.logs else []
        spans = [
            f"span `{printable(item.name)}`{_in(item.step)}: {item.count:,} in {duration(item.time_s)}"
            for item in self.spans
        ]
        said = [*spans, *map(str, self.metrics)]
        more = len(said) - _SHOWN
        return [*lines, *said[:_SHOWN], *([f"and {more:,} more spans and metrics"] if more > 0 else [])]

    def _logged(self) -> str:
        counts: dict[str, int] = dict.fromkeys(_LEVELS, 0)
        for item in self.logs:
            counts[item.level] += item.count
        said = ", ".join(_counted(level, count) for level, count in counts.items() if count)
        return f"logged: {said}" + (f"; {self.dropped:,} of them dropped, they came too fast" if self.dropped else "")


def _figure(value: float) -> str:
    return f"{value:,.4g}"


def _counted(level: str, count: int) -> str:
    return f"{count:,} {level}{'s' * (count != 1 and level in _COUNTABLE)}"


def _in(step: str | None) -> str:
    return "" if step is None else f" in `{step}`"


def duration(seconds: float) -> str:
    """Spell a time with three digits in a unit that suits it."""
    return _oxflow.duration(seconds)


def picked(cls: type[Any], item: Mapping[str, Any]) -> Any:
    """Take the fields that this version knows: the engine may report more."""
    return cls(**{name: item[name] for name in cls.__dataclass_fields__})
