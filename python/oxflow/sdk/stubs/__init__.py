"""Stubs of Rust extension modules, written from what the compiled modules register.

Type checkers can't look into a compiled module. A stub tells them the payload types and functions that are in it; since it is
made of what the module itself says, it is never wrong about them, and `oxflow stubs --check` tells when it has become old.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from oxflow import _oxflow
from oxflow._extension import CAPSULE, PIPELINE, home_of
from oxflow._payloads import Contents
from oxflow.sdk.stubs.find import extensions, stub_of
from oxflow.sdk.stubs.text import remarks, stub_text
from oxflow.sdk.written import difference, write

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

__all__ = ["Stub", "stubs_of"]


@dataclass(frozen=True)
class Stub:
    """The stub of one extension module.

    Attributes:
        module: what users import it by.
        path: the file that it belongs to.
        text: what has to be in it.
        remarks: what it can't say as it is in Rust.
    """

    module: str
    path: Path
    text: str
    remarks: tuple[str, ...]

    def difference(self) -> str:
        """What has to change in the file, as a unified diff; empty if nothing has."""
        return difference(self.path, self.text, "what the module shows")

    def write(self) -> bool:
        """Write the file, unless it is right already; say whether it was written."""
        return write(self.path, self.text)


def stubs_of(name: str, output: Path | None = None) -> list[Stub]:
    """Make the stubs of a module: its own, or those of the extensions that it imports from below itself.

    Args:
        name: of the module; it is imported.
        output: the file to write, or the folder to write into; by default each is found by itself.

    Raises:
        ExtensionError: there is no extension of oxflow.
    """
    return [_stub(module, output) for module in extensions(name)]


def _stub(module: ModuleType, output: Path | None) -> Stub:
    home = home_of(module.__name__)
    contents = Contents(home, json.loads(_oxflow.describe_module(getattr(module, CAPSULE))))
    path = stub_of(module) if output is None else output
    if path.is_dir():
        path /= f"{home.rpartition('.')[2]}.pyi"
    return Stub(home, path, stub_text(home, contents, has_pipeline=hasattr(module, PIPELINE)), tuple(remarks(contents)))
