"""What is bad costs only itself: each fault by the real command, with what it tells, its exit code, and nothing lost.

Wherever a run fails, the same command is given again once the fault is mended, or may be left out. It goes on where the first
one ended, and then each message is there once.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import random
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import zstandard
from hypothesis import given, settings, strategies as st

import oxflow
from oxflow import DeadLetter, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
GOOD = [b'{"text":"one","count":1,"tags":{}}\n', b'{"text":"two","count":2,"tags":{}}\n']


class Done(NamedTuple):
    """How a command ended."""

    code: int
    report: dict[str, Any]
    stderr: str
    out: bytes


def run(
    folder: Path, pipeline: str, *settings: str, source: str = "in.jsonl", sink: str = "out.jsonl", **how: Any
) -> Done:
    """Run a pipeline of `bad_input_pipeline.py`, or of a file in the folder, from `in.jsonl` to `out.jsonl`."""
    target = pipeline if pipeline.endswith(".py") else f"bad_input_pipeline:{pipeline}"
    command = [sys.executable, "-m", "oxflow", "run", target, "--json"]
    command += [f"--stream=in=file:{source}", f"--stream=out=file:{sink}", *(f"--set={text}" for text in settings)]
    environment = {**os.environ, "PYTHONPATH": str(HERE), **how.pop("environment", {})}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, **how)
    out = folder / sink
    report: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}
    # The tests' own extension is built without optimisation: what is said of that is tested elsewhere.
    stderr = re.sub(r"warning\[OXF0603\].*?more: oxflow explain OXF0603\n", "", done.stderr, flags=re.DOTALL)
    return Done(done.returncode, report, stderr, out.read_bytes() if out.exists() else b"")


def word(text: str, count: object = 1, **more: object) -> bytes:
    return json.dumps({"text": text, "count": count, "tags": {}, **more}).encode()


class Fault(NamedTuple):
    """A bad message: which pipeline gets it, the step that fails on it, and what it tells."""

    pipeline: str
    line: bytes
    step: str
    code: str
    why: str


DEEP = b'{"text":"a","count":1,"tags":%s}' % (b"[" * 10_000 + b"]" * 10_000)
NEST = b'{"inner":' * 10_000 + b"null" + b"}" * 10_000
LONG = "x" * 100_000

FAULTS = {
    "not JSON, in Python": Fault("in_python", b"{oops", "parse", "OXF0503", "not JSON: "),
    "not JSON, in Rust": Fault("in_rust", b"{oops", "parse", "OXF0503", "key must be a string at byte 2"),
    "a bare word, in Python": Fault("in_python", b"oops", "parse", "OXF0503", "expected value at byte 1"),
    "a bare word, in Rust": Fault("in_rust", b"oops", "parse", "OXF0503", "expected value at byte 1"),
    "half a word, in Python": Fault("in_python", b"not so", "parse", "OXF0503", "found `not` at byte 2"),
    "half a word, in Rust": Fault("in_rust", b"not so", "parse", "OXF0503", "found `not` at byte 2"),
    "not UTF-8, in Python": Fault("in_python", b'{"text":"\xff"}', "parse", "OXF0503", "not UTF-8 at byte 10"),
    "not UTF-8, in Rust": Fault("in_rust", b'{"text":"\xff"}', "parse", "OXF0503", "not UTF-8 at byte 10"),
    "not UTF-8 in what nobody reads, in Rust": Fault(
        "in_rust", b'{"more":"\xff","text":"a","count":1,"tags":{}}', "parse", "OXF0503", "not UTF-8 at byte 10"
    ),
    "deep, in Python": Fault("in_python", DEEP, "parse", "OXF0503", "recursion limit exceeded at byte"),
    "deep, in Rust": Fault("nests", NEST, "parse", "OXF0503", "recursion limit exceeded at byte"),
    "no field, in Python": Fault("in_python", b'{"text":"a"}', "parse", "OXF0503", "`count`: field is missing"),
    "no field, in Rust": Fault("in_rust", b'{"text":"a"}', "parse", "OXF0503", "missing field `count`"),
    "wrong type, in Python": Fault("in_python", word("a", LONG), "parse", "OXF0503", "`count`: "),
    "wrong type, in Rust": Fault("in_rust", word("a", LONG), "parse", "OXF0503", "invalid type: string"),
    "a step raises": Fault("in_python", word("raise"), "work", "OXF0501", "ValueError: a bad word"),
    "a step gives the wrong type": Fault("in_python", word("no bool"), "keep", "OXF0505", "it returned `int`"),
    "a step gives what is no JSON": Fault("in_python", word("no JSON"), "write", "OXF0504", "`object` cannot be JSON"),
    "a step gives what is deep": Fault("in_python", word("deep"), "write", "OXF0504", "maximum recursion depth"),
    "a step never returns": Fault("in_python", word("endless"), "work", "OXF0501", "RecursionError"),
    "a Rust step fails": Fault("in_rust", word("bad"), "work", "OXF0501", "`bad` is a bad word"),
    "a Rust step panics": Fault("in_rust", word("panic"), "work", "OXF0502", "the word was `panic`, at "),
    "a Rust step overflows": Fault("in_rust", word("overflow"), "work", "OXF0502", "attempt to add with overflow"),
    "a message is too long": Fault("bytes_only", b"x" * (17 << 20), "source", "OXF0407", "it has 17825792 bytes"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_bad_message_costs_only_itself(fault: Fault, tmp_path: Path) -> None:
    good = [b'{"inner":null}\n', b'{"inner":{"inner":null}}\n'] if fault.pipeline == "nests" else GOOD
    (tmp_path / "in.jsonl").write_bytes(good[0] + fault.line + b"\n" + good[1])
    failed = run(tmp_path, fault.pipeline)
    assert (failed.code, failed.report["status"], failed.out) == (1, "failed", good[0])
    assert f"error[{fault.code}]: step `{fault.step}` " in failed.stderr
    assert " at in.jsonl, line 2\n" in failed.stderr
    assert fault.why in failed.stderr
    assert "  fix: " in failed.stderr
    assert len(failed.stderr) < 4000, "what is quoted of a message is cut"
    skipped = run(tmp_path, fault.pipeline, f"steps.{fault.step}.on_error=skip")
    assert (skipped.code, "error[" in skipped.stderr, skipped.out) == (0, False, good[0] + good[1])
    (told,) = skipped.report["skipped"]
    assert (told["step"], told["origin"], told["code"]) == (fault.step, "in.jsonl, line 2", fault.code)
    assert fault.why in told["error"]
    posted = run(tmp_path, fault.pipeline, f"steps.{fault.step}.on_error=dead_letter", "streams.dead-letters=file:dead")
    assert (posted.code, posted.stderr, posted.out) == (0, "", good[0] + good[1])
    letter = DeadLetter.from_json((tmp_path / "dead").read_bytes())
    assert (letter.step, letter.code, letter.as_read.origin) == (fault.step, fault.code, Origin("in", 0, 1))
    # Of a message that is too long only the beginning was kept.
    assert letter.truncated == (fault.step == "source")
    assert letter.as_read.payload == (fault.line[:1024] if fault.step == "source" else fault.line)


def test_a_long_message_that_an_error_quotes_is_cut_and_steers_no_terminal(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(word("quote \x1b[31m" + LONG) + b"\n")
    failed = run(tmp_path, "in_python")
    assert "ValueError: quote " in failed.stderr
    assert "\x1b" not in failed.stderr
    assert len(failed.stderr) < 10_000
    posted = run(tmp_path, "in_python", "steps.work.on_error=dead_letter", "streams.dead-letters=file:dead")
    letter = DeadLetter.from_json((tmp_path / "dead").read_bytes())
    assert posted.code == 0
    assert letter.text.endswith("... and 98011 bytes more")
    assert len(letter.traceback or "") < 10_000


BETWEEN = {"not JSON": b"{oops", "not UTF-8": b'{"\xff":1}', "too long": b'"%s"' % (b"x" * 2000), "blank": b" \r"}


@settings(max_examples=60, deadline=None)
@given(
    kinds=st.lists(st.sampled_from(["good", *BETWEEN]), max_size=30),
    messages=st.integers(1, 5),
    end=st.sampled_from([b"", b"\n"]),
)
def test_good_lines_are_delivered_in_order_whatever_is_between_them(
    tmp_path_factory: Any, kinds: list[str], messages: int, end: bytes
) -> None:
    lines = [BETWEEN.get(kind, b'{"n":%d}' % number) for number, kind in enumerate(kinds)]
    path = tmp_path_factory.mktemp("lines") / "in.jsonl"
    path.write_bytes(b"\n".join(lines) + end)
    start: Any = oxflow.streaming_source("source", stream_name="in").apply(oxflow.Parser("parse", dict[str, Any]))
    pipeline = start.apply(oxflow.Serializer("write")).sink(oxflow.StreamSink("sink", stream_name="out"))
    streams = {"in": f"file:{path}", "out": "memory:"}
    limits = {"message_bytes": 1024, "batch": {"messages": messages, "bytes": 1024}}
    skip = {name: {"on_error": "skip"} for name in ("source", "parse")}
    report = oxflow.run(pipeline, streams=streams, config={"run": limits, "steps": skip})
    good = [number for number, kind in enumerate(kinds) if kind == "good"]
    assert [message.payload for message in report.outputs["out"]] == [lines[number] for number in good]
    bad = [number for number, kind in enumerate(kinds) if kind not in {"good", "blank"}]
    assert [skipped.origin for skipped in report.skipped] == [f"{path}, line {number + 1}" for number in bad][:10]
    assert sum(step.skipped for step in report.steps) == len(bad)
    if bad:
        with pytest.raises(oxflow.StepError, match=f"line {bad[0] + 1}\n") as caught:
            oxflow.run(pipeline, streams=streams, config={"run": limits})
        assert caught.value.report is not None
        delivered = [message.payload for message in caught.value.report.outputs["out"]]
        assert delivered == [lines[number] for number in good if number < bad[0]]


def test_a_step_that_calls_exit_stops_the_run_before_its_message(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(GOOD[0] + word("exit") + b"\n" + GOOD[1])
    stopped = run(tmp_path, "in_python", "steps.work.on_error=skip")
    assert (stopped.code, stopped.report["status"], stopped.report["ended"]) == (3, "drained", False)
    assert (stopped.report["stopped_by"], stopped.report["exit"]["origin"]) == ("SystemExit", "in.jsonl, line 2")
    assert stopped.out == GOOD[0]
    done = run(tmp_path, "in_python", environment={"MENDED": "1"})
    assert (done.code, done.out) == (0, GOOD[0] + b'{"text":"exit","count":1,"tags":{}}\n' + GOOD[1])


def test_a_full_stack_ends_the_process_and_loses_nothing(tmp_path: Path) -> None:
    lines = [b'{"text":"%d","count":1,"tags":{}}\n' % number for number in range(2000)]
    bad = b'{"text":"bottomless","count":1,"tags":{}}\n'
    (tmp_path / "in.jsonl").write_bytes(b"".join(lines[:1000]) + bad + b"".join(lines[1000:]))
    settings = ("run.batch.messages=50", "run.checkpoint_ms=10")
    ended = run(tmp_path, "in_rust", *settings)
    assert ended.code < 0, "no library can catch this"
    assert (tmp_path / "out.jsonl.oxflow").exists()
    done = run(tmp_path, "in_rust", *settings, environment={"MENDED": "1"})
    assert (done.code, done.out) == (0, b"".join([*lines[:1000], bad, *lines[1000:]]))


WRONG_EDGE = """
from bad_input_pipeline import SINK, SOURCE
from oxflow import Map, Message

def number(message: Message[int]) -> bytes:
    return b""

pipeline = SOURCE.apply(Map("number", function=number)).sink(SINK)
"""

OTHER_ABI = """
from tables import MAGIC, Head, capsule
from oxflow import _oxflow

_oxflow.describe_module(capsule(Head(MAGIC, 1, 0, 1000)))
"""


@pytest.mark.parametrize(
    ("pipeline", "setting", "told"),
    [
        ("from bad_input_pipeline import bytes_only as pipeline", "run.lanes=none", "error[OXF0303]: `run.lanes` is "),
        ("from bad_input_pipeline import bytes_only as pipeline", "rum.lanes=1", "error[OXF0302]: unknown key `rum`"),
        (WRONG_EDGE, "run.lanes=1", "error[OXF0201]: source `source` gives `bytes`, but `number` takes `int`"),
        (OTHER_ABI, "run.lanes=1", "error[OXF0601]: "),
    ],
    ids=["bad value", "bad key", "bad edge", "other ABI"],
)
def test_what_is_wrong_before_the_first_message_touches_no_output(
    pipeline: str, setting: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / "app.py").write_text(pipeline)
    (tmp_path / "in.jsonl").write_bytes(b"a\n")
    (tmp_path / "out.jsonl").write_bytes(b"precious\n")
    done = run(tmp_path, "app.py", setting)
    assert (done.code, done.out) == (3, b"precious\n")
    assert done.stderr.startswith(told), done.stderr
    assert "  why: " in done.stderr


def test_a_rust_module_that_aborts_on_panic_does_not_compile() -> None:
    target = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/oxflow/target")) / "abort"
    cargo = {"CARGO_PROFILE_DEV_PANIC": "abort", "CARGO_TARGET_DIR": str(target), "CARGO_NET_OFFLINE": "true"}
    command = ["cargo", "check", "--quiet", "--locked", "--manifest-path", str(HERE / "steps/Cargo.toml")]
    done = subprocess.run(command, env={**os.environ, **cargo}, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert 'remove `panic = "abort"` from this crate\'s profile' in done.stderr


# --- files and disks ---

MIB = 1 << 20
LINES = [b'{"text":"%d","count":%d,"tags":{}}\n' % (number, number * 7919 % 1000003) for number in range(20_000)]
TEXT = b"".join(LINES)


def compressed(ending: str, text: bytes) -> bytes:
    return gzip.compress(text, 1) if ending == ".gz" else zstandard.compress(text, 1)


def zeros(ending: str, mebibytes: int) -> bytes:
    """Compress nothing but zeros, piece by piece: one line without an end."""
    target = io.BytesIO()
    pieces = (bytes(MIB) for _ in range(mebibytes))
    if ending == ".gz":
        with gzip.GzipFile(fileobj=target, mode="wb") as gz:
            gz.writelines(pieces)
    else:
        with zstandard.ZstdCompressor().stream_writer(target, closefd=False) as zst:
            for piece in pieces:
                zst.write(piece)
    return target.getvalue()


def test_a_file_that_is_missing_is_told_before_an_output_is_touched(tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_bytes(b"precious\n")
    done = run(tmp_path, "in_python", source="nowhere.jsonl")
    assert (done.code, done.out) == (4, b"precious\n")
    assert done.stderr.startswith("error[OXF0403]: stream `in`: no file matches `nowhere.jsonl`\n  fix: check the path")


def test_a_file_that_ends_in_a_line_is_read_on_when_it_has_grown(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(LINES[0] + LINES[1][:10])
    failed = run(tmp_path, "in_python")
    assert (failed.code, failed.out) == (1, LINES[0])
    assert "could not decode the payload at in.jsonl, line 2\n" in failed.stderr
    with path.open("ab") as file:
        file.write(LINES[1][10:] + LINES[2])
    done = run(tmp_path, "in_python")
    assert (done.code, done.out) == (0, b"".join(LINES[:3]))


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_file_that_is_cut_gives_its_whole_lines_and_is_read_on_when_it_is_whole(
    ending: str, tmp_path: Path
) -> None:
    path, whole = tmp_path / f"in.jsonl{ending}", compressed(ending, TEXT)
    path.write_bytes(whole[: len(whole) // 2])
    failed = run(tmp_path, "bytes_only", source=path.name)
    assert failed.code == 4
    assert failed.stderr.startswith(f"error[OXF0403]: stream `in`: cannot read `in.jsonl{ending}`\n  why: ")
    assert "  fix: check the path and its permissions; a compressed file may be cut short\n" in failed.stderr
    assert 0 < len(failed.out) < len(TEXT)
    assert failed.out == b"".join(LINES[: failed.out.count(b"\n")])
    with path.open("ab") as file:
        file.write(whole[len(whole) // 2 :])
    done = run(tmp_path, "bytes_only", source=path.name)
    assert (done.code, done.out == TEXT) == (0, True)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_what_comes_out_of_a_cut_file_before_the_cut_is_delivered(ending: str, tmp_path: Path) -> None:
    chance = random.Random(1)  # noqa: S311  # to be repeated, not to be secret
    text = b"".join(b"%032x\n" % chance.getrandbits(128) for _ in range(10_000))
    whole = compressed(ending, text)
    (tmp_path / f"in{ending}").write_bytes(whole[:-6])
    failed = run(tmp_path, "bytes_only", source=f"in{ending}")
    assert (failed.code, failed.out == text[: len(failed.out)], failed.out[-1:]) == (4, True, b"\n")
    # Of the last block of a frame zstd gives nothing, gzip all that is there.
    assert len(failed.out) > (len(text) - 100 if ending == ".gz" else len(text) // 2)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_bomb_of_zeros_ends_the_run(ending: str, tmp_path: Path) -> None:
    (tmp_path / f"in{ending}").write_bytes(zeros(ending, 64))
    failed = run(tmp_path, "bytes_only", source=f"in{ending}")
    assert (failed.code, failed.out) == (4, b"")
    becomes = f"error[OXF0403]: stream `in`: `in{ending}` becomes more than 100 times as long when it is decompressed\n"
    assert failed.stderr.startswith(becomes)
    assert "  fix: if it is meant to be like that, raise `run.decompression_ratio`\n" in failed.stderr
    allowed = run(tmp_path, "bytes_only", "run.decompression_ratio=1000000", source=f"in{ending}")
    assert (allowed.code, "it has 67108864 bytes, and `run.message_bytes` is" in allowed.stderr) == (1, True)


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_file_that_compresses_well_is_read_to_its_end_if_the_ratio_allows(ending: str, tmp_path: Path) -> None:
    line = b'{"text":"%s","count":1,"tags":{}}\n' % (b"x" * 100_000)
    (tmp_path / f"in{ending}").write_bytes(compressed(ending, line * 200))
    failed = run(tmp_path, "in_rust", source=f"in{ending}")
    assert (failed.code, "raise `run.decompression_ratio`" in failed.stderr) == (4, True)
    assert 0 < len(failed.out) < 100 * len(line)
    done = run(tmp_path, "in_rust", "run.decompression_ratio=100000", source=f"in{ending}")
    assert (done.code, done.out == line * 200) == (0, True)


def test_a_short_file_may_become_as_long_as_it_likes(tmp_path: Path) -> None:
    line = b"x" * 70_000 + b"\n"
    (tmp_path / "in.gz").write_bytes(compressed(".gz", line * 100))
    done = run(tmp_path, "bytes_only", source="in.gz")
    assert (done.code, done.out == line * 100) == (0, True)


MEASURE = """
import oxflow, sys
from bad_input_pipeline import bytes_only

def most():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

before = most()
config = {"steps": {"source": {"on_error": "skip"}}, "run": {"decompression_ratio": 1000000}}
report = oxflow.run(bytes_only, streams={"in": sys.argv[1], "out": "file:out.jsonl"}, config=config)
print(most() - before, report.skipped[0].error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system doesn't tell the most memory that a process had")
@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_line_of_100_mb_is_never_held_in_memory(ending: str, tmp_path: Path) -> None:
    text = LINES[0] + b"x" * 100_000_000 + b"\n" + LINES[1]
    (tmp_path / f"in{ending}").write_bytes(compressed(ending, text) if ending else text)
    command = [sys.executable, "-c", MEASURE, f"file:in{ending}"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(HERE)}, capture_output=True, text=True, check=True
    )
    kibibytes, told = done.stdout.split(maxsplit=1)
    assert told == "ValueError: it has 100000000 bytes, and `run.message_bytes` is 16777216\n"
    # A message as long as allowed, a chunk, and the room that a growing buffer leaves.
    assert int(kibibytes) < 50 << 10
    assert (tmp_path / "out.jsonl").read_bytes() == LINES[0] + LINES[1]


OFTEN = ("run.checkpoint_ms=10", "run.batch.messages=100", "run.batch.bytes=4096")


def started(folder: Path, source: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "oxflow", "run", "bad_input_pipeline:bytes_only", "--quiet"]
    command += [f"--stream=in={source}", "--stream=out=file:out.jsonl", *(f"--set={setting}" for setting in OFTEN)]
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    return subprocess.Popen(command, cwd=folder, env=environment)


def test_a_run_can_be_stopped_within_an_endless_line_of_a_file(tmp_path: Path) -> None:
    path, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(LINES[0])
    # Zeros that take no room on the disk.
    os.truncate(path, 1 << 40)
    with started(tmp_path, "file:in.jsonl") as running:
        # The line before it is written.
        while not out.exists() or not out.stat().st_size:
            assert running.poll() is None
        running.terminate()
        assert running.wait(10) == 0
    assert out.read_bytes() == LINES[0]


@pytest.mark.skipif(sys.platform != "linux", reason="the system doesn't tell how much a process has read")
def test_a_run_can_be_stopped_within_an_endless_line_of_a_device(tmp_path: Path) -> None:
    def read() -> int:
        told = Path(f"/proc/{running.pid}/io").read_text()
        return int(told.split()[told.split().index("rchar:") + 1])

    with started(tmp_path, "file:/dev/zero") as running:
        # Longer than a message already.
        while read() < 64 * MIB:
            assert running.poll() is None
        running.terminate()
        assert running.wait(10) == 0


def content(path: Path) -> bytes:
    match path.suffix:
        case ".gz":
            return gzip.decompress(path.read_bytes())
        case ".zst":
            with zstandard.ZstdDecompressor().stream_reader(path.read_bytes(), read_across_frames=True) as reader:
                data: bytes = reader.read()
                return data
        case _:
            return path.read_bytes()


@pytest.mark.parametrize(
    ("ending", "room"), [("", len(TEXT) // 2), ("", len(TEXT) - 1), (".gz", 30_000), (".zst", 30_000)]
)
def test_an_output_that_may_not_grow_ends_the_run_and_loses_nothing(ending: str, room: int, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(TEXT)
    sink = f"out.jsonl{ending}"
    failed = run(
        tmp_path,
        "bytes_only",
        *OFTEN,
        sink=sink,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (room, room)),
    )
    assert (failed.code, failed.report["status"]) == (4, "failed")
    assert failed.stderr.startswith(f"error[OXF0404]: stream `out`: cannot write `{sink}`\n  why: File too large")
    done = run(tmp_path, "bytes_only", *OFTEN, sink=sink)
    assert (done.code, content(tmp_path / sink) == TEXT) == (0, True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system that has room for half of what is to be written."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={len(TEXT) // 2}", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small file system, and only on Linux; a limit of the system stands for it")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_disk_that_is_full_ends_the_run_and_loses_nothing(disk: Path) -> None:
    source = disk.parent / "in.jsonl"
    source.write_bytes(TEXT)
    failed = run(disk, "bytes_only", *OFTEN, source=str(source))
    assert (failed.code, failed.report["status"]) == (4, "failed")
    assert "No space left on device" in failed.stderr
    subprocess.run(["mount", "-o", f"remount,size={len(TEXT) * 4}", str(disk)], check=True)
    done = run(disk, "bytes_only", *OFTEN, source=str(source))
    assert (done.code, done.out == TEXT) == (0, True)
