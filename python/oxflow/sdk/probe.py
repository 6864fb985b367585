"""Looks into an extension module in a process of its own: `python -m oxflow.sdk.probe MODULE` prints a line of JSON.

To import a module runs its code, which may raise, print, or take the process down; whoever asks shall outlive that.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

from oxflow import _oxflow
from oxflow._extension import CAPSULE
from oxflow.errors import OxflowError

MARK = "oxflow.sdk.probe: "


def look(name: str) -> dict[str, Any]:
    """Import a module and say what it was built with.

    Returns:
        `parts`: file, ABI, SDK and profile of each extension in it; or `error`, and `fix` where one is known.
    """
    try:
        importlib.import_module(name)
        inside = [module for key, module in sys.modules.items() if f"{key}.".startswith(f"{name}.")]
        return {"parts": [_part(module) for module in inside if hasattr(module, CAPSULE)]}
    except OxflowError as error:
        first = error.diagnostics[0]
        return {"error": f"{first.message}: {first.why}" if first.why else first.message, "fix": first.fix}
    except BaseException as error:  # noqa: BLE001  # also a `SystemExit` that a module raises is what it does
        return {"error": f"it raised {type(error).__name__}: {error}"}


def _part(module: Any) -> dict[str, Any]:
    described = json.loads(_oxflow.describe_module(getattr(module, CAPSULE)))
    file = getattr(module, "__file__", None)
    return {"file": file, "abi": described["abi"], "sdk": described["sdk"], "debug": described["debug"]}


def main(name: str) -> None:
    """Print what is in a module, in a line that is told from what the module prints itself."""
    sys.stdout.write(f"\n{MARK}{json.dumps(look(name))}\n")


if __name__ == "__main__":
    main(sys.argv[1])
