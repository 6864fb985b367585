"""Random pipelines against what they mean.

Hypothesis draws steps of both languages, branches and messages. The meaning of each is one line of plain Python here; how
the engine fuses, converts, routes and batches must not show in what comes out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import test_steps
from hypothesis import HealthCheck, given, settings, strategies as st

from oxflow import Batch, Filter, FlatMap, Map, Message, Parser, Serializer, StreamSink, branch, streaming_source
from oxflow.testing import run

Word: TypeAlias = dict[str, Any]
# The outputs of a word; `None` where the step fails on it.
Meaning: TypeAlias = Callable[[Word], "list[Word] | None"]


def double(message: Message[Word]) -> Word:
    return {**message.payload, "count": message.payload["count"] * 2}


def letters(message: Message[Word]) -> list[Message[Word]]:
    texts = list(message.payload["text"])
    return [message.replace(payload={**message.payload, "text": text}, key=text.encode()) for text in texts]


def no_b(message: Message[Word]) -> Word:
    if message.payload["text"].startswith("b"):
        raise ValueError("b")
    return message.payload


def is_odd(message: Message[Word]) -> bool:
    return bool(message.payload["count"] % 2)


def length_class(message: Message[Word]) -> str:
    return "long" if len(message.payload["text"]) > 3 else "short"


STEPS: dict[str, tuple[Callable[[str], Any], Meaning]] = {
    "python-double": (lambda name: Map(name, function=double), lambda word: [{**word, "count": word["count"] * 2}]),
    "python-letters": (
        lambda name: FlatMap(name, function=letters),
        lambda word: [{**word, "text": text} for text in word["text"]],
    ),
    "python-fails": (
        lambda name: Map(name, function=no_b),
        lambda word: None if word["text"].startswith("b") else [word],
    ),
    "python-filter": (lambda name: Filter(name, function=is_odd), lambda word: [word] if word["count"] % 2 else []),
    "rust-double": (
        lambda name: Map(name, function=test_steps.Double()),
        lambda word: [{**word, "count": word["count"] * 2}],
    ),
    "rust-letters": (
        lambda name: FlatMap(name, function=test_steps.letters),
        lambda word: [{**word, "text": text} for text in word["text"]],
    ),
    "rust-fails": (
        lambda name: Map(name, function=test_steps.check),
        lambda word: None if word["text"] in {"bad", "panic"} else [word],
    ),
    "rust-filter": (
        lambda name: Filter(name, function=test_steps.is_frequent),
        lambda word: [word] if word["count"] > 1 else [],
    ),
    "rust-filter-by-value": (
        lambda name: Filter(name, function=test_steps.is_frequent_by_value),
        lambda word: [word] if word["count"] > 1 else [],
    ),
    "rust-option": (
        lambda name: Map(name, function=test_steps.long_only),
        lambda word: [word] if len(word["text"]) > 3 else [],
    ),
    "rust-key": (lambda name: Map(name, function=test_steps.key_by_text), lambda word: [word]),
}
ROUTERS: tuple[Any, ...] = (length_class, test_steps.length_class)


@dataclass
class Drawn:
    """A pipeline under construction, and what its sinks should get."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    names: int = 0
    failing: list[str] = field(default_factory=list[str])
    expected: dict[str, list[Any]] = field(default_factory=dict[str, list[Any]])

    def name(self, kind: str) -> str:
        self.names += 1
        return f"{kind}-{self.names}"

    def chain(self, start: Any, words: list[Word], depth: int) -> Any:
        for kind in self.draw(st.lists(st.sampled_from(sorted(STEPS)), max_size=4)):
            make, meaning = STEPS[kind]
            name = self.name(kind)
            start = start.apply(make(name))
            self.failing.append(name)
            words = [output for word in words for output in meaning(word) or []]
        ends = ["sink", "batch"] + ["route", "broadcast"] * (depth < 2)  # deep enough
        match self.draw(st.sampled_from(ends)):
            case "route":
                return self.route(start, words, depth)
            case "broadcast":
                routes = [self.chain(branch(self.name("branch")), words, depth + 1) for _ in range(2)]
                return start.broadcast(self.name("broadcast"), routes=routes)
            case "batch":
                size = self.draw(st.integers(1, 4))
                lists = [words[index : index + size] for index in range(0, len(words), size)]
                return self.sink(start.apply(Batch(self.name("batch"), batch_size=size)), lists)
            case _:
                return self.sink(start, words)

    def route(self, start: Any, words: list[Word], depth: int) -> Any:
        table = {}
        for key in ("short", "long"):
            mine = [word for word in words if (len(word["text"]) > 3) == (key == "long")]
            table[key] = self.chain(branch(self.name("branch")), mine, depth + 1)
        function = self.draw(st.sampled_from(ROUTERS))
        return start.route(self.name("route"), routing_function=function, routing_table=table)

    def sink(self, start: Any, values: list[Any]) -> Any:
        stream = self.name("stream")
        self.expected[stream] = values
        return start.apply(Serializer(self.name("serialize"))).sink(StreamSink(self.name("sink"), stream_name=stream))


WORDS = st.lists(
    st.fixed_dictionaries(
        {"text": st.sampled_from(["", "a", "b", "bad", "panic", "word", "longer"]), "count": st.integers(0, 9)},
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), words=WORDS, batch=st.integers(1, 5), parser=st.sampled_from([Word, test_steps.Word]))
def test_what_comes_out_is_what_the_steps_say(data: st.DataObject, words: list[Word], batch: int, parser: Any) -> None:
    complete: list[Word] = [{**word, "tags": {}} for word in words]
    drawn = Drawn(data.draw)
    pipeline = drawn.chain(streaming_source("source", stream_name="in").apply(Parser("parse", parser)), complete, 0)
    config = {
        "steps": {name: {"on_error": "skip"} for name in drawn.failing},
        "run": {"batch": {"messages": batch}},
    }
    outputs = run(pipeline, {"in": [json.dumps(word).encode() for word in complete]}, config=config)
    found = {stream: [json.loads(line) for line in lines] for stream, lines in outputs.items()}
    assert found == drawn.expected
    assert [source.committed for source in outputs.report.sources] == [len(words) or None]
