"""The job as an application of quixstreams with orjson: `quix_app.py BROKERS TOPIC TOPIC`, until it gets a signal."""

from __future__ import annotations

import sys
from pathlib import Path

import orjson
from quixstreams import Application

sys.path.insert(0, str(Path(__file__).parent.parent))

from work import is_counter, transform


def main(brokers: str, source: str, sink: str) -> None:
    """At least once, its default."""
    app = Application(
        broker_address=brokers, consumer_group=f"quix-{sink}", auto_offset_reset="earliest", loglevel="ERROR",
        auto_create_topics=False,
    )  # fmt: skip
    metrics = app.dataframe(app.topic(source, value_deserializer="bytes")).apply(orjson.loads)
    made = metrics[metrics.apply(is_counter)].apply(transform).apply(orjson.dumps)
    made.to_topic(app.topic(sink, value_serializer="bytes"))
    app.run()


if __name__ == "__main__":
    main(*sys.argv[1:])
