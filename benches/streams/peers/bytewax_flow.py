"""The work as a bytewax flow, one operator a step: `bytewax_flow.py INPUT OUTPUT`; without `OUTPUT` into a sink that keeps nothing.

The source is bytewax's own with its own batch size. The sink writes bytes without `fsync`: its own file sink wants keys and
calls `fsync` for each batch, which would only make it slower.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import bytewax.operators as op
import orjson
from bytewax.connectors.files import FileSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.testing import run_main
from orjson_loop import enrich, is_active

if TYPE_CHECKING:
    from typing import BinaryIO


class Lines(StatelessSinkPartition[bytes]):
    """Writes to the open file, if there is one."""

    def __init__(self, out: BinaryIO | None) -> None:
        self._out = out

    def write_batch(self, items: list[bytes]) -> None:
        """Write a batch in one piece."""
        if self._out is not None:
            self._out.write(b"".join(items))

    def close(self) -> None:
        """The end of the flow."""
        if self._out is not None:
            self._out.close()


class LineSink(DynamicSink[bytes]):
    """A file of lines, or nothing."""

    def __init__(self, path: str | None) -> None:
        self._path = path

    def build(self, _step_id: str, _worker_index: int, _worker_count: int) -> Lines:
        """For the one worker that there is."""
        return Lines(Path(self._path).open("wb") if self._path else None)


def serialise(event: object) -> bytes:
    """A line."""
    return orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE)


def main(source: str, sink: str | None = None) -> None:
    """Build the flow and run it in this thread."""
    flow = Dataflow("events")
    lines = op.input("source", flow, FileSource(source))
    events = op.map("parse", lines, orjson.loads)
    active = op.filter("active", events, is_active)
    enriched = op.map("enrich", active, enrich)
    op.output("sink", op.map("serialise", enriched, serialise), LineSink(sink))
    run_main(flow)


if __name__ == "__main__":
    main(*sys.argv[1:])
