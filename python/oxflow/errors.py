"""Every error that oxflow raises, as one tree.

    OxflowError
    +-- PlanError        the pipeline cannot run as it is written
    +-- ConfigError      the configuration is wrong
    +-- ExtensionError   an extension module does not fit
    +-- ProjectError     a project of Rust steps cannot be made or changed
    +-- SchemaError      a schema cannot become types
    +-- SchedulerError   tasks, offers or a matcher are not as they must be
    +-- FetchError       a request has no response, or can't be sent
    +-- StreamError      a stream cannot be bound, opened, read or written
    +-- StepError        a step failed; its exception is `__cause__`
    |   +-- StepPanicked
    +-- TooManyFailedError  so many messages became dead letters that the run stopped
    +-- DecodeError      a payload is not what its type says; the cause of a StepError
    +-- EncodeError      a value cannot be JSON; the cause of a StepError
    +-- SourceMapError   a source map cannot be used; a ValueError
    |   +-- InvalidJson, UnsupportedVersion, InvalidMappings, BadReference, InvalidSection, InvalidField, InvalidBundle, LimitExceeded
    |   +-- InvalidIndex: IndexVersion, IndexCorrupt
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
    "BadReference",
    "ConfigError",
    "DecodeError",
    "Diagnostic",
    "EncodeError",
    "ExtensionError",
    "FetchError",
    "IndexCorrupt",
    "IndexVersion",
    "InternalError",
    "InvalidBundle",
    "InvalidField",
    "InvalidIndex",
    "InvalidJson",
    "InvalidMappings",
    "InvalidSection",
    "LimitExceeded",
    "OutdatedModuleWarning",
    "OxflowError",
    "OxflowWarning",
    "Place",
    "PlanError",
    "ProjectError",
    "SchedulerError",
    "SchemaError",
    "SourceMapError",
    "StepError",
    "StepPanicked",
    "StreamError",
    "TooManyFailedError",
    "UnoptimisedWarning",
    "UnsupportedVersion",
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


class SchedulerError(OxflowError, ValueError):
    """A task, an offer or a setting of a matcher is not as it must be; names the task or offer. Nothing was changed."""

    exit_code = 3


class FetchError(OxflowError):
    """A request can't be sent, or has no response. Among many it is the error of one result, and is not raised.

    Attributes:
        kind: what went wrong: `invalid`, `resolve`, `connect`, `tls`, `timeout`, `too large`, `redirects`, `protocol`,
            `cancelled`, `forked`, or `status` for a response that `raise_for_status` was asked about.
    """

    exit_code = 4
    kind: str = "invalid"


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


class SourceMapError(OxflowError, ValueError):
    """A source map can't be used: what is wrong with it is the subclass, and the same whatever way the map came in."""


class InvalidJson(SourceMapError):  # noqa: N818  # the fault's name, as the standard's words have it
    """The map is no JSON, or a field is missing or of the wrong type.

    Attributes:
        line: line in the text, from 1.
        column: byte in the line, from 1.
    """

    line: int
    column: int


class UnsupportedVersion(SourceMapError):  # noqa: N818  # as above
    """`version` is not 3.

    Attributes:
        found: what it is, as JSON, or `missing`.
    """

    found: str


class InvalidMappings(SourceMapError):  # noqa: N818  # as above
    """A segment of `mappings` is malformed.

    Attributes:
        offset: byte in `mappings`, from 0.
        line: generated line, from 0.
        segment: segment in the line, from 0.
        reason: what is wrong with it.
    """

    offset: int
    line: int
    segment: int
    reason: str


class BadReference(SourceMapError):  # noqa: N818  # as above
    """An index leads to nothing.

    Attributes:
        kind: what it is an index of.
        index: the index.
        limit: how many there are.
    """

    kind: str
    index: int
    limit: int


class InvalidSection(SourceMapError):  # noqa: N818  # as above
    """A section of an index map is malformed, out of order, or overlaps another.

    Attributes:
        index: which one, from 0.
    """

    index: int


class InvalidField(SourceMapError):  # noqa: N818  # as above
    """A field beside `mappings` is malformed: `rangeMappings` or `scopes`, proposals of the standard.

    Attributes:
        field: its name.
        offset: byte in its text, from 0.
    """

    field: str
    offset: int


class InvalidBundle(SourceMapError):  # noqa: N818  # as above
    """Bytes or files are no RAM bundle, or a damaged one."""


class LimitExceeded(SourceMapError):  # noqa: N818  # as above
    """A map is larger than the limits allow.

    Attributes:
        what: what there is too much of.
        limit: how much is allowed.
    """

    what: str
    limit: int


class InvalidIndex(SourceMapError):  # noqa: N818  # as above
    """A file is no index of a source map that can be used."""


class IndexVersion(InvalidIndex):
    """An index file has a format that this version doesn't know.

    Attributes:
        found: its major version.
    """

    found: int


class IndexCorrupt(InvalidIndex):
    """A file is no index, or has bytes that are not those that were written.

    Attributes:
        what: which part of it.
    """

    what: str


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
    "scheduler": SchedulerError,
    "fetch": FetchError,
    "internal": InternalError,
}


_MAP_CLASSES: dict[str, type[SourceMapError]] = {
    made.__name__: made
    for made in (
        InvalidJson,
        UnsupportedVersion,
        InvalidMappings,
        BadReference,
        InvalidSection,
        InvalidField,
        InvalidBundle,
        LimitExceeded,
        IndexVersion,
        IndexCorrupt,
    )
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


def from_source_map(text: str) -> SourceMapError:
    """Build the error of a source map.

    Args:
        text: JSON `{"class": ..., "fields": {...}, "diagnostics": [...]}`.
    """
    report = json.loads(text)
    error = _MAP_CLASSES[report["class"]](*diagnostics_from(report["diagnostics"]))
    for name, value in report["fields"].items():
        setattr(error, name, value)
    return error
