"""`oxflow new`: what it makes, and what it refuses. `test_project.py` builds and runs what it makes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

import oxflow
from oxflow import _oxflow
from oxflow.sdk.new import create, template

ROOT = Path(__file__).parent.parent


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "oxflow", *arguments]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)


def cargo(folder: Path, *arguments: str) -> str:
    call = ["cargo", *arguments, "--offline"]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def packages(folder: Path) -> dict[str, dict[str, Any]]:
    """What cargo reads in the manifests of a folder, as far as a crate that depends on them can notice."""
    found = json.loads(cargo(folder, "metadata", "--no-deps", "--format-version", "1"))["packages"]
    return {package["name"]: noticed(package) for package in found}


def noticed(package: dict[str, Any]) -> dict[str, Any]:
    keys = ("version", "edition", "rust_version", "license", "features")
    needed = [item for item in package["dependencies"] if item["kind"] != "dev"]
    details = ("name", "req", "kind", "optional", "uses_default_features", "features", "target")
    return {key: package[key] for key in keys} | {"needed": [{key: item[key] for key in details} for item in needed]}


def pins(lock: str) -> set[tuple[str, str]]:
    return set(re.findall(r'^name = "(.+)"\nversion = "(.+)"$', lock, re.MULTILINE))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    done = command(tmp_path, "new", "ox_words")
    assert done.returncode == 0, done.stderr
    return tmp_path / "ox_words"


def test_a_project_is_named_as_it_was_asked_for(project: Path) -> None:
    own = [file for file in project.rglob("*") if file.is_file() and "vendor" not in file.parts]
    assert {"ox_words.pyi", ".gitignore", "ci.yml", "lib.rs", "test_words.py"} <= {file.name for file in own}
    named = [file.name for file in own if "my_steps" in file.name + file.read_text(encoding="utf-8")]
    assert not named
    assert "oxflow::module!(ox_words);" in (project / "src/lib.rs").read_text(encoding="utf-8")


def test_what_comes_next_is_said(tmp_path: Path) -> None:
    done = command(tmp_path, "new", "ox_words", "--path", "here")
    assert (done.returncode, done.stderr) == (0, "")
    assert "cd here\n" in done.stdout
    assert (tmp_path / "here/src/lib.rs").is_file()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("my-steps", "did you mean `my_steps`?"),
        ("Words", "did you mean `words`?"),
        ("9lives", "did you mean `lives`?"),
        ("größe", "ASCII"),
        ("", "begin with a letter"),
        ("../words", "ASCII"),
        ("class", "keyword"),
        ("impl", "keyword"),
        ("match", "keyword"),
        ("type", "keyword"),
        ("json", "Python has a module of this name"),
        ("oxflow", "a crate or file"),
        ("serde", "a crate or file"),
        ("pipeline", "a crate or file"),
        ("pytest", "is installed here"),
    ],
)
def test_a_name_that_no_module_can_have_is_refused(name: str, said: str, tmp_path: Path) -> None:
    done = command(tmp_path, "new", name)
    assert done.returncode == 2
    assert "error[OXF0701]" in done.stderr
    assert said in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ox_words").mkdir()
    (tmp_path / "ox_words/mine").touch()
    done = command(tmp_path, "new", "ox_words")
    assert done.returncode == 2
    assert "error[OXF0702]" in done.stderr
    assert [file.name for file in (tmp_path / "ox_words").iterdir()] == ["mine"]


def test_a_file_in_the_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ox_words").write_text("mine", encoding="utf-8")
    with pytest.raises(oxflow.ProjectError, match="it is no folder"):
        create("ox_words", tmp_path / "ox_words")
    assert (tmp_path / "ox_words").read_text(encoding="utf-8") == "mine"


def test_an_empty_folder_becomes_a_project(tmp_path: Path) -> None:
    (tmp_path / "ox_words").mkdir()
    assert command(tmp_path, "new", "ox_words").returncode == 0


def test_a_form_that_is_not_there_is_wrong_usage(tmp_path: Path) -> None:
    assert command(tmp_path, "new", "ox_words", "--pure-cobol").returncode == 2
    assert not list(tmp_path.iterdir())


def test_the_monorepo_form_keeps_functions_in_files_of_their_own(tmp_path: Path) -> None:
    plain, teams = tmp_path / "plain", tmp_path / "teams"
    create("ox_words", plain)
    create("ox_words", teams, is_monorepo=True)
    library = (teams / "src/lib.rs").read_text(encoding="utf-8")
    assert "pub mod functions;" in library
    assert "#[oxflow::function]" not in library
    words = (teams / "src/functions/words.rs").read_text(encoding="utf-8")
    assert "module!" not in words
    assert set(words.splitlines()) == set((plain / "src/lib.rs").read_text(encoding="utf-8").splitlines()) - {
        "oxflow::module!(ox_words);"
    }
    assert "--team" in (teams / "README.md").read_text(encoding="utf-8")


# --- what it compiles -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["oxflow", "oxflow-macros"])
def test_the_vendored_sdk_is_that_of_the_repository(name: str, project: Path) -> None:
    vendored, real = project / "vendor" / name, ROOT / "crates" / name
    for source in (real / "src").rglob("*.rs"):
        assert (vendored / source.relative_to(real)).read_text(encoding="utf-8") == source.read_text(encoding="utf-8")
    assert len(list((vendored / "src").rglob("*.rs"))) == len(list((real / "src").rglob("*.rs")))
    assert packages(vendored) == {name: packages(ROOT)[name]}


def test_the_lock_file_pins_what_the_repository_pins(project: Path) -> None:
    lock = (project / "Cargo.lock").read_text(encoding="utf-8")
    # Cargo refuses a lock file that has too much or too little for the project.
    cargo(project, "metadata", "--locked", "--format-version", "1")
    ours = pins((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    strange = pins(lock) - ours - {("ox_words", "0.1.0")}
    assert not strange, "run `make template-lock` and commit the template's Cargo.lock"


def test_packages_of_the_lock_file_are_in_the_order_of_cargo(project: Path) -> None:
    names = re.findall(r'^name = "(.+)"$', (project / "Cargo.lock").read_text(encoding="utf-8"), re.MULTILINE)
    assert "ox_words" in names
    assert names == sorted(names)


def test_a_new_project_compiles_at_most_60_packages(project: Path) -> None:
    tree = cargo(project, "tree", "--locked", "-e", "normal,build", "--prefix", "none", "--format", "{p}")
    compiled = {line.split(" (")[0] for line in tree.splitlines() if line}
    assert 10 < len(compiled) <= 60


@pytest.mark.parametrize(("is_engine", "bound"), [(False, 250_000), (True, 520_000)])
def test_the_sources_that_a_project_is_given_are_small(*, is_engine: bool, bound: int) -> None:
    parts = ("oxflow-engine", "oxflow-telemetry")
    sources = [text for path, text in _oxflow.sdk_sources() if is_engine or not any(part in path for part in parts)]
    whole = "".join([*sources, *template(is_pure=is_engine).values()]).encode()
    # As the extension carries them: compressed.
    assert len(whole) > 100_000
    assert len(zlib.compress(whole)) < bound


def test_a_project_requires_the_oxflow_that_made_it(project: Path) -> None:
    assert f'dependencies = ["oxflow~={oxflow.__version__}"]' in (project / "pyproject.toml").read_text(
        encoding="utf-8"
    )


def test_a_project_requires_the_serde_of_the_repository() -> None:
    workspace = (ROOT / "Cargo.toml").read_text(encoding="utf-8")
    versions = re.findall(r'^(serde\w*) = .*?"([\d.]+)"', template()["Cargo.toml"], re.MULTILINE)
    assert [name for name, _ in versions] == ["serde", "serde_json"]
    assert all(f'{name} = {{ version = "{version}"' in workspace for name, version in versions)
