"""Python objects that become Rust payloads and back with no text in between: as by JSON, only sooner."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import json
import math
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import given, settings, strategies as st

from oxflow import EncodeError, Message, Origin, StepError, StepPanicked
from oxflow.codec import encode
from strategies import is_list, is_object, values

if TYPE_CHECKING:
    from collections.abc import Callable

# Any: what it holds is known when it is built, not when this file is checked.
steps: Any = importlib.import_module("test_steps")


class Colour(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Tone(str, enum.Enum):
    DARK = "dark"


@dataclasses.dataclass
class Place:
    x: int
    y: float


@dataclasses.dataclass
class Slotted:
    __slots__ = ("x", "y")
    x: int
    y: float


class PlaceStruct(msgspec.Struct):
    x: int
    y: float


class RenamedStruct(msgspec.Struct, rename={"across": "x", "down": "y"}):
    across: int
    down: float


class PlaceModel(pydantic.BaseModel):
    x: int
    y: float


class PlaceDict(TypedDict):
    x: int
    y: float


PLACE = {"x": 1, "y": 2.5}


# --- records --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "payload",
    [
        PLACE,
        PlaceDict(x=1, y=2.5),
        Place(1, 2.5),
        Slotted(1, 2.5),
        PlaceStruct(1, 2.5),
        RenamedStruct(1, 2.5),
        PlaceModel(x=1, y=2.5),
        [1, 2.5],
        (1, 2.5),
        encode(PLACE),
    ],
)
def test_a_record_of_every_kind_is_read(payload: object) -> None:
    assert steps.same_place(Message(payload)) == PLACE


@pytest.mark.parametrize("place", [Place(1, 2.5), PlaceStruct(1, 2.5), PlaceModel(x=1, y=2.5)])
def test_a_record_inside_of_others_is_read(place: object) -> None:
    assert steps.same_page(Message({"items": [place, place], "next": None})) == {"items": [PLACE, PLACE], "next": None}


@pytest.mark.parametrize("colour", [Colour.RED, "red"])
def test_the_member_of_an_enum_is_its_value(colour: object) -> None:
    payload: dict[str, Any] = {
        "colour": colour,
        "external": "Nothing",
        "internal": [],
        "adjacent": None,
        "scalar": Level.LOW,
    }
    assert steps.same_choices(Message(payload)) == {**payload, "colour": "red", "scalar": 1}


class Tagged(msgspec.Struct, tag="place"):
    x: int
    y: float


class Sparse(msgspec.Struct, omit_defaults=True, rename="camel"):
    always_there: int
    optional: int | None = None


def test_a_struct_with_rules_of_its_own_is_read_by_msgspec() -> None:
    assert steps.same_place(Message(Tagged(1, 2.5))) == PLACE
    assert steps.same_sparse(Message(Sparse(1)))["alwaysThere"] == 1


def test_a_property_that_raises_raises() -> None:
    @dataclasses.dataclass
    class Broken:
        x: int

        def __getattribute__(self, name: str) -> Any:
            if name == "x":
                raise LookupError("there is no x")
            return super().__getattribute__(name)

    with pytest.raises(LookupError, match="there is no x"):
        steps.same_place(Message(Broken(1)))


def test_what_comes_out_is_of_plain_types() -> None:
    found = steps.same_containers(
        Message(
            {
                "list": [1, None],
                "queue": ("a",),
                "slice": [True],
                "array": (1, 2, 3),
                "tuple": [1, "b", [0.5]],
                "map": {"c": [2]},
                "bytes": [0, 255],
                "period": {"secs": 1, "nanos": 2},
            }
        )
    )
    assert found["tuple"] == (1, "b", [0.5])
    assert found["array"] == (1, 2, 3)
    assert found["bytes"] == [0, 255]
    assert type(found["period"]) is dict


def test_what_travels_with_a_payload_reaches_the_function_and_comes_back() -> None:
    word: dict[str, Any] = {"text": "ox", "count": 1, "tags": {}}
    given = Message(word, key=b"k", headers=[("h", b"v")], timestamp=5.5, origin=Origin("words", 2, 7))
    assert steps.describe(given)["text"] == "words 2 7"
    keyed = Message(word, key=b"ox", headers=[("keyed", b"yes")], timestamp=5.5, origin=Origin("words", 2, 7))
    assert steps.key_by_text(given) == keyed
    # What a message doesn't have isn't made up.
    assert steps.key_by_text(Message(word)) == Message(word, key=b"ox", headers=[("keyed", b"yes")])


def test_raw_bytes_go_in_and_out_as_they_are() -> None:
    assert steps.reverse(Message(b"\xff\x00a")) == b"a\x00\xff"


# --- as by JSON -----------------------------------------------------------------------------------------------------

ODD = st.sampled_from(
    [
        None,
        True,
        0,
        -1,
        2**63,
        2**64,
        -(2**70),
        10**400,
        1.0,
        0.1,
        -0.0,
        1e300,
        math.nan,
        math.inf,
        "",
        "1",
        "\ud800",
        '\x00"\\\n',
        "é",
        b"bytes",
        [],
        (),
        {},
        {1: 2},
        {True: 1, None: 2},
        {1.5: 1},
        {"\ud800": 1},
        {("a",): 1},
        {"Two": [1, "a"]},
        Colour.RED,
        Level.LOW,
        Tone.DARK,
        Place(1, 2.0),
        PlaceStruct(1, 2.0),
        PlaceModel(x=1, y=2.0),
        object(),
        {1, 2},
    ]
)
WILD = st.recursive(
    ODD | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2) | st.integers(), inner, max_size=3),
    max_leaves=5,
)


def bent(data: st.DataObject, value: Any) -> Any:
    """The value with something else somewhere in it."""
    deeper = data.draw(st.booleans())
    if is_object(value):
        if value and deeper:
            name = data.draw(st.sampled_from(sorted(value)))
            return {**value, name: bent(data, value[name])}
        if data.draw(st.booleans()):
            return {**value, data.draw(st.text(max_size=2)): data.draw(WILD)}
    elif is_list(value) and value and deeper:
        return [bent(data, value[0]), *value[1:]]
    return data.draw(WILD)


def outcome(call: Callable[[], object]) -> tuple[str, str]:
    """What a call gives, as JSON; or the kind of its error."""
    try:
        return "gives", json.dumps(call(), sort_keys=True)
    except (StepError, EncodeError) as error:
        return type(error).__name__, error.code if isinstance(error, StepError) else str(error)


NAMES = (
    "scalars",
    "containers",
    "narrow",
    "sparse",
    "choices",
    "flattened",
    "tree",
    "pair",
    "page",
    "open",
)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_what_is_read_and_made_directly_is_what_json_gives(name: str, data: st.DataObject) -> None:
    direct, by_text = getattr(steps, f"same_{name}"), getattr(steps, f"text_{name}")
    payload = data.draw(values(direct.described["input"], {}))
    if data.draw(st.booleans()):
        payload = bent(data, payload)
    assert outcome(lambda: direct(Message(payload))) == outcome(lambda: by_text(Message(payload)))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_a_payload_that_refuses_unknown_fields_does_so_as_by_json(data: st.DataObject) -> None:
    payload = data.draw(values(steps.same_strict.described["input"], {}))
    if data.draw(st.booleans()):
        payload = bent(data, payload)
    by_text = outcome(lambda: steps.same_strict(Message(encode(payload))))
    assert outcome(lambda: steps.same_strict(Message(payload))) == by_text


@pytest.mark.parametrize("number", [2**127 - 1, -(2**127), 2**64, 0])
def test_integers_may_have_128_bits(number: int) -> None:
    scalars: dict[str, Any] = {
        "truth": True,
        "small": 1,
        "large": 2,
        "larger": 2**64 - 1,
        "largest": number,
        "single": 0.1,
    }
    scalars |= {"double": 5, "text": "", "nothing": None, "any": 1}
    found = steps.same_scalars(Message(scalars))
    assert found == {**scalars, "single": 0.1}
    assert type(found["double"]) is float


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"value": 0, "children": [], "parent": None}
    for _ in range(levels):
        tree = {"value": 1, "children": [], "parent": tree}
    return tree


@pytest.mark.parametrize("levels", [20, 90, 124, 125, 126, 127, 128, 300])
def test_values_nest_as_deep_as_in_json(levels: int) -> None:
    tree = nested(levels)
    by_text = outcome(lambda: steps.same_tree(Message(encode(tree))))
    assert outcome(lambda: steps.same_tree(Message(tree))) == by_text


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "why"),
    [
        ({"x": "1", "y": 2.5}, '`x`: invalid type: string "1", expected i64'),
        ({"x": True, "y": 2.5}, "`x`: invalid type: boolean `true`, expected i64"),
        ({"x": 1.0, "y": 2.5}, "`x`: invalid type: floating point `1.0`, expected i64"),
        ({"x": None, "y": 2.5}, "`x`: invalid type: None, expected i64"),
        ({"x": 1}, "missing field `y`"),
        (None, "invalid type: None, expected struct Place"),
        (Place("1", 2.5), '`x`: invalid type: string "1", expected i64'),  # type: ignore[arg-type]  # what is tested
    ],
)
def test_a_value_of_the_wrong_type_is_told_with_its_field(payload: object, why: str) -> None:
    with pytest.raises(StepError) as caught:
        steps.same_place(Message(payload))
    assert caught.value.diagnostics[0].why == why


def test_the_path_leads_through_lists_and_maps() -> None:
    with pytest.raises(StepError, match=r"`items\[1\]\.x`: invalid type"):
        steps.same_page(Message({"items": [PLACE, {"x": "", "y": 1.0}], "next": None}))
    containers: dict[str, Any] = {"list": [], "queue": [], "slice": [], "array": [1, 2, 3], "tuple": [1, "", []]}
    containers |= {"map": {"a": [1, "b"]}, "bytes": [], "period": {"secs": 1, "nanos": 2}}
    with pytest.raises(StepError, match=r"`map\.a\[1\]`: invalid type"):
        steps.same_containers(Message(containers))


def test_a_field_that_is_refused_is_told() -> None:
    with pytest.raises(StepError, match=r"unknown field `places\.z`"):
        steps.same_strict(Message({"id": 1, "places": [{**PLACE, "z": 1}]}))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (math.nan, "`text`: nan cannot be JSON"),
        ("\ud800", "`text`: half of a surrogate pair cannot be UTF-8"),
        (b"a", "`text`: `bytes` cannot be JSON"),
        (object(), "`text`: `object` cannot be JSON"),
    ],
)
def test_a_value_that_has_no_json_has_no_payload(value: object, text: str) -> None:
    with pytest.raises(EncodeError) as caught:
        steps.same_touchies(Message({"text": value}))
    assert str(caught.value) == text
    # Also where no field wants it.
    with pytest.raises(EncodeError) as caught:
        steps.same_place(Message({**PLACE, "text": value}))
    assert str(caught.value) == text


def test_a_value_that_contains_itself_ends_in_an_error() -> None:
    tree: dict[str, Any] = {"value": 1, "children": [], "parent": None}
    tree["children"].append(tree)
    with pytest.raises(EncodeError, match="a value that contains itself cannot be JSON"):
        steps.same_tree(Message(tree))


@pytest.mark.parametrize("where", ["in", "out"])
def test_a_panic_on_the_way_is_an_error_of_the_message(where: str) -> None:
    with pytest.raises(StepPanicked, match=f"it breaks on its way {where}"):
        steps.same_touchies(Message(["a", where, "b"]))
    assert steps.same_touchies(Message(["a"])) == ["a"]


# --- memory ---------------------------------------------------------------------------------------------------------


def test_text_that_is_borrowed_stays_while_the_interpreter_is_not_held(tmp_path: Path) -> None:
    """Another thread changes the payload while the function runs."""
    path, text = tmp_path / "here", "é".join(map(str, range(20)))
    tags = {text * 2: [text * 3]}
    payload: dict[str, Any] = {"slice": str(path), "cow": text, "text": text * 4, "tags": tags}
    expected = {**payload, "tags": {text * 2: [text * 3]}}
    give_up = threading.Event()

    def interfere() -> None:
        while not give_up.is_set():
            if path.exists():
                payload.clear()
                tags.clear()
                # What was freed is used again.
                kept = [f"{number}" * 100 for number in range(1000)]
                path.unlink()
                kept.clear()
                return

    other = threading.Thread(target=interfere)
    other.start()
    try:
        assert steps.lent_after_rendezvous(Message(payload)) == expected
    finally:
        give_up.set()
        other.join()
    assert payload == {}


class Named(msgspec.Struct):
    text: str
    count: int
    tags: dict[str, str]


def memory_kb() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4


def test_calls_leave_nothing_behind() -> None:
    text, tag = "a text", "a tag"
    value: dict[str, Any] = {"text": text, "count": 3, "tags": {tag: tag}}
    calls: list[Callable[[], object]] = [
        lambda: steps.Double()(Message(value)),
        lambda: steps.Double()(Message(Named(text, 3, {tag: tag}))),
        lambda: steps.double_borrowed(Message(value)),
        lambda: outcome(lambda: steps.double_borrowed(Message({**value, "count": "x"}))),
        lambda: outcome(lambda: steps.double_borrowed(Message({**value, "tags": {tag: tag, "b": "\ud800"}}))),
        lambda: steps.letters(Message(value)),
    ]

    def panics() -> None:
        with pytest.raises(StepPanicked):
            steps.same_touchies(Message([tag, "in"]))

    def references() -> list[int]:
        return [sys.getrefcount(item) for item in (text, tag, value, value["tags"], Named)]

    def repeat(times: int) -> None:
        for _ in range(times):
            for call in calls:
                call()

    repeat(1000)
    before, kb = references(), memory_kb()
    repeat(5000)
    assert memory_kb() - kb < 1500
    # What a backtrace takes isn't ours.
    panics()
    assert references() == before
