"""Adds a function to a project: a Rust file with its test, the line that makes it part of the crate, a Python test.

Nothing that is there is overwritten, so a second call completes what the first one left undone.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from oxflow.errors import Diagnostic, ProjectError
from oxflow.sdk.names import camel, check_function, check_team

if TYPE_CHECKING:
    from pathlib import Path

    from oxflow.sdk.project import Project

_RUST = """\
//! `{name}`.

use oxflow::{{Message, Payload}};
use serde::{{Deserialize, Serialize}};

/// What `{name}` takes and gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Payload)]
pub struct {type} {{
    pub text: String,
}}

/// Takes the space off both ends of a text.
#[oxflow::function]
{signature} {{
    let text = message.payload().text.trim().to_owned();
    {type} {{ text }}
}}

#[cfg(test)]
mod tests {{
    use super::*;

    #[test]
    fn space_at_the_ends_is_gone() {{
        let text = " an ox ".to_owned();
        let message = Message::new({type} {{ text }});
        let trimmed = {name}(&message);
        assert_eq!("an ox", trimmed.text);
    }}
}}
"""
_PYTHON = '''\
"""`{name}`, as Python sees it."""

import {module}
from oxflow import Message


def test_space_at_the_ends_is_gone() -> None:
    assert {module}.{name}(Message({{"text": " an ox "}})) == {{"text": "an ox"}}
'''

# How wide rustfmt lets a line become.
_WIDTH = 100
_MODULE = re.compile(r"^(?:oxflow::)?(?:module|main_function)!", re.MULTILINE)
_DECLARATION = re.compile(r"^(?:pub(?:\([^)]*\))? )?mod (?P<name>\w+);", re.MULTILINE)


def add_function(project: Project, name: str, team: str | None = None) -> list[Path]:
    """Add a function to a project.

    Args:
        project: where.
        name: of the function and its files.
        team: whose it is; its files lie in folders of this name.

    Returns:
        The files that were written or changed; none if all of it is there already.

    Raises:
        ProjectError: the name can't be a function's, or something else has it.
    """
    check_function(name)
    if team is not None:
        check_team(team)
    folder = project.functions if team is None else project.functions / team
    source = folder / f"{name}.rs"
    _refuse_clashes(project, source, name, team)
    tests = project.folder / "tests" if team is None else project.folder / "tests" / team
    changed = [
        _declare_functions(project.library),
        _write(source, _rust(name)),
        # A program has no Python that could call it.
        None
        if project.is_program
        else _write(tests / f"test_{name}.py", _PYTHON.format(name=name, module=project.module)),
        _list(folder / "mod.rs", name),
        None if team is None else _list(project.functions / "mod.rs", team),
    ]
    return [file for file in changed if file is not None]


def _refuse_clashes(project: Project, source: Path, name: str, team: str | None) -> None:
    """All functions share one Python module and files of teams lie beside functions of none."""
    attribute = r"(?:#\[[^\]]*\]|///[^\n]*)\s*"
    function = rf"#\[(?:oxflow::)?function\b[^\]]*\]\s*(?:{attribute})*(?:pub(?:\([^)]*\))?\s+)?fn\s+{name}\b"
    taken = re.compile(rf"{function}|\b(?:struct|enum)\s+{_payload(name)}\b")
    for file in sorted(set((project.folder / "src").rglob("*.rs")) - {source}):
        if taken.search(file.read_text(encoding="utf-8")):
            raise _clash(name, f"`{file.relative_to(project.folder).as_posix()}` has something of this name")
    if (source.parent / name).is_dir():
        raise _clash(name, "a team has this name, and its folder stands in the place of the function's file")
    if team is not None and (project.functions / f"{team}.rs").exists():
        raise _clash(name, f"`{team}` is a function, so no team can have this name")


def _clash(name: str, why: str) -> ProjectError:
    message = f"the function `{name}` can't be added"
    return ProjectError(Diagnostic("OXF0702", message, why=why, fix="take another name"))


def _write(file: Path, text: str) -> Path | None:
    if file.exists():
        return None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", newline="\n")
    return file


def _list(file: Path, module: str) -> Path | None:
    """Enter a module in a file that lists modules; one that is nothing but a list stays in order."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    if module in _declared("\n".join(lines)):
        return None
    lines.append(f"pub mod {module};")
    if all(map(_DECLARATION.fullmatch, lines)):
        lines.sort()
    file.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return file


def _declare_functions(library: Path) -> Path | None:
    """Make the folder of functions part of the crate, above what every crate has at the top level."""
    text = library.read_text(encoding="utf-8")
    if "functions" in _declared(text):
        return None
    module = _MODULE.search(text)
    if module is None:
        message = f"the function can't be made part of `{library}`"
        why = "there is neither `oxflow::module!` nor `oxflow::main_function!` in it"
        raise ProjectError(Diagnostic("OXF0703", message, why=why, fix="write `pub mod functions;` into it"))
    made = f"{text[: module.start()]}pub mod functions;\n\n{text[module.start() :]}"
    library.write_text(made, encoding="utf-8", newline="\n")
    return library


def _declared(text: str) -> set[str]:
    return {found["name"] for found in _DECLARATION.finditer(text)}


def _payload(name: str) -> str:
    return f"{camel(name)}Payload"


def _rust(name: str) -> str:
    payload = _payload(name)
    signature = f"pub fn {name}(message: &Message<{payload}>) -> {payload}"
    if len(signature) + len(" {") > _WIDTH:
        signature = f"pub fn {name}(\n    message: &Message<{payload}>,\n) -> {payload}"
    return _RUST.format(name=name, type=payload, signature=signature)
