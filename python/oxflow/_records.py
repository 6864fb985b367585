"""Reads the fields of the record types that people use for payloads.

`TypedDict` and dataclass are the standard library's. `msgspec.Struct` and pydantic models are recognised only where their
module is loaded already, which it is if a type of theirs exists: oxflow imports neither.
"""

from __future__ import annotations

import dataclasses
import enum
import sys
import typing
from typing import Any, NamedTuple

if typing.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUALIFIERS = {"Required", "NotRequired", "ReadOnly"}


class Field(NamedTuple):
    """One field: its name in Python and in JSON, its annotation, and whether it must be there."""

    attribute: str
    name: str
    annotation: Any
    required: bool


def kind_of(annotation: Any) -> str | None:
    """Say what kind of record a type is, in the words of the plan; `None` if it is none."""
    if not isinstance(annotation, type):
        return None
    if is_typed_dict(annotation):
        return "typed_dict"
    if _is_subclass_of(annotation, "msgspec", "Struct"):
        return "msgspec"
    # Before the dataclasses: pydantic's own dataclasses are models to nobody, but a model may inherit from a dataclass.
    if _is_subclass_of(annotation, "pydantic", "BaseModel"):
        return "pydantic"
    return "dataclass" if dataclasses.is_dataclass(annotation) else None


def layout_of(record: type[Any]) -> bool | tuple[bool, list[tuple[str, str]]] | None:
    """Say how Rust reads the objects of a class without JSON of them.

    Returns:
        `True` for an enum, whose members stand for their values; for a record whether it is a `msgspec.Struct`, and attribute and
        name of each field; `None` for a class whose objects are read by way of JSON.
    """
    if issubclass(record, enum.Enum):
        return True
    kind = kind_of(record)
    if kind == "dataclass":
        return False, [(item.name, item.name) for item in dataclasses.fields(record)]
    if kind != "msgspec":
        return None
    config = record.__struct_config__
    if config.array_like or config.tag is not None or config.omit_defaults:
        return None
    return True, list(zip(record.__struct_fields__, record.__struct_encode_fields__, strict=True))


def is_typed_dict(annotation: Any) -> bool:
    """Recognise those of `typing_extensions` too, which `typing.is_typeddict` does not."""
    return isinstance(annotation, type) and type(annotation).__name__ == "_TypedDictMeta"


def fields_of(record: type[Any], kind: str) -> Iterator[Field]:
    """Give the fields of a record in the order of their definition.

    Raises:
        NameError: an annotation names what its module does not hold.
    """
    if kind == "pydantic":
        return _pydantic_fields(record)
    hints = typing.get_type_hints(record, include_extras=True)
    if kind == "typed_dict":
        return _typed_dict_fields(record, hints)
    return _msgspec_fields(record, hints) if kind == "msgspec" else _dataclass_fields(record, hints)


def _typed_dict_fields(record: Any, hints: Mapping[str, Any]) -> Iterator[Field]:
    for name, hint in hints.items():
        # Under `from __future__ import annotations` the class itself has not seen the qualifiers: the hints have.
        required = name in record.__required_keys__
        annotation = hint
        while (qualifier := _qualifier(annotation)) is not None:
            required = {"Required": True, "NotRequired": False}.get(qualifier, required)
            (annotation,) = typing.get_args(annotation)
        yield Field(name, name, annotation, required)


def _qualifier(annotation: Any) -> str | None:
    name = getattr(typing.get_origin(annotation), "_name", None)
    return name if name in QUALIFIERS else None


def _dataclass_fields(record: Any, hints: Mapping[str, Any]) -> Iterator[Field]:
    for item in dataclasses.fields(record):
        if item.init:
            missing = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
            yield Field(item.name, item.name, hints[item.name], missing)


def _msgspec_fields(record: Any, hints: Mapping[str, Any]) -> Iterator[Field]:
    names = zip(record.__struct_fields__, record.__struct_encode_fields__, strict=True)
    optional = len(record.__struct_fields__) - len(record.__struct_defaults__)
    nothing = sys.modules["msgspec"].NODEFAULT
    for index, (attribute, name) in enumerate(names):
        required = index < optional or record.__struct_defaults__[index - optional] is nothing
        yield Field(attribute, name, hints[attribute], required)


def _pydantic_fields(record: Any) -> Iterator[Field]:
    for attribute, item in record.model_fields.items():
        alias = item.validation_alias
        name = alias if isinstance(alias, str) else item.alias or attribute
        yield Field(attribute, name, item.annotation, item.is_required())


def _is_subclass_of(annotation: type[Any], module: str, name: str) -> bool:
    base = getattr(sys.modules.get(module), name, None)
    return isinstance(base, type) and issubclass(annotation, base)
