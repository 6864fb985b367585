"""The matcher gives exactly the answers of the plain loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import pytest
from hypothesis import given, settings, strategies as st

import oxflow
from oxflow.scheduler import Matcher, Matching, Offer, Policy, Task, generate, match_tasks_to_offers, reference

if TYPE_CHECKING:
    from oxflow.scheduler.samples import Kind

RESOURCES = ("cpu", "mem", "disk", "gpu")
WEIGHTS = {"cpu": 1, "mem": 1 / 8, "disk": 1 / 16, "gpu": 4}
KINDS: list[Kind] = ["plenty", "scarce", "same", "rules", "uniform"]
# Few different numbers for ties, and some that are rounded.
AMOUNTS = st.one_of(st.integers(0, 5).map(float), st.floats(0, 5), st.sampled_from([0.1, 0.2, 0.1 + 0.2, 1 / 3]))
Row: TypeAlias = tuple[float, float, float, float]
ROWS = st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS)


def both(tasks: list[Task], offers: list[Offer], **settings: Any) -> dict[str, str]:
    settings = {"resources": RESOURCES, "weights": WEIGHTS} | settings
    before = list(tasks), list(offers)
    matched = match_tasks_to_offers(tasks, offers, **settings)
    expected = reference.match_tasks_to_offers(tasks, offers, **settings)
    assert list(expected.items()) == list(matched.items())
    assert before == (tasks, offers), "the lists are as they were"
    return matched


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(0, 9), (9, 0), (1, 1), (63, 64), (64, 65), (65, 63), (200, 150)])
def test_all_kinds_of_data_give_the_answers_of_the_plain_loop(kind: Kind, size: tuple[int, int]) -> None:
    both(*generate(kind, *size))


def test_most_of_each_kind_is_placed_or_not_as_its_name_says() -> None:
    placed = {kind: len(both(*generate(kind, 200, 200))) / 200 for kind in KINDS}
    assert placed["plenty"] > 0.9
    assert placed["same"] > 0.9
    assert placed["scarce"] < 0.6


@settings(max_examples=60, deadline=None)
@given(st.lists(ROWS, max_size=70), st.lists(ROWS, max_size=70), st.sampled_from([31.0, 3.0, 0.5, 0.0, float("inf")]))
def test_any_amounts_give_the_answers_of_the_plain_loop(needs: list[Row], has: list[Row], threshold: float) -> None:
    tasks = [Task(f"t{index}", *row, ()) for index, row in enumerate(needs)]
    offers = [Offer(f"o{index}", *row, {}) for index, row in enumerate(has)]
    both(tasks, offers, threshold=threshold)


@pytest.mark.parametrize("kind", KINDS)
def test_comparing_takes_the_reference_along(kind: Kind) -> None:
    tasks, offers = generate(kind, 50, 50)
    assert match_tasks_to_offers(tasks, offers, compare=True) == match_tasks_to_offers(tasks, offers)


@pytest.fixture
def wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """A matcher that answers wrongly."""

    def another(_: Matching) -> dict[str, str]:
        return {"o": "somebody else"}

    monkeypatch.setattr(Matching, "as_dict", another)


@pytest.mark.usefixtures("wrong")
def test_a_wrong_answer_is_raised_logged_or_made_good(caplog: pytest.LogCaptureFixture) -> None:
    tasks, offers = [{"name": "t", "cpu": 1}], [{"name": "o", "cpu": 1}]
    settings: dict[str, Any] = {"resources": ["cpu"], "compare": True}
    difference = r"the matcher placed \('o', 'somebody else'\) where the plain loop placed \('o', 't'\)"
    with pytest.raises(oxflow.InternalError, match=difference):
        match_tasks_to_offers(tasks, offers, **settings)
    assert match_tasks_to_offers(tasks, offers, on_mismatch="reference", **settings) == {"o": "t"}
    assert match_tasks_to_offers(tasks, offers, on_mismatch="log", **settings) == {"o": "somebody else"}
    assert [record.getMessage().rsplit("; ")[1] for record in caplog.records] == [
        "the reference's answer is taken",
        "the matcher's answer is taken",
    ]
    settings["on_mismatch"] = "nothing"
    with pytest.raises(oxflow.SchedulerError, match="`nothing`"):
        match_tasks_to_offers(tasks, offers, **settings)


def test_what_the_matcher_cannot_do_the_reference_does(caplog: pytest.LogCaptureFixture) -> None:
    offers = [{"name": zone, "cpu": 1, "attributes": {"zone": zone}} for zone in ("us-1", "eu-1", "eu-2")]
    tasks = [{"name": "t", "cpu": 1, "constraints": [("zone", "~", "(?!us).*")]}]
    with pytest.raises(oxflow.SchedulerError, match="zone"):
        match_tasks_to_offers(tasks, offers, resources=["cpu"])
    assert match_tasks_to_offers(tasks, offers, resources=["cpu"], fallback=True) == {"eu-1": "t"}
    assert "the plain loop does" in caplog.text
    # What is wrong for both is no reason to fall back.
    with pytest.raises(oxflow.SchedulerError, match="NaN"):
        match_tasks_to_offers(tasks, [{"name": "o", "cpu": float("nan")}], resources=["cpu"], fallback=True)


def test_an_offer_that_is_taken_gives_its_place_to_the_last() -> None:
    offers = [{"name": name, "cpu": 2} for name in "abcd"]
    tasks = [{"name": f"t{index}", "cpu": 1} for index in range(4)]
    matched = match_tasks_to_offers(tasks, offers, resources=["cpu"])
    assert matched == {"a": "t0", "d": "t1", "c": "t2", "b": "t3"}
    assert list(matched) == ["a", "d", "c", "b"]


def test_a_score_at_the_threshold_is_none() -> None:
    offers = [{"name": "a", "cpu": 31}]
    assert match_tasks_to_offers([{"name": "t", "cpu": 0}], offers, resources=["cpu"]) == {}
    assert match_tasks_to_offers([{"name": "t", "cpu": 0}], offers, resources=["cpu"], threshold=31.5) == {"a": "t"}


def test_a_matching_tells_pairs_places_and_what_it_did() -> None:
    matcher = Matcher(resources=["cpu"], mode="shared")
    matcher.add_offers([{"name": "a", "cpu": 3}])
    matching = matcher.match([{"name": name, "cpu": 2 - index} for index, name in enumerate("xyz")])
    assert matching.pairs == [("x", "a"), ("y", "a"), ("z", "a")]
    assert matching.by_offer() == {"a": ["x", "y", "z"]}
    assert matching.placed == [0, 1, 2]
    assert len(matching) == 3
    assert matcher.offers() == {"a": {"cpu": 0.0}}
    with pytest.raises(oxflow.SchedulerError, match="have several tasks"):
        matching.as_dict()
    stats = matching.stats
    assert (
        stats.tasks, stats.offers, stats.placed, stats.unplaced, stats.method, stats.score,
    ) == (3, 1, 3, 0, "tree", "native")  # fmt: skip
    assert repr(matching) == "<Matching of 3 tasks and 1 offers: 3 placed>"


def test_a_score_in_python_is_asked_about_every_offer_that_fits() -> None:
    asked: list[tuple[tuple[float, ...], tuple[float, ...]]] = []

    def score(task: tuple[float, ...], free: tuple[float, ...]) -> float:
        asked.append((task, free))
        return abs(free[0] - 2 * task[0])

    matcher = Matcher(resources=["cpu"], score=Policy.custom(score))
    matcher.add_offers([{"name": f"o{cpu}", "cpu": cpu} for cpu in range(1, 6)])
    matching = matcher.match([{"name": "t", "cpu": 2}])
    assert matching.as_dict() == {"o4": "t"}
    assert asked == [((2.0,), (cpu,)) for cpu in (2.0, 3.0, 4.0, 5.0)]
    stats = matching.stats
    assert (stats.method, stats.score, stats.pairs) == ("scan", "python", 4)


def test_a_score_that_fails_undoes_the_round() -> None:
    def score(task: tuple[float, ...], free: tuple[float, ...]) -> float:
        return free[0] / task[0]

    matcher = Matcher(resources=["cpu"], score=Policy.custom(score))
    matcher.add_offers([{"name": name, "cpu": 1} for name in "abc"])
    before = matcher.offers()
    with pytest.raises(oxflow.SchedulerError, match="score of task `zero` on offer `c` failed") as caught:
        matcher.match([{"name": "one", "cpu": 1}, {"name": "zero", "cpu": 0}])
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert list(before.items()) == list(matcher.offers().items())
    assert caught.value.code == "OXF1007"


def test_a_score_that_is_no_number_and_one_that_uses_its_matcher_are_told() -> None:
    matcher: Matcher
    matcher = Matcher(resources=["cpu"], score=Policy.custom(lambda _task, _free: float("nan")))
    matcher.add_offers([{"name": "a", "cpu": 1}])
    with pytest.raises(oxflow.SchedulerError, match="is not a number"):
        matcher.match([{"name": "t", "cpu": 1}])
    looping = Matcher(resources=["cpu"], score=Policy.custom(lambda _task, _free: float(len(looping))))
    looping.add_offers([{"name": "a", "cpu": 1}])
    with pytest.raises(oxflow.SchedulerError) as caught:
        looping.match([{"name": "t", "cpu": 1}])
    assert "can't use the matcher" in str(caught.value.__cause__)
