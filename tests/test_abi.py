"""What the runtime does with an extension that it can't use."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from oxflow import ExtensionError, _oxflow

MAGIC = int.from_bytes(b"oxflow\0\0", "little")


class Head(ctypes.Structure):
    """The first fields of a module's table; the rest is never read if these are wrong."""

    _fields_ = (
        ("magic", ctypes.c_uint64),
        ("major", ctypes.c_uint32),
        ("minor", ctypes.c_uint32),
        ("size", ctypes.c_size_t),
    )


def capsule(head: Head, name: bytes = b"oxflow.module.v0") -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    # The capsule keeps the pointers only: what they point to has to outlive it.
    KEPT.append((head, name))
    return new(ctypes.addressof(head), name, None)


KEPT: list[tuple[Head, bytes]] = []


@pytest.mark.parametrize(
    ("head", "code", "why"),
    [
        (Head(MAGIC, 0, 99, 1000), "OXF0601", "the extension was built for ABI 0.99, this runtime speaks 0."),
        (Head(MAGIC, 1, 1, 1000), "OXF0601", "the extension was built for ABI 1.1, this runtime speaks 0."),
        (Head(MAGIC, *_oxflow.abi_version(), 8), "OXF0601", "its table is shorter than that one's: it has 8 bytes of"),
        (Head(1, 0, 1, 1000), "OXF0602", "this is not the table of an oxflow extension"),
    ],
    ids=["newer minor", "newer major", "too small", "no magic"],
)
def test_a_table_of_another_abi_is_refused(head: Head, code: str, why: str) -> None:
    with pytest.raises(ExtensionError) as caught:
        _oxflow.describe_module(capsule(head))
    assert caught.value.code == code
    assert why in str(caught.value)


@pytest.mark.parametrize("given", [None, object(), capsule(Head(MAGIC, 0, 1, 1000), b"another.capsule")])
def test_what_is_no_capsule_of_oxflow_is_refused(given: object) -> None:
    with pytest.raises(ExtensionError) as caught:
        _oxflow.describe_module(given)
    assert caught.value.code == "OXF0602"
