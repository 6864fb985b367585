"""The pipelines that `test_bad_input.py` feeds with what is bad: one in Python, two in Rust."""

from __future__ import annotations

import os
import sys
from typing import Any, TypedDict

import test_steps

from oxflow import Filter, Map, Message, Parser, Serializer, StreamSink, streaming_source

MENDED = "MENDED" in os.environ


class Word(TypedDict):
    """A counted word, as Python sees it."""

    text: str
    count: int


def keep(message: Message[Word]) -> bool:
    """Say yes, or what is no answer."""
    answer: Any = 1 if message.payload["text"] == "no bool" else True
    return answer  # type: ignore[no-any-return]  # what the type checker would keep users from


def work(message: Message[Word]) -> Any:
    """Do what the text says, unless somebody mended it."""
    match message.payload["text"] if not MENDED else "":
        case "raise":
            raise ValueError("a bad word")
        case quoted if quoted.startswith("quote"):
            raise ValueError(quoted)
        case "endless":
            return work(message)
        case "no JSON":
            return object()
        case "deep":
            return nested(10_000)
        case "exit":
            sys.exit(3)
        case _:
            return message.payload


def nested(depth: int) -> dict[str, Any]:
    """Put a dictionary into a dictionary."""
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"inner": value}
    return value


def check(message: Message[test_steps.Word]) -> test_steps.Word:
    """Take the place of the Rust function, once that is mended."""
    return message.payload


SOURCE = streaming_source("source", stream_name="in")
SINK = StreamSink("sink", stream_name="out")

in_python = (
    SOURCE.apply(Parser("parse", Word))
    .apply(Filter("keep", function=keep))
    .apply(Map("work", function=work))
    .apply(Serializer("write"))
    .sink(SINK)
)
in_rust = (
    SOURCE.apply(Parser("parse", test_steps.Word))
    .apply(Map("work", function=check if MENDED else test_steps.check))
    .apply(Serializer("write"))
    .sink(SINK)
)
nests = SOURCE.apply(Parser("parse", test_steps.Nest)).apply(Serializer("write")).sink(SINK)
bytes_only = SOURCE.sink(SINK)
