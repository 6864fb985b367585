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
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from oxflow._oxflow import Message, Origin

__all__ = ["LETTER", "NOTE", "REPLAYED_FROM", "REPLAYS", "DeadLetter", "is_note"]

# Headers of a message that was sent again: the dead letter that it was, how often it was sent again, where it was read first.
LETTER = "oxflow-letter"
REPLAYS = "oxflow-replays"
REPLAYED_FROM = "oxflow-replayed-from"
# Key of a message, in a stream of dead letters, that notes what became of some.
NOTE = "oxflow-note"
_REPLAYS_DIGITS = 9


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
        tombstone: whether the message is a deletion: it was read from a topic without a payload.
        id: 32 hexadecimal digits that tell this dead letter from all others: a digest of its text.
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
    tombstone: bool
    id: str

    @property
    def replays(self) -> int:
        """How often `oxflow dead-letters replay` had sent the message before it failed; 0 for one that came by itself."""
        value = self._header(REPLAYS)
        # Anybody can write headers, and a number with thousands of digits is refused.
        return int(value) if value is not None and value.isdigit() and len(value) <= _REPLAYS_DIGITS else 0

    @property
    def replayed_from(self) -> str | None:
        """Where the message was read the first time, `metrics[3]@17`, if it was sent again since."""
        value = self._header(REPLAYED_FROM)
        return None if value is None else value.decode(errors="replace")

    def _header(self, wanted: str) -> bytes | None:
        return next((value for name, value in self.as_read.headers if name == wanted), None)

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
            content = json.loads(data)
            if is_note(content):
                raise ValueError("not a dead letter, but a note that some were sent again or dropped")
            return cls._read(content, hashlib.blake2b(_encoded(data), digest_size=16).hexdigest())
        except (KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError(f"not a dead letter: {error!r}") from error

    @classmethod
    def _read(cls, data: dict[str, Any], digest: str) -> DeadLetter:
        origin, error = data["origin"], data["error"]
        message = Message(
            _bytes(data["payload"]),
            key=None if data["key"] is None else _bytes(data["key"]),
            headers=[(name, _bytes(value)) for name, value in data["headers"]],
            timestamp=data["timestamp"],
            origin=Origin(origin["stream"], origin["partition"], origin["offset"]),
        )
        traceback, line = error["traceback"], origin["line"]
        return cls(
            as_read=message,
            payload_bytes=_is(int, data["payload_bytes"]),
            truncated=_is(bool, data["truncated"]),
            name=_text(origin["name"]),
            line=None if line is None else _is(int, line),
            step=_text(data["step"]),
            code=_text(error["code"]),
            error=_text(error["class"]),
            text=_text(error["text"]),
            traceback=None if traceback is None else _text(traceback),
            time=_is((int, float), data["time"]),
            # Dead letters of earlier versions don't say it.
            tombstone=_is(bool, data.get("tombstone", False)),
            id=digest,
        )


def is_note(content: object) -> bool:
    """Whether a message of a stream of dead letters is no dead letter, but says what became of some."""
    return isinstance(content, dict) and NOTE in content


def _is(kind: type | tuple[type, ...], value: Any) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r:.40} is of the wrong type")
    return value


def _text(value: Any) -> str:
    text: str = _is(str, value)
    # Half a surrogate pair can't be printed.
    text.encode()
    return text


def _encoded(data: bytes | str) -> bytes:
    return data.encode() if isinstance(data, str) else data


def _bytes(value: str | dict[str, str]) -> bytes:
    return value.encode() if isinstance(value, str) else base64.b64decode(value["base64"], validate=True)
