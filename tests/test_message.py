"""Messages that functions make and change."""

from __future__ import annotations

from typing import Any

import pytest

from oxflow import Filter, Map, Message, Origin, StreamSink, streaming_source, testing


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"key": "k"}, "`key` is `bytes` or `None`, not `str`"),
        ({"key": [1]}, "`key` is `bytes` or `None`, not `list`"),
        ({"headers": [("a", "b")]}, "`headers` are pairs of `str` and `bytes`, not ('a', 'b')"),
        ({"headers": 3}, "`headers` are pairs of `str` and `bytes`, not 3"),
    ],
)
def test_what_is_no_key_and_no_header_is_named(changes: dict[str, Any], text: str) -> None:
    with pytest.raises(TypeError) as made:
        Message(b"x", **changes)
    with pytest.raises(TypeError) as replaced:
        Message(b"x").replace(**changes)
    assert (str(made.value), str(replaced.value)) == (text, text)


def by_hand(message: Message[bytes]) -> Message[bytes]:
    return Message(message.payload, key=b"k")


def seen(message: Message[bytes]) -> bytes:
    return repr((message.key, message.timestamp, message.origin)).encode()


def test_a_message_made_by_hand_keeps_the_time_and_origin_of_the_one_before() -> None:
    start = streaming_source("in", stream_name="a").apply(Map("make", by_hand))
    outputs = testing.run(
        start.apply(Map("look", seen)).sink(StreamSink("out", stream_name="b")), {"a": [Message(b"x", timestamp=5.0)]}
    )
    assert outputs["b"] == [repr((b"k", 5.0, Origin("a", 0, 0))).encode()]


def not_a_third(message: Message[bytes]) -> bool:
    return int(message.payload) % 3 > 0


def test_a_message_that_a_step_keeps_stays_what_it_was() -> None:
    kept: list[Message[bytes]] = []

    def keep_some(message: Message[bytes]) -> bytes:
        if int(message.payload) % 4 > 0:
            kept.append(message)
        return message.payload

    start = streaming_source("in", stream_name="a").apply(Filter("thirds", not_a_third))
    numbers = [str(number).encode() for number in range(2_000)]
    testing.run(start.apply(Map("keep", keep_some)).sink(StreamSink("out", stream_name="b")), {"a": numbers})
    wanted = [number for number in range(2_000) if number % 3 > 0 and number % 4 > 0]
    assert [(int(message.payload), message.origin and message.origin.offset) for message in kept] == [
        (number, number) for number in wanted
    ]
    assert len({id(message) for message in kept}) == len(wanted)
