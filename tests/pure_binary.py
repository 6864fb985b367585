"""The program of `tests/pure`, built once for all tests of a process."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from pathlib import Path

# Another one where the engine is broken on purpose.
CRATE = Path(os.environ.get("OXFLOW_PURE_CRATE", Path(__file__).parent / "pure"))
PIPELINE = CRATE / "pipeline.yaml"
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/oxflow/target"))


@functools.cache
def binary(name: str = "pure_words", features: str = "") -> Path:
    """Build the programs with features of the crate, and say where this one is."""
    command: list[str | Path] = [
        "cargo",
        "build",
        "--locked",
        "--message-format",
        "json",
        "--manifest-path",
        CRATE / "Cargo.toml",
        "--features",
        features,
    ]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    messages = [json.loads(line) for line in built.stdout.splitlines() if line.startswith("{")]
    (executable,) = [
        item["executable"] for item in messages if item.get("executable") and item["target"]["name"] == name
    ]
    return Path(executable)


def pure(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program in a folder."""
    call: list[str | Path] = [binary(), *arguments]
    return subprocess.run(
        call, cwd=folder, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **environment}
    )
