"""Times the metrics pipeline against plain loops, in turns in one run: `compare.py INPUT RUST_LOOP`.

Each contestant is a process that reads one file and writes another, start included. Turns alternate, so that a slow
minute of the machine meets all of them; the best of the turns counts. All must write the same values. `mixed` is the
example as it stands, with a parser and a filter in Python; `native` has all steps in Rust; `python` is a plain loop with
orjson, which checks no type; `rust` is a plain loop over the example's types.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
TURNS = 5


def contestants(source: str, rust_loop: str, folder: Path) -> dict[str, list[str]]:
    """The command of each."""
    python = sys.executable

    def oxflow(pipeline: str, sink: str) -> list[str]:
        streams = ["--stream", f"ingest-metrics=file:{source}", "--stream", f"transformed-metrics=file:{folder / sink}"]
        return [python, "-m", "oxflow", "run", str(ROOT / pipeline), "--quiet", *streams]

    return {
        "mixed": oxflow("examples/metrics/pipeline.py", "mixed"),
        "native": oxflow("examples/metrics/native.py", "native"),
        "python": [python, str(ROOT / "benches/streams/loop.py"), source, str(folder / "python")],
        "rust": [rust_loop, source, str(folder / "rust")],
    }


def seconds(command: list[str]) -> float:
    """How long a command takes."""
    start = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - start


def values(file: Path) -> list[object]:
    """What a contestant wrote."""
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def main(source: str, rust_loop: str) -> None:
    """Run the turns, compare the outputs, print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = contestants(source, rust_loop, folder)
        times: dict[str, list[float]] = {key: [] for key in commands}
        for _ in range(TURNS):
            for key, command in commands.items():
                (folder / key).unlink(missing_ok=True)
                times[key].append(seconds(command))
        expected = values(folder / "rust")
        for key in commands:
            if values(folder / key) != expected:
                sys.exit(f"`{key}` writes other values than the plain Rust loop")
    best = {key: min(each) for key, each in times.items()}
    with Path(source).open("rb") as lines:
        messages = sum(1 for _ in lines)
    print(f"{messages} messages, best of {TURNS} turns (worst in brackets)")
    for key, each in times.items():
        rate = messages / best[key] / 1000
        print(
            f"  {key:<7} {best[key]:6.3f} s ({max(each):.3f})  {rate:8.0f} k/s  {best['python'] / best[key]:5.2f} x python"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
