"""Every error that oxflow raises, as one tree.

    OxflowError
    +-- PlanError        the pipeline cannot run as it is written
    +-- ConfigError      the configuration is wrong
    +-- ExtensionError   an extension module does not fit
    +-- ProjectError     a project of Rust steps cannot be made or changed
    +-- SchemaError      a schema cannot become types
    +-- StreamError      a stream cannot be bound, opened, read or written
    +-- StepError        a step failed; its exception is `__cause__`
    |   +-- StepPanicked
    +-- TooManyFailedError  so many messages became dead letters that the run stopped
    +-- DecodeError      a payload is not what its type says; the cause of a StepError
    +-- EncodeError      a value cannot be JSON; the cause of a StepError
    +-- InternalError    a bug in oxflow

    OxflowWarning
    +-- UnoptimisedWarning     an extension was built without optimisation
    +-- OutdatedModuleWarning  an extension was built anew after it was imported

An error carries `Diagnostic`s, the same data that the engine makes and that `oxflow check --json` prints. `str(error)` is
the text for people: what, where, why and how to mend it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from oxflow.report import RunReport

__all__ = [
    "ConfigError",
    "DecodeError",
    "Diagnostic",
    "EncodeError",
    "ExtensionError",
    "InternalError",
    "OutdatedModuleWarning",
    "OxflowError",
    "OxflowWarning",
    "Place",
    "PlanError",
    "ProjectError",
    "SchemaError",
    "StepError",
    "StepPanicked",
    "StreamError",
    "TooManyFailedError",
    "UnoptimisedWarning",
]


@dataclass(frozen=True)
class Place:
    """A place in the user's code or configuration.

    Attributes:
        file: path of the file.
        line: line in it, from 1.
        text: that line without its indentation; may be empty.
        column: column in it, from 1, where it is known.
    """

    file: str
    line: int
    text: str = ""
    column: int | None = None

    def __str__(self) -> str:
        column = "" if self.column is None else f":{self.column}"
        return f"{self.file}:{self.line}{column}  {self.text}".rstrip()


@dataclass(frozen=True)
class Diagnostic:
    """One thing that is wrong.

    Attributes:
        code: stable code, `OXF0201`; `oxflow explain` has a page on each.
        message: what is wrong, one sentence.
        place: where it was written, if it was.
        why: the reason behind the message.
        fix: what to do.
    """

    code: str
    message: str
    place: Place | None = None
    why: str | None = None
    fix: str | None = None
    # What the engine finds it has rendered already.
    _text: str = field(default="", repr=False, compare=False)

    def __str__(self) -> str:
        return self._text or self._rendered()

    def _rendered(self) -> str:
        from oxflow import _oxflow

        at = self.place
        place = None if at is None else (at.file, at.line, at.column, at.text)
        return _oxflow.render(self.code, self.message, place, self.why, self.fix)


class OxflowError(Exception):
    """Base of all errors of oxflow.

    Attributes:
        diagnostics: what is wrong; at least one.
        report: the report of the run that ended with this error, or `None`.
    """

    exit_code: ClassVar[int] = 1
    """What the command line exits with."""

    diagnostics: tuple[Diagnostic, ...]
    report: RunReport | None = None

    def __init__(self, diagnostic: Diagnostic, *more: Diagnostic) -> None:
        super().__init__(diagnostic, *more)
        self.diagnostics = (diagnostic, *more)

    @property
    def code(self) -> str:
        """Code of the first diagnostic."""
        return self.diagnostics[0].code

    def __str__(self) -> str:
        return "\n\n".join(map(str, self.diagnostics))


class PlanError(OxflowError):
    """The pipeline cannot run as it is written; lists all that is wrong with it."""

    exit_code = 3


class ConfigError(OxflowError):
    """The configuration is wrong."""

    exit_code = 3


class ExtensionError(OxflowError):
    """An extension module is none of oxflow's, or was built for another version of it."""

    exit_code = 3


class ProjectError(OxflowError):
    """A project of Rust steps can't be made or changed as the command says."""

    exit_code = 2


class SchemaError(OxflowError):
    """A schema can't become types of Rust."""

    exit_code = 3


class StreamError(OxflowError):
    """A stream cannot be bound, opened, read or written."""

    exit_code = 4


class StepError(OxflowError):
    """A step failed on a message; the exception that it raised is `__cause__`."""


class StepPanicked(StepError):  # noqa: N818  # the word for what Rust does
    """A step written in Rust panicked."""


class TooManyFailedError(OxflowError):
    """So many messages became dead letters that the run stopped; what the last one failed with is `__cause__`."""

    exit_code = 5


class InternalError(OxflowError):
    """A bug in oxflow."""


class OxflowWarning(UserWarning):
    """Base of all warnings of oxflow.

    Attributes:
        diagnostic: what is worth knowing.
    """

    def __init__(self, diagnostic: Diagnostic) -> None:
        super().__init__(diagnostic)
        self.diagnostic = diagnostic


class UnoptimisedWarning(OxflowWarning):
    """An extension module was built without optimisation: its functions are many times slower than they could be."""


class OutdatedModuleWarning(OxflowWarning):
    """An extension module was built anew after it was imported: its old code runs until Python is started again."""


class _CodecError(OxflowError, ValueError):
    """Says in one line what is wrong with a value: the step and the message are named by the `StepError` that it causes."""

    _code: ClassVar[str]

    def __init__(self, text: str) -> None:
        super().__init__(Diagnostic(self._code, text))
        self.args = (text,)

    def __str__(self) -> str:
        return self.diagnostics[0].message


class DecodeError(_CodecError):
    """A payload is not what its type says."""

    _code = "OXF0503"


class EncodeError(_CodecError):
    """A value cannot be JSON."""

    _code = "OXF0504"


_CLASSES: dict[str, type[OxflowError]] = {
    "plan": PlanError,
    "config": ConfigError,
    "stream": StreamError,
    "step": StepError,
    "panic": StepPanicked,
    "limit": TooManyFailedError,
    "extension": ExtensionError,
    "schema": SchemaError,
    "internal": InternalError,
}


def diagnostics_from(items: Iterable[Mapping[str, Any]]) -> tuple[Diagnostic, ...]:
    """Read diagnostics from the engine's JSON objects."""
    return tuple(
        Diagnostic(
            code=item["code"],
            message=item["message"],
            place=Place(**item["place"]) if item.get("place") else None,
            why=item.get("why"),
            fix=item.get("fix"),
            _text=item.get("text", ""),
        )
        for item in items
    )


def from_report(text: str) -> OxflowError:
    """Build the error that the engine reports.

    Args:
        text: JSON `{"kind": ..., "diagnostics": [...]}`.
    """
    report = json.loads(text)
    return _CLASSES[report["kind"]](*diagnostics_from(report["diagnostics"]))
