"""Index files of source maps through the public API. What every flipped byte does is tested in the crate."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from typing import TYPE_CHECKING, Any

import pytest

from oxflow.sourcemap import Cache, IndexCorrupt, IndexVersion, InvalidIndex, InvalidMappings, SourceMap

if TYPE_CHECKING:
    from pathlib import Path

MAP: dict[str, Any] = {
    "version": 3,
    "sources": ["a.js", None],
    "sourcesContent": ["one\ntwo\nthree\n" * 500, None],
    "names": ["n", "m"],
    "ignoreList": [0],
    "debugId": "85314830-023f-4cf1-a267-535f4e37bb17",
    "mappings": "AAAAA,EACAC" + ",CACA" * 900 + ";A",
}
DATA = json.dumps(MAP).encode()
# Not typed: a type checker finds it before oxflow does.
UNKNOWN: Any = "lz4"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    place = tmp_path / "app.oxmap"
    Cache.build(DATA, place)
    return place


def shown(source_map: SourceMap) -> list[Any]:
    tokens = [source_map.lookup(line, column) for line in range(3) for column in range(0, 1000, 7)]
    fields = [
        (token.source, token.source_line, token.source_column, token.name, token.ignored) if token else None
        for token in tokens
    ]
    many = source_map.lookup_many([0, 0, 1], [5, 900, 3])
    about = [source_map.sources, source_map.names, source_map.source_content(0), source_map.debug_id, len(source_map)]
    return [fields, about, many.source_lines.tolist(), source_map.to_json(), source_map.line_count]


def test_an_index_answers_as_its_map(path: Path) -> None:
    source_map = SourceMap.from_bytes(DATA)
    wanted = shown(source_map)
    opened = [Cache.open(path), Cache.open(str(path), mmap=False), Cache.open(path.read_bytes(), verify=True)]
    for cache in opened:
        assert isinstance(cache, SourceMap)
        assert shown(cache) == wanted
        token = cache.lookup(0, 2)
        assert token is not None
        assert cache.context(token, 1, 1) == (["one"], "two", ["three"])
    assert repr(opened[0]) == "<Cache of 903 segments and 2 sources>"


@pytest.mark.parametrize("content", ["zstd", "raw", "none"])
def test_contents_are_kept_as_wanted(tmp_path: Path, content: Any) -> None:
    Cache.build(SourceMap.from_bytes(DATA), tmp_path / "x", content=content, durable=False)
    kept = Cache.open(tmp_path / "x").source_content(0)
    assert kept == (None if content == "none" else MAP["sourcesContent"][0])
    assert ((tmp_path / "x").stat().st_size > len(DATA)) == (content == "raw")


def test_what_cannot_be_written_leaves_what_was_there(path: Path, tmp_path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(InvalidMappings):
        Cache.build(DATA.replace(b"AAAAA", b"AAA!A"), path)
    with pytest.raises(ValueError, match='`content` is "zstd", "raw" or "none", not "lz4"'):
        Cache.build(DATA, path, content=UNKNOWN)
    with pytest.raises(OSError, match=r"the index can't be written|No such file"):
        Cache.build(DATA, tmp_path / "no" / "folder")
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["app.oxmap"]


def test_damage_is_an_error_when_it_is_met(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.rindex(b"CACA")] ^= 1
    damaged = bytes(data)
    with pytest.raises(IndexCorrupt) as caught:
        Cache.open(damaged, verify=True)
    assert isinstance(caught.value, InvalidIndex)
    assert caught.value.what == "a section"
    cache = Cache.open(damaged)
    assert cache.names == ("n", "m")
    with pytest.raises(IndexCorrupt, match="OXF0808"):
        cache.to_json()


@pytest.mark.parametrize("data", [b"", b"OXFMAP\x1a\n", DATA, b"\0" * 4096])
def test_what_is_no_index_is_refused(data: bytes) -> None:
    with pytest.raises(IndexCorrupt):
        Cache.open(data)


def test_a_missing_file_is_an_oserror(tmp_path: Path) -> None:
    for mmap in (True, False):
        with pytest.raises(FileNotFoundError):
            Cache.open(tmp_path / "none", mmap=mmap)


def test_an_index_of_another_format_says_so(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[8] = 7
    data[60:64] = zlib.crc32(data[:60]).to_bytes(4, "little")
    with pytest.raises(IndexVersion) as caught:
        Cache.open(data)
    assert caught.value.found == 7


def test_another_process_opens_the_same_file(path: Path) -> None:
    program = "import sys; from oxflow.sourcemap import Cache; print(Cache.open(sys.argv[1]).lookup(0, 3).source_line)"
    answer = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert answer.stdout == "2\n"
