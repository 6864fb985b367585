"""What the faults happen to: branches, a batch, steps in both languages, dead letters."""

from __future__ import annotations

import os
import sys
import time
from datetime import timedelta
from pathlib import Path

import test_steps

from oxflow import Batch, Map, Message, Parser, Serializer, StreamSink, branch, streaming_source

Word = test_steps.Word
# So that a fault finds something under way.
PAUSE_S = float(os.environ.get("FAULTS_PAUSE_S", "0"))
STUCK_S = float(os.environ.get("FAULTS_STUCK_S", "0"))
STUCK = Path(os.environ.get("FAULTS_STUCK", os.devnull))


def hold() -> None:
    """Keep the interpreter, as a call of C does; one that sleeps would end by the signal for the stack."""
    sys.setswitchinterval(3600)
    until = time.monotonic() + STUCK_S
    while time.monotonic() < until:
        pass
    sys.setswitchinterval(0.005)


def taste(message: Message[Word]) -> Word:
    """Fail on what is marked as bad, take a little time for the others, and once a long time."""
    word = message.payload
    tag = word.get("tags", {}).get("tag")
    if tag == "bad":
        raise ValueError(f"bad: {word['text']}")
    if tag == "stuck" and Path(os.devnull) != STUCK and not STUCK.exists():
        STUCK.touch()
        time.sleep(STUCK_S)
    if tag == "held" and not STUCK.exists():
        STUCK.touch()
        hold()
    if PAUSE_S:
        time.sleep(PAUSE_S)
    return word


pipeline = (
    streaming_source("source", stream_name="words")
    .apply(Parser("parse", Word))
    .apply(Map("taste", function=taste))
    .broadcast(
        "all",
        routes=[
            branch("plain").apply(Serializer("s1")).sink(StreamSink("plain-out", stream_name="plain")),
            branch("rust")
            .apply(Map("double", function=test_steps.Double()))
            .apply(Serializer("s2"))
            .sink(StreamSink("rust-out", stream_name="rust")),
            branch("lists")
            .apply(Batch("fifty", batch_size=50, batch_timedelta=timedelta(seconds=0.5)))
            .apply(Serializer("s3"))
            .sink(StreamSink("lists-out", stream_name="lists")),
        ],
    )
)
