"""Type checkers follow payloads along a chain: good chains pass, each wrong edge is found, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FILES = ROOT / "tests" / "typing"


def mypy(file: Path) -> list[int]:
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", str(file)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return sorted({int(line) for line in re.findall(rf"{file.name}:(\d+): error", found.stdout)})


def pyright(file: Path, folder: Path) -> list[int]:
    command = shutil.which("pyright", path=str(Path(sys.executable).parent)) or shutil.which("pyright")
    assert command is not None, "requirements/test.txt has pyright"
    shutil.copy(file, folder)
    settings = {
        "typeCheckingMode": "strict",
        "include": [file.name],
        "extraPaths": [str(ROOT / "python"), str(ROOT / "tests" / "steps")],
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    found = subprocess.run(
        [command, "-p", str(folder), "--outputjson"], cwd=folder, capture_output=True, text=True, check=False
    )
    items = json.loads(found.stdout)["generalDiagnostics"]
    return sorted({item["range"]["start"]["line"] + 1 for item in items if item["severity"] == "error"})


def marked(file: Path) -> list[int]:
    return [number for number, line in enumerate(file.read_text().splitlines(), 1) if line.endswith("# error")]


@pytest.mark.parametrize("name", ["good.py", "bad.py"])
def test_mypy_finds_the_wrong_edges_and_nothing_else(name: str) -> None:
    assert mypy(FILES / name) == marked(FILES / name)


@pytest.mark.parametrize("name", ["good.py", "bad.py"])
def test_pyright_finds_the_wrong_edges_and_nothing_else(name: str, tmp_path: Path) -> None:
    assert pyright(FILES / name, tmp_path) == marked(FILES / name)
