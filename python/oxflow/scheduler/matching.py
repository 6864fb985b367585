"""What came of a round of matching."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from oxflow.errors import Diagnostic, SchedulerError

if TYPE_CHECKING:
    from oxflow import _oxflow

__all__ = ["Explanation", "Matching", "Nearest", "Stats", "Unplaced"]


@dataclass(frozen=True)
class Nearest:
    """The offer that came nearest to being taken.

    Attributes:
        offer: its name.
        lacks: by resource how much more the task needs than it has.
        breaks: the constraints and spreads that it breaks, as text.
        score: its score, if it lacks and breaks nothing: then this is not below the threshold.
    """

    offer: str
    lacks: dict[str, float]
    breaks: tuple[str, ...]
    score: float | None


@dataclass(frozen=True)
class Explanation:
    """Why a task was left over, by the offers as they were at its turn.

    An offer that is wrong in several ways counts in each.

    Attributes:
        task: name of the task.
        cause: `no offer`; `dependency`, of which `named` is not done; or `gang`, of which the member `named` was left over.
        named: the task that the cause names, or `None`.
        offers: how many offers there were.
        too_small: by resource how many offers had too little of it.
        forbidden: by constraint or spread, as text, how many offers it forbade.
        above_threshold: how many offers were good but for a score that is not below the threshold.
        nearest: of the offers that break the fewest rules the one that lacks the least in proportion to the need; of those
            that lack nothing the one with the lowest score; of equals the first in line. `None` if there was no offer.
    """

    task: str
    cause: str
    named: str | None
    offers: int
    too_small: dict[str, int]
    forbidden: dict[str, int]
    above_threshold: int
    nearest: Nearest | None

    def __str__(self) -> str:
        if self.cause == "dependency":
            return f"`{self.task}` waits: `{self.named}` is not done"
        if self.cause == "gang":
            return f"`{self.task}` was left over with its gang, because of `{self.named}`"
        if not self.offers:
            return f"`{self.task}` was left over: no offer was left at its turn"
        counts = [f"{count:,} have too little `{resource}`" for resource, count in self.too_small.items()]
        counts += [f"{count:,} break `{rule}`" for rule, count in self.forbidden.items()]
        counts += [f"{self.above_threshold:,} are above the threshold"] if self.above_threshold else []
        text = f"`{self.task}` was left over: of {self.offers:,} offers {', '.join(counts)}"
        return text if self.nearest is None else f"{text}; nearest is {_nearest(self.nearest)}"


def _nearest(nearest: Nearest) -> str:
    gaps = [f"lacks {lacks:g} `{resource}`" for resource, lacks in nearest.lacks.items()]
    gaps += [f"breaks `{rule}`" for rule in nearest.breaks]
    gaps += [] if nearest.score is None else [f"has the score {nearest.score:g}"]
    return f"`{nearest.offer}`, which {' and '.join(gaps)}"


@dataclass(frozen=True)
class Unplaced:
    """A task that was left over.

    Attributes:
        task: its name.
        cause: as in `Explanation`.
        named: as in `Explanation`.
    """

    task: str
    cause: str
    named: str | None
    _matching: _oxflow.Matching

    @cached_property
    def why(self) -> Explanation:
        """The whole reason. All offers are looked at for it, when it is asked for."""
        return _explanation(self._matching, self.task)


@dataclass(frozen=True)
class Stats:
    """What a round did.

    Attributes:
        tasks: tasks in all.
        offers: offers in line before the round.
        placed: tasks that were placed.
        unplaced: tasks that were left over.
        method: how offers were found: `tree`, by bounds; or `scan`, one by one.
        score: who computed the scores: `native`, a formula of the package; `rust` or `python`, a function of yours.
        groups: groups of eight offers or boxes of offers that the tree looked at.
        pairs: tasks and offers that your function was asked about.
        read_s: seconds to read the tasks.
        prepare_s: seconds for the tree and the constraints.
        search_s: seconds for the search.
    """

    tasks: int
    offers: int
    placed: int
    unplaced: int
    method: str
    score: str
    groups: int
    pairs: int
    read_s: float
    prepare_s: float
    search_s: float


class Matching:
    """What came of a round: placements, and the tasks that were left over with the reason."""

    def __init__(self, matching: _oxflow.Matching) -> None:
        self._matching = matching

    def as_dict(self) -> dict[str, str]:
        """Return offer name -> task name, in the order of placement.

        Raises:
            SchedulerError: the matcher's mode is `shared`; take `by_offer` or `pairs`.
        """
        if self._matching.shared:
            text = "offers of a shared matching have several tasks: a dictionary has one for each"
            raise SchedulerError(Diagnostic("OXF1005", text, fix="take `by_offer()` or `pairs`"))
        return self._matching.as_dict()

    def by_offer(self) -> dict[str, list[str]]:
        """Return offer name -> names of its tasks, both in the order of placement."""
        tasks: dict[str, list[str]] = {}
        for task, offer in self.pairs:
            tasks.setdefault(offer, []).append(task)
        return tasks

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """(task name, offer name) in the order of placement."""
        return self._matching.pairs()

    @cached_property
    def placed(self) -> list[int]:
        """The place of each placed task among the tasks that were given, in the order of placement."""
        return self._matching.placed()

    @cached_property
    def unplaced(self) -> dict[str, Unplaced]:
        """The tasks that were left over by name, in the order of their turns."""
        rows = self._matching.left_over()
        return {task: Unplaced(task, cause, named, self._matching) for task, cause, named in rows}

    @cached_property
    def stats(self) -> Stats:
        """What the round did."""
        return Stats(**json.loads(self._matching.stats()))

    def explain(self, task: str) -> Explanation:
        """Say why a task was left over.

        Raises:
            SchedulerError: the task was not left over.
        """
        return _explanation(self._matching, task)

    def __len__(self) -> int:
        return len(self._matching)

    def __repr__(self) -> str:
        stats = self.stats
        return f"<Matching of {stats.tasks:,} tasks and {stats.offers:,} offers: {stats.placed:,} placed>"


def _explanation(matching: _oxflow.Matching, task: str) -> Explanation:
    read: dict[str, Any] = json.loads(matching.explain(task))
    nearest: dict[str, Any] | None = read.pop("nearest")
    if nearest is not None:
        nearest["lacks"] = dict(nearest["lacks"])
        nearest["breaks"] = tuple(nearest["breaks"])
    for counts in ("too_small", "forbidden"):
        read[counts] = dict(read[counts])
    return Explanation(**read, nearest=None if nearest is None else Nearest(**nearest))
