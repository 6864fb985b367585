"""The same lookups with oxflow."""

from lookup_data import SOURCE_MAP

from oxflow.sourcemap import Cache, SourceMap

view = SourceMap.from_bytes(SOURCE_MAP)
token = view.lookup(0, 12)
if token is not None:
    print(token.source, token.source_line, token.source_column, token.name)
print(len(view.sources), view.sources[0], view.source_content(0))

Cache.build(view, "add.oxmap")
again = Cache.open("add.oxmap")
found = again.lookup(0, 20)
if found is not None:
    print(found.source_line)
