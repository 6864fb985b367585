"""Several processes that run one pipeline, as members of its consumer group.

Python steps of one process share one interpreter; those of several don't. Each process is started anew, never forked, and takes
part in the group by itself: the broker shares the partitions out, and no message passes between processes.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from oxflow._lifetime import INTERRUPTED_EXIT_CODE
from oxflow.errors import ConfigError, Diagnostic

if TYPE_CHECKING:
    import argparse
    from types import FrameType

    from oxflow._run import Bound

__all__ = ["check_shared", "supervise"]

_LOOK_S = 0.1
# Before a process that was killed is replaced.
_REST_S = 1.0


def check_shared(bound: Bound) -> None:
    """Refuse what several processes can't share: a source that each would read as a whole, a name or a port that one can have."""
    # Of several streams all are topics, or none is.
    name = bound.plan.data["source"]["stream"]
    stream = bound.config["streams"][name]
    scheme = stream["url"].partition(":")[0]
    if scheme != "kafka":
        found = f"`--workers` needs a source that is shared out, but stream `{name}` is `{scheme}:`"
        raise _refused(found, "bind it to Kafka, or leave `--workers` away")
    if bound.config["run"].get("instance_id"):
        found = "`--workers` starts several processes, but only one of them can have the name of `run.instance_id`"
        raise _refused(found, "remove `run.instance_id`, or start each worker by itself with a name of its own")
    if bound.config["run"].get("endpoint"):
        found = "`--workers` starts several processes, but only one of them can have the address of `run.endpoint`"
        raise _refused(found, "remove `run.endpoint`, or start each worker by itself with an address of its own")


def _refused(found: str, fix: str) -> ConfigError:
    return ConfigError(Diagnostic("OXF0303", found, fix=fix))


def supervise(count: int, options: argparse.Namespace) -> int:
    """Run `count` workers until they end; the exit code is the first that isn't 0.

    The first signal drains them all, the second ends them. A worker that something else killed is replaced. One that fails by
    itself drains the others: it would fail again.
    """
    return _Workers(count, _command(options)).run()


def _command(options: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "oxflow", "run", options.target]
    command += [f"--config={options.config}"] if options.config is not None else []
    command += [f"--set={key}={value}" for key, value in options.overrides]
    command += [f"--stream={name}={url}" for name, url in options.streams]
    command += ["--json"] if options.json else []
    return [*command, "--quiet"] if options.quiet else command


class _Workers:
    def __init__(self, count: int, command: list[str]) -> None:
        self._count = count
        self._command = command
        self._running: list[subprocess.Popen[bytes]] = []
        self._signals = 0
        self._draining = False
        self._code = 0

    def run(self) -> int:
        before = {number: signal.signal(number, self._on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            for _ in range(self._count):
                self._start()
            while self._running:
                time.sleep(_LOOK_S)
                self._obey()
                self._look()
        finally:
            for process in self._running:
                process.kill()
            for number, handler in before.items():
                signal.signal(number, handler)
        return self._code

    def _start(self) -> None:
        # In a session of its own: an interrupt from the terminal would reach it twice, from there and from here, and end it.
        process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603  # our own
        self._running.append(process)

    def _look(self) -> None:
        ended = [process for process in self._running if process.poll() is not None]
        for process in ended:
            self._running.remove(process)
            if process.returncode < 0 and not self._draining:
                number = signal.Signals(-process.returncode).name
                print(f"oxflow: a worker was ended by {number} and is replaced", file=sys.stderr)
                time.sleep(_REST_S)
                if not self._signals:
                    self._start()
            elif process.returncode != 0:
                self._code = self._code or (process.returncode if process.returncode > 0 else INTERRUPTED_EXIT_CODE)
                self._drain()

    def _drain(self) -> None:
        if not self._draining:
            self._draining = True
            for process in self._running:
                process.terminate()

    def _obey(self) -> None:
        """Do what signals asked for. Not in their handler, which may come while a worker is being started."""
        if self._signals:
            self._drain()
        if self._signals > 1:
            for process in self._running:
                process.kill()

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._signals += 1
