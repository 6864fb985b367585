"""A day of a cluster: 2,000 mixed servers, tasks of heavy-tailed sizes and lengths, a round every 30 seconds.

Each policy gets the same tasks. Printed and drawn are utilisation of cores, waiting times, and the matching time of a round. What the plain
loop would take is measured on one round and drawn by the tasks that wait in each: a day of it would take hours.
"""

from __future__ import annotations

import argparse
import heapq
import math
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from oxflow.scheduler import Matcher, Policy, reference

DAY_S, ROUND_S = 86_400, 30
RESOURCES = ("cpu", "mem")
# Cores and GiB of the servers: 250,000 cores in all, as the cluster of the talk has.
SIZES = ((64.0, 256.0), (128.0, 512.0), (128.0, 1024.0), (192.0, 768.0))


@dataclass
class Job:
    """A task with its length."""

    name: str
    cpu: float
    mem: float
    arrived_s: float
    lasts_s: float


@dataclass
class Day:
    """What came of a day."""

    used: list[float] = field(default_factory=list[float])
    waited: list[float] = field(default_factory=list[float])
    # By round: seconds that those who were placed in it had waited in the mean, seconds of matching, tasks that it had.
    waits: list[float] = field(default_factory=list[float])
    rounds: list[float] = field(default_factory=list[float])
    tasks: list[int] = field(default_factory=list[int])
    left: int = 0


def arrivals(count: int, seed: int) -> list[Job]:
    """Jobs of a day, most of them in working hours; lengths and sizes after Pareto."""
    random = Random(seed)  # noqa: S311  # not a secret
    times = sorted(random.triangular(0, DAY_S, DAY_S / 2) for _ in range(count))
    jobs: list[Job] = []
    for number, arrived in enumerate(times):
        cpu = min(64.0, round(random.paretovariate(1.1)))
        mem = cpu * random.choice((1, 2, 4, 8))
        jobs.append(
            Job(f"job-{number}", cpu, min(mem, 512.0), arrived, min(2400 * random.paretovariate(1.2), 12 * 3600))
        )
    return jobs


def servers(count: int) -> list[dict[str, object]]:
    """Servers of four sizes."""
    return [{"name": f"s{number}", "cpu": SIZES[number % 4][0], "mem": SIZES[number % 4][1]} for number in range(count)]


class Cluster:
    """Servers, what runs on them, and what waits."""

    def __init__(self, policy: Policy, offers: list[dict[str, object]]) -> None:
        self.matcher = Matcher(resources=RESOURCES, score=policy, mode="shared")
        self.matcher.add_offers(offers)
        self.free = self.matcher.offers()
        self.cores = sum(free["cpu"] for free in self.free.values())
        self.ends: list[tuple[float, str, str, Job]] = []
        self.waiting: dict[str, Job] = {}
        self.running = 0.0

    def end_until(self, now: float) -> None:
        """Give back what ended."""
        changed: set[str] = set()
        while self.ends and self.ends[0][0] <= now:
            _, _, server, job = heapq.heappop(self.ends)
            self.free[server]["cpu"] += job.cpu
            self.free[server]["mem"] += job.mem
            self.running -= job.cpu
            changed.add(server)
        self.matcher.update_offers({"name": name, **self.free[name]} for name in changed)

    def round(self, now: float, day: Day) -> None:
        """Place what waits."""
        day.tasks.append(len(self.waiting))
        begun = time.thread_time()
        matching = self.matcher.match(self.waiting.values())
        pairs = matching.pairs
        day.rounds.append(time.thread_time() - begun)
        first = len(day.waited)
        for name, server in pairs:
            job = self.waiting.pop(name)
            self.free[server]["cpu"] -= job.cpu
            self.free[server]["mem"] -= job.mem
            self.running += job.cpu
            day.waited.append(now - job.arrived_s)
            heapq.heappush(self.ends, (now + job.lasts_s, name, server, job))
        placed = day.waited[first:]
        day.waits.append(statistics.mean(placed) if placed else 0.0)


def live(policy: Policy, jobs: list[Job], offers: list[dict[str, object]]) -> Day:
    """One day."""
    cluster, day, next_job = Cluster(policy, offers), Day(), 0
    for now in range(ROUND_S, DAY_S + ROUND_S, ROUND_S):
        cluster.end_until(now)
        while next_job < len(jobs) and jobs[next_job].arrived_s <= now:
            cluster.waiting[jobs[next_job].name] = jobs[next_job]
            next_job += 1
        cluster.round(now, day)
        day.used.append(cluster.running / cluster.cores)
    day.left = len(cluster.waiting)
    return day


def plain_round(jobs: list[Job], offers: list[dict[str, object]], count: int) -> float:
    """Seconds of the reference for a round of so many tasks."""
    begun = time.thread_time()
    reference.match_tasks_to_offers(jobs[:count], offers, resources=RESOURCES, threshold=float("inf"))
    return time.thread_time() - begun


COLOURS = ("#c0392b", "#2471a3", "#229954", "#7d3c98")
# Rounds of a point of a curve.
STEP = 10


def smoothed(values: list[float]) -> list[float]:
    """The means of some rounds each."""
    return [statistics.mean(values[at : at + STEP]) for at in range(0, len(values), STEP)]


def svg(curves: dict[str, list[float]], labels: dict[float, str], path: Path) -> None:
    """Curves over the day; `labels` stand at heights from 0 to 1, as the values of the curves are."""
    lines: list[str] = []
    for (name, values), (place, colour) in zip(curves.items(), enumerate(COLOURS), strict=False):
        some = smoothed(values)
        points = " ".join(f"{50 + 630 * at / len(some):.1f},{230 - 200 * high:.1f}" for at, high in enumerate(some))
        lines += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
            f'<text x="{60 + 150 * place}" y="20" fill="{colour}">{name}</text>',
        ]
    axes = '<path d="M50 30V230H680" fill="none" stroke="gray"/>'
    axes += "".join(f'<text x="0" y="{234 - 200 * high:.1f}">{label}</text>' for high, label in labels.items())
    axes += '<text x="46" y="248">0 h</text><text x="350" y="248">12 h</text><text x="655" y="248">24 h</text>'
    body = "\n".join([axes, *lines])
    style = 'font-family="sans-serif" font-size="12" fill="gray"'
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 256" {style}>\n{body}\n</svg>\n', encoding="utf-8"
    )


def draw(days: dict[str, Day], loop_s: float, folder: Path) -> None:
    """Utilisation, waiting and matching; `loop_s` is what a task costs the plain loop."""
    svg({name: day.used for name, day in days.items()}, {1.0: "100 %", 0.0: "0 %"}, folder / "scheduler-day.svg")
    most = math.ceil(max(max(smoothed(day.waits)) for day in days.values()) / 10) * 10
    waits = {name: [wait / most for wait in day.waits] for name, day in days.items()}
    svg(waits, {1.0: f"{most} s", 0.0: "0 s"}, folder / "scheduler-waiting.svg")

    def height(seconds: float) -> float:
        """From 10 us to 1 s, by powers of ten."""
        return (math.log10(max(seconds, 1e-5)) + 5) / 5

    rounds = {name: [height(took) for took in day.rounds] for name, day in days.items()}
    rounds["the plain loop"] = [height(count * loop_s) for count in next(iter(days.values())).tasks]
    labels = {height(10.0**power): label for power, label in ((0, "1 s"), (-2, "10 ms"), (-3, "1 ms"), (-4, "0.1 ms"))}
    svg(rounds, labels, folder / "scheduler-rounds.svg")


def main() -> None:
    """Print a row for each policy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=340_000)
    parser.add_argument("--servers", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plots", type=Path, help="a folder for pictures as SVG")
    options = parser.parse_args()
    jobs, offers = arrivals(options.tasks, options.seed), servers(options.servers)
    policies = {"first fit": Policy.first_fit(), "best fit": Policy.best_fit(), "worst fit": Policy.worst_fit()}
    days: dict[str, Day] = {}
    for name, policy in policies.items():
        day = days[name] = live(policy, jobs, offers)
        rounds = sorted(day.rounds)
        print(
            f"{name:10} busiest {max(day.used):6.1%}  mean {statistics.mean(day.used):6.1%}"
            f"  waited {statistics.mean(day.waited):7.1f} s, p99 {sorted(day.waited)[len(day.waited) * 99 // 100]:7.1f} s"
            f"  left {day.left:6}  round {statistics.median(rounds) * 1e3:6.2f} ms, longest {rounds[-1] * 1e3:7.2f} ms",
            flush=True,
        )
    count = len(jobs) * ROUND_S // DAY_S
    loop_s = plain_round(jobs, offers, count) / count
    print(f"the plain loop, {count} tasks of a mean round: {loop_s * count * 1e3:.0f} ms")
    if options.plots:
        draw(days, loop_s, options.plots)


if __name__ == "__main__":
    main()
