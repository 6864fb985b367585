"""Offers and tasks arrive on one stream, as they come and change; placements leave on another one.

The matcher lives as long as the run. A batch is a round: it changes the offers, then places the tasks that wait, with those that no
earlier round had a place for first. It belongs to one lane, so run it with `run.lanes: 1`; after a crash the events are read again, so
this state needs no store of its own as long as the stream begins with all offers.
"""

from __future__ import annotations

from typing import TypedDict

from oxflow import Batch, FlatMap, Message, Parser, Serializer, StreamSink, streaming_source
from oxflow.scheduler import Matcher, Policy


class Event(TypedDict):
    """`offer` says what a server has free, `gone` that it has left, `task` what needs a place."""

    event: str
    name: str
    cpu: float
    mem: float


class Placement(TypedDict):
    """A task and its server."""

    task: str
    offer: str


class Scheduler:
    """A matcher, and the tasks that wait."""

    def __init__(self) -> None:
        score = Policy.best_fit(weights={"cpu": 1, "mem": 1 / 4})
        self.matcher = Matcher(resources=["cpu", "mem"], score=score, mode="shared")
        self.waiting: dict[str, Event] = {}

    def round(self, message: Message[list[Event]]) -> list[Placement]:
        """Take what happened, and place what can be placed."""
        for event in message.payload:
            self.take(event)
        matching = self.matcher.match(self.waiting.values())
        for task, _ in matching.pairs:
            del self.waiting[task]
        return [{"task": task, "offer": offer} for task, offer in matching.pairs]

    def take(self, event: Event) -> None:
        """One event."""
        name, known = event["name"], event["name"] in self.matcher
        match event["event"]:
            case "offer" if known:
                self.matcher.update_offers([event])
            case "offer":
                self.matcher.add_offers([event])
            case "gone" if known:
                self.matcher.remove_offer(name)
            case "task":
                self.waiting[name] = event
            case _:
                pass


pipeline = (
    streaming_source("cluster", stream_name="cluster-events")
    .apply(Parser("parse", Event))
    .apply(Batch("round", batch_size=1000))
    .apply(FlatMap("place", function=Scheduler().round))
    .apply(Serializer("serialize"))
    .sink(StreamSink("out", stream_name="placements"))
)
