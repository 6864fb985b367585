"""Steps of pipelines that are in the runtime itself, as those of an extension are in the extension."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from oxflow import _oxflow
from oxflow._extension import MadeFunction
from oxflow._payloads import Contents
from oxflow.sourcemap._symbols import SymbolCache

if TYPE_CHECKING:
    from typing import ClassVar

    from oxflow._payloads import Function, Parameter

_HOME = "oxflow.sourcemap"
_TABLES = _oxflow.own_functions()
_FUNCTIONS = {item.name: (index, item) for index, item in enumerate(
    Contents(_HOME, json.loads(_oxflow.describe_module(_TABLES, _HOME))).functions
)}  # fmt: skip
_DEFAULT_BYTES = 1 << 30


def _function(name: str) -> tuple[_oxflow.NativeFunction, Function]:
    index, function = _FUNCTIONS[name]
    return _oxflow.NativeFunction(_TABLES, index), function


class Symbolicate(MadeFunction[Any, Any]):
    """A step that gives events with stack traces the places of the sources, without the interpreter.

    It takes and gives JSON, in which `symbolicate` says what is read. What doesn't change stays as it is, byte for byte. The map of
    a script is that of the debug id which `debug_meta.images` of the event says, if the cache has it; or else the one that lies below
    `maps` by the path of the script's URL or the end of it: `app.js.oxmap`, an index, or `app.js.map`, of which an index is put into
    the cache. A map with another debug id is not that of the script. Lanes and processes may share cache and maps.

    An event that is no JSON, or whose map can't be read, is an error of the step; a script without a map is none.
    """

    __module__ = _HOME
    _unmade, _described = _function("Symbolicate")
    _parameters: ClassVar[tuple[Parameter, ...]] = tuple(_described.parameters or ())
    described = _described.described

    def __init__(
        self,
        cache: SymbolCache | str | os.PathLike[str],
        maps: str | os.PathLike[str] | None = None,
        max_bytes: int | None = None,
    ) -> None:
        """Make the step.

        Args:
            cache: a `SymbolCache`, or the folder of one.
            maps: the folder of maps, if there is one.
            max_bytes: how many bytes of indices the cache keeps, at least 1; as `cache` says, or else 1 GiB.

        Raises:
            ExtensionError: the folder of the cache can't be made.
        """
        if isinstance(cache, SymbolCache):
            max_bytes = cache.max_bytes if max_bytes is None else max_bytes
            cache = cache.folder
        super().__init__(
            cache=os.fspath(cache),
            maps=None if maps is None else os.fspath(maps),
            max_bytes=_DEFAULT_BYTES if max_bytes is None else max_bytes,
        )
