"""Loggers of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oxflow._oxflow import Logger

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["get_logger"]


def get_logger(
    name: str,
    version: str | None = None,
    schema_url: str | None = None,
    attributes: Mapping[str, Any] | None = None,
) -> Logger:
    """Give the logger of this name. It may be made before `init`."""
    return Logger(name, version, schema_url, attributes)
