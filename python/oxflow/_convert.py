"""Checks parsed JSON against a type, and makes records of it.

The work is compiled once per type into nested functions, so that a message costs a call per field. A function gives the
value to use; it raises `Mismatch`, whose path grows on the way out.
"""

# ruff: noqa: PERF203  # a `try` in a loop costs nothing where nothing is raised, and it knows the index

from __future__ import annotations

import enum
import math
import sys
import types
import typing
from collections.abc import Callable
from typing import Any, Literal

from oxflow._records import Field, fields_of, kind_of
from oxflow._shapes import DICTS, LISTS, UnsupportedTypeError, plain, spelled

Convert: typing.TypeAlias = Callable[[Any], Any]


class Mismatch(ValueError):  # noqa: N818  # a fact about a value, turned into an error where it is known whose
    """A value is not of its type."""

    def __init__(self, text: str, path: tuple[str, ...] = ()) -> None:
        super().__init__(text, path)
        self.text = text
        self.path = path

    def __str__(self) -> str:
        path = "".join(self.path).removeprefix(".")
        return f"`{path}`: {self.text}" if path else self.text

    def below(self, part: str) -> Mismatch:
        """The same, seen from the value that holds it."""
        return Mismatch(self.text, (part, *self.path))


def native_decoder(annotation: Any) -> Callable[[bytes], Any] | None:
    """Give the decoder of the library that a type belongs to."""
    kind = kind_of(annotation)
    if kind == "msgspec":
        decode: Callable[[bytes], Any] = sys.modules["msgspec"].json.Decoder(annotation).decode
        return decode
    validate: Callable[[bytes], Any] | None = (
        getattr(annotation, "model_validate_json", None) if kind == "pydantic" else None
    )
    return validate


def converter(annotation: Any) -> Convert | None:
    """Compile the check of a type; `None` if every value is welcome.

    Raises:
        UnsupportedTypeError: values of the type cannot be read from JSON.
    """
    return _Compiler().compile(annotation, exact_floats=False)


class _Compiler:
    """Compiles one type; remembers the records that it has begun, since a record may contain itself."""

    def __init__(self) -> None:
        self._begun: dict[type[Any], list[Convert]] = {}

    def compile(self, annotation: Any, *, exact_floats: bool) -> Convert | None:
        annotation = plain(annotation)
        if annotation is Any or annotation is object:
            return None
        if annotation is float:
            return _float if exact_floats else _number
        if annotation is None:
            return _exactly(type(None))
        if annotation in (bool, int, str, type(None)):
            return _exactly(annotation)
        if annotation in (*LISTS, *DICTS, tuple):
            return self._bare(annotation)
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin is not None:
            return self._generic(annotation, origin, arguments, exact_floats=exact_floats)
        return self._class(annotation)

    def _bare(self, annotation: Any) -> Convert:
        if annotation in DICTS:
            return _exactly(dict)
        return _exactly(list) if annotation in LISTS else _tuple_of(None)

    def _generic(self, annotation: Any, origin: Any, arguments: tuple[Any, ...], *, exact_floats: bool) -> Convert:
        def inner(argument: object) -> Convert | None:
            return self.compile(argument, exact_floats=exact_floats)

        if origin in (typing.Union, types.UnionType):
            # `int` before `float`: an integer stays one where both are welcome.
            members = sorted(arguments, key=lambda member: member is float)
            return _union(annotation, members, [inner(member) or _anything for member in members])
        if origin is Literal:
            return _one_of(f"`{spelled(annotation)}`", {(type(value), value): value for value in arguments})
        if origin in LISTS:
            return _list_of(inner(arguments[0]))
        if origin in DICTS:
            if plain(arguments[0]) not in (str, Any):
                raise UnsupportedTypeError(annotation)
            return _dict_of(inner(arguments[1]))
        if origin is tuple and arguments[1:] == (Ellipsis,):
            return _tuple_of(inner(arguments[0]))
        if origin is tuple:
            return _tuple(annotation, [inner(argument) or _anything for argument in arguments if argument != ()])
        raise UnsupportedTypeError(annotation)

    def _class(self, annotation: Any) -> Convert:
        if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
            members: dict[tuple[type[Any], Any], Any] = {
                (type(member.value), member.value): member for member in annotation
            }
            return _one_of(f"one of {', '.join(repr(value) for _, value in members)}", members)
        kind = kind_of(annotation)
        if kind is None or not isinstance(annotation, type):
            raise UnsupportedTypeError(annotation)
        if kind == "msgspec":
            convert = sys.modules["msgspec"].convert
            target: Any = annotation
            return lambda value: convert(value, target)
        if kind == "pydantic":
            return _model_converter(annotation)
        if annotation in self._begun:
            begun = self._begun[annotation]
            # Looked up when a value comes: the record that encloses this place is not compiled yet.
            return lambda value: begun[0](value)  # noqa: PLW0108
        return self._record(annotation, kind)

    def _record(self, record: type[Any], kind: str) -> Convert:
        cell = self._begun[record] = []
        dataclass = kind == "dataclass"
        fields = [(item, self._field(item, exact_floats=dataclass)) for item in fields_of(record, kind)]
        cell.append(_dataclass(record, fields) if dataclass else _typed_dict(record, fields))
        del self._begun[record]
        return cell[0]

    def _field(self, item: Field, *, exact_floats: bool) -> Convert:
        try:
            return self.compile(item.annotation, exact_floats=exact_floats) or _anything
        except UnsupportedTypeError as error:
            raise error.below(item.name) from None


def _model_converter(model: Any) -> Convert:
    validate: Convert = model.model_validate
    return validate


def _anything(value: Any) -> Any:
    return value


def _expected(what: str, value: object) -> Mismatch:
    return Mismatch(f"expected `{what}`, got `{spelled(type(value))}`")


def _exactly(kind: type[Any]) -> Convert:
    def convert(value: Any) -> Any:
        # Not `isinstance`: `bool` would pass as `int`. Parsed JSON holds no subclasses.
        if type(value) is kind:
            return value
        raise _expected(spelled(kind), value)

    return convert


def _number(value: Any) -> Any:
    if type(value) is float or type(value) is int:
        return value
    raise _expected("float", value)


def _float(value: Any) -> float:
    try:
        number = float(_number(value))
    except OverflowError:
        number = math.inf
    if math.isinf(number):
        raise Mismatch("number too large for `float`")
    return number


def _one_of(what: str, values: dict[tuple[type[Any], Any], Any]) -> Convert:
    def convert(value: Any) -> Any:
        try:
            return values[type(value), value]
        except (KeyError, TypeError):
            raise Mismatch(f"expected {what}, got {value!r}") from None

    return convert


def _list_of(item: Convert | None) -> Convert:
    check = _exactly(list)
    if item is None:
        return check

    def convert(value: Any) -> list[Any]:
        # A copy: where this is one member of a union, the next one must see the value as it was.
        converted = list(check(value))
        for index, inner in enumerate(converted):
            try:
                converted[index] = item(inner)
            except Mismatch as error:
                raise error.below(f"[{index}]") from None
        return converted

    return convert


def _dict_of(item: Convert | None) -> Convert:
    check = _exactly(dict)
    if item is None:
        return check

    def convert(value: Any) -> dict[str, Any]:
        converted = dict(check(value))
        for key, inner in value.items():
            try:
                converted[key] = item(inner)
            except Mismatch as error:
                raise error.below(f".{key}") from None
        return converted

    return convert


def _tuple_of(item: Convert | None) -> Convert:
    convert = _list_of(item)
    return lambda value: tuple(convert(value))


def _tuple(annotation: Any, items: list[Convert]) -> Convert:
    check = _exactly(list)

    def convert(value: Any) -> tuple[Any, ...]:
        if len(check(value)) != len(items):
            raise Mismatch(f"expected `{spelled(annotation)}`, got {len(value)} items")
        converted: list[Any] = []
        for index, (item, inner) in enumerate(zip(items, value, strict=True)):
            try:
                converted.append(item(inner))
            except Mismatch as error:
                raise error.below(f"[{index}]") from None
        return tuple(converted)

    return convert


def _union(annotation: Any, members: list[Any], converters: list[Convert]) -> Convert:
    solid = [index for index, member in enumerate(members) if member is not type(None)]

    def convert(value: Any) -> Any:
        failures: list[Exception] = []
        for attempt in converters:
            try:
                return attempt(value)
            except (ValueError, TypeError) as error:
                failures.append(error)
        # Of `T | None` the reason why it is no `T` says more than that it is neither.
        if len(solid) == 1 and value is not None:
            raise failures[solid[0]]
        raise _expected(spelled(annotation), value)

    return convert


def _typed_dict(record: type[Any], items: list[tuple[Field, Convert]]) -> Convert:
    name_of_record = spelled(record)
    fields = [(item.name, item.required, convert) for item, convert in items]

    def convert(value: Any) -> Any:
        if type(value) is not dict:
            raise _expected(name_of_record, value)
        converted: dict[str, Any] = {**value}
        for name, required, convert_field in fields:
            if name in value:
                try:
                    converted[name] = convert_field(value[name])
                except Mismatch as error:
                    raise error.below(f".{name}") from None
            elif required:
                raise Mismatch("field is missing", (f".{name}",))
        return converted

    return convert


def _dataclass(record: type[Any], fields: list[tuple[Field, Convert]]) -> Convert:
    check = _typed_dict(record, fields)
    names = [(item.attribute, item.name) for item, _ in fields]

    def convert(value: Any) -> Any:
        checked = check(value)
        return record(**{attribute: checked[name] for attribute, name in names if name in checked})

    return convert
