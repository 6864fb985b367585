"""What `pytest` knows of oxflow, by the entry point `oxflow`: the fixture `gil_meter`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from oxflow.gil import Impact


@pytest.fixture
def gil_meter() -> Callable[[], AbstractContextManager[Impact]]:
    """Measure what a block costs other threads: the context manager `oxflow.gil.meter`."""
    from oxflow.gil import meter  # most tests don't measure, and pytest loads this at every start

    return meter
