"""What the telemetry of a run costs: pairs of runs over one file, with and without, in one process, by its CPU time.

runs.py [--pairs N]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).parents[2] / "tests/faults"))

from receiver import Receiver

import oxflow
from oxflow import Map, Message, StreamSink, streaming_source

LINES, BATCH = 200_000, 100
BATCHES = LINES // BATCH


def same(message: Message[bytes]) -> bytes:
    """Do as little as a step can."""
    return message.payload


pipeline = (
    streaming_source("source", stream_name="in")
    .apply(Map("same", function=same))
    .sink(StreamSink("sink", stream_name="out"))
)


def run(folder: Path, config: dict[str, Any]) -> float:
    """CPU seconds of all threads, those of the exporter included: the end of a run waits for it."""
    streams = {"in": f"file:{folder}/in", "out": f"file:{folder}/out"}
    settings = {"run": {"batch": {"messages": BATCH}}, "streams": streams, **config}
    (folder / "out").unlink(missing_ok=True)
    begin = time.process_time()
    oxflow.run(pipeline, config=settings)
    return time.process_time() - begin


def main() -> None:
    """Measure in turns, and print medians with their middle halves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=21)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as name, Receiver(Path(name)) as receiver:
        folder = Path(name)
        (folder / "in").write_bytes(b"a line of some text, as logs have them\n" * LINES)
        kinds: dict[str, dict[str, Any]] = {
            "spans and metrics": {"telemetry": {"endpoint": receiver.endpoint}},
            "metrics alone": {"telemetry": {"endpoint": receiver.endpoint, "sample_ratio": 0.0}},
        }
        run(folder, {})
        for kind, config in kinds.items():
            run(folder, config)
            both = [(run(folder, {}), run(folder, config)) for _ in range(pairs)]
            costs = [(on - off) / BATCHES * 1e6 for off, on in both]
            low, middle, high = statistics.quantiles(costs, n=4)
            plain = statistics.median(off for off, _ in both) / BATCHES * 1e6
            print(f"{kind}: {middle:.1f} us of a batch ({low:.1f} to {high:.1f}), of {plain:.0f} us without")


if __name__ == "__main__":
    main()
