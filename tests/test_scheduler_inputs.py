"""What tasks and offers may be, and what is said of those that are not."""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from types import MappingProxyType, SimpleNamespace
from typing import Any

import msgspec
import pytest

import oxflow
from oxflow.scheduler import Matcher, Policy, flatten_tasks, match_tasks_to_offers

NAN, INFINITY = float("nan"), float("inf")


@dataclass
class Plain:
    name: str
    cpu: float
    constraints: list[tuple[str, str, Any]] = field(default_factory=list[tuple[str, str, Any]])


@dataclass(slots=True)
class Slotted:
    name: str
    cpu: float
    attributes: dict[str, Any] | None = None


class Struct(msgspec.Struct):
    name: str
    cpu: float
    attributes: dict[str, Any] = {}


class Property:
    """Everything is computed."""

    def __init__(self, name: str, cpu: float, **more: Any) -> None:
        self._values = {"name": name, "cpu": cpu, **more}

    def __getattr__(self, name: str) -> Any:
        try:
            return self._values[name]
        except KeyError:
            raise AttributeError(name) from None


ZONE = {"zone": "eu"}


@pytest.mark.parametrize(
    "offer",
    [
        {"name": "o", "cpu": 2, "attributes": ZONE},
        Slotted("o", 2, ZONE),
        Struct("o", 2, ZONE),
        SimpleNamespace(name="o", cpu=2, attributes=ZONE),
        Property("o", 2, attributes=ZONE),
        MappingProxyType({"name": "o", "cpu": "2", "attributes": MappingProxyType(ZONE)}),
    ],
    ids=lambda offer: type(offer).__name__,
)
@pytest.mark.parametrize(
    "task",
    [
        {"name": "t", "cpu": 1, "constraints": [("zone", "=", "eu")]},
        {"name": "t", "cpu": 1, "constraints": [["zone", "=", "eu"]]},
        {"name": "t", "cpu": 1, "constraints": {"zone": "eu"}},
        Plain("t", 1, [("zone", "=", "eu")]),
        SimpleNamespace(name="t", cpu=1, constraints=(("zone", "=", "eu"),)),
        Property("t", 1, constraints={"zone": ["eu"]}),
    ],
    ids=lambda task: type(task).__name__,
)
def test_objects_of_any_class_are_read_with_all_that_they_have(task: Any, offer: Any) -> None:
    other = {"name": "other", "cpu": 1}
    assert match_tasks_to_offers([task], [other, offer], resources=["cpu"]) == {"o": "t"}


def test_an_object_may_have_what_others_of_its_class_have_not() -> None:
    tasks = [SimpleNamespace(name=f"t{index}", cpu=1) for index in range(2)]
    tasks[1].constraints = [("zone", "=", "eu")]
    offers = [SimpleNamespace(name=f"o{index}", cpu=1) for index in range(3)]
    offers[2].attributes = ZONE
    assert match_tasks_to_offers(tasks, offers, resources=["cpu"]) == {"o0": "t0", "o2": "t1"}


def test_fields_may_be_anywhere() -> None:
    tasks = [{"id": "t", "spec": SimpleNamespace(cores=1, rules={"zone": "eu"})}]
    offers = [SimpleNamespace(host="o", free={"cpu": 1}, labels=ZONE)]
    matcher = Matcher(
        resources=["cpu"],
        fields={"name": "id", "cpu": "spec.cores", "constraints": "spec.rules"},
        offer_fields={"name": "host", "cpu": "free.cpu", "attributes": "labels"},
    )
    matcher.add_offers(offers)
    assert matcher.match(tasks).as_dict() == {"o": "t"}


def test_two_fields_at_one_place_hide_no_others() -> None:
    matcher = Matcher(
        resources=["cpu", "mem"], fields={"cpu": "slots", "mem": "slots"}, offer_fields={"cpu": "free", "mem": "free"}
    )
    matcher.add_offers([{"name": "o0", "free": 1, "attributes": {"zone": "us"}}])
    matcher.add_offers([{"name": "o1", "free": 2, "attributes": ZONE}])
    task = {"name": "t", "slots": 1, "constraints": [("zone", "=", "eu")]}
    assert matcher.match([task]).as_dict() == {"o1": "t"}


def test_the_name_may_be_another_field_too() -> None:
    fields = {"depends_on": "name"}
    with pytest.raises(oxflow.SchedulerError, match="has a `depends_on` that is no list of names"):
        Matcher(resources=["cpu"], fields=fields).match([{"name": "t", "cpu": 1}])


def test_amounts_have_the_units_of_kubernetes() -> None:
    matcher = Matcher(resources=["cpu", "mem"])
    matcher.add_offers([{"name": "o", "cpu": "1500m", "mem": "2GiB"}])
    assert matcher.offers() == {"o": {"cpu": 1.5, "mem": 2.0 * 1024**3}}


def numbers(*values: float) -> list[Any]:
    return [
        list(values),
        array("d", values),
        array("f", values),
        array("q", [int(value) for value in values]),
        memoryview(struct.pack(f"{len(values)}d", *values)).cast("d"),
        memoryview(struct.pack(f"{2 * len(values)}d", *(v for value in values for v in (value, NAN)))).cast("d")[::2],
    ]


@pytest.mark.parametrize("kind", range(6))
def test_columns_are_lists_or_anything_with_a_buffer(kind: int) -> None:
    matcher = Matcher(resources=["cpu", "mem"])
    racks = {"rack": ["x", None, "y"]}
    matcher.add_offers(names=list("abc"), cpu=numbers(4, 2, 3)[kind], mem=numbers(1, 1, 1)[kind], attributes=racks)
    fields: dict[str, Any] = {"constraints": [None, [("rack", "=", "y")]], "priority": [0, 1]}
    matching = matcher.match(names=["t", "u"], cpu=numbers(2, 2)[kind], mem=numbers(1, 0)[kind], fields=fields)
    assert matching.pairs == [("u", "c"), ("t", "b")]


@pytest.mark.parametrize(
    ("offer", "code", "text"),
    [
        ({"name": "o", "cpu": NAN}, "OXF1001", "offer `o` has NaN of `cpu`"),
        ({"name": "o", "cpu": -1}, "OXF1001", "offer `o` has -1 of `cpu`"),
        ({"name": "o", "cpu": INFINITY}, "OXF1001", "offer `o` has inf of `cpu`"),
        ({"name": "o", "cpu": "-1"}, "OXF1001", "offer `o` has -1 of `cpu`"),
        ({"name": "o", "cpu": "2 cores"}, "OXF1001", "offer `o` has `2 cores` of `cpu`, which is no amount"),
        ({"name": "o", "cpu": None}, "OXF1001", "offer `o` has `None` of `cpu`"),
        ({"name": "o", "cpu": 10**400}, "OXF1001", "an integer that is too large"),
        ({"name": "o"}, "OXF1002", "offer `o` has no `cpu`"),
        ({"cpu": 1}, "OXF1002", "offer `#1` has no `name`"),
        ({"name": 7, "cpu": 1}, "OXF1002", "offer `#1` has a `name` that is no text"),
        ({"name": "o", "cpu": 1, "attributes": 7}, "OXF1002", "offer `o` has `attributes` that are no mapping"),
        ({"name": "o", "cpu": 1, "attributes": {"x": []}}, "OXF1002", "offer `o` has an attribute `x`"),
        ({"name": "good", "cpu": 1}, "OXF1003", "two have the name of offer `good`"),
        ({"name": "there", "cpu": 1}, "OXF1003", "two have the name of offer `there`"),
    ],
)
def test_a_wrong_offer_is_named_and_none_is_added(offer: dict[str, Any], code: str, text: str) -> None:
    matcher = Matcher(resources=["cpu"])
    matcher.add_offers([{"name": "there", "cpu": 1}])
    with pytest.raises(oxflow.SchedulerError) as caught:
        matcher.add_offers([{"name": "good", "cpu": 1}, offer])
    assert (code, True) == (caught.value.code, text in str(caught.value)), str(caught.value)
    assert list(matcher.offers()) == ["there"]


@pytest.mark.parametrize(
    ("task", "code", "text"),
    [
        ({"cpu": NAN}, "OXF1001", "task `t` has NaN of `cpu`"),
        ({"cpu": 1, "priority": NAN}, "OXF1001", "task `t` has NaN of `priority`"),
        ({"name": "good", "cpu": 1}, "OXF1003", "task `good`"),
        ({"cpu": 1, "constraints": [("zone", "~", "a(?=b)")]}, "OXF1004", "task `t` has a constraint on `zone`"),
        ({"cpu": 1, "constraints": [("zone", "~", r"(a)\1")]}, "OXF1004", "backreferences are not supported"),
        ({"cpu": 1, "constraints": [("zone", "~", "(")]}, "OXF1004", "unclosed group"),
        ({"cpu": 1, "constraints": [("zone", "like", "a")]}, "OXF1004", "`like` is no operator"),
        ({"cpu": 1, "constraints": [("zone", ">", "much")]}, "OXF1004", "no number"),
        ({"cpu": 1, "constraints": [("zone", "in", "abc")]}, "OXF1004", "`in` takes a list"),
        ({"cpu": 1, "constraints": ["zone = a"]}, "OXF1002", "task `t` has `constraints` that are no list"),
        ({"cpu": 1, "constraints": "zone = a"}, "OXF1002", "task `t` has `constraints` that are no list"),
        ({"cpu": 1, "priority": "high"}, "OXF1002", "task `t` has a `priority` that is no number"),
        ({"cpu": 1, "user": 7}, "OXF1002", "task `t` has a `user` that is no text"),
        ({"cpu": 1, "spread": {"rack": -1}}, "OXF1002", "task `t` has a `spread`"),
        ({"cpu": 1, "depends_on": "other"}, "OXF1002", "task `t` has a `depends_on` that is no list of names"),
    ],
)
def test_a_wrong_task_is_named_and_nothing_is_placed(task: dict[str, Any], code: str, text: str) -> None:
    matcher = Matcher(resources=["cpu"])
    matcher.add_offers([{"name": name, "cpu": 1} for name in "abc"])
    before = matcher.offers()
    with pytest.raises(oxflow.SchedulerError) as caught:
        matcher.match([{"name": "good", "cpu": 1}, {"name": "t", **task}])
    assert (code, True) == (caught.value.code, text in str(caught.value)), str(caught.value)
    assert list(before.items()) == list(matcher.offers().items())


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"resources": []}, "without resources"),
        ({"resources": "cpu"}, "one text"),
        ({"resources": ["cpu", "cpu"]}, "named twice"),
        ({"score": Policy.best_fit(weights={"gpu": 1})}, "weight for `gpu`"),
        ({"score": Policy.best_fit(weights={"cpu": -1})}, "the weight -1"),
        ({"score": Policy.best_fit(weights={"cpu": NAN})}, "the weight NaN"),
        ({"score": Policy("quickest")}, "`quickest` is no policy"),
        ({"threshold": NAN}, "threshold"),
        ({"threshold": 1.0, "good_enough": 1.0}, "below the threshold"),
        ({"mode": "many"}, "`many` is no mode"),
    ],
)
def test_impossible_settings_are_told(settings: dict[str, Any], text: str) -> None:
    given: dict[str, Any] = {"resources": ["cpu"], **settings}
    with pytest.raises(oxflow.SchedulerError, match=text) as caught:
        Matcher(**given)
    assert caught.value.code == "OXF1005"
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"names": ["a"]}, "there is no column `cpu`"),
        ({"names": ["a"], "cpu": [1], "gpu": [1]}, "`gpu` is no resource"),
        ({"names": ["a"], "cpu": [1, 2]}, "has 2 numbers for 1 names"),
        ({"names": ["a"], "cpu": ["x"]}, "no column of numbers"),
        ({"names": ["a"], "cpu": memoryview(bytes(4)).cast("B", (2, 2))}, "2 dimensions"),
        ({"names": ["a"], "cpu": [1], "attributes": {"rack": []}}, "`rack` has 0 values for 1 names"),
        ({"names": [7], "cpu": [1]}, "offer `#0` has a name that is no text"),
        ({"cpu": [1]}, "neither objects nor `names`"),
    ],
)
def test_columns_that_do_not_fit_are_told(columns: dict[str, Any], text: str) -> None:
    matcher = Matcher(resources=["cpu"])
    with pytest.raises(oxflow.SchedulerError, match=text) as caught:
        matcher.add_offers(**columns)
    assert caught.value.code == "OXF1002"
    assert len(matcher) == 0


def test_offers_come_change_and_leave() -> None:
    matcher = Matcher(resources=["cpu", "mem"])
    matcher.add_offers([{"name": name, "cpu": 1, "mem": 1} for name in "abc"])
    matcher.update_offer("b", cpu="2500m")
    matcher.remove_offer("a")
    assert list(matcher.offers().items()) == [("c", {"cpu": 1, "mem": 1}), ("b", {"cpu": 2.5, "mem": 1})]
    matcher.update_offers([{"name": "c", "cpu": 7, "mem": 8}])
    assert matcher.offers()["c"] == {"cpu": 7, "mem": 8}
    assert ("b" in matcher, "a" in matcher, len(matcher)) == (True, False, 2)
    with pytest.raises(oxflow.SchedulerError, match="there is no offer `a`"):
        matcher.update_offer("a", cpu=1)
    with pytest.raises(oxflow.SchedulerError, match="there is no offer `a`"):
        matcher.remove_offer("a")
    with pytest.raises(oxflow.SchedulerError, match="there is no offer `a`"):
        matcher.update_offers([{"name": "c", "cpu": 1, "mem": 1}, {"name": "a", "cpu": 1, "mem": 1}])
    with pytest.raises(oxflow.SchedulerError, match="`gpu`, which is no resource of this matcher: cpu, mem"):
        matcher.update_offer("b", cpu=9, gpu=1)
    with pytest.raises(oxflow.SchedulerError, match="offer `b` has -1 of `cpu`"):
        matcher.update_offer("b", mem=9, cpu=-1)
    assert list(matcher.offers().items()) == [("c", {"cpu": 7, "mem": 8}), ("b", {"cpu": 2.5, "mem": 1})]


def test_nested_documents_become_flat_lists() -> None:
    document = '[{"name": "b", "cpu": 1, "depends_on": [{"name": "a", "cpu": 2}]}, {"name": "c", "depends_on": ["a"]}]'
    flat: list[dict[str, Any]] = [
        {"name": "a", "cpu": 2, "depends_on": []},
        {"name": "b", "cpu": 1, "depends_on": ["a"]},
        {"name": "c", "depends_on": ["a"]},
    ]
    assert flat == flatten_tasks(document) == flatten_tasks(document.encode())
    with pytest.raises(oxflow.SchedulerError, match="more than 0 deep") as caught:
        flatten_tasks(document, depth=0)
    assert caught.value.code == "OXF1008"
