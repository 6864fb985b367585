"""The same as a pipeline: offers and tasks arrive on two streams, and what was launched leaves on a third.

A batch is a round: it takes what came of offers and tasks, and places what waits. What it placed is launched, a hundred at a time
side by side. It belongs to one lane, so run it with `run.lanes: 1`. A crash may launch a task twice, as any side effect: the
service has to know a task by its name.
"""

from __future__ import annotations

import os
from typing import Any, TypedDict

from oxflow import Batch, FlatMap, Map, Message, Parser, Serializer, StreamSink, streaming_source
from oxflow.scheduler import Matcher, Policy, Request, fetch_all

RESOURCES = {"cpu": 1.0, "mem": 1 / 8, "disk": 1 / 16, "gpu": 4.0}
CLUSTER = os.environ.get("CLUSTER_URL", "http://127.0.0.1:8080")
TRACE = os.environ.get("TRACEPARENT")


class Event(TypedDict):
    """An offer or a task, by the stream that it came on."""

    stream: str
    item: dict[str, Any]


class Placement(TypedDict):
    """A task and its server."""

    task: str
    offer: str


class Launched(Placement):
    """How the launch went: a status of HTTP, or the kind of error."""

    outcome: str


def tell(message: Message[dict[str, Any]]) -> Event:
    """Say of each which stream it came on."""
    return {"stream": message.origin.stream if message.origin else "", "item": message.payload}


class Scheduler:
    """A matcher, and the tasks that wait."""

    def __init__(self) -> None:
        self.matcher = Matcher(resources=list(RESOURCES), score=Policy.best_fit(RESOURCES), threshold=31.0)
        self.waiting: dict[str, dict[str, Any]] = {}

    def round(self, message: Message[list[Event]]) -> list[Placement]:
        """Take what came, and place what can be placed."""
        offers = [event["item"] for event in message.payload if event["stream"] == "offers"]
        self.matcher.update_offers([offer for offer in offers if offer["name"] in self.matcher])
        self.matcher.add_offers([offer for offer in offers if offer["name"] not in self.matcher])
        self.waiting.update({e["item"]["name"]: e["item"] for e in message.payload if e["stream"] == "tasks"})
        matching = self.matcher.match(self.waiting.values())
        for task, _ in matching.pairs:
            del self.waiting[task]
        return [{"task": task, "offer": offer} for task, offer in matching.pairs]


def launch(message: Message[list[Placement]]) -> list[Launched]:
    """Launch what was placed, all at once; a launch that fails is told, and costs no other."""
    calls = [Request(f"{CLUSTER}/launch", method="POST", json=placement) for placement in message.payload]
    launched: list[Launched] = []
    for placement, call in zip(message.payload, fetch_all(calls, retries=3, traceparent=TRACE), strict=True):
        outcome = call.error.kind if call.error else str(call.status)
        launched.append({"task": placement["task"], "offer": placement["offer"], "outcome": outcome})
    return launched


pipeline = (
    streaming_source("cluster", stream_name=["offers", "tasks"])
    .apply(Parser("parse", dict[str, Any]))
    .apply(Map("tell", function=tell))
    .apply(Batch("round", batch_size=1000))
    .apply(FlatMap("place", function=Scheduler().round))
    .apply(Batch("calls", batch_size=100))
    .apply(FlatMap("launch", function=launch))
    .apply(Serializer("serialize"))
    .sink(StreamSink("out", stream_name="launched"))
)
