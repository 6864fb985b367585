"""One call in place of a function that loops over tasks and offers."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Literal

from oxflow.errors import Diagnostic, InternalError, SchedulerError
from oxflow.scheduler import reference
from oxflow.scheduler.matcher import Matcher
from oxflow.scheduler.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["match_tasks_to_offers"]

_logger = logging.getLogger("oxflow.scheduler")
# Constraints that can't be read, and bugs.
_FALLBACK = {"OXF1004", "OXF0901"}


def match_tasks_to_offers(
    tasks: Iterable[Any],
    offers: Iterable[Any],
    *,
    resources: Sequence[str] = ("cpu", "mem", "disk", "gpu"),
    weights: Mapping[str, float] | None = None,
    threshold: float = 31.0,
    fields: Mapping[str, str] | None = None,
    compare: bool = False,
    on_mismatch: Literal["raise", "reference", "log"] = "raise",
    fallback: bool = False,
) -> dict[str, str]:
    """Place each task, in order, on the offer that it leaves the least over of; an offer takes one task.

    The same as a `Matcher` with these settings and `Policy.best_fit(weights)`, for one round. Neither list is changed.

    Args:
        tasks: objects or dictionaries, as `Matcher` takes them.
        offers: the same.
        resources: names of the resources.
        weights: weight by resource; each 1 if there are none.
        threshold: scores must be below this.
        fields: where a field is, if it has not its own name.
        compare: also run `reference.match_tasks_to_offers`, which takes minutes for what this does in a tenth of a second.
            The reference knows neither units, `fields`, nor constraints that are a mapping.
        on_mismatch: what to do if the answers differ: raise, or log it to `oxflow.scheduler` and return the reference's
            answer, or with `log` the matcher's.
        fallback: where the matcher can't answer (a pattern that can't be matched in linear time, or a bug of it), log that and
            return the reference's answer.

    Returns:
        offer name -> task name, in the order of placement.

    Raises:
        SchedulerError: a task, an offer or a setting is not as it must be; names it.
        InternalError: the answers differ.
    """
    if on_mismatch not in {"raise", "reference", "log"}:
        text = f"`{on_mismatch}` is nothing to do on a mismatch"
        raise SchedulerError(Diagnostic("OXF1005", text, fix="take `raise`, `reference` or `log`"))
    tasks, offers = list(tasks), list(offers)

    def plainly() -> dict[str, str]:
        return reference.match_tasks_to_offers(tasks, offers, resources=resources, weights=weights, threshold=threshold)

    try:
        matched = _matched(tasks, offers, resources, weights, threshold=threshold, fields=fields)
    except (SchedulerError, InternalError) as error:
        if not fallback or error.code not in _FALLBACK:
            raise
        _logger.warning("the matcher can't answer, the plain loop does: %s", error.diagnostics[0].message)
        return plainly()
    if not compare or (difference := _difference(matched, plain := plainly())) is None:
        return matched
    if on_mismatch == "raise":
        fix = "report it with the tasks and offers; take the reference"
        raise InternalError(Diagnostic("OXF0901", difference, fix=fix))
    _logger.error(
        "%s; the %s answer is taken", difference, "reference's" if on_mismatch == "reference" else "matcher's"
    )
    return plain if on_mismatch == "reference" else matched


def _matched(
    tasks: list[Any],
    offers: list[Any],
    resources: Sequence[str],
    weights: Mapping[str, float] | None,
    *,
    threshold: float,
    fields: Mapping[str, str] | None,
) -> dict[str, str]:
    matcher = Matcher(resources=resources, score=Policy.best_fit(weights), threshold=threshold, fields=fields)
    matcher.add_offers(offers)
    return matcher.match(tasks).as_dict()


def _difference(matched: dict[str, str], plain: dict[str, str]) -> str | None:
    """The first placement in which two answers differ."""
    if list(matched.items()) == list(plain.items()):
        return None
    pairs = (pair for pair in zip(matched.items(), plain.items(), strict=False) if pair[0] != pair[1])
    ours, theirs = next(pairs, ("nothing", "more"))
    return f"the matcher placed {ours} where the plain loop placed {theirs}"
