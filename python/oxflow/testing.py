"""Runs pipelines in tests: the production engine, on lists, with a clock that the test moves.

    outputs = oxflow.testing.run(pipeline, {"ingest-metrics": [b'{"name": "a"}']})
    assert outputs["transformed-metrics"] == [b'{"name":"a","transformed":true}']

Nothing is replaced by a double: plan, checks, conversions, batching and commits are those of `oxflow run`. Only time stands
still, so that a test of a `Batch` neither waits nor flickers: `advance` is an item of the input like a message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from oxflow._oxflow import Advance
from oxflow._run import bind, execute
from oxflow.dead_letter import DeadLetter
from oxflow.plan import lower

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oxflow._oxflow import Message
    from oxflow._run import Config, Item, Stream
    from oxflow.pipeline import Pipeline
    from oxflow.report import RunReport

__all__ = ["Advance", "Outputs", "advance", "run"]


class Outputs(Mapping[str, "list[bytes]"]):
    """What a run wrote: for each sink's stream the payloads, in order of writing.

    Attributes:
        report: what the run did.
        dead_letters: what steps with `on_error: dead_letter` failed on.
    """

    def __init__(self, streams: Iterable[str], report: RunReport) -> None:
        self.report = report
        self._messages = {stream: list(report.outputs.get(stream, ())) for stream in streams}
        # No sink of the pipeline may have their stream.
        others = (sent for stream, sent in report.outputs.items() if stream not in self._messages)
        self.dead_letters = [DeadLetter.from_json(message.payload) for sent in others for message in sent]

    def __getitem__(self, stream: str) -> list[bytes]:
        return [message.payload for message in self._messages[stream]]

    def __iter__(self) -> Iterator[str]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    def __repr__(self) -> str:
        return f"Outputs({dict(self)!r})"

    def messages(self, stream: str) -> list[Message[bytes]]:
        """The messages written to a stream, with keys, headers and timestamps."""
        return list(self._messages[stream])


def run(
    pipeline: Pipeline[Any],
    inputs: Mapping[str, Iterable[Item] | Iterable[Iterable[Item]]],
    *,
    config: Config = None,
) -> Outputs:
    """Run a pipeline on lists.

    Args:
        pipeline: a complete pipeline.
        inputs: by logical name the messages of a stream: `bytes`, `Message` or `advance(...)`, or a list of such lists, each
            a partition.
        config: path of a YAML file, or its content as a mapping. Its streams are not used: every sink writes to memory, and
            so do dead letters.

    Returns:
        The payloads of each sink's stream.

    Raises:
        OxflowError: what `oxflow.run` raises.
    """
    plan = lower(pipeline)
    sinks = sorted(set(_sinks(plan.data["steps"])))
    streams: dict[str, Stream] = dict.fromkeys(sinks, "memory:")
    bound = bind(plan, streams={**streams, **inputs}, config=config)
    dead_letters = bound.config["run"]["dead_letters"]["stream"]
    if dead_letters not in sinks:
        memory = {**bound.config["streams"], dead_letters: {"url": "memory:"}}
        bound = replace(bound, config={**bound.config, "streams": memory})
    bound.check()
    return Outputs(sinks, execute(bound, manual_clock=True))


def advance(seconds: float) -> Advance:
    """Move the clock forward when the run comes to this item of its input.

    Args:
        seconds: how far, >= 0.
    """
    return Advance(seconds)


def _sinks(steps: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for step in steps:
        match step["operation"]:
            case {"sink": str(stream)}:
                yield stream
            case {"route": {"branches": branches}} | {"broadcast": branches}:
                for way in branches:
                    yield from _sinks(way["steps"])
            case _:
                pass
