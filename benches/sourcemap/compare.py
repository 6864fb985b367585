"""oxflow's source maps against `symbolic`, the pure Python `sourcemap` and two crates, in turns.

    compare.py --oxflow PYTHON --peers PYTHON --crates PROGRAM --maps FOLDER [--turns 5] [--results FOLDER]

Each measurement is a process of its own. In a turn every implementation runs once, and ratios are taken within a turn: what
else the machine does then weighs on all alike. The middle of the turns is shown, with the bars of the goal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
# What is compared, each bar a ratio or a figure: map, implementation, field, peer, at least or at most.
RATIOS = (
    ("parse_ms", "symbolic", 4.0),
    ("parse_ms", "oxc", 2.0),
    ("parse_ms", "sourcemap-rs", 1.0),
    ("lookup_us", "symbolic", 6.0),
)
PURE_RATIO = 150.0
PLAIN_RATIO = 3.0
BUNDLE = "bundle.min.js.map"
GROWTH_MB = {BUNDLE: 30.0}
MOST_GROWTH_MB = 45.0
MOST = {"lookup_us": 0.8, "many_us": 0.08}
MOST_OF_CACHE = {"build_ms": 60.0, "open_us": 60.0, "lookup_us": 1.0}
# Of the map that has contents and is minified.
MOST_OF_BUNDLE = {"size_mb": 14.0, "named_ms": 500.0}


def measured(arguments: argparse.Namespace, implementation: str, path: Path, places: str) -> dict[str, float]:
    """One measurement in a process of its own."""
    if implementation in {"oxc", "sourcemap-rs"}:
        name = implementation.removesuffix("-rs")
        answer = run([arguments.crates, name, str(path), places], {})
        parse, lookup = answer.split()
        return {"parse_ms": int(parse) / 1000, "lookup_us": int(lookup) / 1000}
    python = arguments.peers if implementation in {"symbolic", "sourcemap"} else arguments.oxflow
    plain = {"OXFLOW_SOURCEMAP_SIMD": "plain"} if implementation == "plain" else {}
    answer = run([python, str(HERE / "measure.py"), implementation, str(path), places], plain)
    found: dict[str, float] = json.loads(answer)
    return found


def run(command: list[str], more: dict[str, str]) -> str:
    """What a program prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | more).stdout


def of_map(arguments: argparse.Namespace, path: Path, places: str) -> dict[str, list[dict[str, float]]]:
    """All turns on one map; the pure Python peer takes seconds and has one."""
    turns: dict[str, list[dict[str, float]]] = {}
    run([arguments.crates, "choose", str(path), places], {})
    names = ["oxflow", "plain", "cache", "symbolic", "oxc", "sourcemap-rs"]
    for turn in range(arguments.turns):
        for name in names + ["sourcemap"] * (turn == 0):
            turns.setdefault(name, []).append(measured(arguments, name, path, places))
    return turns


def middle(rows: list[dict[str, float]], field: str) -> float:
    """The median of a field."""
    return statistics.median(row[field] for row in rows)


def ratio(turns: dict[str, list[dict[str, float]]], ours: str, peer: str, field: str) -> float:
    """How many times what we take a peer takes: the median of the turns."""
    pairs = zip(turns[peer], turns[ours], strict=False)
    return statistics.median(theirs[field] / own[field] for theirs, own in pairs)


def show(path: Path, turns: dict[str, list[dict[str, float]]]) -> None:
    """Print figures and bars."""
    print(f"\n{path.name}, {path.stat().st_size / 1e6:.1f} MB")
    for name, rows in turns.items():
        fields = "  ".join(f"{field} {middle(rows, field):.3g}" for field in rows[0])
        print(f"  {name:13} {fields}")
    for field, peer, bar in RATIOS:
        judge(f"{field} of {peer} / ours", ratio(turns, "oxflow", peer, field), bar, at_least=True)
    judge(
        "parse_ms of sourcemap (Python) / ours",
        ratio(turns, "oxflow", "sourcemap", "parse_ms"),
        PURE_RATIO,
        at_least=True,
    )
    judge(
        "lookup_us of sourcemap (Python) / ours", ratio(turns, "oxflow", "sourcemap", "lookup_us"), 1.0, at_least=True
    )
    judge(
        "parse_ms of symbolic / ours without SIMD",
        ratio(turns, "plain", "symbolic", "parse_ms"),
        PLAIN_RATIO,
        at_least=True,
    )
    most = {"growth_mb": GROWTH_MB.get(path.name, MOST_GROWTH_MB)} | MOST
    for field, bar in most.items():
        judge(field, middle(turns["oxflow"], field), bar, at_least=False)
    for field, bar in (MOST_OF_CACHE | (MOST_OF_BUNDLE if path.name == BUNDLE else {})).items():
        judge(f"{field} of the index", middle(turns["cache"], field), bar, at_least=False)


def judge(what: str, found: float, bar: float, *, at_least: bool) -> None:
    """Print one bar."""
    is_met = found >= bar if at_least else found <= bar
    sign = ">=" if at_least else "<="
    print(f"  {'met   ' if is_met else 'missed'} {what}: {found:.3g} ({sign} {bar:g})")


def main() -> None:
    """Compare on every map of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("oxflow", "peers", "crates", "maps"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--results", type=Path)
    arguments = parser.parse_args()
    results: dict[str, Any] = {}
    with tempfile.NamedTemporaryFile() as places:
        for path in sorted(Path(arguments.maps).glob("*.map")):
            turns = of_map(arguments, path, places.name)
            show(path, turns)
            results[path.name] = {"bytes": path.stat().st_size, "turns": turns}
    if arguments.results:
        day = datetime.now(tz=timezone.utc).date().isoformat()
        (arguments.results / f"{day}-sourcemap.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
