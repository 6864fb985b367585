"""`oxflow add function`: what it writes, and that it overwrites nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import oxflow
from oxflow.sdk.add import add_function
from oxflow.sdk.new import create

if TYPE_CHECKING:
    from pathlib import Path

    from oxflow.sdk.project import Project

LIBRARY = "use serde::Serialize;\n\n#[derive(Serialize)]\npub struct Ox;\n\noxflow::module!(ox_words);\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return create("ox_words", tmp_path / "ox_words")


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "oxflow", "add", "function", *arguments]
    return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=False)


def text(project: Project, path: str) -> str:
    return (project.folder / path).read_text(encoding="utf-8")


def every_file(project: Project) -> dict[Path, str]:
    return {file: file.read_text(encoding="utf-8") for file in project.folder.rglob("*") if file.is_file()}


def test_a_function_comes_with_its_tests_and_is_part_of_the_crate(project: Project) -> None:
    done = command(project.folder, "clean_text")
    assert done.returncode == 0
    assert "oxflow stubs ox_words" in done.stderr
    assert sorted(done.stdout.splitlines()) == [
        "src/functions/clean_text.rs",
        "src/functions/mod.rs",
        "src/lib.rs",
        "tests/test_clean_text.py",
    ]
    assert "pub fn clean_text(message: &Message<CleanTextPayload>)" in text(project, "src/functions/clean_text.rs")
    assert "ox_words.clean_text(" in text(project, "tests/test_clean_text.py")
    assert text(project, "src/functions/mod.rs") == "pub mod clean_text;\n"
    assert "\npub mod functions;\n\noxflow::module!(ox_words);\n" in text(project, "src/lib.rs")


def test_a_program_gets_no_test_of_python(tmp_path: Path) -> None:
    program = create("ox_words", tmp_path / "ox_words", is_pure=True)
    done = command(program.folder, "clean_text")
    assert (done.returncode, done.stderr) == (0, "`cargo build --release` builds it\n")
    assert sorted(done.stdout.splitlines()) == ["src/functions/clean_text.rs", "src/functions/mod.rs", "src/lib.rs"]


def test_a_project_is_found_from_a_folder_in_it(project: Project) -> None:
    assert command(project.folder / "src", "clean_text").returncode == 0
    assert command(project.folder.parent, "other_text", "--path", str(project.folder)).returncode == 0
    assert text(project, "src/functions/mod.rs") == "pub mod clean_text;\npub mod other_text;\n"


def test_a_second_call_changes_nothing(project: Project) -> None:
    add_function(project, "clean_text", "search")
    before = every_file(project)
    done = command(project.folder, "clean_text", "--team", "search")
    assert (done.returncode, done.stdout) == (0, "")
    assert "is there already" in done.stderr
    assert every_file(project) == before


def test_a_second_call_completes_what_is_missing_and_keeps_what_was_written(project: Project) -> None:
    add_function(project, "clean_text")
    source = project.functions / "clean_text.rs"
    source.write_text("// mine\n", encoding="utf-8")
    (project.folder / "tests/test_clean_text.py").unlink()
    project.library.write_text(LIBRARY, encoding="utf-8")
    changed = {file.name for file in add_function(project, "clean_text")}
    assert changed == {"lib.rs", "test_clean_text.py"}
    assert source.read_text(encoding="utf-8") == "// mine\n"
    assert "pub mod functions;" in text(project, "src/lib.rs")


def test_functions_of_a_team_lie_in_its_folders(project: Project) -> None:
    add_function(project, "later", "search")
    add_function(project, "earlier", "search")
    add_function(project, "other")
    assert text(project, "src/functions/mod.rs") == "pub mod other;\npub mod search;\n"
    assert text(project, "src/functions/search/mod.rs") == "pub mod earlier;\npub mod later;\n"
    assert (project.folder / "tests/search/test_later.py").is_file()


def test_a_root_that_was_replaced_whole_gets_the_functions(project: Project) -> None:
    project.library.write_text(LIBRARY, encoding="utf-8")
    add_function(project, "clean_text")
    assert text(project, "src/lib.rs") == LIBRARY.replace("oxflow::module!", "pub mod functions;\n\noxflow::module!")


def test_a_list_of_modules_with_more_in_it_is_only_added_to(project: Project) -> None:
    add_function(project, "words_of")
    listed = project.functions / "mod.rs"
    listed.write_text("#[cfg(test)]\nmod samples;\npub mod words_of;\n", encoding="utf-8")
    add_function(project, "clean_text")
    assert listed.read_text(encoding="utf-8") == (
        "#[cfg(test)]\nmod samples;\npub mod words_of;\npub mod clean_text;\n"
    )


@pytest.mark.parametrize(
    ("name", "team", "said"),
    [
        ("words", None, r"`src/lib\.rs` has something of this name"),
        ("is_long", "search", r"`src/lib\.rs` has something of this name"),
        ("taken", None, r"`src/functions/search/taken\.rs` has something of this name"),
        ("taken", "billing", r"`src/functions/search/taken\.rs` has something of this name"),
        ("search", None, "a team has this name"),
        ("new_one", "alone", "`alone` is a function"),
    ],
)
def test_a_name_that_is_taken_is_refused(name: str, team: str | None, said: str, project: Project) -> None:
    add_function(project, "taken", "search")
    add_function(project, "alone")
    before = every_file(project)
    with pytest.raises(oxflow.ProjectError, match=said) as caught:
        add_function(project, name, team)
    assert caught.value.code == "OXF0702"
    assert every_file(project) == before


@pytest.mark.parametrize(("name", "team"), [("Clean", None), ("fn", None), ("clean", "Search"), ("clean", "../search")])
def test_a_name_that_is_none_is_refused(name: str, team: str | None, project: Project) -> None:
    before = every_file(project)
    with pytest.raises(oxflow.ProjectError) as caught:
        add_function(project, name, team)
    assert caught.value.code == "OXF0701"
    assert every_file(project) == before


def test_a_function_of_a_test_takes_no_name(project: Project) -> None:
    assert re.search(r"\bfn word\b", text(project, "src/lib.rs"))
    assert add_function(project, "word")


def test_a_root_without_a_module_is_told_before_anything_is_written(project: Project) -> None:
    project.library.write_text("pub struct Ox;\n", encoding="utf-8")
    before = every_file(project)
    with pytest.raises(
        oxflow.ProjectError, match="there is neither `oxflow::module!` nor `oxflow::main_function!` in it"
    ):
        add_function(project, "clean_text")
    assert every_file(project) == before


def test_outside_of_a_project_nothing_is_added(tmp_path: Path) -> None:
    done = command(tmp_path, "clean_text")
    assert done.returncode == 2
    assert "error[OXF0703]" in done.stderr
    assert not list(tmp_path.iterdir())
