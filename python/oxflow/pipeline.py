"""Builds pipelines.

A pipeline is a value: each method gives a new one, so a common beginning may be continued in two ways, and pipelines can be
compared, hashed and printed. A `Branch` is a chain without a source: a way on from a route or a broadcast, or a piece to
`apply` to several pipelines. Nothing is checked here beyond what Python itself would: `oxflow check` looks at the whole and
says all that is wrong at once.

The type parameters are the payload's type at the end of the chain (and for a branch at its beginning), for type checkers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import indent
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar, final, overload

from oxflow._place import Spot, caller
from oxflow.steps import Batch, Filter, Step, StreamSink, Transform, check_text, quoted, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from oxflow._oxflow import Message

__all__ = ["Branch", "BranchStart", "Broadcast", "Ended", "Pipeline", "Route", "Source", "branch", "streaming_source"]

T = TypeVar("T")
In = TypeVar("In")
Out = TypeVar("Out")
T_co = TypeVar("T_co", covariant=True)
In_contra = TypeVar("In_contra", contravariant=True)

Key: TypeAlias = str | int | bool


@final
class Ended:
    """Stands for the payload of a chain that has ended: there is none, and nothing can follow."""


@dataclass(frozen=True)
class Source:
    """Where a pipeline's messages come from: the stream of this logical name, and maybe `more`."""

    name: str
    stream_name: str
    more: tuple[str, ...] = ()
    spot: Spot | None = field(default_factory=caller, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_text("the name of a source", self.name)
        for stream in (self.stream_name, *self.more):
            check_text("the name of a stream", stream)


class _Chain:
    """A row of steps, and how it reads."""

    steps: tuple[Step, ...]

    def _opening(self) -> str:
        raise NotImplementedError

    def __repr__(self) -> str:
        if not self.steps:
            return self._opening()
        lines = [self._opening(), *map(_call, self.steps)]
        return f"(\n{indent(chr(10).join(lines), '    ')}\n)"


@dataclass(frozen=True, repr=False)
class Pipeline(_Chain, Generic[T_co]):
    """Messages of one source on their way to their sinks.

    Attributes:
        source: where they come from.
        steps: what happens to them, in order.
    """

    source: Source
    steps: tuple[Step, ...] = ()

    @overload
    def apply(self, step: Filter[T_co]) -> Pipeline[T_co]: ...
    @overload
    def apply(self, step: Batch) -> Pipeline[list[T_co]]: ...
    @overload
    def apply(self, step: Transform[T_co, Out] | Branch[T_co, Out]) -> Pipeline[Out]: ...
    def apply(self, step: Step | Branch[Any, Any]) -> Pipeline[Any]:
        """Continue with a step, or with the steps of a branch.

        Args:
            step: takes what the chain gives so far.

        Raises:
            TypeError: `step` is neither.
        """
        return Pipeline(self.source, self.steps + _steps_of(step))

    def sink(self: Pipeline[bytes], sink: StreamSink) -> Pipeline[Ended]:
        """End the chain in a stream, which takes bytes.

        Args:
            sink: the stream to write to.
        """
        return Pipeline(self.source, (*self.steps, sink))

    def route(
        self,
        name: str,
        *,
        routing_function: Callable[[Message[T_co]], object] | str,
        routing_table: Mapping[Any, Branch[T_co, Ended]],
    ) -> Pipeline[Ended]:
        """End the chain by sending each message down one branch.

        Args:
            name: name of the step.
            routing_function: takes a `Message` and returns a key of the table; a callable or `"package.module:name"`.
            routing_table: the branch of each key; keys are all `str`, all `int` or all `bool`.
        """
        return Pipeline(self.source, (*self.steps, Route(name, routing_function, _table_of(routing_table))))

    def broadcast(self, name: str, *, routes: Iterable[Branch[T_co, Ended]]) -> Pipeline[Ended]:
        """End the chain by sending each message down every branch.

        Args:
            name: name of the step.
            routes: the branches.
        """
        return Pipeline(self.source, (*self.steps, Broadcast(name, _branches_of(routes))))

    def _opening(self) -> str:
        streams = [quoted(stream) for stream in (self.source.stream_name, *self.source.more)]
        spelled = f"[{', '.join(streams)}]" if self.source.more else streams[0]
        return f"streaming_source({quoted(self.source.name)}, stream_name={spelled})"

    def __repr__(self) -> str:
        return _Chain.__repr__(self)

    def _repr_mermaid_(self) -> str:
        """Draw the pipeline, in the language of Mermaid."""
        from oxflow.plan import lower

        return lower(self).graph("mermaid")


@dataclass(frozen=True, repr=False)
class Branch(_Chain, Generic[In_contra, T_co]):
    """A chain without a source.

    Attributes:
        name: name of the branch, unique in a pipeline.
        steps: what happens on it, in order.
    """

    name: str
    steps: tuple[Step, ...] = ()
    spot: Spot | None = field(default_factory=caller, compare=False, repr=False)

    @overload
    def apply(self, step: Filter[T_co]) -> Branch[In_contra, T_co]: ...
    @overload
    def apply(self, step: Batch) -> Branch[In_contra, list[T_co]]: ...
    @overload
    def apply(self, step: Transform[T_co, Out] | Branch[T_co, Out]) -> Branch[In_contra, Out]: ...
    def apply(self, step: Step | Branch[Any, Any]) -> Branch[In_contra, Any]:
        """Continue with a step, or with the steps of another branch; see `Pipeline.apply`."""
        return Branch(self.name, self.steps + _steps_of(step), self.spot)

    def sink(self: Branch[In, bytes], sink: StreamSink) -> Branch[In, Ended]:
        """End the branch in a stream; see `Pipeline.sink`."""
        return Branch(self.name, (*self.steps, sink), self.spot)

    def route(
        self,
        name: str,
        *,
        routing_function: Callable[[Message[T_co]], object] | str,
        routing_table: Mapping[Any, Branch[T_co, Ended]],
    ) -> Branch[In_contra, Ended]:
        """End the branch by sending each message down another one; see `Pipeline.route`."""
        return Branch(self.name, (*self.steps, Route(name, routing_function, _table_of(routing_table))), self.spot)

    def broadcast(self, name: str, *, routes: Iterable[Branch[T_co, Ended]]) -> Branch[In_contra, Ended]:
        """End the branch by sending each message down several others; see `Pipeline.broadcast`."""
        return Branch(self.name, (*self.steps, Broadcast(name, _branches_of(routes))), self.spot)

    def _opening(self) -> str:
        return f"branch({quoted(self.name)})"

    def __repr__(self) -> str:
        return _Chain.__repr__(self)


@dataclass(frozen=True, repr=False)
class BranchStart(_Chain):
    """A branch before its first step: what it takes is not known yet, so the first step says it."""

    name: str
    spot: Spot | None = field(default_factory=caller, init=False, compare=False, repr=False)
    steps = ()

    def __post_init__(self) -> None:
        check_text("the name of a branch", self.name)

    @overload
    def apply(self, step: Filter[T]) -> Branch[T, T]: ...
    @overload
    def apply(self, step: Batch) -> Branch[Any, list[Any]]: ...
    @overload
    def apply(self, step: Transform[In, Out] | Branch[In, Out]) -> Branch[In, Out]: ...
    def apply(self, step: Step | Branch[Any, Any]) -> Branch[Any, Any]:
        """Begin with a step, or with the steps of another branch; see `Pipeline.apply`."""
        return Branch(self.name, _steps_of(step), self.spot)

    def sink(self, sink: StreamSink) -> Branch[bytes, Ended]:
        """End the branch at once in a stream; see `Pipeline.sink`."""
        return Branch(self.name, (sink,), self.spot)

    def route(
        self,
        name: str,
        *,
        routing_function: Callable[[Message[T]], object] | str,
        routing_table: Mapping[Any, Branch[T, Ended]],
    ) -> Branch[T, Ended]:
        """Begin with a route; see `Pipeline.route`."""
        return Branch(self.name, (Route(name, routing_function, _table_of(routing_table)),), self.spot)

    def broadcast(self, name: str, *, routes: Iterable[Branch[T, Ended]]) -> Branch[T, Ended]:
        """Begin with a broadcast; see `Pipeline.broadcast`."""
        return Branch(self.name, (Broadcast(name, _branches_of(routes)),), self.spot)

    def _opening(self) -> str:
        return f"branch({quoted(self.name)})"

    def __repr__(self) -> str:
        return _Chain.__repr__(self)


@dataclass(frozen=True, repr=False)
class Route(Step):
    """Sends each message down the branch whose key the function gives."""

    routing_function: Callable[[Message[Any]], object] | str
    routing_table: tuple[tuple[Key, Branch[Any, Any]], ...]


@dataclass(frozen=True, repr=False)
class Broadcast(Step):
    """Sends each message down every branch."""

    routes: tuple[Branch[Any, Any], ...]


def streaming_source(name: str, *, stream_name: str | Sequence[str]) -> Pipeline[bytes]:
    """Begin a pipeline.

    Args:
        name: name of the source, unique in the pipeline.
        stream_name: logical name of the stream; the configuration or `--stream` says what it is. Of a list of names all streams
            are read, and `origin.stream` of a message says where it comes from.

    Returns:
        A pipeline of the payloads.

    Raises:
        ValueError: `stream_name` is an empty list.
    """
    if isinstance(stream_name, str):
        return Pipeline(Source(name, stream_name))
    if not stream_name:
        raise ValueError(f"source {name!r} reads no stream: `stream_name` is empty")
    first, *more = stream_name
    return Pipeline(Source(name, first, tuple(more)))


def branch(name: str) -> BranchStart:
    """Begin a branch.

    Args:
        name: name of the branch, unique in a pipeline.
    """
    return BranchStart(name)


def _steps_of(step: Any) -> tuple[Step, ...]:
    if isinstance(step, Step):
        return (step,)
    if isinstance(step, Branch):
        return step.steps
    raise TypeError(f"apply takes a step (Map, Filter, ...) or a branch, not {step!r}")


def _table_of(table: Mapping[Any, Branch[Any, Any]]) -> tuple[tuple[Key, Branch[Any, Any]], ...]:
    return tuple(zip(table, _branches_of(table.values()), strict=True))


def _branches_of(branches: Iterable[object]) -> tuple[Branch[Any, Any], ...]:
    return tuple(map(_branch_of, branches))


def _branch_of(value: Any) -> Branch[Any, Any]:
    """Take an empty branch too: that it has no sink is for the check to say, beside all else."""
    way: Branch[Any, Any] = value
    if isinstance(value, BranchStart):
        return Branch(value.name, (), value.spot)
    if isinstance(value, Branch):
        return way
    raise TypeError(f"a way on must be a branch, not {value!r}")


def _call(step: Step) -> str:
    if isinstance(step, Route):
        table = "".join(f"{shown(key)}: {way!r},\n" for key, way in step.routing_table)
        body = f"routing_function={shown(step.routing_function)},\nrouting_table={{\n{indent(table, '    ')}}},\n"
        return f".route(\n    {quoted(step.name)},\n{indent(body, '    ')})"
    if isinstance(step, Broadcast):
        ways = "".join(f"{way!r},\n" for way in step.routes)
        body = f"routes=[\n{indent(ways, '    ')}],\n"
        return f".broadcast(\n    {quoted(step.name)},\n{indent(body, '    ')})"
    return f".{'sink' if isinstance(step, StreamSink) else 'apply'}({step!r})"
