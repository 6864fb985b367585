"""The interpreter lock: who may run while a Rust step does."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
import test_steps

import oxflow
from oxflow import Map, Message, Parser, Serializer, StreamSink
from oxflow.testing import run

if TYPE_CHECKING:
    from pathlib import Path


def remove_when_there(path: Path, give_up: threading.Event) -> None:
    """Needs the interpreter while the Rust step waits for it."""
    while not give_up.is_set():
        if path.exists():
            path.unlink()
            return


def given_on(message: Message[Any]) -> Any:
    return {**message.payload}


@pytest.mark.parametrize("before", [[], [Map("python", function=given_on)]], ids=["Rust", "Python before it"])
def test_other_threads_run_while_a_rust_step_of_a_pipeline_does(before: list[Any], tmp_path: Path) -> None:
    path = tmp_path / "here"
    give_up = threading.Event()
    other = threading.Thread(target=remove_when_there, args=(path, give_up))
    other.start()
    pipeline: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", test_steps.Word))
    for step in [*before, Map("wait", function=test_steps.rendezvous), Serializer("serialize")]:
        pipeline = pipeline.apply(step)
    pipeline = pipeline.sink(StreamSink("sink", stream_name="out"))
    given = {"text": str(path), "count": 1}
    try:
        outputs = run(pipeline, {"in": [json.dumps(given).encode()]})
    finally:
        give_up.set()
        other.join()
    assert [json.loads(line)["text"] for line in outputs["out"]] == [str(path)]


def test_other_threads_run_while_a_rust_function_is_called_from_python(tmp_path: Path) -> None:
    path = tmp_path / "here"
    give_up = threading.Event()
    other = threading.Thread(target=remove_when_there, args=(path, give_up))
    other.start()
    try:
        word = test_steps.rendezvous(Message({"text": str(path), "count": 1}))
    finally:
        give_up.set()
        other.join()
    assert word["text"] == str(path)
