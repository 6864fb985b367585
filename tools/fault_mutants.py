"""Breaks what oxflow promises on Kafka, and expects the tests on a real broker to see messages that are lost.

`fault_mutants.py FOLDER PYTHON MATURIN` works on a copy of the repository in FOLDER, builds a wheel of each edit and lets the tests of
this checkout run it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LANE = Path("crates/oxflow-engine/src/lane")


class Mutant(NamedTuple):
    """An edit that breaks a promise, and the test that is to see it."""

    broken: str
    file: Path
    old: str
    new: str
    test: str


MUTANTS = (
    Mutant(
        "outputs are settled when they are sent",
        LANE / "outbox.rs",
        "self.under_way.push_back(UnderWay { number, meta, rows });",
        "state.settle(&meta, &rows);\nself.under_way.push_back(UnderWay { number, meta, rows: Vec::new() });",
        "outputs_are_on_their_way and good",
    ),
    Mutant(
        "dead letters are not waited for",
        LANE / "letters.rs",
        "self.hold(partition, sequence);",
        "",
        "outputs_are_on_their_way and bad",
    ),
)


def copy(folder: Path) -> None:
    """Put what the wheel is built of into a folder of its own."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    shutil.rmtree(folder, ignore_errors=True)
    for name in filter(None, listed.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)


def built(folder: Path, python: str, maturin: str) -> Path:
    """Build a wheel and unpack it where `PYTHONPATH` can find it."""
    wheels, site = folder / "wheels", folder / "site"
    shutil.rmtree(wheels, ignore_errors=True)
    shutil.rmtree(site, ignore_errors=True)
    command = [maturin, "build", "--quiet", "--interpreter", python, "--auditwheel", "skip", "--profile", "dev"]
    subprocess.run([*command, "--locked", "--features", "stubs,crash-points", "--out", wheels], cwd=folder, check=True)
    (wheel,) = wheels.glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(site)
    return site


def is_seen(mutant: Mutant, folder: Path, python: str, maturin: str) -> bool:
    """Tell whether its test counts lost messages."""
    file = folder / mutant.file
    source = file.read_text(encoding="utf-8")
    if source.count(mutant.old) != 1:
        sys.exit(f"{mutant.file} has changed: {mutant.old}")
    file.write_text(source.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        environment = os.environ | {"PYTHONPATH": str(built(folder, python, maturin))}
    finally:
        file.write_text(source, encoding="utf-8")
    command = [python, "-m", "pytest", "-q", "tests/faults", "-k", mutant.test]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    print(*(line for line in ran.stdout.splitlines() if " lost" in line and line.startswith("E  ")), sep="\n")
    return ran.returncode == 1 and " lost" in ran.stdout


def main(folder: Path, python: str, maturin: str) -> int:
    """Try them all."""
    copy(folder)
    unseen = [mutant for mutant in MUTANTS if not is_seen(mutant, folder, python, maturin)]
    for mutant in unseen:
        print(f"no test sees that {mutant.broken}", file=sys.stderr)
    print(f"{len(MUTANTS) - len(unseen)} of {len(MUTANTS)} mutants were seen")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3]))
