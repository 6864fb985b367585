"""Finds the pipeline that the command line names.

`FILE.py` is imported as a top-level module with its folder first on `sys.path`, as if Python had been started with it:
neighbouring modules can be imported, and functions can be found again by their reference.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxflow.definition import NAME_ONE, read_pipeline
from oxflow.errors import Diagnostic, OxflowError, PlanError
from oxflow.pipeline import Pipeline

if TYPE_CHECKING:
    from types import ModuleType

_DEFAULT_NAME = "pipeline"
_YAML = (".yaml", ".yml")


class TargetImportError(PlanError):
    """The target raised when it was imported; what it raised is `__cause__`."""

    @classmethod
    def of(cls, target: str, cause: Exception) -> TargetImportError:
        """Name what was raised."""
        why = "".join(traceback.format_exception_only(cause)).strip()
        return cls(Diagnostic("OXF0108", f"`{target}` raised when it was imported", why=why))


def load(target: str) -> Pipeline[Any]:
    """Import a pipeline.

    Args:
        target: `FILE.py`, `FILE.py:name`, `module:object` or `FILE.yaml`.

    Raises:
        PlanError: there is no pipeline.
        TargetImportError: the module raised.
    """
    place, _, name = target.partition(":")
    if place.endswith(_YAML):
        return _yaml(target, Path(place))
    if place.endswith(".py"):
        module = _file(target, Path(place))
    elif name:
        module = _module(target, place)
    else:
        raise _missing(
            f"`{target}` is neither FILE.py nor FILE.yaml nor module:object",
            "name a file, or an object: `package.module:pipeline`",
        )
    return _pipeline(module, name or _DEFAULT_NAME, place)


def _yaml(target: str, path: Path) -> Pipeline[Any]:
    if not path.is_file():
        raise _missing(f"`{target}`: there is no file `{path}`", NAME_ONE)
    # What it names may lie beside it, as beside a pipeline in Python.
    sys.path.insert(0, str(path.resolve().parent))
    try:
        return read_pipeline(path)
    except OxflowError:
        raise
    except Exception as error:
        raise TargetImportError.of(target, error) from error


def _file(target: str, path: Path) -> ModuleType:
    if not path.is_file():
        raise _missing(f"`{target}`: there is no file `{path}`")
    path = path.resolve()
    sys.path.insert(0, str(path.parent))
    # A file may be called as a module that is loaded already, `types.py`: it must not take its place.
    name = path.stem if path.stem not in sys.modules else f"oxflow_target_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise _missing(f"`{target}`: `{path}` is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except OxflowError:
        raise
    except Exception as error:
        raise TargetImportError.of(target, error) from error
    return module


def _module(target: str, name: str) -> ModuleType:
    sys.path.insert(0, str(Path.cwd()))
    try:
        return importlib.import_module(name)
    except OxflowError:
        raise
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise _missing(f"`{target}`: there is no module `{error.name}`") from None
        raise TargetImportError.of(target, error) from error
    except Exception as error:
        raise TargetImportError.of(target, error) from error


def _pipeline(module: ModuleType, name: str, place: str) -> Pipeline[Any]:
    value: Any = getattr(module, name, None)
    pipeline: Pipeline[Any] = value
    if isinstance(value, Pipeline):
        return pipeline
    if hasattr(module, name):
        raise _missing(f"`{name}` of `{place}` is no pipeline but a `{type(value).__qualname__}`")
    pipelines = [key for key, item in vars(module).items() if isinstance(item, Pipeline)]
    near = difflib.get_close_matches(name, pipelines, n=1) or pipelines
    fix = f"did you mean `{place}:{near[0]}`?" if near else f"assign the pipeline to `{name}`"
    raise _missing(f"`{place}` has no `{name}`", fix)


def _missing(message: str, fix: str | None = None) -> PlanError:
    return PlanError(Diagnostic("OXF0108", message, fix=fix))
