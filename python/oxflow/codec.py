"""Payloads to JSON and back, as Python steps see them.

JSON here is strict: UTF-8, no `NaN` and no infinities, no values that only look like JSON after a guess. One behaviour
everywhere, whatever is installed: dictionaries, lists and scalars are read and written by the extension. `msgspec.Struct`
and pydantic models are read and written by their own libraries, by their rules.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from typing import TYPE_CHECKING, Any

from oxflow._convert import checking_decoder, native_decoder
from oxflow._oxflow import encode_json
from oxflow._records import kind_of
from oxflow._shapes import plain, spelled
from oxflow.errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["decoder", "encode"]


def encode(value: object) -> bytes:
    """Write a value as compact JSON; `bytes` pass through.

    Args:
        value: `None`, `bool`, `int`, `float`, `str`, a list, tuple or dict of such, an enum member with such a value, or a
            dataclass, `msgspec.Struct` or pydantic model.

    Raises:
        EncodeError: a value in it cannot be JSON; names the field.
    """
    if type(value) is bytes:
        return value
    try:
        written = encode_json(value)
        if written is not None:
            return written
        kind = None if isinstance(value, (dict, list)) else kind_of(type(value))
        if kind in _WRITERS:
            return _WRITERS[kind](value)
        return _ENCODER.encode(value).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise EncodeError(_fault_in(value, "", set()) or str(error)) from error


def decoder(annotation: Any) -> Callable[[bytes], Any]:
    """Compile the function that reads JSON bytes into a value of a type and checks it.

    `TypedDict` and dataclass are checked field by field. Fields that the type does not name stay in a `TypedDict` and are
    dropped by a dataclass. A `bool` is no `int`. An integer is welcome where a `float` is expected: a dataclass gets a
    `float`, elsewhere the number stays as it was read.

    Args:
        annotation: the type; `bytes` gives a function that hands its input back.

    Returns:
        A function that raises `DecodeError` for bytes that are not JSON or not of the type.

    Raises:
        UnsupportedTypeError: values of the type cannot be read from JSON; names the field.
    """
    annotation = plain(annotation)
    if annotation is bytes:
        return _same
    native = native_decoder(annotation)
    return checking_decoder(annotation) if native is None else _reading(native)


def _same(data: bytes) -> bytes:
    return data


def _reading(read: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
    def decode(data: bytes) -> Any:
        try:
            return read(data)
        except (ValueError, TypeError) as error:
            # Its text says it all; a chain would show it once more.
            raise DecodeError(str(error)) from None

    return decode


def _plain_value(value: Any) -> Any:
    """Give the JSON encoder a value that it knows for one that it does not."""
    if isinstance(value, enum.Enum):
        return value.value
    kind = kind_of(type(value))
    if kind == "dataclass":
        return {item.name: getattr(value, item.name) for item in dataclasses.fields(value)}
    if kind == "msgspec":
        import msgspec

        return msgspec.to_builtins(value)
    if kind == "pydantic":
        return value.model_dump(mode="json", by_alias=True)
    raise TypeError(f"no JSON for `{spelled(type(value))}`")


def _write_msgspec(value: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(value)


def _write_pydantic(value: Any) -> bytes:
    text: str = value.model_dump_json(by_alias=True)
    return text.encode()


def _fault_in(value: Any, path: str, seen: set[int]) -> str | None:
    """Find what cannot be JSON and where it is; only after an attempt failed, so that success costs nothing."""
    if value is None or isinstance(value, (bool, int)):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else _at(path, f"{value} cannot be JSON")
    if isinstance(value, str):
        return None if _is_unicode(value) else _at(path, "half of a surrogate pair cannot be UTF-8")
    if id(value) in seen:
        return _at(path, "a value that contains itself cannot be JSON")
    seen = seen | {id(value)}
    items: Any = value
    if isinstance(value, dict):
        return _fault_in_dict(items, path, seen)
    if isinstance(value, (list, tuple)):
        faults = (_fault_in(item, f"{path}[{index}]", seen) for index, item in enumerate(items))
        return next(filter(None, faults), None)
    try:
        return _fault_in(_plain_value(value), path, seen)
    except TypeError:
        return _at(path, f"`{spelled(type(value))}` cannot be JSON")


def _fault_in_dict(value: dict[Any, Any], path: str, seen: set[int]) -> str | None:
    for key, item in value.items():
        if not isinstance(key, (str, int, float)) and key is not None:
            return _at(path, f"a key of type `{spelled(type(key))}` cannot be JSON")
        fault = _fault_in(key, path, seen) or _fault_in(item, f"{path}.{key}" if path else str(key), seen)
        if fault:
            return fault
    return None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _at(path: str, text: str) -> str:
    return f"`{path}`: {text}" if path else text


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain_value)
_WRITERS: dict[str | None, Callable[[Any], bytes]] = {"msgspec": _write_msgspec, "pydantic": _write_pydantic}
