"""Finds a step's function and reads what it takes and gives.

A function is a callable, or a `"package.module:name"` to import. What it says about its types is taken from its
annotations; without them it takes and gives anything, and is checked message by message.
"""

from __future__ import annotations

import difflib
import functools
import importlib
import inspect
import typing
from collections import abc
from typing import Any, NamedTuple

from oxflow._oxflow import Message
from oxflow._records import kind_of
from oxflow._shapes import UnsupportedTypeError, plain, shape_of, spelled

if typing.TYPE_CHECKING:
    from collections.abc import Callable

ITERABLES = (
    list, tuple, set, frozenset,
    abc.Iterable, abc.Iterator, abc.Generator, abc.Sequence, abc.Collection,
)  # fmt: skip


class UnfitFunctionError(Exception):
    """A function that no step can call.

    Attributes:
        code: code of the diagnostic.
        message: what is wrong.
        fix: what to do.
    """

    def __init__(self, code: str, message: str, fix: str | None = None, why: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.fix = fix
        self.why = why


class Signature(NamedTuple):
    """The annotations of a payload and of the result; `Any` where there are none."""

    payload: Any
    result: Any


def resolve(function: object) -> Callable[..., object]:
    """Import a reference; give a callable as it is.

    Raises:
        UnfitFunctionError: nothing is there to import, or a step cannot call what is.
    """
    if isinstance(function, str):
        function = imported(function)
    if isinstance(function, type):
        fix = f"give an object: `{function.__qualname__}()`"
        raise UnfitFunctionError("OXF0106", f"`{spelled(function)}` is a class, not a function", fix)
    if not callable(function):
        raise UnfitFunctionError("OXF0106", f"`{function!r}` cannot be called")
    _refuse_async(function)
    _refuse_arity(function)
    return function


def reference_of(function: object) -> str:
    """Name a function as `package.module:name`."""
    called: Any = _unwrapped(function)
    kind = called.__class__
    owner = called if hasattr(called, "__qualname__") else kind
    return f"{owner.__module__}:{owner.__qualname__}"


def signature_of(function: Callable[..., object]) -> Signature:
    """Read the annotations of a function.

    Raises:
        NameError: an annotation refers to a name that cannot be found.
        UnfitFunctionError: the annotation says that it takes the payload without its message.
    """
    parameter = _first_parameter(function)
    hints = _hints(function)
    given = Any if parameter is None else hints.get(parameter, Any)
    if _is_payload(given):
        payload = spelled(given)
        raise UnfitFunctionError(
            "OXF0106",
            f"`{reference_of(function)}` takes `{payload}`, not a message",
            f"annotate `{parameter}: Message[{payload}]`, and read `{parameter}.payload`",
            "a function is given a `Message`, which holds the payload with its key, headers and time",
        )
    return Signature(_payload_of(given), _payload_of(hints.get("return", Any), bare=True))


def items_of(result: Any, function: object) -> Any:
    """Give the type of the items of what a flat map's function gives; `Any` if it does not say.

    Raises:
        UnfitFunctionError: it gives nothing that holds items.
    """
    if not _may_hold_items(result):
        given = spelled(result)
        raise UnfitFunctionError(
            "OXF0106",
            f"`{reference_of(function)}` gives `{given}`, which holds no items",
            f"return a list, `-> list[{given}]`, or use `Map` for one payload a message",
            "the items that a `FlatMap`'s function gives become the messages",
        )
    origin, arguments = typing.get_origin(result), typing.get_args(result)
    if origin is tuple and arguments[1:] != (Ellipsis,):
        return typing.Union[arguments] if arguments else Any  # noqa: UP007  # members are known at run time only
    if origin in ITERABLES and arguments:
        return _payload_of(arguments[0], bare=True)
    return Any


def _payload_of(annotation: Any, *, bare: bool = False) -> Any:
    """Give `T` of `Message[T]`; of a parameter that is no message nothing is known, a bare result is the payload."""
    if annotation is Message:
        return Any
    if typing.get_origin(annotation) is Message:
        return typing.get_args(annotation)[0]
    return annotation if bare else Any


def _is_payload(annotation: Any) -> bool:
    """Whether a message cannot be meant: values of the type are payloads themselves."""
    try:
        shape = shape_of(annotation)
    except (UnsupportedTypeError, NameError):
        return False
    members: list[Any] = shape.get("union", []) if isinstance(shape, dict) else [shape]
    return "any" not in members


def _may_hold_items(result: Any) -> bool:
    kind: Any = plain(typing.get_origin(plain(result)) or result)
    if kind in (Any, object) or not isinstance(kind, type):
        return True
    # Text, dictionaries and models can be iterated over, but their parts are seldom what is meant.
    wholes: tuple[type[Any], ...] = (str, bytes, bytearray, dict)
    return "__iter__" in dir(kind) and not issubclass(kind, wholes) and kind_of(kind) != "pydantic"


def imported(reference: str) -> object:
    """Import `package.module:name`.

    Raises:
        UnfitFunctionError: there is no such thing.
    """
    module_name, colon, path = reference.partition(":")
    if not (module_name and colon and path):
        message = f"`{reference}` is no reference to a function"
        raise UnfitFunctionError("OXF0105", message, "write `package.module:name`")
    try:
        value: object = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            raise
        message = f"`{reference}` cannot be imported: there is no module `{error.name}`"
        raise UnfitFunctionError("OXF0105", message, "is its folder on `sys.path`, its package installed?") from None
    for name in path.split("."):
        value = _attribute(value, name, reference)
    return value


def _attribute(owner: object, name: str, reference: str) -> object:
    try:
        return typing.cast("object", getattr(owner, name))
    except AttributeError:
        near = difflib.get_close_matches(name, dir(owner), n=1)
        fix = f"did you mean `{near[0]}`?" if near else None
        owner_name = getattr(owner, "__name__", repr(owner))
        message = f"`{reference}` cannot be imported: `{owner_name}` has no `{name}`"
        raise UnfitFunctionError("OXF0105", message, fix) from None


def _refuse_async(function: object) -> None:
    called = _unwrapped(function)
    call = getattr(type(called), "__call__", None)  # noqa: B004  # its kind is asked for, not whether it is there
    if any(test(item) for item in (called, call) for test in (inspect.iscoroutinefunction, inspect.isasyncgenfunction)):
        fix = "write it with `def`"
        raise UnfitFunctionError("OXF0106", f"`{reference_of(function)}` is `async`, which no step can call", fix)


def _refuse_arity(function: Callable[..., object]) -> None:
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):
        return
    try:
        signature.bind(None)
    except TypeError as error:
        why = f"its parameters are `{signature}`: {error}"
        message = f"`{reference_of(function)}` cannot be called with one message"
        raise UnfitFunctionError("OXF0106", message, "take one `Message`", why) from None


def _first_parameter(function: Callable[..., object]) -> str | None:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (ValueError, TypeError):
        return None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return next((item.name for item in parameters if item.kind in kinds), None)


def _hints(function: object) -> dict[str, Any]:
    called: Any = inspect.unwrap(typing.cast("Callable[..., object]", _unwrapped(function)))
    kind = called.__class__
    if not hasattr(called, "__annotations__") or not hasattr(called, "__code__"):
        called = getattr(called, "__func__", None) or getattr(kind, "__call__", called)  # noqa: B004
    try:
        return typing.get_type_hints(called, include_extras=True)
    except NameError:
        # `Message` is often imported for type checkers only; that much can be filled in.
        return typing.get_type_hints(called, localns={"Message": Message}, include_extras=True)
    except TypeError:
        return {}


def _unwrapped(function: object) -> object:
    while isinstance(function, functools.partial):
        function = function.func
    return function
