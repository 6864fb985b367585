"""The command line: what it prints where, and what it exits with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE = """\
from typing import TypedDict

from oxflow import Map, Message, Parser, Serializer, StreamSink, streaming_source


class Metric(TypedDict):
    value: int


def doubled(msg: Message[Metric]) -> Metric:
    if msg.payload["value"] < 0:
        raise ValueError("negative")
    return {"value": msg.payload["value"] * 2}


pipeline = (
    streaming_source("in", stream_name="a")
    .apply(Parser("parse", Metric))
    .apply(Map("double", function=doubled))
    .apply(Serializer("write"))
    .sink(StreamSink("out", stream_name="b"))
)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(PIPELINE)
    (tmp_path / "in.jsonl").write_text('{"value":1}\n{"value":2}\n')
    return tmp_path


def oxflow(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OXFLOW__")}
    command = [sys.executable, "-m", "oxflow", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=environment)


BINDINGS = ("--stream", "a=file:in.jsonl", "--stream", "b=file:out.jsonl")


def test_run_writes_the_sink_and_prints_the_report(folder: Path) -> None:
    done = oxflow(folder, "run", "app.py", *BINDINGS)
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "out.jsonl").read_text() == '{"value":2}\n{"value":4}\n'
    assert done.stdout.splitlines()[-1].startswith("drained in ")


def test_run_takes_a_module_and_prints_json(folder: Path) -> None:
    done = oxflow(folder, "run", "app:pipeline", *BINDINGS, "--json")
    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert (report["messages_out"], report["ended"], report["stopped_by"]) == (2, True, None)


def test_messages_on_stdout_are_alone_there(folder: Path) -> None:
    done = oxflow(folder, "run", "app.py", "--stream", "a=file:in.jsonl", "--stream", "b=stdout:")
    assert done.stdout == '{"value":2}\n{"value":4}\n'
    assert "drained in " in done.stderr


def test_quiet_prints_no_report(folder: Path) -> None:
    done = oxflow(folder, "run", "app.py", *BINDINGS, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_json_is_printed_also_when_quiet(folder: Path) -> None:
    done = oxflow(folder, "run", "app.py", *BINDINGS, "--quiet", "--json")
    assert (json.loads(done.stdout)["status"], done.stderr) == ("drained", "")


def test_what_keeps_a_run_from_starting_is_printed_as_json(folder: Path) -> None:
    done = oxflow(folder, "run", "app.py", "--json")
    assert done.returncode == 4
    assert [item["code"] for item in json.loads(done.stdout)["error"]] == ["OXF0401", "OXF0401"]
    (folder / "app.py").write_text("raise RuntimeError('no')\n")
    done = oxflow(folder, "run", "app.py", "--json")
    assert done.returncode == 3
    assert [item["why"] for item in json.loads(done.stdout)["error"]] == ["RuntimeError: no"]


def test_the_json_of_a_run_that_failed_names_the_error(folder: Path) -> None:
    (folder / "in.jsonl").write_text('{"value":-1}\n')
    done = oxflow(folder, "run", "app.py", *BINDINGS, "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["status"]) == (1, "failed")
    assert [item["code"] for item in report["error"]] == ["OXF0501"]


def test_check_tells_as_json_what_a_target_raised(folder: Path) -> None:
    (folder / "app.py").write_text("raise RuntimeError('no')\n")
    done = oxflow(folder, "check", "app.py", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["ok"]) == (3, False)
    assert [(item["code"], item["why"]) for item in found["diagnostics"]] == [("OXF0108", "RuntimeError: no")]


def test_a_step_that_raises_shows_the_users_frames_only(folder: Path) -> None:
    (folder / "in.jsonl").write_text('{"value":-1}\n')
    done = oxflow(folder, "run", "app.py", *BINDINGS, "--quiet")
    assert done.returncode == 1
    assert done.stderr.startswith("error[OXF0501]: ")
    file = folder / "app.py"
    assert done.stderr.endswith(
        f"""\
Traceback (most recent call last):
  File "{file}", line 12, in doubled
    raise ValueError("negative")
ValueError: negative
"""
    )
    assert "oxflow/" not in done.stderr.replace(str(folder), "")


def test_a_payload_that_is_not_of_its_type_is_told_once(folder: Path) -> None:
    (folder / "in.jsonl").write_text('{"value":"1"}\n')
    done = oxflow(folder, "run", "app.py", *BINDINGS, "--quiet")
    assert done.returncode == 1
    assert done.stderr.count("expected `int`, got `str`") == 1
    assert "Traceback" not in done.stderr


def test_check_says_what_runs_where(folder: Path) -> None:
    done = oxflow(folder, "check", "app.py")
    assert done.returncode == 0
    assert done.stdout == "ok: 4 steps in 2 runs\n  python  parse, double, write\n  engine  out\n"
    assert "`a`" in done.stderr
    assert "`b`" in done.stderr


def test_check_finds_an_unknown_step_in_the_configuration(folder: Path) -> None:
    (folder / "c.yaml").write_text("steps: {dubble: {on_error: skip}}\n")
    done = oxflow(folder, "check", "app.py", "--config", "c.yaml", *BINDINGS)
    assert done.returncode == 3
    assert done.stderr.startswith("error[OXF0305]: ")
    assert "`double`" in done.stderr


def test_check_finds_two_streams_in_one_file(folder: Path) -> None:
    done = oxflow(folder, "check", "app.py", "--stream", "a=file:in.jsonl", "--stream", "b=file:./in.jsonl")
    assert done.returncode == 4
    assert done.stderr.startswith("error[OXF0404]: stream `b` would overwrite `")
    assert "which stream `a` is bound to" in done.stderr


def test_check_prints_json(folder: Path) -> None:
    (folder / "app.py").write_text(PIPELINE.replace('    .apply(Serializer("write"))\n', ""))
    done = oxflow(folder, "check", "app.py", "--json")
    found = json.loads(done.stdout)
    assert done.returncode == 3
    assert found["ok"] is False
    assert [item["code"] for item in found["diagnostics"]] == ["OXF0203"]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("nowhere.py", "error[OXF0108]: `nowhere.py`: there is no file `nowhere.py`\n  more: oxflow explain OXF0108\n"),
        ("nowhere:x", "error[OXF0108]: `nowhere:x`: there is no module `nowhere`\n  more: oxflow explain OXF0108\n"),
        (
            "app.py:pipline",
            "error[OXF0108]: `app.py` has no `pipline`\n  fix: did you mean `app.py:pipeline`?\n  more: oxflow explain OXF0108\n",
        ),
        (
            "app.py:doubled",
            "error[OXF0108]: `doubled` of `app.py` is no pipeline but a `function`\n  more: oxflow explain OXF0108\n",
        ),
        (
            "app",
            "error[OXF0108]: `app` is neither FILE.py nor FILE.yaml nor module:object\n  fix: name a file, or an object: `package.module:pipeline`\n  more: oxflow explain OXF0108\n",
        ),
    ],
)
def test_a_target_without_a_pipeline_is_explained(folder: Path, target: str, text: str) -> None:
    done = oxflow(folder, "check", target)
    assert (done.returncode, done.stdout, done.stderr) == (3, "", text)


def test_a_target_that_raises_shows_the_users_frames_only(folder: Path) -> None:
    (folder / "app.py").write_text("import json\n\njson.loads\nraise RuntimeError('no')\n")
    done = oxflow(folder, "check", "app.py")
    assert done.returncode == 3
    assert done.stderr.startswith(
        "error[OXF0108]: `app.py` raised when it was imported\n"
        "  why: RuntimeError: no\n"
        "  more: oxflow explain OXF0108\n"
        "Traceback"
    )
    assert done.stderr.count('  File "') == 1
    assert done.stderr.endswith("RuntimeError: no\n")


def test_a_missing_configuration_file_is_a_configuration_error(folder: Path) -> None:
    done = oxflow(folder, "run", "app.py", "--config", "none.yaml")
    assert done.returncode == 3
    assert done.stderr.startswith(
        "error[OXF0301]: cannot read the configuration `none.yaml`: No such file or directory\n"
    )


def test_wrong_usage_exits_with_2(folder: Path) -> None:
    assert oxflow(folder, "run", "app.py", "--nothing").returncode == 2
    done = oxflow(folder, "run", "app.py", "--stream", "a")
    assert done.returncode == 2
    assert "`a` is not of the form NAME=URL" in done.stderr
    assert "`a` is not of the form KEY=VALUE" in oxflow(folder, "run", "app.py", "--set", "a").stderr


@pytest.mark.parametrize(
    ("form", "start"), [("mermaid", "flowchart"), ("svg", "<svg"), ("dot", "digraph"), ("json", "{")]
)
def test_graph_draws_each_format(folder: Path, form: str, start: str) -> None:
    done = oxflow(folder, "graph", "app.py", "--format", form)
    assert done.returncode == 0
    assert start in done.stdout
    assert "double" in done.stdout


def test_explain_shows_the_page_of_a_code(folder: Path) -> None:
    done = oxflow(folder, "explain", "oxf0201")
    assert done.returncode == 0
    assert "OXF0201" in done.stdout
    assert oxflow(folder, "explain", "201").stdout == done.stdout
    unknown = oxflow(folder, "explain", "OXF9999")
    assert (unknown.returncode, unknown.stdout) == (2, "")


def test_a_report_that_cannot_be_written_is_an_error_without_a_traceback(folder: Path) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123  # no file that pathlib is good for
        command = [sys.executable, "-m", "oxflow", "run", "app.py", *BINDINGS, "--json"]
        done = subprocess.run(command, cwd=folder, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    told = "error: cannot write to standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, told)


def test_explain_without_a_code_lists_all(folder: Path) -> None:
    titles = oxflow(folder, "explain").stdout.splitlines()
    assert "OXF0407: a message is too long" in titles
    assert titles == sorted(titles)


def letter(payload: object, step: str = "parse", *, truncated: bool = False) -> str:
    origin = {"stream": "a", "partition": 0, "name": "in.jsonl", "offset": 6, "line": 7}
    error = {"code": "OXF0501", "class": "ValueError", "text": "no", "traceback": None}
    message: dict[str, object] = {
        "payload": payload,
        "payload_bytes": 9,
        "truncated": truncated,
        "key": None,
        "headers": [],
    }
    return json.dumps({**message, "timestamp": 0.0, "origin": origin, "step": step, "error": error, "time": 0.0}) + "\n"


def test_dead_letters_become_lines_again(folder: Path) -> None:
    (folder / "dead.jsonl").write_text(letter('{"value":-1}') + letter({"base64": "YcO/"}, "double"))
    replay = ("dead-letters", "replay", "file:dead.jsonl", "--to=stdout:")
    assert oxflow(folder, *replay, "--step", "double").stdout == "a\u00ff\n"
    done = oxflow(folder, *replay, "--again")
    assert (done.returncode, done.stdout) == (0, '{"value":-1}\na\u00ff\n')


def test_dead_letters_that_are_no_whole_line_are_left_out_and_named(folder: Path) -> None:
    text = letter("cut", truncated=True) + letter("two\nlines") + "{}\n" + letter("whole")
    (folder / "dead.jsonl").write_text(text)
    done = oxflow(folder, "dead-letters", "replay", "file:dead.jsonl", "--to=stdout:")
    assert (done.returncode, done.stdout) == (1, "whole\n")
    assert sorted(line.split(": ", 2)[1] for line in done.stderr.splitlines() if line.startswith("error")) == [
        "dead.jsonl, line 1",
        "dead.jsonl, line 2",
        "dead.jsonl, line 3",
    ]
    assert "only the first 3 of 9 bytes" in done.stderr


def test_the_schema_of_the_configuration_is_json(folder: Path) -> None:
    assert "streams" in json.loads(oxflow(folder, "config-schema").stdout)["properties"]


def test_version(folder: Path) -> None:
    assert oxflow(folder, "--version").stdout.startswith("oxflow 0.")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_drains_what_has_been_read(folder: Path, number: signal.Signals) -> None:
    bindings = ("--stream", "a=stdin:", "--stream", "b=stdout:", "--set", "run.batch.wait_ms=1")
    command = [sys.executable, "-m", "oxflow", "run", "app.py", *bindings, "--json"]
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdin.write(b'{"value":1}\n')
        running.stdin.flush()
        assert running.stdout.readline() == b'{"value":2}\n'
        running.send_signal(number)
        note, _, rest = running.stderr.read().decode().partition("\n")
        report = json.loads(rest)
        assert running.wait() == 0
    assert note == "oxflow: stopping; a second signal ends it at once"
    assert (report["status"], report["ended"], report["stopped_by"]) == ("drained", False, number.name)
    assert report["messages_out"] == 1


def test_a_second_signal_ends_the_process_at_once(folder: Path) -> None:
    stuck = 'print("stuck", flush=True)\n    time.sleep(60)\n    return msg.payload\n'
    (folder / "app.py").write_text(
        "import time\n" + PIPELINE.replace('if msg.payload["value"] < 0:\n', stuck + "    if True:\n")
    )
    command = [sys.executable, "-m", "oxflow", "run", "app.py", *BINDINGS]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"stuck\n"
        running.send_signal(signal.SIGINT)
        # The second is counted only after the first was handled; two at once are one.
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.5)
        running.send_signal(signal.SIGINT)
        assert running.wait(5) == 130


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ("streams: {a: file:in.jsonl}", "stream `a` is `file:`"),
        ("streams: {a: 'kafka://h:1/t?group=g'}\nrun: {instance_id: one}", "the name of `run.instance_id`"),
        ("streams: {a: 'kafka://h:1/t?group=g'}\nrun: {endpoint: {address: '127.0.0.1:9090'}}", "the address of `run.endpoint`"),
    ],
)  # fmt: skip
def test_workers_are_refused_what_they_can_not_share(folder: Path, settings: str, text: str) -> None:
    (folder / "workers.yaml").write_text(settings)
    done = oxflow(folder, "run", "app.py", "--workers=2", "--config=workers.yaml", "--stream", "b=null:")
    assert done.returncode == 3
    assert text in done.stderr
