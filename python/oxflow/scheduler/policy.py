"""What makes an offer good for a task: the lower the score, the better."""

from __future__ import annotations

from collections.abc import Callable, Mapping  # noqa: TC003  # part of the annotations that users read at run time
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from oxflow import _oxflow  # noqa: TC001  # as above

__all__ = ["NativeScore", "Policy", "ScoreFunction"]

ScoreFunction: TypeAlias = "Callable[[tuple[float, ...], tuple[float, ...]], float]"
"""Takes what a task needs and what an offer has free, both in the order of the resources."""


class NativeScore(Protocol):
    """A function of an extension, from bytes to bytes, that scores with `oxflow::score`.

    Attributes:
        native: the function as the engine takes it.
    """

    native: _oxflow.NativeFunction


@dataclass(frozen=True)
class Policy:
    """A score, made by one of the methods; `weights` say how much each resource counts in it.

    Weights are numbers from 0 on. A resource that they don't name counts for nothing; without weights each counts 1.
    The score is summed up from 0.0 in the order of the matcher's resources, in 64-bit floats.

    Attributes:
        formula: name of the formula.
        weights: weight by resource, or `None`.
        function: a score of your own, or `None`.
    """

    formula: str
    weights: Mapping[str, float] | None = None
    function: ScoreFunction | NativeScore | None = field(default=None, compare=False)

    @classmethod
    def best_fit(cls, weights: Mapping[str, float] | None = None) -> Policy:
        """Leave the least over: the sum of `weight * (offer - task)`."""
        return cls("best_fit", weights)

    @classmethod
    def worst_fit(cls, weights: Mapping[str, float] | None = None) -> Policy:
        """Leave the most over: the sum of `-(weight * (offer - task))`, which is never above 0."""
        return cls("worst_fit", weights)

    @classmethod
    def first_fit(cls) -> Policy:
        """Take the first offer in line that the task fits on; every score is 0."""
        return cls("first_fit")

    @classmethod
    def ratio(cls, weights: Mapping[str, float] | None = None) -> Policy:
        """Leave the least part over: the sum of `weight * (1 - task / offer)`, 0 where an offer has nothing."""
        return cls("ratio", weights)

    @classmethod
    def most_allocated(cls, weights: Mapping[str, float] | None = None) -> Policy:
        """Fill full offers first: the sum of `weight * ((offer - task) / capacity)`.

        The capacity of an offer is the most that it ever had in this matcher.
        """
        return cls("most_allocated", weights)

    @classmethod
    def least_allocated(cls, weights: Mapping[str, float] | None = None) -> Policy:
        """Fill empty offers first: the sum of `weight * (1 - (offer - task) / capacity)`."""
        return cls("least_allocated", weights)

    @classmethod
    def custom(cls, function: ScoreFunction | NativeScore) -> Policy:
        """Ask a function of your own about every task and every offer that it fits on.

        A function of Rust in your extension (`oxflow::score`) is asked about all offers of a task in one call, without the
        interpreter: `Matching.stats.score` says `rust`. One of Python is a hundred times as slow as that, and holds the
        interpreter while it runs: `stats.score` says `python`. Both look at each offer, which the other policies don't.

        Args:
            function: takes what the task needs and what the offer has free, tuples in the order of the resources; gives a
                number, the lower the better, and infinity to forbid the offer. It can't use the matcher. Or a function of
                an extension.
        """
        return cls("first_fit", None, function)
