"""Lays type expressions out over lines as `ruff format` does, so that a formatter leaves a stub alone.

An expression stays on its line while it fits. If it doesn't, brackets are opened: what is in them moves to a line of its own,
and to a line for each part if that is still too long. A union is broken before each `|`, and where no bracket is around it
already, it gets parentheses.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 120
INDENT = 4


@dataclass(frozen=True)
class Word:
    """What can't be broken: a name, a string."""

    text: str


@dataclass(frozen=True)
class Union:
    """`A | B`."""

    members: tuple[Expression, ...]


@dataclass(frozen=True)
class Group:
    """Parts in brackets after a name: `dict[str, int]`, `TypedDict("A", {})`."""

    head: str
    brackets: str
    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Entry:
    """`"key": value`, in braces, or `name: Type` in a signature, with what stands behind it."""

    key: str
    value: Expression
    end: str = ""


Expression: TypeAlias = "Word | Union | Group | Entry"


def flat(expression: Expression) -> str:
    """The expression on one line."""
    match expression:
        case Word(text):
            return text
        case Union(members):
            return " | ".join(map(flat, members))
        case Entry(key, value, end):
            return f"{key}: {flat(value)}{end}"
        case Group(head, brackets, parts):
            return f"{head}{brackets[0]}{', '.join(map(flat, parts))}{brackets[1]}"


def statement(before: str, expression: Expression, indent: int = 0) -> str:
    """A line that ends in an expression, or the lines that it takes."""
    margin = " " * indent
    inner = indent + INDENT
    if isinstance(expression, Union) and not _fits(indent + _width(before), flat(expression)):
        text = f"(\n{' ' * inner}{laid_out(expression, inner, inner)}\n{margin})"
    else:
        text = laid_out(expression, indent, indent + _width(before))
    return f"{margin}{before}{text}"


def class_head(title: str, base: Expression, end: str = "") -> str:
    """`class Title(Base):`, and what stands behind it."""
    head = f"class {title}({flat(base)}):{end}"
    if _fits(0, head):
        return head
    return f"class {title}(\n{' ' * INDENT}{laid_out(base, INDENT, INDENT)}\n):{end}"


def method(name: str, parameters: tuple[Expression, ...]) -> str:
    """`def name(self, ..) -> None: ...`, inside of a class."""
    end = " -> None: ..."
    signature = Group(f"def {name}", "()", (Word("self"), *parameters))
    return f"{' ' * INDENT}{laid_out(signature, INDENT, INDENT, len(end))}{end}"


def laid_out(expression: Expression, indent: int, column: int, after: int = 0) -> str:
    """The expression inside of brackets.

    Args:
        expression: what to lay out.
        indent: of the line that it begins on.
        column: where on this line it begins.
        after: how many characters must find room behind it.
    """
    text = flat(expression)
    if _fits(column, text, after):
        return text
    match expression:
        case Word():
            return text
        case Union(members):
            return f"\n{' ' * indent}| ".join(_members(members, indent, column, after))
        case Entry(key, value, end):
            return f"{key}: {laid_out(value, indent, column + _width(key) + 2, after + len(end))}{end}"
        case Group(head, brackets, parts):
            return f"{head}{brackets[0]}\n{_inside(brackets, parts, indent + INDENT)}\n{' ' * indent}{brackets[1]}"


def names_in(expression: Expression) -> Iterator[str]:
    """The names that an expression refers to, without what follows a dot."""
    match expression:
        case Word(text):
            yield text.partition(".")[0]
        case Union(parts):
            for part in parts:
                yield from names_in(part)
        case Entry(_, value, _):
            yield from names_in(value)
        case Group(head, _, parts):
            yield head.partition(".")[0]
            for part in parts:
                yield from names_in(part)


def _members(members: tuple[Expression, ...], indent: int, column: int, after: int) -> Iterator[str]:
    for number, member in enumerate(members):
        start = indent + 2 if number else column
        yield laid_out(member, indent, start, after if number == len(members) - 1 else 0)


def _inside(brackets: str, parts: tuple[Expression, ...], indent: int) -> str:
    margin = " " * indent
    joined = ", ".join(map(flat, parts))
    # A dict is never on a single line between its braces.
    if brackets != "{}" and _fits(indent, joined):
        return f"{margin}{joined}"
    comma = "," if brackets != "[]" or len(parts) > 1 else ""
    return "\n".join(f"{margin}{laid_out(part, indent, indent, len(comma))}{comma}" for part in parts)


def _fits(column: int, text: str, after: int = 0) -> bool:
    return column + _width(text) + after <= WIDTH


def _width(text: str) -> int:
    """In columns of a terminal, of which Chinese takes two a letter."""
    return len(text) if text.isascii() else sum(1 + (unicodedata.east_asian_width(letter) in "WF") for letter in text)
