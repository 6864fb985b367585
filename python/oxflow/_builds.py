"""Which builds of extension modules this process has, and what is worth knowing of them.

A library is never unloaded. So a module that is built anew while Python runs stays what it was, and one that is then imported
anew, out of a file of its own, stands beside what was there before. Each build is told by the number of its tables, not by its name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from oxflow import _oxflow
from oxflow.errors import Diagnostic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# What a file has that changes when it is written: length and time.
Stamp = tuple[int, int]

_RESTART = "start Python again"


@dataclass(frozen=True)
class Build:
    """A module as it was built once.

    Attributes:
        module: what users import.
        file: where it lay when it was imported, if that is known.
        stamp: of that file, then.
        shown: what it shows, as its tables describe it.
        is_debug: it was built without optimisation.
    """

    module: str
    file: str | None
    stamp: Stamp | None
    shown: str
    is_debug: bool

    def is_outdated(self) -> bool:
        """Whether its file was written since. One that is gone tells nothing."""
        now = _stamp(self.file)
        return now is not None and now != self.stamp


_builds: dict[int, Build] = {}
# Code and module of what was told.
_told: set[tuple[str, str]] = set()


def enter(identity: int, module: str, file: str | None, described: dict[str, object]) -> None:
    """Remember a build, as it is when it is imported first."""
    shown = repr((described["types"], described["functions"]))
    _builds.setdefault(identity, Build(module, file, _stamp(file), shown, bool(described["debug"])))


def outdated(module: str) -> list[Diagnostic]:
    """Say of a module whether a build of it is loaded whose file was written since."""
    return [_outdated(build.module) for build in _builds.values() if build.module == module and build.is_outdated()][:1]


def outdated_in(functions: Iterable[object]) -> list[Diagnostic]:
    """The modules among the functions of a plan that were built anew since; each is told once in a process."""
    return _once("OXF0606", [build for build in _of(functions) if build.is_outdated()], _outdated)


def unoptimised_in(functions: Iterable[object]) -> list[Diagnostic]:
    """The modules among the functions of a plan that were built without optimisation; each is told once in a process."""
    return _once("OXF0603", [build for build in _of(functions) if build.is_debug], _unoptimised)


def mixed_in(functions: Iterable[object]) -> list[Diagnostic]:
    """The modules of which a plan has two builds that don't show the same."""
    shown: dict[str, set[str]] = {}
    for build in _of(functions):
        shown.setdefault(build.module, set()).add(build.shown)
    return [_mixed(module) for module, builds in sorted(shown.items()) if len(builds) > 1]


def _of(functions: Iterable[object]) -> list[Build]:
    natives = [item for item in functions if isinstance(item, (_oxflow.NativeFunction, _oxflow.NativeType))]
    return [_builds[item.module] for item in natives if item.module in _builds]


def _once(code: str, builds: list[Build], say: Callable[[str], Diagnostic]) -> list[Diagnostic]:
    modules = sorted({build.module for build in builds} - {module for told, module in _told if told == code})
    _told.update((code, module) for module in modules)
    return [say(module) for module in modules]


def _outdated(module: str) -> Diagnostic:
    return Diagnostic(
        "OXF0606",
        f"the module `{module}` was built anew after it was imported",
        why="its old code runs until Python is started again",
        fix=_RESTART,
    )


def _unoptimised(module: str) -> Diagnostic:
    return Diagnostic(
        "OXF0603",
        f"the Rust module `{module}` was built without optimisation",
        why="its functions are many times slower than they could be",
        fix="build it with `maturin develop --release`",
    )


def _mixed(module: str) -> Diagnostic:
    return Diagnostic(
        "OXF0607",
        f"the pipeline has functions or types of two builds of the module `{module}`",
        why="they don't show the same functions and types, and this process has both since the module was imported again",
        fix=f"{_RESTART}, or make all steps of the pipeline anew",
    )


def _stamp(file: str | None) -> Stamp | None:
    if file is None:
        return None
    try:
        status = Path(file).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
