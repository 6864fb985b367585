"""Messages that are a case of their own: without a value, too large, and large."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from raw import Raw


def test_a_deletion_stays_one_and_a_step_sees_it(raw: Raw) -> None:
    raw.create()
    raw.write(raw.topic("words"), b"kept", None, b"", key=b"k")
    run = raw.start(raw.streams(raw.at))
    raw.wait_for("plain", 3, run)
    raw.drain(run)
    assert raw.read("plain") == [(b"k", b"kept", {}), (b"k", None, {"deleted": b"yes"}), (b"k", b"", {})]


@pytest.mark.parametrize("delivery", ["at_least_once", "exactly_once"])
def test_a_message_that_the_topic_does_not_take_is_a_dead_letter_and_costs_nothing_else(
    raw: Raw, delivery: str
) -> None:
    raw.create(most_bytes=3000)
    raw.write(raw.topic("words"), b"before", b"grow 5000", *[b"grow 1500"] * 50, b"after", key=b"k")
    run = raw.start(raw.streams(raw.at), "steps.out.on_error=dead_letter", f"run.delivery={delivery}")
    raw.wait_for("plain", 52, run)
    raw.wait_for("dead-letters", 1, run)
    raw.drain(run)
    values = [value for _, value, _ in raw.read("plain")]
    assert values == [b"before", *[b"x" * 1500] * 50, b"after"]
    ((_, letter, _),) = raw.read("dead-letters")
    content = json.loads(letter or b"")
    assert (content["payload"], content["step"], content["error"]["code"]) == ("grow 5000", "out", "OXF0404")


SENT = (b"grow 1500", b"before", b"grow 5000", *[b"grow 1500"] * 50, b"after")


def check_letter(raw: Raw) -> None:
    ((_, letter, _),) = raw.read("dead-letters")
    content = json.loads(letter or b"")
    assert (content["payload"], content["step"], content["error"]["code"]) == ("grow 5000", "out", "OXF0404")


def test_a_topic_that_is_made_narrower_costs_what_it_does_not_take(raw: Raw) -> None:
    """Exactly once a run asks again, and what it had in hand is read again."""
    raw.create()
    raw.write(raw.topic("words"), b"first", key=b"k")
    run = raw.start(raw.streams(raw.at), "steps.out.on_error=dead_letter", "run.delivery=exactly_once")
    raw.wait_for("plain", 1, run)
    raw.cluster.narrow(raw.topic("plain"), 3000)
    raw.write(raw.topic("words"), *SENT, key=b"k")
    raw.wait_for("plain", 1 + len(SENT) - 1, run)
    raw.wait_for("dead-letters", 1, run)
    raw.drain(run)
    values = [value for _, value, _ in raw.read("plain")]
    assert values == [b"first", b"x" * 1500, b"before", *[b"x" * 1500] * 50, b"after"]
    check_letter(raw)


def test_a_topic_that_is_made_narrower_ends_a_run_and_the_next_one_knows(raw: Raw) -> None:
    """At least once what was sent along may be anywhere in the order by then, unless the run ends."""
    raw.create()
    raw.write(raw.topic("words"), b"first", key=b"k")
    run = raw.start(raw.streams(raw.at), "steps.out.on_error=dead_letter")
    raw.wait_for("plain", 1, run)
    raw.cluster.narrow(raw.topic("plain"), 3000)
    raw.write(raw.topic("words"), *SENT, key=b"k")
    assert run.wait(60) == 4, raw.log(run)
    assert "raise `max.message.bytes` of the topic" in raw.log(run)
    again = raw.start(raw.streams(raw.at), "steps.out.on_error=dead_letter")
    raw.wait_for("dead-letters", 1, again)
    raw.wait_for("plain", 1 + len(SENT) - 1, again)
    raw.drain(again)
    assert list(dict.fromkeys(value for _, value, _ in raw.read("plain"))) == [
        b"first",
        b"x" * 1500,
        b"before",
        b"after",
    ]
    check_letter(raw)


def test_a_topic_of_large_messages_takes_large_messages(raw: Raw) -> None:
    raw.create(most_bytes=4_000_000)
    raw.write(raw.topic("words"), b"grow 3000000", key=b"k")
    run = raw.start(raw.streams(raw.at))
    raw.wait_for("plain", 1, run)
    raw.drain(run)
    ((_, value, _),) = raw.read("plain")
    assert len(value or b"") == 3_000_000
