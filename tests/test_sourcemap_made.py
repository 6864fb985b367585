"""Source maps that are made of others, or of nothing. What they answer is tested in the crate, against lookups one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as some

from oxflow.sourcemap import BadReference, Builder, LimitExceeded, SourceMap

UP: Any = "up"


def built(file: str | None, *segments: tuple[Any, ...], sources: tuple[str, ...] = ()) -> SourceMap:
    builder = Builder(file)
    for source in sources:
        builder.add_source(source)
    for segment in segments:
        builder.add(*segment)
    return builder.build()


def places(source_map: SourceMap) -> list[tuple[Any, ...]]:
    """All segments in the order of the generated code."""
    found = [source_map.lookup(line, column) for line in range(9) for column in range(40)]
    tokens = {(token.line, token.column): token for token in found if token is not None}
    return [
        (*at, token.source, token.source_line, token.source_column, token.name) for at, token in sorted(tokens.items())
    ]


def test_a_builder_makes_a_map() -> None:
    builder = Builder("out.js", debug_id="d")
    assert (builder.add_source("a.js", "let a;"), builder.add_source(None, ignored=True)) == (0, 1)
    assert (builder.add_source("a.js"), builder.add_name("a")) == (0, 0)
    builder.add(1, 4, "b.js", 7, 8, "b")
    builder.add(0, 0, 0, 1, 2, 0)
    builder.add(0, 9)
    source_map = builder.build()
    assert (source_map.file, source_map.debug_id) == ("out.js", "d")
    assert (source_map.sources, source_map.names) == (("a.js", None, "b.js"), ("a", "b"))
    assert (source_map.source_content(0), source_map.ignored(1)) == ("let a;", True)
    assert places(source_map) == [(0, 0, "a.js", 1, 2, "a"), (0, 9, None, None, None, None), (1, 4, "b.js", 7, 8, "b")]
    assert len(builder.build()) == 0


def test_a_builder_refuses_what_leads_nowhere() -> None:
    builder = Builder()
    with pytest.raises(BadReference, match="source 0 does not exist: there are 0"):
        builder.add(0, 0, 0)
    with pytest.raises(BadReference, match="name 3 does not exist: there are 0"):
        builder.add(0, 0, "a.js", 0, 0, 3)
    with pytest.raises(LimitExceeded, match="a line or column"):
        builder.add(0, 2**31)
    with pytest.raises(OverflowError):
        builder.add(-1, 0)
    with pytest.raises(ValueError, match="a segment with a name needs a source"):
        builder.add(0, 0, name="a")


SEGMENTS = some.lists(
    some.tuples(
        some.integers(0, 8), some.integers(0, 39), some.sampled_from(["a.js", "b.js"]), some.integers(0, 99),
        some.integers(0, 99), some.sampled_from([None, "f", "g"]),
    ),
    unique_by=lambda segment: segment[:2],
)  # fmt: skip


@given(SEGMENTS)
def test_what_is_built_comes_back_from_its_json(segments: list[tuple[Any, ...]]) -> None:
    source_map = built("x.js", *segments)
    again = SourceMap.from_bytes(source_map.to_json(), strict=True)
    assert places(source_map) == places(again) == sorted(segments, key=lambda segment: segment[:2])


def test_sections_become_one_map() -> None:
    one = {"version": 3, "sources": ["a.js"], "names": ["n"], "mappings": "AAAAA;C"}
    sections = [{"offset": {"line": line, "column": 4}, "map": one} for line in (0, 3)]
    source_map = SourceMap.from_bytes(json.dumps({"version": 3, "sections": sections}).encode())
    flat = source_map.flatten()
    assert places(flat) == places(source_map)
    assert (flat.sources, len(flat)) == (("a.js", "a.js"), 4)
    assert "sections" not in json.loads(flat.to_json())


def test_two_maps_become_one() -> None:
    minified = built("app.min.js", (0, 0, "app.js", 0, 0), (0, 5, "app.js", 0, 4, "x"), (0, 9, "lib.js", 3, 3))
    compiled = built("app.js", (0, 0, "app.ts", 10, 2, "Shop"), (0, 6, "app.ts", 11, 0))
    wanted = [(0, 0, "app.ts", 10, 2, "Shop"), (0, 5, "app.ts", 10, 2, "Shop"), (0, 9, "lib.js", 3, 3, None)]
    for composed in (minified.compose(compiled), minified.compose(compiled, 0), minified.compose(compiled, "app.js")):
        assert places(composed) == wanted
        assert (composed.sources, composed.file) == (("lib.js", "app.ts"), "app.min.js")
    with pytest.raises(ValueError, match="say with `source` which source `inner` is the map of"):
        minified.compose(built(None))
    with pytest.raises(ValueError, match=r"there is no source 'none\.js'"):
        minified.compose(compiled, "none.js")
    with pytest.raises(BadReference, match="source 7 does not exist: there are 2"):
        minified.compose(compiled, 7)


def test_an_edit_moves_segments() -> None:
    source_map = built("out.js", (0, 0, "a.js", 0, 0), (0, 10, "a.js", 0, 20, "f"))
    # A comment of two lines was put before, and six columns were cut out.
    edit = built(None, (2, 0, "out.js", 0, 0), (2, 4, "out.js", 0, 10))
    assert places(source_map.adjust(edit)) == [(2, 0, "a.js", 0, 0, None), (2, 4, "a.js", 0, 20, "f")]


def test_sources_get_other_names() -> None:
    source_map = built(None, (0, 0, 0, 0, 0, "f"), sources=("/home/me/app/a.js", "/home/me/app/lib/b.js", "c.js"))
    changed = source_map.rewrite(strip_prefixes=["/home/me/app"], sources={"c.js": "d.js"}, contents={"a.js": "a();"})
    assert changed.sources == ("a.js", "lib/b.js", "d.js")
    assert (changed.source_content("a.js"), changed.names) == ("a();", ("f",))
    bare = changed.rewrite(keep_contents=False, keep_names=False)
    assert (bare.source_content("a.js"), bare.names, places(bare)) == (None, (), [(0, 0, "a.js", 0, 0, None)])
    with pytest.raises(TypeError):
        source_map.rewrite(strip_prefixes=UP)
