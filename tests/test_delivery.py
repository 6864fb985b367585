"""Exactly once from files to files, whenever the process dies.

A run is killed at random moments and at every named place between two durable steps, and started again until it drains. An
independent reader then counts what is lost, repeated or out of order. `OXFLOW_KILLS` sets how often (`make faults`).
"""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zstandard

import oxflow
from oxflow import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Iterator

PIPELINE = Path(__file__).parent / "delivery_pipeline.py"
KILLS = int(os.environ.get("OXFLOW_KILLS", "12"))
SEED = int(os.environ.get("OXFLOW_SEED", str(random.SystemRandom().randrange(10**6))))
# Long enough for all kills to hit it.
PARTITIONS, WORDS = 3, 500 * KILLS
STREAMS = ("plain", "rust", "flat", "lists", "picky", "dead-letters")
# Here nobody is to stop: what comes out is counted.
POLICIES = (
    *(f"steps.{step}.on_error=dead_letter" for step in ("pick", "taste")),
    "run.dead_letters.max_percent=100",
    "run.dead_letters.max_in_a_row=1000000",
)


def write_words(folder: Path) -> None:
    for partition in range(PARTITIONS):
        lines = (json.dumps({"text": f"{partition}-{word}", "count": word, "tags": {}}) for word in range(WORDS))
        (folder / f"in-{partition}.jsonl").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def command(folder: Path, ending: str) -> list[str]:
    if not list(folder.glob("*.oxflow")):
        # A run that starts at the beginning adds to the dead letters of those before it.
        (folder / f"dead-letters{ending}").unlink(missing_ok=True)
    streams = [f"words=file:{folder}/in-*.jsonl", *(f"{name}=file:{folder}/{name}{ending}" for name in STREAMS)]
    settings = ["run.checkpoint_ms=10", "run.batch.messages=20", "run.batch.bytes=4096", "run.lanes=2", *POLICIES]
    options = [*(f"--stream={stream}" for stream in streams), *(f"--set={setting}" for setting in settings)]
    return [sys.executable, "-m", "oxflow", "run", str(PIPELINE), "--quiet", *options]


def content(path: Path) -> list[str]:
    data = path.read_bytes()
    match path.suffix:
        case ".gz":
            data = gzip.decompress(data)
        case ".zst":
            data = read_zst(path)
        case _:
            pass
    return data.decode().splitlines()


def read_zst(path: Path) -> bytes:
    with path.open("rb") as file, zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as reader:
        data: bytes = reader.read()
    return data


def words_of(stream: str, path: Path) -> Iterator[str]:
    for line in content(path):
        value = json.loads(line)
        if stream in {"flat", "lists", "picky"}:
            yield from value
        elif stream == "dead-letters":
            yield json.loads(value["payload"])["text"]
        else:
            yield value["text"]


def verify(folder: Path, ending: str, seed: object) -> None:
    for stream in ("plain", "rust", "flat", "lists"):
        found = list(words_of(stream, folder / f"{stream}{ending}"))
        copies = ("a", "b") if stream == "flat" else ("",)
        for partition in range(PARTITIONS):
            expected = [f"{partition}-{word}{copy}" for word in range(WORDS) for copy in copies]
            mine = [word for word in found if word.startswith(f"{partition}-")]
            counts = Counter(mine)
            lost, repeated = set(expected) - set(counts), {word for word, count in counts.items() if count > 1}
            assert (lost, repeated) == (set(), set()), f"seed {seed}: stream {stream}, partition {partition}"
            assert mine == expected, f"seed {seed}: stream {stream}, partition {partition} is out of order"
    verify_dead_letters(folder, ending, seed)
    assert not list(folder.glob("*.oxflow*")), "a drained run leaves no checkpoint"


def verify_dead_letters(folder: Path, ending: str, seed: object) -> None:
    """Each word came through the branch that fails, or became one dead letter of the first step that failed on it."""
    through = list(words_of("picky", folder / f"picky{ending}"))
    letters = [DeadLetter.from_json(line) for line in content(folder / f"dead-letters{ending}")]
    texts = [json.loads(letter.message.payload)["text"] for letter in letters]
    everything = {f"{partition}-{word}" for partition in range(PARTITIONS) for word in range(WORDS)}
    counts = Counter([*through, *texts])
    repeated = {word for word, count in counts.items() if count > 1}
    assert (everything - set(counts), repeated) == (set(), set()), f"seed {seed}: dead letters"
    for step in ("pick", "taste"):
        for partition in range(PARTITIONS):
            mine = [letter.message.origin for letter in letters if letter.step == step]
            offsets = [origin.offset for origin in mine if origin is not None and origin.partition == partition]
            assert offsets == sorted(offsets), f"seed {seed}: dead letters of `{step}` are out of order"
    picked = {word for word, letter in zip(texts, letters, strict=True) if letter.step == "pick"}
    expected = {word for word in everything if int(word.split("-")[1]) % 31 in {3, 7, 8}}
    assert picked == expected, f"seed {seed}: dead letters"


@pytest.mark.parametrize("ending", ["", ".gz", ".zst"])
def test_a_run_that_is_killed_again_and_again_delivers_each_message_once(tmp_path: Path, ending: str) -> None:
    write_words(tmp_path)
    chance = random.Random(f"{SEED}{ending}")  # noqa: S311  # to be repeated, not to be secret
    kills = 0
    while True:
        running = subprocess.Popen(command(tmp_path, ending))
        if kills < KILLS // 3 and still_running_after_a_checkpoint(running, tmp_path, chance.uniform(0, 0.1)):
            running.send_signal(signal.SIGKILL)
            kills += 1
        code = running.wait()
        if code == 0:
            verify(tmp_path, ending, SEED)
            if kills == KILLS // 3:
                return
        # A run that was too quick to be killed is done over: the next one starts at the beginning.
        assert code in {0, -signal.SIGKILL}, f"seed {SEED}"


def still_running_after_a_checkpoint(running: subprocess.Popen[bytes], folder: Path, seconds: float) -> bool:
    """Let the run come to its first checkpoint, and a random time further."""
    before = checkpoints(folder)
    while checkpoints(folder) == before and running.poll() is None:
        time.sleep(0.001)
    time.sleep(seconds)
    return running.poll() is None


def checkpoints(folder: Path) -> list[int]:
    return [path.stat().st_mtime_ns for path in folder.glob("*.oxflow")]


PLACES = (
    "sink-flushed", "sink-synced", "sinks-synced", "checkpoint-written", "checkpoint-synced", "checkpoint-renamed",
    "drained", "checkpoint-removed",
)  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
def test_a_crash_between_two_durable_steps_costs_nothing(tmp_path: Path, place: str) -> None:
    write_words(tmp_path)
    crashed = 0
    # The second run goes on from the first one's checkpoint and crashes at its own first one.
    for count in (5, 1, 3, 1):
        environment = os.environ | {"OXFLOW_CRASH": f"{place}:{count}"}
        code = subprocess.run(command(tmp_path, ""), env=environment, check=False, stderr=subprocess.DEVNULL).returncode
        assert code in {0, -signal.SIGABRT}
        crashed += code != 0
    assert crashed, "the test wheel is built with the feature crash-points"
    assert subprocess.run(command(tmp_path, ""), check=False).returncode == 0
    verify(tmp_path, "", place)


def test_a_run_that_is_drained_by_a_signal_goes_on_later(tmp_path: Path) -> None:
    write_words(tmp_path)
    checkpoint = tmp_path / "plain.oxflow"
    running = subprocess.Popen(command(tmp_path, ""))
    while not checkpoint.exists() and running.poll() is None:
        time.sleep(0.001)
    running.send_signal(signal.SIGTERM)
    assert running.wait() == 0
    assert subprocess.run(command(tmp_path, ""), check=False).returncode == 0
    verify(tmp_path, "", "drain")


def start_and_kill(folder: Path) -> None:
    """Leave a checkpoint behind."""
    environment = os.environ | {"OXFLOW_CRASH": "checkpoint-renamed:3"}
    code = subprocess.run(command(folder, ""), env=environment, check=False, stderr=subprocess.DEVNULL).returncode
    assert code == -signal.SIGABRT


def refused(folder: Path) -> str:
    done = subprocess.run(command(folder, ""), check=False, capture_output=True, text=True)
    assert done.returncode == oxflow.StreamError.exit_code
    return done.stderr


def test_a_source_that_was_replaced_is_an_error(tmp_path: Path) -> None:
    write_words(tmp_path)
    start_and_kill(tmp_path)
    path = tmp_path / "in-1.jsonl"
    (tmp_path / "new").write_bytes(path.read_bytes())
    (tmp_path / "new").replace(path)
    assert "in-1.jsonl` is not the file that the checkpoint" in refused(tmp_path)
    assert "it was replaced by another file" in refused(tmp_path)


def test_a_source_that_was_rewritten_is_an_error(tmp_path: Path) -> None:
    write_words(tmp_path)
    start_and_kill(tmp_path)
    path = tmp_path / "in-1.jsonl"
    path.write_bytes(path.read_bytes().replace(b"1-0", b"9-9"))
    assert "its first bytes differ" in refused(tmp_path)


def test_an_output_that_became_shorter_is_an_error(tmp_path: Path) -> None:
    write_words(tmp_path)
    start_and_kill(tmp_path)
    (tmp_path / "plain").write_bytes(b"")
    assert "is shorter than the checkpoint" in refused(tmp_path)


def test_other_outputs_start_at_the_beginning(tmp_path: Path) -> None:
    write_words(tmp_path)
    start_and_kill(tmp_path)
    (tmp_path / "plain.oxflow").rename(tmp_path / "plain.gz.oxflow")
    assert subprocess.run(command(tmp_path, ".gz"), check=False).returncode == 0
    verify(tmp_path, ".gz", "other outputs")


def test_a_pipeline_with_other_steps_is_an_error(tmp_path: Path) -> None:
    run = slow_command(tmp_path)
    failed = subprocess.run(run, env=os.environ | {"FAIL": "w200"}, check=False, capture_output=True)
    assert failed.returncode == oxflow.StepError.exit_code
    (tmp_path / "slow.py").write_text(SLOW.replace("plain-out", "renamed"), encoding="utf-8")
    changed = subprocess.run(run, check=False, capture_output=True, text=True)
    assert changed.returncode == oxflow.StreamError.exit_code
    assert "was made by a pipeline with other steps" in changed.stderr
    assert (
        "then its sinks and batches were `lists-out`, `plain-out`, `ten`, now they are `lists-out`, `renamed`"
        in changed.stderr
    )


def test_at_least_once_keeps_no_checkpoint(tmp_path: Path) -> None:
    write_words(tmp_path)
    start_and_kill(tmp_path)
    (tmp_path / "dead-letters").unlink()
    run = [*command(tmp_path, ""), "--set=run.delivery=at_least_once"]
    assert subprocess.run(run, check=False).returncode == 0
    verify(tmp_path, "", "at least once")


SLOW = """
import os, time
from typing import Any
from oxflow import Batch, FlatMap, Map, Parser, Serializer, StreamSink, branch, streaming_source

Json = dict[str, Any]

def lists(message):
    time.sleep(float(os.environ.get("SLEEP", "0")))
    if os.environ.get("FAIL") in [word["text"] for word in message.payload]:
        raise ValueError("not yet")
    return [word["text"] for word in message.payload]

def one_by_one(message):
    return [message.payload[index:index + 1] for index in range(len(message.payload))]

def look(message):
    time.sleep(float(os.environ.get("SLEEP", "0")))
    return message.payload

pipeline = streaming_source("source", stream_name="words").apply(Parser("parse", Json)).broadcast(
    "all",
    routes=[
        branch("plain").apply(Serializer("s1")).sink(StreamSink("plain-out", stream_name="plain")),
        branch("lists")
        .apply(Batch("ten", batch_size=10))
        .apply(Map("texts", function=lists))
        .apply(FlatMap("split", function=one_by_one))
        .apply(Map("look", function=look))
        .apply(Serializer("s2"))
        .sink(StreamSink("lists-out", stream_name="lists")),
    ],
)
"""


def slow_command(folder: Path) -> list[str]:
    pipeline = folder / "slow.py"
    pipeline.write_text(SLOW, encoding="utf-8")
    (folder / "in.jsonl").write_text("".join(f'{{"text":"w{word}"}}\n' for word in range(400)), encoding="utf-8")
    streams = {"words": f"file:{folder}/in.jsonl", "plain": f"file:{folder}/plain", "lists": f"file:{folder}/lists"}
    bound = [f"--stream={name}={url}" for name, url in streams.items()]
    settings = ["--set=run.checkpoint_ms=10", "--set=run.batch.messages=64"]
    return [sys.executable, "-m", "oxflow", "run", str(pipeline), "--quiet", *bound, *settings]


def assert_each_word_once(folder: Path) -> None:
    expected = [f"w{word}" for word in range(400)]
    assert [json.loads(line)["text"] for line in content(folder / "plain")] == expected
    assert [word for line in content(folder / "lists") for word in json.loads(line)] == expected


@pytest.mark.parametrize("word", ["w0", "w57", "w200", "w399"])
def test_a_run_that_failed_after_a_batch_goes_on_with_every_message(tmp_path: Path, word: str) -> None:
    run = slow_command(tmp_path)
    for _again in range(2):
        failed = subprocess.run(run, env=os.environ | {"FAIL": word}, check=False, capture_output=True)
        assert failed.returncode == oxflow.StepError.exit_code
    assert subprocess.run(run, check=False).returncode == 0
    assert_each_word_once(tmp_path)


def test_a_run_that_is_stopped_after_a_batch_goes_on_with_every_message(tmp_path: Path) -> None:
    run = slow_command(tmp_path)
    chance = random.Random(SEED)  # noqa: S311  # to be repeated, not to be secret
    for _again in range(4):
        running = subprocess.Popen(run, env=os.environ | {"SLEEP": "0.003"}, stderr=subprocess.DEVNULL)
        if still_running_after_a_checkpoint(running, tmp_path, chance.uniform(0, 0.3)):
            running.send_signal(signal.SIGTERM)
        assert running.wait() == 0
    assert subprocess.run(run, check=False).returncode == 0
    assert_each_word_once(tmp_path)


def test_a_run_that_cannot_be_exactly_once_says_so(tmp_path: Path) -> None:
    source = oxflow.streaming_source("source", stream_name="in")
    batches = source.apply(oxflow.Batch("a", batch_size=2)).apply(oxflow.Batch("b", batch_size=2))
    nested = batches.apply(oxflow.Map("repr", lambda message: repr(message.payload).encode()))
    sink = oxflow.StreamSink("sink", stream_name="out")
    path, out = tmp_path / "in", f"file:{tmp_path}/out"
    path.write_bytes(b"a\n")
    exactly_once = {"run": {"delivery": "exactly_once"}}
    with pytest.raises(oxflow.ConfigError, match="a batching step comes after another one"):
        oxflow.run(nested.sink(sink), streams={"in": f"file:{path}", "out": out}, config=exactly_once)
    with pytest.raises(oxflow.ConfigError, match="its source is not files"):
        oxflow.run(source.sink(sink), streams={"in": [b"a"], "out": out}, config=exactly_once)
    with pytest.raises(oxflow.ConfigError, match="it writes no file"):
        oxflow.run(source.sink(sink), streams={"in": f"file:{path}", "out": "memory:"}, config=exactly_once)
