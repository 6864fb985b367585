"""The same lookups with oxflow."""

from lookup_data import SOURCE_MAP

from oxflow.sourcemap import Cache, SourceMap, SourceMapError

view = SourceMap.from_bytes(SOURCE_MAP)
token = view.lookup(0, 12)
if token is not None:
    print(token.source, token.source_line, token.source_column, token.name)
print(len(view), list(view.sources))
print(view.source_content(0))

Cache.build(view, "add.oxmap")
cache = Cache.open("add.oxmap")
found = cache.lookup(0, 20)
if found is not None and found.source_line is not None and found.source_column is not None:
    print(found.source, found.source_line + 1, found.source_column + 1)
    before, line, after = cache.context(found, 1, 1) or ([], "", [])
    print([text + "\n" for text in before], line + "\n", [text + "\n" for text in after])

try:
    SourceMap.from_bytes(b"<html>")
except SourceMapError:
    print("no source map")
