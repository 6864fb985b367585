"""The rows of the table and their bars: what is run in a turn, and the figure that it gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import contestants as the

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from contestants import Contestant
    from measure import Cost

# How much longer the inputs of the rows about memory, lanes and checkpoints are.
LONGER = 4


@dataclass(frozen=True)
class Run:
    """A process.

    Attributes:
        contestant: what runs.
        to_file: whether what it makes is written to a file, or thrown away.
        source: which input it reads.
        times: how much longer than usual that is.
    """

    contestant: Contestant
    to_file: bool = True
    source: str = "events"
    times: int = 1


@dataclass(frozen=True)
class Comparison:
    """What is run one after the other in each turn, and the figure that it gives.

    Attributes:
        what: as the table calls it.
        runs: one process or two.
        value: the figure of a turn, from the costs of the runs without their start, and the number of messages.
        unit: of the figure.
        bar: what it must reach.
        at_most: whether less is better.
    """

    what: str
    runs: tuple[Run, ...]
    value: Callable[[Sequence[Cost], int], float]
    unit: str
    bar: float | None = None
    at_most: bool = False


def comparisons() -> Iterator[Comparison]:
    """All of them, for one size of message."""
    for to_file in (True, False):
        yield from _rates(to_file=to_file)
    yield from _whole()


def _rates(*, to_file: bool) -> Iterator[Comparison]:
    sink = "file" if to_file else "null"

    def times(contestant: Contestant, other: Contestant, bar: float | None = None) -> Comparison:
        runs = Run(contestant, to_file), Run(other, to_file)
        return Comparison(f"file to {sink}: {contestant.name} / {other.name}", runs, _speed, "x", bar)

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
    for contestant, bar in ((the.COPY, None), (the.NOTHING, 1.0)):
        what = f"file to {sink}: {contestant.name}"
        yield Comparison(what, (Run(contestant, to_file),), _micros, "us a message", bar, at_most=True)


def _whole() -> Iterator[Comparison]:
    once, least = Run(the.RUST, times=LONGER), Run(the.AT_LEAST_ONCE, times=LONGER)
    yield Comparison("exactly once / at least once", (once, least), _speed, "x", 0.95)
    two, one = (Run(contestant, source="half", times=LONGER) for contestant in (the.TWO_LANES, the.RUST))
    yield Comparison("2 lanes / 1 lane on two files, wall", (two, one), _wall, "x", 1.7)
    for contestant in (the.RUST, the.PYTHON):
        long, short = Run(contestant, times=LONGER), Run(contestant)
        yield Comparison(f"{contestant.name}: most memory", (long,), _memory, "MB", 60.0, at_most=True)
        what = f"{contestant.name}: memory with {LONGER} x the input"
        yield Comparison(what, (long, short), _growth, "x", 1.05, at_most=True)


def _speed(costs: Sequence[Cost], _: int) -> float:
    """How many messages the first does in the CPU time in which the second does one."""
    first, second = costs
    return second.cpu_s / first.cpu_s


def _wall(costs: Sequence[Cost], _: int) -> float:
    first, second = costs
    return second.wall_s / first.wall_s


def _micros(costs: Sequence[Cost], messages: int) -> float:
    (cost,) = costs
    return cost.cpu_s / messages * 1e6


def _memory(costs: Sequence[Cost], _: int) -> float:
    (cost,) = costs
    return cost.rss_kb / 1024


def _growth(costs: Sequence[Cost], _: int) -> float:
    long, short = costs
    return long.rss_kb / short.rss_kb
