"""The job as a bytewax flow with its own connectors, one operator a step: `bytewax_kafka.py BROKERS TOPIC TOPIC`.

bytewax has no consumer groups and ends at the end of the topic (`tail=False`), which costs it nothing to wait for.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bytewax.operators as op
import orjson
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.testing import run_main

sys.path.insert(0, str(Path(__file__).parent.parent))

from work import is_counter, transform


def main(brokers: str, source: str, sink: str) -> None:
    """Build the flow and run it in this thread."""
    flow = Dataflow("metrics")
    messages = op.input("source", flow, KafkaSource([brokers], [source], tail=False))
    metrics = op.map("parse", messages, lambda message: orjson.loads(message.value))
    counters = op.filter("counters", metrics, is_counter)
    transformed = op.map("transform", counters, transform)
    made = op.map("serialize", transformed, lambda metric: KafkaSinkMessage(None, orjson.dumps(metric)))
    room = {"enable.idempotence": "true", "queue.buffering.max.messages": "1000000"}
    op.output("sink", made, KafkaSink([brokers], sink, add_config=room))
    run_main(flow)


if __name__ == "__main__":
    main(*sys.argv[1:])
