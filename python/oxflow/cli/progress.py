"""How a run that goes on looks: a line for each step, and how far the files were read.

    step         rate  in flight  errors  waiting
      in      12.3k/s          0       0
    > double  12.3k/s      1,024       3     12 %
      out     12.2k/s          0       0
    0:07 [==========>              ]  42 %  1.05 of 2.5 GB

A step is marked where most of the lanes' time goes.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from oxflow.report import RunReport, StepReport

__all__ = ["columns", "render"]

_RED = "\x1b[31m"
_BOLD = "\x1b[1m"
_PLAIN = "\x1b[0m"
_MARK = "> "
_GAP = "  "
_CUT = ".."
# What a name gets before another column is shown.
_ENOUGH_FOR_A_NAME = 8
_SHORTEST_BAR = 10
_LONGEST_BAR = 40


@dataclass(frozen=True)
class _Column:
    """A column of numbers. Its width is fixed, so that nothing moves when a number becomes longer."""

    title: str
    width: int


_RATE = _Column("rate", 8)
_IN_FLIGHT = _Column("in flight", 9)
_ERRORS = _Column("errors", 6)
_WAITING = _Column("waiting", 7)
_COLUMNS = (_RATE, _IN_FLIGHT, _ERRORS, _WAITING)
# In this order they find room.
_BY_WEIGHT = (_RATE, _ERRORS, _IN_FLIGHT, _WAITING)


@dataclass(frozen=True)
class _Row:
    name: str
    cells: dict[_Column, str]
    marked: bool = False
    failed: bool = False


_HEAD = _Row("step", {column: column.title for column in _COLUMNS})


def render(
    report: RunReport, previous: RunReport | None, width: int, height: int, *, colour: bool = False
) -> list[str]:
    """Draw a run.

    Args:
        report: how the run stands.
        previous: how it stood some time ago, from which rates are told; `None` if that is not known yet.
        width: columns of the terminal.
        height: its lines.
        colour: whether to use any.

    Returns:
        Lines that fit, without line breaks; none where nothing fits.
    """
    # The last column stays empty, where some terminals break the line; so does the last line, where the cursor waits.
    width, height = width - 1, height - 1
    if width < 1 or height < 1:
        return []
    rows = _fitting(_rows(report, previous), height - 2)
    table = _table(rows, width, colour=colour) if rows else []
    return [*table, _status(report, width)]


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


# --- steps ----------------------------------------------------------------------------------------------------------


def _rows(report: RunReport, previous: RunReport | None) -> list[_Row]:
    before: Sequence[StepReport | None] = [None] * len(report.steps) if previous is None else previous.steps
    elapsed = 0.0 if previous is None else report.elapsed_s - previous.elapsed_s
    pairs = list(zip(report.steps, before, strict=True))
    busiest = _busiest(report, pairs, elapsed)
    return [
        _Row(
            step.name,
            {
                _RATE: _rate(step, old, elapsed),
                _IN_FLIGHT: _count(step.in_flight),
                _ERRORS: _count(step.errors),
                _WAITING: _waiting(step, old),
            },
            marked=index == busiest,
            failed=step.errors > 0,
        )
        for index, (step, old) in enumerate(pairs)
    ]


def _busiest(report: RunReport, pairs: Iterable[tuple[StepReport, StepReport | None]], elapsed: float) -> int | None:
    """The step that took most of the time. While a call takes long nothing is counted, and it is where the lanes are."""
    times = [step.time_s - (old.time_s if old else 0.0) for step, old in pairs]
    lanes_s = (elapsed or report.elapsed_s) * report.lanes
    if sum(times) < lanes_s / 2:
        times = [float(step.busy_lanes) for step in report.steps]
    longest = max(times, default=0.0)
    return times.index(longest) if longest > 0 else None


def _rate(step: StepReport, old: StepReport | None, elapsed: float) -> str:
    if old is None or elapsed <= 0:
        return "-"
    rate = (step.messages_in - old.messages_in) / elapsed
    return f"{rate:.1f}/s" if 0 < rate < 10 else f"{_count(round(rate))}/s"  # noqa: PLR2004  # two digits at least


def _waiting(step: StepReport, old: StepReport | None) -> str:
    time, waiting = step.time_s, step.waiting_s
    if old is not None and time > old.time_s:
        time, waiting = time - old.time_s, waiting - old.waiting_s
    percent = round(100 * waiting / time) if time > 0 else 0
    if step.language != "python" and percent == 0:
        # It has no business with the interpreter.
        return ""
    return f"{percent} %" if time > 0 else "-"


def _fitting(rows: list[_Row], lines: int) -> list[_Row]:
    """As many as fit, and what the others have together."""
    if len(rows) <= lines:
        return rows
    if lines < 1:
        return []
    shown, rest = rows[: lines - 1], rows[lines - 1 :]
    marked = any(row.marked for row in rest)
    failed = sum(row.failed for row in rest)
    name = f"{len(rest)} more" + (f", {failed} with errors" if failed else "")
    return [*shown, _Row(name, {}, marked=marked, failed=failed > 0)]


# --- lines ----------------------------------------------------------------------------------------------------------


def _table(rows: list[_Row], width: int, *, colour: bool) -> list[str]:
    longest = max(columns(row.name) for row in [*rows, _HEAD])
    room = width - len(_MARK)
    if room < columns(_HEAD.name):
        return []
    numbers = _numbers(room, longest)
    name_width = min(longest, room - _room_of(numbers))
    return [_line(row, numbers, name_width, colour=colour) for row in [_HEAD, *rows]]


def _numbers(room: int, longest: int) -> list[_Column]:
    """The columns that fit beside the names. The rate may take room from these, the others may not."""
    shown: list[_Column] = []
    for column in _BY_WEIGHT:
        least = min(longest, _ENOUGH_FOR_A_NAME) if shown else columns(_HEAD.name)
        if room - _room_of([*shown, column]) >= least:
            shown.append(column)
    return [column for column in _COLUMNS if column in shown]


def _room_of(numbers: list[_Column]) -> int:
    return sum(len(_GAP) + column.width for column in numbers)


def _line(row: _Row, numbers: list[_Column], name_width: int, *, colour: bool) -> str:
    red, bold = (_RED if colour and row.failed else ""), (_BOLD if colour and row.marked else "")
    cells = [(row.cells.get(column, "").rjust(column.width), red if column is _ERRORS else "") for column in numbers]
    parts = [_cut(row.name, name_width), *(_painted(text, paint) for text, paint in cells)]
    return _painted(_MARK if row.marked else " " * len(_MARK), bold) + _GAP.join(parts).rstrip()


def _painted(text: str, colour: str) -> str:
    return f"{colour}{text}{_PLAIN}" if colour else text


def _cut(name: str, width: int) -> str:
    """The name in exactly so many columns."""
    if columns(name) > width:
        while name and columns(name) > width - len(_CUT):
            name = name[:-1]
        name = name + _CUT
    return name + " " * (width - columns(name))


def _status(report: RunReport, width: int) -> str:
    time = _clock(report.elapsed_s)
    sizes = [(source.position_bytes, source.size_bytes) for source in report.sources]
    known = [(position or 0, size) for position, size in sizes if size is not None]
    total = sum(size for _, size in known)
    if len(known) < len(sizes) or total == 0:
        messages = "1 message" if report.messages_in == 1 else f"{report.messages_in:,} messages"
        return _first_that_fits(width, f"{time}{_GAP}{messages}", time)
    # A file may have grown since.
    done = min(1.0, sum(position for position, _ in known) / total)
    percent = f"{int(done * 100):3} %"
    amounts = _GAP + _amounts(sum(position for position, _ in known), total)
    for tail in (amounts, ""):
        bar = min(_LONGEST_BAR, width - len(f"{time} []{_GAP}{percent}{tail}"))
        if bar >= _SHORTEST_BAR:
            return f"{time} [{_bar(done, bar)}]{_GAP}{percent}{tail}"
    return _first_that_fits(width, f"{time}{_GAP}{percent.strip()}", percent.strip())


def _first_that_fits(width: int, *texts: str) -> str:
    return next((text for text in texts if len(text) <= width), "")


def _bar(done: float, width: int) -> str:
    full = int(done * width)
    return ("=" * full + ">" * (full < width)).ljust(width)


# --- numbers --------------------------------------------------------------------------------------------------------


def _count(number: int) -> str:
    """Spell a number in five columns: `9,999`, `12.3k`, `1.23M`."""
    if number < 10_000:  # noqa: PLR2004  # what a column has room for
        return f"{number:,}"
    return _scaled(number, (("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)))


def _amounts(part: int, total: int) -> str:
    units = ((" B", 1.0), (" kB", 1e3), (" MB", 1e6), (" GB", 1e9), (" TB", 1e12))
    return f"{_scaled(part, units)} of {_scaled(total, units)}"


def _scaled(number: int, units: Sequence[tuple[str, float]]) -> str:
    """Three digits and a unit."""
    # From 999.5 on three digits would round to a thousand.
    unit, size = next((unit for unit in units if number / unit[1] < 999.5), units[-1])  # noqa: PLR2004  # rounded to three digits
    return f"{number / size:#.3g}".rstrip(".") + unit if size > 1 else f"{number}{unit}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
