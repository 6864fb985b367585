"""One implementation reads one map in this process and looks places up; prints what that cost as a line of JSON.

    measure.py oxflow|plain|cache|symbolic|sourcemap MAP PLACES

Times are processor time. The growth of memory is that of the high-water mark over what the process had with the library loaded
and the map's file read. `PLACES` is what all contestants look up: segments by chance, as `sourcemap-peer choose` wrote them.
"""

from __future__ import annotations

import gc
import json
import sys
import tempfile
import time
from array import array
from pathlib import Path
from typing import Any

SINGLE = 100_000
MANY = 1_000_000


def high_water_kb() -> int:
    """The most memory that this process had, in KiB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def places_of(path: Path) -> tuple[array[int], array[int]]:
    """Lines and columns of a file."""
    numbers = array("I", path.read_bytes())
    return numbers[:MANY], numbers[MANY:]


def each_us(call: Any, places: Path) -> float:
    """Microseconds a lookup, strings of the token included."""
    lines, columns = (numbers[:SINGLE] for numbers in places_of(places))
    start = time.process_time()
    for line, column in zip(lines, columns, strict=True):
        call(line, column)
    return (time.process_time() - start) / SINGLE * 1e6


def oxflow(data: bytes, _map: Path, places: Path) -> dict[str, float]:
    """The decoder, one lookup and many."""
    from oxflow.sourcemap import SourceMap

    found = read(SourceMap.from_bytes, data)
    source_map = found.pop("map")

    def look(line: int, column: int) -> None:
        token = source_map.lookup(line, column)
        if token is not None:
            _ = token.source, token.source_line, token.source_column, token.name

    found["lookup_us"] = each_us(look, places)
    lines, columns = places_of(places)
    start = time.process_time()
    source_map.lookup_many(lines, columns)
    return found | {"many_us": (time.process_time() - start) / MANY * 1e6}


def cache(data: bytes, source_map: Path, places: Path) -> dict[str, float]:
    """The index file: building it without and with the names of functions, opening it with a first lookup, one lookup."""
    with tempfile.TemporaryDirectory() as folder:
        return cache_at(Path(folder) / "index", data, source_map.with_suffix("").read_bytes(), places)


def cache_at(path: Path, data: bytes, script: bytes, places: Path) -> dict[str, float]:
    """The same, with the file at a path."""
    from oxflow.sourcemap import Cache

    start = time.process_time()
    Cache.build(data, path, durable=False)
    build = time.process_time() - start
    size = path.stat().st_size
    opened = []
    for _ in range(20):
        start = time.process_time()
        first = Cache.open(path)
        first.lookup(3, 50)
        opened.append(time.process_time() - start)
    index = Cache.open(path)

    def look(line: int, column: int) -> None:
        token = index.lookup(line, column)
        if token is not None:
            _ = token.source, token.source_line, token.source_column, token.name

    lookup = each_us(look, places)
    opened.sort()
    start = time.process_time()
    Cache.build(data, path, minified=script, durable=False)
    named = time.process_time() - start
    return {
        "build_ms": build * 1e3,
        "size_mb": size / 1e6,
        "open_us": opened[10] * 1e6,
        "lookup_us": lookup,
        "named_ms": named * 1e3,
    }


def symbolic(data: bytes, _map: Path, places: Path) -> dict[str, float]:
    """`symbolic`'s view."""
    from symbolic.sourcemap import SourceMapView

    found = read(SourceMapView.from_json_bytes, data)
    view = found.pop("map")

    def look(line: int, column: int) -> None:
        token = view.lookup(line, column)
        if token is not None:
            _ = token.src, token.src_line, token.src_col, token.name

    return found | {"lookup_us": each_us(look, places)}


def sourcemap(data: bytes, _map: Path, places: Path) -> dict[str, float]:
    """The pure Python package `sourcemap`."""
    import sourcemap

    found = read(lambda data: sourcemap.loads(data.decode()), data)
    index = found.pop("map")

    def look(line: int, column: int) -> None:
        try:
            token = index.lookup(line, column)
        except IndexError:
            return
        _ = token.src, token.src_line, token.src_col, token.name

    return found | {"lookup_us": each_us(look, places)}


def read(parse: Any, data: bytes) -> dict[str, Any]:
    """Read the map; what it cost."""
    gc.disable()
    before = high_water_kb()
    start = time.process_time()
    made = parse(data)
    spent = time.process_time() - start
    return {"map": made, "parse_ms": spent * 1e3, "growth_mb": (high_water_kb() - before) / 1024}


def main() -> None:
    """Measure what was asked for."""
    implementation, path, places = sys.argv[1:]
    measure = {"oxflow": oxflow, "plain": oxflow, "cache": cache, "symbolic": symbolic, "sourcemap": sourcemap}
    print(json.dumps(measure[implementation](Path(path).read_bytes(), Path(path), Path(places))))


if __name__ == "__main__":
    main()
