"""`oxflow stubs`: finds the extension and its stub, writes what the module shows, and tells when a stub is old."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import test_steps

if TYPE_CHECKING:
    from collections.abc import Sequence

ROOT = Path(__file__).parent.parent
STEPS = ROOT / "tests/steps/test_steps.pyi"
METRICS = ROOT / "examples/metrics/steps/metrics_steps.pyi"
PROJECT = '[project]\nname = "test-steps"\n\n[tool.maturin]\nmodule-name = "{}"\n'
OLD = """
import ctypes, struct

table = struct.pack("=8sIIQ", b"oxflow\\0\\0", 1, 0, 1000)
new = ctypes.pythonapi.PyCapsule_New
new.restype = ctypes.py_object
new.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_void_p]
__oxflow__ = new(table, b"oxflow.module.v0", None)
"""


def compiled() -> Path:
    (file,) = Path(test_steps.__file__ or "").parent.glob("test_steps.*.so")
    return file


def stubs(folder: Path, *arguments: str, modules: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder; `modules` holds what else can be imported."""
    environment = os.environ | {"NO_COLOR": "1", "PYTHONPATH": "" if modules is None else str(modules)}
    command = [str(Path(sys.executable).parent / "oxflow"), "stubs", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def written(folder: Path, *arguments: str, modules: Path | None = None) -> Path:
    done = stubs(folder, *arguments, modules=modules)
    assert done.returncode == 0, done.stderr
    return folder / done.stdout.removeprefix("wrote ").rstrip("\n")


def package(folder: Path, text: str) -> Path:
    """A package that holds the tests' extension under its own name."""
    inner = folder / "outer"
    inner.mkdir(parents=True)
    (inner / "__init__.py").write_text(text, encoding="utf-8")
    shutil.copy(compiled(), inner)
    return folder


@pytest.mark.parametrize(("module", "stub"), [("test_steps", STEPS), ("metrics_steps", METRICS)])
def test_the_stubs_of_the_repository_are_those_of_the_modules(module: str, stub: Path) -> None:
    done = stubs(ROOT, module, "--check", "--output", str(stub))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "run `make stubs`"
    assert stubs(ROOT, module, "--print").stdout == stub.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("children: list[Tree]", "children: list[Nest]"),
        ("tags: NotRequired[dict[str, str]]", "tags: dict[str, str]"),
        ("letters: RustFunction[Word, list[Word]]", "letters: RustFunction[Word, Word]"),
        ("A counted word.", "A word."),
        ("class Double(RustFunction[Word, Word])", "class Twice(RustFunction[Word, Word])"),
        ("Never answers.", "Answers."),
    ],
)
def test_a_stub_that_is_old_is_told_with_what_differs(here: str, there: str, tmp_path: Path) -> None:
    old = STEPS.read_text(encoding="utf-8").replace(here, there, 1)
    stub = tmp_path / "test_steps.pyi"
    stub.write_text(old, encoding="utf-8")
    done = stubs(tmp_path, "test_steps", "--check", "--output", str(stub))
    assert done.returncode == 1
    changed = [line for line in done.stdout.splitlines() if line[:1] in "+-" and not line.startswith(("---", "+++"))]
    assert len(changed) == 2
    assert here in changed[1]
    assert there in changed[0]
    assert f"write it anew: `oxflow stubs test_steps --output {stub}`" in done.stderr
    assert stub.read_text(encoding="utf-8") == old
    assert written(tmp_path, "test_steps", "--output", str(stub)).read_text() == STEPS.read_text()
    assert stubs(tmp_path, "test_steps", "--check", "--output", str(stub)).returncode == 0


def test_a_stub_that_is_right_is_not_written_again(tmp_path: Path) -> None:
    stub = written(tmp_path, "test_steps", "--output", ".")
    os.utime(stub, (1, 1))
    assert stubs(tmp_path, "test_steps", "--output", ".").stdout == "nothing to change in test_steps.pyi\n"
    assert stub.stat().st_mtime == 1


def crate(folder: Path, files: Sequence[str], project: str | None) -> Path:
    folder.mkdir()
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("", encoding="utf-8")
    if project is not None:
        (folder / "pyproject.toml").write_text(project, encoding="utf-8")
    (folder / "Cargo.toml").write_text('[package]\nname = "test-steps"\nversion = "0.1.0"\n', encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("files", "project", "stub"),
    [
        ((), PROJECT.format("test_steps"), "test_steps.pyi"),
        ((), None, "test_steps.pyi"),
        (("test_steps/__init__.py",), PROJECT.format("test_steps"), "test_steps/test_steps.pyi"),
        (("src/test_steps/__init__.py",), PROJECT.format("test_steps"), "src/test_steps/test_steps.pyi"),
        (
            ("py/test_steps/__init__.py",),
            PROJECT.format("test_steps.test_steps") + 'python-source = "py"\n',
            "py/test_steps/test_steps.pyi",
        ),
    ],
)
def test_in_a_crate_the_stub_lies_where_maturin_packs_it(
    files: Sequence[str], project: str | None, stub: str, tmp_path: Path
) -> None:
    folder = crate(tmp_path / "crate", files, project)
    (folder / "src").mkdir(exist_ok=True)
    assert written(folder, "test_steps") == folder / stub
    # Also from below, and only for the module of this crate.
    done = stubs(folder / "src", "test_steps")
    assert done.stdout == f"nothing to change in {folder / stub}\n".replace(f"{folder}/src/", "")


def test_elsewhere_the_stub_lies_beside_the_compiled_module(tmp_path: Path) -> None:
    modules = package(tmp_path / "modules", "from outer.test_steps import *\n")
    stub = written(tmp_path, "outer", modules=modules)
    assert stub == modules / "outer/test_steps.pyi"
    assert "Made by `oxflow stubs outer.test_steps`" in stub.read_text(encoding="utf-8")
    # As maturin packs an extension that has no package of its own.
    lone = tmp_path / "lone"
    shutil.copytree(package(lone / "made", "from .test_steps import *\n") / "outer", lone / "outer")
    assert written(tmp_path, "outer.test_steps", modules=lone) == lone / "outer/__init__.pyi"


def test_several_modules_are_written_into_a_folder(tmp_path: Path) -> None:
    done = stubs(tmp_path, "test_steps", "metrics_steps", "--output", ".")
    assert done.stdout == "wrote test_steps.pyi\nwrote metrics_steps.pyi\n"
    assert (tmp_path / "metrics_steps.pyi").read_text() == METRICS.read_text()
    both = stubs(tmp_path, "test_steps", "metrics_steps", "--output", "one.pyi")
    assert (both.returncode, both.stderr) == (2, "error: there are 2 stubs: `--output` must be a folder\n")


def test_a_file_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    done = stubs(tmp_path, "test_steps", "--output", "no/folder.pyi")
    assert (done.returncode, done.stderr) == (1, "error: cannot write `no/folder.pyi`: No such file or directory\n")


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("nowhere", "OXF0602", "there is no module `nowhere`"),
        ("json", "OXF0602", "`json` is no extension module of oxflow"),
        ("raises", "OXF0602", "why: ZeroDivisionError: division by zero"),
        ("outer", "OXF0602", "fix: name the extension itself: `oxflow stubs outer.test_steps`"),
        ("old", "OXF0601", "ABI 1.0"),
    ],
)
def test_what_is_no_extension_is_told(name: str, code: str, said: str, tmp_path: Path) -> None:
    modules = package(tmp_path / "modules", "")
    (modules / "raises.py").write_text("1 / 0\n", encoding="utf-8")
    (modules / "old.py").write_text(OLD, encoding="utf-8")
    done = stubs(tmp_path, name, modules=modules)
    assert done.returncode == 3
    assert f"error[{code}]: " in done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
