"""Stack traces of minified code, in Python and on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from oxflow.sourcemap import Cache, LimitExceeded, SourceMap, symbolicate

if TYPE_CHECKING:
    from pathlib import Path

# `pay` is called at 1:21 of the script, line 3 of `shop.js`; it fails at 1:5, line 2.
MAP = json.dumps(
    {
        "version": 3,
        "sources": ["shop.js"],
        "sourcesContent": ["function pay(card) {\n  card.charge();\n}\npay(null);\n"],
        "names": ["pay", "charge"],
        "mappings": "IACOC,gBAEPD",
    }
).encode()
URL = "https://example.com/static/app.js?v=3"
CHROME = f"TypeError: null\n    at a ({URL}:1:5)\n    at {URL}:1:21\n    at async c (https://else.where/x.js:1:1)"
FIREFOX = f"a@{URL}:1:5\n@{URL}:1:21\n"


def find(url: str) -> SourceMap | None:
    return SourceMap.from_bytes(MAP) if url == URL else None


def test_traces_of_browsers_have_the_places_of_the_sources() -> None:
    assert symbolicate(CHROME, find) == (
        "TypeError: null\n    at pay (shop.js:2:8)\n    at shop.js:4:1\n    at async c (https://else.where/x.js:1:1)"
    )
    assert symbolicate(FIREFOX, find) == "pay@shop.js:2:8\n@shop.js:4:1\n"
    assert symbolicate({"deep": [{"stack": FIREFOX}]}, find) == {"deep": [{"stack": "pay@shop.js:2:8\n@shop.js:4:1\n"}]}


def event() -> dict[str, Any]:
    frames = [
        {"abs_path": URL, "filename": "/static/app.js", "lineno": 1, "colno": 21, "function": "?"},
        {"abs_path": URL, "filename": "/static/app.js", "lineno": 1, "colno": 5, "function": "a"},
        {"filename": "<anonymous>"},
        None,
    ]
    return {"exception": {"values": [{"type": "TypeError", "stacktrace": {"frames": frames}}]}}


def test_events_of_sentry_get_sources_and_context() -> None:
    given = event()
    value = symbolicate(given, find)["exception"]["values"][0]
    caller, callee, *rest = value["stacktrace"]["frames"]
    assert (caller["filename"], caller["lineno"], caller["colno"], caller["function"]) == ("shop.js", 4, 1, "?")
    assert (callee["filename"], callee["lineno"], callee["colno"], callee["function"]) == ("shop.js", 2, 8, "pay")
    assert (callee["pre_context"], callee["context_line"]) == (["function pay(card) {"], "  card.charge();")
    assert callee["post_context"] == ["}", "pay(null);", ""]
    assert rest == [{"filename": "<anonymous>"}, None]
    assert value["raw_stacktrace"] == event()["exception"]["values"][0]["stacktrace"]
    assert given == event()


@pytest.mark.parametrize(
    "data", [None, 1, [], {"stack": 1}, {"stacktrace": {"frames": [{"lineno": "1"}]}}, {"stacktrace": 3}]
)
def test_what_has_no_place_stays(data: Any) -> None:
    assert symbolicate(data, find) == data


def test_data_that_is_too_deep_is_an_error() -> None:
    deep: Any = {"stack": FIREFOX}
    for _ in range(300):
        deep = [deep]
    found = symbolicate(deep, find)
    for _ in range(300):
        (found,) = found
    assert found == {"stack": "pay@shop.js:2:8\n@shop.js:4:1\n"}
    for _ in range(300):
        deep = [deep]
    with pytest.raises(LimitExceeded):
        symbolicate(deep, find)


def test_what_goes_wrong_in_find_passes_through() -> None:
    def broken(url: str) -> SourceMap | None:
        raise LookupError(url)

    with pytest.raises(LookupError):
        symbolicate(FIREFOX, broken)
    no_map: Any = 1
    with pytest.raises(TypeError):
        symbolicate({"stack": FIREFOX}, lambda _: no_map)


def told(folder: Path, text: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oxflow", "symbolicate", "-", "--maps", str(folder), *more]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=False)


def test_the_command_finds_maps_by_path_and_name(tmp_path: Path) -> None:
    (tmp_path / "static").mkdir()
    (tmp_path / "static/app.js.map").write_bytes(MAP)
    assert told(tmp_path, FIREFOX).stdout == "pay@shop.js:2:8\n@shop.js:4:1\n"
    (tmp_path / "static/app.js.map").rename(tmp_path / "app.js.map")
    assert (
        told(tmp_path, json.dumps({"stack": FIREFOX})).stdout
        == json.dumps({"stack": "pay@shop.js:2:8\n@shop.js:4:1\n"}, indent=2) + "\n"
    )
    Cache.build(MAP.replace(b"shop.js", b"sale.js"), tmp_path / "app.js.oxmap")
    assert told(tmp_path, FIREFOX).stdout == "pay@sale.js:2:8\n@sale.js:4:1\n"


def test_no_url_leads_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "app.js.map").write_bytes(MAP)
    (tmp_path / "maps").mkdir()
    for url in ["https://h/../app.js", "https://h/%2e%2e/app.js", "https://h/..%2Fapp.js", f"{tmp_path}/app.js"]:
        trace = f"a@{url}:1:5"
        assert told(tmp_path / "maps", trace).stdout == trace + "\n"


def test_wrong_usage_is_told(tmp_path: Path) -> None:
    assert told(tmp_path / "none", "").returncode == 2
    command = [sys.executable, "-m", "oxflow", "symbolicate", str(tmp_path / "none"), "--maps", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("error: cannot read `")
    (tmp_path / "app.js.map").write_bytes(b"<html>")
    done = told(tmp_path, FIREFOX)
    assert done.returncode == 1
    assert "OXF0801" in done.stderr
    done = told(tmp_path, "[" * 100_000 + "]" * 100_000)
    assert done.returncode == 1
    assert done.stderr.startswith("error: the JSON of `-` is nested too deeply")
