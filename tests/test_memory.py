"""A sink that stands still stops the reading: memory stays bounded, and nothing is lost.

The sink is a pipe that nobody reads until the process was seen to stand still. The input is many times larger than what
the page "How it runs" says that a run holds.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fdinfo").exists(), reason="only Linux shows how far a process reads"
)

KIB, MIB = 1 << 10, 1 << 20
FILES, LINES, LINE_BYTES = 2, 16_000, 2 * KIB
BATCH = MIB
# A lane carries one batch: what it reads of its input, what its steps make of it, and the lines that it writes.
LANE = 6 * MIB
PIPE, SINK_BUFFER, CHUNK = 64 * KIB, 256 * KIB, 64 * KIB
# Standard input is read ahead: four chunks, one more that waits for room among them, one that is being carried.
AHEAD = 6 * CHUNK
# So many looks without a change, 20 ms apart, are a process that stands still.
STILL = 15

PIPELINES = {
    "no step": """
from oxflow import StreamSink, streaming_source

pipeline = streaming_source("source", stream_name="in").sink(StreamSink("sink", stream_name="out"))
""",
    "Python steps": """
from typing import Any
from oxflow import Map, Message, Parser, Serializer, StreamSink, streaming_source

def same(message: Message[dict[str, Any]]) -> dict[str, Any]:
    return message.payload

pipeline = (
    streaming_source("source", stream_name="in")
    .apply(Parser("parse", dict[str, Any]))
    .apply(Map("same", function=same))
    .apply(Serializer("serialise"))
    .sink(StreamSink("sink", stream_name="out"))
)
""",
}
# Leaves in a file how much memory it ever had.
MEASURED = """
import sys
from oxflow.cli import main
code = main()
with open("/proc/self/status") as status, open("peak", "w") as peak:
    print(next(line.split()[1] for line in status if line.startswith("VmHWM")), file=peak)
sys.exit(code)
"""


class Run(NamedTuple):
    """A run in a folder of its own."""

    process: subprocess.Popen[bytes]
    folder: Path

    def status(self, *of: str) -> str:
        """What the system says of the process."""
        return Path("/proc", str(self.process.pid), *of).read_text(encoding="ascii")

    def peak(self) -> int:
        """Bytes of memory that the process had at most up to now."""
        lines = self.status("status").splitlines()
        return next(int(line.split()[1]) * KIB for line in lines if line.startswith("VmHWM"))

    def read(self) -> list[int]:
        """How far it has read each input that it has open."""
        read: list[int] = []
        for number in Path("/proc", str(self.process.pid), "fd").iterdir():
            # It may be closed meanwhile.
            with suppress(FileNotFoundError):
                path = number.readlink()
                if path.parent == self.folder and path.name.startswith("in-"):
                    read.append(int(self.status("fdinfo", number.name).split()[1]))
        return read

    def stand_still(self) -> None:
        """Wait until it has read something and reads no more."""
        looks: list[str] = []
        while len(looks) < STILL or len(set(looks[-STILL:])) > 1 or not self.read():
            assert self.process.poll() is None, "it ended though nobody read its output"
            time.sleep(0.02)
            looks.append(self.status("io").partition("\n")[0])


def lines(file: int, count: int) -> Iterator[bytes]:
    for number in range(count):
        yield (
            json.dumps({"file": file, "number": number, "text": "x" * LINE_BYTES}, separators=(",", ":")).encode()
            + b"\n"
        )


@contextmanager
def started(folder: Path, pipeline: str, inputs: str, output: str, lanes: int = 1) -> Generator[Run]:
    (folder / "app.py").write_text(PIPELINES[pipeline], encoding="utf-8")
    options = (
        f"--stream=in={inputs}",
        f"--stream=out={output}",
        f"--set=run.lanes={lanes}",
        f"--set=run.batch.bytes={BATCH}",
    )
    command = [sys.executable, "-c", MEASURED, "run", "app.py", "--quiet", *options]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE) as process:
        try:
            yield Run(process, folder)
        finally:
            process.kill()


def peak_at_the_end(folder: Path) -> int:
    return int((folder / "peak").read_text(encoding="ascii")) * KIB


def base(folder: Path, pipeline: str) -> int:
    """Memory that a run needs for one message."""
    folder.mkdir()
    (folder / "in-0.jsonl").write_bytes(b"".join(lines(0, 1)))
    with started(folder, pipeline, "file:in-*.jsonl", "null:") as run:
        assert run.process.wait() == 0
    return peak_at_the_end(folder)


@contextmanager
def unread_pipe(path: Path) -> Generator[int]:
    os.mkfifo(path)
    # For opening without waiting for a writer; what reads waits.
    pipe = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(pipe, True)
    yield pipe
    os.close(pipe)


def drain(pipe: int) -> bytes:
    return b"".join(iter(lambda: os.read(pipe, MIB), b""))


@pytest.mark.parametrize("lanes", [1, 2])
@pytest.mark.parametrize("pipeline", PIPELINES)
def test_a_sink_that_stands_still_stops_the_reading(tmp_path: Path, pipeline: str, lanes: int) -> None:
    allowed = base(tmp_path / "base", pipeline) + lanes * LANE
    for file in range(FILES):
        (tmp_path / f"in-{file}.jsonl").write_bytes(b"".join(lines(file, LINES)))
    with (
        unread_pipe(tmp_path / "out") as pipe,
        started(tmp_path, pipeline, "file:in-*.jsonl", "file:out", lanes) as run,
    ):
        run.stand_still()
        read = run.read()
        assert len(read) == lanes
        assert sum(read) <= lanes * 2 * BATCH + SINK_BUFFER + PIPE
        assert run.peak() <= allowed
        output = drain(pipe)
        assert run.process.wait() == 0
    assert peak_at_the_end(tmp_path) <= allowed
    delivered = defaultdict(bytes, dict.fromkeys(range(FILES), b""))
    for file, mine in itertools.groupby(output.splitlines(keepends=True), lambda line: int(line[8:9])):
        delivered[file] += b"".join(mine)
    assert delivered == {file: b"".join(lines(file, LINES)) for file in range(FILES)}


def test_a_sink_that_stands_still_stops_whoever_writes_to_standard_input(tmp_path: Path) -> None:
    everything = b"".join(lines(0, LINES))
    with unread_pipe(tmp_path / "out") as pipe, started(tmp_path, "no step", "stdin:", "file:out") as run:
        assert run.process.stdin is not None
        given = offer(run.process.stdin.fileno(), everything)
        assert given <= PIPE + AHEAD + CHUNK + SINK_BUFFER + PIPE
        outputs: list[bytes] = []
        reader = threading.Thread(target=lambda: outputs.append(drain(pipe)))
        reader.start()
        os.set_blocking(run.process.stdin.fileno(), True)
        run.process.stdin.write(everything[given:])
        run.process.stdin.close()
        reader.join()
        assert run.process.wait() == 0
    assert outputs == [everything]


def offer(pipe: int, content: bytes) -> int:
    """Write until nobody takes any more; how much was taken. What lies in the pipe alone is not enough."""
    os.set_blocking(pipe, False)
    given, refused = 0, 0
    while given <= PIPE or refused < STILL:
        refused += 1
        with suppress(BlockingIOError):
            given += os.write(pipe, content[given : given + PIPE])
            refused = 0
        time.sleep(0.02 if refused else 0)
    return given
