"""A real OpenTelemetry Collector for tests, built from Go modules, in its own folder and on its own ports.

It needs Go, and the first time two minutes: the program stays in `~/.cache/oxflow/otelcol`. A child of the tests, which end it. What it took is
read back from its own files.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

from broker import free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

VERSION = "0.161.0"
# The stable modules of a release have numbers of their own.
STABLE = "1.67.0"
CACHE = Path.home() / ".cache/oxflow/otelcol"
PROGRAM = CACHE / f"otelcol-oxflow-{VERSION}"
CORE, CONTRIB = "go.opentelemetry.io/collector", "github.com/open-telemetry/opentelemetry-collector-contrib"
PARTS = f"""
dist: {{ name: otelcol-oxflow, description: collector of the tests, version: {VERSION}, output_path: {CACHE}/src-{VERSION} }}
extensions: [ {{ gomod: {CONTRIB}/extension/healthcheckextension v{VERSION} }} ]
receivers: [ {{ gomod: {CORE}/receiver/otlpreceiver v{VERSION} }} ]
exporters:
  - gomod: {CORE}/exporter/debugexporter v{VERSION}
  - gomod: {CONTRIB}/exporter/fileexporter v{VERSION}
providers:
  - gomod: {CORE}/confmap/provider/fileprovider v{STABLE}
  - gomod: {CORE}/confmap/provider/envprovider v{STABLE}
  - gomod: {CORE}/confmap/provider/yamlprovider v{STABLE}
"""
CONFIG = """
extensions: {{ health_check: {{ endpoint: 127.0.0.1:{health} }} }}
receivers:
  otlp:
    protocols:
      grpc: {{ endpoint: 127.0.0.1:{grpc}, max_recv_msg_size_mib: 64{tls} }}
      http: {{ endpoint: 127.0.0.1:{http}{tls} }}
exporters:
  file/traces: {{ path: {folder}/traces.jsonl, flush_interval: 100ms }}
  file/metrics: {{ path: {folder}/metrics.jsonl, flush_interval: 100ms }}
  file/logs: {{ path: {folder}/logs.jsonl, flush_interval: 100ms }}
service:
  extensions: [health_check]
  telemetry: {{ logs: {{ level: warn }}, metrics: {{ level: none }} }}
  pipelines:
    traces: {{ receivers: [otlp], exporters: [file/traces] }}
    metrics: {{ receivers: [otlp], exporters: [file/metrics] }}
    logs: {{ receivers: [otlp], exporters: [file/logs] }}
"""


def build() -> Path:
    """Make the program, once for all checkouts."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not PROGRAM.exists():
            variables = {**os.environ, "GOBIN": str(CACHE / "bin"), "CGO_ENABLED": "0"}
            subprocess.run(["go", "install", f"{CORE}/cmd/builder@v{VERSION}"], env=variables, check=True)
            (CACHE / "parts.yaml").write_text(PARTS, encoding="utf-8")
            builder = [str(CACHE / "bin/builder"), "--config", str(CACHE / "parts.yaml"), "--ldflags", "-s -w"]
            subprocess.run(builder, env=variables, check=True, capture_output=True)
            (CACHE / f"src-{VERSION}/otelcol-oxflow").rename(PROGRAM)
    return PROGRAM


def plain(value: dict[str, Any]) -> Any:
    """Read an `AnyValue` of OTLP's JSON."""
    match value:
        case {"stringValue": str(text)} | {"bytesValue": str(text)}:
            return text
        case {"intValue": number}:
            return int(number)
        case {"boolValue": found} | {"doubleValue": found}:
            return found
        case {"arrayValue": found}:
            return [plain(item) for item in found.get("values", [])]
        case {"kvlistValue": found}:
            return attributes(found.get("values", []))
        case _:
            return None


def attributes(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    """Read attributes of OTLP's JSON."""
    return {pair["key"]: plain(pair.get("value", {})) for pair in pairs}


class Collector:
    """One collector; it listens from the start to `stop`."""

    def __init__(self, folder: Path, tls: str = "") -> None:
        self._folder = folder
        self._grpc, self._http, self._health = free_ports(3)
        scheme = "https" if tls else "http"
        self.grpc = f"{scheme}://127.0.0.1:{self._grpc}"
        self.http = f"{scheme}://127.0.0.1:{self._http}"
        ports = {"grpc": self._grpc, "http": self._http, "health": self._health}
        (folder / "config.yaml").write_text(CONFIG.format(folder=folder, tls=tls, **ports), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self._folder / "collector.log").open("ab") as log:
            command = [str(build()), "--config", f"file:{self._folder}/config.yaml"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        patience = time.monotonic() + 30
        while time.monotonic() < patience:
            if self._answers():
                return
            assert self._process.poll() is None, (self._folder / "collector.log").read_text(encoding="utf-8")
            time.sleep(0.05)
        raise AssertionError("the collector doesn't answer")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._health}/", timeout=1):
                return True
        except OSError:
            return False

    def stop(self) -> None:
        """End it, which writes what it has."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)

    def spans(self, service: str, count: int) -> list[dict[str, Any]]:
        """Wait for so many spans of a service, and give them, each with `attributes` and `scope` as plain values."""
        return self._records(("traces", "resourceSpans", "scopeSpans", "spans"), service, count)

    def logs(self, service: str, count: int) -> list[dict[str, Any]]:
        """Wait for so many log records of a service."""
        return self._records(("logs", "resourceLogs", "scopeLogs", "logRecords"), service, count)

    def metrics(self, service: str, count: int) -> list[dict[str, Any]]:
        """Wait for so many metrics of a service, one that was collected twice counts twice."""
        return self._records(("metrics", "resourceMetrics", "scopeMetrics", "metrics"), service, count)

    def _records(self, names: tuple[str, str, str, str], service: str, count: int) -> list[dict[str, Any]]:
        patience = time.monotonic() + 20
        while True:
            found = list(self._read(*names, service))
            if len(found) >= count:
                return found
            assert time.monotonic() < patience, f"{len(found)} of {count} {names[3]} of `{service}` arrived"
            time.sleep(0.05)

    def _read(self, file: str, outer: str, inner: str, leaf: str, service: str) -> Iterator[dict[str, Any]]:
        path = self._folder / f"{file}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        for line in lines:
            if not line.endswith("\n"):
                continue
            for resource in json.loads(line).get(outer, []):
                known = attributes(resource["resource"].get("attributes", []))
                if known.get("service.name") != service:
                    continue
                for scope in resource[inner]:
                    for record in scope.get(leaf, []):
                        yield {
                            **record,
                            "attributes": attributes(record.get("attributes", [])),
                            "scope": scope.get("scope", {}).get("name", ""),
                            "resource": known,
                        }
