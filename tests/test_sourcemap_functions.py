"""What functions are called at places of generated code, and what else maps of React Native say."""

from __future__ import annotations

import json
import struct
import threading
from typing import TYPE_CHECKING, Any

import pytest

from oxflow.sourcemap import (
    BadReference,
    Cache,
    InvalidBundle,
    InvalidField,
    LimitExceeded,
    RamBundle,
    SourceMap,
    SourceMapError,
)

if TYPE_CHECKING:
    from pathlib import Path

# `outer` on line 0, in it `inner` from column 4 to 9.
SCOPES: dict[str, Any] = {
    "version": 3,
    "sources": ["a.js"],
    "names": ["outer", "inner", "x", "x1"],
    "mappings": "AAAA",
    "scopes": "BFAAA,DE,BFBCC,CBC,CBA,EGAA,GE,HAAGA,EGEC,FF,FF",
}
HERMES: dict[str, Any] = {
    "version": 3,
    "sources": ["a.js"],
    "names": [],
    "mappings": "AAAA,UACA",
    "x_facebook_sources": [[{"names": ["<global>", "pay"], "mappings": "AAA,ACC"}]],
    "x_facebook_offsets": [None, 12],
    "x_hermes_function_offsets": {"0": [0, 128]},
}
# `t` is `Shop`, `n` is `pay`.
PLAIN: dict[str, Any] = {"version": 3, "sources": ["a.js"], "names": ["Shop", "pay"], "mappings": "AAAAA,YAAAC"}
SCRIPT = b"t.prototype.n=function(){throw 1}"


def read(fields: dict[str, Any], **options: Any) -> SourceMap:
    return SourceMap.from_bytes(json.dumps(fields).encode(), **options)


def both(fields: dict[str, Any], folder: Path, **options: Any) -> list[SourceMap]:
    """The map, and its index."""
    source_map = read(fields, strict=True)
    Cache.build(source_map, folder / "index", **options)
    return [source_map, Cache.open(folder / "index")]


def test_functions_are_those_of_the_scopes(tmp_path: Path) -> None:
    for source_map in both(SCOPES, tmp_path):
        found = [source_map.function_at(0, column) for column in (0, 3, 4, 8, 9, 13, 14)]
        assert found == ["outer", "outer", "inner", "inner", "outer", "outer", None]
        assert source_map.function_at(-1, 0) is None
        assert source_map.function_at(0, 1 << 80) is None
        scopes = source_map.scopes
        assert scopes is not None
        outer, inner = scopes.originals
        assert (outer.source, outer.parent, outer.start, outer.end, outer.name) == (0, None, (0, 0), (3, 0), "outer")
        assert (outer.kind, outer.is_stack_frame, outer.variables) == (None, True, ["x"])
        assert (inner.parent, inner.start, inner.end) == (0, (1, 2), (2, 2))
        first, second = scopes.ranges
        assert (first.parent, first.start, first.end, first.definition) == (None, (0, 0), (0, 14), 0)
        assert first.bindings == [[((0, 0), "x1"), ((0, 6), None)]]
        assert (second.parent, second.start, second.end, second.definition) == (0, (0, 4), (0, 9), 1)
        assert (second.is_stack_frame, second.is_hidden, second.call_site) == (True, False, None)


def test_functions_are_those_that_metro_wrote(tmp_path: Path) -> None:
    for source_map in both(HERMES, tmp_path):
        assert [source_map.function_at(0, column) for column in (0, 10)] == ["<global>", "pay"]
        assert source_map.module_lines == [None, 12]
        assert source_map.function_offsets == {0: [0, 128]}
        assert source_map.scopes is None


def test_functions_are_those_of_the_script(tmp_path: Path) -> None:
    plain, index = both(PLAIN, tmp_path, minified=SCRIPT)
    assert plain.function_at(0, 26) is None
    assert index.function_at(0, 26) == "Shop.prototype.pay"
    for script in (SCRIPT, bytearray(SCRIPT), memoryview(SCRIPT), SCRIPT):
        assert plain.function_at(0, 26, script) == "Shop.prototype.pay"
        assert plain.function_at(0, 3, minified=script) is None
    assert plain.function_at(0, 26, b" " * 14 + b"function other(){}") == "other"
    changed = bytearray(b"function a(){}")
    assert plain.function_at(0, 9, changed) == "a"
    changed[9:10] = b"b"
    assert plain.function_at(0, 9, changed) == "b"


def test_what_the_map_says_goes_before_the_script(tmp_path: Path) -> None:
    for source_map in both(SCOPES, tmp_path, minified=SCRIPT):
        assert source_map.function_at(0, 5, SCRIPT) == "inner"


def test_a_script_that_is_nested_too_deeply_says_so() -> None:
    with pytest.raises(LimitExceeded, match="nesting of the script"):
        read(PLAIN).function_at(0, 0, b"(" * 20_000)


def test_threads_share_the_functions_of_a_map() -> None:
    source_map = read(PLAIN)
    answers: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: answers.extend(source_map.function_at(0, 26, SCRIPT) for _ in range(50)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["Shop.prototype.pay"] * 200


@pytest.mark.parametrize(
    ("field", "value", "error", "fields"),
    [
        ("scopes", "BAAA,C!", InvalidField, {"field": "scopes", "offset": 6}),
        ("scopes", "BBAAC,CAA", BadReference, {"kind": "name of a scope", "index": 1, "limit": 0}),
        ("rangeMappings", "A", InvalidField, {"field": "rangeMappings", "offset": 0}),
    ],
)
def test_a_malformed_field_is_refused_or_left_out(
    field: str, value: Any, error: type[SourceMapError], fields: dict[str, Any]
) -> None:
    source_map = {"version": 3, "sources": ["a"], "mappings": "A", field: value}
    with pytest.raises(error) as raised:
        read(source_map, strict=True)
    assert {name: getattr(raised.value, name) for name in fields} == fields
    mended = read(source_map)
    assert len(mended.warnings) == 1
    assert mended.function_at(0, 0) is None


STRANGE: list[tuple[str, Any]] = [
    ("x_facebook_sources", 1),
    ("x_facebook_sources", [[{"names": [], "mappings": "A"}]]),
    ("x_facebook_offsets", {}),
    ("x_hermes_function_offsets", []),
    ("x_google_ignoreList", ["a"]),
    ("x_google_ignoreList", [7]),
    ("debug_id", 1),
]


@pytest.mark.parametrize(
    ("field", "value"),
    STRANGE,
)
def test_what_the_standard_does_not_know_is_told_and_refuses_no_map(field: str, value: Any) -> None:
    for strict in (True, False):
        source_map = read({"version": 3, "sources": ["a"], "mappings": "A", field: value}, strict=strict)
        assert len(source_map.warnings) == 1
        assert field.replace("x_google_ignoreList", "gnoreList") in source_map.warnings[0]
        assert (source_map.function_at(0, 0), source_map.module_lines, source_map.function_offsets) == (None, [], {})


def bundle(startup: bytes, *modules: bytes | None) -> bytes:
    """A RAM bundle in one file, whose pieces of code end in zeros."""
    table, code = b"", startup + b"\0"
    for module in modules:
        if module is None:
            table += struct.pack("<II", 0, 0)
        else:
            table += struct.pack("<II", len(code), len(module) + 1)
            code += module + b"\0"
    return struct.pack("<III", 0xFB0BD1E5, len(modules), len(startup) + 1) + table + code


def test_modules_of_a_bundle_lie_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "main.jsbundle").write_bytes(bundle(b"start", b"first", None, b"third"))
    for ram in (
        RamBundle.from_bytes(bytearray(bundle(b"start", b"first", None, b"third"))),
        RamBundle.from_path(tmp_path / "main.jsbundle"),
    ):
        assert (ram.startup_code, ram.modules) == (b"start", [0, 2])
        assert [ram.module(number) for number in range(4)] == [b"first", None, b"third", None]


def test_modules_of_a_bundle_lie_in_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "js-modules"
    folder.mkdir()
    (tmp_path / "index.js").write_bytes(b"start")
    with pytest.raises(InvalidBundle, match="UNBUNDLE"):
        RamBundle.from_path(tmp_path / "index.js")
    (folder / "UNBUNDLE").write_bytes(struct.pack("<I", 0xFB0BD1E5))
    (folder / "0.js").write_bytes(b"first")
    (folder / "12.js").write_bytes(b"other")
    ram = RamBundle.from_path(tmp_path / "index.js")
    assert (ram.startup_code, ram.modules, ram.module(12), ram.module(1)) == (b"start", [0, 12], b"other", None)
    with pytest.raises(LimitExceeded):
        RamBundle.from_path(tmp_path / "index.js", max_bytes=14)
    (folder / "x.js").write_bytes(b"")
    with pytest.raises(InvalidBundle, match="NUMBER"):
        RamBundle.from_path(tmp_path / "index.js")
    with pytest.raises(OSError, match="nothing"):
        RamBundle.from_path(tmp_path / "nothing.js")


def test_a_place_in_a_module_is_one_of_the_map() -> None:
    source_map = read(HERMES | {"mappings": ";" * 13 + "AACA"})
    line = source_map.module_lines[1]
    assert line is not None
    token = source_map.lookup(line + 1, 0)
    assert token is not None
    assert (token.source, token.source_line) == ("a.js", 1)


@pytest.mark.parametrize("length", range(0, 60, 3))
def test_a_bundle_that_is_cut_short_is_refused(length: int) -> None:
    whole = bundle(b"start", b"first", None, b"third")
    assert len(whole) > 48
    if length < len(whole):
        with pytest.raises(InvalidBundle):
            RamBundle.from_bytes(whole[:length])


def test_a_bundle_that_claims_more_than_it_has_is_refused() -> None:
    for claim in (
        struct.pack("<III", 0xFB0BD1E5, 0xFFFFFFFF, 0),
        struct.pack("<III", 0xFB0BD1E5, 0, 0xFFFFFFFF),
        struct.pack("<IIIII", 0xFB0BD1E5, 1, 0, 0xFFFFFFFF, 0xFFFFFFFF),
        struct.pack("<IIIII", 0xFB0BD1E5, 1, 0, 4, 0),
    ):
        with pytest.raises(InvalidBundle):
            RamBundle.from_bytes(claim)
