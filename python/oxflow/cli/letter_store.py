"""Reads a stream of dead letters to its end, and keeps notes of what became of them.

A topic can't be changed, and a file of dead letters may be another run's, so neither is: a note says which dead letters were
sent again or dropped. In a topic it is one more message, in the partition of the dead letters that it is about, so that it is
never gone before they are. For a file it is a line of `PATH.done`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oxflow import _oxflow
from oxflow._oxflow import Message
from oxflow.dead_letter import NOTE, DeadLetter, is_note
from oxflow.errors import Diagnostic, StreamError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Letter", "Located", "Store", "Unreadable", "is_topic"]

OPEN = "open"
_DONE = ".done"
_STDIN = "stdin"


@dataclass(frozen=True)
class Located:
    """A stream: its name for errors, and where it is as the normalised configuration has it."""

    name: str
    place: Mapping[str, Any]

    @property
    def text(self) -> str:
        """What the engine takes."""
        return json.dumps(self.place)


@dataclass(frozen=True)
class Letter:
    """A dead letter in its stream.

    Attributes:
        content: the dead letter.
        state: `open`, or what became of it: `replayed`, `dropped`.
        partition: number of the partition, or of the file, that it lies in.
        where: its place there, for people.
        data: its text.
    """

    content: DeadLetter
    state: str
    partition: int
    where: str
    data: bytes

    @property
    def is_open(self) -> bool:
        """Whether nothing became of it yet."""
        return self.state == OPEN


@dataclass(frozen=True)
class Unreadable:
    """What lies in the stream and is no dead letter."""

    where: str
    why: str


def is_topic(place: Mapping[str, Any]) -> bool:
    """Whether a stream is a topic of Kafka."""
    return "kafka" in place or str(place["url"]).startswith("kafka:")


class Store:
    """A stream of dead letters.

    Raises:
        StreamError: it can't be opened or read.
    """

    def __init__(self, located: Located) -> None:
        self._located = located
        self._reader = self._open()
        self._notes: dict[int, _oxflow.StreamWriter] = {}
        self.place = self._reader.place
        self._done = self._read_notes()

    def letters(self) -> Iterator[Letter | Unreadable]:
        """All that lies in it, in the order of each partition."""
        lines = not is_topic(self._located.place)
        for partition, offset, data in _all(self._reader):
            name = self._reader.partitions[partition]
            where = f"{name}, line {offset + 1}" if lines else f"{name}, offset {offset}"
            try:
                content = DeadLetter.from_json(data)
            except ValueError as error:
                if not _is_note(data):
                    yield Unreadable(where, f"not a dead letter: {str(error).removeprefix('not a dead letter: ')}")
                continue
            yield Letter(content, self._done.get(content.id, OPEN), partition, where, data)

    def prepare(self, letters: Sequence[Letter]) -> list[Letter]:
        """See to it that notes about dead letters can be taken.

        Nobody else takes notes there from then on.

        Returns:
            The same without those that were open, and of which something has become since: by a command that was under way
            when this one began, and has ended.

        Raises:
            StreamError: they can't, or another command takes some.
        """
        for partition in {letter.partition for letter in letters}:
            self._prepare(partition)
        return [letter for letter in letters if not (letter.is_open and letter.content.id in self._done)]

    def _prepare(self, partition: int) -> None:
        # One command at a time has a writer. What was read before may have been old by then.
        if is_topic(self._located.place):
            if not self._notes:
                self._notes[0] = _oxflow.StreamWriter(self._located.name, self._located.text, pinned=True)
                self._done |= self._read_notes()
        elif partition not in self._notes:
            notes = self._file(partition)
            self._notes[partition] = _oxflow.StreamWriter(self._located.name, json.dumps({"url": f"file:{notes}"}))
            self._done |= _noted(self._notes_in(notes))

    def holds(self, writer: _oxflow.StreamWriter) -> bool:
        """Whether what a writer sends would lie in this very stream."""
        return self._reader.holds(writer)

    def note(self, letters: Sequence[Letter], state: str, to: str | None) -> None:
        """Note what became of dead letters. When this returns no crash makes it forgotten."""
        by_partition: dict[int, list[str]] = {}
        for letter in letters:
            by_partition.setdefault(letter.partition, []).append(letter.content.id)
            self._done[letter.content.id] = state
        for partition, ids in by_partition.items():
            note = json.dumps({NOTE: state, "to": to, "time": round(time.time(), 6), "letters": ids})
            # A key of its own: a topic that keeps the last message of each key keeps all notes.
            message = Message(note.encode(), key=f"{NOTE}-{ids[0]}".encode())
            writer = self._notes[0 if is_topic(self._located.place) else partition]
            writer.send([message], partition if is_topic(self._located.place) else 0)

    def _open(self) -> _oxflow.StreamReader:
        return _oxflow.StreamReader(self._located.name, self._located.text)

    def _file(self, partition: int) -> str:
        name = self._reader.partitions[partition]
        if name == _STDIN:
            fix = "write them to a file, and name that"
            raise StreamError(Diagnostic("OXF0402", "what became of dead letters in a pipe can't be noted", fix=fix))
        return name + _DONE

    def _read_notes(self) -> dict[str, str]:
        done: dict[str, str] = {}
        for reader in self._note_readers():
            done |= _noted(reader)
        return done

    def _note_readers(self) -> Iterator[_oxflow.StreamReader]:
        if is_topic(self._located.place):
            # A second look at it: what became of a dead letter comes after it, and not all of them fit into memory.
            yield self._open()
            return
        for name in self._reader.partitions:
            if name != _STDIN and Path(name + _DONE).exists():
                yield self._notes_in(name + _DONE)

    def _notes_in(self, path: str) -> _oxflow.StreamReader:
        return _oxflow.StreamReader(self._located.name, json.dumps({"url": f"file:{_literal(path)}"}))


def _noted(reader: _oxflow.StreamReader) -> dict[str, str]:
    done: dict[str, str] = {}
    for _, _, data in _all(reader):
        _read_note(data, done)
    return done


def _all(reader: _oxflow.StreamReader) -> Iterator[tuple[int, int, bytes]]:
    while (some := reader.read()) is not None:
        yield from some


def _literal(path: str) -> str:
    """A path as a pattern that fits nothing else."""
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)


def _read_note(data: bytes, done: dict[str, str]) -> None:
    # Cheaper than to read each dead letter.
    if NOTE.encode() not in data[:64]:
        return
    try:
        note = json.loads(data)
        done.update(dict.fromkeys(note["letters"], str(note[NOTE])))
    except (ValueError, KeyError, TypeError, RecursionError):
        # Cut by a crash, or somebody else's. What it was about is open, and comes twice.
        return


def _is_note(data: bytes) -> bool:
    try:
        return is_note(json.loads(data))
    except (ValueError, RecursionError):
        return False
