"""The matcher: offers that come, change and leave, and rounds in which tasks are placed on them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from oxflow import _oxflow
from oxflow.errors import Diagnostic, SchedulerError
from oxflow.scheduler._columns import listed as listed_column, table_of, take_columns, take_table
from oxflow.scheduler.matching import Matching
from oxflow.scheduler.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Matcher"]


class Matcher:
    """Offers in line, and the rule by which tasks are placed on them.

    A task takes the offer that it fits on (for each resource the offer has at least what the task needs) with the lowest score, which
    must be strictly below the threshold; of equal scores the first in line. In the mode `exclusive` the offer then leaves, and
    the last one in line stands in its place; in the mode `shared` it stays, with less free.

    Tasks and offers are objects with attributes, or dictionaries; a field has the name of the resource unless `fields` says
    where it is. Each has a `name`. Offers may have `attributes`, a mapping to texts, numbers or truths. Tasks may have

    - `constraints`: triples (attribute, operator, value) with the operators `=`, `!=`, `in`, `not in`, `~` (a pattern that
      matches all of the text), `>`, `>=`, `<`, `<=`; or a mapping, {attribute: value} for `=`, {attribute: [values]} for `in`.
      An offer without the attribute passes `!=` and `not in` alone;
    - `priority`: a number, the highest first; among equals as they came;
    - `group` and `spread`: {attribute: n}, at most n tasks of the group in this round on offers with the same value of the
      attribute, or on one offer with `None` as attribute. `n` of 1 is anti-affinity;
    - `gang`: a name; the tasks of a gang are placed when the first of them has its turn, all or none;
    - `user`: a name, for `fair`;
    - `depends_on`: names of tasks. The task is left over unless all are in `done`.

    Amounts are finite numbers from 0 on, or texts with the units of Kubernetes: `"500m"`, `"200GiB"`. A field that may be absent may be
    `None`, too. All methods may be called from several threads; the interpreter is let go while Rust works, and every
    2 ms while objects are read.
    """

    def __init__(
        self,
        *,
        resources: Sequence[str],
        score: Policy | None = None,
        threshold: float | None = None,
        mode: Literal["exclusive", "shared"] = "exclusive",
        good_enough: float | None = None,
        fair: bool = False,
        fields: Mapping[str, str] | None = None,
        task_fields: Mapping[str, str] | None = None,
        offer_fields: Mapping[str, str] | None = None,
    ) -> None:
        """Make a matcher without offers.

        Args:
            resources: names of the resources, in the order in which scores are summed up.
            score: what makes an offer good; best fit with equal weights if there is none.
            threshold: scores must be below this; any score will do if there is none.
            mode: whether an offer takes one task or several.
            good_enough: of offers with a score up to this the first in line is taken. Below the threshold.
            fair: whether the next task is that of the user with the least dominant share of what the round began with
                (Ghodsi et al. 2011), in place of the order given. Priorities order the tasks of each user.
            fields: where a field is, in tasks and offers: `{"cpu": "resources.cpu", "name": "id"}`.
            task_fields: the same for tasks alone, before `fields`.
            offer_fields: the same for offers alone, before `fields`.

        Raises:
            SchedulerError: settings are impossible or contradict each other.
        """
        if isinstance(resources, str):
            raise _setting("`resources` is one text", "give a list of names")
        if mode not in {"exclusive", "shared"}:
            raise _setting(f"`{mode}` is no mode", "take `exclusive` or `shared`")
        policy = score if score is not None else Policy.best_fit()
        self._resources = tuple(resources)
        common = dict(fields or {})
        self._task_fields = common | dict(task_fields or {})
        self._offer_fields = common | dict(offer_fields or {})
        self._matcher = _oxflow.Matcher(
            resources=list(self._resources),
            formula=policy.formula,
            weights=_weights(policy, self._resources),
            threshold=math.inf if threshold is None else threshold,
            good_enough=good_enough,
            shared=mode == "shared",
            fair=fair,
            score=policy.function,
            task_fields=self._task_fields,
            offer_fields=self._offer_fields,
        )

    @property
    def resources(self) -> tuple[str, ...]:
        """The names of the resources."""
        return self._resources

    def add_offers(
        self,
        offers: Iterable[Any] | None = None,
        /,
        *,
        names: Sequence[str] | None = None,
        attributes: Mapping[str, Sequence[Any]] | None = None,
        **columns: Any,
    ) -> None:
        """Put offers at the end of the line, given as objects or as columns.

        Args:
            offers: objects or dictionaries, or a table with a column for each field: whatever exports Arrow
                (`__arrow_c_stream__` or `__arrow_c_array__`), with `attributes` as a struct; or else
            names: a name for each offer,
            attributes: a list for each attribute, with `None` where an offer hasn't it, and
            columns: for each resource its numbers: a NumPy array, anything else with a buffer, a column of Arrow, or a list.

        Raises:
            SchedulerError: an offer is not as it must be or is there already; none was added.
        """
        if offers is not None:
            _no_columns(names, attributes, columns)
            table = table_of(offers)
            if table is None:
                self._matcher.add_offers(offers)
                return
            listed, taken, more = take_table(table, self._resources, self._offer_fields, ("attributes",))
            self._matcher.add_offer_columns(listed, taken, more.get("attributes", {}))
            return
        listed = _names(names)
        taken = take_columns(self._resources, listed, columns)
        lists = {name: _list(name, values, listed) for name, values in (attributes or {}).items()}
        self._matcher.add_offer_columns(listed, taken, lists)

    def update_offers(self, offers: Iterable[Any]) -> None:
        """Change offers in line to what these objects of the same names say: amounts and attributes.

        Raises:
            SchedulerError: an offer is not as it must be or is not in line; none was changed.
        """
        self._matcher.update_offers(offers)

    def update_offer(self, name: str, /, **amounts: float | str) -> None:
        """Change what an offer in line has free: `update_offer("node-3", cpu=2.0)`.

        Raises:
            SchedulerError: the offer is not in line, or an amount or resource is wrong; nothing was changed.
        """
        self._matcher.update_offer(name, amounts)

    def remove_offer(self, name: str, /) -> None:
        """Take an offer out of the line; the last one stands in its place.

        Raises:
            SchedulerError: the offer is not in line.
        """
        self._matcher.remove_offer(name)

    def offers(self) -> dict[str, dict[str, float]]:
        """Return what each offer in line has free, by name and resource, in the order of the line."""
        rows = self._matcher.offers()
        return {name: dict(zip(self._resources, row, strict=True)) for name, row in rows}

    def match(
        self,
        tasks: Iterable[Any] | None = None,
        /,
        *,
        done: Iterable[str] = (),
        names: Sequence[str] | None = None,
        fields: Mapping[str, Sequence[Any]] | None = None,
        **columns: Any,
    ) -> Matching:
        """Place tasks on the offers in line, one after the other. Offers that were taken are gone after it, or have less free.

        Args:
            tasks: objects or dictionaries, or a table of Arrow, as in `add_offers`; or else
            names: a name for each task,
            fields: lists of what tasks may have: `{"priority": [...], "constraints": [...]}`, with `None` for a task without, and
            columns: for each resource its numbers, as in `add_offers`.
            done: names of the tasks that others may depend on.

        Raises:
            SchedulerError: a task is not as it must be, or a score of your own failed; nothing was changed.
        """
        finished = set(done)
        if tasks is not None:
            _no_columns(names, fields, columns)
            table = table_of(tasks)
            if table is None:
                return Matching(self._matcher.match(tasks, finished))
            listed, taken, lists = take_table(table, self._resources, self._task_fields, sorted(_TASK_FIELDS))
            return Matching(self._matcher.match_columns(listed, taken, lists, finished))
        listed = _names(names)
        taken = take_columns(self._resources, listed, columns)
        lists = {name: _list(name, values, listed) for name, values in (fields or {}).items()}
        if unknown := sorted(lists.keys() - _TASK_FIELDS):
            raise _field(f"`{unknown[0]}` is no field of a task: {', '.join(sorted(_TASK_FIELDS))}")
        return Matching(self._matcher.match_columns(listed, taken, lists, finished))

    def __len__(self) -> int:
        return len(self._matcher)

    def __contains__(self, name: str) -> bool:
        return name in self._matcher


_TASK_FIELDS = frozenset({"constraints", "priority", "user", "group", "spread", "gang", "depends_on"})


def _weights(policy: Policy, resources: Sequence[str]) -> list[float]:
    if policy.weights is None:
        return [1.0] * len(resources)
    if unknown := [name for name in policy.weights if name not in resources]:
        raise _setting(
            f"there is a weight for `{unknown[0]}`", f"weigh the resources of the matcher: {', '.join(resources)}"
        )
    return [float(policy.weights.get(name, 0.0)) for name in resources]


def _names(names: Sequence[str] | None) -> list[str]:
    if names is None:
        raise _field("there are neither objects nor `names`")
    return listed_column("names", names)


def _list(name: str, values: Sequence[Any], names: Sequence[str]) -> list[Any]:
    listed = listed_column(name, values)
    if len(listed) != len(names):
        raise _field(f"`{name}` has {len(listed)} values for {len(names)} names")
    return listed


def _no_columns(*given: object) -> None:
    if any(given):
        raise _field("there are objects and columns")


def _setting(text: str, fix: str) -> SchedulerError:
    return SchedulerError(Diagnostic("OXF1005", text, fix=fix))


def _field(text: str) -> SchedulerError:
    return SchedulerError(Diagnostic("OXF1002", text, fix="give objects, or `names` and a column for each resource"))
