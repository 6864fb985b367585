"""Files that others touch, or left unfinished: a run keeps them whole, or says what was done to them."""

from __future__ import annotations

import gzip
import json
import os
import random
import resource
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import zstandard

import oxflow
from oxflow import Map, Message, Parser, Serializer, StreamSink, branch, streaming_source

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SOURCE: Any = streaming_source("source", stream_name="in")
SINK = StreamSink("sink", stream_name="out")
PASS = SOURCE.sink(SINK)
# So small that most of the input is unread when the first message comes to a step.
SMALL = {"run": {"batch": {"bytes": 1024, "messages": 10}, "checkpoint_ms": 10}}
LETTERS: Any = {"steps": {"parse": {"on_error": "dead_letter"}}, "run": {"dead_letters": {"max_percent": 100}}}
PARSED = SOURCE.apply(Parser("parse", dict[str, Any])).apply(Serializer("serialize")).sink(SINK)


def doing(action: Callable[[], object]) -> Any:
    """Pass messages on, and do something at the first."""
    done: list[object] = []

    def act(message: Message[bytes]) -> bytes:
        if not done:
            done.append(None)
            action()
        return message.payload

    return SOURCE.apply(Map("act", function=act)).sink(SINK)


def lines(path: Path, count: int = 2000) -> Path:
    text = b"".join(b'{"line":%d}\n' % number for number in range(count))
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def bound(**paths: Path | str) -> dict[str, Any]:
    names = {"in_": "in", "letters": "dead-letters"}
    return {names.get(name, name): f"file:{path}" for name, path in paths.items()}


def test_two_runs_never_write_one_file(tmp_path: Path) -> None:
    path, out = lines(tmp_path / "in.jsonl"), tmp_path / "out.jsonl"
    refused: list[oxflow.StreamError] = []

    def second() -> None:
        with pytest.raises(oxflow.StreamError, match=r"another run writes `.*out\.jsonl`") as caught:
            oxflow.run(PASS, streams=bound(in_=path, out=out))
        refused.append(caught.value)
        command = [sys.executable, "-m", "oxflow", "run", f"{__file__}:PASS", "--quiet"]
        streams = [f"--stream={name}={url}" for name, url in bound(in_=path, out=out).items()]
        assert subprocess.run([*command, *streams], check=False).returncode == oxflow.StreamError.exit_code

    oxflow.run(doing(second), streams=bound(in_=path, out=out), config=SMALL)
    assert len(refused) == 1
    assert out.read_bytes() == path.read_bytes()
    oxflow.run(PASS, streams=bound(in_=path, out=out))
    assert out.read_bytes() == path.read_bytes()
    assert sorted(tmp_path.iterdir()) == [path, out]


def test_a_refused_run_touches_nothing(tmp_path: Path) -> None:
    path, mine, letters = lines(tmp_path / "in.jsonl"), tmp_path / "mine", tmp_path / "letters"
    mine.write_bytes(b"precious\n")

    def second() -> None:
        for out in (mine, tmp_path / "new"):
            with pytest.raises(oxflow.StreamError, match="another run writes"):
                oxflow.run(PARSED, streams=bound(in_=path, out=out, letters=letters), config=LETTERS)

    oxflow.run(doing(second), streams=bound(in_=path, out=letters))
    assert mine.read_bytes() == b"precious\n"
    assert letters.read_bytes() == path.read_bytes()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("taken", ["in.jsonl", "out.jsonl", "letters.jsonl"])
def test_a_checkpoint_is_never_another_file_of_the_run(tmp_path: Path, taken: str) -> None:
    path = lines(tmp_path / "in.jsonl")
    before = path.read_bytes()
    streams = bound(in_=path, out=tmp_path / "out.jsonl", letters=tmp_path / "letters.jsonl")
    run: Any = {"run": {**LETTERS["run"], "checkpoint": str(tmp_path / "." / taken)}, "steps": LETTERS["steps"]}
    for delivery in ("exactly_once", "at_least_once"):
        config: Any = {**run, "run": {**run["run"], "delivery": delivery}}
        with pytest.raises(oxflow.ConfigError, match=r"`run\.checkpoint` is .* is bound to"):
            oxflow.run(PARSED, streams=streams, config=config)
        # A pattern is looked at when the run starts.
        if taken == "in.jsonl":
            with pytest.raises(oxflow.StreamError, match="the checkpoint would overwrite"):
                oxflow.run(PARSED, streams={**streams, "in": f"file:{tmp_path}/i*.jsonl"}, config=config)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_check_finds_a_checkpoint_in_a_file_of_the_run(tmp_path: Path) -> None:
    streams = [f"--stream={name}={url}" for name, url in bound(in_=tmp_path / "in", out=tmp_path / "out").items()]
    command = [sys.executable, "-m", "oxflow", "check", f"{__file__}:PASS", *streams]
    checked = subprocess.run(
        [*command, f"--set=run.checkpoint={tmp_path}/out"], check=False, capture_output=True, text=True
    )
    assert checked.returncode == oxflow.ConfigError.exit_code
    assert "which stream `out` is bound to" in checked.stdout + checked.stderr


@pytest.mark.parametrize("text", ["precious", '{"version": 1}', "[]"])
def test_a_file_that_is_no_checkpoint_stays(tmp_path: Path, text: str) -> None:
    path, out, state = lines(tmp_path / "in.jsonl"), tmp_path / "out.jsonl", tmp_path / "state"
    state.write_text(text, encoding="utf-8")
    config: Any = {"run": {"checkpoint": str(state)}}
    with pytest.raises(oxflow.StreamError, match="is not a checkpoint") as caught:
        oxflow.run(PASS, streams=bound(in_=path, out=out), config=config)
    assert "fix: set `run.checkpoint` to another path" in str(caught.value)
    config["run"]["delivery"] = "at_least_once"
    oxflow.run(PASS, streams=bound(in_=path, out=out), config=config)
    assert state.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("ending", [".gz", ".zst"])
@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
def test_a_compressed_output_without_messages_can_be_read(tmp_path: Path, ending: str, delivery: Any) -> None:
    path, out = lines(tmp_path / "in.jsonl", 0), tmp_path / f"out{ending}"
    oxflow.run(PASS, streams=bound(in_=path, out=out), config={"run": {"delivery": delivery}})
    data = out.read_bytes()
    assert data
    assert (gzip.decompress(data) if ending == ".gz" else zstandard.ZstdDecompressor().decompress(data)) == b""
    report = oxflow.run(PASS, streams={"in": f"file:{out}", "out": "memory:"})
    assert report.messages_in == 0


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_an_empty_file_is_an_empty_input(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"in{ending}"
    path.touch()
    assert oxflow.run(PASS, streams={"in": f"file:{path}", "out": "memory:"}).messages_in == 0


@pytest.mark.parametrize("ending", ["", ".gz"])
def test_an_input_that_is_cut_while_it_is_read_is_an_error(tmp_path: Path, ending: str) -> None:
    path, out = tmp_path / f"in{ending}", tmp_path / "out"
    # Digits that can't be compressed away: of the file more is left than was read ahead.
    digits = random.Random(0)  # noqa: S311
    text = b"".join(b"%d\n" % digits.getrandbits(2000) for _ in range(2000))
    path.write_bytes(gzip.compress(text) if ending else text)
    pipeline = doing(lambda: os.truncate(path, 100))
    with pytest.raises(oxflow.StreamError, match=r"was changed while it was read[^$]*was cut to 100 bytes after"):
        oxflow.run(pipeline, streams=bound(in_=path, out=out), config=SMALL)
    assert (tmp_path / "out.oxflow").exists()
    assert out.read_bytes().endswith(b"\n")
    assert text.startswith(out.read_bytes())


def test_an_input_that_is_replaced_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path, out = lines(tmp_path / "in"), tmp_path / "out"
    (tmp_path / "new").write_bytes(b'{"new":1}\n')
    pipeline = doing(lambda: (tmp_path / "new").replace(path))
    with pytest.raises(oxflow.StreamError, match="it was replaced by another file"):
        oxflow.run(pipeline, streams=bound(in_=path, out=out), config=SMALL)
    assert out.read_bytes().count(b"\n") == 2000
    assert (tmp_path / "out.oxflow").exists()


def test_an_input_that_is_cut_and_written_anew_is_an_error(tmp_path: Path) -> None:
    path = lines(tmp_path / "in")
    pipeline = doing(lambda: path.write_bytes(b"x" * 100_000))
    with pytest.raises(oxflow.StreamError, match="its first bytes differ"):
        oxflow.run(pipeline, streams=bound(in_=path, out=tmp_path / "out"), config=SMALL)


def test_an_input_that_loses_its_name_or_grows_is_read_to_its_end(tmp_path: Path) -> None:
    path, out = lines(tmp_path / "in"), tmp_path / "out"

    def grow() -> None:
        with path.open("ab") as file:
            file.write(b"last\n")
        path.unlink()

    oxflow.run(doing(grow), streams=bound(in_=path, out=out), config=SMALL)
    assert out.read_bytes().endswith(b"}\nlast\n")


def test_what_is_appended_begins_a_line_of_its_own(tmp_path: Path) -> None:
    out, letters = tmp_path / "out", tmp_path / "letters"
    out.write_bytes(b'{"whole":1}\n{"unfini')
    letters.write_bytes(b'{"whole":2}')
    streams: Any = {"in": [b'{"new":1}', b"bad"], "out": f"file:{out}?append=true", "dead-letters": f"file:{letters}"}
    oxflow.run(PARSED, streams=streams, config=LETTERS)
    assert out.read_bytes() == b'{"whole":1}\n{"unfini\n{"new":1}\n'
    first, second = letters.read_bytes().splitlines()
    assert first == b'{"whole":2}'
    assert json.loads(second)["payload"] == "bad"


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_nothing_is_appended_after_an_unfinished_frame(tmp_path: Path, ending: str) -> None:
    out, other = tmp_path / f"out{ending}", tmp_path / "other"
    oxflow.run(PASS, streams={"in": [b"a" * 100], "out": f"file:{out}"})
    whole = out.read_bytes()
    oxflow.run(PASS, streams={"in": [b"b"], "out": f"file:{out}?append=true"})
    assert out.read_bytes().startswith(whole)
    report = oxflow.run(PASS, streams={"in": f"file:{out}", "out": "memory:"})
    assert [message.payload for message in report.outputs["out"]] == [b"a" * 100, b"b"]
    out.write_bytes(whole[:-5])
    other.write_bytes(b"untouched\n")
    both = SOURCE.broadcast(
        "both",
        routes=[
            branch("other").sink(StreamSink("other-sink", stream_name="other")),
            branch("out").sink(SINK),
        ],
    )
    with pytest.raises(oxflow.StreamError, match="nothing can be added to"):
        oxflow.run(both, streams={"in": [b"c"], "out": f"file:{out}?append=true", "other": f"file:{other}"})
    assert (out.read_bytes(), other.read_bytes()) == (whole[:-5], b"untouched\n")


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_write_that_fails_leaves_no_half_line(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"out{ending}"
    digits = random.Random(1)  # noqa: S311
    oxflow.run(PASS, streams={"in": [b"before"], "out": f"file:{out}"})
    path = tmp_path / "in"
    path.write_text("".join(f"{digits.getrandbits(2000)}\n" for _ in range(5000)), encoding="utf-8")
    streams = [f"--stream=in=file:{path}", f"--stream=out=file:{out}?append=true"]
    command = [sys.executable, "-m", "oxflow", "run", f"{__file__}:PASS", "--quiet", *streams]
    full = subprocess.run(
        [*command, "--set=run.delivery=at_least_once"],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_001, 1_000_001)),
    )
    assert full.returncode == oxflow.StreamError.exit_code, full.stderr
    oxflow.run(PASS, streams={"in": [b"after"], "out": f"file:{out}?append=true"})
    report = oxflow.run(PASS, streams={"in": f"file:{out}", "out": "memory:"})
    first, *between, last = [message.payload for message in report.outputs["out"]]
    assert (first, last) == (b"before", b"after")
    assert between == path.read_bytes().splitlines()[: len(between)]
    assert between or ending, "whole writes before the one that failed stay"


def test_the_checkpoint_lies_beside_the_first_sink_of_the_pipeline(tmp_path: Path) -> None:
    path = lines(tmp_path / "in")
    seen: list[str] = []

    def look(message: Message[bytes]) -> bytes:
        seen.extend(entry.name for entry in tmp_path.glob("*.oxflow"))
        return message.payload

    both = SOURCE.apply(Map("look", function=look)).broadcast(
        "both",
        routes=[
            branch("first").sink(StreamSink("first-sink", stream_name="zebra")),
            branch("second").sink(StreamSink("second-sink", stream_name="ant")),
        ],
    )
    oxflow.run(both, streams=bound(in_=path, zebra=tmp_path / "zebra", ant=tmp_path / "ant"))
    assert set(seen) == {"zebra.oxflow"}


def test_a_run_that_failed_before_it_did_anything_leaves_no_checkpoint(tmp_path: Path) -> None:
    damaged, out = tmp_path / "in.gz", tmp_path / "out"
    damaged.write_bytes(b"no gzip")
    out.write_bytes(b"old\n")
    with pytest.raises(oxflow.StreamError, match="cannot read"):
        oxflow.run(PASS, streams={"in": f"file:{damaged}", "out": f"file:{out}?append=true"})
    assert not (tmp_path / "out.oxflow").exists()
    oxflow.run(PASS, streams={"in": f"file:{lines(tmp_path / 'good', 1)}", "out": f"file:{out}?append=true"})
    assert out.read_bytes() == b'old\n{"line":0}\n'


@pytest.mark.parametrize("delivery", ["exactly_once", "at_least_once"])
@pytest.mark.parametrize("replaced", [True, False])
def test_an_output_that_is_taken_away_during_the_run_is_an_error(
    tmp_path: Path,
    delivery: Any,
    replaced: bool,  # noqa: FBT001
) -> None:
    path, out = lines(tmp_path / "in"), tmp_path / "out"

    def take() -> None:
        out.unlink()
        if replaced:
            out.write_bytes(b"")

    config: Any = {"run": {"delivery": delivery}}
    why = "another file has its name now" if replaced else "it was removed or renamed"
    with pytest.raises(oxflow.StreamError, match=rf"is no longer the file that this run writes[^$]*{why}"):
        oxflow.run(doing(take), streams=bound(in_=path, out=out), config=config)
