"""Dead letters as people and programs read them."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from oxflow._terminal import printable, readable

if TYPE_CHECKING:
    from oxflow.cli.letter_store import Letter

__all__ = ["described", "line_of", "value_of"]

_SHORT_ID = 12
_SHORT_TEXT = 80


def line_of(letter: Letter) -> str:
    """A dead letter in a line: id, time, step, error, place, text, and what is special."""
    content = letter.content
    text = " ".join(content.text.split())
    text = text if len(text) <= _SHORT_TEXT else f"{text[: _SHORT_TEXT - 3]}..."
    notes = [] if letter.is_open else [letter.state]
    if content.replays:
        notes.append(f"came back after {content.replays} replay{'' if content.replays == 1 else 's'}")
    if content.truncated:
        notes.append("cut")
    note = f"  ({', '.join(notes)})" if notes else ""
    fields = [content.id[:_SHORT_ID], time_of(content.time), content.step, content.error, content.place, text]
    return printable("  ".join(fields) + note)


def described(letter: Letter) -> str:
    """All of a dead letter."""
    content, message = letter.content, letter.content.as_read
    lines = [f"dead letter {content.id} ({letter.state})"]

    def add(name: str, value: str) -> None:
        lines.append(f"  {name:<10} {value}")

    add("step", content.step)
    add("error", f"{content.error} ({content.code}): {content.text}")
    add("failed", time_of(content.time, "microseconds"))
    add("read from", content.place)
    add("lies in", letter.where)
    if content.replays:
        first = f", read first from {content.replayed_from}" if content.replayed_from else ""
        add("replays", f"{content.replays}{first}")
    if message.timestamp is not None:
        add("sent", time_of(message.timestamp, "milliseconds"))
    if message.key is not None:
        add("key", _text(message.key))
    for name, value in message.headers:
        add("header", f"{name}: {_text(value)}")
    whole = f", of which the first {len(message.payload)} are here" if content.truncated else ""
    add("payload", "none: a deletion" if content.tombstone else f"{content.payload_bytes} bytes{whole}")
    if message.payload:
        lines.extend(f"    {line}" for line in _text(message.payload).split("\n"))
    if content.traceback:
        lines.append("  traceback")
        lines.extend(f"    {line}" for line in content.traceback.rstrip("\n").split("\n"))
    return readable("\n".join(lines))


def value_of(letter: Letter) -> dict[str, Any]:
    """A dead letter for programs: as it lies in its stream, with what the stream says of it."""
    content = letter.content
    more = {
        "id": content.id,
        "state": letter.state,
        "where": letter.where,
        "replays": content.replays,
        "replayed_from": content.replayed_from,
    }
    read: dict[str, Any] = json.loads(letter.data)
    return more | read


def time_of(seconds: float, precision: str = "seconds") -> str:
    """A time, in UTC."""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec=precision).replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return f"{seconds} s"


def _text(data: bytes) -> str:
    """Bytes as text; what is none is shown in hexadecimal digits."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return f"{data.hex(' ')} (not UTF-8)"
