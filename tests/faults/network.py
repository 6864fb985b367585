"""Toxiproxy between clients and the broker. Built once by `go install`, into `~/.cache/oxflow/toxiproxy`."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

from broker import free_ports

FOLDER = Path.home() / ".cache/oxflow/toxiproxy"
MODULE = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0"


def resolve() -> Path:
    """Build the server, once for all checkouts."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (FOLDER / "server").exists():
            subprocess.run(["go", "install", MODULE], env=os.environ | {"GOBIN": str(FOLDER)}, check=True)
    return FOLDER / "server"


class Network:
    """One proxy; `add` and `remove` make its connections bad."""

    def __init__(self, listen: str, upstream: str) -> None:
        (port,) = free_ports(1)
        self._url = f"http://127.0.0.1:{port}"
        command = [str(resolve()), "-host", "127.0.0.1", "-port", str(port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 30
        while not self._answers():
            assert time.monotonic() < until, "toxiproxy doesn't answer"
            time.sleep(0.05)
        self._ask("POST", "/proxies", {"name": "kafka", "listen": listen, "upstream": upstream, "enabled": True})

    def add(self, kind: str, **attributes: int) -> None:
        """Let a toxic spoil what the broker sends, and another what is sent to it."""
        for stream in ("upstream", "downstream"):
            self._add(stream, kind, attributes)

    def add_upstream(self, kind: str, **attributes: int) -> None:
        """Let a toxic spoil what is sent to the broker."""
        self._add("upstream", kind, attributes)

    def remove(self) -> None:
        """Take all toxics away."""
        self._ask("POST", "/reset", {})

    def _add(self, stream: str, kind: str, attributes: dict[str, int]) -> None:
        toxic = {"name": stream, "type": kind, "stream": stream, "attributes": attributes}
        self._ask("POST", "/proxies/kafka/toxics", toxic)

    def switch(self, *, on: bool) -> None:
        """Take the line away, or bring it back."""
        self._ask("POST", "/proxies/kafka", {"enabled": on})

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def _answers(self) -> bool:
        try:
            self._ask("GET", "/version")
        except OSError:
            return False
        return True

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> None:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, method=method)  # noqa: S310  # our own server
        with urllib.request.urlopen(request, timeout=10):  # noqa: S310  # our own server
            pass
