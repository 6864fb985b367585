"""What an extension module shows to Python: its payload types, its functions, and what each is called.

The module describes its types one by one, each written out down to its last field. Here they become a graph, in which a
record stands once, under one name: from it the module gets its classes, and `oxflow stubs` writes them down.
"""

from __future__ import annotations

import keyword
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from oxflow.errors import Diagnostic, ExtensionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# The JSON form of a type, in which a record is a `Record` and recursion is the record itself.
Type: TypeAlias = "str | dict[str, Any]"


class Member(NamedTuple):
    """A field of a record: what the module says of it, and its type in the graph."""

    described: dict[str, Any]
    type: Type

    @property
    def name(self) -> str:
        """Its name in JSON."""
        name: str = self.described["name"]
        return name

    @property
    def required(self) -> bool:
        """False if it may be absent."""
        required: bool = self.described["required"]
        return required


@dataclass(eq=False)
class Record:
    """A type with named fields.

    Attributes:
        described: what the module says of it.
        title: what it is called in the Python module.
        doc: its documentation.
        members: its fields.
    """

    described: dict[str, Any]
    title: str = ""
    doc: str = ""
    members: list[Member] = field(default_factory=list[Member])

    @property
    def name(self) -> str:
        """What Rust calls it."""
        name: str = self.described["name"]
        return name


@dataclass
class Public:
    """A payload type that the module shows.

    Attributes:
        index: its place in the module's table.
        name: what Rust calls it.
        doc: its documentation.
        type: what it is.
        title: what else it is called in the Python module, if Python has no such name.
    """

    index: int
    name: str
    doc: str
    type: Type
    title: str = ""

    @property
    def record(self) -> Record | None:
        """The record of this name, which then is all there is to the type."""
        record = record_of(self.type)
        return record if record is not None and record.name == self.name else None


@dataclass
class Function:
    """A function that the module shows."""

    described: dict[str, Any]
    name: str
    doc: str
    form: str
    kind: str
    input: Type
    output: Type
    parameters: list[Parameter] | None


class Parameter(NamedTuple):
    """An argument that a function is made of."""

    name: str
    # What Python calls it.
    title: str
    type: Type
    required: bool
    # What stands for it where it is left out, as JSON; `None` if that is not known.
    default: str | None


class Contents:
    """All that a module shows.

    Attributes:
        types: the payload types.
        functions: the functions.
        records: every record that is in one of these, once; no two have one title.
    """

    def __init__(self, module: str, described: dict[str, Any]) -> None:
        _refuse_doubles(module, described)
        merged = _Merged()
        # Those that have their name from Rust come first: others of the same name have to make way.
        shown = [(index, item) for index, item in enumerate(described["types"]) if item["public"]]
        self.types = [Public(index, item["name"], item["doc"], merged.read(item["shape"])) for index, item in shown]
        self.functions = [_function(item, merged) for item in described["functions"]]
        self._unite(merged)
        self.records = merged.records
        self._name()

    def _unite(self, merged: _Merged) -> None:
        named = [public.record for public in self.types if public.record is not None]
        for record in named:
            merged.enter(record)
        for record in named:
            merged.add_members(record)
        for public in self.types:
            public.type = merged.united(public.type)
        for function in self.functions:
            function.input, function.output = merged.united(function.input), merged.united(function.output)
            if function.parameters is not None:
                united = [item._replace(type=merged.united(item.type)) for item in function.parameters]
                function.parameters = united
        for record in merged.records:
            record.members = [item._replace(type=merged.replaced(item.type)) for item in record.members]

    def _name(self) -> None:
        taken = {public.name for public in self.types} | {function.name for function in self.functions}
        for public in self.types:
            public.title = public.name if is_name(public.name) else _free(identifier(public.name), taken)
            taken.add(public.title)
            if public.record is not None:
                public.record.title, public.record.doc = public.title, public.doc
        for record in self.records:
            record.title = record.title or _free(identifier(record.name), taken)
            taken.add(record.title)


def record_of(shape: Type) -> Record | None:
    """The record that a type is, if it is one."""
    return None if isinstance(shape, str) else shape.get("record")


def is_name(name: str) -> bool:
    """Whether Python can call a thing so; what it would spell in another way, it can't."""
    return name.isidentifier() and not keyword.iskeyword(name) and unicodedata.is_normalized("NFKC", name)


def identifier(name: str) -> str:
    """What Python calls a thing of this name; the name itself if it can."""
    if is_name(name):
        return name
    letters = unicodedata.normalize("NFKC", name)
    word = "".join(letter if f"_{letter}".isidentifier() else "_" for letter in letters)
    if keyword.iskeyword(word):
        return f"{word}_"
    return word if word.isidentifier() and word.strip("_") else f"Record{word}".rstrip("_")


def parts_of(shape: Type) -> list[Type]:
    """The types that a type is made of; none of a record, which is a name."""
    if isinstance(shape, str):
        return []
    ((kind, content),) = shape.items()
    if kind == "list":
        return [content]
    return list(content) if kind in ("dict", "tuple", "union") else []


def rebuilt(shape: Type, parts: Iterable[Type]) -> Type:
    """The same type, made of other parts."""
    if isinstance(shape, str):
        return shape
    ((kind, content),) = shape.items()
    if kind == "list":
        (content,) = parts
    return {kind: list(parts) if kind in ("dict", "tuple", "union") else content}


def closed(shape: Type, enclosing: tuple[Record, ...] = ()) -> Any:
    """The JSON form of a type on its own, as Python promises it.

    That a field is always written holds for serde; a Python function that makes such a dict need not do so.
    """
    record = record_of(shape)
    if record is None:
        return rebuilt(shape, [closed(part, enclosing) for part in parts_of(shape)])
    if record in enclosing:
        return {"enclosing": record.name}
    inside = (*enclosing, record)
    fields = [{**item.described, "type": closed(item.type, inside), "always": False} for item in record.members]
    return {"record": {**record.described, "fields": fields}}


def _function(item: dict[str, Any], merged: _Merged) -> Function:
    reads, gives = merged.read(item["input"]), merged.read(item["output"])
    parameters = None if item["parameters"] is None else list(_parameters(item["parameters"], merged))
    return Function(item, item["name"], item["doc"], item["form"], item["kind"], reads, gives, parameters)


def _parameters(given: list[dict[str, Any]], merged: _Merged) -> Iterator[Parameter]:
    taken = {"self"}
    for item in given:
        name = item["name"]
        title = _free(identifier(name), taken)
        taken.add(title)
        yield Parameter(name, title, merged.read(item["type"]), item["required"], item.get("default"))


class _Merged:
    """Reads types, and finds those records that are the same."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self._same: dict[Record, Record] = {}

    def read(self, shape: Type, scope: Mapping[str, Record] | None = None) -> Type:
        scope = scope or {}
        if not isinstance(shape, str) and "enclosing" in shape:
            record = scope.get(shape["enclosing"])
            return "any" if record is None else {"record": record}
        described: Any = record_of(shape)
        if described is None:
            return rebuilt(shape, [self.read(part, scope) for part in parts_of(shape)])
        record = Record(described)
        inside = {**scope, record.name: record}
        record.members = [Member(item, self.read(item["type"], inside)) for item in described["fields"]]
        return {"record": record}

    def united(self, shape: Type) -> Type:
        """The type with the one record of each kind in the place of those that are the same."""
        self.add_all(shape)
        return self.replaced(shape)

    def add_all(self, shape: Type) -> None:
        """Enter the records of a type, those inside after those around."""
        for record in _records(shape):
            if record not in self._same and self.enter(record):
                self.add_members(record)

    def add_members(self, record: Record) -> None:
        for member in record.members:
            self.add_all(member.type)

    def enter(self, record: Record) -> bool:
        """Whether it is new."""
        same = next((known for known in self.records if _fits(record, known, {})), None)
        if same is None:
            self.records.append(record)
        self._same[record] = record if same is None else same
        return same is None

    def replaced(self, shape: Type) -> Type:
        record = record_of(shape)
        if record is not None:
            return {"record": self._same[record]}
        return rebuilt(shape, map(self.replaced, parts_of(shape)))


def _records(shape: Type) -> Iterator[Record]:
    record = record_of(shape)
    if record is not None:
        yield record
    for part in parts_of(shape):
        yield from _records(part)


def _fits(record: Record, known: Record, assumed: Mapping[Record, Record]) -> bool:
    """Whether `record` is `known`, seen from elsewhere: there, recursion through unions is described as `any`."""
    if record is known or assumed.get(record) is known:
        return True
    if (record.name, len(record.members)) != (known.name, len(known.members)):
        return False
    inside = {**assumed, record: known}
    pairs = zip(record.members, known.members, strict=True)
    return all(
        (one.name, one.required) == (other.name, other.required) and _type_fits(one.type, other.type, inside)
        for one, other in pairs
    )


def _type_fits(one: Type, other: Type, assumed: Mapping[Record, Record]) -> bool:
    record, known = record_of(one), record_of(other)
    if record is not None and known is not None:
        return _fits(record, known, assumed)
    if isinstance(one, str) or isinstance(other, str):
        return one in (other, "any")
    parts, others = parts_of(one), parts_of(other)
    if not (parts and others):
        return one == other
    return (
        one.keys() == other.keys()
        and len(parts) == len(others)
        and all(_type_fits(part, counterpart, assumed) for part, counterpart in zip(parts, others, strict=True))
    )


def _free(name: str, taken: set[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}{number}", number + 1
    return free


def _refuse_doubles(module: str, described: dict[str, Any]) -> None:
    """In Rust two items of one name may live in two modules; in Python the second would take the first's place."""
    items = [("a payload type", item["name"]) for item in described["types"] if item["public"]]
    items += [("a function", item["name"]) for item in described["functions"]]
    kinds: dict[str, str] = {}
    for kind, name in items:
        if name in kinds:
            first, message = kinds[name], f"`{module}` has two things that are named `{name}`"
            raise ExtensionError(
                Diagnostic("OXF0602", message, why=f"{first} and {kind} of this name", fix="rename one of them in Rust")
            )
        kinds[name] = kind
