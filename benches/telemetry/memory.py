"""Prints the memory of a process after `init` with three signals, and by how much it grows over very many spans, in MB.

memory.py ENDPOINT SPANS
"""

from __future__ import annotations

import sys

from telemetry_contestants import ATTRIBUTES, QUEUE, rss

from oxflow import telemetry
from oxflow.telemetry import Config, MetricSink, OtlpLogSink, TraceSink, start_span

# As many spans as fit into the queue are made at a time, so that all of them are sent.
LOT = QUEUE // 2
# The first of these fill what is kept for use again.
WARM_LOTS = 50


def main(endpoint: str, count: int) -> None:
    """Make them."""
    traces = TraceSink(endpoint, batch_max_queue=QUEUE)
    telemetry.init(Config("memory", sinks=[traces, MetricSink(endpoint), OtlpLogSink(endpoint)]))
    begun, warm = rss(), 0.0
    for lot in range(count // LOT):
        if lot == WARM_LOTS:
            warm = rss()
        for _ in range(LOT):
            with start_span("GET /cart", ATTRIBUTES):
                pass
        telemetry.force_flush(60)
    print(begun, rss() - warm)
    telemetry.shutdown(60)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
