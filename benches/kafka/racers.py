"""The commands that are measured. Each reads one topic and writes another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


@dataclass(frozen=True)
class Programs:
    """Where things are; an empty path is a peer that could not be installed.

    Attributes:
        oxflow: a Python with oxflow, the Rust steps of `examples/metrics` and orjson.
        peers: a Python with confluent-kafka, bytewax and orjson.
        quix: a Python with quixstreams and orjson.
        sentry: a Python with sentry-streams.
        built: the folder with the programs of `programs`.
    """

    oxflow: str
    peers: str
    quix: str
    sentry: str
    built: Path


class Topics(NamedTuple):
    """Where a contestant reads and writes, and how many messages there are."""

    brokers: str
    source: str
    sink: str
    messages: int


@dataclass(frozen=True)
class Racer:
    """Something that does the work.

    Attributes:
        name: as the table calls it.
        target: for oxflow the pipeline, for others a word of theirs.
        keeps_all: it writes every message, where others write the counters.
        ends: it ends by itself; others are sent a signal when all is written.
        weight: it reads one in so many of the messages, since it takes long.
        settings: for oxflow `KEY=VALUE`.
    """

    name: str
    target: str = ""
    keeps_all: bool = False
    ends: bool = False
    weight: int = 1
    settings: tuple[str, ...] = ()

    @property
    def is_transactional(self) -> bool:
        """What it writes has marks of transactions among it, which count as messages where a topic is measured."""
        return self is ONCE

    def command(self, programs: Programs, topics: Topics, scratch: Path) -> list[str]:
        """The command that reads and writes these topics."""
        brokers, source, sink, count = topics
        between = [brokers, source, sink]
        peer = HERE / "peers"
        if self.name.startswith("rdkafka loop"):
            return [str(programs.built / "loop"), self.target, *between, str(count)]
        if self is CONFLUENT:
            return [programs.peers, str(peer / "confluent_loop.py"), *between, str(count)]
        if self is BYTEWAX:
            return [programs.peers, str(peer / "bytewax_kafka.py"), *between]
        if self is QUIX:
            return [programs.quix, str(peer / "quix_app.py"), *between]
        if self is SENTRY:
            config = scratch / f"{sink}.yaml"
            config.write_text(_sentry(topics), encoding="utf-8")
            run = ["-m", "sentry_streams.runner", "-n", sink, "-l", "ERROR", "-a", "rust_arroyo", "-s", "0"]
            return [programs.sentry, *run, "--config", str(config), str(peer / "sentry_pipeline.py")]
        names = ("in", "out") if self is PROGRAM else ("ingest-metrics", "transformed-metrics")
        streams = [f"{names[0]}=kafka://{brokers}/{source}?group=g-{sink}", f"{names[1]}=kafka://{brokers}/{sink}"]
        options = ["--quiet", *(part for stream in streams for part in ("--stream", stream))]
        options += [part for setting in self.settings for part in ("--set", setting)]
        if self is PROGRAM:
            return [str(programs.built / "program"), "run", str(HERE / "programs/pipeline.yaml"), *options]
        return [programs.oxflow, "-m", "oxflow", "run", self.target, *options]


def _sentry(topics: Topics) -> str:
    at = {"bootstrap_servers": [topics.brokers]}
    source = {**at, "starts_segment": True, "topic": topics.source, "consumer_group": f"sentry-{topics.sink}"}
    steps = {"myinput": {**source, "auto_offset_reset": "earliest"}, "mysink": {**at, "topic": topics.sink}}
    config: dict[str, Any] = {"env": {}, "pipeline": {"adapter_config": {}, "segments": [{"steps_config": steps}]}}
    return json.dumps(config)


LOOP = Racer("rdkafka loop", "job", ends=True)
COPY = Racer("rdkafka loop, copy", "copy", keeps_all=True, ends=True)
CONFLUENT = Racer("confluent-kafka loop", keeps_all=True, ends=True)
BYTEWAX = Racer("bytewax", ends=True)
QUIX = Racer("quixstreams", weight=4)
SENTRY = Racer("sentry-streams", weight=4)
RUST = Racer("oxflow, Rust steps", str(ROOT / "examples/metrics/native.py"))
ONCE = Racer(
    "oxflow, Rust steps, exactly once",
    str(ROOT / "examples/metrics/native.py"),
    settings=("run.delivery=exactly_once",),
)
ONE_MAP = Racer("oxflow, one Python map", f"{HERE / 'stream_pipelines.py'}:one_map", keeps_all=True)
NOTHING = Racer("oxflow, no step", f"{HERE / 'stream_pipelines.py'}:nothing", keeps_all=True)
PROGRAM = Racer("oxflow, program without Python")

# Those that are compared stand beside each other, and meet the same minute of the machine.
RACERS = (COPY, NOTHING, LOOP, RUST, ONCE, PROGRAM, CONFLUENT, ONE_MAP, BYTEWAX, QUIX, SENTRY)
