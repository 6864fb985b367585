"""Columns of numbers as the bytes that the extension takes, from anything that shows a buffer or exports Arrow, and without NumPy."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, TypeVar, cast

from oxflow import _oxflow
from oxflow.errors import Diagnostic, SchedulerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["column_bytes", "listed", "table_of", "take_columns", "take_table"]

_Column = TypeVar("_Column")
_TEXTS: type[list[Any]] = list
_DOUBLE = {"d", "@d", "=d"}


def take_columns(resources: Sequence[str], names: Sequence[str], columns: Mapping[str, Any]) -> list[bytes]:
    """The bytes of each resource's column, in the order of the resources.

    Raises:
        SchedulerError: a column is not there, is of no resource, is no column of numbers or has another length than `names`.
    """
    if unknown := [name for name in columns if name not in resources]:
        raise _error(f"`{unknown[0]}` is no resource of this matcher: {', '.join(resources)}")
    if missing := [name for name in resources if name not in columns]:
        raise _error(f"there is no column `{missing[0]}`")
    taken = [column_bytes(name, columns[name]) for name in resources]
    for name, column in zip(resources, taken, strict=True):
        if len(column) != 8 * len(names):
            raise _error(f"the column `{name}` has {len(column) // 8} numbers for {len(names)} names")
    return taken


def column_bytes(name: str, column: Any) -> bytes:
    """The numbers of a column as 64-bit floats in the machine's order."""
    if (exported := _exported(name, column)) is not None:
        if not isinstance(exported, bytes):
            raise _error(f"the column `{name}` is no column of numbers")
        return exported
    try:
        view = memoryview(column)
    except TypeError:
        return _numbers(name, column)
    if view.ndim != 1:
        raise _error(f"the column `{name}` has {view.ndim} dimensions")
    if view.format in _DOUBLE:
        return view.tobytes()
    try:
        return _numbers(name, view.tolist())
    except NotImplementedError:
        raise _error(f"the column `{name}` is of a kind that is no number, `{view.format}`") from None


def listed(name: str, column: Any) -> list[Any]:
    """The values of a column of names, texts or whatever tasks and offers may have."""
    exported = _exported(name, column)
    if exported is None:
        return list(column)
    if isinstance(exported, bytes):
        return array("d", exported).tolist()
    if isinstance(exported, dict):
        raise _error(f"the column `{name}` is a table")
    return exported


def table_of(table: Any) -> dict[str, Any] | None:
    """The columns of a table of Arrow by their names: bytes of numbers, lists of texts, dictionaries of such; or none.

    Raises:
        SchedulerError: it is a column and no table, or can't be read.
    """
    exported = _exported("of the table", table)
    if exported is None:
        return None
    if not isinstance(exported, dict):
        raise _error("a table of Arrow has columns with names, and this is one column")
    return exported


def take_table(
    table: Mapping[str, Any], resources: Sequence[str], fields: Mapping[str, str], optional: Iterable[str]
) -> tuple[list[str], list[bytes], dict[str, Any]]:
    """The names, the numbers of each resource, and of the optional columns those that are there, out of a table.

    Raises:
        SchedulerError: a column is not there, or is of another kind.
    """
    names = _of_kind(table, fields.get("name", "name"), _TEXTS, "texts")
    if None in names:
        raise _error(f"the column `{fields.get('name', 'name')}` has no name at {names.index(None)}")
    numbers = [_of_kind(table, fields.get(resource, resource), bytes, "numbers") for resource in resources]
    present = {name: _readable(table, where) for name in optional if (where := fields.get(name, name)) in table}
    return names, numbers, {name: _plain(column) for name, column in present.items()}


def _of_kind(table: Mapping[str, Any], name: str, kind: type[_Column], what: str) -> _Column:
    if name not in table:
        raise _error(f"there is no column `{name}`")
    column = _readable(table, name)
    if not isinstance(column, kind):
        raise _error(f"the column `{name}` is no column of {what}")
    return column


def _readable(table: Mapping[str, Any], name: str) -> Any:
    column = table[name]
    if isinstance(column, ValueError):
        raise _error(f"the column `{name}` {column}") from column
    return column


def _plain(column: Any) -> Any:
    if isinstance(column, dict):
        columns = cast("dict[str, Any]", column)
        return {name: _plain(_readable(columns, name)) for name in columns}
    return array("d", column).tolist() if isinstance(column, bytes) else column


def _exported(name: str, column: Any) -> bytes | list[str | None] | dict[str, Any] | None:
    try:
        return _oxflow.arrow_column(column)
    except ValueError as error:
        raise _error(f"the column `{name}` {error}") from error


def _numbers(name: str, column: Any) -> bytes:
    try:
        return array("d", column).tobytes()
    except (TypeError, ValueError, OverflowError) as error:
        raise _error(f"the column `{name}` is no column of numbers: {error}") from error


def _error(text: str) -> SchedulerError:
    return SchedulerError(
        Diagnostic("OXF1002", text, fix="give a column of numbers for each resource, as long as `names`")
    )
