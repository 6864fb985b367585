"""Writes the messages of dead letters as lines, so that a run can read them again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from oxflow._terminal import printable
from oxflow.dead_letter import DeadLetter

if TYPE_CHECKING:
    import argparse


def dead_letters(options: argparse.Namespace) -> int:
    """Write the payloads that are whole lines, and say which are not."""
    code = 0
    try:
        lines = Path(options.file).open("rb")  # noqa: SIM115  # an error while stdout is written is another one
    except OSError as error:
        print(f"error: cannot read `{options.file}`: {error.strerror}", file=sys.stderr)
        return 1
    with lines:
        for number, line in enumerate(lines, 1):
            refused = _write(line, options.step)
            if refused is not None:
                code = 1
                print(f"error: {options.file}, line {number}: {printable(refused)}", file=sys.stderr)
    return code


def _write(line: bytes, step: str | None) -> str | None:
    """Write the message of a dead letter, if its step is wanted; or say why it can't be."""
    try:
        letter = DeadLetter.from_json(line)
        payload = None if step not in {None, letter.step} else letter.message.payload
    except ValueError as error:
        return str(error)
    if payload is None:
        return None
    if b"\n" in payload:
        return f"the message from {letter.place} has a line feed in it, so it can't be a line: send it by `DeadLetter`"
    sys.stdout.buffer.write(payload + b"\n")
    return None
