"""`oxflow schema`: writes, prints or checks the Rust types of schemas."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from oxflow.cli.show import coloured
from oxflow.sdk.schema import types_of
from oxflow.sdk.written import difference, write

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


def schema(options: argparse.Namespace) -> int:
    """Do what the options say with the types of the files."""
    if options.check and options.output is None:
        _tell("error", "`--check` needs `--output`, the file that it compares")
        return 2
    types = types_of(options.files, options.include)
    if options.check:
        return _check(types.text, options)
    for note in types.notes:
        _tell("note", note)
    if options.output is None:
        print(types.text, end="")
        return 0
    try:
        done = "wrote" if write(options.output, types.text) else "nothing to change in"
    except OSError as error:
        _tell("error", f"cannot write `{options.output}`: {error.strerror}")
        return 1
    print(f"{done} {options.output}")
    return 0


def _check(text: str, options: argparse.Namespace) -> int:
    output: Path = options.output
    changes = difference(output, text, "what the schemas say")
    if not changes:
        return 0
    print(changes, end="")
    includes = [word for folder in options.include for word in ("--include", str(folder))]
    command = shlex.join(["oxflow", "schema", *map(str, options.files), *includes, "--output", str(output)])
    _tell("error", f"`{output}` is not what the schemas say; write it anew: `{command}`")
    return 1


def _tell(kind: str, text: str) -> None:
    print(coloured(f"{kind}: {text}", sys.stderr), file=sys.stderr)
