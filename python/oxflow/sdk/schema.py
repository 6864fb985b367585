"""Rust types out of schemas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oxflow import _oxflow

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


def types_of(files: Sequence[Path]) -> Types:
    """Make the types of schemas.

    Args:
        files: JSON Schemas. Those that they refer to are read, too.

    Raises:
        SchemaError: one of them can't become types.
    """
    text, messages, notes = _oxflow.schema_types(list(files))
    return Types(text, tuple(messages), tuple(notes))
