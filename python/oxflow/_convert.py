"""Describes types to the decoders of the extension, which check parsed JSON or msgpack against them and make records of it.

A description is a table of parts: a tuple for each, which begins with its kind. Parts name each other by their number in
the table, so that a record may contain itself. The kinds are those of `crates/oxflow-python/src/json/shape.rs`.
"""

from __future__ import annotations

import enum
import functools
import sys
import types
import typing
from typing import TYPE_CHECKING, Any, Literal

from oxflow._oxflow import JsonDecoder, MsgPackDecoder
from oxflow._records import Field, fields_of, kind_of
from oxflow._shapes import DICTS, LISTS, UnsupportedTypeError, plain, spelled

if TYPE_CHECKING:
    from collections.abc import Callable


def native_decoder(annotation: Any, codec: str) -> Callable[[bytes], Any] | None:
    """Give the decoder of the library that a type belongs to, if it reads the codec; pydantic knows only JSON."""
    kind = kind_of(annotation)
    if kind == "msgspec":
        decode: Callable[[bytes], Any] = getattr(sys.modules["msgspec"], codec).Decoder(annotation).decode
        return decode
    if codec != "json":
        return None
    validate: Callable[[bytes], Any] | None = (
        getattr(annotation, "model_validate_json", None) if kind == "pydantic" else None
    )
    return validate


def checking_decoder(annotation: Any, codec: str) -> JsonDecoder | MsgPackDecoder:
    """Compile the decoder of a type that no library of its own reads.

    Raises:
        UnsupportedTypeError: values of the type cannot be read from the codec.
    """
    compiler = _Compiler(scalars=(bool, int, str, type(None), *((bytes,) if codec == "msgpack" else ())))
    root = compiler.compile(annotation, exact_floats=False)
    return (MsgPackDecoder if codec == "msgpack" else JsonDecoder)(compiler.parts, root)


class _Compiler:
    """Compiles one type; remembers the records that it has begun, since a record may contain itself."""

    def __init__(self, scalars: tuple[type[Any], ...]) -> None:
        self._scalars = scalars
        self.parts: list[tuple[Any, ...]] = []
        self._records: dict[type[Any], int] = {}

    def compile(self, annotation: Any, *, exact_floats: bool) -> int:
        """Add a type to the table; gives its number."""
        annotation = plain(annotation)
        if annotation is Any or annotation is object:
            return self._add("any")
        if annotation is float:
            return self._add("float" if exact_floats else "number")
        if annotation is None:
            return self._exactly(type(None))
        if annotation in self._scalars:
            return self._exactly(annotation)
        if annotation in (*LISTS, *DICTS, tuple):
            return self._bare(annotation)
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is not None:
            return self._generic(annotation, origin, arguments, exact_floats=exact_floats)
        return self._class(annotation)

    def _add(self, *part: Any) -> int:
        self.parts.append(part)
        return len(self.parts) - 1

    def _exactly(self, kind: type[Any]) -> int:
        return self._add("exactly", spelled(kind), kind)

    def _bare(self, annotation: Any) -> int:
        if annotation in DICTS:
            return self._exactly(dict)
        return self._exactly(list) if annotation in LISTS else self._add("tuple", self._add("any"))

    def _generic(self, annotation: Any, origin: Any, arguments: tuple[Any, ...], *, exact_floats: bool) -> int:
        def inner(argument: object) -> int:
            return self.compile(argument, exact_floats=exact_floats)

        if origin in (typing.Union, types.UnionType):
            return self._union(annotation, arguments, inner)
        if origin is Literal:
            return self._add("one_of", f"`{spelled(annotation)}`", {(type(value), value): value for value in arguments})
        if origin in LISTS:
            return self._add("list", inner(arguments[0]))
        if origin in DICTS:
            if plain(arguments[0]) not in (str, Any):
                raise UnsupportedTypeError(annotation)
            return self._add("dict", inner(arguments[1]))
        if origin is tuple and arguments[1:] == (Ellipsis,):
            return self._add("tuple", inner(arguments[0]))
        if origin is tuple:
            items = [inner(argument) for argument in arguments if argument != ()]
            return self._add("items", spelled(annotation), items)
        raise UnsupportedTypeError(annotation)

    def _union(self, annotation: Any, arguments: tuple[Any, ...], inner: Callable[[object], int]) -> int:
        # `int` before `float`: an integer stays one where both are welcome.
        members = sorted(arguments, key=lambda member: member is float)
        parts = [inner(member) for member in members]
        solid = [part for member, part in zip(members, parts, strict=True) if member is not type(None)]
        return self._add("union", spelled(annotation), parts, solid[0] if len(solid) == 1 else None)

    def _class(self, annotation: Any) -> int:
        if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
            members: dict[tuple[type[Any], Any], Any] = {
                (type(member.value), member.value): member for member in annotation
            }
            return self._add("one_of", f"one of {', '.join(repr(value) for _, value in members)}", members)
        kind = kind_of(annotation)
        if kind is None or not isinstance(annotation, type):
            raise UnsupportedTypeError(annotation)
        if kind == "msgspec":
            return self._add("convert", functools.partial(sys.modules["msgspec"].convert, type=annotation))
        if kind == "pydantic":
            model: Any = annotation
            return self._add("convert", model.model_validate)
        return self._record(annotation, kind)

    def _record(self, record: type[Any], kind: str) -> int:
        if record in self._records:
            return self._records[record]
        # Its number is known before its fields are, since they may contain it.
        number = self._records[record] = self._add()
        dataclass = kind == "dataclass"
        fields = [
            (item.name, item.attribute, item.required, self._field(item, exact_floats=dataclass))
            for item in fields_of(record, kind)
        ]
        self.parts[number] = ("record", spelled(record), fields, record if dataclass else None)
        return number

    def _field(self, item: Field, *, exact_floats: bool) -> int:
        try:
            return self.compile(item.annotation, exact_floats=exact_floats)
        except UnsupportedTypeError as error:
            raise error.below(item.name) from None
