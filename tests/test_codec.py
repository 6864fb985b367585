"""Payloads to JSON and back."""

from __future__ import annotations

import contextlib
import enum
import json
import math
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Annotated, Any, Literal, NewType, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import assume, given, strategies as st

from oxflow import Map, Message, Serializer, StreamSink, streaming_source
from oxflow.codec import decoder, encode
from oxflow.errors import DecodeError, EncodeError
from oxflow.testing import run

UserId = NewType("UserId", int)


class Colour(enum.Enum):
    RED = "red"


class Tags(TypedDict, total=False):
    env: str


class Node(TypedDict):
    value: int
    children: list[Node]


class Metric(TypedDict):
    name: str
    value: float | int
    tags: Tags


@dataclass
class Point:
    x: float
    y: float = 0.0
    near: Point | None = None
    names: list[str] = field(default_factory=list[str])


class Struct(msgspec.Struct, rename="camel"):
    user_id: int


class Model(pydantic.BaseModel):
    user_id: int = pydantic.Field(alias="userId")
    when: datetime | None = None


@dataclass
class Holder:
    struct: Struct
    model: Model


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_json_values_survive_the_round_trip(value: Any) -> None:
    assert decoder(Any)(encode(value)) == value


@given(
    st.builds(Point, st.floats(allow_nan=False, allow_infinity=False), near=st.none() | st.builds(Point, st.just(1.5)))
)
def test_dataclasses_survive_the_round_trip(point: Point) -> None:
    assert decoder(Point)(encode(point)) == point


@given(st.binary())
def test_no_bytes_make_a_decoder_raise_anything_else(data: bytes) -> None:
    with contextlib.suppress(DecodeError):
        decoder(Metric)(data)


@given(JSON, st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]))
def test_json_is_read_however_it_is_written(value: Any, separators: tuple[str, str]) -> None:
    assert decoder(Any)(json.dumps(value, separators=separators).encode()) == value
    assert decoder(Any)(json.dumps(value, separators=separators, ensure_ascii=False).encode()) == value


@given(st.text(alphabet='{}[]",:\\u0dé1-.etrufalsn ', max_size=12))
def test_what_is_json_does_not_depend_on_the_reader(text: str) -> None:
    # A line feed before it is a surprise, which leads to the reader for every case.
    assert read(text.encode()) == read(b"\n" + text.encode())


def read(data: bytes) -> str:
    """What comes of bytes, with the types of numbers."""
    try:
        return repr(decoder(Any)(data))
    except DecodeError:
        return "an error"


def strict(data: bytes) -> Any:
    """What Python's own reader makes of strict JSON."""

    def refuse(text: str) -> float:
        raise ValueError(text)

    def finite(text: str) -> float:
        return refuse(text) if math.isinf(float(text)) else float(text)

    return json.loads(data.decode(), parse_constant=refuse, parse_float=finite)


EDITS = st.lists(
    st.tuples(st.integers(0), st.sampled_from(b'0123456789+-.eE{}[]",:\\ \n\tfnrtu\xff\xc3\x00\x1f')), max_size=2
)


@given(JSON, st.sampled_from([(",", ":"), (", ", ": ")]), EDITS, st.integers(0, 1))
def test_bytes_are_json_where_python_says_so(
    value: Any, separators: tuple[str, str], edits: list[tuple[int, int]], replaced: int
) -> None:
    data = bytearray(json.dumps(value, ensure_ascii=False, separators=separators).encode())
    for place, byte in edits:
        start = place % (len(data) + 1)
        data[start : start + replaced] = [byte]
    # Python reads half of a surrogate pair, which no string may hold.
    assume(rb"\ud" not in data.lower())
    try:
        expected = repr(strict(bytes(data)))
    except ValueError:
        expected = "an error"
    assert expected == read(bytes(data))


@pytest.mark.parametrize(
    "written", ["1e999", "-1e999", '{"a":[1.5,1e999]}', " [ 1e999 ]\n", "[" * 105 + "1e999" + "]" * 105]
)
def test_a_number_that_becomes_infinite_is_refused(written: str) -> None:
    with pytest.raises(DecodeError, match="not JSON: number out of range"):
        decoder(Any)(written.encode())
    with pytest.raises(DecodeError, match="not JSON: number out of range"):
        decoder(dict[str, float])(written.encode())


def test_a_key_is_guessed_only_where_it_stands() -> None:
    decode = decoder(Any)
    given: list[Any] = [{"a": 1, "b": 2}, {"b": 1, "a": 2}, {"a": 1, "bb": 2}, {"a": 1}, {"a": {"b": {"a": 1}}}, {}]
    for value in given * 3:
        assert decode(json.dumps(value).encode()) == value
        assert decode(encode(value)) == value


def test_bytes_pass_through() -> None:
    assert encode(b"\xff") == b"\xff"
    assert decoder(bytes)(b"\xff") == b"\xff"


@pytest.mark.parametrize(
    ("value", "data"),
    [
        ({"a": [1, 2.5, None, True]}, b'{"a":[1,2.5,null,true]}'),
        ("grüß", '"grüß"'.encode()),
        (Point(1.0), b'{"x":1.0,"y":0.0,"near":null,"names":[]}'),
        (Struct(7), b'{"userId":7}'),
        ([Struct(7), Model(userId=8)], b'[{"userId":7},{"userId":8,"when":null}]'),
        (Model(userId=8), b'{"userId":8,"when":null}'),
        ((1, Colour.RED), b'[1,"red"]'),
    ],
)
def test_values_are_written_compactly(value: object, data: bytes) -> None:
    assert encode(value) == data


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"tags": {"rate": float("nan")}}, "`tags.rate`: nan cannot be JSON"),
        ([1.0, float("-inf")], "`[1]`: -inf cannot be JSON"),
        ({"at": datetime(2026, 1, 1, tzinfo=timezone.utc)}, "`at`: `datetime` cannot be JSON"),
        ({1, 2}, "`set` cannot be JSON"),
        ({"raw": b"x"}, "`raw`: `bytes` cannot be JSON"),
        ({"half": "\ud800"}, "`half`: half of a surrogate pair cannot be UTF-8"),
        ({(1, 2): 3}, "a key of type `tuple` cannot be JSON"),
        (LOOP, "`[0]`: a value that contains itself cannot be JSON"),
    ],
)
def test_what_cannot_be_json_is_named_with_its_place(value: object, text: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode(value)
    assert str(caught.value) == text


GOOD: dict[str, Any] = {"name": "n", "value": 1, "tags": {"env": "prod"}}


MISMATCHES: list[tuple[Any, Any, str]] = [
    (Metric, {**GOOD, "tags": {"env": 3}}, "`tags.env`: expected `str`, got `int`"),
    (Metric, {"name": "n", "value": 1}, "`tags`: field is missing"),
    (Metric, [], "expected `Metric`, got `list`"),
    (Metric, {**GOOD, "value": True}, "`value`: expected `float | int`, got `bool`"),
    (
        Node,
        {"value": 1, "children": [{"value": "x", "children": []}]},
        "`children[0].value`: expected `int`, got `str`",
    ),
    (Point, {"x": 1, "near": {"x": None}}, "`near.x`: expected `float`, got `None`"),
    (int, True, "expected `int`, got `bool`"),
    (Literal["a", "b"], "c", "expected `Literal['a', 'b']`, got 'c'"),
    (Colour, "blue", "expected one of 'red', got 'blue'"),
    (tuple[int, str], [1], "expected `tuple[int, str]`, got 1 items"),
    (dict[str, int], {"a": "b"}, "`a`: expected `int`, got `str`"),
]


@pytest.mark.parametrize(("annotation", "value", "text"), MISMATCHES)
def test_what_is_not_of_the_type_is_named_with_its_place(annotation: Any, value: object, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder(annotation)(json.dumps(value).encode())
    assert str(caught.value) == text


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"{", "not JSON: EOF while parsing an object at byte 1"),
        (b"\xff", "not UTF-8 at byte 1"),
        (b"NaN", "not JSON: expected value at byte 1"),
        (b"not JSON", "not JSON: expected `true`, `false` or `null`, found `not` at byte 2"),
        (b'{"a": tru}', "not JSON: expected `true`, `false` or `null`, found `tru` at byte 10"),
        (b"1 2", "not JSON: trailing characters at byte 3"),
        (b"[" * 100_000, "not JSON: recursion limit exceeded at byte 202"),
    ],
)
def test_what_is_not_json_is_refused(data: bytes, text: str) -> None:
    with pytest.raises(DecodeError) as caught:
        decoder(Any)(data)
    assert str(caught.value) == text


def test_a_typed_dict_keeps_unknown_fields_and_a_dataclass_drops_them() -> None:
    assert decoder(Metric)(json.dumps({**GOOD, "extra": 1}).encode()) == {**GOOD, "extra": 1}
    assert decoder(Point)(b'{"x":1.5,"extra":1}') == Point(1.5)


def test_an_integer_stays_one_except_in_a_dataclass() -> None:
    assert type(decoder(float)(b"1")) is int
    assert type(decoder(Metric)(encode(GOOD))["value"]) is int
    assert type(decoder(Point)(b'{"x":1}').x) is float


def test_the_last_of_two_equal_keys_wins() -> None:
    assert decoder(dict[str, int])(b'{"a":1,"a":2}') == {"a": 2}


def test_models_are_read_by_their_own_libraries() -> None:
    assert decoder(Struct)(b'{"userId":7}') == Struct(7)
    assert decoder(Model)(b'{"userId":"8"}') == Model(userId=8)
    assert decoder(Holder)(b'{"struct":{"userId":1},"model":{"userId":2}}') == Holder(Struct(1), Model(userId=2))
    for annotation in (Struct, Model, list[Struct], list[Model]):
        with pytest.raises(DecodeError):
            decoder(annotation)(b'[{"userId":null}]')


def test_what_says_nothing_about_the_value_is_looked_through() -> None:
    assert decoder(Annotated[UserId, "positive"])(b"3") == 3


def test_a_union_hands_each_member_the_value_as_it_came() -> None:
    @dataclass
    class Left:
        inner: Point
        kind: Literal["left"]

    class Right(TypedDict):
        inner: dict[str, int]

    assert decoder(Left | Right)(b'{"inner":{"x":1},"kind":"right"}') == {"inner": {"x": 1}, "kind": "right"}


@dataclass
class Left:
    """One way to read a node."""

    n: Left | Right | None


@dataclass
class Right:
    """The other way."""

    n: Left | Right | None


def test_unions_within_unions_are_not_tried_for_ever() -> None:
    deep = b'{"n":' * 60 + b"%s" + b"}" * 60
    assert decoder(Left)(deep % b"null") is not None
    with pytest.raises(DecodeError, match="too many ways to read its unions"):
        decoder(Left)(deep % b"3")


# Few keys and strange ones, so that keys come again, in other places and as other objects.
KEYS = st.sampled_from(
    ["a", "b", "", "a:", 'say "b"', "back\\slash", "line\nbreak", "\x1f", "schlüssel", "k" * 70, "z\x7f"]
)
LIKE = st.recursive(
    st.none() | st.integers(-5, 2_000) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=2), inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(KEYS, LIKE, max_size=6), min_size=1, max_size=8))
def test_what_is_written_of_a_message_depends_on_none_before(values: list[dict[str, Any]]) -> None:
    def look_up(message: Message[bytes]) -> Any:
        # As other objects, or the keys would be one each.
        return json.loads(json.dumps(values[int(message.payload)]))

    start = streaming_source("in", stream_name="a").apply(Map("look_up", look_up)).apply(Serializer("write"))
    outputs = run(start.sink(StreamSink("out", stream_name="b")), {"a": [b"%d" % n for n in range(len(values))]})
    assert outputs["b"] == [encode(value) for value in values]


def test_more_keys_than_are_kept_are_written_as_well() -> None:
    def many(message: Message[bytes]) -> dict[str, int]:
        first = int(message.payload)
        return {f"key {number}": number for number in range(first, first + 700)}

    start = streaming_source("in", stream_name="a").apply(Map("many", many)).apply(Serializer("write"))
    outputs = run(start.sink(StreamSink("out", stream_name="b")), {"a": [b"%d" % n for n in range(0, 4_000, 350)]})
    assert [json.loads(line) for line in outputs["b"]] == [
        {f"key {number}": number for number in range(first, first + 700)} for first in range(0, 4_000, 350)
    ]
