"""The commands for those who write steps in Rust. Each imports its tools itself: who runs a pipeline needs none of them."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse

_NEXT = """\
made {folder}; next:

    cd {folder}
    pip install "maturin>=1.16,<2" pytest
    maturin develop --release
    oxflow run pipeline.py --config sample.yaml
    python -m pytest
"""

_NEXT_PURE = """\
made {folder}; next:

    cd {folder}
    cargo test
    cargo build --release
    ./target/release/{name} --config sample.yaml
"""


def new(options: argparse.Namespace) -> int:
    """Make a project."""
    from oxflow.sdk.new import create

    folder = Path(options.path if options.path is not None else options.name)
    if options.pure_rust and options.monorepo:
        print("error: `--monorepo` is for modules: a program of `--pure-rust` is one pipeline", file=sys.stderr)
        return 2
    create(options.name, folder, is_monorepo=options.monorepo, is_pure=options.pure_rust)
    print((_NEXT_PURE if options.pure_rust else _NEXT).format(folder=folder, name=options.name), end="")
    return 0


def add(options: argparse.Namespace) -> int:
    """Add a function to a project."""
    from oxflow.sdk.add import add_function
    from oxflow.sdk.project import demand

    project = demand(Path(options.path))
    changed = add_function(project, options.name, options.team)
    for file in changed:
        print(file.relative_to(project.folder).as_posix())
    build = (
        "`cargo build --release` builds it"
        if project.is_program
        else f"`maturin develop --release` builds it, `oxflow stubs {project.module}` then tells type checkers"
    )
    print(build if changed else f"`{options.name}` is there already", file=sys.stderr)
    return 0


def update_sdk(options: argparse.Namespace) -> int:
    """Give a project the SDK of the installed package."""
    from oxflow.sdk import project

    changed = project.update_sdk(project.demand(Path(options.path)))
    for path in changed:
        print(path)
    note = (
        "build the project, so that its Cargo.lock follows" if changed else "nothing to do: it is that of this oxflow"
    )
    print(note, file=sys.stderr)
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Say what goes together."""
    from oxflow.sdk.doctor import examine

    found = examine(options.modules, Path.cwd())
    is_good = all(finding.state != "wrong" for finding in found)
    if options.json:
        print(json.dumps({"ok": is_good, "findings": list(map(asdict, found))}, ensure_ascii=False, indent=2))
        return 0 if is_good else 1
    width = max(len(finding.name) for finding in found)
    for finding in found:
        print(f"{finding.state:5}  {finding.name:{width}}  {finding.found}")
        if finding.fix is not None:
            print(f"{'':5}  {'':{width}}  {finding.fix}")
    return 0 if is_good else 1


def schema(options: argparse.Namespace) -> int:
    """Write, print or check the types of schemas."""
    from oxflow.cli.schema import schema as run_schema

    return run_schema(options)


def stubs(options: argparse.Namespace) -> int:
    """Write, print or check the stubs of extension modules."""
    from oxflow.cli.stubs import stubs as run_stubs

    return run_stubs(options)
