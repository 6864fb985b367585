"""The beginning and the end: of the telemetry, and of processes."""

from __future__ import annotations

import atexit
import functools
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oxflow import _oxflow

if TYPE_CHECKING:
    from oxflow.telemetry.config import Config

__all__ = ["Dropped", "SinkStats", "Stats", "force_flush", "init", "shutdown", "stats"]


@dataclass
class _Process:
    """What `init` has set up in this process."""

    is_watched: bool = False
    # None before the beginning, and after the end.
    config: Config | None = None
    exit_timeout_s: float = 5.0
    # Libraries that were told of the end of their processes.
    workers: tuple[str, ...] = ()


_process = _Process()
# Libraries whose processes end in their own way.
_WORKERS = ("multiprocessing", "billiard")


@dataclass(frozen=True)
class Dropped:
    """Records that are lost, by the reason.

    Attributes:
        full: the queue was full.
        refused: the other side refused them.
        undelivered: the other side wasn't reached, or was too busy, for too long.
        late: they were made after `shutdown`.
    """

    full: int
    refused: int
    undelivered: int
    late: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.full + self.refused + self.undelivered + self.late


@dataclass(frozen=True)
class SinkStats:
    """What became of the records of a sink: `made` is `delivered`, `dropped.total` and `queued`, exactly.

    Attributes:
        signal: `traces`, `metrics` or `logs`.
        destination: where they go.
        made: all, of metrics the points.
        delivered: the other side has them.
        dropped: they are lost.
        queued: they wait, or are being sent.
    """

    signal: str
    destination: str
    made: int
    delivered: int
    dropped: Dropped
    queued: int


@dataclass(frozen=True)
class Stats:
    """What became of all records of this process.

    Attributes:
        sinks: of each sink.
    """

    sinks: tuple[SinkStats, ...]

    @property
    def made(self) -> int:
        """All records."""
        return sum(sink.made for sink in self.sinks)

    @property
    def delivered(self) -> int:
        """Those that arrived."""
        return sum(sink.delivered for sink in self.sinks)

    @property
    def dropped(self) -> int:
        """Those that are lost."""
        return sum(sink.dropped.total for sink in self.sinks)

    @property
    def queued(self) -> int:
        """Those that wait, or are being sent."""
        return sum(sink.queued for sink in self.sinks)


def init(config: Config | None = None) -> None:
    """Record from now on, as `config` and the variables of OpenTelemetry say.

    What was made before, instruments and loggers too, is live from now on. A second call ends what the first one began.

    Raises:
        ValueError: something that it says can't be used.
    """
    from oxflow.telemetry._settings import Settings
    from oxflow.telemetry.config import Config as Plain

    config = Plain() if config is None else config
    settings = Settings.of(config)
    _oxflow.begin_telemetry(settings, _process.exit_timeout_s)
    _process.config, _process.exit_timeout_s = config, config.exit_timeout_s
    _watch()


def join(config: Config | None) -> None:
    """Record from now on as `init` does, unless that has begun already.

    Raises:
        ValueError: it has begun with another configuration, or something that it says can't be used.
    """
    if _process.config is None:
        init(config)
    elif config is not None and config != _process.config:
        raise ValueError(
            "the telemetry of this process has begun with another configuration: give all providers the same `Config`, "
            "with all sinks"
        )


def force_flush(timeout: float = 30.0) -> bool:
    """Send all that there is now, for `timeout` seconds at most; say whether all of it was delivered."""
    return _oxflow.flush_telemetry(timeout, ends=False)


def shutdown(timeout: float = 30.0) -> bool:
    """Send all that there is, for `timeout` seconds at most, and record nothing more; say whether all of it was delivered.

    The end of the process does this by itself.
    """
    _process.config = None
    return _oxflow.flush_telemetry(timeout, ends=True)


def stats() -> Stats:
    """Say what became of all records of this process."""
    return Stats(tuple(_sink(line) for line in _oxflow.telemetry_stats()))


def _sink(line: dict[str, Any]) -> SinkStats:
    reasons = ("full", "refused", "undelivered", "late")
    dropped = Dropped(**{reason: line.pop(f"dropped_{reason}") for reason in reasons})
    return SinkStats(dropped=dropped, **line)


# --- processes ------------------------------------------------------------------------------------------------------


def _watch() -> None:
    if _process.is_watched:
        return
    _process.is_watched = True
    atexit.register(_at_exit)
    for name in _WORKERS:
        process = sys.modules.get(f"{name}.process")
        # A worker of another server than its parent, which told it nothing.
        if process is not None and process.current_process().name != "MainProcess":
            _in_worker(name)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(
            before=_before_fork,
            after_in_child=_oxflow.after_fork_in_child,
        )


def _at_exit() -> None:
    _oxflow.flush_telemetry(_process.exit_timeout_s, ends=True)


def _before_fork() -> None:
    for name in _WORKERS:
        util = sys.modules.get(f"{name}.util")
        if util is not None and name not in _process.workers:
            _process.workers = (*_process.workers, name)
            util.register_after_fork(_process, functools.partial(_in_worker, name))


def _in_worker(name: str, _: object = None) -> None:
    """Such a process ends without `atexit`, but calls its own finalizers."""
    sys.modules[f"{name}.util"].Finalize(None, _at_exit, exitpriority=0)
