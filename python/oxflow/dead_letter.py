"""Dead letters: messages that a step failed on, with what went wrong.

A step with `on_error: dead_letter` sends what it fails on to the stream `dead-letters`, each as JSON. Here they are read
again, to be looked at or sent once more:

    with open("dead.jsonl", "rb") as lines:
        letters = [DeadLetter.from_json(line) for line in lines]
    oxflow.run(pipeline, streams={"metrics": [letter.message for letter in letters]})

A message that is sent again takes all branches of the pipeline, also those in which it did not fail. Of a message that was too
long only the beginning is in its dead letter: there is no `message` to send, and `as_read` is for looking at.
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
        as_read: the message as it was read from its source: payload, key, headers, timestamp and origin. The payload of a
            message that was too long is cut.
        payload_bytes: bytes of the whole payload.
        truncated: whether `as_read` has only the beginning of the payload.
        name: what its partition is, the path of a file.
        line: line of the file that it was read from, counted from 1; `None` where the source has no lines. The offset in
            `as_read.origin` counts from 0.
        step: name of the step that failed.
        code: code of the error; `oxflow explain` has a page on each.
        error: class of the exception or error, `KeyError`.
        text: what it says.
        traceback: how it came about: of an exception the calls in the user's code, of a panic its place and, where
            `RUST_BACKTRACE` is set, the backtrace; `None` where there is nothing to tell.
        time: when it failed, seconds since 1970-01-01 UTC.
    """

    as_read: Message[bytes]
    payload_bytes: int
    truncated: bool
    name: str
    line: int | None
    step: str
    code: str
    error: str
    text: str
    traceback: str | None
    time: float

    @property
    def message(self) -> Message[bytes]:
        """The message, to be sent once more.

        Raises:
            ValueError: only the beginning of it is there.
        """
        if self.truncated:
            there = len(self.as_read.payload)
            text = (
                f"only the first {there} of {self.payload_bytes} bytes of the payload are in the dead letter; "
                f"read the message from its source, {self.place}, with a higher `run.message_bytes`"
            )
            raise ValueError(text)
        return self.as_read

    @property
    def place(self) -> str:
        """Where the message was read, for people."""
        if self.line is not None:
            return f"{self.name}, line {self.line}"
        origin = self.as_read.origin
        if origin is None:
            return self.name
        return f"stream {origin.stream}, partition {origin.partition}, offset {origin.offset}"

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
            as_read=message,
            payload_bytes=data["payload_bytes"],
            truncated=data["truncated"],
            name=origin["name"],
            line=origin["line"],
            step=data["step"],
            code=error["code"],
            error=error["class"],
            text=error["text"],
            traceback=error["traceback"],
            time=data["time"],
        )


def _bytes(value: str | dict[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"], validate=True)
