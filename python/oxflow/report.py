"""What a run did: counts and times per step and source."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from oxflow import _oxflow
from oxflow._recorded import LogCount, Metric, Recorded, SpanTotal, duration, picked
from oxflow._terminal import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oxflow._oxflow import Message

__all__ = [
    "LogCount",
    "Metric",
    "Recorded",
    "RunReport",
    "Skipped",
    "SourceReport",
    "SpanTotal",
    "StepExit",
    "StepReport",
    "StopCause",
    "StopSignal",
    "duration",
]

StopSignal: TypeAlias = Literal["SIGINT", "SIGTERM"]
StopCause: TypeAlias = Literal["SIGINT", "SIGTERM", "SystemExit", "KeyboardInterrupt"]


@dataclass(frozen=True)
class StepReport:
    """What one step did.

    Attributes:
        name: name of the step.
        kind: what it is, `map`.
        language: `python` or `rust`; `None` for what the engine does itself.
        messages_in: messages that reached it.
        messages_out: messages that it gave.
        errors: messages that failed in it.
        skipped: messages of the source that `on_error: skip` left out; each counts once, on however many of its outputs the step
            failed.
        dead_lettered: those that `on_error: dead_letter` sent to the dead letters, likewise.
        retried: calls that `on_error: retry` made again.
        unknown_fields: fields that a Rust step's type does not name, and that were dropped when the payload was read.
        time_s: seconds spent in it, over all lanes.
        waiting_s: how many of these were spent in waiting for the interpreter.
        in_flight: messages that are in it at this moment: what a lane carries through it, and what it gathers.
        busy_lanes: lanes that are in it at this moment; one that waits for input is in the source.
    """

    name: str
    kind: str
    language: str | None
    messages_in: int
    messages_out: int
    errors: int
    skipped: int
    dead_lettered: int
    retried: int
    unknown_fields: int
    time_s: float
    waiting_s: float
    in_flight: int
    busy_lanes: int


@dataclass(frozen=True)
class SourceReport:
    """How far one partition of a source was read.

    Attributes:
        stream: logical name of the stream.
        partition: number of the partition.
        name: what the partition is, the path of a file.
        resumed_at: where reading went on if the run was resumed, counted as `committed`; `None` if it began at the beginning.
        committed: where reading would go on: in a file bytes of its uncompressed content, elsewhere the offset of the next
            message; `None` if nothing was committed.
        position_bytes: bytes of the file that were read, of a compressed one as it lies on the disk; `None` if it is no file.
        size_bytes: length of the file when the run started; `None` if it is no file.
        end: the offset that the topic's next message gets, as its broker said last; `None` if it is no topic.
        lag: how many offsets lie between what the group has committed and `end`, as the broker said last.
    """

    stream: str
    partition: int
    name: str
    resumed_at: int | None
    committed: int | None
    position_bytes: int | None
    size_bytes: int | None
    end: int | None
    lag: int | None


@dataclass(frozen=True)
class Skipped:
    """A message that failed and was left out.

    Attributes:
        step: name of the step that failed.
        origin: where the message was read.
        code: code of the error.
        error: class of the error and what it says.
    """

    step: str
    origin: str
    code: str
    error: str


@dataclass(frozen=True)
class StepExit:
    """A step asked the process to end: the run stopped before the message that the step was called with.

    Attributes:
        error: `SystemExit` or `KeyboardInterrupt`.
        step: name of the step.
        origin: where the message was read; a later run reads it again.
        passed: `repr()` of what `sys.exit` was called with; empty if nothing.
        code: the exit code that was asked for, from 0 to 255; `oxflow run` exits with it.
    """

    error: Literal["SystemExit", "KeyboardInterrupt"]
    step: str
    origin: str
    passed: str
    code: int

    def __str__(self) -> str:
        called = f"called sys.exit({self.passed})" if self.error == "SystemExit" else f"raised {self.error}"
        return printable(f"step `{self.step}` {called} at {self.origin}")


@dataclass(frozen=True)
class RunReport:
    """What a run did; `str()` of it is a table.

    Attributes:
        status: `drained` if no error ended the run, else `failed`; `running` before its end.
        ended: whether the source was read to its end.
        delivery: what was promised about each message: `exactly_once` between files, else `at_least_once`.
        stopped_by: what stopped the run, if something did: a signal, or the exception of a step that asked the process to end.
        exit: what that step said, if one did.
        checkpoint: path of the checkpoint that the run left, from which the same run goes on; `None` if there is none.
        resumed: whether the run went on where an earlier one had stopped.
        elapsed_s: seconds from start to end.
        lanes: number of threads that carried messages.
        messages_in: messages read from the source.
        messages_out: messages written to the sinks.
        steps: the source and each step, in the order of the plan.
        sources: each partition that was read.
        skipped: the first messages that were left out; the steps count them all.
        recorded: what Rust extensions logged, timed and measured.
        outputs: messages written to streams in memory, by logical name.
    """

    status: Literal["running", "drained", "failed"]
    ended: bool
    delivery: Literal["exactly_once", "at_least_once"]
    stopped_by: StopCause | None
    exit: StepExit | None
    checkpoint: str | None
    resumed: bool
    elapsed_s: float
    lanes: int
    messages_in: int
    messages_out: int
    steps: tuple[StepReport, ...]
    sources: tuple[SourceReport, ...]
    skipped: tuple[Skipped, ...] = ()
    recorded: Recorded = field(default_factory=Recorded)
    outputs: Mapping[str, Sequence[Message[bytes]]] = field(default_factory=dict[str, Any], repr=False)
    _data: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False, compare=False)

    @classmethod
    def from_json(
        cls, text: str, outputs: Mapping[str, Sequence[Message[bytes]]], stopped_by: StopSignal | None = None
    ) -> RunReport:
        """Read the engine's report.

        Args:
            text: the report as JSON.
            outputs: messages written to streams in memory.
            stopped_by: the signal that stopped the run.
        """
        data: dict[str, Any] = json.loads(text)
        asked = None if data["exit"] is None else picked(StepExit, data["exit"])
        data["stopped_by"] = stopped_by or (asked and asked.error)
        return cls(
            status=data["status"],
            ended=data["ended"],
            delivery=data["delivery"],
            stopped_by=data["stopped_by"],
            exit=asked,
            checkpoint=data["checkpoint"],
            resumed=data["resumed"],
            elapsed_s=data["elapsed_s"],
            lanes=data["lanes"],
            messages_in=data["messages_in"],
            messages_out=data["messages_out"],
            steps=tuple(picked(StepReport, item) for item in data["steps"]),
            sources=tuple(picked(SourceReport, item) for item in data["sources"]),
            skipped=tuple(picked(Skipped, item) for item in data["skipped"]),
            recorded=Recorded.from_dict(data["recorded"]),
            outputs=outputs,
            _data=data,
        )

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON values, without outputs."""
        return dict(self._data)

    def __str__(self) -> str:
        return _oxflow.report_text(json.dumps(self._data), self.recorded.lines())
