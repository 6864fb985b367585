"""How a report reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from oxflow.report import RunReport, duration

if TYPE_CHECKING:
    from oxflow.report import StopSignal

DATA: dict[str, Any] = {
    "status": "drained",
    "ended": True,
    "delivery": "exactly_once",
    "elapsed_s": 2.0,
    "lanes": 2,
    "messages_in": 200_000,
    "messages_out": 40_000,
    "steps": [
        {
            "name": "parse",
            "kind": "parser",
            "language": "python",
            "messages_in": 200_000,
            "messages_out": 199_999,
            "errors": 1,
            "skipped": 1001,
            "dead_lettered": 1,
            "retried": 1200,
            "unknown_fields": 3,
            "time_s": 1.25,
            "waiting_s": 0.25,
            "in_flight": 0,
            "busy_lanes": 0,
        },
        {
            "name": "out",
            "kind": "sink",
            "language": None,
            "messages_in": 0,
            "messages_out": 0,
            "errors": 0,
            "skipped": 0,
            "dead_lettered": 0,
            "retried": 0,
            "unknown_fields": 0,
            "time_s": 0.0,
            "waiting_s": 0.0,
            "in_flight": 0,
            "busy_lanes": 0,
        },
    ],
    "sources": [
        {
            "stream": "a",
            "partition": 0,
            "name": "in.jsonl",
            "resumed_at": None,
            "committed": 200_000,
            "position_bytes": 200_000,
            "size_bytes": 200_000,
            "end": None,
            "lag": None,
        }
    ],
    "skipped": [{"step": "parse", "origin": "in.jsonl, line 7", "code": "OXF0503", "error": "DecodeError: no object"}],
    "exit": None,
    "checkpoint": None,
    "resumed": False,
    "recorded": {"logs": [], "dropped": 0, "spans": [], "metrics": []},
    "later": "a newer engine may say more",
}


def test_a_report_reads_as_a_table_with_aligned_numbers() -> None:
    assert (
        str(RunReport.from_json(json.dumps(DATA), {}))
        == """\
step   kind    language       in      out  errors  skipped  dead letters  retried    time  per message
parse  parser  python    200,000  199,999       1    1,001             1    1,200  1.25 s      6.25 us
out    sink    -               0        0       0        0             0        0    0 us            -

skipped[OXF0503]: `parse` at in.jsonl, line 7: DecodeError: no object
and 1,000 more
drained in 2 s on 2 lanes: 200,000 messages in, 40,000 out, 1,001 skipped, 1 dead letter, 1,200 retried, 3 unknown fields dropped, 100,000 messages/s"""
    )


def test_a_report_keeps_all_that_the_engine_said() -> None:
    report = RunReport.from_json(json.dumps(DATA), {})
    assert report.as_dict() == {**DATA, "stopped_by": None}
    assert report.sources[0].committed == 200_000


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0 us"), (2.5e-7, "0.25 us"), (0.0015, "1.5 ms"), (61.5, "61.5 s"), (4000.0, "4,000 s")]
)
def test_times_have_a_unit_that_suits_them(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("ended", "stopped_by", "text"),
    [
        (True, None, "drained in 2 s "),
        (False, "SIGINT", "drained, stopped by SIGINT before the end of the source, in 2 s "),
        (True, "SIGTERM", "drained, stopped by SIGTERM, in 2 s "),
    ],
)
def test_the_summary_says_whether_a_signal_stopped_the_run(
    *, ended: bool, stopped_by: StopSignal | None, text: str
) -> None:
    report = RunReport.from_json(json.dumps({**DATA, "ended": ended}), {}, stopped_by)
    assert str(report).splitlines()[-1].startswith(text)


def test_what_seldom_happens_has_a_column_only_where_it_did() -> None:
    quiet = {"errors": 0, "skipped": 0, "dead_lettered": 0, "retried": 0}
    steps = [step | quiet for step in DATA["steps"]]
    text = str(RunReport.from_json(json.dumps({**DATA, "steps": steps, "skipped": []}), {}))
    assert "dead letter" not in text
    assert "retried" not in text
    assert " skipped," not in text


def test_the_report_of_a_run_that_stopped_says_how_it_goes_on() -> None:
    report = RunReport.from_json(json.dumps({**DATA, "checkpoint": "out.jsonl.oxflow", "resumed": True}), {})
    summary, kept = str(report).splitlines()[-2:]
    assert summary.startswith("drained in 2 s on 2 lanes, resumed where an earlier run stopped: 200,000 messages in")
    assert kept == "checkpoint out.jsonl.oxflow kept: the same command goes on from it"


def test_one_message_is_no_messages() -> None:
    report = RunReport.from_json(json.dumps({**DATA, "messages_in": 1}), {})
    assert ": 1 message in, " in str(report)
