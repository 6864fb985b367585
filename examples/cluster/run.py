"""One round of a cluster's scheduler before and after, as two traces: `python examples/cluster/run.py`."""

from __future__ import annotations

import secrets
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import after
import before
from server import Cluster, start

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

TASKS, OFFERS, DELAY_S = 400, 400, 0.002
BAR = 40


@dataclass
class Trace:
    """Spans of one round; each is (name, begin, end), in seconds."""

    title: str
    spans: list[tuple[str, float, float]] = field(default_factory=list[tuple[str, float, float]])
    trace: str = field(default_factory=lambda: secrets.token_hex(16))

    @contextmanager
    def span(self, name: str) -> Generator[str, None, None]:
        """Time a call; gives what its requests are to carry."""
        begun = time.perf_counter()
        yield f"00-{self.trace}-{secrets.token_hex(8)}-01"
        self.spans.append((name, begun, time.perf_counter()))

    def lines(self, unit_s: float, requests: int) -> Iterator[str]:
        """The trace as text, a bar for each span; `unit_s` is one mark."""
        begin, end = self.spans[0][1], self.spans[-1][2]
        yield f"{self.title:24}{(end - begin) * 1000:8.1f} ms  {requests} requests in its trace"
        for name, begun, ended in self.spans:
            gap, length = round((begun - begin) / unit_s), max(1, round((ended - begun) / unit_s))
            yield f"  {name:22}{(ended - begun) * 1000:8.1f} ms  {' ' * gap}{'#' * length}"


def round_before(url: str, trace: Trace) -> dict[str, str]:
    """As the round was found."""
    client = before.Client(url)
    with trace.span("get_resource_offers") as parent:
        offers = before.get_resource_offers(client, parent)
    with trace.span("get_processable_tasks") as parent:
        tasks = before.get_processable_tasks(client, parent)
    with trace.span("match_tasks_to_offers"):
        matched = before.match_tasks_to_offers(tasks, offers)
    with trace.span("prepare_payloads") as parent:
        before.prepare_payloads(client, parent, matched)
    return matched


def round_after(url: str, trace: Trace) -> dict[str, str]:
    """As it is now."""
    with trace.span("get_resource_offers") as parent:
        offers = after.get_resource_offers(url, parent)
    with trace.span("get_processable_tasks") as parent:
        tasks, done = after.get_processable_tasks(url, parent)
    with trace.span("match_tasks_to_offers"):
        matched = after.match_tasks_to_offers(tasks, done, offers).as_dict()
    with trace.span("prepare_payloads") as parent:
        after.prepare_payloads(url, parent, matched)
    return matched


def main() -> None:
    """Run both on the same cluster and print their traces."""
    rounds: list[tuple[Trace, Callable[[str, Trace], dict[str, str]]]] = [
        (Trace("before"), round_before),
        (Trace("after"), round_after),
    ]
    lines: list[str] = []
    matched: list[dict[str, str]] = []
    unit_s = 0.0
    for trace, one in rounds:
        cluster = Cluster(TASKS, OFFERS, DELAY_S)
        matched.append({task: offer for offer, task in one(start(cluster), trace).items()})
        unit_s = unit_s or (trace.spans[-1][2] - trace.spans[0][1]) / BAR
        lines += trace.lines(unit_s, cluster.requests[trace.trace])
        lines.append(f"  {len(cluster.launched)} of {TASKS} tasks launched")
        matched.append(cluster.launched)
    lines.append("the same placements" if all(one == matched[0] for one in matched) else "they differ")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
