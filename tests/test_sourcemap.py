"""Source maps through the public API. What the decoder itself promises is tested in the crate, with the tests of ECMA-426."""

from __future__ import annotations

import array
import base64
import gzip
import json
import mmap
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from hypothesis import given, strategies as some

import oxflow
from oxflow.sourcemap import (
    BadReference,
    InvalidJson,
    InvalidMappings,
    InvalidSection,
    LimitExceeded,
    Reference,
    SourceMap,
    SourceMapError,
    Token,
    UnsupportedVersion,
    find_reference,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Not typed: a type checker finds it before oxflow does.
UP: Any = "up"
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
CONTENT = "function add(a, b) {\n  return a + b;\n}\n"


def made(**more: Any) -> bytes:
    """A map of two lines: `add` at 0:9, its body at 0:20, and a second line without a source."""
    fields: dict[str, Any] = {
        "version": 3,
        "file": "out.js",
        "sourceRoot": "src",
        "sources": ["add.js", None],
        "sourcesContent": [CONTENT, None],
        "names": ["add"],
        "mappings": "AAAA,SAASA,WACP;A",
        "ignoreList": [1],
        "debugId": "85314830-023f-4cf1-a267-535f4e37bb17",
    }
    return json.dumps(fields | more).encode()


def sections(offset: tuple[int, int], mappings: str) -> bytes:
    """An index map of one section that begins at `offset`."""
    place = {"line": offset[0], "column": offset[1]}
    section = {"version": 3, "sources": ["a"], "names": [], "mappings": mappings}
    return json.dumps({"version": 3, "sections": [{"offset": place, "map": section}]}).encode()


def vlq(value: int) -> str:
    """A value as a peer would write it."""
    rest = -value << 1 | 1 if value < 0 else value << 1
    text = ""
    while True:
        digit, rest = rest & 31, rest >> 5
        text += DIGITS[digit | 32 if rest else digit]
        if not rest:
            return text


def test_a_token_says_where_a_place_comes_from() -> None:
    source_map = SourceMap.from_bytes(made(), strict=True)
    token = source_map.lookup(0, 12)
    assert token is not None
    assert (token.source, token.source_line, token.source_column, token.name) == ("src/add.js", 0, 9, "add")
    assert (token.line, token.column, token.source_index, token.name_index, token.ignored) == (0, 9, 0, 0, False)
    assert token == source_map.lookup(0, 9)
    assert token != source_map.lookup(0, 0)
    assert repr(token) == ("Token(line=0, column=9, source='src/add.js', source_line=0, source_column=9, name='add')")


def test_a_map_shows_what_is_in_it() -> None:
    source_map = SourceMap.from_bytes(made())
    assert source_map.sources == ("src/add.js", None)
    assert source_map.names == ("add",)
    assert source_map.source_content(0) == source_map.source_content("src/add.js") == CONTENT
    assert source_map.source_content(1) is source_map.source_content("elsewhere.js") is None
    assert (source_map.ignored(1), source_map.ignored(0), source_map.ignored("src/add.js")) == (True, False, False)
    assert (source_map.file, source_map.debug_id) == ("out.js", "85314830-023f-4cf1-a267-535f4e37bb17")
    assert (len(source_map), source_map.line_count, source_map.warnings) == (4, 2, [])
    assert repr(source_map) == "<SourceMap of 4 segments and 2 sources>"


def test_a_lookup_never_crosses_a_line() -> None:
    source_map = SourceMap.from_bytes(made(mappings=";SAAA;;"))
    assert source_map.lookup(0, 50) is source_map.lookup(1, 8) is source_map.lookup(2, 0) is None
    assert source_map.lookup(1, 10, bias="lub") is source_map.lookup(0, 0, bias="lub") is None
    after = source_map.lookup(1, 3, bias="lub")
    assert after is not None
    assert (after.line, after.column) == (1, 9)
    with pytest.raises(ValueError, match='`bias` is "glb" or "lub", not "up"'):
        source_map.lookup(0, 0, bias=UP)


@pytest.mark.parametrize("number", [-1, -(2**40), 2**32, 2**63, 10**30])
def test_negative_and_huge_positions_have_no_token(number: int) -> None:
    source_map = SourceMap.from_bytes(made())
    assert source_map.lookup(number, 0) is None
    assert source_map.lookup(0, -1) is None
    assert source_map.lookup(1, number) is None or number > 0
    assert not source_map.generated_for(0, number, 0)


def test_the_context_of_a_token_is_lines_of_its_source() -> None:
    source_map = SourceMap.from_bytes(made())
    token = source_map.lookup(0, 20)
    assert token is not None
    assert source_map.context(token, before=1, after=1) == (["function add(a, b) {"], "  return a + b;", ["}"])
    assert source_map.context(token, 0, 0) == ([], "  return a + b;", [])
    bare = source_map.lookup(1, 0)
    assert bare is not None
    assert source_map.context(bare) is None


def test_the_way_back_gives_every_place() -> None:
    source_map = SourceMap.from_bytes(made(mappings="AAAA,EAAA,EAAE;AAAF"))
    places = source_map.generated_for("src/add.js", 0, 1, all=True)
    assert [(token.line, token.column) for token in places] == [(0, 0), (0, 2), (1, 0)]
    assert [(token.line, token.column) for token in source_map.generated_for(0, 0, 1)] == [(0, 0)]
    assert source_map.generated_for(0, 7, 0) == source_map.generated_for("none.js", 0, 0) == []


def test_any_buffer_is_read(tmp_path: Path) -> None:
    data = made()
    path = tmp_path / "out.js.map"
    path.write_bytes(b"\xef\xbb\xbf)]}'\n" + data)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        buffers: list[Any] = [data, bytearray(data), memoryview(data), memoryview(bytearray(data)), mapped]
        maps = [SourceMap.from_bytes(buffer) for buffer in buffers]
    for source_map in [*maps, SourceMap.from_path(path), SourceMap.from_path(str(path))]:
        assert source_map.to_json() == maps[0].to_json()
        assert source_map.source_content(0) == CONTENT


def test_what_changes_later_changes_no_map() -> None:
    data = bytearray(made())
    source_map = SourceMap.from_bytes(data)
    data[:] = b" " * len(data)
    assert source_map.names == ("add",)


def test_a_map_comes_back_from_its_json() -> None:
    written = SourceMap.from_bytes(made()).to_json()
    wanted = json.loads(made(sources=["src/add.js", None]))
    del wanted["sourceRoot"]
    assert json.loads(written) == wanted
    assert SourceMap.from_bytes(written, strict=True).to_json() == written


def test_sections_are_one_map() -> None:
    section = {"version": 3, "sources": ["a.js"], "names": ["n"], "mappings": "AAAAA;C"}
    sections = [
        {"offset": {"line": line, "column": 4}, "map": section | {"sources": [f"{line}.js"]}} for line in (0, 3)
    ]
    source_map = SourceMap.from_bytes(json.dumps({"version": 3, "sections": sections}).encode(), strict=True)
    found = [source_map.lookup(line, column) for line, column in [(0, 3), (0, 4), (1, 1), (3, 3), (3, 9)]]
    assert [(token.line, token.column, token.source) if token else None for token in found] == [
        None, (0, 4, "0.js"), (1, 1, None), None, (3, 4, "3.js"),
    ]  # fmt: skip
    again = SourceMap.from_bytes(source_map.to_json(), strict=True)
    assert (again.sources, again.names, len(again)) == (("0.js", "3.js"), ("n", "n"), 4)


REFUSED: list[tuple[bytes, type[SourceMapError], dict[str, Any]]] = [
    (b"", InvalidJson, {"line": 1, "column": 1}),
    (b'{"version": 3,\n "mappings": x}', InvalidJson, {"line": 2, "column": 14}),
    (b"\xff", InvalidJson, {"line": 1, "column": 1}),
    (made(version=2), UnsupportedVersion, {"found": "2"}),
    (made(mappings="AAAA,A!"), InvalidMappings, {"offset": 6, "line": 0, "segment": 1}),
    (
        made(mappings="AAAA;;AA"),
        InvalidMappings,
        {"offset": 6, "line": 2, "reason": "a segment has 1, 4 or 5 fields, not 2"},
    ),
    (made(mappings="AAAA;D"), InvalidMappings, {"reason": "the generated column becomes negative"}),
    (
        made(mappings="AAAA" + ",CAAA" * 99_999 + ",g"),
        InvalidMappings,
        {"offset": 4 + 5 * 99_999 + 1, "segment": 100_000},
    ),
    (b'{"version": 3, "sections": [{}]}', InvalidSection, {"index": 0}),
    (sections((0, 2**31 - 2), "AAAA,E"), InvalidSection, {"index": 0}),
    (sections((2**31 - 2, 0), "AAAA;;A"), InvalidSection, {"index": 0}),
]
STRICT: list[tuple[bytes, type[SourceMapError], dict[str, Any]]] = [
    (made(version="3"), UnsupportedVersion, {"found": '"3"'}),
    (made(file=1), InvalidJson, {}),
    (made(names=[1]), InvalidJson, {}),
    (made(mappings="AEAA"), BadReference, {"kind": "source", "index": 2, "limit": 2}),
    (made(mappings="AAAAC"), BadReference, {"kind": "name", "index": 1, "limit": 1}),
    (made(ignoreList=[2]), BadReference, {"index": 2, "limit": 2}),
    (made(mappings="A,,A"), InvalidMappings, {"offset": 2, "segment": 1}),
    (made(mappings="B"), InvalidMappings, {"offset": 0, "reason": "a value is minus zero"}),
]


def refused(data: bytes, error: type[SourceMapError], fields: dict[str, Any], **options: Any) -> None:
    with pytest.raises(error) as caught:
        SourceMap.from_bytes(data, **options)
    assert type(caught.value) is error
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, oxflow.OxflowError)
    assert {name: getattr(caught.value, name) for name in fields} == fields
    assert caught.value.code in str(caught.value)


@pytest.mark.parametrize(("data", "error", "fields"), REFUSED + STRICT)
def test_an_error_says_what_is_wrong_and_where(
    data: bytes, error: type[SourceMapError], fields: dict[str, Any]
) -> None:
    refused(data, error, fields, strict=True)


@pytest.mark.parametrize(("data", "error", "fields"), REFUSED)
def test_what_cannot_be_mended_is_refused_without_strict_as_well(
    data: bytes, error: type[SourceMapError], fields: dict[str, Any]
) -> None:
    refused(data, error, fields)


@pytest.mark.parametrize("data", [data for data, _, _ in STRICT])
def test_what_can_be_mended_is_told(data: bytes) -> None:
    assert len(SourceMap.from_bytes(data).warnings) == 1


def test_limits_are_errors() -> None:
    data = made()
    refused(data, LimitExceeded, {"what": "the size of the map in bytes", "limit": 10}, max_bytes=10)
    refused(data, LimitExceeded, {"what": "the number of segments", "limit": 3}, max_segments=3)
    refused(b'{"a": ' + b"[" * 200 + b"]" * 200 + b"}", LimitExceeded, {"limit": 128})
    assert len(SourceMap.from_bytes(data, max_segments=4, max_bytes=len(data))) == 4
    rooted = b'{"version": 3, "sourceRoot": "root", "sources": ["a", "b"], "names": ["n"], "mappings": ""}'
    refused(rooted, LimitExceeded, {"what": "the number of sources, contents and names", "limit": 2}, max_strings=2)
    refused(
        rooted, LimitExceeded, {"what": "the size of all sources and names in bytes", "limit": 10}, max_string_bytes=10
    )
    assert SourceMap.from_bytes(rooted, max_strings=3, max_string_bytes=11).sources == ("root/a", "root/b")


def test_a_source_is_found_by_its_name_the_first_of_several() -> None:
    source_map = SourceMap.from_bytes(
        b'{"version": 3, "sources": [null, "a", "b", "a"], "sourcesContent": [null, "1", "2", "3"], "names": [], "mappings": ""}'
    )
    assert [source_map.source_content(name) for name in ("a", "b", "c")] == ["1", "2", None]


def integers(kind: str, values: list[int]) -> Any:
    """Them as a list, a tuple, or an array of C integers."""
    return values if kind == "list" else tuple(values) if kind == "tuple" else array.array(kind, values)


@pytest.mark.parametrize("kind", [*"hHiIlLqQ", "list", "tuple"])
def test_many_lookups_take_integers_of_any_kind(kind: str) -> None:
    source_map = SourceMap.from_bytes(made())
    tokens = source_map.lookup_many(integers(kind, [0, 1, 0, 9]), integers(kind, [12, 5, 21, 0]))
    assert (len(tokens), tokens.sources.tolist(), tokens.names.tolist()) == (4, [0, -1, 0, -1], [0, -1, -1, -1])
    assert (tokens.source_lines.tolist(), tokens.source_columns.tolist()) == ([0, -1, 1, -1], [9, -1, 2, -1])


def test_many_lookups_refuse_what_are_no_positions() -> None:
    source_map = SourceMap.from_bytes(made())
    with pytest.raises(ValueError, match="there are 1 lines and 2 columns"):
        source_map.lookup_many([0], [0, 0])
    with pytest.raises(TypeError, match="must be integers, not a buffer of format `d`"):
        source_map.lookup_many(array.array("d", [0.0]), [0])
    assert source_map.lookup_many([-1, 0, 2**40], [0, -1, 0]).sources.tolist() == [-1, -1, -1]
    assert len(source_map.lookup_many([], [])) == 0


STEP = some.tuples(
    some.integers(0, 3), some.integers(0, 70_000), some.integers(0, 1), some.integers(0, 900), some.booleans()
)


@given(
    some.lists(STEP, max_size=150),
    some.lists(some.tuples(some.integers(-1, 200), some.integers(-1, 99_999)), max_size=50),
)
def test_many_lookups_answer_as_single_ones(
    steps: list[tuple[int, int, int, int, bool]], more: list[tuple[int, int]]
) -> None:
    text, positions, at = "", list(more), [0, 0]
    last_source = last_line = 0
    for index, (down, right, source, line, named) in enumerate(steps):
        text += ";" * down + ("," if index and not down else "")
        text += vlq(right) + vlq(source - last_source) + vlq(line - last_line) + "A" + ("A" if named else "")
        at = [at[0] + down, right if down else at[1] + right]
        last_source, last_line = source, line
        positions += [(at[0], at[1]), (at[0], at[1] + 1), (at[0], at[1] - 1)]
    source_map = SourceMap.from_bytes(made(mappings=text), strict=True)
    assert len(source_map) == len(steps)
    single = [source_map.lookup(line, column) for line, column in positions]
    many = source_map.lookup_many([line for line, _ in positions], [column for _, column in positions])
    fields = zip(many.sources, many.source_lines, many.source_columns, many.names, strict=True)
    for token, answer in zip(single, fields, strict=True):
        wanted: tuple[int | None, ...] = (None,) * 4
        if token is not None:
            wanted = (token.source_index, token.source_line, token.source_column, token.name_index)
        assert tuple(-1 if value is None else value for value in wanted) == answer


def test_threads_share_a_map() -> None:
    source_map = SourceMap.from_bytes(made(mappings="AAAAA" + ",CACAA" * 5000))

    def find(column: int) -> Token | None:
        return source_map.lookup(0, column)

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(find, range(5000)))
    assert [token.source_line for token in found if token] == list(range(5000))
    assert {token.name for token in found if token} == {"add"}


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_compressed_maps_are_unpacked_up_to_the_limit(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    data = made(file="x" * 10_000)
    packed = pack(data)
    assert SourceMap.from_bytes(packed).to_json() == SourceMap.from_bytes(data).to_json()
    (tmp_path / "map").write_bytes(packed)
    assert len(SourceMap.from_path(tmp_path / "map")) == 4
    refused(packed, LimitExceeded, {"limit": 9_000}, max_bytes=9_000)
    refused(packed[:-9], InvalidJson, {})


def test_brotli_is_told_by_the_sender(tmp_path: Path) -> None:
    # Without compression: a block as it is, and the end.
    data = b'{"version":3,"sources":[],"mappings":"A"}'
    packed = bytes([0x0B, (len(data) - 1) >> 1, 0x80]) + data + b"\x03"
    assert len(SourceMap.from_bytes(packed, encoding="br")) == 1
    (tmp_path / "map.br").write_bytes(packed)
    assert len(SourceMap.from_path(tmp_path / "map.br")) == 1
    with pytest.raises(ValueError, match='`encoding` is "gzip", "zstd", "br" or "identity", not "rot13"'):
        SourceMap.from_bytes(data, encoding="rot13")


def test_code_says_where_its_map_is() -> None:
    code = b"a();\n//# debugId=85314830\n//# sourceMappingURL=a.js.map\n"
    assert find_reference(code) == Reference("a.js.map", "85314830")
    assert find_reference(code, {"X-SourceMap": "/b.map"}) == Reference("/b.map", "85314830")
    assert find_reference(b"a();", {"sourcemap": "/b.map"}) == Reference("/b.map")
    assert find_reference(memoryview(b"a();")) is find_reference(b"", {"Content-Type": "text/html"}) is None


def test_a_data_url_is_read() -> None:
    url = "data:application/json;base64," + base64.b64encode(made()).decode()
    reference = find_reference(f"a();\n//# sourceMappingURL={url}".encode())
    assert reference is not None
    assert reference.is_data
    assert SourceMap.from_data_url(reference.url, strict=True).names == ("add",)
    with pytest.raises(LimitExceeded):
        SourceMap.from_data_url(reference.url, max_bytes=20)
    with pytest.raises(InvalidJson, match="does not begin with `data:`"):
        SourceMap.from_data_url("a.js.map")
