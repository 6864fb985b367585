"""Says which versions meet here, whether they go together, and what to do if they don't.

Nothing that is missing or broken ends the examination: it becomes a finding. Modules are imported in processes of their own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from oxflow import __version__, _oxflow
from oxflow._builds import outdated
from oxflow.sdk import project as projects, vendor
from oxflow.sdk.new import template
from oxflow.sdk.probe import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from oxflow.sdk.project import Project

State = Literal["ok", "note", "wrong"]

# A shim of a toolchain manager may have to unpack something first.
_PATIENCE_S = 60
_VERSION = re.compile(r"\d+(?:\.\d+)+")
_LINKERS = ("cc", "gcc", "clang")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        state: `wrong` if there is something to do, `note` if that depends on what you are about to do.
        found: what is there.
        fix: what to do.
    """

    name: str
    state: State
    found: str
    fix: str | None = None


def examine(modules: Sequence[str], folder: Path) -> list[Finding]:
    """Look at the environment, the project that `folder` is in, and the given modules.

    Args:
        modules: names of extension modules, as they are imported. Without one the tools to build one must be there.
        folder: whence a project is looked for.
    """
    project = projects.find(folder)
    is_program = project is not None and project.is_program and not modules
    tools = [
        tool for tool in _tools(lacking="note" if modules else "wrong") if not (is_program and tool.name == "maturin")
    ]
    found = [_package(), _python(), *tools, _pyo3(project)]
    if project is not None:
        found += [_vendored(project), *_unlisted(project)]
        if not modules and not is_program:
            found.append(_built(project))
    return found + [finding for module in modules for finding in _module(module)]


def _package() -> Finding:
    major, minor = _oxflow.abi_version()
    found = f"{__version__}, ABI {major}.{minor}"
    if vendor.version() != __version__:
        why = f"{found}, but its extension is that of {vendor.version()}"
        return Finding("oxflow", "wrong", why, "install it again: `pip install --force-reinstall oxflow`")
    return Finding("oxflow", "ok", found)


def _python() -> Finding:
    found = f"{platform.python_version()}, {platform.python_implementation()}, {sysconfig.get_platform()}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        fix = "use the build of Python with the interpreter lock"
        return Finding("Python", "wrong", f"{found}, free-threaded: it imports no modules of the stable ABI", fix)
    return Finding("Python", "ok", found)


def _tools(*, lacking: State) -> Iterator[Finding]:
    rust = vendor.rust_version()
    yield _tool(_Tool("rustc", ["rustc"], rust, "install or update Rust with `rustup`"), lacking)
    yield _tool(_Tool("cargo", ["cargo"], rust, "install or update Rust with `rustup`"), lacking)
    oldest, below = _maturin_range()
    fix = f'`pip install "maturin>={oldest},<{below}"`'
    command = ["maturin"] if shutil.which("maturin") else [sys.executable, "-m", "maturin"]
    yield _tool(_Tool("maturin", command, oldest, fix, below), lacking)
    # On Windows the linker isn't on the path, and rustc finds it.
    if os.name == "posix":
        linker = next(filter(None, map(shutil.which, _LINKERS)), None)
        fix = "install a C compiler: rustc links with it"
        yield Finding("linker", "ok", linker) if linker else Finding("linker", lacking, "not found", fix)


@dataclass(frozen=True)
class _Tool:
    """A program with a version, which has to be from `oldest` on and before `below`."""

    name: str
    command: list[str]
    oldest: str
    fix: str
    below: str | None = None


def _tool(tool: _Tool, lacking: State) -> Finding:
    answer = _answer([*tool.command, "--version"])
    version = _VERSION.search(answer or "")
    if version is None:
        return Finding(tool.name, lacking, "not found" if answer is None else f"answers `{answer}`", tool.fix)
    number = version[0]
    if _numbers(number) < _numbers(tool.oldest):
        return Finding(tool.name, lacking, f"{number}, older than {tool.oldest}", tool.fix)
    if tool.below is not None and _numbers(number) >= _numbers(tool.below):
        return Finding(tool.name, lacking, f"{number}, not known to work", tool.fix)
    return Finding(tool.name, "ok", number)


def _answer(command: list[str]) -> str | None:
    """What a command prints, in one line; nothing if it isn't there or fails."""
    try:
        done = subprocess.run(  # noqa: S603  # tools of the user, by fixed arguments
            command, capture_output=True, text=True, errors="replace", check=False, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return " ".join(done.stdout.split()) if done.returncode == 0 else None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _maturin_range() -> tuple[str, str]:
    wanted = re.search(r'"maturin>=([\d.]+),<([\d.]+)"', template()["pyproject.toml"])
    return (wanted[1], wanted[2]) if wanted else ("0", "999")


def _pyo3(project: Project | None) -> Finding:
    """The PyO3 that is compiled: that of the project's lock file, else that of a new project's."""
    lock, whose = template()["Cargo.lock"], "of new projects"
    if project is not None:
        whose = "of this project"
        try:
            lock = (project.folder / "Cargo.lock").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return Finding("PyO3", "note", "not known: the project has no Cargo.lock", "build it once")
    versions = re.findall(r'^name = "pyo3"\nversion = "(.+)"$', lock, re.MULTILINE)
    return Finding("PyO3", "ok", f"{', '.join(versions) or 'none'} ({whose})")


def _vendored(project: Project) -> Finding:
    changed = vendor.differences(project.folder)
    if changed:
        found = f"`{project.folder / vendor.FOLDER}` is not the SDK of this oxflow: {len(changed)} files differ"
        return Finding("SDK", "wrong", found, "run `oxflow update-sdk` and build again")
    return Finding("SDK", "ok", f"{vendor.version()}, as in {project.folder / vendor.FOLDER}")


def _unlisted(project: Project) -> Iterator[Finding]:
    """Functions in files that are no part of the crate, as after `src/lib.rs` was replaced."""
    try:
        root = project.library.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        yield Finding("src/lib.rs", "wrong", f"can't be read: {error}", "put it back")
        return
    if project.functions.is_dir() and not re.search(r"\bmod functions\b", root):
        fix = "add `pub mod functions;` to `src/lib.rs`"
        yield Finding("src/functions", "wrong", "is no part of the crate", fix)


def _built(project: Project) -> Finding:
    return next(
        (finding for finding in _module(project.module) if _is_installed(project.module)),
        Finding(project.module, "note", "not built yet", "run `maturin develop --release`"),
    )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _module(name: str) -> list[Finding]:
    found = _look(name)
    if "error" in found:
        fix = found.get("fix") or f"see what `python -c 'import {name}'` says"
        return [Finding(name, "wrong", f"can't be used: {found['error']}", fix)]
    parts: list[dict[str, Any]] = found["parts"]
    if not parts:
        return [Finding(name, "wrong", "is no extension of oxflow", "end the crate with `oxflow::module!(name);`")]
    return [*(_part(name, part) for part in parts), *_loaded(name)]


def _loaded(name: str) -> Iterator[Finding]:
    """What this process itself has of the module: as in a notebook that has imported it."""
    for diagnostic in outdated(name):
        yield Finding(name, "wrong", f"{diagnostic.message}: {diagnostic.why}", diagnostic.fix)


def _look(name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "oxflow.sdk.probe", name]
    try:
        done = subprocess.run(  # noqa: S603  # this interpreter; the user names the module to import
            command, capture_output=True, text=True, errors="replace", check=False, timeout=_PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return {"error": str(error)}
    answers = [line.removeprefix(MARK) for line in done.stdout.splitlines() if line.startswith(MARK)]
    if done.returncode != 0 or not answers:
        return {"error": f"the process that imported it ended with {done.returncode}"}
    found: dict[str, Any] = json.loads(answers[-1])
    return found


def _part(name: str, part: dict[str, Any]) -> Finding:
    profile = "without optimisation" if part["debug"] else "release"
    found = f"ABI {'.'.join(map(str, part['abi']))}, SDK {part['sdk']}, {profile}, {part['file']}"
    if part["debug"]:
        return Finding(name, "wrong", found, "build it with `maturin develop --release`")
    if part["sdk"] != vendor.version():
        # It was imported, so their versions of the ABI go together.
        return Finding(name, "note", found, "for what is new run `oxflow update-sdk` in its project and build it again")
    return Finding(name, "ok", found)
