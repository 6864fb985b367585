"""Makes a project: a crate of Rust steps with all around it, ready to build.

`template/` holds the files of a project that is called `my_steps`. A new one is a copy in which that name is replaced, and
the SDK's sources.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from oxflow.errors import Diagnostic, ProjectError
from oxflow.sdk import vendor
from oxflow.sdk.names import check_module
from oxflow.sdk.project import Project, require_installed

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "my_steps"

_TEMPLATE = Path(__file__).parent / "template"
_PURE = Path(__file__).parent / "pure_template"
# In the package they would be hidden, and tools would take them for the package's own.
_HIDDEN = {"gitignore": ".gitignore", "dockerignore": ".dockerignore", "github": ".github"}
_LIBRARY = "src/lib.rs"
_MODULE = f"oxflow::module!({NAME});\n\n"
_ROOT = f"""\
//! Steps of many teams. Each function has a file of its own: `oxflow add function NAME [--team TEAM]`.

pub mod functions;

oxflow::module!({NAME});
"""
_TEAMS = """
## Many teams

Functions of all teams are in this one module, so that one build, one CI and one wheel serve them. A team has a folder:

```sh
oxflow add function clean_text --team search   # src/functions/search/clean_text.rs, tests/search/test_clean_text.py
```

Names are unique in the module, also across teams. Payload types that teams share are best kept in a file of `src/functions`.
"""


def create(name: str, folder: Path, *, is_monorepo: bool = False, is_pure: bool = False) -> Project:
    """Make a project.

    Args:
        name: of the Python module and the crate.
        folder: where; made if it isn't there, and empty if it is.
        is_monorepo: keep each function in a file of its own, in folders of teams.
        is_pure: make a program that is a whole pipeline, in place of a module for pipelines in Python.

    Raises:
        ProjectError: the name can't be a module's, or the folder has something in it.
    """
    check_module(name)
    _demand_empty(folder)
    texts = template(is_pure=is_pure)
    if is_monorepo:
        texts = _for_teams(texts)
    for path, text in texts.items():
        file = folder / path.replace(NAME, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_named(path, text, name), encoding="utf-8", newline="\n")
    vendor.write(folder, engine=is_pure)
    return Project(folder, name)


def template(*, is_pure: bool = False) -> dict[str, str]:
    """Give the files of a project that is called `my_steps`, without the SDK: text by path."""
    return dict(_read(_PURE if is_pure else _TEMPLATE, ""))


def _demand_empty(folder: Path) -> None:
    try:
        is_free = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    except OSError as error:
        raise _in_the_way(folder, str(error)) from error
    if not is_free:
        raise _in_the_way(folder, "there is something in it" if folder.is_dir() else "it is no folder")


def _in_the_way(folder: Path, why: str) -> ProjectError:
    fix = "name another folder with `--path`, or remove what is there"
    return ProjectError(Diagnostic("OXF0702", f"`{folder}` can't become a project", why=why, fix=fix))


def _read(folder: Path, prefix: str) -> Iterator[tuple[str, str]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        path = f"{prefix}{_HIDDEN.get(item.name, item.name)}"
        if item.is_dir():
            yield from _read(item, f"{path}/")
        elif item.suffix != ".pyc":
            yield path, item.read_text(encoding="utf-8")


def _for_teams(texts: dict[str, str]) -> dict[str, str]:
    """Move the functions of the crate's root into a file of their own."""
    words = texts[_LIBRARY].replace(_MODULE, "")
    modules = "pub mod words;\n"
    more = {_LIBRARY: _ROOT, "src/functions/mod.rs": modules, "src/functions/words.rs": words}
    return {**texts, **more, "README.md": texts["README.md"] + _TEAMS}


def _named(path: str, text: str, name: str) -> str:
    text = require_installed(text) if path == "pyproject.toml" else text
    # Names in a cluster have dashes.
    text = text.replace(NAME, name).replace(NAME.replace("_", "-"), name.replace("_", "-"))
    return _in_order(text) if path == "Cargo.lock" else text


def _in_order(lock: str) -> str:
    """Put the packages of a lock file in the order that cargo writes, so that its first build changes nothing."""
    head, *packages = lock.rstrip("\n").split("\n\n")
    return "\n\n".join([head, *sorted(packages, key=_package)]) + "\n"


def _package(block: str) -> str:
    found = re.search(r'^name = "(.+)"$', block, re.MULTILINE)
    return found[1] if found else ""
