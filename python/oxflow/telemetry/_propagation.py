"""Contexts in headers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oxflow import _oxflow
from oxflow.telemetry import _environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, MutableMapping

__all__ = ["extract_headers", "inject_headers"]


def extract_headers(headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> _oxflow.Extracted:
    """Read where a request came from; inside of `with` it is what spans are in.

    Names are of any case, names and values text or bytes; a value may be a list, of which the first counts. The variables of a process
    (`os.environ`) are headers as well, `TRACEPARENT`. Formats are those of `OTEL_PROPAGATORS`: W3C trace context and baggage, and
    if it names them `b3` and `b3multi`. What can't be read is passed over.

    Raises:
        TypeError: `headers` is neither a mapping nor pairs.
    """
    return _oxflow.extract_headers(headers, _formats())


def inject_headers(headers: MutableMapping[Any, Any] | list[Any]) -> None:
    """Write the current span and its baggage into headers: a mapping, or a list that pairs are appended to."""
    _oxflow.inject_headers(headers, _formats())


def _formats() -> list[str]:
    # Asked each time, it is a look into a dictionary: what a test sets holds.
    if _environment.text("OTEL_PROPAGATORS") is None:
        return ["tracecontext", "baggage"]
    from oxflow.telemetry._settings import propagators

    return propagators()
