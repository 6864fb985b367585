"""A project that `oxflow new` made, found from a folder in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oxflow.errors import Diagnostic, ProjectError
from oxflow.sdk import vendor

if TYPE_CHECKING:
    from pathlib import Path

_MODULE = re.compile(r'^module-name = "(?P<name>[\w.]+)"$', re.MULTILINE)
_REQUIREMENT = re.compile(r'^(?P<start>dependencies = \[.*)"oxflow\b[^"]*"', re.MULTILINE)


@dataclass(frozen=True)
class Project:
    """The folder of a project.

    Attributes:
        folder: where its `Cargo.toml` is.
        module: the Python module that it builds.
    """

    folder: Path
    module: str

    @property
    def is_program(self) -> bool:
        """Whether it becomes a program without Python."""
        return vendor.has_engine(self.folder)

    @property
    def library(self) -> Path:
        """The crate's root."""
        return self.folder / "src/lib.rs"

    @property
    def functions(self) -> Path:
        """The folder of the functions that have files of their own."""
        return self.folder / "src/functions"


def find(start: Path) -> Project | None:
    """Find the project that a folder belongs to."""
    start = start.resolve()
    for folder in (start, *start.parents):
        module = _module(folder)
        if module is not None and (folder / vendor.FOLDER / "oxflow/Cargo.toml").is_file():
            return Project(folder, module)
    return None


def demand(start: Path) -> Project:
    """Find the project that a folder belongs to.

    Raises:
        ProjectError: it belongs to none.
    """
    project = find(start)
    if project is None or not project.library.is_file():
        lacking = f"`{project.library}` is not there" if project else "neither it nor a folder above it is one"
        message = f"`{start}` is no project of `oxflow new`"
        raise ProjectError(Diagnostic("OXF0703", message, why=lacking, fix="name the project's folder with `--path`"))
    return project


def update_sdk(project: Project) -> list[str]:
    """Give a project the SDK of the installed package.

    Returns:
        The paths that differed.
    """
    changed = vendor.differences(project.folder)
    if changed:
        vendor.write(project.folder, engine=vendor.has_engine(project.folder))
    manifest = project.folder / "pyproject.toml"
    before = manifest.read_text(encoding="utf-8")
    after = require_installed(before)
    if after != before:
        manifest.write_text(after, encoding="utf-8", newline="\n")
        changed.append(manifest.name)
    return changed


def require_installed(pyproject: str) -> str:
    """Let a `pyproject.toml` require the version of oxflow that is installed."""
    return _REQUIREMENT.sub(rf'\g<start>"oxflow~={vendor.version()}"', pyproject)


def _module(folder: Path) -> str | None:
    if not (folder / "Cargo.toml").is_file():
        return None
    try:
        found = _MODULE.search((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    return found["name"] if found else None
