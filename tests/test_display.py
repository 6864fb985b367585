"""What stands on a terminal while `oxflow run` runs there, and what is left of it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

APP = """
import logging
import time
from pathlib import Path
from oxflow import Map, Message, StreamSink, streaming_source

def wait(message: Message[bytes]) -> bytes:
    while not Path("go").exists():
        time.sleep(0.01)
        if Path("say").exists():
            Path("say").unlink()
            logging.getLogger("mine").warning("how odd")
    if message.payload == b"bad":
        raise ValueError("bad")
    return message.payload

def fail(message: Message[bytes]) -> bytes:
    if message.payload == b"bad":
        raise ValueError("bad")
    return message.payload

start = streaming_source("source", stream_name="in")
sink = StreamSink("sink", stream_name="out")
pipeline = start.apply(Map("wait", function=wait)).sink(sink)
failing = start.apply(Map("fail", function=fail)).apply(Map("wait", function=wait)).sink(sink)
"""
# After which a test fails instead of waiting on.
PATIENCE_S = 30
NOTE = "oxflow: stopping; press Ctrl-C again to end at once"
SEQUENCE = re.compile(r"\x1b\[([\d;]*)([A-Za-z])|(\r)|(\n)|(\x07|\x1b)|([^\r\n\x1b]+)")


class Terminal:
    """The few things that a terminal does with what oxflow writes; whatever else arrives is an error."""

    def __init__(self, width: int, height: int) -> None:
        self.screen, self.mine = pty.openpty()
        self.lines, self.row, self.column = [""], 0, 0
        self.written = ""
        self.resize(width, height)

    def resize(self, width: int, height: int) -> None:
        """As most terminals do, break the lines that have become too long. The cursor stays in the last one."""
        starts = [range(0, max(1, len(line)), width) for line in self.lines]
        broken = [[line[at : at + width] for at in parts] for line, parts in zip(self.lines, starts, strict=True)]
        self.lines = [part for parts in broken for part in parts]
        self.width, self.row = width, len(self.lines) - 1
        fcntl.ioctl(self.mine, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def read(self) -> None:
        """Take what has been written since, if anything comes soon."""
        if select.select([self.screen], [], [], 0.05)[0]:
            text = os.read(self.screen, 1 << 16).decode()
            self.written += text
            for match in SEQUENCE.finditer(text):
                self.take(match)

    def take(self, match: re.Match[str]) -> None:
        match match.groups():
            case (str(count), "A", *_):
                self.row -= int(count or 1)
                assert self.row >= 0, "above the screen"
            case (_, "K", *_):
                self.lines[self.row] = self.lines[self.row][: self.column]
            case (_, "J", *_):
                del self.lines[self.row + 1 :]
                self.lines[self.row] = self.lines[self.row][: self.column]
            case (_, "m", *_):
                pass
            case (_, _, "\r", *_):
                self.column = 0
            case (_, _, _, "\n", *_):
                self.row += 1
                self.lines += [""] * (self.row == len(self.lines))
            case (None, None, None, None, None, str(text)):
                line = self.lines[self.row].ljust(self.column)
                self.lines[self.row] = line[: self.column] + text + line[self.column + len(text) :]
                self.column += len(text)
                assert self.column < self.width, f"`{text}` breaks the line"
            case _:
                raise AssertionError(f"unexpected {match[0]!r}")

    @property
    def shown(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines).rstrip()

    def close(self) -> None:
        os.close(self.screen)
        os.close(self.mine)


Run = tuple[Terminal, "subprocess.Popen[bytes]"]


@contextlib.contextmanager
def running(
    folder: Path, *options: str, target: str = "app.py", lines: str = "good\n", on: str = "stderr", **environment: str
) -> Generator[Run]:
    (folder / "app.py").write_text(APP)
    (folder / "in.jsonl").write_text(lines)
    terminal = Terminal(70, 24)
    streams = ("--stream", "in=file:in.jsonl", "--stream", "out=null:")
    command = [sys.executable, "-m", "oxflow", "run", target, *streams, *options]
    clean = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "TERM"}}
    stdout, stderr = (terminal.mine if name in on else subprocess.PIPE for name in ("stdout", "stderr"))
    environment = clean | {"TERM": "xterm-256color"} | environment
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr
    )
    try:
        yield terminal, process
    finally:
        process.kill()
        process.communicate()
        terminal.close()


def until(run: Run, true: Callable[[], bool]) -> None:
    terminal, process = run
    last = time.monotonic() + PATIENCE_S
    while not true():
        assert process.poll() is None, terminal.shown
        assert time.monotonic() < last, terminal.shown
        terminal.read()


def ended(run: Run) -> int:
    terminal, process = run
    while process.poll() is None:
        terminal.read()
    terminal.read()
    return process.returncode


def test_the_steps_stand_on_the_terminal_and_go_without_a_trace(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        until(run, lambda: "> wait" in run[0].shown)
        assert re.fullmatch(
            r"""  step        rate  in flight  errors  waiting
  source *\S+          0       0
> wait *\S+          1       0 +(-|\d+ %)
  sink *\S+          0       0
0:0\d \[=+\]  100 %  5 B of 5 B""",
            run[0].shown,
        ), run[0].shown
        # Drawn more than once, in its place.
        until(run, lambda: run[0].written.count("in flight") > 2)
        assert run[0].shown.count("> wait") == 1
        (tmp_path / "go").touch()
        assert ended(run) == 0
        assert run[0].shown == ""


def test_a_signal_leaves_its_note_alone(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        until(run, lambda: "> wait" in run[0].shown)
        run[1].send_signal(signal.SIGINT)
        until(run, lambda: NOTE in run[0].shown)
        assert run[0].shown == NOTE
        (tmp_path / "go").touch()
        assert ended(run) == 0
        assert run[0].shown == NOTE


def test_what_is_logged_stands_above_the_steps_and_stays(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        until(run, lambda: "> wait" in run[0].shown)
        (tmp_path / "say").touch()
        until(run, lambda: run[0].shown.startswith("warning: mine: how odd\n  step") and "0:0" in run[0].shown)
        assert run[0].shown.count("> wait") == 1
        (tmp_path / "go").touch()
        assert ended(run) == 0
        assert run[0].shown == "warning: mine: how odd"


def test_an_error_stands_where_the_steps_were(tmp_path: Path) -> None:
    with running(tmp_path, lines="bad\n") as run:
        # An error is longer than this terminal is wide, as any text may be.
        run[0].width = 1000
        until(run, lambda: "> wait" in run[0].shown)
        (tmp_path / "go").touch()
        assert ended(run) == 1
        assert run[0].shown.startswith("error[OXF0501]: step `wait` failed")
        assert "rate" not in run[0].shown


@pytest.mark.parametrize("width", [100, 50, 20])
def test_the_picture_follows_the_width_of_the_terminal(width: int, tmp_path: Path) -> None:
    with running(tmp_path) as run:
        until(run, lambda: "> wait" in run[0].shown)
        run[0].resize(width, 24)
        drawn = run[0].written.count("rate")
        until(run, lambda: run[0].written.count("rate") == drawn + 2)
        assert [line.split()[0] for line in run[0].shown.replace(">", " ").splitlines()] == [
            "step",
            "source",
            "wait",
            "sink",
            f"0:0{int(run[0].shown.splitlines()[-1][3])}",
        ]
        (tmp_path / "go").touch()
        assert ended(run) == 0
        assert run[0].shown == ""


def test_what_a_shell_wrote_while_the_process_was_stopped_stays(tmp_path: Path) -> None:
    with running(tmp_path) as run:
        until(run, lambda: "> wait" in run[0].shown)
        run[1].send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, run[1].pid, os.WSTOPPED | os.WNOWAIT)
        os.write(run[0].mine, b"written by a shell\n")
        run[1].send_signal(signal.SIGCONT)
        until(run, lambda: "> wait" in run[0].shown.partition("written by a shell\n")[2])
        (tmp_path / "go").touch()
        assert ended(run) == 0
        assert run[0].shown.endswith("\nwritten by a shell")


@pytest.mark.parametrize(
    ("options", "on", "environment"),
    [
        ((), "stdout", {}),
        (("--quiet",), "stderr", {}),
        ((), "stderr", {"TERM": "dumb"}),
        (("--stream", "out=stdout:"), "stdout stderr", {}),
    ],
    ids=["no terminal", "quiet", "a dumb terminal", "messages go to the terminal"],
)
def test_nothing_is_drawn(options: tuple[str, ...], on: str, environment: dict[str, str], tmp_path: Path) -> None:
    with running(tmp_path, *options, on=on, **environment) as run:
        # Much longer than it takes until the first picture.
        for _ in range(30):
            run[0].read()
        assert run[0].written == ""
        assert run[1].poll() is None


@pytest.mark.parametrize("no_color", ["", "1"])
def test_colours_are_left_out_if_they_are_not_wanted(no_color: str, tmp_path: Path) -> None:
    config = ("--set", "steps.fail.on_error=skip", "--set", "run.batch.messages=1")
    with running(tmp_path, *config, target="app.py:failing", lines="bad\ngood\n", NO_COLOR=no_color) as run:
        until(run, lambda: "> wait" in run[0].shown)
        assert ("\x1b[31m" in run[0].written) == (not no_color)
