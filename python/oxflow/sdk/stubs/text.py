"""Writes a stub: what an extension module shows, as type checkers read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oxflow._payloads import Function, Public, Record, is_name, parts_of, record_of
from oxflow.sdk.stubs.layout import Entry, Expression, Group, Union, Word, class_head, flat, method, names_in, statement
from oxflow.sdk.stubs.literals import docstring, quoted
from oxflow.sdk.stubs.names import Names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oxflow._payloads import Contents, Type

_BUILTINS = ("bool", "int", "float", "str", "bytes")


def stub_text(module: str, contents: Contents, *, has_pipeline: bool = False) -> str:
    """Write the stub of a module.

    Args:
        module: the name that users import it by.
        contents: what it shows.
        has_pipeline: whether it has a pipeline of its own, `run_streams`.
    """
    writer = _Writer(contents)
    items = list(writer.items())
    if has_pipeline:
        items.append(statement("run_streams: ", Word(writer.names.of("oxflow", "RustPipeline"))))
    header = f"What the Rust module `{module}` shows to Python.\n\nMade by `oxflow stubs {module}`; not edited by hand."
    # Written first, so that the imports are known.
    lines = [docstring(header), "", *writer.names.imports(), *items]
    return "\n".join(_spaced(lines)).rstrip("\n") + "\n"


def remarks(contents: Contents) -> Iterator[str]:
    """Say what a stub can't say as it is in Rust."""
    for record in contents.records:
        if record.title != record.name:
            yield f"the type `{record.name}` is `{record.title}` in Python: its name is taken or none there"
    for public in contents.types:
        if public.record is None and public.title != public.name:
            yield f"the type `{public.name}` is `{public.title}` in Python: its name is none there"
    for function in contents.functions:
        if not is_name(function.name):
            yield f"the function `{function.name}` is not in the stub: Python has no such name; rename it in Rust"


class _Writer:
    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        taken = {record.title for record in contents.records} | {public.title for public in contents.types}
        self.names = Names(taken | {function.name for function in contents.functions})

    def items(self) -> Iterator[str]:
        shown = [public.record for public in self._contents.types]
        for public in self._contents.types:
            yield from self._record(public.record) if public.record is not None else self._alias(public)
        for record in self._contents.records:
            if record not in shown:
                yield from self._record(record)
        functions = [function for function in self._contents.functions if is_name(function.name)]
        for function in functions:
            if function.form == "class":
                yield from self._class(function.name, self._function(function), function.doc, made=self._made(function))
        yield ""
        for function in functions:
            if function.form == "object":
                yield statement(f"{function.name}: ", self._function(function))
                yield from _described(function.doc)

    def _record(self, record: Record) -> Iterator[str]:
        title = record.title
        fields = {member.name: self._field(member.type, required=member.required) for member in record.members}
        used = {name for field in fields.values() for name in names_in(field)}
        base = Word(self.names.of("typing", "TypedDict"))
        if all(_is_field(name) for name in fields) and used.isdisjoint(fields):
            yield from self._class(title, base, record.doc, fields)
            return
        # As a dict of names: a class can't say these, or would take its fields for the types that they hide.
        entries = tuple(Entry(quoted(name), field) for name, field in fields.items())
        yield ""
        yield statement(f"{title} = ", Group(flat(base), "()", (Word(quoted(title)), Group("", "{}", entries))))
        yield from _described(record.doc)

    def _class(
        self, title: str, base: Expression, doc: str, fields: dict[str, Expression] | None = None, made: str = ""
    ) -> Iterator[str]:
        yield ""
        end = "" if doc or fields or made else " ..."
        yield class_head(title, base, end)
        if doc:
            yield docstring(doc, 4)
        if doc and (fields or made):
            yield ""
        for name, field in (fields or {}).items():
            yield statement(f"{name}: ", field, 4)
        if made:
            yield made

    def _made(self, function: Function) -> str:
        """How it is made of arguments, if it is."""
        if function.parameters is None:
            return ""
        entries = (
            Entry(item.title, self._type(item.type), "" if item.required else " = ...") for item in function.parameters
        )
        return method("__init__", tuple(entries))

    def _alias(self, public: Public) -> Iterator[str]:
        title = public.title
        yield ""
        yield statement(f"{title}: {self.names.of('typing', 'TypeAlias')} = ", self._type(public.type))
        yield from _described(public.doc)

    def _field(self, shape: Type, *, required: bool) -> Expression:
        inner = self._type(shape)
        return inner if required else Group(self.names.of("typing_extensions", "NotRequired"), "[]", (inner,))

    def _function(self, function: Function) -> Expression:
        rust_function = self.names.of("oxflow", "RustFunction")
        return Group(rust_function, "[]", (self._type(function.input), self._given(function)))

    def _given(self, function: Function) -> Expression:
        match function.kind:
            case "filter":
                return Word(self.names.of("builtins", "bool"))
            case "filter_map":
                return _union([self._type(function.output), Word("None")])
            case "flat_map":
                return Group(self.names.of("builtins", "list"), "[]", (self._type(function.output),))
            case _:
                return self._type(function.output)

    def _type(self, shape: Type) -> Expression:
        record = record_of(shape)
        if record is not None:
            return Word(record.title)
        if isinstance(shape, str):
            return self._scalar(shape)
        ((kind, content),) = shape.items()
        parts = tuple(map(self._type, parts_of(shape)))
        if kind == "literal":
            words = tuple(Word(quoted(text)) for text in content)
            return Group(self.names.of("typing", "Literal"), "[]", words) if words else self._never()
        if kind == "union":
            return _union(list(parts)) if parts else self._never()
        return Group(self.names.of("builtins", kind), "[]", parts or (Word("()"),))

    def _scalar(self, shape: str) -> Expression:
        if shape in _BUILTINS:
            return Word(self.names.of("builtins", shape))
        return Word("None") if shape == "none" else Word(self.names.of("typing", "Any"))

    def _never(self) -> Expression:
        return Word(self.names.of("typing", "NoReturn"))


def _spaced(lines: list[str]) -> Iterator[str]:
    """Leave one empty line where there are several, and none between two classes without a body."""
    before = ""
    is_apart = False
    for line in lines:
        if not line:
            is_apart = True
            continue
        if is_apart and not (_is_empty_class(before) and _is_empty_class(line)):
            yield ""
        yield line
        before, is_apart = line, False


def _is_empty_class(text: str) -> bool:
    return text.startswith("class ") and text.endswith("): ...")


def _union(parts: list[Expression]) -> Expression:
    members: list[Expression] = []
    for part in parts:
        members += part.members if isinstance(part, Union) else (part,)
    (first, *more) = dict.fromkeys(members)
    return Union((first, *more)) if more else first


def _is_field(name: str) -> bool:
    """Two underscores would be prefixed with the name of the class."""
    return is_name(name) and not name.startswith("__")


def _described(doc: str) -> Iterator[str]:
    if doc:
        yield docstring(doc)
        yield ""
