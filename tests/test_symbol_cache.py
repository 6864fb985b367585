"""A folder of index files that threads and processes share."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from oxflow.sourcemap import InvalidMappings, SymbolCache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from oxflow.sourcemap import Cache

# Notes each load in a file, and waits until the others had the time to ask for the same.
PROGRAM = """
import os, sys
from oxflow.sourcemap import SymbolCache

def load():
    with open(sys.argv[2], "a") as file:
        file.write("loaded\\n")
    return b'{"version": 3, "sources": ["a.js"], "mappings": "AAAA"}'

print("ready", flush=True)
sys.stdin.readline()
print(SymbolCache(sys.argv[1], 10**6).get("key", load).lookup(0, 0).source)
"""


def made(source: str, mappings: str = "AAAA") -> Callable[[], bytes]:
    return lambda: json.dumps({"version": 3, "sources": [source], "names": [], "mappings": mappings}).encode()


def source_of(cache: Cache) -> str | None:
    token = cache.lookup(0, 0)
    return token.source if token else None


def never() -> bytes:
    raise AssertionError("it is there already")


def test_an_index_is_built_once_and_found_again(tmp_path: Path) -> None:
    symbols = SymbolCache(tmp_path / "a" / "b", 10**6)
    assert source_of(symbols.get("one", made("1.js"))) == "1.js"
    assert source_of(symbols.get("../two/\0", made("2.js"))) == "2.js"
    again = SymbolCache(str(tmp_path / "a" / "b"), 10**6)
    assert source_of(again.get("one", never)) == "1.js"
    assert source_of(again.get("../two/\0", never)) == "2.js"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_what_was_used_longest_ago_is_removed(tmp_path: Path) -> None:
    symbols = SymbolCache(tmp_path, 10**6)
    symbols.get("one", made("1.js"))
    size = symbols.size_bytes
    symbols = SymbolCache(tmp_path, 2 * size + size // 2)
    symbols.get("two", made("2.js"))
    # Times of files are coarse on some systems.
    for age, path in enumerate(sorted(tmp_path.glob("*.oxmap"), key=lambda path: path.stat().st_mtime_ns)):
        os.utime(path, (1000 + age, 1000 + age))
    kept = symbols.get("one", never)
    symbols.get("three", made("3.js"))
    assert symbols.size_bytes <= 2 * size + size // 2
    assert source_of(symbols.get("one", never)) == "1.js"
    assert source_of(symbols.get("two", made("2 again.js"))) == "2 again.js"
    symbols.discard("one")
    symbols.discard("one")
    assert source_of(kept) == "1.js"
    assert source_of(symbols.get("one", made("new.js"))) == "new.js"
    with pytest.raises(ValueError, match="`max_bytes` is at least 1, not 0"):
        SymbolCache(tmp_path, 0)


def test_a_map_larger_than_the_limit_is_kept_until_the_next(tmp_path: Path) -> None:
    symbols = SymbolCache(tmp_path, 1)
    symbols.get("one", made("1.js"))
    assert source_of(symbols.get("one", never)) == "1.js"
    symbols.get("two", made("2.js"))
    assert source_of(symbols.get("one", made("again.js"))) == "again.js"


def test_a_damaged_file_is_built_anew(tmp_path: Path) -> None:
    symbols = SymbolCache(tmp_path, 10**6)
    symbols.get("one", made("1.js"))
    next(tmp_path.glob("*.oxmap")).write_bytes(b"half")
    assert source_of(symbols.get("one", made("anew.js"))) == "anew.js"


def test_what_cannot_be_loaded_is_tried_again(tmp_path: Path) -> None:
    symbols = SymbolCache(tmp_path, 10**6)
    with pytest.raises(InvalidMappings):
        symbols.get("one", made("1.js", mappings="!"))
    with pytest.raises(AssertionError):
        symbols.get("one", never)
    assert source_of(symbols.get("one", made("1.js"))) == "1.js"


@pytest.mark.parametrize("other", ["one", "two"])
def test_a_map_may_be_asked_for_while_another_is_loaded(tmp_path: Path, other: str) -> None:
    symbols = SymbolCache(tmp_path, 10**6)
    inner: list[str | None] = []

    def load() -> bytes:
        inner.append(source_of(symbols.get(other, made("inner.js"))))
        return made("outer.js")()

    assert source_of(symbols.get("one", load)) == "outer.js"
    assert inner == ["inner.js"]


def test_threads_that_ask_for_what_the_other_loads_do_not_wait_for_ever(tmp_path: Path) -> None:
    symbols = SymbolCache(tmp_path, 10**6)
    both = Barrier(2)

    def load(source: str, other: str) -> bytes:
        both.wait()
        assert symbols.get(other, made(source)) is not None
        return made(source)()

    # Keys share locks, of which there are 64; these two have different ones.
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(symbols.get, "a", lambda: load("a.js", "b"))
        two = threads.submit(symbols.get, "b", lambda: load("b.js", "a"))
        # Each is built by both, and who comes last is chance.
        assert {source_of(one.result()), source_of(two.result())} <= {"a.js", "b.js"}


def test_what_killed_processes_left_counts_and_is_removed(tmp_path: Path) -> None:
    symbols = SymbolCache(tmp_path, 10**6)
    symbols.get("one", made("1.js"))
    size = symbols.size_bytes
    left, being_written = tmp_path / "ab.oxmap.7-0.tmp", tmp_path / "cd.oxmap.8-0.tmp"
    left.write_bytes(b"x" * 1000)
    being_written.write_bytes(b"y" * 100)
    os.utime(left, (1000, 1000))
    assert symbols.size_bytes == size + 1100
    symbols.get("two", made("2.js"))
    assert not left.exists()
    assert being_written.exists()
    assert symbols.size_bytes == 2 * size + 100


def test_an_index_that_cannot_be_written_names_its_place(tmp_path: Path) -> None:
    symbols = SymbolCache(tmp_path / "folder", 10**6)

    def load() -> bytes:
        for path in (tmp_path / "folder").iterdir():
            path.unlink()
        (tmp_path / "folder").rmdir()
        return made("1.js")()

    with pytest.raises(OSError, match=r"folder/[0-9a-f]{64}\.oxmap`: the index can't be written: "):
        symbols.get("one", load)


def test_threads_that_ask_at_once_build_once(tmp_path: Path) -> None:
    symbols = SymbolCache(tmp_path, 10**6)
    begin = Barrier(8)
    loads: list[int] = []

    def load() -> bytes:
        loads.append(1)
        return made("1.js")()

    def ask(_number: int) -> str | None:
        begin.wait()
        return source_of(symbols.get("one", load))

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(ask, range(8))) == ["1.js"] * 8
    assert loads == [1]


def test_processes_that_ask_at_once_build_once(tmp_path: Path) -> None:
    loads = tmp_path / "loads"
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "folder"), str(loads)]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(3)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    answers = [worker.communicate()[0] for worker in workers]
    assert answers == ["a.js\n"] * 3
    assert loads.read_text(encoding="utf-8") == "loaded\n"
