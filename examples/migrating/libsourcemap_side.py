"""Lookups with `libsourcemap`; the page on migration shows them beside those of oxflow."""

from libsourcemap import View, from_json
from lookup_data import SOURCE_MAP

view = from_json(SOURCE_MAP)
token = view.lookup_token(0, 12)
if token is not None:
    print(token.src, token.src_line, token.src_col, token.name)
print(view.get_source_count(), view.get_source_name(0), view.get_source_contents(0).decode())

with open("add.memdb", "wb") as file:
    file.write(view.dump_memdb())
again = View.from_memdb_file("add.memdb")
print(again.lookup_token(0, 20).src_line)
