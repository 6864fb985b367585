"""Runs a pipeline in this process.

The work is done by the engine's threads. This thread binds the streams, checks everything that can be known beforehand, and
then waits in short turns, so that Python's signal handlers get to run: the first SIGINT or SIGTERM drains, which is to say
that the run stops between two messages, and what was handled is committed; the second ends the process at once.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from oxflow import _oxflow
from oxflow._builds import outdated_in, unoptimised_in
from oxflow._lifetime import carried, wait
from oxflow._logs import follow
from oxflow._oxflow import Message
from oxflow._signals import draining_on_signals
from oxflow.codec import encode, encode_msgpack
from oxflow.errors import (
    ConfigError,
    Diagnostic,
    OutdatedModuleWarning,
    OxflowError,
    PlanError,
    StreamError,
    UnoptimisedWarning,
    diagnostics_from,
)
from oxflow.plan import Plan, lower
from oxflow.report import RunReport

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxflow.pipeline import Pipeline

__all__ = ["run"]

Item: TypeAlias = "bytes | Message[bytes] | _oxflow.Advance"
Stream: TypeAlias = "str | Iterable[Item] | Iterable[Iterable[Item]]"
Config: TypeAlias = "str | Path | Mapping[str, Any] | None"


@dataclass(frozen=True)
class Bound:
    """A plan with all that the configuration says: ready to run, once checked.

    Attributes:
        plan: the plan.
        config: the normalised configuration.
        memory: partitions of the streams that are given as Python objects.
    """

    plan: Plan
    config: Mapping[str, Any]
    memory: Mapping[str, list[list[Item]]]

    def check(self) -> None:
        """Check plan and configuration.

        Raises:
            PlanError: the pipeline cannot run as it is written; lists all that is wrong.
            ConfigError: the configuration names what the pipeline does not have.
            StreamError: a stream is not bound.
        """
        wrong = self.plan.check()
        if wrong:
            raise PlanError(*wrong)
        wrong = self.check_config()
        if wrong:
            raise _config_error(wrong)

    def warnings(self) -> list[Diagnostic]:
        """What is no error but worth knowing, each once in a process."""
        return [*unoptimised_in(self.plan.functions.values()), *self.outdated()]

    def outdated(self) -> list[Diagnostic]:
        """The modules that were built anew after they were imported, each once in a process."""
        return outdated_in(self.plan.functions.values())

    def check_config(self) -> tuple[Diagnostic, ...]:
        """Check the configuration against the plan; empty if all is well."""
        return diagnostics_from(json.loads(_oxflow.check_config(self.plan.text, json.dumps(self.config))))


def run(
    pipeline: Pipeline[Any],
    *,
    streams: Mapping[str, Stream] | None = None,
    config: Config = None,
    overrides: Mapping[str, str] | None = None,
) -> RunReport:
    """Run a pipeline until its source ends or a signal drains it.

    SIGINT and SIGTERM are handled only while this runs in the main thread; the handlers from before are put back. The first
    one raises nothing, no `KeyboardInterrupt` either: what was handled is delivered, and the report says `stopped_by`. The
    second one ends the process. A step that raises `SystemExit` or `KeyboardInterrupt` drains the run, too, and raises nothing
    here: `stopped_by` is that name, and `exit` says more. Whatever else is raised meanwhile, by another signal's handler, drains the run first.

    Args:
        pipeline: a complete pipeline.
        streams: by logical name a URL, or for a source the payloads themselves: `bytes` or `Message`, or a list of such
            lists, each a partition. These come before the configuration's.
        config: path of a YAML file, or its content as a mapping.
        overrides: configuration values by dotted key, `{"run.lanes": "2"}`; they come before the file's.

    Returns:
        What was done, with the messages that went to streams in memory.

    Raises:
        PlanError: the pipeline cannot run as it is written; lists all that is wrong.
        ConfigError: the configuration is wrong.
        StreamError: a stream is not bound, or cannot be opened, read or written.
        TypeError: what `streams` gives is no payload.
        StepError: a step failed; its exception is `__cause__`.

    Warns:
        UnoptimisedWarning: a Rust module of the pipeline was built without optimisation; once in a process.
        OutdatedModuleWarning: a Rust module of the pipeline was built anew after it was imported; once in a process.
    """
    bound = bind(lower(pipeline), streams=streams, config=config, overrides=overrides)
    bound.check()
    for diagnostic in bound.warnings():
        kind = OutdatedModuleWarning if diagnostic.code == "OXF0606" else UnoptimisedWarning
        warnings.warn(kind(diagnostic), stacklevel=2)
    return execute(bound)


def bind(
    plan: Plan,
    *,
    streams: Mapping[str, Stream] | None = None,
    config: Config = None,
    overrides: Mapping[str, str] | None = None,
) -> Bound:
    """Put plan, configuration and streams together; see `run` for the arguments."""
    normalised = load(config, overrides)
    memory: dict[str, list[list[Item]]] = {}
    for name, stream in (streams or {}).items():
        normalised["streams"][name] = {"url": stream if isinstance(stream, str) else "memory:"}
        if not isinstance(stream, str):
            memory[name] = _partitions(name, stream)
    return Bound(plan, normalised, memory)


def load(config: Config, overrides: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Read a configuration; complete and normalised. See `run` for the arguments."""
    text, file = _read(config)
    settings = list((overrides or {}).items())
    normalised: dict[str, Any] = json.loads(_oxflow.load_config(text, file, settings, dict(os.environ)))
    return normalised


def execute(
    bound: Bound,
    *,
    manual_clock: bool = False,
    on_stop: Callable[[], object] | None = None,
    look: Callable[[_oxflow.Run], object] | None = None,
) -> RunReport:
    """Run what is bound and checked.

    Args:
        bound: the plan and its configuration.
        manual_clock: let time stand still but for the `Advance` items of streams in memory.
        on_stop: called when the first signal drains the run.
        look: called a few times a second while the run goes on.
    """
    plan = bound.plan
    config = json.dumps(bound.config)
    encoders = (encode, encode_msgpack)
    native = _oxflow.Run(
        plan.text, config, dict(plan.functions), dict(plan.decoders), encoders, dict(bound.memory), manual_clock
    )
    follow()
    with carried(native):
        with draining_on_signals(native, on_stop) as stopped_by:
            native.start()
            wait(native, look)
        report = RunReport.from_json(native.report(), native.outputs(), next(iter(stopped_by), None))
        try:
            native.result()
        except OxflowError as error:
            error.report = report
            raise
    return report


def _read(config: Config) -> tuple[str, str]:
    if config is None:
        return "", ""
    if isinstance(config, (str, Path)):
        try:
            return Path(config).read_text(encoding="utf-8"), str(config)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else f"not UTF-8 at byte {error.start}"
            raise ConfigError(Diagnostic("OXF0301", f"cannot read the configuration `{config}`: {reason}")) from error
    # JSON is YAML.
    return json.dumps(config), "<config>"


def _config_error(diagnostics: tuple[Diagnostic, ...]) -> OxflowError:
    about_streams = all(item.code.startswith("OXF04") for item in diagnostics)
    return (StreamError if about_streams else ConfigError)(*diagnostics)


def _partitions(name: str, stream: Any) -> list[list[Item]]:
    if not _is_list(stream):
        raise TypeError(f"stream `{name}` is a list of messages, or of such lists, not {stream!r}")
    items = list(stream)
    partitions = items if items and all(map(_is_list, items)) else [items]
    return [[_item(name, item) for item in partition] for partition in partitions]


def _is_list(value: object) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes, Mapping))


def _item(name: str, item: object) -> Item:
    given: Any = item
    payload: object = given.payload if isinstance(item, Message) else item
    if isinstance(payload, (bytes, _oxflow.Advance)):
        checked: Item = given
        return checked
    fix = ": encode it" if isinstance(payload, (str, Mapping)) else ""
    raise TypeError(f"stream `{name}` holds `bytes` and `Message`s of `bytes`, not {payload!r}{fix}")
