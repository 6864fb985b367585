"""Reads Python annotations into the shapes that the plan carries.

The JSON form is that of `oxflow::shape::Type`. What is not known is `"any"`, which agrees with everything; what can be no
payload is an error, since it would fail at the first message.
"""

from __future__ import annotations

import enum
import types
import typing
from collections import abc
from typing import Any, Literal, TypeAlias

from oxflow._records import fields_of, kind_of

Shape: TypeAlias = "str | dict[str, Any]"

SCALARS: dict[object, str] = {
    Any: "any",
    object: "any",
    None: "none",
    type(None): "none",
    bool: "bool",
    int: "int",
    float: "float",
    str: "str",
    bytes: "bytes",
}
# On the class of a Rust payload type: its shape, and for a type without fields the annotation that it stands for.
NATIVE_SHAPE = "__oxflow_shape__"
NATIVE_VALUE = "__oxflow_value__"
LISTS = (list, abc.Sequence, abc.MutableSequence)
DICTS = (dict, abc.Mapping, abc.MutableMapping)


class UnsupportedTypeError(Exception):
    """An annotation that can be no payload.

    Attributes:
        annotation: the annotation.
        path: the fields that lead to it, `tags.env`; empty for the payload itself.
    """

    def __init__(self, annotation: Any, path: str = "") -> None:
        super().__init__(annotation, path)
        self.annotation = annotation
        self.path = path

    def __str__(self) -> str:
        where = f" of field `{self.path}`" if self.path else ""
        return f"`{spelled(self.annotation)}`{where}"

    def below(self, name: str) -> UnsupportedTypeError:
        """The same, seen from the record that holds it in field `name`."""
        return UnsupportedTypeError(self.annotation, f"{name}.{self.path}" if self.path else name)


def shape_of(annotation: Any) -> Shape:
    """Read an annotation.

    Raises:
        UnsupportedTypeError: it can be no payload.
        NameError: it refers to a name that cannot be found.
    """
    return _shape(annotation, ())


def spelled(annotation: Any) -> str:
    """Spell a type as a user would."""
    if annotation is None or annotation is type(None):
        return "None"
    if typing.get_origin(annotation) is None and isinstance(annotation, type):
        return annotation.__qualname__
    return str(annotation).replace("typing.", "")


def plain(annotation: Any) -> Any:
    """Strip what says nothing about the value: `Annotated`, `NewType`, `Final`; a type variable becomes its bound."""
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation = annotation.__origin__
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        elif type(annotation).__name__ == "TypeAliasType":
            annotation = annotation.__value__
        elif isinstance(annotation, typing.TypeVar):
            annotation = annotation.__bound__ or Any
        elif hasattr(annotation, NATIVE_VALUE):
            annotation = getattr(annotation, NATIVE_VALUE)
        else:
            return annotation


def _shape(annotation: Any, enclosing: tuple[type[Any], ...]) -> Shape:
    annotation = plain(annotation)
    if isinstance(annotation, abc.Hashable) and annotation in SCALARS:
        return SCALARS[annotation]
    native = getattr(annotation, NATIVE_SHAPE, None)
    if native is not None:
        return typing.cast("Shape", native)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is not None:
        return _generic(annotation, origin, arguments, enclosing)
    if annotation in LISTS:
        return {"list": "any"}
    if annotation in DICTS:
        return {"dict": ["str", "any"]}
    if annotation is tuple:
        return {"list": "any"}
    return _class(annotation, enclosing)


def _generic(annotation: Any, origin: Any, arguments: tuple[Any, ...], enclosing: tuple[type[Any], ...]) -> Shape:
    def inner(argument: Any) -> Shape:
        return _shape(argument, enclosing)

    if origin in (typing.Union, types.UnionType):
        return {"union": [inner(argument) for argument in arguments]}
    if origin is Literal:
        return {"literal": list(arguments)} if all(type(item) is str for item in arguments) else "any"
    if origin in LISTS:
        return {"list": inner(arguments[0])}
    if origin in DICTS:
        return {"dict": [inner(arguments[0]), inner(arguments[1])]}
    if origin is tuple:
        if arguments[1:] == (Ellipsis,):
            return {"list": inner(arguments[0])}
        return {"tuple": [inner(argument) for argument in arguments if argument != ()]}
    raise UnsupportedTypeError(annotation)


def _class(annotation: Any, enclosing: tuple[type[Any], ...]) -> Shape:
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        values = [member.value for member in annotation]
        return {"literal": values} if all(type(value) is str for value in values) else "any"
    kind = kind_of(annotation)
    if kind is None or not isinstance(annotation, type):
        raise UnsupportedTypeError(annotation)
    if annotation in enclosing:
        return {"enclosing": annotation.__name__}
    return {"record": _record(annotation, kind, (*enclosing, annotation))}


def _record(record: type[Any], kind: str, enclosing: tuple[type[Any], ...]) -> dict[str, Any]:
    fields: list[dict[str, Any]] = []
    for item in fields_of(record, kind):
        try:
            shape = _shape(item.annotation, enclosing)
        except UnsupportedTypeError as error:
            if kind not in ("msgspec", "pydantic"):
                raise error.below(item.name) from None
            # They read and write many types by rules of their own, a `datetime` from a string.
            shape = "any"
        fields.append({"name": item.name, "type": shape, "required": item.required})
    return {"name": record.__name__, "module": record.__module__, "kind": kind, "fields": fields}
