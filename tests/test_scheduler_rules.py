"""What tasks may demand beside amounts, against a model in plain Python."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
import test_steps
from hypothesis import given, settings, strategies as st

import oxflow
from oxflow.scheduler import Matcher, Matching, Policy
from oxflow.scheduler.reference import is_fitting_offer

if TYPE_CHECKING:
    from pathlib import Path

RESOURCES = ["cpu", "mem"]
POLICIES = ["best_fit", "worst_fit", "first_fit", "ratio", "most_allocated", "least_allocated"]


@dataclass
class Model:
    """The loop over all offers, with every rule as its definition says."""

    policy: str
    shared: bool
    fair: bool
    threshold: float
    good_enough: float | None
    done: set[str]
    offers: list[dict[str, Any]]
    placed: list[tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=list[Any])
    left: dict[str, str] = field(default_factory=dict[str, str])

    def term(self, task: dict[str, Any], offer: dict[str, Any], name: str) -> float:
        need: float = task[name]
        free: float = offer[name]
        capacity: float = offer["capacity"][name]
        match self.policy:
            case "best_fit":
                return free - need
            case "worst_fit":
                return -(free - need)
            case "ratio":
                return 1.0 - need / free if free else 0.0
            case "most_allocated":
                return (free - need) / capacity if capacity else 0.0
            case "least_allocated":
                return 1.0 - (free - need) / capacity if capacity else 0.0
            case _:
                return 0.0

    def spreads(self, task: dict[str, Any], offer: dict[str, Any]) -> bool:
        for attribute, most in task.get("spread", {}).items():
            key = "name" if attribute is None else attribute
            value = {"name": offer["name"], **offer["attributes"]}.get(key)
            on = [{"name": other["name"], **other["attributes"]}.get(key) for placed, other in self.placed
                  if placed.get("group") == task.get("group")]  # fmt: skip
            if value is None or on.count(value) >= most:
                return False
        return True

    def place(self, task: dict[str, Any]) -> bool:
        best, best_score = None, self.threshold
        for offer in self.offers:
            if is_fitting_offer(task, offer, RESOURCES) and self.spreads(task, offer):
                score = 0.0
                for name in RESOURCES:
                    score += self.term(task, offer, name)
                if score < best_score:
                    best, best_score = offer, score
                if self.good_enough is not None and score <= self.good_enough:
                    break
        if best is None:
            return False
        self.placed.append((task, best))
        place = self.offers.index(best)
        if self.shared:
            self.offers[place] = {**best, **{name: best[name] - task[name] for name in RESOURCES}}
        else:
            self.offers[place] = self.offers[-1]
            self.offers.pop()
        return True

    def order(self, tasks: list[dict[str, Any]]) -> Any:
        line = sorted(tasks, key=lambda task: -task.get("priority", 0))
        if not self.fair:
            yield from line
            return
        total = {name: sum((offer[name] for offer in self.offers), 0.0) for name in RESOURCES}
        users = list(dict.fromkeys([None, *(task.get("user") for task in tasks)]))
        while line:
            used = {user: dict.fromkeys(RESOURCES, 0.0) for user in users}
            for task, _ in self.placed:
                for name in RESOURCES:
                    used[task.get("user")][name] += task[name]
            waiting = [user for user in users if any(task.get("user") == user for task in line)]
            share = {
                user: max([0.0, *(used[user][name] / total[name] for name in RESOURCES if total[name])])
                for user in users
            }
            user = min(waiting, key=share.__getitem__)
            task = next(task for task in line if task.get("user") == user)
            line.remove(task)
            yield task

    def run(self, tasks: list[dict[str, Any]]) -> None:
        gangs: set[str] = set()
        ordered = sorted(tasks, key=lambda task: -task.get("priority", 0))
        for task in self.order(tasks):
            gang = task.get("gang")
            if gang in gangs:
                continue
            members = [task] if gang is None else [other for other in ordered if other.get("gang") == gang]
            gangs |= set() if gang is None else {gang}
            before = list(self.placed), list(self.offers)
            for member in members:
                waits = [name for name in member.get("depends_on", ()) if name not in self.done]
                if waits or not self.place(member):
                    self.placed, self.offers = before
                    self.left |= {other["name"]: "gang" for other in members}
                    self.left[member["name"]] = "dependency" if waits else "no offer"
                    break


Rows: TypeAlias = "st.SearchStrategy[list[dict[str, Any]]]"
# Its keys may be of any type, which says nothing to a type checker.
fixed: Any = st.fixed_dictionaries
AMOUNTS = st.sampled_from([0.0, 1.0, 2.0, 3.0, 0.1, 0.2, 0.1 + 0.2])
OFFERS: Rows = st.lists(
    fixed({
        "cpu": AMOUNTS, "mem": AMOUNTS,
        "attributes": fixed({}, optional={"rack": st.sampled_from("ab"), "gen": st.integers(1, 4)}),
    }), max_size=12,
)  # fmt: skip
CONSTRAINTS = st.lists(
    st.sampled_from([
        ("rack", "=", "a"), ("rack", "!=", "a"), ("rack", "in", ["a", "b"]), ("rack", "not in", ["b"]), ("rack", "~", "[bc]"),
        ("gen", ">", 2), ("gen", ">=", "2"), ("gen", "<", 3), ("gen", "<=", 1), ("gen", "=", 2), ("other", "=", "x"), ("other", "!=", "x"),
    ]), max_size=2,
)  # fmt: skip
TASKS: Rows = st.lists(
    fixed(
        {"cpu": AMOUNTS, "mem": AMOUNTS},
        optional={
            "constraints": CONSTRAINTS,
            "priority": st.integers(-1, 1),
            "user": st.sampled_from("uvw"),
            "group": st.sampled_from("gh"),
            "spread": st.dictionaries(st.sampled_from([None, "rack"]), st.integers(0, 2), max_size=2),
            "gang": st.sampled_from("xyz"),
            "depends_on": st.lists(st.sampled_from(["done", "undone"]), max_size=2),
        },
    ),
    max_size=12,
)
SETTINGS = st.tuples(
    st.sampled_from(POLICIES),
    st.booleans(),
    st.booleans(),
    st.sampled_from([1e9, 2.0, 0.5]),
    st.sampled_from([None, 0.2]),
)


def named(rows: list[dict[str, Any]], prefix: str) -> list[dict[str, Any]]:
    return [{"name": f"{prefix}{index}", **row} for index, row in enumerate(rows)]


def matched(chosen: tuple[str, bool, bool, float, float | None], offers: Any, tasks: Any) -> tuple[Model, Matching]:
    policy, shared, fair, threshold, good_enough = chosen
    model = Model(policy, shared, fair, threshold, good_enough, {"done"}, [
        {**offer, "capacity": {name: offer[name] for name in RESOURCES}} for offer in offers
    ])  # fmt: skip
    model.run(tasks)
    matcher = Matcher(
        resources=RESOURCES, score=Policy(policy), threshold=threshold, good_enough=good_enough,
        mode="shared" if shared else "exclusive", fair=fair,
    )  # fmt: skip
    matcher.add_offers(offers)
    return model, matcher.match(tasks, done={"done"})


@settings(max_examples=100, deadline=None)
@given(SETTINGS, OFFERS, TASKS)
def test_rules_mean_what_the_model_says(
    chosen: tuple[str, bool, bool, float, float | None],
    offer_rows: list[dict[str, Any]],
    task_rows: list[dict[str, Any]],
) -> None:
    model, matching = matched(chosen, named(offer_rows, "o"), named(task_rows, "t"))
    assert matching.pairs == [(task["name"], offer["name"]) for task, offer in model.placed]
    assert model.left == {name: task.cause for name, task in matching.unplaced.items()}


@settings(max_examples=60, deadline=None)
@given(OFFERS, TASKS)
def test_why_counts_what_each_offer_lacked_at_the_tasks_turn(
    offer_rows: list[dict[str, Any]], task_rows: list[dict[str, Any]]
) -> None:
    plain = [{key: value for key, value in row.items() if key in {"cpu", "mem", "constraints"}} for row in task_rows]
    offers, tasks = named(offer_rows, "o"), named(plain, "t")
    _, matching = matched(("best_fit", False, False, 2.0, None), offers, tasks)
    turn_of = {name: index for index, name in enumerate(task["name"] for task in tasks)}
    for task in tasks:
        if task["name"] not in matching.unplaced:
            continue
        taken = {offer for name, offer in matching.pairs if turn_of[name] < turn_of[task["name"]]}
        there = [offer for offer in offers if offer["name"] not in taken]
        why = matching.explain(task["name"])
        assert why == matching.unplaced[task["name"]].why
        assert len(there) == why.offers
        for name in RESOURCES:
            assert why.too_small.get(name, 0) == sum(offer[name] < task[name] for offer in there)
        bare = {"cpu": 0, "mem": 0}
        rules = {repr(rule): rule for rule in task.get("constraints", [])}.values()
        broken = [{**bare, "constraints": [rule]} for rule in rules]
        counts = sorted(sum(not is_fitting_offer(rule, offer, RESOURCES) for offer in there) for rule in broken)
        assert [count for count in counts if count] == sorted(why.forbidden.values())
        assert why.above_threshold == sum(is_fitting_offer(task, offer, RESOURCES) for offer in there)
        assert (why.nearest is None) == (not there)
        if why.nearest is not None:
            offer = next(offer for offer in there if offer["name"] == why.nearest.offer)
            gap = {name: task[name] - offer[name] for name in RESOURCES if offer[name] < task[name]}
            assert gap == why.nearest.lacks
            fewest = min(sum(not is_fitting_offer(rule, other, RESOURCES) for rule in broken) for other in there)
            assert len(why.nearest.breaks) == fewest


def test_only_a_task_that_was_left_over_is_explained() -> None:
    matcher = Matcher(resources=["cpu"])
    matcher.add_offers([{"name": "o", "cpu": 1}])
    matching = matcher.match([{"name": "t", "cpu": 1}])
    with pytest.raises(oxflow.SchedulerError, match="no task `t` was left over"):
        matching.explain("t")


def test_why_reads_as_a_sentence() -> None:
    matcher = Matcher(resources=["cpu"], threshold=1.0)
    matcher.add_offers(names=["a", "b"], cpu=[1, 5], attributes={"pool": ["test", "prod"]})
    matching = matcher.match([{"name": "t", "cpu": 2, "constraints": [("pool", "=", "prod")]}])
    assert str(matching.explain("t")) == (
        "`t` was left over: of 2 offers 1 have too little `cpu`, 1 break `pool = prod`, 1 are above the threshold; "
        "nearest is `b`, which has the score 3"
    )


def files(folder: Path) -> list[str]:
    (folder / "tasks.jsonl").write_text('{"name":"a","cpu":1}\n\n{"name":"b","cpu":9}\n', encoding="utf-8")
    (folder / "offers.jsonl").write_text('{"name":"x","cpu":"4"}\n{"name":"y","cpu":2}\n', encoding="utf-8")
    return [sys.executable, "-m", "oxflow", "match", str(folder / "tasks.jsonl"), str(folder / "offers.jsonl")]


def test_the_command_prints_pairs_and_reasons(tmp_path: Path) -> None:
    done = subprocess.run([*files(tmp_path), "--explain"], capture_output=True, text=True, check=True)
    assert done.stdout == "a\ty\n"
    assert "1 of 2 tasks placed on 2 offers" in done.stderr
    assert "`b` was left over: of 1 offers 1 have too little `cpu`; nearest is `x`, which lacks 5 `cpu`" in done.stderr
    worst = [*files(tmp_path), "--json", "--explain", "--policy", "worst_fit", "--weight", "cpu=2", "--mode", "shared"]
    shown = json.loads(subprocess.run(worst, capture_output=True, text=True, check=True).stdout)
    assert shown["pairs"] == [{"task": "a", "offer": "x"}]
    assert shown["unplaced"][0]["too_small"] == {"cpu": 2}
    assert shown["stats"]["placed"] == 1


def test_the_command_names_a_line_that_is_no_object(tmp_path: Path) -> None:
    command = files(tmp_path)
    (tmp_path / "tasks.jsonl").write_text('{"name":"a","cpu":1}\n[]\n', encoding="utf-8")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "error[OXF1008]: line 2 of" in done.stderr


def test_a_score_of_rust_is_asked_about_all_offers_of_a_task() -> None:
    policy, beside = (
        Policy.custom(test_steps.nearest_double),
        Policy.custom(lambda task, free: abs(free[0] - 2 * task[0])),
    )
    pairs: list[Any] = []
    for score, language in ((policy, "rust"), (beside, "python")):
        matcher = Matcher(resources=["cpu", "mem"], score=score, threshold=3.0)
        matcher.add_offers(names=list("abcd"), cpu=[2, 4, 8, 9], mem=[1] * 4)
        matching = matcher.match(names=["t", "u", "v", "w"], cpu=[2, 4, 4, 1], mem=[1] * 4)
        assert (matching.stats.method, matching.stats.score) == ("scan", language)
        pairs.append(matching.pairs)
    assert pairs[0] == pairs[1] == [("t", "b"), ("u", "c"), ("v", "d"), ("w", "a")]


def test_a_score_of_rust_that_fails_names_task_and_offer_and_changes_nothing() -> None:
    matcher = Matcher(resources=["cpu"], score=Policy.custom(test_steps.nearest_double))
    matcher.add_offers(names=list("abc"), cpu=[2, 13, 4])
    with pytest.raises(oxflow.SchedulerError, match="the score of task `t` on offer `b` failed") as caught:
        matcher.match(names=["t"], cpu=[1])
    assert isinstance(caught.value.__cause__, oxflow.StepPanicked)
    assert "thirteen" in str(caught.value.__cause__)
    assert len(matcher) == 3
    matcher.remove_offer("b")
    assert matcher.match(names=["t"], cpu=[1]).as_dict() == {"a": "t"}


def test_a_function_of_rust_that_is_no_score_says_so() -> None:
    matcher = Matcher(resources=["cpu"], score=Policy.custom(test_steps.reverse))
    matcher.add_offers(names=["a"], cpu=[2])
    with pytest.raises(oxflow.SchedulerError, match="failed") as caught:
        matcher.match(names=["t"], cpu=[1])
    assert "`reverse` gave 3 scores for 1 offers" in str(caught.value.__cause__)
