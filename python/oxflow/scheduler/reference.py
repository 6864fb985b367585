"""The matcher in plain Python: two loops, the definition of what `Matcher` answers in the mode `exclusive`.

It ships so that anybody can check the answers of the quick one, and for the day on which that one has a bug. Amounts are numbers here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

__all__ = ["compute_score", "is_fitting_offer", "match_tasks_to_offers"]


def _same(one: Any, other: Any) -> bool:
    """1 is 1.0, but neither `True` nor `"1"`."""
    kinds = [bool if isinstance(value, bool) else str if isinstance(value, str) else float for value in (one, other)]
    return kinds[0] is kinds[1] and bool(one == other)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except ValueError:
        return None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": _same,
    "!=": lambda value, wanted: not _same(value, wanted),
    "in": lambda value, wanted: any(_same(value, one) for one in wanted),
    "not in": lambda value, wanted: not any(_same(value, one) for one in wanted),
    "~": lambda value, wanted: isinstance(value, str) and re.fullmatch(wanted, value) is not None,
    ">": lambda value, wanted: (number := _number(value)) is not None and number > float(wanted),
    ">=": lambda value, wanted: (number := _number(value)) is not None and number >= float(wanted),
    "<": lambda value, wanted: (number := _number(value)) is not None and number < float(wanted),
    "<=": lambda value, wanted: (number := _number(value)) is not None and number <= float(wanted),
}


def match_tasks_to_offers(
    tasks: Iterable[Any],
    offers: Iterable[Any],
    *,
    resources: Sequence[str],
    weights: Mapping[str, float] | None = None,
    threshold: float = 31.0,
) -> dict[str, str]:
    """Place each task on the offer that it leaves the least over of.

    Args:
        tasks: objects or dictionaries with a `name`, a number for each resource and maybe `constraints`.
        offers: the same, maybe with `attributes`.
        resources: names of the resources.
        weights: weight by resource; each 1 if there are none.
        threshold: scores must be below this.

    Returns:
        offer name -> task name, in the order of placement.
    """
    line = list(offers)
    weighed = [(name, 1.0 if weights is None else weights.get(name, 0.0)) for name in resources]
    result: dict[str, str] = {}
    for task in tasks:
        best, best_score = None, threshold
        for index, offer in enumerate(line):
            if is_fitting_offer(task, offer, resources):
                score = compute_score(task, offer, weighed)
                if score < best_score:
                    best, best_score = index, score
        if best is not None:
            result[_field(_swap_remove(line, best), "name")] = _field(task, "name")
    return result


def is_fitting_offer(task: Any, offer: Any, resources: Sequence[str]) -> bool:
    """Say whether an offer has enough of each resource and passes all constraints of a task."""
    if any(_field(offer, name) < _field(task, name) for name in resources):
        return False
    attributes: Mapping[str, Any] = _field(offer, "attributes", None) or {}
    return all(
        _passes(attributes.get(attribute), operator, wanted)
        for attribute, operator, wanted in _field(task, "constraints", None) or ()
    )


def compute_score(task: Any, offer: Any, weighed: Sequence[tuple[str, float]]) -> float:
    """Sum up what the task would leave over."""
    score = 0.0
    for name, weight in weighed:
        score += weight * (_field(offer, name) - _field(task, name))
    return score


def _swap_remove(line: list[Any], index: int) -> Any:
    """Take an item out; the last one stands in its place."""
    line[index], line[-1] = line[-1], line[index]
    return line.pop()


def _passes(value: Any, operator: str, wanted: Any) -> bool:
    if value is None:
        return operator in {"!=", "not in"}
    return _OPERATORS[operator](value, wanted)


_ABSENT = object()


def _field(holder: Any, name: str, default: Any = _ABSENT) -> Any:
    if isinstance(holder, dict):
        fields: dict[str, Any] = holder  # pyright: ignore[reportUnknownVariableType]
        return fields[name] if default is _ABSENT else fields.get(name, default)
    return getattr(holder, name) if default is _ABSENT else getattr(holder, name, default)
