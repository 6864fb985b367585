"""Dead letters: messages that a step failed on, with what went wrong.

A step with `on_error: dead_letter` sends what it fails on to the stream `dead-letters`, each as JSON. Here they are read
again, to be looked at or sent once more:

    with open("dead.jsonl", "rb") as lines:
        letters = [DeadLetter.from_json(line) for line in lines]
    oxflow.run(pipeline, streams={"metrics": [letter.message for letter in letters]})
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

from oxflow._oxflow import Message, Origin

__all__ = ["DeadLetter"]


@dataclass(frozen=True)
class DeadLetter:
    """A message that failed.

    Attributes:
        message: the message as it was read from its source: payload, key, headers, timestamp and origin.
        name: what its partition is, the path of a file.
        step: name of the step that failed.
        code: code of the error; `oxflow explain` has a page on each.
        error: class of the exception or error, `KeyError`.
        text: what it says.
        traceback: how it came about: of an exception the calls in the user's code, of a panic its place and, where
            `RUST_BACKTRACE` is set, the backtrace; `None` where there is nothing to tell.
        time: when it failed, seconds since 1970-01-01 UTC.
    """

    message: Message[bytes]
    name: str
    step: str
    code: str
    error: str
    text: str
    traceback: str | None
    time: float

    @classmethod
    def from_json(cls, data: bytes | str) -> DeadLetter:
        """Read a dead letter.

        Args:
            data: one line of the file, or the payload of one message, of the stream of the dead letters.

        Raises:
            ValueError: it is no dead letter.
        """
        try:
            return cls._read(json.loads(data))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a dead letter: {error!r}") from error

    @classmethod
    def _read(cls, data: dict[str, Any]) -> DeadLetter:
        origin, error = data["origin"], data["error"]
        message = Message(
            _bytes(data["payload"]),
            key=None if data["key"] is None else _bytes(data["key"]),
            headers=[(name, _bytes(value)) for name, value in data["headers"]],
            timestamp=data["timestamp"],
            origin=Origin(origin["stream"], origin["partition"], origin["offset"]),
        )
        return cls(
            message=message,
            name=origin["name"],
            step=data["step"],
            code=error["code"],
            error=error["class"],
            text=error["text"],
            traceback=error["traceback"],
            time=data["time"],
        )


def _bytes(value: str | dict[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"], validate=True)
