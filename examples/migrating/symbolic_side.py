"""Lookups with `symbolic`; the page on migration shows them beside those of oxflow."""

from lookup_data import SCRIPT, SOURCE_MAP
from symbolic import SourceMapCache, SourceMapView, SymbolicError

view = SourceMapView.from_json_bytes(SOURCE_MAP)
token = view.lookup(0, 12)
if token is not None:
    print(token.src, token.src_line, token.src_col, token.name)
print(len(view), [name for _, name in view.iter_sources()])
print(view.get_source_contents(0))

cache = SourceMapCache.from_bytes(SCRIPT, SOURCE_MAP)
found = cache.lookup(1, 21, 1)
if found is not None:
    print(found.src, found.line, found.col)
    print(found.pre_context, found.context_line, found.post_context)

try:
    SourceMapView.from_json_bytes(b"<html>")
except SymbolicError:
    print("no source map")
