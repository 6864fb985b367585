"""Stack traces are symbolicated by a step that needs no interpreter."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from oxflow import Map, Message, Parser, Serializer, StepError, StreamSink, streaming_source
from oxflow.errors import ExtensionError
from oxflow.plan import lower
from oxflow.sourcemap import SymbolCache, Symbolicate
from oxflow.testing import run

if TYPE_CHECKING:
    from pathlib import Path

    from oxflow import Pipeline
    from oxflow.pipeline import Ended

MAP = json.dumps({"version": 3, "sources": ["shop.ts"], "names": ["pay"], "mappings": "IACOA,gBAEPA"}).encode()
EVENT = (
    b'{"big": 12345678901234567890123, "stack": "a@https://example.com/app.js:1:5\\n@https://example.com/app.js:1:21"}'
)
WANTED = b'{"big": 12345678901234567890123, "stack": "pay@shop.ts:2:8\\n@shop.ts:4:1"}'

PROGRAM = """
import sys
import oxflow
from oxflow import Map, StreamSink, streaming_source
from oxflow.sourcemap import Symbolicate

step = Symbolicate(cache=sys.argv[1], maps=sys.argv[2])
pipeline = streaming_source("in", stream_name="in").apply(Map("s", function=step)).sink(StreamSink("out", stream_name="out"))
event = b'{"stack": "a@https://example.com/app.js:1:5"}'
print("ready", flush=True)
sys.stdin.readline()
report = oxflow.run(pipeline, streams={"in": [[event] * 300] * 4, "out": "memory:"}, overrides={"run.lanes": "4"})
assert len(report.outputs["out"]) == 1200
assert {bytes(message.payload) for message in report.outputs["out"]} == {b'{"stack": "a@shop.ts:2:8"}'}
"""


@pytest.fixture
def step(tmp_path: Path) -> Symbolicate:
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps/app.js.map").write_bytes(MAP)
    return Symbolicate(cache=tmp_path / "cache", maps=tmp_path / "maps")


def alone(step: Symbolicate) -> Pipeline[Ended]:
    source = streaming_source("in", stream_name="in")
    return source.apply(Map("symbolicate", function=step)).sink(StreamSink("out", stream_name="out"))


def test_bytes_go_through_and_what_is_no_place_stays_byte_for_byte(step: Symbolicate) -> None:
    assert run(alone(step), {"in": [EVENT, b" [] "]})["out"] == [WANTED, b" [] "]


def test_no_run_of_python_is_in_the_plan(step: Symbolicate) -> None:
    languages = [found.language for found in lower(alone(step)).runs()]
    assert "rust" in languages
    assert "python" not in languages


def test_python_steps_before_and_behind_it_see_objects(step: Symbolicate) -> None:
    def tag(message: Message[dict[str, Any]]) -> dict[str, Any]:
        return {**message.payload, "seen": [*message.payload.get("seen", []), message.payload["stack"][0]]}

    pipeline = (
        streaming_source("in", stream_name="in")
        .apply(Parser("parse", dict[str, Any]))
        .apply(Map("before", function=tag))
        .apply(Map("symbolicate", function=step))
        .apply(Map("behind", function=tag))
        .apply(Serializer("serialize"))
        .sink(StreamSink("out", stream_name="out"))
    )
    (event,) = run(pipeline, {"in": [b'{"stack": "a@https://example.com/app.js:1:5"}']})["out"]
    assert json.loads(event) == {"stack": "a@shop.ts:2:8", "seen": ["a", "a"]}


def test_an_event_that_is_no_json_is_an_error_of_the_step(step: Symbolicate) -> None:
    with pytest.raises(StepError, match=r"`symbolicate`(.|\n)*line 1, column 11"):
        run(alone(step), {"in": [EVENT, b'{"stack": ']})
    config = {"steps": {"symbolicate": {"on_error": "skip"}}}
    assert run(alone(step), {"in": [EVENT, b'{"stack": ', EVENT]}, config=config)["out"] == [WANTED, WANTED]


def test_a_map_that_cannot_be_read_is_an_error_of_its_events(step: Symbolicate, tmp_path: Path) -> None:
    (tmp_path / "maps/bad.js.map").write_bytes(b"<html>")
    bad = EVENT.replace(b"app.js", b"bad.js")
    unlimited = {"max_percent": 100, "max_in_a_row": 1_000_000}
    config = {"steps": {"symbolicate": {"on_error": "dead_letter"}}, "run": {"dead_letters": unlimited}}
    outputs = run(alone(step), {"in": [EVENT, bad, EVENT]}, config=config)
    assert outputs["out"] == [WANTED, WANTED]
    assert [letter.message.payload for letter in outputs.dead_letters] == [bad]


def test_a_debug_id_finds_what_a_service_put_into_the_cache(tmp_path: Path) -> None:
    symbols = SymbolCache(tmp_path, 10**6)
    symbols.get("85314830-023f-4cf1-a267-535f4e37bb17", lambda: MAP)
    event = {
        "exception": {"values": [{"stacktrace": {"frames": [{"abs_path": "app:///a.js", "lineno": 1, "colno": 5}]}}]},
        "debug_meta": {"images": [{"code_file": "app:///a.js", "debug_id": "85314830-023F-4CF1-A267-535F4E37BB17"}]},
    }
    found = Symbolicate(symbols)(Message(event))
    (frame,) = found["exception"]["values"][0]["stacktrace"]["frames"]
    assert (frame["filename"], frame["lineno"], frame["colno"]) == ("shop.ts", 2, 8)


def test_the_step_is_made_of_its_arguments(step: Symbolicate, tmp_path: Path) -> None:
    copy = pickle.loads(pickle.dumps(step))  # noqa: S301  # what was pickled here
    assert copy == step == Symbolicate(tmp_path / "cache", tmp_path / "maps")
    assert step != Symbolicate(tmp_path / "cache")
    assert Symbolicate(SymbolCache(tmp_path, 7)) == Symbolicate(tmp_path, max_bytes=7)
    assert repr(Symbolicate(tmp_path, max_bytes=7)).startswith("oxflow.sourcemap.Symbolicate(cache=")
    (tmp_path / "file").touch()
    with pytest.raises(ExtensionError, match="`Symbolicate` can't be made"):
        Symbolicate(tmp_path / "file" / "cache")


def test_lanes_and_processes_share_cache_and_maps(step: Symbolicate, tmp_path: Path) -> None:
    assert step is not None
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "cache"), str(tmp_path / "maps")]
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.communicate("go\n")
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert len(list((tmp_path / "cache").glob("*.oxmap"))) == 1
