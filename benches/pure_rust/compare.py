"""A program without Python against the plain typed loop: processor time by message, from a file to a file.

    python benches/pure_rust/compare.py PROGRAM LOOP FOLDER

`PROGRAM` is built of this folder, `LOOP` of `benches/streams/loop`; `FOLDER` takes the events and what is made of them. Each
turn runs all of them, and one message in place of many is taken off as the start.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "streams"))

from events import write
from measure import Cost, cost, median, same

LINES = 400_000
TURNS = 5
HERE = Path(__file__).parent


def main() -> None:
    """Measure, and print a row for each kind of types."""
    program, loop, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    many, one = folder / f"events-{LINES}.jsonl", folder / "events-1.jsonl"
    write(many, LINES, large=False)
    write(one, 1, large=False)
    for types, pipeline in (("owned", HERE / "pipeline.yaml"), ("borrowed", HERE / "borrowed.yaml")):
        costs: dict[str, list[Cost]] = {"loop": [], "loop, start": [], "program": [], "program, start": []}
        for _ in range(TURNS):
            for events, start in ((many, ""), (one, ", start")):
                made = folder / f"loop-{types}{start}.jsonl"
                costs[f"loop{start}"].append(cost([loop, types, str(events), str(made)]))
                written = folder / f"program-{types}{start}.jsonl"
                written.unlink(missing_ok=True)
                bound = ["--stream", f"events=file:{events}", "--stream", f"enriched=file:{written}"]
                lanes = ["--set", "run.lanes=1", "--quiet"]
                costs[f"program{start}"].append(cost([program, "run", str(pipeline), *bound, *lanes]))
                if not same(made, written):
                    raise SystemExit(f"{made} and {written} differ")
        print(row(types, costs))


def row(types: str, costs: dict[str, list[Cost]]) -> str:
    """Say what a message costs, and what that is of the loop's speed."""
    medians = {name: median(taken) for name, taken in costs.items()}
    loop, program = (
        (medians[name].cpu_s - medians[f"{name}, start"].cpu_s) / (LINES - 1) * 1e9 for name in ("loop", "program")
    )
    start = medians["program, start"].wall_s * 1e3
    rss = medians["program"].rss_kb / 1024
    return f"{types}: loop {loop:.0f} ns, program {program:.0f} ns, {loop / program:.2f} x the loop; start {start:.1f} ms, {rss:.0f} MiB"


if __name__ == "__main__":
    main()
