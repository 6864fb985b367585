"""Finds the extension modules that a name stands for, and the file that the stub of each belongs to."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import sys
import traceback
from importlib import machinery, metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import url2pathname

from oxflow._extension import CAPSULE, home_of
from oxflow.errors import Diagnostic, ExtensionError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

CODE = "OXF0602"
_ENTRY = re.compile(r"""(?m)^\s*(?:\[+([^\]\n]+)\]+|([\w-]+)\s*=\s*["']([^"'\n]*)["'])""")
# Where maturin looks for the Python sources beside Rust ones, unless it is told.
_SOURCES = (".", "src", "python")


def extensions(name: str) -> list[ModuleType]:
    """Import a module and find the extensions in it: the module itself, or those that it imports from below itself.

    Raises:
        ExtensionError: there is no such module, it cannot be imported, or there is no extension of oxflow in it.
    """
    module = _imported(name)
    if hasattr(module, CAPSULE):
        return [module]
    inside = {
        key: value for key, value in sys.modules.items() if key.startswith(f"{name}.") and hasattr(value, CAPSULE)
    }
    if inside:
        return [inside[key] for key in sorted(inside)]
    unloaded = sorted(_unloaded(module))
    fix = f"name the extension itself: `oxflow stubs {unloaded[0]}`" if unloaded else None
    raise ExtensionError(
        Diagnostic(
            CODE,
            f"`{name}` is no extension module of oxflow",
            why="neither it nor a module that it imports from below itself has a table of oxflow",
            fix=fix or "add `oxflow::module!(NAME)` to the crate and build it with `maturin develop`",
        )
    )


def stub_of(module: ModuleType) -> Path:
    """The file that type checkers and maturin take for the module's stub.

    It lies in the crate's sources if they are known: those around the current folder, or those that the module was installed
    from. Otherwise it lies beside the compiled file.
    """
    for folder in _source_folders(module.__name__):
        stub = _in_sources(module.__name__, folder)
        if stub is not None:
            return stub
    return _beside(module.__name__, Path(module.__file__ or module.__name__))


def _imported(name: str) -> ModuleType:
    # Behind everything that is installed: a folder of the module's name, with its sources, is no module.
    sys.path.append(str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except ExtensionError:
        raise
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and f"{name}.".startswith(f"{error.name}."):
            fix = "build it into this environment: `maturin develop`"
            raise ExtensionError(Diagnostic(CODE, f"there is no module `{error.name}`", fix=fix)) from None
        why = "".join(traceback.format_exception_only(error)).strip()
        raise ExtensionError(Diagnostic(CODE, f"`{name}` raised when it was imported", why=why)) from error


def _unloaded(module: ModuleType) -> Iterator[str]:
    for found in pkgutil.iter_modules(getattr(module, "__path__", [])):
        spec = found.module_finder.find_spec(found.name, None)
        if spec is not None and isinstance(spec.loader, machinery.ExtensionFileLoader):
            yield f"{module.__name__}.{found.name}"


def _source_folders(name: str) -> Iterator[Path]:
    here = Path.cwd()
    yield from (here, *here.parents)
    for distribution in metadata.packages_distributions().get(name.partition(".")[0], []):
        origin: dict[str, str] = json.loads(metadata.distribution(distribution).read_text("direct_url.json") or "{}")
        url = urlsplit(origin.get("url", ""))
        if url.scheme == "file" and "dir_info" in origin:
            yield Path(url2pathname(url.path))


def _in_sources(name: str, folder: Path) -> Path | None:
    """The stub of a module in the folder of its crate, `None` if this is the folder of something else."""
    project = _strings(folder / "pyproject.toml")
    crate = _strings(folder / "Cargo.toml")
    made = project.get("tool.maturin.module-name") or crate.get("lib.name") or crate.get("package.name", "")
    if made.replace("-", "_") not in (name, home_of(name)):
        return None
    package = name.partition(".")[0]
    told = project.get("tool.maturin.python-source")
    for source in _SOURCES if told is None else (told,):
        if (folder / source / package / "__init__.py").is_file():
            return (folder / source).joinpath(*name.split(".")).with_suffix(".pyi")
    return folder / f"{home_of(name).rpartition('.')[2]}.pyi"


def _beside(name: str, compiled: Path) -> Path:
    last = name.rpartition(".")[2]
    package = compiled.with_name("__init__.py")
    # The package that maturin makes around a lone extension: the stub of the whole is that of the extension.
    if package.is_file() and package.read_text(encoding="utf-8").startswith(f"from .{last} import *"):
        return package.with_suffix(".pyi")
    return compiled.with_name(f"{last}.pyi")


def _strings(file: Path) -> dict[str, str]:
    """The strings of a TOML file that are simply assigned, by table and key; Python 3.10 can't read TOML."""
    if not file.is_file():
        return {}
    found: dict[str, str] = {}
    table = ""
    for header, key, value in _ENTRY.findall(file.read_text(encoding="utf-8")):
        if header:
            table = header.strip()
        else:
            found[f"{table}.{key}"] = value
    return found
