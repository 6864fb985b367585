"""The ledger of a make target: what ran, how long it took, what could not run and why.

ledger.py FILE begin
ledger.py FILE run NAME -- COMMAND...      runs it, notes its seconds, gives its exit code
ledger.py FILE missing NAME WHY            notes a part that can't run here
ledger.py FILE end                         prints both lists; a missing part is an error where CI=true
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path


def run(ledger: Path, name: str, command: list[str]) -> int:
    """Run a phase and note its time."""
    print(f"== {name}", flush=True)
    start = time.monotonic()
    code = subprocess.run(command, check=False).returncode
    note(ledger, "ran", name, f"{time.monotonic() - start:.1f}")
    if code:
        print(f"== {name}: failed ({code}): {' '.join(command)}", file=sys.stderr)
    return code


def note(ledger: Path, *fields: str) -> None:
    """Add a line."""
    with ledger.open("a", encoding="utf-8") as file:
        file.write("\t".join(fields) + "\n")


def end(ledger: Path) -> int:
    """Print what was noted."""
    lines = [line.split("\t") for line in ledger.read_text(encoding="utf-8").splitlines()]
    times = [(name, float(seconds)) for kind, name, seconds in lines if kind == "ran"]
    missing = [(name, why) for kind, name, why in lines if kind == "missing"]
    print("\nwhere the time went")
    for name, seconds in [*times, ("total", sum(seconds for _, seconds in times))]:
        print(f"  {seconds:7.1f} s  {name}")
    for name, why in missing:
        print(f"not run: {name}: {why}")
    return 1 if missing and os.environ.get("CI") == "true" else 0


def main(arguments: list[str]) -> int:
    """Do what the command line says."""
    match arguments:
        case [file, "begin"]:
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_text("", encoding="utf-8")
            return 0
        case [file, "run", name, "--", *command] if command:
            return run(Path(file), name, command)
        case [file, "missing", name, why]:
            note(Path(file), "missing", name, why)
            return 0
        case [file, "end"]:
            return end(Path(file))
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
