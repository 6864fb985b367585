"""A program that is a pipeline: what it does without Python, and that it says the same as `oxflow` does."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import oxflow
from pure_binary import PIPELINE, binary, pure

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

LINES = ["an oxen herd moves", "on"]
CALLED = "function: capitals"


def lines(folder: Path, *texts: str) -> list[str]:
    """Write lines of text as the pipeline reads them, and give the options that bind its streams."""
    (folder / "in.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return ["--stream", "lines=file:in.jsonl", "--stream", "words=file:out.jsonl"]


def words(folder: Path) -> list[str]:
    return [json.loads(line)["text"] for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]


def python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the same with `oxflow`, where the file says nothing of the module."""
    call = [sys.executable, "-m", "oxflow", *arguments]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    # A module has to be built for Python with optimisation; a program is what cargo was told to build.
    done.stderr = re.sub(r"warning\[OXF0603\].*?explain OXF0603\n", "", done.stderr, flags=re.DOTALL)
    return done


def written(folder: Path, old: str = "", new: str = "") -> str:
    """Write the pipeline into a folder, with something in place of something else; `oxflow` must be told the module."""
    text = PIPELINE.read_text(encoding="utf-8")
    assert old in text
    (folder / "pipeline.yaml").write_text(text.replace(old, new, 1) + "module: pure_words\n", encoding="utf-8")
    return "pipeline.yaml"


def test_it_runs_its_own_pipeline(tmp_path: Path) -> None:
    done = pure(tmp_path, *lines(tmp_path, *LINES))
    assert (done.returncode, done.stderr) == (0, "")
    assert words(tmp_path) == ["OXEN", "HERD", "MOVES"]
    assert re.match(r"drained in \S+ \w+ on 1 lane: 2 messages in, 3 out, ", done.stdout.splitlines()[-1])


def test_it_runs_another_pipeline_of_its_functions(tmp_path: Path) -> None:
    target = written(tmp_path, "function: is_long", "function: Above, with: { limit: 4 }")
    done = pure(tmp_path, "run", target, *lines(tmp_path, *LINES))
    assert (done.returncode, done.stderr) == (0, "")
    assert words(tmp_path) == ["MOVES"]


def test_no_python_is_linked() -> None:
    linked = subprocess.run(["ldd", binary()], capture_output=True, text=True, check=True).stdout
    assert "libc.so" in linked
    assert "python" not in linked


def test_it_tells_the_versions_of_all_that_is_in_it(tmp_path: Path) -> None:
    done = pure(tmp_path, "--version")
    name, version, abi, *functions = done.stdout.splitlines()
    assert (name, version, abi) == ("pure_words 0.3.0", f"oxflow {oxflow.__version__}", "ABI 0.6")
    assert [line.split()[0] for line in functions] == sorted(
        f"pure_words:{name}" for name in ("Above", "capitals", "is_long", "length", "total", "words")
    )
    assert all(re.search(r" [0-9a-f]{16} -> [0-9a-f]{16}$", line) for line in functions)


def test_two_functions_of_one_name_are_told_with_their_crates(tmp_path: Path) -> None:
    for command in ("check", "run"):
        call: list[str | Path] = [binary("twins", "twin"), command]
        done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr == (
            "error[OXF0602]: `pure_words` has two functions that are named `capitals`\n"
            "  why: one is in the crate `pure_twin`, the other in `pure_words`\n"
            "  fix: rename one of them in Rust\n"
            "  more: oxflow explain OXF0602\n"
        )


@pytest.mark.parametrize("code", [["OXF0602"], ["602"], ["oxf0101"], ["OXF9"], []])
def test_it_explains_codes_as_oxflow_does(code: list[str], tmp_path: Path) -> None:
    ours, theirs = (run(tmp_path, "explain", *code) for run in (pure, python))
    assert (ours.returncode, ours.stdout, ours.stderr) == (theirs.returncode, theirs.stdout, theirs.stderr)


def test_its_report_reads_as_that_of_oxflow(tmp_path: Path) -> None:
    target, bound = written(tmp_path), lines(tmp_path, *LINES)
    texts = [run(tmp_path, "run", target, *bound).stdout for run in (pure, python)]
    # Times and rates are those of the run.
    ours, theirs = (re.sub(r"[\d.,]+ (?:us|ms|s)\b|[\d,]+ messages/s|  +", " ", text) for text in texts)
    assert ours == theirs


@pytest.mark.parametrize("command", ["run", "check"])
def test_its_json_has_the_form_of_that_of_oxflow(command: str, tmp_path: Path) -> None:
    target, bound = written(tmp_path), lines(tmp_path, *LINES)
    ours, theirs = (json.loads(run(tmp_path, command, target, "--json", *bound).stdout) for run in (pure, python))
    assert shape(ours) == shape(theirs)


def shape(value: Any) -> Any:
    """The keys of JSON, and the kinds of its values."""
    container: Any = value
    if isinstance(value, dict):
        return {key: shape(item) for key, item in container.items()}
    if isinstance(value, list):
        return [shape(part) for part in container]
    return type(value).__name__


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        (CALLED, "functon: capitals"),
        (CALLED, "function: capital"),
        (CALLED, "function: pure_words:nothing_like_it"),
        (CALLED, "function: Above, with: { limit: 0 }"),
        (CALLED, "function: capitals, with: { limit: 1 }"),
        (CALLED, "function: capitals, with: {}"),
        ("type: Line", "type: Lime"),
        ("name: long", "name: words"),
        ("name: long", "name: a.b"),
        ("  - serializer: { name: serialize }\n", ""),
        ("  - sink: { name: out, stream: words }\n", ""),
        ("source:", "sauce:"),
        ("type: Line", "type: Line, codec: yaml"),
        ("steps:", "steps: ["),
    ],
)
@pytest.mark.parametrize("command", ["run", "check"])
def test_what_is_wrong_is_told_in_the_words_of_oxflow(command: str, old: str, new: str, tmp_path: Path) -> None:
    target, bound = written(tmp_path, old, new), lines(tmp_path, *LINES)
    ours, theirs = (run(tmp_path, command, target, *bound) for run in (pure, python))
    assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr)


@pytest.mark.parametrize("target", ["nowhere.yaml", "bytes.yaml", "folder.yaml"])
def test_a_pipeline_that_is_not_there_is_told_in_the_words_of_oxflow(target: str, tmp_path: Path) -> None:
    (tmp_path / "bytes.yaml").write_bytes(b"source: \xff")
    (tmp_path / "folder.yaml").mkdir()
    ours, theirs = (run(tmp_path, "check", target) for run in (pure, python))
    assert ours.returncode == 3
    assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr)


@pytest.mark.parametrize(
    "options",
    [
        ["--config", "nowhere.yaml"],
        ["--config", "bytes.yaml"],
        ["--config", "."],
        ["--set", "run.lane=1"],
        ["--set", "run.lanes=0"],
        ["--set", "steps.nowhere.on_error=skip"],
        ["--stream", "wards=null:"],
        ["--stream", "lines=flie:in.jsonl"],
        ["--stream", "lines=file:nowhere.jsonl"],
        ["--stream", "words=file:no/such/folder"],
        ["--set", "run.endpoint.address=192.0.2.1:9"],
    ],
)
def test_a_wrong_configuration_is_told_in_the_words_of_oxflow(options: list[str], tmp_path: Path) -> None:
    target, bound = written(tmp_path), lines(tmp_path, *LINES)
    (tmp_path / "bytes.yaml").write_bytes(b"run: \xff")
    ours, theirs = (run(tmp_path, "run", target, *bound, *options) for run in (pure, python))
    assert ours.returncode in {3, 4}
    assert (ours.returncode, ours.stderr) == (theirs.returncode, theirs.stderr)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "a.yaml", "--json=yes", "--nothing"],
        ["check", "a.yaml", "--quiet"],
        ["run", "a.yaml", "b.yaml"],
        ["check", "a.yaml", "--config"],
        ["check", "a.yaml", "--set", "x"],
        ["run", "a.yaml", "--stream", "=x"],
    ],
)
def test_a_wrong_usage_exits_with_2(arguments: list[str], tmp_path: Path) -> None:
    ours, theirs = (run(tmp_path, *arguments) for run in (pure, python))
    assert ours.returncode == theirs.returncode == 2
    if "--json=yes" not in arguments:
        told = [done.stderr.splitlines()[-1].rpartition("error: ")[2] for done in (ours, theirs)]
        assert told[0] == told[1]


@pytest.mark.parametrize(
    ("line", "option", "code"),
    [
        ("route 6666", [], 1),
        ("a panic here", [], 1),
        ("route 6666", ["--set", "steps.capitals.on_error=skip"], 0),
        (
            "route 6666 7777",
            [
                "--set", "steps.capitals.on_error=dead_letter", "--stream", "dead-letters=null:",
                "--set", "run.dead_letters.max_in_a_row=1",
            ],
            5,
        ),
    ],
)  # fmt: skip
def test_a_bad_message_ends_it_as_it_ends_oxflow(line: str, option: list[str], code: int, tmp_path: Path) -> None:
    target, bound = written(tmp_path), lines(tmp_path, *LINES, line, *LINES)
    done: list[tuple[int, list[str], str]] = []
    for run in (pure, python):
        (tmp_path / "out.jsonl").unlink(missing_ok=True)
        (tmp_path / "out.jsonl.oxflow").unlink(missing_ok=True)
        ended = run(tmp_path, "run", target, *bound, *option)
        # Frames of a backtrace are of different programs, and fields that are logged are spelled by `logging` there.
        diagnosis = [line for line in ended.stderr.splitlines() if not re.match(r" {7}|note: |warning: ", line)]
        done.append((ended.returncode, words(tmp_path), "\n".join(diagnosis)))
    assert done[0] == done[1]
    assert done[0][0] == code


def test_what_a_step_logs_is_told(tmp_path: Path) -> None:
    bound = lines(tmp_path, "route 6666")
    skip = ["--set", "steps.capitals.on_error=skip"]
    done = pure(tmp_path, *bound, *skip)
    assert "warning: pure_words, step `capitals`: there are digits in a word word=6666\n" in done.stderr
    assert pure(tmp_path, "--quiet", *bound, *skip).stderr == ""


def test_a_function_of_another_kind_is_refused(tmp_path: Path) -> None:
    target = written(tmp_path, "function: words", "function: is_long")
    done = pure(tmp_path, "check", target)
    assert done.returncode == 3
    assert done.stderr.startswith(
        "error[OXF0207]: step `words` cannot call `is_long`\n  --> pipeline.yaml:5:5  - flat_map: "
    )


def test_a_step_of_python_is_refused(tmp_path: Path) -> None:
    target = written(tmp_path, CALLED, "python: app:capitals")
    done = pure(tmp_path, "check", target)
    assert done.returncode == 3
    assert "error[OXF0111]: step `capitals` is in Python\n  --> pipeline.yaml:7:5  - map: " in done.stderr


def test_a_conversion_that_only_python_makes_is_refused(tmp_path: Path) -> None:
    target = written(
        tmp_path, "  - map: { name: capitals, function: capitals }\n  - serializer: { name: serialize }",
        "  - batch: { name: list, messages: 2 }\n  - serializer: { name: serialize, codec: msgpack }",
    )  # fmt: skip
    for command in ("run", "check"):
        done = pure(tmp_path, command, target, *lines(tmp_path, *LINES))
        assert done.returncode == 3
        assert "error[OXF0111]: step `serialize` needs Python\n  --> pipeline.yaml:8:5  " in done.stderr


def test_batches_routes_and_broadcasts_need_no_python(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(
        """\
source: { name: in, stream: lines }
steps:
  - parser: { name: parse, type: Line }
  - flat_map: { name: words, function: words }
  - broadcast:
      name: both
      branches:
        - name: counted
          steps:
            - batch: { name: lists, messages: 3 }
            - map: { name: total, function: total }
            - serializer: { name: totals }
            - sink: { name: out-totals, stream: totals }
        - name: sorted
          steps:
            - route:
                name: by-length
                function: length
                branches:
                  - key: long
                    name: longs
                    steps:
                      - serializer: { name: packed, codec: msgpack }
                      - sink: { name: out-long, stream: long }
                  - key: short
                    name: shorts
                    steps:
                      - serializer: { name: text }
                      - sink: { name: out-short, stream: short }
""",
        encoding="utf-8",
    )
    bound = lines(tmp_path, *LINES)[:2]
    for stream in ("totals", "long", "short"):
        bound += ["--stream", f"{stream}=file:{stream}.out"]
    done = pure(tmp_path, "run", "all.yaml", *bound)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "totals.out").read_text(encoding="utf-8") == '{"letters":10}\n{"letters":7}\n'
    assert (tmp_path / "short.out").read_text(
        encoding="utf-8"
    ) == '{"text":"an","letters":2}\n{"text":"on","letters":2}\n'
    assert (tmp_path / "long.out").read_bytes().count(b"\xa4text") == 3


def test_a_signal_drains_it(tmp_path: Path) -> None:
    with started(tmp_path, "--stream", "lines=stdin:", "--stream", "words=file:out.jsonl") as running:
        assert running.stdin is not None
        running.stdin.write('{"text": "oxen"}\n')
        running.stdin.flush()
        until((tmp_path / "out.jsonl").exists, running)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 0
        assert running.stdout is not None
        assert running.stderr is not None
        assert "stopped by SIGTERM before the end of the source" in running.stdout.read()
        assert running.stderr.read() == "oxflow: stopping; a second signal ends it at once\n"


def test_a_signal_ends_a_start_that_comes_to_no_end(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with started(tmp_path, "--stream", "lines=stdin:", "--stream", "words=file:pipe") as running:
        until(lambda: {"oxflow-start", "oxflow-signals"} <= threads(running.pid), running)
        running.send_signal(signal.SIGINT)
        assert running.wait(30) == 0
        assert running.stdout is not None
        assert "stopped by SIGINT" in running.stdout.read()


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    (tmp_path / "in.jsonl").write_text('{"text": "oxen"}\n' * 50_000, encoding="utf-8")
    with started(tmp_path, "--stream", "lines=file:in.jsonl", "--stream", "words=file:pipe") as running:
        full = fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ)
        waiting = bytes(4)
        until(lambda: int.from_bytes(fcntl.ioctl(reader, termios.FIONREAD, waiting), sys.byteorder) == full, running)
        running.send_signal(signal.SIGTERM)
        assert running.stderr is not None
        assert running.stderr.readline() == "oxflow: stopping; a second signal ends it at once\n"
        # Signals that come together are one.
        time.sleep(0.2)
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == 130
    os.close(reader)


def test_a_program_that_is_killed_again_and_again_delivers_each_message_once(tmp_path: Path) -> None:
    bound = lines(tmp_path, *(f"message{letter * 3} of" for letter in "abcdefghij" for _ in range(3000)))
    often = [*bound, "--set", "run.checkpoint_ms=10", "--set", "run.batch.messages=100"]
    whole = [f"MESSAGE{letter.upper() * 3}" for letter in "abcdefghij" for _ in range(3000)]
    kills = 0
    # Each life is longer than the one before it, so that it comes to an end.
    for life in range(200):
        with started(tmp_path, *often) as running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(0.02 + life * 0.01)
            if running.poll() == 0:
                break
            running.kill()
            running.wait(30)
            kills += 1
    assert kills >= 2
    assert words(tmp_path) == whole
    assert not (tmp_path / "out.jsonl.oxflow").exists()


@contextlib.contextmanager
def started(folder: Path, *arguments: str) -> Generator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    call: list[str | Path] = [binary(), *arguments]
    with subprocess.Popen(call, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def threads(process: int) -> set[str]:
    tasks = Path(f"/proc/{process}/task")
    return {(task / "comm").read_text(encoding="utf-8").strip() for task in tasks.iterdir()}


def until(condition: Callable[[], bool], running: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert running.poll() is None, "it ended"
        assert time.monotonic() < deadline
        time.sleep(0.01)
