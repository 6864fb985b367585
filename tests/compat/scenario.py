"""Uses a build of `compat_steps` with a build of oxflow, in each way that there is: `python scenario.py FOLDER-OF-THE-MODULE`.

Prints a line of JSON: `refused` with code and text of the error, or what came out.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

import oxflow
from oxflow import ExtensionError, Filter, FlatMap, Map, Message, Parser, Serializer, StreamSink, streaming_source

if TYPE_CHECKING:
    from collections.abc import Sequence

WORDS = ("ox", "flow", "bad", "dull", "panic", "stream")


def same(message: Message[Any]) -> Any:
    return {**message.payload}


def through(steps: Any, name: str, function: Any, kind: Any = Map, before: Any = None) -> list[Any]:
    """What a pipeline of one function makes of the words: text, count, and where they were changed key and headers."""
    read: Any = streaming_source("source", stream_name="in").apply(Parser("parse", steps.Word))
    if before is not None:
        read = read.apply(Map("before", function=before))
    pipeline = read.apply(kind(name, function=function)).apply(Serializer("write"))
    lines = [json.dumps({"text": text, "count": len(text)}).encode() for text in WORDS]
    report = oxflow.run(
        pipeline.sink(StreamSink("sink", stream_name="out")),
        streams={"in": [*lines, b"no JSON"], "out": "memory:"},
        config={"steps": {"parse": {"on_error": "skip"}, name: {"on_error": "skip"}}},
    )
    found: list[Any] = []
    for message in report.outputs["out"]:
        word = json.loads(message.payload)
        headers = [[key, value.decode()] for key, value in message.headers]
        changed = [message.key.decode(), headers] if message.key else []
        found.append([word["text"], word["count"], *changed])
    return found


def used(steps: Any) -> dict[str, Any]:
    """Each way once."""
    logged: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.WARNING)
    refused = None
    try:
        steps.MoreThan(-1)
    except ExtensionError as error:
        refused = error.diagnostics[0].why
    return {
        "direct": steps.check(Message({"text": "ox", "count": 1})),
        "refused arguments": refused,
        "borrowed": through(steps, "double", steps.double),
        "after Python": through(steps, "double", steps.double, before=same),
        "faults": through(steps, "check", steps.check),
        "changes": through(steps, "record", steps.record),
        "logged": sorted(set(logged)),
        "flat": through(steps, "letters", steps.letters, FlatMap),
        "optional": through(steps, "long", steps.long_only),
        "configured": through(steps, "more", steps.MoreThan(4), Filter),
        "state": through(steps, "total", steps.RunningTotal()),
        "batch": through(steps, "beside", steps.beside),
    }


def main(arguments: Sequence[str]) -> None:
    """Print what came of it."""
    folder, module = arguments
    sys.path.insert(0, folder)
    try:
        found: dict[str, Any] = used(importlib.import_module(module))
    except ExtensionError as error:
        found = {"refused": [error.code, str(error)]}
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1:])
