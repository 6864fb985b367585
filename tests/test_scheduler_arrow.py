"""Columns and tables of other libraries, as Arrow's capsules."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from oxflow import SchedulerError, _oxflow
from oxflow.scheduler import Matcher

# It has no types.
na: Any = import_module("nanoarrow")
pl: Any = import_module("polars")
NUMBERS = [
    na.float64(), na.float32(), na.int8(), na.uint8(), na.int16(), na.uint16(), na.int32(), na.uint32(), na.int64(), na.uint64(),
]  # fmt: skip


def table(**columns: tuple[Any, list[Any]]) -> Any:
    """A table as one batch."""
    schema = na.struct({name: kind for name, (kind, _) in columns.items()})
    arrays = [na.c_array(values, kind) for kind, values in columns.values()]
    length = len(next(iter(columns.values()))[1])
    return na.Array(na.c_array_from_buffers(schema, length, [None], children=arrays))


def floats(column: Any) -> list[float]:
    data = _oxflow.arrow_column(column)
    assert isinstance(data, bytes)
    return [float(number) for number in memoryview(data).cast("d")]


@pytest.mark.parametrize("kind", NUMBERS, ids=str)
def test_columns_of_numbers_are_amounts(kind: Any) -> None:
    assert floats(na.Array([1, 2, 100], kind)) == [1.0, 2.0, 100.0]
    assert floats(na.Array([], kind)) == []
    # An array and a stream, and a part of one.
    assert floats(na.c_array([1, 2, 100], kind)) == [1.0, 2.0, 100.0]
    part = na.c_array_from_buffers(kind, 2, [None, na.c_buffer([1, 2, 100], kind)], offset=1)
    assert floats(part) == [2.0, 100.0]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), min_size=1, max_size=40))
def test_columns_of_texts_are_names(texts: list[str | None]) -> None:
    for kind in (na.string(), na.large_string()):
        assert _oxflow.arrow_column(na.Array(texts, kind)) == texts
        assert _oxflow.arrow_column(na.c_array(texts, kind)) == texts


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), max_size=40), st.integers(0, 40))
def test_columns_of_polars_are_texts_short_and_long(texts: list[str | None], first: int) -> None:
    column = pl.Series(texts, dtype=pl.String)
    assert _oxflow.arrow_column(column) == texts
    assert _oxflow.arrow_column(column[first:]) == texts[first:]
    assert _oxflow.arrow_column(pl.concat([column, column], rechunk=False)) == texts * 2


def test_frames_of_polars_are_offers_and_tasks() -> None:
    name = "a name that is longer than its slot"
    matcher = Matcher(resources=["cpu"])
    zones = [{"zone": "eu"}, {"zone": None}]
    matcher.add_offers(pl.DataFrame({"name": ["a", name], "cpu": [4, 8], "attributes": zones}))
    assert matcher.offers() == {"a": {"cpu": 4.0}, name: {"cpu": 8.0}}
    tasks = pl.DataFrame({"name": ["left out", "t", "u"], "cpu": [1.0, 8.0, 1.0]})
    assert matcher.match(tasks[1:]).pairs == [("t", name), ("u", "a")]
    words = pl.DataFrame({"name": pl.Series(["a"], dtype=pl.Categorical), "cpu": [1]})
    with pytest.raises(SchedulerError, match="`name` is encoded by a dictionary"):
        matcher.add_offers(words)


def test_a_stream_of_several_arrays_is_one_column() -> None:
    parts = na.Array.from_chunks([na.Array([1.0], na.float64()), na.Array([2.0, 3.0], na.float64())])
    assert floats(parts) == [1.0, 2.0, 3.0]


def test_columns_and_names_come_as_arrow() -> None:
    matcher = Matcher(resources=["cpu", "mem"])
    matcher.add_offers(
        names=na.Array(["a", "b"], na.string()),
        cpu=na.Array([4, 8], na.int32()),
        mem=na.Array([4.0, 8.0], na.float32()),
        attributes={"zone": na.Array(["eu", None], na.string())},
    )
    assert matcher.offers() == {"a": {"cpu": 4.0, "mem": 4.0}, "b": {"cpu": 8.0, "mem": 8.0}}
    fields: dict[str, Any] = {"priority": na.Array([0, 7], na.int64())}
    names: Any = na.Array(["t", "u"], na.string())
    matching = matcher.match(names=names, cpu=na.Array([1, 1], na.uint8()), mem=[1, 1], fields=fields)
    assert matching.pairs == [("u", "a"), ("t", "b")]


def test_a_table_is_offers_or_tasks() -> None:
    matcher = Matcher(resources=["cpu"], offer_fields={"name": "host", "cpu": "free"})
    zones = na.c_array_from_buffers(
        na.struct({"zone": na.string()}), 2, [None], children=[na.c_array(["eu", "us"], na.string())]
    )
    offers = na.c_array_from_buffers(
        na.struct({"host": na.string(), "free": na.float64(), "attributes": na.struct({"zone": na.string()})}),
        2,
        [None],
        children=[na.c_array(["a", "b"], na.string()), na.c_array([4.0, 8.0], na.float64()), zones],
    )
    matcher.add_offers(offers)
    assert matcher.offers() == {"a": {"cpu": 4.0}, "b": {"cpu": 8.0}}
    tasks = table(
        name=(na.string(), ["t", "u"]),
        cpu=(na.int64(), [1, 1]),
        priority=(na.int32(), [1, 2]),
        other=(na.bool_(), [True, False]),
    )
    assert matcher.match(tasks).pairs == [("u", "a"), ("t", "b")]
    rules = Matcher(resources=["free"], offer_fields={"name": "host"})
    rules.add_offers(offers)
    task = {"name": "t", "free": 1, "constraints": [("zone", "=", "us")]}
    assert rules.match([task]).as_dict() == {"b": "t"}


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"name": (na.string(), ["a"])}, "there is no column `cpu`"),
        ({"cpu": (na.float64(), [1.0])}, "there is no column `name`"),
        ({"name": (na.string(), ["a"]), "cpu": (na.string(), ["4"])}, "`cpu` is no column of numbers"),
        ({"name": (na.int64(), [7]), "cpu": (na.int64(), [4])}, "`name` is no column of texts"),
        ({"name": (na.string(), ["a", None]), "cpu": (na.int64(), [4, 4])}, "`name` has no name at 1"),
        ({"name": (na.string(), ["a", "b"]), "cpu": (na.int64(), [4, None])}, "`cpu` has no number at 1"),
        ({"name": (na.string(), ["a"]), "cpu": (na.bool_(), [True])}, "`cpu` has the type `b`"),
    ],
)
def test_what_a_table_lacks_is_told(columns: dict[str, Any], said: str) -> None:
    matcher = Matcher(resources=["cpu"])
    with pytest.raises(SchedulerError, match=said):
        matcher.add_offers(table(**columns))
    assert len(matcher) == 0


def test_a_column_that_is_none_is_told() -> None:
    matcher = Matcher(resources=["cpu"])
    with pytest.raises(SchedulerError, match="`cpu` has no number at 0"):
        matcher.add_offers(names=["a"], cpu=na.Array([None], na.float64()))
    with pytest.raises(SchedulerError, match="this is one column"):
        matcher.add_offers(na.Array([1.0], na.float64()))
    dates = na.Array([1], na.date32())
    with pytest.raises(SchedulerError, match="`cpu` has the type `tdD`"):
        matcher.add_offers(names=["a"], cpu=dates)


def test_capsules_are_taken_once_and_what_is_no_arrow_is_left_alone() -> None:
    array = na.c_array([1.0], na.float64())
    capsules = array.__arrow_c_array__()

    class Once:
        def __arrow_c_array__(self) -> Any:
            return capsules

    assert floats(Once()) == [1.0]
    with pytest.raises(ValueError, match="taken before"):
        _oxflow.arrow_column(Once())
    assert _oxflow.arrow_column([1.0]) is None
    assert _oxflow.arrow_column(None) is None
