"""Payloads to JSON or msgpack and back, as Python steps see them.

JSON here is strict: UTF-8, no `NaN` and no infinities, no values that only look like JSON after a guess. Msgpack is as strict
where it can be: keys are text, and there are no extension types; but it holds `bytes`. One behaviour everywhere, whatever is
installed: dictionaries, lists and scalars are read and written by the extension. `msgspec.Struct` and pydantic models are
read and written by their own libraries, by their rules.
"""

from __future__ import annotations

import dataclasses
import enum
import json
import math
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from oxflow import _oxflow
from oxflow._convert import checking_decoder, native_decoder
from oxflow._oxflow import encode_json
from oxflow._records import kind_of
from oxflow._shapes import plain, spelled
from oxflow.errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["decoder", "encode", "encode_msgpack"]

Format: TypeAlias = Literal["json", "msgpack"]
_TOO_DEEP = "values lie too deep in each other"
_NAMES: dict[Format, str] = {"json": "JSON", "msgpack": "msgpack"}


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
    # Under a name that a type checker doesn't narrow.
    given: Any = value
    try:
        written = encode_json(value)
        if written is not None:
            return written
        kind = None if isinstance(value, (dict, list)) else kind_of(type(value))
        if kind in _WRITERS:
            return _WRITERS[kind](value)
        return _ENCODER.encode(value).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise EncodeError(_told(given, str(error), "json")) from error


def encode_msgpack(value: object) -> bytes:
    """Write a value as msgpack; `bytes` pass through, and inside of a value they are `bin`.

    Args:
        value: what `encode` takes, with `bytes`, and with integers of no more than 64 bits.

    Raises:
        EncodeError: a value in it cannot be msgpack; names the field.
    """
    if type(value) is bytes:
        return value
    try:
        written = _oxflow.encode_msgpack(value)
        if written is None and kind_of(type(value)) == "msgspec":
            written = _write_msgspec_packed(value)
        if written is None:
            written = _oxflow.encode_msgpack(_plainly(value))
    except (ValueError, TypeError, RecursionError, OverflowError) as error:
        raise EncodeError(_told(value, str(error), "msgpack")) from error
    if written is None:
        raise EncodeError(_told(value, _TOO_DEEP, "msgpack"))
    return written


def decoder(annotation: Any, codec: Format = "json") -> Callable[[bytes], Any]:
    """Compile the function that reads bytes of JSON or msgpack into a value of a type and checks it.

    `TypedDict` and dataclass are checked field by field. Fields that the type does not name stay in a `TypedDict` and are
    dropped by a dataclass. A `bool` is no `int`. An integer is welcome where a `float` is expected: a dataclass gets a
    `float`, elsewhere the number stays as it was read.

    Args:
        annotation: the type; `bytes` gives a function that hands its input back.
        codec: what the bytes are. Msgpack may hold `bytes` inside of a value.

    Returns:
        A function that raises `DecodeError` for bytes that are not of the codec or not of the type.

    Raises:
        UnsupportedTypeError: values of the type cannot be read from the codec; names the field.
    """
    annotation = plain(annotation)
    if annotation is bytes:
        return _same
    native = native_decoder(annotation, codec)
    return checking_decoder(annotation, codec) if native is None else _reading(native)


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
    raise TypeError(f"no form for `{spelled(type(value))}`")


def _plainly(value: Any) -> Any:
    """Make a value of what the extension writes as msgpack of one that the package knows."""
    if value is None or type(value) in (bool, int, float, str, bytes):
        return value
    if isinstance(value, enum.Enum):
        return _plainly(value.value)
    bases: tuple[Any, ...] = (int, float, str, bytes)
    for base in bases:
        if isinstance(value, base):
            return base(value)
    items: Any = value
    if isinstance(value, dict):
        return {_plainly(key): _plainly(item) for key, item in items.items()}
    if isinstance(value, (list, tuple)):
        return [_plainly(item) for item in items]
    return _plainly(_plain_value(value))


def _write_msgspec(value: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(value)


def _write_msgspec_packed(value: Any) -> bytes:
    import msgspec

    return msgspec.msgpack.encode(value)


def _write_pydantic(value: Any) -> bytes:
    text: str = value.model_dump_json(by_alias=True)
    return text.encode()


def _told(value: Any, otherwise: str, codec: Format) -> str:
    try:
        return _fault_in(value, "", set(), codec) or otherwise
    except RecursionError:
        return otherwise


def _fault_in(value: Any, path: str, seen: set[int], codec: Format) -> str | None:
    """Find what the codec cannot hold and where it is; only after an attempt failed, so that success costs nothing."""
    if value is None or isinstance(value, (bool, int, float, str)) or (codec == "msgpack" and isinstance(value, bytes)):
        fault = _fault_of(value, codec)
        return fault and _at(path, fault)
    if id(value) in seen:
        return _at(path, f"a value that contains itself cannot be {_NAMES[codec]}")
    seen = seen | {id(value)}
    items: Any = value
    if isinstance(value, dict):
        return _fault_in_dict(items, path, seen, codec)
    if isinstance(value, (list, tuple)):
        faults = (_fault_in(item, f"{path}[{index}]", seen, codec) for index, item in enumerate(items))
        return next(filter(None, faults), None)
    try:
        return _fault_in(_plain_value(value), path, seen, codec)
    except TypeError:
        return _at(path, f"`{spelled(type(value))}` cannot be {_NAMES[codec]}")


def _fault_of(value: object, codec: Format) -> str | None:
    """Say why the codec cannot hold a scalar, if so."""
    match value:
        case float() if codec == "json" and not math.isfinite(value):
            return f"{value} cannot be JSON"
        case int() if codec == "msgpack" and not -(2**63) <= value < 2**64:
            return "an integer of more than 64 bits cannot be msgpack"
        case str() if not _is_unicode(value):
            return "half of a surrogate pair cannot be UTF-8"
        case _:
            return None


def _fault_in_dict(value: dict[Any, Any], path: str, seen: set[int], codec: Format) -> str | None:
    keys = (str, int, float, type(None)) if codec == "json" else (str,)
    for key, item in value.items():
        if not isinstance(key, keys):
            return _at(path, f"a key of type `{spelled(type(key))}` cannot be {_NAMES[codec]}")
        fault = _fault_in(key, path, seen, codec) or _fault_in(item, f"{path}.{key}" if path else str(key), seen, codec)
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
