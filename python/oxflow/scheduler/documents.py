"""Documents of tasks that hold their dependencies as whole tasks."""

from __future__ import annotations

import json
from typing import Any

from oxflow import _oxflow

__all__ = ["flatten_tasks"]


def flatten_tasks(document: str | bytes, *, depth: int = 60) -> list[dict[str, Any]]:
    """Read a document of nested tasks as a flat list.

    A service that answers with each task's dependencies as whole tasks inside of it repeats a shared one as often as it is
    needed. Here each is kept once, while the document is read.

    Args:
        document: JSON, a task or a list of tasks: objects with a `name`; the items of their `depends_on` are tasks or names.
        depth: how deep dependencies may lie in each other, at most 60.

    Returns:
        The tasks, dependencies before those that need them, each once, with a list of names as `depends_on`.

    Raises:
        SchedulerError: the document is no such JSON, is too deep, or has two tasks of one name that differ.
    """
    tasks: list[dict[str, Any]] = json.loads(_oxflow.flatten_tasks(document, max(depth, 0)))
    return tasks
