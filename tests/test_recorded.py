"""What Rust extensions log, time and measure: in the report of a run, on the command line, and after a fork."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

import oxflow
from oxflow import Map, Parser, Serializer, StreamSink, streaming_source
from oxflow.report import Recorded, RunReport
from oxflow.testing import run

if TYPE_CHECKING:
    from pathlib import Path


def word(text: str, count: int = 1) -> bytes:
    return json.dumps({"text": text, "count": count}).encode()


def pipeline(function: Any) -> Any:
    start = streaming_source("source", stream_name="in").apply(Parser("parse", test_steps.Word))
    return (
        start.apply(Map("step", function=function))
        .apply(Serializer("serialize"))
        .sink(StreamSink("sink", stream_name="out"))
    )


def report_of(function: Any, *words: bytes) -> RunReport:
    return run(pipeline(function), {"in": list(words)}).report


# --- the report -----------------------------------------------------------------------------------------------------


def test_the_report_adds_up_what_was_measured() -> None:
    report = report_of(test_steps.record, word("abc", 1), word("a", 2), word("xyz", 7))
    metrics = {(metric.name, *metric.attributes.items()): metric for metric in report.recorded.metrics}
    assert {metric.module for metric in metrics.values()} == {"test_steps"}
    assert metrics["words",].value == 3
    assert metrics["words",].doc == "words that were looked at"
    assert metrics["last_count",].value == 7
    lengths = metrics["lengths",]
    assert (lengths.count, lengths.sum, lengths.min, lengths.max) == (3, 7, 1, 3)
    assert (lengths.quantile(0), lengths.quantile(1)) == (1, 3)
    assert lengths.quantile(0.5) == pytest.approx(3, rel=0.05)
    assert {key[1:]: metric.value for key, metric in metrics.items() if key[0] == "by_letter"} == {
        (("letter", "a"),): 2,
        (("letter", "x"),): 1,
    }


def test_lanes_are_added_up() -> None:
    parts = [[word("ab", number)] * 50 for number in range(4)]
    report = oxflow.run(
        pipeline(test_steps.record),
        streams={"in": parts, "out": "memory:"},
        overrides={"run.lanes": "4"},
    )
    assert report.lanes == 4
    metrics = {metric.name: metric for metric in report.recorded.metrics}
    assert (metrics["words"].value, metrics["by_letter"].value, metrics["lengths"].count) == (200, 200, 200)
    assert [(item.level, item.count) for item in report.recorded.logs] == [("error", 200), ("warning", 400)]
    assert [(span.name, span.count) for span in report.recorded.spans] == [("look", 200)]


def test_each_run_counts_its_own() -> None:
    first, second = (report_of(test_steps.record, word("abc")).recorded for _ in range(2))
    assert first.metrics == second.metrics


def test_sets_of_attributes_are_bounded() -> None:
    words = [word(f"{number}") for number in range(100)]
    metrics = report_of(test_steps.count_each, *words).recorded.metrics
    assert len(metrics) == 65
    (overflow,) = [metric for metric in metrics if metric.attributes == {"oxflow.overflow": "true"}]
    assert overflow.value == 36


def test_the_printed_report_says_what_was_recorded() -> None:
    text = str(report_of(test_steps.record, word("abc", 4)))
    assert "logged: 1 error, 2 warnings\nspan `look` in `step`: 1 in " in text
    assert "\ntest_steps.by_letter{letter=a}: 1\n" in text
    assert "\ntest_steps.lengths: 1 of 3 to 3, mean 3, 3 median, 3 p95, 3 p99\n" in text


def test_a_report_says_nothing_where_nothing_was_recorded() -> None:
    report = report_of(test_steps.silent, word("abc"))
    assert report.recorded == Recorded()
    assert [line for line in str(report).splitlines() if line.startswith(("logged", "span", "test_steps"))] == []


def test_a_quantile_is_of_histograms_only() -> None:
    report = report_of(test_steps.record, word("abc"))
    counter = next(metric for metric in report.recorded.metrics if metric.name == "words")
    with pytest.raises(ValueError, match="`words` is a counter"):
        counter.quantile(0.5)


# --- processes ------------------------------------------------------------------------------------------------------

APP = """
import test_steps
from oxflow import Map, Parser, Serializer, StreamSink, streaming_source
LOGGING
start = streaming_source("source", stream_name="in").apply(Parser("parse", test_steps.Word))
pipeline = start.apply(Map("step", function=test_steps.record)).apply(Serializer("serialize")).sink(StreamSink("sink", stream_name="out"))
"""


def command(folder: Path, *options: str, logging: str = "") -> subprocess.CompletedProcess[str]:
    (folder / "app.py").write_text(APP.replace("LOGGING", logging), encoding="utf-8")
    (folder / "in.jsonl").write_bytes(word("abc") + b"\n")
    call = [sys.executable, "-m", "oxflow", "run", "app.py", "--stream", "in=file:in.jsonl"]
    streams = ["--stream", "out=file:out.jsonl"]
    return subprocess.run(
        [*call, *streams, *options], cwd=folder, capture_output=True, text=True, check=True, timeout=60
    )


def test_the_command_shows_warnings_and_errors(tmp_path: Path) -> None:
    lines = command(tmp_path).stderr.splitlines()
    assert [line for line in lines if "OXF0603" not in line and line[0] != " "] == [
        "warning: test_steps.elsewhere, step `step`: abc is odd",
        "warning: test_steps.recorded, step `step`: by log: abc",
        "error: test_steps.recorded, step `step`: outside of the span",
    ]


def test_the_quiet_command_shows_none(tmp_path: Path) -> None:
    assert command(tmp_path, "--quiet").stderr == ""


def test_a_pipeline_that_configures_logging_has_its_way(tmp_path: Path) -> None:
    configured = "import logging; logging.basicConfig(level='ERROR', format='mine: %(message)s')"
    assert command(tmp_path, "--quiet", logging=configured).stderr == "mine: outside of the span\n"


def test_the_command_gives_what_was_recorded_as_json(tmp_path: Path) -> None:
    found = json.loads(command(tmp_path, "--json", "--quiet").stdout)["recorded"]
    assert {item["level"]: item["count"] for item in found["logs"]} == {"error": 1, "warning": 2}
    assert [item["total"] for item in found["metrics"] if item["name"] == "words"] == [1]


FORK = """
import logging, os, threading
import oxflow, test_steps
from oxflow import Map, Message, Parser, Serializer, StreamSink, streaming_source

class Tell(logging.Handler):
    def emit(self, record):
        # The first record keeps the others in the queue, until the child is there.
        forked.wait(20)
        os.write(1, f"{'parent' if os.getpid() == parent else 'child'} {record.getMessage()}\\n".encode())

parent, forked = os.getpid(), threading.Event()
logging.root.addHandler(Tell())
logging.root.setLevel(logging.DEBUG)

def fork(message):
    child = os.fork()
    if child == 0:
        forked.set()
        test_steps.record(Message({"text": "b", "count": 1, "tags": {}}))
        os._exit(0)
    os.waitpid(child, 0)
    forked.set()
    return message.payload

start = streaming_source("source", stream_name="in").apply(Parser("parse", test_steps.Word))
steps = start.apply(Map("warn", function=test_steps.warn_often)).apply(Map("fork", function=fork))
pipeline = steps.apply(Serializer("serialize")).sink(StreamSink("sink", stream_name="out"))
oxflow.run(pipeline, streams={"in": [b'{"text": "a", "count": 3}'], "out": "memory:"})
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_shows_its_own_records_and_none_of_its_parent(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(FORK, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(program)], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.splitlines() == [
        "child seen count=1",
        "child 100 % text=b flag=True share=0.5 big=18446744073709551615 shown={}",
        "child b is odd",
        "child by log: b",
        "child outside of the span",
        "parent again number=0",
        "parent again number=1",
        "parent again number=2",
    ]
