"""JavaScript source maps: decode, look up, write.

    from oxflow.sourcemap import SourceMap

    source_map = SourceMap.from_path("app.min.js.map")
    token = source_map.lookup(0, 1234)
    if token is not None:
        print(token.source, token.source_line, token.source_column, token.name)

Lines and columns count from 0, columns in UTF-16 units, as in the standard, ECMA-426.
"""

from __future__ import annotations

from oxflow._oxflow import (
    Builder,
    Cache,
    GeneratedRange,
    OriginalScope,
    RamBundle,
    Scopes,
    SourceMap,
    Token,
    Tokens,
)
from oxflow.errors import (
    BadReference,
    IndexCorrupt,
    IndexVersion,
    InvalidBundle,
    InvalidField,
    InvalidIndex,
    InvalidJson,
    InvalidMappings,
    InvalidSection,
    LimitExceeded,
    SourceMapError,
    UnsupportedVersion,
)
from oxflow.sourcemap._reference import Reference, find_reference
from oxflow.sourcemap._stacks import symbolicate
from oxflow.sourcemap._steps import Symbolicate
from oxflow.sourcemap._symbols import SymbolCache

__all__ = [
    "BadReference",
    "Builder",
    "Cache",
    "GeneratedRange",
    "IndexCorrupt",
    "IndexVersion",
    "InvalidBundle",
    "InvalidField",
    "InvalidIndex",
    "InvalidJson",
    "InvalidMappings",
    "InvalidSection",
    "LimitExceeded",
    "OriginalScope",
    "RamBundle",
    "Reference",
    "Scopes",
    "SourceMap",
    "SourceMapError",
    "SymbolCache",
    "Symbolicate",
    "Token",
    "Tokens",
    "UnsupportedVersion",
    "find_reference",
    "symbolicate",
]
