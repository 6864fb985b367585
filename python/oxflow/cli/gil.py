"""`oxflow gil`: what a call costs the other threads of the process."""

from __future__ import annotations

import json
import math
import sys
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxflow._signatures import UnfitFunctionError, imported
from oxflow._terminal import printable
from oxflow._traceback import trimmed
from oxflow.cli.show import coloured
from oxflow.gil import measure

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from oxflow.gil import Impact


def gil(options: argparse.Namespace) -> int:
    """Measure a call, print what it costs, and compare with the limit."""
    sys.path.insert(0, str(Path.cwd()))
    try:
        call = _call(options.target, options.args_json)
    except UnfitFunctionError as error:
        return _tell(2, error.message, error.fix)
    try:
        impact = measure(call)
    except Exception as error:  # noqa: BLE001  # the user's code may raise anything
        print(trimmed(error), end="", file=sys.stderr)
        return _tell(
            1, f"`{options.target}` raised: {printable(''.join(traceback.format_exception_only(error)).strip())}"
        )
    print(json.dumps(_known(impact)) if options.json else _table(impact))
    limit: float | None = options.max_stall_ms
    if limit is not None and impact.longest_stall_ms > limit:
        stall = f"`{options.target}` kept other threads from the interpreter for {impact.longest_stall_ms:.1f} ms"
        return _tell(1, f"{stall}, more than {limit:g} ms", "release it around the work")
    return 0


def _call(target: str, arguments: str) -> Callable[[], object]:
    try:
        function: Any = imported(target)
    except UnfitFunctionError:
        raise
    except Exception as error:
        why = "".join(traceback.format_exception_only(error)).strip()
        raise UnfitFunctionError("OXF0105", f"`{target}` raised when it was imported: {why}") from error
    if not callable(function):
        raise UnfitFunctionError("OXF0105", f"`{target}` is a `{type(function).__name__}` and can't be called")
    try:
        given: Any = json.loads(arguments)
    except ValueError as error:
        raise UnfitFunctionError("OXF0105", f"`--args-json` is no JSON: {error}") from None
    match given:
        case list():
            return lambda: function(*given)
        case dict():
            return lambda: function(**given)
        case _:
            form = 'write a list of arguments, `[1, 2]`, or an object of named ones, `{"size": 1}`'
            raise UnfitFunctionError("OXF0105", f"`--args-json` is neither a list nor an object: `{arguments}`", form)


def _known(impact: Impact) -> dict[str, float | None]:
    """JSON has no NaN."""
    return {name: None if math.isnan(value) else value for name, value in asdict(impact).items()}


def _table(impact: Impact) -> str:
    lines = [
        ("the call", f"{impact.call_s * 1000:.1f} ms, {impact.cpu_s * 1000:.1f} ms of processor time"),
        ("beside another thread", f"{impact.call_slowdown:.2f} x the time alone"),
        ("share left to others", f"{impact.share:.0%}"),
        ("longest stall", f"{impact.longest_stall_ms:.1f} ms"),
        (
            "wake-up, 99 of 100",
            f"{impact.wake_up_p99_ms:.1f} ms, {impact.alone_wake_up_p99_ms:.1f} ms without the call",
        ),
    ]
    if not impact.gil_enabled:
        lines.append(("interpreter lock", "none: this Python is free-threaded"))
    return "\n".join(f"{name:<22} {figure}" for name, figure in lines)


def _tell(code: int, what: str, fix: str | None = None) -> int:
    print(coloured(f"error: {what}" + (f"\n  fix: {fix}" if fix else ""), sys.stderr), file=sys.stderr)
    return code
