"""The Collector of the tests, which here counts what it takes and keeps nothing."""

from __future__ import annotations

import re
import subprocess
import time
import urllib.request
from typing import TYPE_CHECKING

from broker import free_ports
from collector import build

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from typing_extensions import Self

CONFIG = """
receivers: {{ otlp: {{ protocols: {{ grpc: {{ endpoint: 127.0.0.1:{grpc}, max_recv_msg_size_mib: 64 }} }} }} }}
exporters: {{ debug: {{ verbosity: basic, sampling_initial: 1, sampling_thereafter: 1000000 }} }}
service:
  telemetry:
    logs: {{ level: error }}
    metrics: {{ level: basic, readers: [ {{ pull: {{ exporter: {{ prometheus: {{ host: 127.0.0.1, port: {own} }} }} }} }} ] }}
  pipelines:
    traces: {{ receivers: [otlp], exporters: [debug] }}
    metrics: {{ receivers: [otlp], exporters: [debug] }}
    logs: {{ receivers: [otlp], exporters: [debug] }}
"""
ACCEPTED = re.compile(r"^otelcol_receiver_accepted_spans\S* (\S+)$", re.MULTILINE)


class Receiver:
    """A Collector, inside of `with`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        grpc, self._own = free_ports(2)
        self.endpoint = f"http://127.0.0.1:{grpc}"
        (folder / "config.yaml").write_text(CONFIG.format(grpc=grpc, own=self._own), encoding="utf-8")

    def __enter__(self) -> Self:
        command = [str(build()), "--config", f"file:{self._folder}/config.yaml"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        patience = time.monotonic() + 30
        while time.monotonic() < patience:
            if self._answers():
                return self
            time.sleep(0.05)
        raise TimeoutError("the collector doesn't answer")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(20)

    def accepted(self) -> int:
        """Spans that it ever took."""
        return int(sum(float(number) for number in ACCEPTED.findall(self._page())))

    def _answers(self) -> bool:
        try:
            self._page()
        except OSError:
            return False
        return True

    def _page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._own}/metrics", timeout=5) as answer:
            text: str = answer.read().decode()
            return text
