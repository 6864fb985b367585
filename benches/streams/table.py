"""The rows of the table and their bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import contestants as the

if TYPE_CHECKING:
    from collections.abc import Iterator

    from contestants import Contestant
    from measure import Cost


class Row(NamedTuple):
    """A figure and its bar; a row without a bar is there to be looked at."""

    size: str
    what: str
    value: float
    unit: str
    bar: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the figure reaches its bar."""
        if self.bar is None:
            return None
        return self.value <= self.bar if self.at_most else self.value >= self.bar


class Figures(NamedTuple):
    """Medians of one size of message."""

    size: str
    lines: int
    median: dict[tuple[str, str, str], Cost]
    longer: int

    def micros(self, contestant: Contestant, sink: str) -> float:
        """CPU time of a message, start not included, in microseconds."""
        start = self.median[self.size, "start", contestant.name]
        return (self.cost(contestant, sink).cpu_s - start.cpu_s) / self.lines * 1e6

    def cost(self, contestant: Contestant, run: str) -> Cost:
        """The whole process."""
        return self.median[self.size, run, contestant.name]

    def rate(self, contestant: Contestant, other: Contestant, sink: str) -> float:
        """How many messages one does in the CPU time in which another does one."""
        return self.micros(other, sink) / self.micros(contestant, sink)


def rows(figures: Figures) -> Iterator[Row]:
    """All rows of one size."""
    for sink in ("file", "null"):
        yield from _rates(figures, sink)
    yield from _whole(figures)


def _rates(figures: Figures, sink: str) -> Iterator[Row]:
    def times(contestant: Contestant, other: Contestant, bar: float | None = None) -> Row:
        what = f"file to {sink}: {contestant.name} / {other.name}"
        return Row(figures.size, what, figures.rate(contestant, other, sink), "x", bar)

    for contestant in the.WORKERS:
        what = f"file to {sink}: {contestant.name}"
        yield Row(figures.size, what, figures.micros(contestant, sink), "us a message")
    yield times(the.RUST, the.RUST_LOOP, 0.65)
    yield times(the.BORROWED, the.BORROWED_LOOP, 0.8)
    yield times(the.RUST, the.BYTEWAX, 2.5)
    yield times(the.BORROWED, the.BYTEWAX, 2.5)
    yield times(the.RUST, the.ORJSON_LOOP)
    yield times(the.BORROWED, the.ORJSON_LOOP, 1.8)
    yield times(the.PYTHON, the.ORJSON_LOOP, 1.0)
    yield times(the.PYTHON, the.BYTEWAX, 1.4)
    yield times(the.DICT_RUST_FILTER, the.PYTHON, 1.0)
    yield times(the.DICT_RUST_MAP, the.PYTHON, 1.0)
    # The pipeline that they are moved into checks the same type as they do.
    yield times(the.RUST_FILTER, the.TYPED, 1.0)
    yield times(the.RUST_MAP, the.TYPED, 1.0)
    # What the kernel takes for reading and writing the same bytes is the floor of the row after it.
    yield Row(figures.size, f"file to {sink}: {the.COPY.name}", figures.micros(the.COPY, sink), "us a message")
    what = f"file to {sink}: {the.NOTHING.name}"
    yield Row(figures.size, what, figures.micros(the.NOTHING, sink), "us a message", 1.0, at_most=True)


def _whole(figures: Figures) -> Iterator[Row]:
    size = figures.size
    once, least = figures.cost(the.RUST, "long"), figures.cost(the.AT_LEAST_ONCE, "long")
    yield Row(size, "exactly once / at least once, CPU", least.cpu_s / once.cpu_s, "x", 0.95)
    yield Row(size, "exactly once / at least once, wall", least.wall_s / once.wall_s, "x")
    one, two = figures.cost(the.RUST, "two files"), figures.cost(the.TWO_LANES, "two files")
    yield Row(size, "2 lanes / 1 lane on two files, wall", one.wall_s / two.wall_s, "x", 1.7)
    for contestant in (the.RUST, the.PYTHON):
        short, long = figures.cost(contestant, "file").rss_kb / 1024, figures.cost(contestant, "long").rss_kb / 1024
        yield Row(size, f"{contestant.name}: most memory", long, "MB", 60.0, at_most=True)
        what = f"{contestant.name}: memory with {figures.longer} x the input"
        yield Row(size, what, long / short, "x", 1.05, at_most=True)


def render(rows: list[Row]) -> str:
    """The table as text."""
    widest = max(len(row.what) for row in rows)
    lines: list[str] = []
    for row in rows:
        sign = "<=" if row.at_most else ">="
        verdict = "" if row.met is None else f"{sign} {row.bar:<5g} {'met' if row.met else 'MISSED'}"
        lines.append(f"{row.size:>5}  {row.what:<{widest}}  {row.value:8.2f} {row.unit:<12}  {verdict}".rstrip())
    return "\n".join(lines)
