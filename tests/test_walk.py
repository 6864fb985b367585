"""Containers of Python that are written without counting references: nothing of Python may run meanwhile."""

from __future__ import annotations

import gc
import importlib
import json
from typing import TYPE_CHECKING, Any

import pytest

from oxflow import _oxflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Any: it has no types.
msgpack: Any = importlib.import_module("msgpack")

VALUES: list[Any] = [
    {"text": 'a "quoted" ü', "whole": [1, -(2**62), 2**63], "real": [0.5, 1e300], "more": {"a": [None, True, {}]}},
    [[[]] * 100, {str(number): [number] for number in range(100)}],
]


@pytest.fixture
def collections() -> Iterator[list[str]]:
    """What started of the collections of garbage, of which each new container and each exception starts one."""
    started: list[str] = []

    def note(phase: str, _: dict[str, int]) -> None:
        started.append(phase)

    before = gc.get_threshold()
    gc.callbacks.append(note)
    gc.set_threshold(1)
    yield started
    gc.set_threshold(*before)
    gc.callbacks.remove(note)


@pytest.mark.parametrize(
    ("encode", "decode"), [(_oxflow.encode_json, json.loads), (_oxflow.encode_msgpack, msgpack.unpackb)]
)
@pytest.mark.parametrize("value", VALUES)
def test_code_that_a_collection_of_garbage_runs_changes_nothing_of_what_is_written(
    encode: Callable[[Any], bytes | None], decode: Callable[[Any], Any], value: Any, collections: list[str]
) -> None:
    before = len(collections)
    written = encode(value)
    after = len(collections)
    assert decode(written) == value
    assert after == before


@pytest.mark.usefixtures("collections")
@pytest.mark.parametrize("odd", ["\ud800", 2**64, {1}, float("nan")])
def test_a_walk_ends_at_what_can_not_be_written(odd: Any) -> None:
    for value in ({"a": 1, "odd": odd, "b": 2}, [1, odd, 2], {"in": [{"odd": odd}], "b": [1]}):
        assert _oxflow.encode_msgpack(value) is None or isinstance(odd, float)
        assert _oxflow.encode_json(value) is None or odd == 2**64
