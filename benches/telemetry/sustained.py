"""Makes spans at a rate for some time; prints how many, and by how many MB the process grew after its first seconds.

sustained.py ENDPOINT RATE SECONDS
"""

from __future__ import annotations

import sys
import time

from telemetry_contestants import ATTRIBUTES, rss

from oxflow import telemetry
from oxflow.telemetry import Config, TraceSink, start_span

# So many times a second what is due is made.
TICKS = 100
WARM_S = 5


def main(endpoint: str, rate: int, seconds: int) -> None:
    """Make them."""
    telemetry.init(Config("sustained", sinks=[TraceSink(endpoint, batch_max_queue=2 * rate)]))
    begin, made, warm = time.monotonic(), 0, 0.0
    for tick in range(seconds * TICKS):
        if tick == min(WARM_S, seconds // 2) * TICKS:
            warm = rss()
        due = (tick + 1) * rate // TICKS
        while made < due:
            with start_span("GET /cart", ATTRIBUTES):
                made += 1
        time.sleep(max(0.0, begin + (tick + 1) / TICKS - time.monotonic()))
    grown = rss() - warm
    telemetry.shutdown(60)
    print(made, grown)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
