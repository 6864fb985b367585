"""Log records in a logstore, which the official SDK of the Simple Log Service checks."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from oxflow import telemetry
from oxflow.telemetry import Config, SLSLoggingHandler, SlsLogSink, start_span

if TYPE_CHECKING:
    from collections.abc import Generator

HERE = Path(__file__).parent
# What it needs to sign, compress and decode, besides what the tests have: elasticsearch and its own are left out.
LIBRARIES = [
    "aliyun-log-python-sdk==0.9.52",
    "dateparser==1.5.0",
    "jmespath==1.1.0",
    "lz4==4.4.5",
    "python-dateutil==3.0.0",
    "pytz==2026.6",
    "regex==2026.9.29",
    "six==1.17.0",
    "tzlocal==5.4.5",
    "zstd==1.5.7.2",
]
SECRET = "f4k3"  # noqa: S105  # of a server of ours


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The SDK, apart: nothing else of the tests may come to need it."""
    folder = tmp_path_factory.mktemp("libraries")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), *LIBRARIES]
    subprocess.run(command, check=True)
    return folder


@contextmanager
def logstore(libraries: Path, folder: Path, *faults: str) -> Generator[str, None, None]:
    """A server that answers the first requests with `faults`; its address."""
    command = [sys.executable, str(HERE / "sls_server.py"), str(folder / "logs"), SECRET, *faults]
    environment = os.environ | {"PYTHONPATH": str(libraries)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process, process.stdout:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.terminate()


def logs(folder: Path) -> list[dict[str, Any]]:
    path = folder / "logs"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def answers(folder: Path) -> list[str]:
    return (folder / "logs.answers").read_text(encoding="utf-8").split()


def sink(address: str, **options: Any) -> SlsLogSink:
    given: dict[str, Any] = {"ak_id": "key", "ak_secret": SECRET, "batch_schedule_delay_ms": 600_000, **options}
    return SlsLogSink(address, "shop", "app", **given)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zstd"},
        {"signature_version": "v4", "region": "cn-hangzhou"},
        {"signature_version": "v4", "region": "cn-hangzhou", "compression": "zstd", "security_token": "t0k3n"},
        {"security_token": "t0k3n"},
    ],
)
def test_the_official_sdk_reads_what_arrives(libraries: Path, tmp_path: Path, options: dict[str, Any]) -> None:
    with logstore(libraries, tmp_path) as address:
        given = sink(address, topic="orders", source="10.0.0.1", **options)
        telemetry.init(Config("shop", {"grün": [1]}, sinks=[given]))
        logger = telemetry.get_logger("shop.cart")
        with start_span("paying") as span:
            logger.info("grün", attributes={"cents": 995, "list": [1, "a"], "ok": True})
        logger.emit(21, {"a": 1.5}, time_ns=1_700_000_000_123_456_789, event_name="noted")
        assert telemetry.shutdown(20)
    told, noted = logs(tmp_path)
    expected = {
        "level": "INFO",
        "message": "grün",
        "logger": "shop.cart",
        "cents": "995",
        "list": '[1,"a"]',
        "ok": "true",
    }
    assert told["contents"] == {**expected, "trace_id": span.trace_id(), "span_id": span.span_id()}
    assert (noted["time"], noted["ns"]) == (1_700_000_000, 123_456_789)
    assert noted["contents"] == {
        "level": "FATAL",
        "message": '{"a":1.5}',
        "logger": "shop.cart",
        "event_name": "noted",
    }
    assert (told["topic"], told["source"], told["tags"]["grün"]) == ("orders", "10.0.0.1", "[1]")
    assert told["tags"]["service.name"] == "shop"
    assert told["token"] == options.get("security_token")
    assert told["compression"] == options.get("compression", "lz4")


def test_a_refusal_is_told_once_and_feeds_nothing_back(
    libraries: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with logstore(libraries, tmp_path) as address:
        wrong = sink(address, ak_secret="wr0ng", batch_schedule_delay_ms=1)  # noqa: S106  # as above
        telemetry.init(Config("shop", sinks=[wrong]))
        logger = logging.getLogger("shop.refused")
        handler = SLSLoggingHandler()
        logger.addHandler(handler)
        for number in range(3):
            logger.error("number %s", number)
            assert not telemetry.force_flush(20)
        assert telemetry.force_flush(20)
        logger.removeHandler(handler)
        telemetry.shutdown()
    assert answers(tmp_path) == ["401"] * 3
    dropped = telemetry.stats().sinks[0].dropped
    assert (dropped.refused, dropped.total, logs(tmp_path)) == (3, 3, [])
    told = capfd.readouterr().err
    assert told.count("SignatureNotMatch") == 1
    assert "wr0ng" not in told + repr(wrong)


def test_nothing_is_lost_where_the_service_falters(libraries: Path, tmp_path: Path) -> None:
    made = 100_000
    faults = ["500", "", "reset", "", "503", "", "silence", "", "403", "", "429"]
    with logstore(libraries, tmp_path, *faults) as address:
        telemetry.init(Config("shop", sinks=[sink(address, timeout_ms=500, batch_max_queue=made)]))
        logger = telemetry.get_logger("shop")
        for number in range(made):
            logger.info(str(number))
        # At its end a process gives up whom it doesn't reach; until then it tries again.
        assert telemetry.force_flush(60)
        telemetry.shutdown()
        stats = telemetry.stats().sinks[0]
    arrived = [int(log["contents"]["message"]) for log in logs(tmp_path)]
    assert len(arrived) == stats.delivered
    assert (stats.delivered, stats.dropped.total) == (made, 0)
    assert arrived == list(range(made))


def test_settings_that_cannot_be_are_errors() -> None:
    with pytest.raises(ValueError, match="no signature `v2`"):
        telemetry.init(Config(sinks=[sink("http://127.0.0.1:1", signature_version="v2")]))
    with pytest.raises(ValueError, match="no compression `gzip`"):
        telemetry.init(Config(sinks=[sink("http://127.0.0.1:1", compression="gzip")]))


def test_a_project_has_a_name_of_its_own() -> None:
    telemetry.init(Config(sinks=[sink("cn-hangzhou.log.aliyuncs.com")], console_level=None))
    assert telemetry.stats().sinks[0].destination == "https://shop.cn-hangzhou.log.aliyuncs.com:443/app"
    telemetry.shutdown()
