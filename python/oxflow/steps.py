"""The steps that a chain is made of.

A step is a value: its name, what it does, and the line where it was written, which takes no part in comparisons. It does
nothing by itself. Payload types run through the steps, so that a type checker refuses a chain whose ends do not meet;
`oxflow check` finds the same, and what annotations do not tell. Only what no plan could hold, a name that is no text, is
refused when the step is made.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, overload

from oxflow._place import Spot, caller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oxflow._extension import RustFunction
    from oxflow._oxflow import Message

__all__ = ["Batch", "Filter", "FlatMap", "Map", "Parser", "Serializer", "Step", "StreamSink", "Transform"]

Codec: TypeAlias = Literal["json", "msgpack", "protobuf"]
"""What the bytes at an end of a pipeline are."""

LARGEST = 2**63 - 1
"""The largest number that a plan holds."""

In = TypeVar("In")
Out = TypeVar("Out")
In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)


@dataclass(frozen=True, repr=False)
class Step:
    """What all steps share.

    Attributes:
        name: unique in the pipeline; the configuration, reports and errors use it.
    """

    name: str
    spot: Spot | None = field(default_factory=caller, init=False, compare=False)

    def __post_init__(self) -> None:
        check_text("the name of a step", self.name)

    def __repr__(self) -> str:
        arguments = [quoted(self.name)]
        for item in fields(self)[2:]:
            value = getattr(self, item.name)
            if value is not None:
                arguments.append(f"{item.name}={shown(value)}")
        return f"{type(self).__name__}({', '.join(arguments)})"


class Transform(Step, Generic[In_contra, Out_co]):
    """A step that takes payloads of one type and gives payloads of another."""


@dataclass(frozen=True, repr=False, init=False)
class Map(Transform[In_contra, Out_co]):
    """Gives one payload for each message.

    Args:
        name: name of the step.
        function: takes a `Message` and returns the new payload, or a `Message` to change key and headers too; a callable or
            `"package.module:name"`. A Rust function that returns an `Option` drops the message with `None`.
    """

    function: Callable[[Message[Any]], object] | str

    @overload
    def __init__(self: Map[Any, Any], name: str, function: str) -> None: ...
    @overload
    def __init__(self: Map[In, Out], name: str, function: RustFunction[In, Out | None]) -> None: ...
    @overload
    def __init__(self: Map[In, Out], name: str, function: Callable[[Message[In]], Message[Out]]) -> None: ...
    @overload
    def __init__(self: Map[In, Out], name: str, function: Callable[[Message[In]], Out]) -> None: ...
    def __init__(self, name: str, function: Callable[[Message[Any]], object] | str) -> None:
        Step.__init__(self, name)
        object.__setattr__(self, "function", function)


@dataclass(frozen=True, repr=False, init=False)
class FlatMap(Transform[In_contra, Out_co]):
    """Gives any number of payloads for each message.

    Args:
        name: name of the step.
        function: takes a `Message` and returns an iterable of payloads or messages; a callable or `"package.module:name"`.
    """

    function: Callable[[Message[Any]], Iterable[object]] | str

    @overload
    def __init__(self: FlatMap[Any, Any], name: str, function: str) -> None: ...
    @overload
    def __init__(
        self: FlatMap[In, Out], name: str, function: Callable[[Message[In]], Iterable[Message[Out]]]
    ) -> None: ...
    @overload
    def __init__(self: FlatMap[In, Out], name: str, function: Callable[[Message[In]], Iterable[Out]]) -> None: ...
    def __init__(self, name: str, function: Callable[[Message[Any]], Iterable[object]] | str) -> None:
        Step.__init__(self, name)
        object.__setattr__(self, "function", function)


@dataclass(frozen=True, repr=False, init=False)
class Filter(Step, Generic[In_contra]):
    """Keeps the messages for which the function says true.

    Args:
        name: name of the step.
        function: takes a `Message` and returns a `bool`; a callable or `"package.module:name"`.
    """

    function: Callable[[Message[Any]], bool] | str

    @overload
    def __init__(self: Filter[Any], name: str, function: str) -> None: ...
    @overload
    def __init__(self: Filter[In], name: str, function: Callable[[Message[In]], bool]) -> None: ...
    def __init__(self, name: str, function: Callable[[Message[Any]], bool] | str) -> None:
        Step.__init__(self, name)
        object.__setattr__(self, "function", function)


@dataclass(frozen=True, repr=False)
class Batch(Step):
    """Gathers messages into lists; a list closes at the first limit that is reached.

    At least one of `batch_size` and `batch_timedelta` must be set: a batch with neither might never close.

    Args:
        name: name of the step.
        batch_size: number of messages.
        batch_bytes: sum of the payloads' sizes in bytes.
        batch_timedelta: time since the first message of the batch.
    """

    batch_size: int | None = None
    batch_bytes: int | None = None
    batch_timedelta: timedelta | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_number("batch_size", self.batch_size)
        _check_number("batch_bytes", self.batch_bytes)
        _check_time(self.batch_timedelta)


@dataclass(frozen=True, repr=False, init=False)
class Parser(Transform[bytes, Out_co]):
    """Reads bytes into a value of a type, and checks them against it.

    Args:
        name: name of the step.
        msg_type: a `TypedDict`, dataclass, `msgspec.Struct` or pydantic model, a payload class of a Rust extension,
            `dict[str, Any]` or another type of JSON values; `bytes` leaves them as they are.
        codec: what the bytes are: `"json"`, `"msgpack"`, or `"protobuf"` for a Rust type that is a message of protobuf.
    """

    msg_type: object
    codec: Codec

    @overload
    def __init__(self: Parser[Out], name: str, msg_type: type[Out], *, codec: Codec = "json") -> None: ...
    # What is a type to JSON but no class to a checker: `Any`, a union, `Literal["a"]`.
    @overload
    def __init__(self: Parser[Any], name: str, msg_type: object, *, codec: Codec = "json") -> None: ...
    def __init__(self, name: str, msg_type: object, *, codec: Codec = "json") -> None:
        Step.__init__(self, name)
        object.__setattr__(self, "msg_type", msg_type)
        object.__setattr__(self, "codec", codec)

    def __repr__(self) -> str:
        return f"Parser({quoted(self.name)}, {shown(self.msg_type)}{_codec(self.codec)})"


@dataclass(frozen=True, repr=False)
class Serializer(Transform[object, bytes]):
    """Writes a value as bytes.

    Args:
        name: name of the step.
        codec: what the bytes are: `"json"`, `"msgpack"`, or `"protobuf"` for what a Rust step gives whose type is a message of
            protobuf.
    """

    codec: Codec = field(default="json", kw_only=True)

    def __repr__(self) -> str:
        return f"Serializer({quoted(self.name)}{_codec(self.codec)})"


@dataclass(frozen=True, repr=False)
class StreamSink(Step):
    """Ends a chain: writes bytes to a stream.

    Args:
        name: name of the step.
        stream_name: logical name of the stream; the configuration or `--stream` says what it is.
    """

    stream_name: str

    def __post_init__(self) -> None:
        super().__post_init__()
        check_text("the name of a stream", self.stream_name)


def check_text(what: str, text: object) -> None:
    """Refuse what is no text; how a name is to look is for the check to say, beside all else.

    Raises:
        TypeError: it is no `str`.
        ValueError: it cannot be written as UTF-8.
    """
    if not isinstance(text, str):
        raise TypeError(f"{what} is a `str`, not {text!r}")
    if not is_unicode(text):
        raise ValueError(f"{what} holds half of a surrogate pair: {text!a}")


def _codec(codec: Codec) -> str:
    """Show the argument, if it is needed."""
    return "" if codec == "json" else f", codec={shown(codec)}"


def _check_time(time: object) -> None:
    if not (time is None or isinstance(time, timedelta)):
        raise TypeError(f"`batch_timedelta` is a `timedelta`, not {time!r}: write `timedelta(seconds=...)`")


def milliseconds(time: timedelta) -> int:
    """Give a time in milliseconds, rounded up, so that a limit below one does not become none."""
    # In whole numbers: 2.007 s * 1000 is more than 2007.
    return -(time // timedelta(milliseconds=-1))


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def _check_number(what: str, number: object) -> None:
    if number is None:
        return
    if not isinstance(number, int) or isinstance(number, bool):
        raise TypeError(f"`{what}` is a whole number, not {number!r}")
    if number > LARGEST:
        raise ValueError(f"`{what}` is at most {LARGEST}, not {number}")


def quoted(text: str) -> str:
    """Show `text` as the user would write it, in double quotes."""
    return json.dumps(text, ensure_ascii=False)


def shown(value: object) -> str:
    """Show an argument as the user would write it."""
    if isinstance(value, str):
        return quoted(value)
    # `list[int]` has the `__qualname__` of `list`; its own text says more.
    if hasattr(value, "__origin__"):
        return repr(value)
    name = getattr(value, "__qualname__", None)
    return name if isinstance(name, str) else repr(value)
