"""Scripts and maps over HTTP, from a server that counts and misbehaves."""

from __future__ import annotations

import base64
import contextlib
import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

from oxflow.sourcemap import InvalidJson, LimitExceeded, SymbolCache

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from oxflow.sourcemap import Cache

MAP = b'{"version": 3, "sources": ["a.ts"], "names": [], "mappings": "AAAA"}'


class Site:
    """What a server has, by path: body and headers; and what it was asked for."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[int, dict[str, str], bytes]] = {}
        self.asked: list[str] = []
        self.address = ""
        self.over = threading.Event()

    def put(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        self.pages[path] = (status, {name.replace("_", "-"): value for name, value in headers.items()}, body)
        return self.address + path


@pytest.fixture
def site() -> Iterator[Site]:
    one = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            one.asked.append(self.path)
            status, headers, body = one.pages.get(self.path, (404, {}, b""))
            if body == b"slow":
                one.over.wait()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            # Who waited too long is gone.
            with contextlib.suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(body)

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield one
    one.over.set()
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def symbols(tmp_path: Path) -> SymbolCache:
    return SymbolCache(tmp_path, 10**6)


def source(cache: Cache | None) -> str | None:
    token = cache.lookup(0, 0) if cache is not None else None
    return token.source if token else None


def test_a_script_says_where_its_map_is_and_the_map_is_asked_for_once(site: Site, symbols: SymbolCache) -> None:
    url = site.put("/static/a.js", b"a();\n//# sourceMappingURL=../maps/a.js.map\n")
    site.put("/maps/a.js.map", gzip.compress(MAP), content_encoding="gzip")
    for _ in range(2):
        assert source(symbols.fetch(url, public=False)) == "a.ts"
    assert site.asked == ["/static/a.js", "/maps/a.js.map", "/static/a.js"]
    # Another script behind the same URL has another map.
    site.put("/static/a.js", b"b();\n//# sourceMappingURL=/maps/b.js.map\n")
    site.put("/maps/b.js.map", MAP.replace(b"a.ts", b"b.ts"))
    assert source(symbols.fetch(url, public=False)) == "b.ts"


def test_headers_redirects_and_data_urls_lead_to_a_map(site: Site, symbols: SymbolCache) -> None:
    url = site.put("/moved.js", b"", 302, location="/deep/a.js")
    site.put("/deep/a.js", b"a();", SourceMap="a.map")
    site.put("/deep/a.map", MAP)
    assert source(symbols.fetch(url, public=False)) == "a.ts"
    data = base64.b64encode(MAP).decode()
    url = site.put("/d.js", f"d();\n//# sourceMappingURL=data:application/json;base64,{data}".encode())
    assert source(symbols.fetch(url, public=False)) == "a.ts"
    assert symbols.fetch(site.put("/none.js", b"none();"), public=False) is None


def test_a_key_of_the_users_is_that_of_the_index(site: Site, symbols: SymbolCache) -> None:
    url = site.put("/a.js", b"a();", SourceMap="/a.map")
    site.put("/a.map", MAP)
    assert source(symbols.fetch(url, key="one", public=False)) == "a.ts"
    assert source(symbols.get("one", lambda: b"")) == "a.ts"


def test_limits_are_errors(site: Site, symbols: SymbolCache) -> None:
    url = site.put("/a.js", b"a();", SourceMap="/a.map")
    site.put("/a.map", gzip.compress(b" " * 10_000 + MAP))
    with pytest.raises(LimitExceeded):
        symbols.fetch(url, max_bytes=3, public=False)
    with pytest.raises(LimitExceeded):
        symbols.fetch(url, max_bytes=9_000, public=False)
    with pytest.raises(LimitExceeded, match="redirects"):
        symbols.fetch(site.put("/loop", b"", 302, location="/loop"), public=False)
    with pytest.raises(TimeoutError):
        symbols.fetch(site.put("/slow", b"slow"), timeout_s=0.2, public=False)


def test_what_is_no_document_is_an_error(site: Site, symbols: SymbolCache) -> None:
    for url in ("file:///etc/passwd", "ftp://example.com/a.js", "a.js"):
        with pytest.raises(ValueError, match="no URL that can be fetched"):
            symbols.fetch(url)
    with pytest.raises(OSError, match="answers with status 404"):
        symbols.fetch(site.address + "/none", public=False)
    with pytest.raises(ConnectionError):
        symbols.fetch("http://127.0.0.1:1/a.js", public=False)
    url = site.put("/a.js", b"a();", SourceMap="/a.map")
    site.put("/a.map", b"<html>")
    with pytest.raises(InvalidJson):
        symbols.fetch(url, public=False)
    url = site.put("/file.js", b"a();", SourceMap="file:///etc/passwd")
    with pytest.raises(ValueError, match="no URL that can be fetched"):
        symbols.fetch(url, public=False)


def test_nobody_inside_is_asked_unless_it_is_said(site: Site, symbols: SymbolCache) -> None:
    with pytest.raises(ConnectionError, match="not in the public network"):
        symbols.fetch(site.put("/a.js", b"a();", SourceMap="/a.map"))
    assert site.asked == []
