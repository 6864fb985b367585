"""Ratios of turns: the one way in which the benchmarks compare.

What is compared is measured one after the other in each turn, so that a slow second of a shared machine meets both, and each
turn gives a ratio of its own. The median of the ratios is the figure; the middle half of them says how steady it is.
"""

from __future__ import annotations

import datetime as dt
import json
import platform
import statistics
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Spread(NamedTuple):
    """The figures of the turns in short."""

    median: float
    low: float
    """A quarter of the turns gave less."""
    high: float
    """A quarter gave more."""

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The median and the middle half; of one turn its figure alone."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        low, median, high = statistics.quantiles(values, n=4, method="inclusive")
        return cls(median, low, high)


class Row(NamedTuple):
    """A figure and its bar; a row without a bar is there to be looked at."""

    what: str
    value: Spread
    unit: str
    bar: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the figure reaches its bar."""
        if self.bar is None:
            return None
        return self.value.median <= self.bar if self.at_most else self.value.median >= self.bar


def ratios(first: Sequence[float], second: Sequence[float]) -> Spread:
    """The first against the second, turn by turn."""
    return Spread.of([mine / theirs for mine, theirs in zip(first, second, strict=True)])


def render(rows: Sequence[Row]) -> str:
    """The table as text: what, figure, middle half, unit, bar, verdict."""
    widest = max(len(row.what) for row in rows)
    digits = {"ns": 0, "ns a call": 0, "ns a message": 0}
    lines: list[str] = []
    for row in rows:
        places = digits.get(row.unit, 2)
        median, low, high = (f"{value:.{places}f}" for value in row.value)
        sign = "<=" if row.at_most else ">="
        verdict = "" if row.met is None else f"{sign} {row.bar:<5g} {'met' if row.met else 'MISSED'}"
        middle = f"({low} to {high})"
        lines.append(f"{row.what:<{widest}}  {median:>8} {row.unit:<12}  {middle:<18}  {verdict}".rstrip())
    return "\n".join(lines)


def keep(folder: Path, name: str, rows: Sequence[Row], raw: dict[str, Any]) -> None:
    """Write the rows and the raw figures that they are of into a file of this minute."""
    now = dt.datetime.now(dt.timezone.utc)
    machine = f"{platform.machine()}, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    shown = [row._asdict() | {"value": row.value._asdict(), "met": row.met} for row in rows]
    kept = {"at": now.isoformat(timespec="seconds"), "machine": machine, "rows": shown, **raw}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y-%m-%d-%H%M}-{name}.json"
    path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    print(f"raw figures in {path}", file=sys.stderr)
