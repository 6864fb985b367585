"""`oxflow dead-letters`: looks at dead letters, sends their messages again, notes that some are done with.

What was sent again is noted only after it has arrived, so a command that is ended in between sends it once more: at least once.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from typing import TYPE_CHECKING, Any

from oxflow import _oxflow
from oxflow._lifetime import INTERRUPTED_EXIT_CODE
from oxflow._run import load
from oxflow._terminal import printable, readable
from oxflow.cli.letter_choice import chosen
from oxflow.cli.letter_store import Letter, Located, Store, is_topic
from oxflow.cli.letter_text import described, line_of, value_of
from oxflow.dead_letter import LETTER, REPLAYED_FROM, REPLAYS
from oxflow.errors import ConfigError, Diagnostic, StreamError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from oxflow._oxflow import Message

__all__ = ["drop", "ls", "replay", "show"]

_PORTION = 500
_PORTION_BYTES = 1 << 20
_URL = re.compile(r"[a-z]+:")
_TOPIC = re.compile(r"(.+)\[\d+\]")
_REPLAYED = "replayed"
_DROPPED = "dropped"
_STDOUT = "standard output"


def ls(options: argparse.Namespace) -> int:
    """List dead letters, a line each."""
    found = _Found(options)
    for letter in found.letters():
        print(json.dumps(value_of(letter), ensure_ascii=False) if options.json else line_of(letter))
    return found.told("listed")


def show(options: argparse.Namespace) -> int:
    """Show all that is in dead letters."""
    found = _Found(options)
    for number, letter in enumerate(found.letters()):
        if options.json:
            print(json.dumps(value_of(letter), ensure_ascii=False))
        else:
            print(("\n" if number else "") + described(letter))
    return found.told("shown")


def replay(options: argparse.Namespace) -> int:
    """Send the messages of dead letters again, and note it."""
    found = _Found(options)
    sender = _Sender(found, options)
    try:
        for portion in _portions(found.letters()):
            sender.send(portion)
    except KeyboardInterrupt:
        print("oxflow: interrupted; what was under way is sent again the next time", file=sys.stderr)
        found.failed = True
        _summarise(options, _REPLAYED, sender.sent)
        return INTERRUPTED_EXIT_CODE
    _summarise(options, _REPLAYED, sender.sent)
    return found.told(None)


def drop(options: argparse.Namespace) -> int:
    """Note that dead letters are done with."""
    found = _Found(options)
    dropped: Counter[str] = Counter()
    for portion in _portions(found.letters()):
        still = portion
        if not options.dry_run:
            still = found.store.prepare(portion)
            found.store.note(still, _DROPPED, None)
        dropped[found.store.place] += len(still)
    _summarise(options, _DROPPED, dropped)
    return found.told(None)


class _Found:
    """The dead letters that a command is about."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.config = load(options.config, dict(options.overrides))
        for name, url in options.streams:
            self.config["streams"][name] = {"url": url}
        self.located = self.at(options.letters or self.config["run"]["dead_letters"]["stream"])
        self.store = Store(self.located)
        self.failed = False
        self._choice = chosen(options)
        self._limit: int | None = options.limit
        self._counts: Counter[str] = Counter()

    def at(self, given: str) -> Located:
        """A stream that is given as a URL, or by the name that the configuration binds."""
        if _URL.match(given) is not None:
            return Located("dead-letters", {"url": given})
        bound = self.bound(given)
        if bound is None:
            found = f"stream `{given}` is not bound"
            fix = f"write a URL, `file:{given}` or `kafka://HOST:PORT/TOPIC`, or name the configuration that binds it by `--config`"
            raise StreamError(Diagnostic("OXF0401", found, fix=fix))
        return bound

    def bound(self, name: str) -> Located | None:
        """What the configuration binds a name to; found as in a run, where variables can't spell every name."""
        streams: dict[str, Any] = self.config["streams"]
        same = [key for key in streams if _spelt(key) == _spelt(name)]
        key = name if name in streams else next(iter(same), None)
        return None if key is None else Located(key, streams[key])

    def letters(self) -> Iterator[Letter]:
        """Those that are chosen, each once."""
        seen: set[str] = set()
        for found in self.store.letters():
            if not isinstance(found, Letter):
                self.refuse(found.where, found.why)
                continue
            self._counts[found.state] += 1
            if found.content.id in seen or not self._choice.takes(found):
                continue
            if self._limit is not None and len(seen) >= self._limit:
                continue
            seen.add(found.content.id)
            yield found
        self._counts["chosen"] = len(seen)

    def refuse(self, where: str, why: str) -> None:
        """Say what can't be done, and go on."""
        self.failed = True
        print(f"error: {printable(where)}: {printable(why)}", file=sys.stderr)

    def told(self, doing: str | None) -> int:
        """Say how many there were; the exit code."""
        if doing is not None:
            done = self._counts[_REPLAYED] + self._counts[_DROPPED]
            others = f"; {done} were replayed or dropped" if done else ""
            text = f"{self._counts['chosen']} of {self._counts['open'] + done} dead letters {doing}{others}"
            print(text, file=sys.stderr)
        return 1 if self.failed else 0


def _spelt(name: str) -> str:
    return name.lower().replace("-", "_")


class _Sender:
    """Sends messages to where they came from, or to where the user says."""

    def __init__(self, found: _Found, options: argparse.Namespace) -> None:
        self._found = found
        self._to = None if options.to is None else found.at(options.to)
        self._dry_run: bool = options.dry_run
        self._writers: dict[tuple[str, str | None], _oxflow.StreamWriter] = {}
        self.sent: Counter[str] = Counter()

    def send(self, letters: list[Letter]) -> None:
        """Send what can be sent of these, and note it."""
        by_writer: dict[int, tuple[_oxflow.StreamWriter, list[tuple[Letter, Message[bytes]]]]] = {}
        for letter in letters:
            writer = self._writer(letter)
            message = self._message(letter, writer)
            if message is not None:
                by_writer.setdefault(id(writer), (writer, []))[1].append((letter, message))
        for writer, pairs in by_writer.values():
            taken = [letter for letter, _ in pairs]
            if not self._dry_run:
                taken = self._found.store.prepare(taken)
                if not taken:
                    continue
                still = {letter.content.id for letter in taken}
                messages = [message for letter, message in pairs if letter.content.id in still]
                deletions = [index for index, letter in enumerate(taken) if letter.content.tombstone]
                writer.send(messages, deletions=deletions)
                self._found.store.note(taken, _REPLAYED, writer.place)
            self.sent[writer.place] += len(taken)

    def _message(self, letter: Letter, writer: _oxflow.StreamWriter) -> Message[bytes] | None:
        try:
            before = letter.content.message
        except ValueError as error:
            self._found.refuse(letter.where, str(error))
            return None
        headers = [(name, value) for name, value in before.headers if name not in {LETTER, REPLAYS, REPLAYED_FROM}]
        first = letter.content.replayed_from or f"{letter.content.name}@{before.origin.offset if before.origin else 0}"
        headers += [
            (LETTER, letter.content.id.encode()),
            (REPLAYS, str(letter.content.replays + 1).encode()),
            (REPLAYED_FROM, first.encode()),
        ]
        # With a time of its own: a topic would remove at once what is older than it keeps messages.
        message = _oxflow.Message(before.payload, key=before.key, headers=headers)
        refused = writer.refuses(message)
        if letter.content.tombstone and not writer.place.startswith("topic "):
            refused = "it is a deletion, which only a topic has"
        if refused is not None:
            self._found.refuse(letter.where, f"{writer.place} can't take the message: {refused}")
            return None
        return message

    def _writer(self, letter: Letter) -> _oxflow.StreamWriter:
        located, topic = (self._to, None) if self._to is not None else self._origin(letter)
        key = (located.text, topic)
        if key not in self._writers:
            writer = _oxflow.StreamWriter(located.name, located.text, topic=topic, dry_run=self._dry_run)
            if self._found.store.holds(writer):
                found = f"dead letters of {writer.place} would be sent to {writer.place}"
                raise StreamError(Diagnostic("OXF0402", found, fix="name another stream by `--to`"))
            self._writers[key] = writer
        return self._writers[key]

    def _origin(self, letter: Letter) -> tuple[Located, str]:
        """The topic that a message was read from: at the brokers of its stream, or else of the dead letters."""
        origin = letter.content.as_read.origin
        bound = None if origin is None else self._found.bound(origin.stream)
        named = _TOPIC.fullmatch(letter.content.name) if letter.content.line is None else None
        for located in (bound, self._found.located):
            if named is not None and located is not None and is_topic(located.place):
                return located, named[1]
        found = f"the message of the dead letter {letter.content.id[:12]} was read from {letter.content.place}, where nothing can be sent"
        if named is not None:
            found = f"the brokers of {letter.content.name}, from which a message was read, are not known"
        fix = "name a stream by `--to`: `--to file:again.jsonl`, and let a run read that"
        if named is not None:
            fix = "name the topic by `--to`, or the configuration of the pipeline by `--config`"
        raise ConfigError(Diagnostic("OXF0401", found, fix=fix))


def _portions(letters: Iterator[Letter]) -> Iterator[list[Letter]]:
    portion: list[Letter] = []
    size = 0
    for letter in letters:
        portion.append(letter)
        size += len(letter.data)
        if len(portion) >= _PORTION or size >= _PORTION_BYTES:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion


def _summarise(options: argparse.Namespace, did: str, counts: Counter[str]) -> None:
    total = sum(counts.values())
    # Where messages go to standard output, nothing else may.
    file = sys.stderr if _STDOUT in counts and not options.dry_run else sys.stdout
    if options.json:
        value = {"dry_run": options.dry_run, did: total, "places": dict(counts)}
        print(json.dumps(value, ensure_ascii=False, indent=2), file=file)
        return
    would = {_REPLAYED: "would replay", _DROPPED: "would drop"}[did] if options.dry_run else did
    counted = f"{total} dead letter{'' if total == 1 else 's'}"
    to = ", ".join(f"{count} to {place}" for place, count in counts.items()) if did == _REPLAYED else ""
    print(readable(f"{would} {counted}{': ' if to else ''}{to}"), file=file)
