"""Payloads to msgpack and back, against the package `msgpack`, which knows nothing of oxflow."""

from __future__ import annotations

import enum
import importlib
import math
import struct
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Literal, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given, strategies as st

from oxflow.codec import decoder, encode_msgpack
from oxflow.errors import DecodeError, EncodeError

# It has no types of its own.
msgpack: Any = importlib.import_module("msgpack")

INTEGERS = st.integers(-(2**63), 2**64 - 1)
SCALARS = st.none() | st.booleans() | INTEGERS | st.floats(allow_nan=False) | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(), inner, max_size=20),
    max_leaves=40,
)
ANYTHING = decoder(Any, "msgpack")


class Colour(enum.Enum):
    RED = "red"


class Flag(enum.IntFlag):
    ON = 1


class Blob(TypedDict):
    name: str
    body: bytes
    colour: Literal["red", "blue"]


@dataclass
class Point:
    x: float
    near: Point | None = None
    body: bytes = b""
    colours: list[Colour] = field(default_factory=list[Colour])


class Struct(msgspec.Struct):
    when: datetime
    body: bytes = b""


class Model(pydantic.BaseModel):
    n: int


def refusal(annotation: Any, data: bytes) -> str:
    with pytest.raises(DecodeError) as caught:
        decoder(annotation, "msgpack")(data)
    return str(caught.value)


def refused(value: object) -> str:
    with pytest.raises(EncodeError) as caught:
        encode_msgpack(value)
    return str(caught.value)


@given(VALUES.filter(lambda value: not isinstance(value, bytes)))
def test_another_implementation_writes_the_same(value: Any) -> None:
    assert encode_msgpack(value) == msgpack.packb(value)


@given(VALUES)
def test_what_another_implementation_writes_is_read(value: Any) -> None:
    assert ANYTHING(msgpack.packb(value)) == value
    # Each in one form only: what would be two values of one hash is told apart.
    assert repr(ANYTHING(msgpack.packb(value))) == repr(value)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_as_another_implementation_reads_them_or_refused(data: bytes) -> None:
    try:
        read = ANYTHING(data)
    except DecodeError:
        return
    assert repr(msgpack.unpackb(data, strict_map_key=True)) == repr(read)


@given(VALUES, st.data())
def test_a_message_that_is_cut_is_refused_where_it_ends(value: Any, data: st.DataObject) -> None:
    whole = msgpack.packb(value)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    assert refusal(Any, cut) == f"msgpack: it ends inside of a value at byte {len(cut) + 1}"


@pytest.mark.parametrize("number", [math.inf, -math.inf, math.nan, 0.1])
def test_floats_of_every_kind_pass(number: float) -> None:
    assert repr(ANYTHING(encode_msgpack([number]))) == repr([number])
    assert ANYTHING(b"\xca" + struct.pack(">f", 0.5)) == 0.5


def test_types_are_checked_as_those_of_json() -> None:
    blob = {"name": "n", "body": b"\x00\xff", "colour": "red", "more": [1]}
    assert decoder(Blob, "msgpack")(msgpack.packb(blob)) == blob
    assert refusal(Blob, msgpack.packb(blob | {"body": "text"})) == "`body`: expected `bytes`, got `str`"
    assert refusal(Blob, msgpack.packb({"name": "n"})) == "`body`: field is missing"
    assert refusal(list[int], msgpack.packb([1, 2.0])) == "`[1]`: expected `int`, got `float`"
    point = decoder(Point, "msgpack")(msgpack.packb({"x": 1, "near": {"x": 2.5}, "colours": ["red"]}))
    assert point == Point(1.0, Point(2.5), colours=[Colour.RED])
    assert type(point.x) is float
    assert decoder(Model, "msgpack")(msgpack.packb({"n": 1})) == Model(n=1)
    assert refusal(bytes | int, msgpack.packb("text")) == "expected `bytes | int`, got `str`"


def test_a_struct_of_msgspec_goes_by_its_rules() -> None:
    value = Struct(datetime(2026, 11, 26, tzinfo=timezone.utc), b"\xff")
    packed = encode_msgpack(value)
    assert packed == msgspec.msgpack.encode(value)
    assert decoder(Struct, "msgpack")(packed) == value
    assert "Expected `datetime`" in refusal(Struct, msgpack.packb({"when": []}))


def test_what_is_no_plain_value_is_written_as_one() -> None:
    value = {
        "point": Point(1.0, colours=[Colour.RED]),
        "model": Model(n=1),
        "tuple": (1, Colour.RED),
        "flag": Flag.ON,
    }
    assert msgpack.unpackb(encode_msgpack(value)) == {
        "point": {"x": 1.0, "near": None, "body": b"", "colours": ["red"]},
        "model": {"n": 1},
        "tuple": [1, "red"],
        "flag": 1,
    }
    assert encode_msgpack(b"as it is") == b"as it is"


def test_what_msgpack_cannot_hold_is_refused_by_its_place() -> None:
    circle: list[Any] = []
    circle.append(circle)
    assert refused({"when": datetime(2026, 1, 1, tzinfo=timezone.utc)}) == "`when`: `datetime` cannot be msgpack"
    assert refused([{"n": 2**64}]) == "`[0].n`: an integer of more than 64 bits cannot be msgpack"
    assert refused([-(2**63) - 1]) == "`[0]`: an integer of more than 64 bits cannot be msgpack"
    assert refused({"map": {1: "a"}}) == "`map`: a key of type `int` cannot be msgpack"
    assert refused(["\ud800"]) == "`[0]`: half of a surrogate pair cannot be UTF-8"
    assert refused(circle) == "`[0]`: a value that contains itself cannot be msgpack"
    assert refused({1, 2}) == "`set` cannot be msgpack"


def test_what_no_payload_can_be_is_refused_by_its_byte() -> None:
    timestamp = msgpack.packb([msgpack.Timestamp(1)])
    assert refusal(Any, timestamp) == "msgpack: a timestamp, which no payload can be at byte 2"
    assert refusal(Any, msgpack.packb(msgpack.ExtType(5, b""))) == (
        "msgpack: an extension type, which no payload can be at byte 1"
    )
    assert refusal(Any, msgpack.packb({1: 2})) == "msgpack: a key that is no text at byte 2"
    assert refusal(Any, b"\x01\x02") == "msgpack: something comes after the value at byte 2"
    assert refusal(Any, b"\xa1\xff") == "msgpack: text that is not UTF-8 at byte 1"
    assert refusal(Any, b"\xc1") == "msgpack: no value begins with the byte 0xc1 at byte 1"


@pytest.mark.parametrize("head", [b"\xdd%b", b"\xdf%b\xa0", b"\xdb%b", b"\xc6%b"], ids=["list", "map", "text", "bytes"])
def test_a_length_is_not_believed(head: bytes) -> None:
    assert "it ends inside of a value" in refusal(Any, head % b"\xff\xff\xff\xff" * 50)


def test_a_value_may_not_lie_too_deep() -> None:
    for level in (b"\x91", b"\x81\xa0"):
        assert "values lie too deep in each other" in refusal(Any, level * 100_000)
        assert ANYTHING(level * 100 + b"\xc0") is not None
    deep: list[Any] = []
    for _ in range(1000):
        deep = [deep]
    assert "maximum recursion depth" in refused(deep)
    less: list[Any] = []
    for _ in range(150):
        less = [less]
    assert refused(less) == "values lie too deep in each other"
