"""Spans around functions, and awaitables that are done."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from oxflow._oxflow import start_span

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

__all__ = ["around", "decorate", "done"]

T = TypeVar("T")


async def done(value: T) -> T:
    """Be what was done already."""
    return value


def decorate(function: Callable[..., Any], name: str, options: Mapping[str, Any]) -> Callable[..., Any]:
    """Make each call a span.

    Raises:
        TypeError: it is a generator, whose span would end before its first value.
    """
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(
            f"`{function.__name__}` is a generator: begin the span inside of it, with `with start_span(..)`"
        )
    return around(function, functools.partial(start_span, name, **options))


def around(function: Callable[..., Any], begin: Callable[[], AbstractContextManager[object]]) -> Callable[..., Any]:
    """Have each call inside of what `begin` gives."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            with begin():
                return await function(*args, **kwargs)

        return awaited

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        with begin():
            return function(*args, **kwargs)

    return called
