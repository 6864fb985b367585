"""What all tests share: how hard Hypothesis tries, and a broker for those that need one."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from broker import Broker
from judging import Cluster
from workers import Field

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Two cores and a cold cache make single examples slow; CI must not fail by chance.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") == "true" else "here")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A real Kafka, for the whole session."""
    one = Broker(tmp_path_factory.mktemp("kafka"))
    one.start()
    yield one
    one.end(signal.SIGTERM)


@pytest.fixture(scope="session")
def cluster(broker: Broker) -> Cluster:
    return Cluster(broker.address)


@pytest.fixture
def field(cluster: Cluster, tmp_path: Path) -> Iterator[Field]:
    """Topics and workers of one test."""
    one = Field(cluster, tmp_path)
    yield one
    one.end()
