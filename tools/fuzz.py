"""Builds the targets in `fuzz` with libFuzzer and AddressSanitizer, and runs each for a while: `fuzz.py FOLDER SECONDS`.

What `cargo-fuzz` does, without an installation of it: the same flags, on the nightly toolchain. FOLDER keeps what was found to lead
somewhere (`corpus`) and what was found to be wrong (`found`).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGETS = (
    "decode",
    "rows",
    "tasks",
    "map_bundle",
    "map_index",
    "map_json",
    "map_mappings",
    "map_scopes",
    "map_script",
    "map_sections",
)
HOST = "x86_64-unknown-linux-gnu"
FLAGS = (
    "-Zsanitizer=address",
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
)


def main(folder: Path, seconds: int) -> int:
    """Run all targets; the number of those that found something."""
    target = folder / "target"
    environment = {**os.environ, "RUSTFLAGS": " ".join(FLAGS), "CARGO_TARGET_DIR": str(target)}
    # Build scripts and macros are no subject: with `--target` they are built without the flags.
    build: list[str | Path] = [
        "cargo",
        "+nightly",
        "build",
        "--quiet",
        "--release",
        "--target",
        HOST,
        "--manifest-path",
        ROOT / "fuzz/Cargo.toml",
    ]
    subprocess.run(build, env=environment, check=True)
    wrong = 0
    for name in TARGETS:
        corpus, found = folder / "corpus" / name, folder / "found" / name
        corpus.mkdir(parents=True, exist_ok=True)
        found.mkdir(parents=True, exist_ok=True)
        options = [f"-max_total_time={seconds}", f"-artifact_prefix={found}/", "-max_len=4096", "-print_final_stats=1"]
        done = subprocess.run(
            [target / HOST / "release" / name, corpus, *options], capture_output=True, text=True, check=False
        )
        lines = done.stderr.splitlines()
        told = (
            lines[-60:]
            if done.returncode
            else [line for line in lines if "DONE" in line or "number_of_executed" in line]
        )
        print(f"{name}: {'found something' if done.returncode else 'found nothing'}", *told, sep="\n  ")
        wrong += done.returncode != 0
    return wrong


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute(), int(sys.argv[2])))
