"""The lock meter, on calls that are known to hold or to release the interpreter, and on oxflow's own."""

from __future__ import annotations

import ctypes
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

import oxflow
from oxflow import Map, Parser, Serializer, StreamSink
from oxflow.gil import assert_releases_gil, measure, meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxflow.gil import Impact

# The same sleep of the C library, with the interpreter held and released.
HELD: Any = ctypes.PyDLL(None).usleep
RELEASED: Any = ctypes.CDLL(None).usleep
CALL_MS = 200
# Other tests run beside these: a thread may wait for a core for longer than the default allows.
SURE = {"max_stall_ms": 90, "min_call_ms": 180}


def held() -> None:
    HELD(CALL_MS * 1000)


def released() -> None:
    RELEASED(CALL_MS * 1000)


def test_a_call_that_holds_the_interpreter_stalls_others_for_its_whole_length() -> None:
    with meter() as impact:
        held()
    assert impact.longest_stall_ms >= CALL_MS * 0.9
    assert impact.wake_up_p99_ms >= CALL_MS * 0.9
    assert impact.share < 0.5


def test_a_call_that_releases_it_leaves_others_their_time() -> None:
    impact = assert_releases_gil(released, **SURE)
    assert impact.longest_stall_ms <= SURE["max_stall_ms"]
    assert impact.call_s * 1000 >= CALL_MS
    # It sleeps; what the thread beside it uses is not its own.
    assert impact.cpu_s < impact.call_s / 2


def failing(impact: Impact) -> None:
    assert math.isnan(impact.share)
    assert math.isnan(impact.longest_stall_ms)
    released()
    raise ValueError("of the call")


def test_nothing_is_known_before_the_block_ends_and_all_after_an_error() -> None:
    with pytest.raises(ValueError, match="of the call"), meter() as impact:
        failing(impact)
    assert impact.call_s * 1000 >= CALL_MS
    assert impact.longest_stall_ms > 0
    assert impact.share > 0


def test_a_call_that_takes_the_interpreter_again_and_again_becomes_slow_itself() -> None:
    def polite() -> None:
        for _ in range(200):
            RELEASED(100)

    # Beside other work the call is slow alone, too.
    assert max(measure(polite).call_slowdown for _ in range(3)) > 1.5


def test_the_assertion_says_how_long_others_were_kept() -> None:
    with pytest.raises(AssertionError, match=r"kept other threads from the interpreter for \d+\.\d.* ms in 3 tries"):
        assert_releases_gil(held)


def test_a_call_that_is_too_short_to_tell_is_refused() -> None:
    with pytest.raises(ValueError, match="too short to tell"):
        assert_releases_gil(lambda: None)
    with pytest.raises(ValueError, match="can't stall others for more than 20 ms"):
        assert_releases_gil(released, max_stall_ms=20, min_call_ms=20)


CROWDED = """
import os, subprocess, sys, time
from oxflow.gil import meter
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(3)]
os.nice(10)
with meter() as impact:
    time.sleep(1)
for other in others:
    other.kill()
print(impact.longest_stall_ms, impact.wake_up_p99_ms)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how long threads wait for a core")
def test_a_thread_that_has_no_core_is_not_kept_from_the_interpreter() -> None:
    done = subprocess.run([sys.executable, "-c", CROWDED], capture_output=True, text=True, check=True)
    stall, late = map(float, done.stdout.split())
    assert stall < late / 4


def test_pytest_has_it_as_a_fixture(gil_meter: Callable[[], Any]) -> None:
    with gil_meter() as impact:
        held()
    assert impact.longest_stall_ms >= CALL_MS * 0.9


# --- the parts of oxflow ----------------------------------------------------------------------------------------------


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.jsonl"
    path.write_bytes(json.dumps({"text": "a word " * 20, "count": 1}).encode() + b"\n")
    path.write_bytes(path.read_bytes() * 40_000)
    return path


def test_a_run_of_rust_steps_releases_it(words: Path, tmp_path: Path) -> None:
    pipeline = (
        oxflow.streaming_source("source", stream_name="in")
        .apply(Parser("parse", test_steps.Word))
        .apply(Map("count", function=test_steps.describe))
        .apply(Serializer("serialize"))
        .sink(StreamSink("sink", stream_name="out"))
    )
    streams = {"in": f"file:{words}", "out": f"file:{tmp_path}/out.jsonl"}
    assert_releases_gil(lambda: oxflow.run(pipeline, streams=streams), **SURE)


# --- the command ------------------------------------------------------------------------------------------------------


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "calls.py").write_text(
        "import ctypes\n"
        "def hold(ms):\n    ctypes.PyDLL(None).usleep(ms * 1000)\n"
        "def release(ms):\n    ctypes.CDLL(None).usleep(ms * 1000)\n"
        "def fail():\n    raise KeyError('gone')\n"
        "number = 3\n"
    )
    oxflow_command = [str(Path(sys.executable).parent / "oxflow"), "gil", *arguments]
    return subprocess.run(oxflow_command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_command_tells_both_sides(tmp_path: Path) -> None:
    done = command(tmp_path, "calls:hold", "--args-json", "[100]")
    assert (done.returncode, done.stderr) == (0, "")
    said = [line.split("  ")[0] for line in done.stdout.splitlines()]
    assert said[:2] == ["the call", "beside another thread"]
    assert "longest stall" in said


def test_the_command_exits_with_1_beyond_the_limit(tmp_path: Path) -> None:
    done = command(tmp_path, "calls:hold", "--args-json", '{"ms": 100}', "--max-stall-ms", "50", "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["longest_stall_ms"] >= 90
    assert "error: `calls:hold` kept other threads from the interpreter for" in done.stderr
    assert command(tmp_path, "calls:release", "--args-json", "[300]", "--max-stall-ms", "200").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["calls"], 2, "error: `calls` is no reference to a function\n  fix: write `package.module:name`\n"),
        (["calls:holt"], 2, "`calls` has no `holt`\n  fix: did you mean `hold`?"),
        (["nowhere:hold"], 2, "there is no module `nowhere`"),
        (["calls:number"], 2, "error: `calls:number` is a `int` and can't be called"),
        (["calls:hold", "--args-json", "{"], 2, "error: `--args-json` is no JSON: "),
        (["calls:hold", "--args-json", "3"], 2, "error: `--args-json` is neither a list nor an object: `3`"),
        (["calls:fail"], 1, "error: `calls:fail` raised: KeyError: 'gone'"),
        (["calls:hold"], 1, "missing 1 required positional argument"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], code: int, told: str, tmp_path: Path) -> None:
    done = command(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert told in done.stderr
