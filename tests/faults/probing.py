"""Asks a run how it stands."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

from broker import free_ports


class Probe:
    """Asks a worker, as a supervisor does."""

    def __init__(self) -> None:
        (self._port,) = free_ports(1)
        self.settings = (f"run.endpoint.address=127.0.0.1:{self._port}", "run.stalled_s=2")
        self.longest_s = 0.0

    def ask(self, path: str) -> tuple[int, str]:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            status, text = answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()
        self.longest_s = max(self.longest_s, time.monotonic() - began)
        return status, text

    def health(self) -> tuple[int, dict[str, Any]]:
        status, text = self.ask("/health")
        return status, json.loads(text or "{}")

    def reasons(self) -> str:
        return "; ".join(self.health()[1].get("reasons", []))

    def under_way(self) -> int:
        """How many batches are sent and not acknowledged."""
        return sum(lane["under_way"] for lane in self.health()[1].get("lanes", []))

    def has_lag(self, lag: int) -> bool:
        partitions = self.health()[1].get("partitions", [])
        return len(partitions) == 4 and all(partition["lag"] == lag for partition in partitions)
