"""What a pipeline becomes: the plan's data, the objects beside it, and what is wrong with functions and types."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator  # noqa: TC003  # read at run time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec
import pydantic
import pytest
import test_steps

from oxflow import (
    Batch,
    FlatMap,
    Map,
    Message,
    Parser,
    Pipeline,
    PlanError,
    Serializer,
    StreamSink,
    branch,
    streaming_source,
)
from oxflow.plan import lower

if TYPE_CHECKING:
    from oxflow.steps import Step

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired


class Metric(TypedDict):
    name: str
    unit: NotRequired[str]
    parent: Metric | None


@dataclass
class Point:
    x: float
    y: float = 0.0


class Struct(msgspec.Struct, rename="camel"):
    user_id: int
    seen: datetime | None = None


class Model(pydantic.BaseModel):
    user_id: int = pydantic.Field(alias="userId")


class Clock(TypedDict):
    at: datetime


def name_of(msg: Message[Metric]) -> str:
    return msg.payload["name"]


def rekeyed(msg: Message[Metric]) -> Message[Point]:
    raise NotImplementedError


def letters(msg: Message[str]) -> Iterator[str]:
    yield from msg.payload


def with_two(msg: Message[str], factor: int) -> int:
    return len(msg.payload) * factor


class Scale:
    def __call__(self, msg: Message[float]) -> float:
        return msg.payload * 2

    def method(self, msg: Message[int]) -> int:
        return msg.payload


async def waits(msg: Message[str]) -> str:
    return msg.payload


def tells_time(msg: Message[Clock]) -> str:
    return str(msg.payload)


unannotated: Any = eval("lambda message: message")  # noqa: S307  # our own text, without annotations


def operations(*steps: Step) -> list[Any]:
    pipeline: Any = streaming_source("in", stream_name="a")
    for step in steps:
        pipeline = pipeline.apply(step)
    return [step["operation"] for step in lower(pipeline).data["steps"]]


def types_of(function: Any, step: Any = Map) -> tuple[Any, Any]:
    (operation,) = operations(step("s", function))
    (described,) = operation.values()
    return described["input"], described["output"]


METRIC = {
    "record": {
        "name": "Metric",
        "module": __name__,
        "kind": "typed_dict",
        "fields": [
            {"name": "name", "type": "str", "required": True},
            {"name": "unit", "type": "str", "required": False},
            {"name": "parent", "type": {"union": [{"enclosing": "Metric"}, "none"]}, "required": True},
        ],
    }
}


def fields_of(shape: Any) -> list[tuple[str, Any, bool]]:
    return [(item["name"], item["type"], item["required"]) for item in shape["record"]["fields"]]


def test_a_plan_holds_names_places_and_operations() -> None:
    plan = lower(
        streaming_source("in", stream_name="a")
        .apply(Batch("b", batch_size=2, batch_bytes=10, batch_timedelta=timedelta(microseconds=1)))
        .apply(Serializer("s"))
        .sink(StreamSink("out", stream_name="z"))
    ).data
    assert plan["version"] == 1
    assert plan["source"]["name"] == "in"
    assert plan["source"]["stream"] == "a"
    assert plan["source"]["place"]["file"].endswith("test_plan.py")
    assert plan["source"]["place"]["text"] == 'streaming_source("in", stream_name="a")'
    assert [step["name"] for step in plan["steps"]] == ["b", "s", "out"]
    assert [step["operation"] for step in plan["steps"]] == [
        {"batch": {"messages": 2, "bytes": 10, "time_ms": 1}},
        {"serializer": {}},
        {"sink": "z"},
    ]


def test_routes_and_broadcasts_open_branches() -> None:
    ways = [branch("x").sink(StreamSink("o", stream_name="o")), branch("y")]
    start: Any = streaming_source("in", stream_name="a")
    (routed,) = lower(start.route("r", routing_function=len, routing_table={"k": ways[0], "l": ways[1]})).data["steps"]
    branches = routed["operation"]["route"]["branches"]
    assert [(way["key"], way["name"], len(way["steps"])) for way in branches] == [("k", "x", 1), ("l", "y", 0)]
    (sent,) = lower(start.broadcast("r", routes=ways)).data["steps"]
    assert [way["name"] for way in sent["operation"]["broadcast"]] == ["x", "y"]


def test_annotations_give_the_types_of_a_function() -> None:
    assert types_of(name_of) == (METRIC, "str")
    assert types_of(letters, FlatMap) == ("str", "str")
    assert types_of(functools.partial(with_two, factor=2)) == ("str", "int")
    assert types_of(Scale()) == ("float", "float")
    assert types_of(Scale().method) == ("int", "int")
    assert types_of(unannotated) == ("any", "any")
    assert types_of(len) == ("any", "any")


def test_a_function_that_gives_a_message_gives_its_payload() -> None:
    assert fields_of(types_of(rekeyed)[1]) == [("x", "float", True), ("y", "float", False)]


def test_models_are_described_by_their_names_in_json() -> None:
    (struct,), (model,) = operations(Parser("p", Struct)), operations(Parser("p", Model))
    assert fields_of(struct["parser"]["type"]) == [("userId", "int", True), ("seen", "any", False)]
    assert fields_of(model["parser"]["type"]) == [("userId", "int", True)]


def test_functions_can_be_imported_by_reference() -> None:
    plan = lower(streaming_source("in", stream_name="a").apply(Map("m", "textwrap:dedent")))
    assert plan.data["steps"][0]["operation"]["map"]["name"] == "textwrap:dedent"
    assert callable(plan.functions["m"])


def test_each_python_step_has_a_decoder_of_what_it_takes() -> None:
    parsed: Any = streaming_source("in", stream_name="a").apply(Parser("p", Point))
    plan = lower(parsed.apply(Map("m", Scale())))
    assert plan.decoders["p"](b'{"x":1}') == Point(1.0)
    assert plan.decoders["m"](b"1.5") == 1.5


def errors_of(step: Any) -> str:
    pipeline: Any = streaming_source("in", stream_name="a")
    with pytest.raises(PlanError) as caught:
        lower(pipeline.apply(step))
    # The place differs from line to line; its form has a test of its own.
    return "\n".join(line for line in str(caught.value).splitlines() if not line.startswith("  -->"))


def test_a_misspelt_reference_is_answered_with_the_near_name() -> None:
    assert (
        errors_of(Map("m", "textwrap:dednt"))
        == """\
error[OXF0105]: step `m`: `textwrap:dednt` cannot be imported: `textwrap` has no `dednt`
  fix: did you mean `dedent`?
  more: oxflow explain OXF0105"""
    )


@pytest.mark.parametrize(
    ("function", "head"),
    [
        ("nowhere:f", "error[OXF0105]: step `m`: `nowhere:f` cannot be imported: there is no module `nowhere`"),
        ("textwrap", "error[OXF0105]: step `m`: `textwrap` is no reference to a function"),
        (waits, f"error[OXF0106]: step `m`: `{__name__}:waits` is `async`, which no step can call"),
        (Scale, "error[OXF0106]: step `m`: `Scale` is a class, not a function"),
        (3, "error[OXF0106]: step `m`: `3` cannot be called"),
        (with_two, f"error[OXF0106]: step `m`: `{__name__}:with_two` cannot be called with one message"),
    ],
)
def test_functions_that_no_step_can_call_are_refused(function: Any, head: str) -> None:
    assert errors_of(Map("m", function)).splitlines()[0] == head


def bare(metric: Metric) -> str:
    return metric["name"]


# Any: type checkers refuse these steps too.
bare_payload: Any = bare
one_point: Any = rekeyed


def test_a_function_of_the_bare_payload_is_told_of_the_message() -> None:
    assert (
        errors_of(Map("m", bare_payload))
        == f"""\
error[OXF0106]: step `m`: `{__name__}:bare` takes `Metric`, not a message
  why: a function is given a `Message`, which holds the payload with its key, headers and time
  fix: annotate `metric: Message[Metric]`, and read `metric.payload`
  more: oxflow explain OXF0106"""
    )


def any_or_none(msg: Any | None) -> object:
    return msg


def test_an_annotation_that_a_message_can_have_is_no_mistake() -> None:
    assert types_of(any_or_none) == ("any", "any")
    assert types_of(any_or_none, FlatMap) == ("any", "any")


def test_a_flat_map_of_one_payload_is_told_of_the_list() -> None:
    assert (
        errors_of(FlatMap("m", name_of))
        == f"""\
error[OXF0106]: step `m`: `{__name__}:name_of` gives `str`, which holds no items
  why: the items that a `FlatMap`'s function gives become the messages
  fix: return a list, `-> list[str]`, or use `Map` for one payload a message
  more: oxflow explain OXF0106"""
    )
    assert "gives `Point`, which holds no items" in errors_of(FlatMap("m", one_point))


def test_a_rust_function_that_answers_belongs_into_a_filter() -> None:
    assert (
        errors_of(Map("m", test_steps.is_frequent))
        == """\
error[OXF0207]: step `m` is a `Map`, but `test_steps.is_frequent` returns a `bool`
  why: `Map` takes a function that returns one value or an `Option`
  fix: use `Filter`
  more: oxflow explain OXF0207"""
    )


def test_an_unsupported_type_is_named_with_its_field() -> None:
    assert (
        errors_of(Map("m", tells_time))
        == f"""\
error[OXF0206]: step `m`: `{__name__}:tells_time` takes `datetime` of field `at`, which is no payload type
  why: a payload is a TypedDict, dataclass, msgspec.Struct, pydantic model, bytes, or a JSON type like dict[str, Any]
  fix: annotate it as `Any` if only Python steps see it
  more: oxflow explain OXF0206"""
    )


def test_all_that_is_wrong_is_told_at_once() -> None:
    start: Any = streaming_source("in", stream_name="a").apply(Map("m", "nowhere:f")).apply(Parser("p", Clock))
    way = branch("x").sink(StreamSink("o", stream_name="o"))
    with pytest.raises(PlanError) as caught:
        lower(start.route("r", routing_function=waits, routing_table={1.5: way}))
    assert [item.code for item in caught.value.diagnostics] == ["OXF0105", "OXF0206", "OXF0106", "OXF0107"]


@pytest.mark.parametrize(
    ("key", "wrong"),
    [(2**63, f"is beyond {2**63 - 1}"), ("\ud800", "holds half of a surrogate pair"), (b"k", "is a `bytes`")],
)
def test_a_key_that_a_plan_cannot_hold_is_refused(key: Any, wrong: str) -> None:
    start: Any = streaming_source("in", stream_name="a")
    way = branch("x").sink(StreamSink("o", stream_name="o"))
    with pytest.raises(PlanError) as caught:
        lower(start.route("r", routing_function=len, routing_table={key: way}))
    assert caught.value.diagnostics[0].message == f"key {key!a} of branch `x` {wrong}"
    assert caught.value.code == "OXF0107"


def test_branches_that_are_nested_too_deeply_are_refused() -> None:
    def nested(depth: int) -> Pipeline[Any]:
        way: Any = branch("last").sink(StreamSink("out", stream_name="o"))
        for level in range(depth):
            way = branch(f"b{level}").broadcast(f"c{level}", routes=[way])
        start: Any = streaming_source("in", stream_name="a")
        pipeline: Pipeline[Any] = start.broadcast("first", routes=[way])
        return pipeline

    assert lower(nested(20)).check() == ()
    with pytest.raises(PlanError) as caught:
        lower(nested(40))
    assert [item.code for item in caught.value.diagnostics] == ["OXF0109"]
    assert caught.value.diagnostics[0].message == "the pipeline is nested too deeply"


def test_the_deepest_plan_that_passes_can_be_read() -> None:
    listed: Any = int
    for _ in range(200):
        listed = list[listed]
        pipeline = streaming_source("in", stream_name="a").apply(Parser("p", listed))
        try:
            plan = lower(pipeline)
        except PlanError as error:
            assert error.code == "OXF0109"  # noqa: PT017  # the loop ends where it is raised first
            return
        plan.check()
    pytest.fail("no depth was too deep")
