"""`oxflow doctor` and `oxflow update-sdk`: what goes together, and what is done where it doesn't."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import oxflow
from oxflow.sdk.add import add_function
from oxflow.sdk.new import create

if TYPE_CHECKING:
    from pathlib import Path

    from oxflow.sdk.project import Project

MODULES = {
    "loud": "import atexit\nprint('{}', end='')\natexit.register(print, 'bye')\n",
    "raising": "raise ValueError('no such ox')\n",
    "leaving": "raise SystemExit(3)\n",
    "ending": "import os\nos._exit(9)\n",
    "late": "import atexit, os\natexit.register(os._exit, 7)\n",
    "bare": "",
    # The table of an extension for another ABI, of which the runtime reads no more than this.
    "foreign": """
import ctypes, struct
from oxflow import _oxflow
new = ctypes.pythonapi.PyCapsule_New
new.restype, new.argtypes = ctypes.py_object, [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
_oxflow.describe_module(new(struct.pack("=8sIIQ", b"oxflow\\0\\0", 1, 0, 1000), b"oxflow.module.v0", None))
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with modules that can be imported from it."""
    for name, text in MODULES.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return create("ox_words", tmp_path / "ox_words")


def doctor(folder: Path, *arguments: str, path: str | None = None) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and the findings by name."""
    call = [sys.executable, "-m", "oxflow", "doctor", "--json", *arguments]
    environment = os.environ | ({} if path is None else {"PATH": path})
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False, env=environment)
    answer = json.loads(done.stdout)
    assert answer["ok"] == (done.returncode == 0), done.stderr
    assert done.stderr == ""
    return done.returncode, {finding["name"]: finding for finding in answer["findings"]}


def tool(folder: Path, name: str, answer: str, code: int = 0) -> None:
    """Put a program on the path that answers every question with one text."""
    program = folder / "bin" / name
    program.parent.mkdir(exist_ok=True)
    program.write_text(f"#!/bin/sh\necho '{answer}'\nexit {code}\n", encoding="utf-8")
    program.chmod(0o755)


def healthy(folder: Path) -> str:
    """A path with good tools and nothing else."""
    for name, answer in {
        "rustc": "rustc 1.95.0 (5980 2026)",
        "cargo": "cargo 1.95.0",
        "maturin": "maturin 1.16.0",
    }.items():
        tool(folder, name, answer)
    tool(folder, "cc", "cc")
    return str(folder / "bin")


def test_good_tools_are_good(folder: Path) -> None:
    code, found = doctor(folder, path=healthy(folder))
    assert code == 0
    assert {name: found[name]["found"] for name in ("rustc", "cargo", "maturin")} == {
        "rustc": "1.95.0",
        "cargo": "1.95.0",
        "maturin": "1.16.0",
    }
    assert found["oxflow"]["found"].startswith(f"{oxflow.__version__}, ABI 0.")
    assert found["PyO3"]["found"].startswith("0.30")
    assert {finding["state"] for finding in found.values()} == {"ok"}


@pytest.mark.parametrize(
    ("name", "answer", "state", "said"),
    [
        ("rustc", "rustc 1.70.0", "wrong", "1.70.0, older than"),
        ("cargo", "no toolchain", "wrong", "answers `no toolchain`"),
        ("maturin", "maturin 1.9.4", "wrong", "1.9.4, older than 1.16"),
        ("maturin", "maturin 2.0.0", "wrong", "2.0.0, not known to work"),
        ("maturin", "maturin 1.17.0-beta.1", "ok", "1.17.0"),
    ],
)
def test_a_tool_of_another_version_is_told(name: str, answer: str, state: str, said: str, folder: Path) -> None:
    path = healthy(folder)
    tool(folder, name, answer)
    code, found = doctor(folder, path=path)
    assert (code == 0) == (state == "ok")
    assert found[name]["state"] == state
    assert said in found[name]["found"]
    assert bool(found[name]["fix"]) == (state == "wrong")


def test_tools_that_are_missing_or_fail_are_findings(folder: Path) -> None:
    tool(folder, "rustc", "rustc 1.95.0", code=1)
    code, found = doctor(folder, path=str(folder / "bin"))
    assert code == 1
    assert [found[name]["state"] for name in ("rustc", "cargo", "linker")] == ["wrong", "wrong", "wrong"]
    assert "rustup" in found["cargo"]["fix"]


def test_who_asks_for_a_module_needs_no_tools(folder: Path) -> None:
    (folder / "bin").mkdir()
    _, found = doctor(folder, "test_steps", path=str(folder / "bin"))
    assert [found[name]["state"] for name in ("rustc", "cargo", "linker")] == ["note", "note", "note"]


def test_a_module_without_optimisation_is_told(folder: Path) -> None:
    code, found = doctor(folder, "test_steps")
    assert code == 1
    assert found["test_steps"]["state"] == "wrong"
    assert "without optimisation" in found["test_steps"]["found"]
    assert found["test_steps"]["fix"] == "build it with `maturin develop --release`"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("raising", "it raised ValueError: no such ox"),
        ("leaving", "it raised SystemExit: 3"),
        ("ending", "the process that imported it ended with 9"),
        ("late", "the process that imported it ended with 7"),
        ("foreign", "it was built for ABI 1.0; this oxflow speaks ABI 0."),
        ("bare", "is no extension of oxflow"),
        ("json", "is no extension of oxflow"),
        ("no_such_module", "ModuleNotFoundError"),
        ("", "ValueError"),
    ],
)
def test_a_module_that_cannot_be_looked_at_is_a_finding(name: str, said: str, folder: Path) -> None:
    code, found = doctor(folder, name)
    assert code == 1
    assert found[name]["state"] == "wrong"
    assert said in found[name]["found"]
    assert found[name]["fix"]


def test_what_a_module_prints_is_in_nobody_s_way(folder: Path) -> None:
    assert "is no extension" in doctor(folder, "loud")[1]["loud"]["found"]


def test_a_program_needs_no_maturin_and_is_no_module(tmp_path: Path) -> None:
    program = create("ox_words", tmp_path / "ox_words", is_pure=True)
    code, found = doctor(program.folder)
    assert code == 0, found
    assert not {"maturin", "ox_words"} & set(found)


def test_a_new_project_goes_together_with_its_maker(project: Project) -> None:
    code, found = doctor(project.folder / "src", path=healthy(project.folder.parent))
    assert code == 0
    assert found["SDK"]["state"] == "ok"
    assert found["ox_words"] == {
        "name": "ox_words",
        "state": "note",
        "found": "not built yet",
        "fix": "run `maturin develop --release`",
    }


@pytest.mark.parametrize("change", ["edited", "gone", "strange"])
def test_an_sdk_that_differs_is_told_and_mended(change: str, project: Project) -> None:
    path = healthy(project.folder.parent)
    file = project.folder / "vendor/oxflow/src/abi.rs"
    text = file.read_text(encoding="utf-8")
    if change == "edited":
        file.write_text(f"{text}\n", encoding="utf-8")
    elif change == "gone":
        file.unlink()
    else:
        file.with_name("old.rs").touch()
    code, found = doctor(project.folder, path=path)
    assert (code, found["SDK"]["state"]) == (1, "wrong")
    assert "oxflow update-sdk" in found["SDK"]["fix"]
    update = [sys.executable, "-m", "oxflow", "update-sdk", "--path", str(project.folder)]
    done = subprocess.run(update, capture_output=True, text=True, check=True)
    assert len(done.stdout.splitlines()) == 1
    assert file.read_text(encoding="utf-8") == text
    assert doctor(project.folder, path=path)[0] == 0
    assert subprocess.run(update, capture_output=True, text=True, check=True).stdout == ""


def test_a_project_of_an_older_oxflow_then_requires_the_new_one(project: Project) -> None:
    manifest = project.folder / "pyproject.toml"
    before = manifest.read_text(encoding="utf-8")
    manifest.write_text(before.replace(f'"oxflow~={oxflow.__version__}"', '"oxflow~=0.0.7", "ox"'), encoding="utf-8")
    update = [sys.executable, "-m", "oxflow", "update-sdk"]
    done = subprocess.run(update, cwd=project.folder, capture_output=True, text=True, check=True)
    assert done.stdout == "pyproject.toml\n"
    assert f'dependencies = ["oxflow~={oxflow.__version__}", "ox"]' in manifest.read_text(encoding="utf-8")


def test_functions_that_are_no_part_of_the_crate_are_told(project: Project) -> None:
    add_function(project, "clean_text")
    project.library.write_text("oxflow::module!(ox_words);\n", encoding="utf-8")
    code, found = doctor(project.folder, path=healthy(project.folder.parent))
    assert (code, found["src/functions"]["state"]) == (1, "wrong")
    assert "pub mod functions;" in found["src/functions"]["fix"]


def test_people_get_a_table(project: Project) -> None:
    (project.folder / "Cargo.lock").unlink()
    call = [sys.executable, "-m", "oxflow", "doctor"]
    environment = os.environ | {"PATH": healthy(project.folder.parent)}
    done = subprocess.run(call, cwd=project.folder, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0
    assert "ok     rustc     1.95.0\n" in done.stdout
    assert "note   PyO3      not known: the project has no Cargo.lock\n                 build it once\n" in done.stdout
