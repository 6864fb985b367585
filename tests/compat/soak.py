"""Ten million messages through a pipeline of Rust steps, and one in Python, in one process: `python soak.py FOLDER-OF-THE-MODULE [MESSAGES]`.

It is a tenth of them ten times, as runs of their own. Prints what lies in memory after each, and fails if that grows.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import tempfile
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import oxflow
from oxflow import Filter, FlatMap, Map, Message, Parser, Serializer, StreamSink, streaming_source

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = 10
# Allocators keep what they once had, and that settles in the first rounds. Each run has threads of its own, so `MALLOC_ARENA_MAX=1`
# belongs to it: otherwise now and then one of them has a piece of memory of its own.
SETTLED = 2
LIMIT_KIB = 1024
PAGE_KIB = 4


def given_on(message: Message[Any]) -> Any:
    """A dictionary that the next module reads itself; sometimes one of a class that it reads by way of JSON."""
    payload = message.payload
    return OrderedDict(payload) if payload["count"] % 50 == 7 else {**payload}


def pipeline(steps: Any) -> Any:
    """Each kind of entry, with conversions in between."""
    return (
        streaming_source("source", stream_name="in")
        .apply(Parser("parse", steps.Word))
        .apply(Map("check", function=steps.check))
        .apply(Filter("more", function=steps.MoreThan(0)))
        .apply(FlatMap("letters", function=steps.letters))
        .apply(Map("total", function=steps.RunningTotal()))
        .apply(Map("beside", function=steps.beside))
        .apply(Map("python", function=given_on))
        .apply(Map("double", function=steps.double))
        .apply(Map("record", function=steps.record_some))
        .apply(Serializer("write"))
        .sink(StreamSink("sink", stream_name="out"))
    )


def line(number: int) -> str:
    """One in a hundred of each kind of message that fails."""
    if number % 100 == 4:
        return '{"text":"half'
    text = {1: "bad", 2: "dull", 3: "panic"}.get(number % 100, "ox")
    return json.dumps({"text": text, "count": number % 5000})


def resident_kib() -> int:
    """What of this process lies in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_KIB


def main(folder: str, messages: int = 10_000_000) -> int:
    """Run, print, compare."""
    sys.path.insert(0, folder)
    steps = importlib.import_module("compat_steps")
    logging.basicConfig(level=logging.WARNING, handlers=[logging.NullHandler()])
    config = {"steps": {name: {"on_error": "skip"} for name in ("parse", "check")}}
    sizes: list[int] = []
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.writelines(f"{line(number)}\n" for number in range(messages // ROUNDS))
        file.flush()
        for _ in range(ROUNDS):
            start = time.monotonic()
            report = oxflow.run(pipeline(steps), streams={"in": f"file:{file.name}", "out": "null:"}, config=config)
            sizes.append(resident_kib())
            failed = sum(step.errors for step in report.steps)
            print(
                f"{report.steps[0].messages_in} messages, {failed} failed, {time.monotonic() - start:.1f} s: {sizes[-1]} KiB"
            )
    grown = sizes[-1] - sizes[SETTLED - 1]
    print(f"grown since the {SETTLED}nd round: {grown} KiB")
    return int(grown > LIMIT_KIB)


if __name__ == "__main__":
    arguments: Sequence[str] = sys.argv[1:]
    sys.exit(main(arguments[0], *map(int, arguments[1:])))
