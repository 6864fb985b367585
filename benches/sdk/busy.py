"""Two lanes of Rust steps beside a busy Python thread: what each keeps of what the cores allow.

    busy.py FOLDER [--turns N] [--results FOLDER]

`FOLDER` holds the two inputs, which are made if they aren't there. Three threads want to run, two lanes and the Python thread, so each
is due its share of the cores. Measured by the clock on the wall, so it means something only on a machine that does nothing else:
alone and together come one after the other in each turn.
"""

from __future__ import annotations

import argparse
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parent.parent / "streams"))

import events
import pipelines
import turns
from turns import Row, Spread

import oxflow

if TYPE_CHECKING:
    from typing_extensions import Self

LINES = 1_000_000
LANES = 2
# What each must keep of its share.
BAR = 0.9


class Busy:
    """A Python thread that counts."""

    def __init__(self) -> None:
        self._stop = False
        self.count = 0
        self._thread = threading.Thread(target=self._work)

    def _work(self) -> None:
        while not self._stop:
            self.count += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop = True
        self._thread.join()


def run(folder: Path) -> float:
    """Run the pipeline on both inputs; the seconds that it took."""
    streams = {"in": f"file:{folder}/lane[12].jsonl", "out": "null:"}
    config: dict[str, Any] = {"run": {"lanes": LANES, "delivery": "at_least_once"}}
    begin = time.perf_counter()
    oxflow.run(pipelines.rust_borrowed, streams=streams, config=config)
    return time.perf_counter() - begin


def main() -> None:
    """Measure and print both rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--results", type=Path)
    given = parser.parse_args()
    for lane in range(LANES):
        events.write(given.folder / f"lane{lane + 1}.jsonl", LINES // LANES, large=False)
    share = min(1.0, len(os.sched_getaffinity(0)) / (LANES + 1))
    lanes: list[float] = []
    thread: list[float] = []
    for _ in range(given.turns):
        alone = run(given.folder)
        begin = time.perf_counter()
        with Busy() as busy:
            time.sleep(alone)
        rate = busy.count / (time.perf_counter() - begin)
        begin = time.perf_counter()
        with Busy() as busy:
            beside = run(given.folder)
        lanes.append(alone / beside / share)
        thread.append(busy.count / (time.perf_counter() - begin) / rate / share)
    kept = {"two lanes of Rust beside a busy Python thread": lanes, "the busy thread beside them": thread}
    table = [Row(name, Spread.of(shares), "fair share", BAR) for name, shares in kept.items()]
    print(turns.render(table))
    if given.results is not None:
        turns.keep(given.results, "busy", table, {"shares": kept})


if __name__ == "__main__":
    main()
