"""The loops that the scheduler is compared with: plain Python in three ways, and NumPy."""

from __future__ import annotations

import re
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oxflow.scheduler import Offer, Task

WEIGHTS = {"cpu": 1.0, "mem": 1 / 8, "disk": 1 / 16, "gpu": 4.0}
THRESHOLD = 31.0
RESOURCES = tuple(WEIGHTS)
WORKERS = 2


@cache
def pattern(text: str) -> re.Pattern[str]:
    """A pattern, compiled once."""
    return re.compile(text)


def passes(task: Task, offer: Offer) -> bool:
    """Whether an offer passes all constraints."""
    for attribute, operator, wanted in task.constraints:
        value = offer.attributes.get(attribute)
        if value is None or not (value == wanted if operator == "=" else pattern(wanted).fullmatch(value)):
            return False
    return True


def is_fitting_offer(task: Task, offer: Offer) -> bool:
    """Whether an offer has enough and passes."""
    return (
        offer.cpu >= task.cpu
        and offer.mem >= task.mem
        and offer.disk >= task.disk
        and offer.gpu >= task.gpu
        and (not task.constraints or passes(task, offer))
    )


def compute_score(task: Task, offer: Offer) -> float:
    """What would be left over."""
    return (
        0.0
        + WEIGHTS["cpu"] * (offer.cpu - task.cpu)
        + WEIGHTS["mem"] * (offer.mem - task.mem)
        + WEIGHTS["disk"] * (offer.disk - task.disk)
        + WEIGHTS["gpu"] * (offer.gpu - task.gpu)
    )


def best_of(task: Task, offers: Sequence[Offer], start: int = 0) -> tuple[float, int | None]:
    """The lowest score and where it is."""
    best, best_score = None, THRESHOLD
    for index, offer in enumerate(offers, start):
        if is_fitting_offer(task, offer):
            score = compute_score(task, offer)
            if score < best_score:
                best, best_score = index, score
    return best_score, best


class Single:
    """One loop in the other."""

    def best(self, task: Task, line: list[Offer]) -> int | None:
        """Where the best offer is."""
        return best_of(task, line)[1]

    def close(self) -> None:
        """Nothing is open."""


class Parts:
    """The line in as many parts as there are workers, for each task."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor

    def best(self, task: Task, line: list[Offer]) -> int | None:
        """Where the best offer is."""
        size = -(-len(line) // WORKERS) or 1
        starts = range(0, len(line), size)
        parts = [self.executor.submit(best_of, task, line[start : start + size], start) for start in starts]
        found = [part.result() for part in parts]
        placed = [(score, index) for score, index in found if index is not None]
        return min(placed)[1] if placed else None

    def close(self) -> None:
        """Ends the workers."""
        self.executor.shutdown()


def loop(ways: str) -> Single | Parts:
    """The loop of a name."""
    if ways == "threads":
        return Parts(ThreadPoolExecutor(WORKERS))
    return Parts(ProcessPoolExecutor(WORKERS)) if ways == "processes" else Single()


class Vectors:
    """One pass of NumPy over all offers for each task; offers that are taken are marked, and places kept for ties."""

    def __init__(self, offers: Sequence[Offer]) -> None:
        import numpy as np

        self.np: Any = np
        self.columns: Any = np.array([[getattr(offer, name) for offer in offers] for name in RESOURCES])
        self.places: Any = np.arange(len(offers))
        self.offers = offers
        self.passing: dict[Any, Any] = {}
        self.count = len(offers)

    def allowed(self, task: Task) -> Any:
        """Which offers pass, in the order in which they were given."""
        if task.constraints not in self.passing:
            self.passing[task.constraints] = self.np.array([passes(task, offer) for offer in self.offers])
        return self.passing[task.constraints]

    def place(self, task: Task) -> int | None:
        """The offer of a task, which leaves the line."""
        np, count = self.np, self.count
        columns = self.columns[:, :count]
        fits = (
            (columns[0] >= task.cpu) & (columns[1] >= task.mem) & (columns[2] >= task.disk) & (columns[3] >= task.gpu)
        )
        if task.constraints:
            fits &= self.allowed(task)[self.places[:count]]
        score = WEIGHTS["cpu"] * (columns[0] - task.cpu)
        score += WEIGHTS["mem"] * (columns[1] - task.mem)
        score += WEIGHTS["disk"] * (columns[2] - task.disk)
        score += WEIGHTS["gpu"] * (columns[3] - task.gpu)
        score[~fits] = np.inf
        best = int(score.argmin()) if count else 0
        if not count or not score[best] < THRESHOLD:
            return None
        offer = int(self.places[best])
        self.columns[:, best] = self.columns[:, count - 1]
        self.places[best] = self.places[count - 1]
        self.count -= 1
        return offer
