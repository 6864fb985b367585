"""The variables of OpenTelemetry, each read in one place."""

from __future__ import annotations

import os
from urllib.parse import unquote

__all__ = ["flag", "number", "pairs", "text"]


def text(*names: str) -> str | None:
    """The first of these variables that says anything."""
    for name in names:
        value = os.environ.get(name, "").strip()
        if value:
            return value
    return None


def flag(name: str) -> bool:
    """Whether a variable says `true`; anything else says no, as the specification has it."""
    return os.environ.get(name, "").strip().lower() == "true"


def number(*names: str) -> float | None:
    """The number that the first of these variables says.

    Raises:
        ValueError: it is no number, or less than 0.
    """
    for name in names:
        value = text(name)
        if value is None:
            continue
        try:
            found = float(value)
        except ValueError:
            found = -1
        if not 0 <= found < float("inf"):
            raise ValueError(f"`{name}` is `{value}`, which is no number from 0 on")
        return found
    return None


def pairs(*names: str) -> dict[str, str]:
    """Names and values of the first of these variables that has any, `a=1,b=two%20words`."""
    found = text(*names) or ""
    split = (pair.partition("=") for pair in found.split(","))
    return {unquote(name.strip()): unquote(value.strip()) for name, equals, value in split if equals and name.strip()}
