"""Where messages come from and where they go: files, compressed or not, standard input and output, memory, nothing."""

from __future__ import annotations

import codecs
import gzip
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

import oxflow
from oxflow import Map, Message, StreamSink, branch, streaming_source

PASS = streaming_source("source", stream_name="in").sink(StreamSink("sink", stream_name="out"))


def upper(message: Message[bytes]) -> bytes:
    """Give the payload in capitals."""
    return message.payload.upper()


def tell_origin(message: Message[bytes]) -> bytes:
    """Say where the message comes from."""
    assert message.origin is not None
    return f"{message.origin.partition}:{message.origin.offset}".encode()


def written(text: bytes, folder: Path, ending: str = "") -> Path:
    path = folder / f"in.jsonl{ending}"
    if ending == ".gz":
        # Two members, as a file has that was appended to.
        half = len(text) // 2
        path.write_bytes(gzip.compress(text[:half]) + gzip.compress(text[half:]))
    else:
        path.write_bytes(text)
    return path


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_what_a_file_sink_writes_a_file_source_reads(tmp_path: Path, ending: str) -> None:
    lines = [f"line {number}".encode() for number in range(5000)]
    middle, end = f"file:{tmp_path}/middle{ending}", f"file:{tmp_path}/end"
    oxflow.run(PASS, streams={"in": lines, "out": middle})
    report = oxflow.run(PASS, streams={"in": middle, "out": end})
    assert (tmp_path / "end").read_bytes() == b"".join(line + b"\n" for line in lines)
    assert (report.messages_in, report.messages_out) == (5000, 5000)


def test_a_compressed_file_may_have_several_members(tmp_path: Path) -> None:
    path = written(b"a\nb\nc\nd\n", tmp_path, ".gz")
    assert payloads(oxflow.run(PASS, streams={"in": f"file:{path}", "out": "memory:"})) == [b"a", b"b", b"c", b"d"]


def payloads(report: oxflow.RunReport) -> list[bytes]:
    return [message.payload for message in report.outputs["out"]]


@settings(max_examples=60, deadline=None)
@given(text=st.binary(max_size=200), batch=st.integers(1, 5), chunk=st.integers(1024, 2048))
def test_each_line_that_is_not_blank_is_a_message(tmp_path_factory: Any, text: bytes, batch: int, chunk: int) -> None:
    path = written(text, tmp_path_factory.mktemp("lines"))
    config = {"run": {"batch": {"messages": batch, "bytes": chunk}}}
    text = text.removeprefix(codecs.BOM_UTF8)
    expected = [line.removesuffix(b"\r") for line in text.split(b"\n") if line.strip(b" \t\n\x0c\r")]
    assert payloads(oxflow.run(PASS, streams={"in": f"file:{path}", "out": "memory:"}, config=config)) == expected


def test_each_file_of_a_pattern_is_a_partition_in_the_order_of_names(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        (tmp_path / f"{name}.jsonl").write_bytes(name.encode() + b"1\n" + name.encode() + b"2\n")
    pipeline = streaming_source("source", stream_name="in").apply(Map("origin", function=tell_origin))
    report = oxflow.run(
        pipeline.sink(StreamSink("sink", stream_name="out")),
        streams={"in": f"file:{tmp_path}/*.jsonl", "out": "memory:"},
    )
    assert sorted(payloads(report)) == [b"0:0", b"0:1", b"1:0", b"1:1", b"2:0", b"2:1"]
    assert [source.name for source in report.sources] == [f"{tmp_path}/{name}.jsonl" for name in "abc"]
    assert [source.committed for source in report.sources] == [6, 6, 6]


def test_partitions_are_dealt_out_to_lanes(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.jsonl").write_bytes(b"".join(b"%d-%d\n" % (number, line) for line in range(2000)))
    out = tmp_path / "out"
    streams = {"in": f"file:{tmp_path}/*.jsonl", "out": f"file:{out}"}
    report = oxflow.run(PASS, streams=streams, config={"run": {"lanes": 3}})
    lines = out.read_bytes().splitlines()
    assert report.lanes == 3
    for number in range(4):
        mine = [line for line in lines if line.startswith(b"%d-" % number)]
        assert mine == [b"%d-%d" % (number, line) for line in range(2000)]


def test_a_sink_starts_anew_unless_it_is_told_to_append(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"old\n")
    oxflow.run(PASS, streams={"in": [b"new"], "out": f"file:{out}?append=true"})
    assert out.read_bytes() == b"old\nnew\n"
    oxflow.run(PASS, streams={"in": [b"newer"], "out": f"file:{out}"})
    assert out.read_bytes() == b"newer\n"


def test_a_sink_never_overwrites_what_another_stream_has(tmp_path: Path) -> None:
    path = written(b"precious\n", tmp_path)
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "hard link").hardlink_to(path)
    for name in ("in.jsonl", "./in.jsonl", "link", "hard link"):
        sink = f"file:{tmp_path}/{name}"
        with pytest.raises(oxflow.StreamError, match="which stream `in` is bound to"):
            oxflow.run(PASS, streams={"in": f"file:{path}", "out": sink})
    both = streaming_source("source", stream_name="in").broadcast(
        "both",
        routes=[
            branch("a").sink(StreamSink("sink-a", stream_name="a")),
            branch("b").sink(StreamSink("sink-b", stream_name="b")),
        ],
    )
    with pytest.raises(oxflow.StreamError, match="which stream `a` is bound to"):
        oxflow.run(both, streams={"in": f"file:{path}", "a": f"file:{tmp_path}/out", "b": f"file:{tmp_path}/out"})
    assert path.read_bytes() == b"precious\n"


def test_what_a_sink_could_not_write_out_is_not_committed(tmp_path: Path) -> None:
    path, other = written(b"line\n" * 100, tmp_path), tmp_path / "other"
    with pytest.raises(oxflow.StreamError, match="cannot write `/dev/full`") as caught:
        oxflow.run(PASS, streams={"in": f"file:{path}", "out": "file:/dev/full"})
    assert caught.value.report is not None
    assert [source.committed for source in caught.value.report.sources] == [None]
    both = streaming_source("source", stream_name="in").broadcast(
        "both",
        routes=[
            branch("full").sink(StreamSink("sink-full", stream_name="full")),
            branch("other").sink(StreamSink("sink-other", stream_name="other")),
        ],
    )
    with pytest.raises(oxflow.StreamError) as caught:
        oxflow.run(both, streams={"in": [b"a"], "full": "file:/dev/full", "other": f"file:{other}"})
    assert other.read_bytes() == b"a\n"


@pytest.mark.parametrize("compressed", [False, True])
def test_a_sink_may_be_a_pipe_or_a_device_beside_a_file(tmp_path: Path, compressed: bool) -> None:  # noqa: FBT001  # a parameter
    ending = ".gz" if compressed else ""
    pipe, path = tmp_path / f"pipe{ending}", written(b"a\nb\n", tmp_path)
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    streams = {"file": f"file:{tmp_path}/out", "pipe": f"file:{pipe}", "device": "file:/dev/null"}
    routes = [branch(name).sink(StreamSink(f"sink-{name}", stream_name=name)) for name in streams]
    pipeline = streaming_source("source", stream_name="in").broadcast("all", routes=routes)
    report = oxflow.run(pipeline, streams={"in": f"file:{path}", **streams})
    reader.join()
    assert (gzip.decompress(read[0]) if compressed else read[0]) == b"a\nb\n"
    assert (tmp_path / "out").read_bytes() == b"a\nb\n"
    assert (report.delivery, report.messages_out) == ("exactly_once", 6)


def test_a_pipe_that_nobody_reads_can_be_interrupted(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    script = (
        "import oxflow\n"
        "source = oxflow.streaming_source('source', stream_name='in')\n"
        "pipeline = source.sink(oxflow.StreamSink('sink', stream_name='out'))\n"
        f"print('starts', flush=True)\noxflow.run(pipeline, streams={{'in': [b'a'], 'out': 'file:{tmp_path}/pipe'}})\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"starts\n"
        while running.poll() is None:
            running.send_signal(signal.SIGINT)
            time.sleep(0.05)
        assert running.returncode in {130, -signal.SIGINT, 1}


def test_null_takes_everything_and_keeps_nothing() -> None:
    report = oxflow.run(PASS, streams={"in": [b"a", b"b"], "out": "null:"})
    assert (report.messages_out, dict(report.outputs)) == (2, {})


def test_standard_input_and_output_carry_lines(tmp_path: Path) -> None:
    pipeline = tmp_path / "shout.py"
    pipeline.write_text(
        "from oxflow import Map, StreamSink, streaming_source\n"
        "source = streaming_source('source', stream_name='in')\n"
        "shout = source.apply(Map('shout', function=lambda message: message.payload.upper()))\n"
        "pipeline = shout.sink(StreamSink('sink', stream_name='out'))\n",
    )
    command = [sys.executable, "-m", "oxflow", "run", str(pipeline), "--stream", "in=stdin:", "--stream", "out=stdout:"]
    done = subprocess.run(command, input=b"one\ntwo", capture_output=True, check=True)
    assert done.stdout == b"ONE\nTWO\n"
    assert b"drained" in done.stderr


def test_a_reader_of_standard_output_sees_a_message_before_the_input_ends(tmp_path: Path) -> None:
    pipeline = tmp_path / "echo.py"
    pipeline.write_text(
        "from oxflow import StreamSink, streaming_source\n"
        "pipeline = streaming_source('source', stream_name='in').sink(StreamSink('sink', stream_name='out'))\n",
    )
    command = [sys.executable, "-m", "oxflow", "run", str(pipeline), "--stream", "in=stdin:", "--stream", "out=stdout:"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        running.stdin.write(b"first\n")
        running.stdin.flush()
        assert running.stdout.readline() == b"first\n"
        running.stdin.close()
        assert running.wait() == 0


ECHO = (
    "import oxflow\n"
    "from oxflow import Map, StreamSink, streaming_source\n"
    "source = streaming_source('source', stream_name='in')\n"
    "pipeline = source.sink(StreamSink('sink', stream_name='out'))\n"
)


def test_a_closed_pipe_is_told_in_a_line(tmp_path: Path) -> None:
    pipeline, path = tmp_path / "echo.py", written(b"line\n" * 100_000, tmp_path)
    pipeline.write_text(ECHO)
    command = [sys.executable, "-m", "oxflow", "run", str(pipeline), "--quiet"]
    streams = ["--stream", f"in=file:{path}", "--stream", "out=stdout:"]
    with subprocess.Popen([*command, *streams], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.readline() == b"line\n"
        running.stdout.close()
        assert b"error[OXF0404]: stream `out`: the reader of `stdout` went away\n" in running.stderr.read()
        assert running.wait() == 4


def test_a_closed_standard_output_is_an_error() -> None:
    program = f"{ECHO}oxflow.run(pipeline, streams={{'in': [b'a'], 'out': 'stdout:'}})\n"
    command = ["/bin/sh", "-c", 'exec "$0" -c "$1" >&-', sys.executable, program]
    done = subprocess.run(command, capture_output=True, check=False)
    assert b"OXF0404" in done.stderr
    assert b"Bad file descriptor" in done.stderr
    assert done.returncode != 0


def test_what_a_run_leaves_of_standard_input_the_next_one_finds() -> None:
    program = (
        f"{ECHO}def stop(message):\n"
        "    if message.payload == b'b':\n"
        "        raise ValueError\n"
        "    return message.payload\n"
        "stopping = source.apply(Map('stop', function=stop)).sink(StreamSink('sink', stream_name='out'))\n"
        "config = {'run': {'batch': {'messages': 1}}}\n"
        "for pipeline in (stopping, pipeline, pipeline):\n"
        "    try:\n"
        "        report = oxflow.run(pipeline, streams={'in': 'stdin:', 'out': 'memory:'}, config=config)\n"
        "    except oxflow.StepError as error:\n"
        "        report = error.report\n"
        "    print([message.payload for message in report.outputs['out']])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], input=b"a\nb\nc\nd\n", capture_output=True, check=True)
    assert done.stdout.splitlines() == [b"[b'a']", b"[b'c', b'd']", b"[]"]


def test_two_runs_cannot_read_standard_input_at_once() -> None:
    program = (
        f"{ECHO}def inner(message):\n"
        "    return oxflow.run(pipeline, streams={'in': 'stdin:', 'out': 'null:'})\n"
        "outer = source.apply(Map('inner', function=inner)).sink(StreamSink('sink', stream_name='out'))\n"
        "oxflow.run(outer, streams={'in': 'stdin:', 'out': 'null:'})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], input=b"a\n", capture_output=True, check=False)
    assert b"another run of this process reads stdin" in done.stderr


def test_there_may_be_more_files_than_a_process_may_open(tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"{number}.jsonl").write_bytes(b"line\n")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, before[1]))
    try:
        report = oxflow.run(PASS, streams={"in": f"file:{tmp_path}/*.jsonl", "out": "null:"})
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert report.messages_in == 200


def test_a_named_pipe_is_read_as_it_is_written(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    out = tmp_path / "out"

    def write() -> None:
        with pipe.open("wb", buffering=0) as writer:
            writer.write(b"first\n")
            deadline = time.monotonic() + 10
            while not arrived.is_set() and time.monotonic() < deadline:
                time.sleep(0.01)
            writer.write(b"second\n" if arrived.is_set() else b"too late\n")

    def note(message: Message[bytes]) -> bytes:
        arrived.set()
        return message.payload

    arrived = threading.Event()
    writer = threading.Thread(target=write)
    writer.start()
    pipeline = streaming_source("source", stream_name="in").apply(Map("note", function=note))
    oxflow.run(
        pipeline.sink(StreamSink("sink", stream_name="out")), streams={"in": f"file:{pipe}", "out": f"file:{out}"}
    )
    writer.join()
    assert out.read_bytes() == b"first\nsecond\n"


def test_a_run_that_waits_for_the_writer_of_a_pipe_can_be_stopped(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "echo.py").write_text(ECHO)
    command = [sys.executable, "-m", "oxflow", "run", "echo.py", "--stream", "in=file:pipe", "--stream", "out=file:out"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as running:
        # The sink is opened last.
        deadline = time.monotonic() + 10
        while not (tmp_path / "out").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        running.terminate()
        assert running.wait(10) == 0


def test_a_folder_of_a_pattern_that_may_not_be_read_is_an_error() -> None:
    user = os.geteuid()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        (Path(folder) / "closed").mkdir(0)
        try:
            if user == 0:
                # Root may read everything.
                os.seteuid(65534)
            with pytest.raises(oxflow.StreamError, match=r"OXF0403.*cannot read `.*/closed`"):
                oxflow.run(PASS, streams={"in": f"file:{folder}/closed/*.jsonl", "out": "null:"})
        finally:
            os.seteuid(user)


def test_a_folder_as_a_source_is_refused_before_a_sink_is_emptied(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"precious\n")
    with pytest.raises(oxflow.StreamError, match="is a folder"):
        oxflow.run(PASS, streams={"in": f"file:{tmp_path}", "out": f"file:{out}"})
    assert out.read_bytes() == b"precious\n"


def test_a_long_line_takes_no_longer_than_its_bytes(tmp_path: Path) -> None:
    path = written(b"x" * (8 << 20) + b"\n", tmp_path)
    started = time.monotonic()
    report = oxflow.run(
        PASS, streams={"in": f"file:{path}", "out": "null:"}, config={"run": {"batch": {"bytes": 1024}}}
    )
    # With a copy for each chunk it took half a minute.
    assert time.monotonic() - started < 15
    assert report.messages_in == 1


@pytest.mark.parametrize(
    ("source", "sink", "text"),
    [
        (
            "file:missing.jsonl",
            "null:",
            (
                "error[OXF0403]: stream `in`: no file matches `missing.jsonl`\n"
                "  fix: check the path; a relative one starts at the current folder\n"
                "  more: oxflow explain OXF0403"
            ),
        ),
        (
            [b"a"],
            "file:no/such/folder/out",
            (
                "error[OXF0404]: stream `out`: cannot write `no/such/folder/out`\n"
                "  why: No such file or directory (os error 2)\n"
                "  fix: check that the folder exists, can be written and has room\n"
                "  more: oxflow explain OXF0404"
            ),
        ),
        (
            "stdout:",
            "null:",
            (
                "error[OXF0402]: stream `in` is a source, but stdout: cannot be one\n"
                "  fix: bind the stream to another URL: `oxflow explain OXF0402` lists them\n"
                "  more: oxflow explain OXF0402"
            ),
        ),
        (
            "file:.",
            "null:",
            (
                "error[OXF0403]: stream `in`: `.` is a folder\n"
                "  fix: name the files in it: `file:FOLDER/*.jsonl`\n"
                "  more: oxflow explain OXF0403"
            ),
        ),
        (
            "file:in[.jsonl",
            "null:",
            (
                "error[OXF0402]: stream `in`: `in[.jsonl` is not a pattern of paths\n"
                "  why: Pattern syntax error near position 2: invalid range pattern\n"
                "  fix: write `[*]` for a star that is part of a name, and likewise `[?]`\n"
                "  more: oxflow explain OXF0402"
            ),
        ),
        (
            "null:",
            "null:",
            (
                "error[OXF0402]: stream `in` is a source, but null: cannot be one\n"
                "  fix: bind the stream to another URL: `oxflow explain OXF0402` lists them\n"
                "  more: oxflow explain OXF0402"
            ),
        ),
        (
            "memory:",
            "null:",
            (
                "error[OXF0402]: stream `in` is a source, but memory: cannot be one\n"
                "  fix: bind the stream to another URL: `oxflow explain OXF0402` lists them\n"
                "  more: oxflow explain OXF0402"
            ),
        ),
        (
            [b"a"],
            "flie:out",
            (
                "error[OXF0402]: stream `out`: `flie:...` is not the URL of a stream\n"
                "  why: there is no scheme `flie:`, did you mean `file:`?\n"
                "  fix: write `file:PATH`, `kafka://HOST:PORT/TOPIC`, `stdin:`, `stdout:`, `memory:` or `null:`\n"
                "  more: oxflow explain OXF0402"
            ),
        ),
    ],
    ids=[
        "missing file",
        "missing folder",
        "wrong role",
        "folder",
        "bad pattern",
        "null source",
        "memory source",
        "wrong scheme",
    ],
)
def test_a_stream_that_cannot_be_used_is_told_with_its_name(source: str | list[bytes], sink: str, text: str) -> None:
    with pytest.raises(oxflow.StreamError) as caught:
        oxflow.run(PASS, streams={"in": source, "out": sink})
    assert str(caught.value) == text


def test_a_compressed_file_that_is_cut_is_an_error_after_its_whole_lines(tmp_path: Path) -> None:
    # Random digits, so that the cut is in the middle of the data.
    text = b"".join(b"%d\n" % (number * 7919 % 1000003) for number in range(20000))
    path, out = tmp_path / "in.jsonl.gz", tmp_path / "out"
    path.write_bytes(gzip.compress(text)[:-2000])
    with pytest.raises(oxflow.StreamError, match=r"OXF0403.*cannot read") as caught:
        oxflow.run(
            PASS, streams={"in": f"file:{path}", "out": f"file:{out}"}, config={"run": {"batch": {"bytes": 1024}}}
        )
    delivered = out.read_bytes()
    assert caught.value.report is not None
    assert delivered
    assert text.startswith(delivered)
    assert delivered.endswith(b"\n")


def test_a_payload_with_a_line_feed_cannot_be_a_line(tmp_path: Path) -> None:
    with pytest.raises(oxflow.StepError, match="holds a line feed, and each line is one message"):
        oxflow.run(PASS, streams={"in": [b"a\nb"], "out": f"file:{tmp_path}/out"})


def test_an_empty_file_is_no_message(tmp_path: Path) -> None:
    path = written(b"", tmp_path)
    report = oxflow.run(PASS, streams={"in": f"file:{path}", "out": "memory:"})
    assert (report.status, report.messages_in) == ("drained", 0)


def test_a_file_that_fails_is_named_with_its_line(tmp_path: Path) -> None:
    path = written(b'{"a": 1}\n\n{"a": \n', tmp_path)
    pipeline: Any = streaming_source("source", stream_name="in").apply(oxflow.Parser("parse", dict[str, Any]))
    pipeline = pipeline.apply(oxflow.Serializer("serialize")).sink(StreamSink("sink", stream_name="out"))
    with pytest.raises(oxflow.StepError) as caught:
        oxflow.run(pipeline, streams={"in": f"file:{path}", "out": "memory:"})
    assert f"step `parse` could not decode the payload at {path}, line 3" in str(caught.value)
