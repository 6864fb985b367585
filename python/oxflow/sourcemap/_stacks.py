"""Stack traces of minified code, as they were written: those of browsers, and Sentry's events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from oxflow import _oxflow
from oxflow.codec import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from oxflow._oxflow import SourceMap

    # The map for the URL of a script, if there is one.
    FindMap = Callable[[str], SourceMap | None]


def symbolicate(data: Any, find: FindMap) -> Any:
    """Give a stack trace, or whatever has some in it, with the places of the sources.

    Lines and columns in stack traces count from 1. A frame whose map isn't found, or that has no place in it, stays as it is. The
    name of a function is what its caller calls it, where the map has a name there.

    Args:
        data: a trace of a browser as text, or what JSON can hold: in it every `stack` that is text, and every `stacktrace` with a
            list `frames` as in Sentry's events, the oldest frame first.
        find: gives the map for the URL of a script.

    Returns:
        A copy. Beside each `stacktrace` that changed stands `raw_stacktrace`, as it was.

    Raises:
        EncodeError: `data` is nothing that JSON can hold.
        LimitExceeded: it is nested deeper than 512 times.
        SourceMapError: a map that was found can't be read. What `find` raises passes through.
    """
    if isinstance(data, str):
        return _oxflow.symbolicated_text(data, find)
    return json.loads(_oxflow.symbolicated_json(encode(data), find))
