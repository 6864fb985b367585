"""JavaScript error events arrive as browsers sent them, and leave with the places of the sources and a line that sums them up.

The bundles and their maps are those that a package ships; pip gets them:

    pip install --no-deps --target maps mkdocs-material==9.7.7
    oxflow run examples/symbolicate/pipeline.py \
        --stream javascript-errors=file:examples/symbolicate/errors.jsonl --stream symbolicated-errors=file:out.jsonl

`SYMBOL_MAPS` and `SYMBOL_CACHE` say where the maps are and where their indices are kept; `maps` and `symbols` otherwise.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from oxflow import Map, Message, Serializer, StreamSink, streaming_source
from oxflow.sourcemap import Symbolicate

ASSETS = "material/templates/assets/javascripts"


def sum_up(message: Message[dict[str, Any]]) -> dict[str, Any]:
    """Add where the error was thrown, so that equal errors can be counted."""
    event = message.payload
    if "stack" in event:
        _, thrown, *_ = event["stack"].split("\n")
        culprit = thrown.strip().removeprefix("at ")
    else:
        frame = event["exception"]["values"][0]["stacktrace"]["frames"][-1]
        culprit = f"{frame['function']} ({frame['filename']}:{frame['lineno']}:{frame['colno']})"
    return {**event, "culprit": culprit}


symbolicate = Symbolicate(
    cache=os.environ.get("SYMBOL_CACHE", "symbols"),
    maps=Path(os.environ.get("SYMBOL_MAPS", "maps")) / ASSETS,
)

pipeline = (
    streaming_source("errors", stream_name="javascript-errors")
    .apply(Map("symbolicate", function=symbolicate))
    .apply(Map("sum_up", function=sum_up))
    .apply(Serializer("serialize"))
    .sink(StreamSink("out", stream_name="symbolicated-errors"))
)
