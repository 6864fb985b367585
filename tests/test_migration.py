"""The programs of the pages on migration: those with another library, and those with oxflow, print the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "examples/migrating"
LIBRARIES = ["symbolic==13.9.0", "libsourcemap==0.8.2", "pytracingx==0.3.0"]


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The other libraries, apart: nothing else of the tests may come to need them."""
    folder = tmp_path_factory.mktemp("libraries")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), *LIBRARIES]
    subprocess.run(command, check=True)
    return folder


def printed(program: str, folder: Path, libraries: Path) -> str:
    for file in FOLDER.glob("*.py"):
        shutil.copy(file, folder)
    # In a process of its own: a fault in the other library may end it.
    environment = os.environ | {"PYTHONPATH": str(libraries)}
    command = [sys.executable, program]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("library", "told"),
    [
        ("symbolic", "add.js 0 9 add"),
        ("libsourcemap", "add.js 0 9 add"),
        ("pytracingx", "0af7651916cd43dd8448eb211c80319c 0af7651916cd43dd8448eb211c80319c True"),
    ],
)
def test_both_sides_print_the_same(library: str, told: str, libraries: Path, tmp_path: Path) -> None:
    wanted = printed(f"{library}_side.py", tmp_path, libraries)
    assert told in wanted
    assert printed(f"{library}_replaced.py", tmp_path, libraries) == wanted


# What the programs of its README have from elsewhere.
AROUND = """
from contextlib import nullcontext
from types import SimpleNamespace as Anything

import oxflow.telemetry as ptx

prompts, prompt_len, batch_size = ["a"], 1, 1
metrics = Anything(first_token_ms=2)
engine = Anything(generate=lambda prompts: Anything(usage=Anything(completion_tokens=len(prompts)), metrics=metrics))
request = Anything(headers={"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
"""


def test_the_programs_of_the_readme_of_pytracingx_run_with_other_imports(libraries: Path, tmp_path: Path) -> None:
    (readme,) = libraries.glob("pytracingx-*.dist-info/METADATA")
    programs = re.findall(r"^```python\n(.*?)^```$", readme.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(programs) == 5
    ended: list[int] = []
    for program in programs:
        text = program.replace("from pytracingx.logging import", "from oxflow.telemetry import")
        text = text.replace("import pytracingx as ptx", "import oxflow.telemetry as ptx")
        assert "pytracingx" not in text
        # Nobody listens at its addresses: what was made is counted all the same.
        (tmp_path / "program.py").write_text(f"{AROUND}\n{text}\nprint(ptx.stats().made)\n", encoding="utf-8")
        command = [sys.executable, "program.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        ended.append(int(done.stdout))
    # A span of two is sampled; the counter, the log record.
    assert ended[1] in {2, 3}
