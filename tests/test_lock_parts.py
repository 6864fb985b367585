"""Every part of oxflow lets go of the interpreter while it works: each is given enough to do to tell.

A part that held it would keep another thread waiting for the whole call, which is made large enough to take a second or so. A quarter of that is
allowed, as a machine that runs other tests beside this one may cost; how short stalls are on a quiet one is what `make bench-scheduler` says.
"""

from __future__ import annotations

import json
import time
from array import array
from typing import TYPE_CHECKING, Any

import pytest

import oxflow
from oxflow import Map, Message, Parser, Serializer, StreamSink
from oxflow.gil import assert_releases_gil
from oxflow.scheduler import Matcher, flatten_tasks, generate
from oxflow.sourcemap import SourceMap

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ENOUGH_S = 0.8


def check(make: Callable[[int], Callable[[], object]], size: int) -> None:
    """Assert it of the first call that is long enough; `make` prepares one of a size."""
    while True:
        call = make(size)
        begun = time.perf_counter()
        call()
        took = time.perf_counter() - begun
        if took >= ENOUGH_S:
            break
        size *= 4 if took < ENOUGH_S / 4 else 2
    assert_releases_gil(call, max_stall_ms=250 * took, min_call_ms=500 * took)


def test_reading_a_source_map() -> None:
    def make(size: int) -> Callable[[], object]:
        mappings = ";".join(["AAAA,IAAI,KAAK"] * size)
        data = json.dumps({"version": 3, "sources": ["a.js"], "names": [], "mappings": mappings}).encode()
        return lambda: SourceMap.from_bytes(data, max_segments=1 << 31)

    check(make, 100_000)


def matcher(size: int) -> Callable[[], object]:
    tasks, offers = generate("uniform", 1000, 1000)
    resources = ("cpu", "mem", "disk", "gpu")

    def columns(items: list[Any]) -> dict[str, Any]:
        return {name: array("d", [getattr(item, name) for item in items] * (size // 1000)) for name in resources}

    names = [f"n{index}" for index in range(size)]
    needs, free = columns(tasks), columns(offers)

    def call() -> None:
        round_ = Matcher(resources=resources, threshold=31.0)
        round_.add_offers(names=names, **free)
        round_.match(names=names, **needs)

    return call


def test_a_round_of_the_scheduler() -> None:
    check(matcher, 10_000)


def test_reading_objects_of_a_round() -> None:
    def make(size: int) -> Callable[[], object]:
        tasks, _ = generate("rules", size, 0)
        return lambda: Matcher(resources=["cpu", "mem", "disk", "gpu"]).match(tasks)

    check(make, 20_000)


def test_flattening_a_document_of_tasks() -> None:
    def make(size: int) -> Callable[[], object]:
        # The same few tasks again and again: what is read in Rust is large, what Python makes of it is small.
        needs = [{"name": f"n{index}", "log": "x" * 200} for index in range(20)]
        document = json.dumps([{"name": f"t{index % 50}", "depends_on": needs} for index in range(size)])
        return lambda: flatten_tasks(document)

    check(make, 5000)


def given_on(message: Message[Any]) -> Any:
    return {**message.payload}


@pytest.mark.parametrize("steps", [[], [Map("python", function=given_on)]], ids=["codecs alone", "a step of Python"])
def test_a_pipeline_with_codecs(steps: list[Any], tmp_path: Path) -> None:
    pipeline: Any = oxflow.streaming_source("source", stream_name="in").apply(Parser("parse", dict[str, Any]))
    for step in [*steps, Serializer("serialize")]:
        pipeline = pipeline.apply(step)
    pipeline = pipeline.sink(StreamSink("sink", stream_name="out"))
    path = tmp_path / "in.jsonl"

    def make(size: int) -> Callable[[], object]:
        path.write_bytes((json.dumps({"text": "a word " * 20, "count": 1}).encode() + b"\n") * size)
        streams = {"in": f"file:{path}", "out": "null:"}
        return lambda: oxflow.run(pipeline, streams=streams)

    check(make, 20_000)
