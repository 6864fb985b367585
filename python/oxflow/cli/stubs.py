"""`oxflow stubs`: writes, prints or checks the stubs of Rust extension modules."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from oxflow.cli.show import coloured
from oxflow.sdk.stubs import stubs_of

if TYPE_CHECKING:
    import argparse

    from oxflow.sdk.stubs import Stub


def stubs(options: argparse.Namespace) -> int:
    """Do what the options say with the stub of each module."""
    found = [(name, stub) for name in options.modules for stub in stubs_of(name, options.output)]
    if options.output is not None and not options.output.is_dir() and len(found) > 1:
        _tell("error", f"there are {len(found)} stubs: `--output` must be a folder")
        return 2
    if options.print:
        print("\n".join(stub.text for _, stub in found), end="")
        return 0
    if options.check:
        return max(_check(stub, _command(name, options)) for name, stub in found)
    return max(_write(stub) for _, stub in found)


def _write(stub: Stub) -> int:
    for remark in stub.remarks:
        _tell("note", f"`{stub.module}`: {remark}")
    try:
        done = "wrote" if stub.write() else "nothing to change in"
    except OSError as error:
        _tell("error", f"cannot write `{_shown(stub.path)}`: {error.strerror}")
        return 1
    print(f"{done} {_shown(stub.path)}")
    return 0


def _check(stub: Stub, command: str) -> int:
    difference = stub.difference()
    if not difference:
        return 0
    print(difference, end="")
    _tell("error", f"`{_shown(stub.path)}` is not what `{stub.module}` shows; write it anew: `{command}`")
    return 1


def _command(name: str, options: argparse.Namespace) -> str:
    output = "" if options.output is None else f" --output {options.output}"
    return f"oxflow stubs {name}{output}"


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _tell(kind: str, text: str) -> None:
    print(coloured(f"{kind}: {text}", sys.stderr), file=sys.stderr)
