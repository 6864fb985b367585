"""A project of `oxflow new`, built and used as its owner would: one function is edited, another one added.

The project always lies in the same place and files that did not change are left alone, so that cargo builds only what changed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from oxflow.sdk.new import create
from oxflow.sdk.project import Project

ROOT = Path(__file__).parent.parent
# Names of their own: cargo gives libraries of one name one file.
NAMES = {"plain": "ox_words", "monorepo": "ox_teams"}
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path.home() / ".cache/oxflow/target"))
PLACE = TARGET / "projects"
# The interpreter that all of cargo has, or PyO3 is built anew.
PYTHON = os.environ.get("PYO3_PYTHON", sys.executable)


def run(folder: Path, *command: str, more: dict[str, str] | None = None) -> str:
    # A user who installed oxflow, maturin and the module; `modules` is what a virtual environment would be.
    path = os.pathsep.join([str(Path(sys.executable).parent), str(ROOT / ".venv/build/bin"), os.environ["PATH"]])
    cargo = {"CARGO_TARGET_DIR": str(TARGET), "PYO3_PYTHON": PYTHON, "CARGO_NET_OFFLINE": "true"}
    environment = os.environ | cargo | {"PATH": path, "PYTHONPATH": "modules", "NO_COLOR": "1"} | (more or {})
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} gives {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout


def settle(made: Project, place: Path) -> Project:
    """Bring a project to where it is built; what is the same there keeps its time."""
    wanted = {file.relative_to(made.folder): file.read_bytes() for file in made.folder.rglob("*") if file.is_file()}
    there = {file.relative_to(place): file for file in place.rglob("*") if file.is_file()}
    for path in there.keys() - wanted.keys():
        there[path].unlink()
    for path, content in wanted.items():
        if path not in there or there[path].read_bytes() != content:
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
    return Project(place, made.module)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def build(project: Project) -> None:
    """Make the wheel, and install it for this folder alone."""
    wheels = project.folder / "dist"
    run(project.folder, "maturin", "build", "--quiet", "--locked", "--interpreter", PYTHON, "--out", str(wheels))
    (wheel,) = wheels.glob("*.whl")
    assert f"{project.module}-0.1.0-cp310-abi3" in wheel.name
    shutil.unpack_archive(wheel, project.folder / "modules", "zip")


def rust_tests(project: Project) -> str | None:
    """What `cargo test` says, which builds PyO3 in another way than maturin; nothing where test programs can't be linked, which `make test` then says."""
    probe = "import sysconfig; print(*sysconfig.get_config_vars('Py_ENABLE_SHARED', 'LIBDIR'))"
    shared, libraries = run(project.folder, PYTHON, "-c", probe).split(maxsplit=1)
    if shared != "1":
        return None
    return run(project.folder, "cargo", "test", "--locked", more={"LD_LIBRARY_PATH": libraries.strip()})


@pytest.mark.parametrize("form", NAMES)
def test_a_project_is_built_tested_and_run(form: str, tmp_path: Path) -> None:
    made = create(NAMES[form], tmp_path / form, is_monorepo=form == "monorepo")
    words = made.library if form == "plain" else made.functions / "words.rs"
    edit(words, "message.payload().letters > 3\n", "message.payload().letters > 4\n")
    edit(words, 'is_long(&word("oxen", 4))', 'is_long(&word("plough", 6))')
    edit(made.folder / "tests/test_words.py", '{"text": "oxen", "letters": 4}', '{"text": "plough", "letters": 6}')
    edit(made.folder / "tests/test_words.py", '"two oxen pull"', '"two oxen plough"')
    edit(made.folder / "tests/test_words.py", """b'{"text":"OXEN","letters":4}', b'{"text":"PULL","letters":4}'""",
         """b'{"text":"PLOUGH","letters":6}'""")  # fmt: skip
    # The second name is so long that rustfmt breaks lines.
    more = ["clean_text", "clean_text_of_which_there_is_rather_much_in_every_message"] if form == "monorepo" else []
    for name in more:
        run(made.folder, sys.executable, "-m", "oxflow", "add", "function", name, "--team", "search")
    project = settle(made, PLACE / form)

    run(project.folder, "cargo", "fmt", "--check")
    build(project)
    oxflow = [sys.executable, "-m", "oxflow"]
    if more:
        run(project.folder, *oxflow, "stubs", project.module)
        assert "\nclean_text: RustFunction[" in (project.folder / f"{project.module}.pyi").read_text(encoding="utf-8")
    else:
        # The stub of a new project is what a build of it shows; if not, write that of the template anew.
        run(project.folder, *oxflow, "stubs", project.module, "--check")
    cache = str(TARGET / "projects-types")
    run(project.folder, sys.executable, "-m", "mypy", "--cache-dir", cache, "pipeline.py", "tests")
    passed = f"{3 + len(more)} passed"
    assert passed in run(project.folder, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    written = run(project.folder, *oxflow, "run", "pipeline.py", "--quiet", "--config", "sample.yaml")
    assert written.splitlines() == [
        f'{{"text":"{word}","letters":{len(word)}}}' for word in ("PULLS", "PLOUGH", "TWICE")
    ]
    stub = (project.folder / f"{project.module}.pyi").read_text(encoding="utf-8")
    run(project.folder, *oxflow, "stubs", project.module)
    run(project.folder, *oxflow, "stubs", project.module, "--check")
    # That of a new project lacks nothing but the function that was added.
    assert set(stub.splitlines()) <= set(
        (project.folder / f"{project.module}.pyi").read_text(encoding="utf-8").splitlines()
    )
    # Once is enough: this form has files of all kinds.
    if form == "monorepo":
        assert passed in (rust_tests(project) or passed)
