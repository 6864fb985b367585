"""A program without Python against the plain typed loop: processor time by message, from a file to a file.

    python benches/pure_rust/compare.py PROGRAM LOOP FOLDER RESULTS

`PROGRAM` is built of this folder, `LOOP` of `benches/streams/loop`; `FOLDER` takes the events and what is made of them. Each
turn runs one after the other and has a ratio of its own; the median of one message in place of many is taken off as the start.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "streams"))

import turns
from events import write
from measure import Cost, cost, median, same
from turns import Row, Spread

LINES = 400_000
TURNS = 7
# Of the speed of the loop.
BAR = 0.9
HERE = Path(__file__).parent


def main() -> None:
    """Measure, and print a row for each kind of types."""
    program, loop, folder, results = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])
    folder.mkdir(parents=True, exist_ok=True)
    many, one = folder / f"events-{LINES}.jsonl", folder / "events-1.jsonl"
    write(many, LINES, large=False)
    write(one, 1, large=False)
    table: list[Row] = []
    raw: dict[str, dict[str, list[Cost]]] = {}
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
        table += rows(types, costs)
        raw[types] = costs
    print(turns.render(table))
    turns.keep(results, "pure", table, {"cost": Cost._fields, "costs": raw})


def rows(types: str, costs: dict[str, list[Cost]]) -> list[Row]:
    """What a message costs, and what that is of the loop's speed."""
    loop, program = (
        [taken.cpu_s - median(costs[f"{name}, start"]).cpu_s for taken in costs[name]] for name in ("loop", "program")
    )
    nanos = {
        name: [cpu_s / (LINES - 1) * 1e9 for cpu_s in taken] for name, taken in (("loop", loop), ("program", program))
    }
    return [
        *(Row(f"{types}: {name}", Spread.of(taken), "ns a message") for name, taken in nanos.items()),
        Row(f"{types}: speed of the program / loop", turns.ratios(loop, program), "x", BAR),
        Row(f"{types}: start", Spread.of([taken.wall_s * 1e3 for taken in costs["program, start"]]), "ms"),
        Row(f"{types}: most memory", Spread.of([taken.rss_kb / 1024 for taken in costs["program"]]), "MB"),
    ]


if __name__ == "__main__":
    main()
