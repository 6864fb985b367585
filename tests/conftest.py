"""What all tests share: how hard Hypothesis tries, and a broker for those that need one."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from broker import Broker
from collector import Collector
from judging import Cluster
from pure_binary import binary
from raw import Raw
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


@pytest.fixture(scope="session")
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Collector]:
    """A real OpenTelemetry Collector, for the whole session."""
    one = Collector(tmp_path_factory.mktemp("collector"))
    one.start()
    yield one
    one.stop()


@pytest.fixture
def field(cluster: Cluster, tmp_path: Path) -> Iterator[Field]:
    """Topics and workers of one test."""
    one = Field(cluster, tmp_path)
    yield one
    one.end()


@pytest.fixture
def fields(request: pytest.FixtureRequest, cluster: Cluster, tmp_path: Path) -> Iterator[tuple[Field, Field]]:
    """Two of them, one for each promise: what a fault costs time is waited for once.

    With the parameter `program` their workers are programs without Python, and not `oxflow run`.
    """
    program = binary("faulty", "faults") if getattr(request, "param", "python") == "program" else None
    both = Field(cluster, tmp_path, program), Field(cluster, tmp_path, program, exactly_once=True)
    yield both
    for one in both:
        one.end()


@pytest.fixture
def raw(cluster: Cluster, tmp_path: Path) -> Iterator[Raw]:
    """Topics of one test, and runs that carry bytes between them."""
    one = Raw(cluster, tmp_path)
    yield one
    one.end()
