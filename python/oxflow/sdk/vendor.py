"""The sources of the SDK, as they lie in a user's project.

The extension `_oxflow` carries the sources that it was built with, so a project compiles the SDK that goes with the installed
package, without a network and whether or not that version is published. In the repository the crates take values from a
workspace; in a project they stand alone, so their manifests are written anew with these values in place.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from oxflow import _oxflow

FOLDER = "vendor"
# The engine, and what it alone needs of ours.
_ENGINE = ("crates/oxflow-engine/", "crates/oxflow-telemetry/")

_README = """\
The SDK of oxflow {version}, as the installed package has it. `oxflow update-sdk` writes this folder; `oxflow doctor` says when it
differs from the package. Don't edit it.
"""
_TABLE = re.compile(r"^\[(?P<name>[^\]]+)\]$")
_INHERITED = re.compile(r"^(?P<key>[\w-]+)(?:\.workspace = true| = \{ workspace = true(?P<more>, optional = true) \})$")


def files(*, engine: bool) -> dict[str, str]:
    """Give the files of the vendored SDK, and of the engine if it is wanted: text by path in the project."""
    sources = dict(_oxflow.sdk_sources())
    workspace = _tables(sources["Cargo.toml"])
    made = {f"{FOLDER}/README.md": _README.format(version=version())}
    for path, text in sources.items():
        if path.startswith(_ENGINE) and not engine:
            continue
        if path.startswith("LICENSE"):
            made[f"{FOLDER}/{path}"] = text
        elif path.endswith("Cargo.toml") and path.startswith("crates/"):
            made[_home(path)] = _manifest(text, workspace)
        elif path.startswith("crates/"):
            made[_home(path)] = text
    return made


def has_engine(project: Path) -> bool:
    """Whether a project has the engine, too: it is a program then."""
    return (project / FOLDER / "oxflow-engine/Cargo.toml").is_file()


def write(project: Path, *, engine: bool) -> None:
    """Write the vendored SDK into a project, in place of one that is there; with the engine, if it is wanted."""
    new = project / f"{FOLDER}.new"
    shutil.rmtree(new, ignore_errors=True)
    for path, text in files(engine=engine).items():
        file = new / Path(path).relative_to(FOLDER)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    # Whole or not at all, as far as a file system allows it: what an older SDK had and this one hasn't must go, too.
    shutil.rmtree(project / FOLDER, ignore_errors=True)
    new.rename(project / FOLDER)


def differences(project: Path) -> list[str]:
    """Give the paths that differ between a project's SDK and that of the installed package."""
    wanted = files(engine=has_engine(project))
    there = {path.relative_to(project).as_posix(): path for path in _walk(project / FOLDER)}
    return sorted(
        path
        for path in wanted.keys() | there.keys()
        if path not in wanted or path not in there or _text(there[path]) != wanted[path]
    )


def version() -> str:
    """Give the version of the SDK, which is that of the package."""
    return _value(_tables(dict(_oxflow.sdk_sources())["Cargo.toml"])["workspace.package"]["version"])


def rust_version() -> str:
    """Give the oldest version of Rust that compiles the SDK."""
    return _value(_tables(dict(_oxflow.sdk_sources())["Cargo.toml"])["workspace.package"]["rust-version"])


def _walk(folder: Path) -> list[Path]:
    # What cargo builds in there is no part of it.
    return [path for path in folder.rglob("*") if path.is_file() and "target" not in path.relative_to(folder).parts]


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _home(path: str) -> str:
    return f"{FOLDER}/{path.removeprefix('crates/')}"


def _value(text: str) -> str:
    return text.strip('"')


def _tables(manifest: str) -> dict[str, dict[str, str]]:
    """Read the tables of a manifest of ours, in which every value stands in one line."""
    tables: dict[str, dict[str, str]] = {}
    table: dict[str, str] = {}
    for line in manifest.splitlines():
        if head := _TABLE.match(line):
            table = tables.setdefault(head["name"], {})
        elif not line.startswith("#") and " = " in line:
            key, _, value = line.partition(" = ")
            table[key] = value
    return tables


def _manifest(text: str, workspace: dict[str, dict[str, str]]) -> str:
    """Put the workspace's values where a crate inherits them, and leave out what only the workspace needs."""
    lines: list[str] = []
    table = ""
    for line in text.splitlines():
        if head := _TABLE.match(line):
            table = head["name"]
        if table in {"dev-dependencies", "lints"}:
            continue
        inherited = _INHERITED.match(line)
        lines.append(_resolved(inherited["key"], inherited["more"], table, workspace) if inherited else line)
    return "\n".join(lines).rstrip() + "\n"


def _resolved(key: str, more: str | None, table: str, workspace: dict[str, dict[str, str]]) -> str:
    source = "workspace.package" if table == "package" else "workspace.dependencies"
    # The crates lie side by side, here as there.
    value = workspace[source][key].replace('path = "crates/', 'path = "../')
    if more:
        settings = value.removeprefix("{ ").removesuffix(" }") if value.startswith("{") else f"version = {value}"
        value = f"{{ {settings}{more} }}"
    return f"{key} = {value}"
