"""Dresses a Rust extension module for Python.

`oxflow::module!` makes an extension module that holds nothing but a capsule with tables. When it is imported it calls
`populate`, which reads the tables and puts into the module what a user works with: a `TypedDict` for each payload type, a
class for each `rust_function!`, an object for each `#[oxflow::function]`.
"""

from __future__ import annotations

import functools
import inspect
import json
import types
import typing
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypedDict, TypeVar

from oxflow import _oxflow
from oxflow._builds import enter
from oxflow._logs import FOLLOWED, TRACE, follow
from oxflow._payloads import Contents, closed, parts_of
from oxflow._shapes import NATIVE_SHAPE, NATIVE_VALUE
from oxflow.codec import decoder, encode
from oxflow.errors import Diagnostic, ExtensionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from oxflow._oxflow import Message
    from oxflow._payloads import Function, Parameter, Public, Record, Type
    from oxflow._run import Config, Stream
    from oxflow.report import RunReport

CAPSULE = "__oxflow__"
PIPELINE = "__oxflow_pipeline__"
NATIVE_TYPE = "__oxflow_type__"

In_contra = TypeVar("In_contra", contravariant=True)
Out_co = TypeVar("Out_co", covariant=True)

_SCALARS: dict[str, Any] = {
    "any": Any,
    "none": None,
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "bytes": bytes,
}


# What was put into a module, by the number of its tables and what it is called.
_faces: dict[tuple[int, str], dict[str, Any]] = {}


class RustFunction(Generic[In_contra, Out_co]):
    """A function written in Rust: a step of a pipeline, and callable from plain Python.

    Two of them are equal if they are the same function of the same module.

    Attributes:
        native: the function as the engine takes it.
        described: what its module says about it: name, kind, input and output.
    """

    native: _oxflow.NativeFunction
    described: ClassVar[dict[str, Any]]
    _arguments: bytes = b""
    # The arguments, and the defaults of those that were left out.
    _made_of: str = ""
    _object: ClassVar[bool] = False
    _output: ClassVar[Any] = Any
    _decoder: ClassVar[Any] = None

    def __call__(self, message: Message[In_contra]) -> Out_co:
        """Run the function on one message, outside of any pipeline.

        Args:
            message: its payload is converted to the function's input type.

        Returns:
            The payload of a map, the answer of a filter, the list of a flat map; `None` where an `Option` was `None`.

        Raises:
            TypeError: `message` is no `Message`.
            StepError: the function returned an error, or the payload is not of its input type.
            StepPanicked: it panicked.
        """
        # Asked here, since to call `follow` for it would cost a tenth of a microsecond.
        if TRACE not in FOLLOWED:
            follow()
        try:
            result: Out_co = self.native.run(message, encode, self._decoder or self._made_decoder())
        except TypeError:
            given = type(message)
            if given is _oxflow.Message:
                raise
            name = given.__qualname__
            raise TypeError(f"{self!r} takes a Message, not a {name}: wrap the payload, `Message(payload)`") from None
        return result

    @classmethod
    def _made_decoder(cls) -> Any:
        """Make the decoder of results once: nobody may want it."""
        cls._decoder = staticmethod(decoder(cls._output))
        return cls._decoder

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._made_of == getattr(other, "_made_of", None)

    def __hash__(self) -> int:
        return hash((type(self), self._made_of))

    def __repr__(self) -> str:
        call = "" if self._object else f"({', '.join(self._spelled())})"
        return f"{type(self).__module__}.{type(self).__qualname__}{call}"

    def _spelled(self) -> Iterable[str]:
        return ()

    def __reduce__(self) -> Any:
        # A string is a reference: the object of this name in its module.
        return type(self).__qualname__ if self._object else (type(self), ())


class MadeFunction(RustFunction[In_contra, Out_co]):
    """A function written in Rust that is made of arguments: those of its `new`.

    Two of them are equal if they are the same function of the same module, made of equal arguments; one that was left out is
    equal to its default.
    """

    _unmade: ClassVar[_oxflow.NativeFunction]
    _parameters: ClassVar[tuple[Parameter, ...]]

    def __init__(self, *args: object, **kwargs: object) -> None:
        """Make the function.

        Args:
            *args: the arguments of its `new`, in their order; values that JSON can hold.
            **kwargs: the same, by name.

        Raises:
            TypeError: an argument is missing, or is none of its `new`.
            EncodeError: an argument is no value that JSON can hold.
            ExtensionError: an argument is of another type than `new` takes, or `new` returned an error or panicked.
        """
        try:
            bound = inspect.Signature(list(map(_parameter, self._parameters))).bind(*args, **kwargs).arguments
        except TypeError as error:
            raise TypeError(f"{type(self).__module__}.{type(self).__qualname__}: {error}") from None
        named = {item.name: bound[item.title] for item in self._parameters if item.title in bound}
        self._arguments = encode(named)
        self.native = self._unmade.made_of(self._arguments)
        defaults = {item.name: json.loads(item.default) for item in self._parameters if item.default is not None}
        self._made_of = json.dumps({**defaults, **json.loads(self._arguments)}, sort_keys=True)

    def _given(self) -> dict[str, Any]:
        given = json.loads(self._arguments)
        return {item.title: given[item.name] for item in self._parameters if item.name in given}

    def _spelled(self) -> Iterable[str]:
        return [f"{name}={value!r}" for name, value in self._given().items()]

    def __reduce__(self) -> Any:
        return functools.partial(type(self), **self._given()), ()


class RustPipeline:
    """The pipeline that a Rust module has of its own, `run_streams`: called, it runs."""

    def __init__(self, module: str, text: str) -> None:
        """Take the pipeline of a module, in YAML."""
        self._module = module
        self._text = text

    def __call__(
        self,
        *,
        streams: Mapping[str, Stream] | None = None,
        config: Config = None,
        overrides: Mapping[str, str] | None = None,
    ) -> RunReport:
        """Run the pipeline; see `oxflow.run` for the arguments and for what is raised.

        Args:
            streams: by logical name a URL or payloads.
            config: path of a YAML file, or its content as a mapping.
            overrides: configuration values by dotted key.
        """
        from oxflow._run import run
        from oxflow.definition import parse

        pipeline = parse(self._text, "pipeline.yaml", self._module)
        return run(pipeline, streams=streams, config=config, overrides=overrides)

    def __repr__(self) -> str:
        return f"{self._module}.run_streams"


def populate(module: types.ModuleType) -> None:
    """Add the Python face of a Rust extension to its module.

    A module that is imported again out of the library that is loaded has the same functions and types as before.

    Args:
        module: an extension module that holds the capsule of `oxflow::module!`.

    Raises:
        ExtensionError: the capsule is not oxflow's or was built for another ABI, or two things in it have one name.
    """
    capsule = getattr(module, CAPSULE)
    home = home_of(module.__name__)
    described = json.loads(_oxflow.describe_module(capsule, home))
    face = _faces.get((described["identity"], home))
    if face is None:
        face = _face(capsule, home, Contents(home, described))
        if hasattr(module, PIPELINE):
            _add_pipeline(face, home, getattr(module, PIPELINE))
        follow()
        _oxflow.connect_module(capsule, home)
        enter(described["identity"], home, getattr(module, "__file__", None), described)
        _faces[described["identity"], home] = face
    vars(module).update(face)


def _add_pipeline(face: dict[str, Any], home: str, text: str) -> None:
    """Add the module's own pipeline, whose name no function of the user's may have."""
    name = "run_streams"
    if name in face:
        message = f"`{home}` has two things that are named `{name}`"
        why = "the pipeline of its `main_function!` runs under this name, and something that it registers has it, too"
        raise ExtensionError(Diagnostic("OXF0602", message, why=why, fix="rename that in Rust"))
    face[name] = RustPipeline(home, text)


def _face(capsule: object, home: str, contents: Contents) -> dict[str, Any]:
    """What users see of a module, by name."""
    classes = _Classes(home)
    face: dict[str, Any] = {record.title: classes.record(record) for record in contents.records}
    for item in contents.types:
        made = classes.public(item)
        setattr(made, NATIVE_TYPE, _oxflow.NativeType(capsule, item.index))
        face[item.name] = face[item.title] = made
    for index, function in enumerate(contents.functions):
        native = _oxflow.NativeFunction(capsule, index)
        made = _function_class(home, function, native, classes.annotation(function.output))
        face[function.name] = made() if function.form == "object" else made
    return face


def home_of(name: str) -> str:
    """Give the module that users import: maturin puts `steps.so` into a package `steps` that re-exports what is in it."""
    package, _, last = name.rpartition(".")
    return package if package.rpartition(".")[2] == last else name


def _function_class(module: str, item: Function, native: _oxflow.NativeFunction, output: Any) -> type[Any]:
    body = {
        "__module__": module,
        "__qualname__": item.name,
        "__doc__": item.doc or None,
        "native": native,
        "described": item.described,
        "_object": item.form == "object",
        "_output": bool if item.kind == "filter" else output,
    }
    if item.parameters is None:
        return type(item.name, (RustFunction,), body)
    body["_unmade"] = body.pop("native")
    body["_parameters"] = tuple(item.parameters)
    return type(item.name, (MadeFunction,), body)


def _parameter(parameter: Parameter) -> inspect.Parameter:
    default = inspect.Parameter.empty if parameter.required else ...
    return inspect.Parameter(parameter.title, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)


class _Classes:
    """Makes Python types of a module's payloads; one `TypedDict` a record, however often it is mentioned."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._made: dict[Record, Any] = {}

    def public(self, item: Public) -> Any:
        if item.record is not None:
            return self.record(item.record)
        made = self._typed_dict(item.title, [])
        made.__doc__ = item.doc or None
        setattr(made, NATIVE_VALUE, self.annotation(item.type))
        return made

    def record(self, record: Record) -> Any:
        if record not in self._made:
            made = self._typed_dict(record.title, [item.name for item in record.members if item.required])
            # Made before its fields, so that a field may refer to it.
            self._made[record] = made
            made.__annotations__ = {item.name: self.annotation(item.type) for item in record.members}
            made.__optional_keys__ = frozenset(made.__annotations__) - made.__required_keys__
            made.__doc__ = record.doc or None
            setattr(made, NATIVE_SHAPE, closed({"record": record}))
        return self._made[record]

    def annotation(self, shape: Type) -> Any:
        if isinstance(shape, str):
            return _SCALARS[shape]
        parts = tuple(map(self.annotation, parts_of(shape)))
        ((kind, content),) = shape.items()
        match kind:
            case "list":
                return types.GenericAlias(list, parts)
            case "dict":
                return types.GenericAlias(dict, parts)
            case "tuple":
                return types.GenericAlias(tuple, parts)
            case "union":
                return _subscripted(typing.Union, parts)
            case "literal":
                return _subscripted(typing.Literal, tuple(content))
            case _:
                return self.record(content)

    def _typed_dict(self, name: str, required: list[str]) -> Any:
        # Called through a name without a type: checkers want literals of what is only known here.
        make: Any = TypedDict
        made = make(name, dict.fromkeys(required, Any))
        made.__module__ = self._module
        return made


def _subscripted(form: Any, arguments: tuple[Any, ...]) -> Any:
    """Subscript with what only run time knows, which checkers do not read as a type."""
    return form[arguments]
