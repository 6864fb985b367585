"""Tables of extension modules, made by hand: of any version, and of any length."""

from __future__ import annotations

import ctypes
import types
from typing import Any

from oxflow import _oxflow
from oxflow._extension import CAPSULE, populate

MAGIC = int.from_bytes(b"oxflow\0\0", "little")
MAJOR, MINOR = _oxflow.abi_version()
OLDEST_MINOR = 4

# Whoever reads a byte more than a table has, or calls an entry, is found out.
_POISON = 0xFF
_ENTRY = ctypes.CFUNCTYPE(ctypes.c_uint64)
# The tables keep pointers only: what they point to has to outlive them.
_KEPT: list[Any] = []


class Bytes(ctypes.Structure):
    """Borrowed bytes."""

    _fields_ = (("data", ctypes.c_char_p), ("len", ctypes.c_size_t))


class Head(ctypes.Structure):
    """The first fields of a module's table; the rest is never read if these are wrong."""

    _fields_ = (
        ("magic", ctypes.c_uint64),
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("size", ctypes.c_size_t),
    )


class TypeTable(ctypes.Structure):
    """A type, as minor 4 describes it."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("library", ctypes.c_void_p),
        ("key", ctypes.c_uint64),
        ("hash", ctypes.c_uint64),
        ("codec", ctypes.c_uint32),
        ("public", ctypes.c_uint32),
        ("name", Bytes),
        ("doc", Bytes),
        ("shape", Bytes),
        ("entries", ctypes.c_void_p * 5),
        ("objects", ctypes.c_void_p),
        ("codecs", ctypes.c_uint32),
        ("absent", ctypes.c_uint32),
    )


class FunctionTable(ctypes.Structure):
    """A function, as minor 4 describes it."""

    _fields_ = (
        ("size", ctypes.c_size_t),
        ("form", ctypes.c_uint32),
        ("kind", ctypes.c_uint32),
        ("name", Bytes),
        ("doc", Bytes),
        ("input", ctypes.c_void_p),
        ("output", ctypes.c_void_p),
        ("apply", ctypes.c_void_p),
        ("select", ctypes.c_void_p),
        ("parameters", Bytes),
        ("create", ctypes.c_void_p),
        ("destroy", ctypes.c_void_p),
        ("stateful", ctypes.c_uint32),
        ("wishes", ctypes.c_uint32),
    )


class ModuleTable(ctypes.Structure):
    """A module, as minor 4 describes it."""

    _fields_ = (
        ("magic", ctypes.c_uint64),
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("size", ctypes.c_size_t),
        ("debug", ctypes.c_uint32),
        ("types_len", ctypes.c_uint32),
        ("functions_len", ctypes.c_uint32),
        ("sdk", Bytes),
        ("types", ctypes.c_void_p),
        ("functions", ctypes.c_void_p),
        ("attach", ctypes.c_void_p),
        ("needs", ctypes.c_uint32),
        ("unused", ctypes.c_uint32),
    )


OLDEST_SIZE = ctypes.sizeof(ModuleTable)


def capsule(table: Any, name: bytes = b"oxflow.module.v0") -> Any:
    """Put a table, or the address of one, into a capsule."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    _KEPT.append((table, name))
    return new(table if isinstance(table, int) else ctypes.addressof(table), name, None)


def module(
    *names: str,
    version: tuple[int, int] = (MAJOR, MINOR),
    needs: int = 0,
    size: int = ctypes.sizeof(ModuleTable),
    more: int = 0,
) -> Any:
    """Make the capsule of a module whose functions have these names, and take and give a `str`.

    Args:
        names: of the functions.
        version: of the ABI.
        needs: the oldest minor version that may call it.
        size: of the module's table.
        more: bytes that are appended to the tables of types and functions.
    """
    word = TypeTable(0, 1, 1, 0, 1, 0, _text("Word"), _text(""), _text('"str"'), (_entry(),) * 5, None, 1 << 1, 0)
    payload = _resized(word, ctypes.sizeof(TypeTable) + more)
    functions = [_resized(_function(name, payload), ctypes.sizeof(FunctionTable) + more) for name in names]
    table = ModuleTable(
        MAGIC, *version, 0, 0, 1, len(functions), _text("0.1.0"), _array([payload]), _array(functions), _entry(), needs
    )
    return capsule(_resized(table, size))


def imported(made: Any, name: str = "words") -> Any:
    """Give the module `name` with these tables, as an import makes it."""
    words = types.ModuleType(name)
    vars(words)[CAPSULE] = made
    populate(words)
    return words


def _function(name: str, payload: int) -> FunctionTable:
    nothing = Bytes(None, 0)
    return FunctionTable(0, 2, 1, _text(name), _text(""), payload, payload, _entry(), None, nothing, None, None, 0, 0)


def _entry() -> int:
    entry = _ENTRY(lambda: 0)
    _KEPT.append(entry)
    address: int = ctypes.cast(entry, ctypes.c_void_p).value or 0
    return address


def _text(text: str) -> Bytes:
    data = text.encode()
    return Bytes(data, len(data))


def _array(addresses: list[int]) -> int:
    array = (ctypes.c_void_p * len(addresses))(*addresses)
    _KEPT.append(array)
    return ctypes.addressof(array)


def _resized(table: Any, size: int) -> int:
    """Copy as much of a table as has room, and say so in it; the rest is poison."""
    table.size = size
    room = ctypes.create_string_buffer(bytes([_POISON]) * max(size, ctypes.sizeof(table)))
    ctypes.memmove(room, ctypes.addressof(table), min(size, ctypes.sizeof(table)))
    _KEPT.append((table, room))
    return ctypes.addressof(room)
