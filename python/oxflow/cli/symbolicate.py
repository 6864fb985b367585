"""`oxflow symbolicate`: a stack trace of minified code, as it was written."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from oxflow import _oxflow

if TYPE_CHECKING:
    import argparse


def symbolicate_file(options: argparse.Namespace) -> int:
    """Print a stack trace, or JSON with some in it, with the places of the sources."""
    try:
        text = sys.stdin.read() if options.file == "-" else Path(options.file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        print(f"error: cannot read `{options.file}`: {error}", file=sys.stderr)
        return 2
    folder = Path(options.maps)
    if not folder.is_dir():
        print(f"error: `--maps {options.maps}` is no folder", file=sys.stderr)
        return 2
    try:
        json.loads(text)
    except ValueError:
        # A trace as a browser prints it.
        print(_oxflow.symbolicated_text(text.rstrip("\n"), folder))
        return 0
    except RecursionError:
        print(f"error: the JSON of `{options.file}` is nested too deeply: it can be 512 deep", file=sys.stderr)
        return 1
    changed = json.loads(_oxflow.symbolicated_json(text.encode(), folder))
    print(changed if isinstance(changed, str) else json.dumps(changed, ensure_ascii=False, indent=2))
    return 0
