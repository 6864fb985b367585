"""Rust types out of schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oxflow import _oxflow
from oxflow.errors import Diagnostic, SchemaError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Types:
    """The types of schemas.

    Attributes:
        text: a source file of Rust.
        messages: the type of the messages of each schema, with its module if there are several.
        notes: what the types don't say, and where in the schemas that stands.
    """

    text: str
    messages: tuple[str, ...]
    notes: tuple[str, ...]


def types_of(files: Sequence[Path], includes: Sequence[Path] = ()) -> Types:
    """Make the types of schemas.

    Args:
        files: JSON Schemas, or `.proto` files. Those that they refer to are read, too.
        includes: where the imports of `.proto` files are looked for; beside them if there are none.

    Raises:
        SchemaError: one of them can't become types.
    """
    protobuf = [file for file in files if file.suffix == ".proto"]
    if protobuf and len(protobuf) < len(files):
        message = "JSON Schemas and protobuf cannot become one source"
        raise SchemaError(Diagnostic("OXF0704", message, fix="call the command for each of them, with an output each"))
    if protobuf:
        text, messages = _oxflow.protobuf_types(files, includes)
        return Types(text, tuple(messages), ())
    text, messages, notes = _oxflow.schema_types(list(files))
    return Types(text, tuple(messages), tuple(notes))
