"""How a run looks while it goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oxflow.cli.progress import columns, render
from oxflow.report import RunReport


def step(name: str, messages: int = 0, **more: Any) -> dict[str, Any]:
    counts = {"messages_in": messages, "messages_out": messages, "errors": 0, "skipped": 0}
    counts |= {"dead_lettered": 0, "retried": 0, "unknown_fields": 0, "in_flight": 0, "busy_lanes": 0}
    return {"name": name, "kind": "map", "language": "python", **counts, "time_s": 0.0, "waiting_s": 0.0, **more}


def source(position: int | None, size: int | None) -> dict[str, Any]:
    return {
        "stream": "in",
        "partition": 0,
        "name": "in.jsonl",
        "resumed_at": None,
        "committed": None,
        "position_bytes": position,
        "size_bytes": size,
        "end": None,
        "lag": None,
    }


def report(elapsed_s: float, *steps: dict[str, Any], sources: list[dict[str, Any]] | None = None) -> RunReport:
    data: dict[str, Any] = {
        "status": "running",
        "ended": False,
        "delivery": "exactly_once",
        "elapsed_s": elapsed_s,
        "lanes": 1,
        "messages_in": steps[0]["messages_in"] if steps else 0,
        "messages_out": 0,
        "steps": steps,
        "sources": sources or [source(None, None)],
        "skipped": [],
        "exit": None,
        "checkpoint": None,
        "resumed": False,
        "recorded": {"logs": [], "dropped": 0, "spans": [], "metrics": []},
    }
    return RunReport.from_json(json.dumps(data), {})


def shown(
    now: RunReport, before: RunReport | None = None, width: int = 80, height: int = 24, *, colour: bool = False
) -> str:
    return "\n".join(render(now, before, width, height, colour=colour))


EARLY = report(
    5.0,
    step("in", 1000, language=None),
    step("double", 1000, time_s=1.0, waiting_s=0.9),
    step("out", 990, language=None),
)
LATE = report(
    7.0,
    step("in", 26_000, language=None, time_s=0.1),
    step("double", 25_000, in_flight=1024, errors=3, busy_lanes=1, time_s=2.0, waiting_s=1.02),
    step("out", 1000, language=None, time_s=0.1),
    sources=[source(1_050_000_000, 2_000_000_000), source(0, 500_000_000)],
)


def test_a_run_is_a_line_for_each_step_and_a_bar() -> None:
    assert (
        shown(LATE, EARLY)
        == """\
  step        rate  in flight  errors  waiting
  in       12.5k/s          0       0
> double   12.0k/s      1,024       3     12 %
  out        5.0/s          0       0
0:07 [================>                       ]   42 %  1.05 GB of 2.50 GB"""
    )


def test_at_first_no_rate_is_known() -> None:
    first = report(0.3, step("in", language=None, busy_lanes=1), step("out", language=None))
    assert (
        shown(first)
        == """\
  step      rate  in flight  errors  waiting
> in           -          0       0
  out          -          0       0
0:00  0 messages"""
    )


@pytest.mark.parametrize("width", range(1, 120))
def test_no_line_is_as_wide_as_the_terminal(width: int) -> None:
    lines = render(LATE, EARLY, width, 24)
    assert all(columns(line) < width for line in lines), lines


def test_a_narrow_terminal_shows_what_matters_most() -> None:
    assert (
        shown(LATE, EARLY, width=20)
        == """\
  step        rate
  in       12.5k/s
> double   12.0k/s
  out        5.0/s
0:07  42 %"""
    )


def test_long_names_are_cut() -> None:
    name = "a-step-with-a-very-long-name-indeed"
    assert "\n  a-step-wit..         -          0       0" in shown(report(1.0, step(name)), width=44)


def test_names_may_be_wide() -> None:
    lines = render(report(1.0, step("出力"), step("plain")), None, 60, 24)
    assert {columns(line) for line in lines[1:3]} == {columns(lines[0])}
    assert columns("出力") == 4


@pytest.mark.parametrize("height", range(1, 40))
def test_no_more_lines_than_the_terminal_has_above_the_cursor(height: int) -> None:
    many = report(1.0, *(step(f"step-{number}") for number in range(30)))
    assert len(render(many, None, 80, height)) <= height - 1


def test_of_many_steps_the_rest_is_one_line() -> None:
    steps = [step(f"step-{number}", errors=int(number > 27), busy_lanes=int(number == 20)) for number in range(30)]
    lines = render(report(1.0, *steps), None, 80, 8)
    assert [line.split("  ")[0].strip() or line.split()[0] for line in lines[1:4]] == ["step-0", "step-1", "step-2"]
    assert lines[-2] == "> 26 more, 2 with errors"
    assert lines[-1].startswith("0:01")


def test_the_step_that_takes_most_of_the_time_is_marked() -> None:
    before = report(1.0, step("quick"), step("slow", time_s=5.0))
    now = report(3.0, step("quick", time_s=1.5, busy_lanes=0), step("slow", time_s=5.3, busy_lanes=1))
    assert "\n> quick" in shown(now, before)


def test_while_a_call_takes_long_its_step_is_marked() -> None:
    before = report(1.0, step("quick", time_s=0.9), step("slow"))
    now = report(3.0, step("quick", time_s=0.9), step("slow", busy_lanes=1))
    assert "\n> slow" in shown(now, before)


@pytest.mark.parametrize(
    ("messages", "rate"),
    [
        (0, "0/s"),
        (1, "0.5/s"),
        (19_998, "9,999/s"),
        (20_000, "10.0k/s"),
        (1_998_000, "999k/s"),
        (1_999_200, "1.00M/s"),
        (400_000_000, "200M/s"),
    ],
)
def test_rates_have_three_digits_and_a_unit(messages: int, rate: str) -> None:
    line = render(report(3.0, step("a", messages)), report(1.0, step("a")), 80, 24)[1]
    assert line.split()[1 + line.startswith(">")] == rate


@pytest.mark.parametrize(
    ("sources", "end"),
    [
        ([source(0, 100)], "  0 %  0 B of 100 B"),
        ([source(100, 100)], "100 %  100 B of 100 B"),
        ([source(200, 100)], "100 %  200 B of 100 B"),
        ([source(1_234, 9_999_999)], "  0 %  1.23 kB of 10.0 MB"),
        ([source(5, 10), source(None, None)], "0:01  1 message"),
        ([source(0, 0)], "0:01  1 message"),
    ],
)
def test_there_is_a_bar_where_all_sizes_are_known(sources: list[dict[str, Any]], end: str) -> None:
    assert shown(report(1.0, step("in", 1), sources=sources)).endswith(end)


def test_hours_have_minutes_and_seconds() -> None:
    assert shown(report(3725.0, step("in"))).splitlines()[-1].startswith("1:02:05  ")


def test_errors_are_red_where_colours_are_wanted() -> None:
    assert "\x1b[31m     3\x1b[0m" in shown(LATE, EARLY, colour=True)
    assert "\x1b" not in shown(LATE, EARLY)


def test_where_nothing_fits_nothing_is_shown() -> None:
    assert render(LATE, EARLY, 1, 24) == []
    assert render(LATE, EARLY, 80, 1) == []
