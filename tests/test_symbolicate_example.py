"""The example: errors of real bundles, with the maps that a package ships, from a file and on Kafka."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from raw import Raw

EXAMPLE = Path(__file__).parent.parent / "examples/symbolicate"
# As the example's text says it.
PACKAGE = "mkdocs-material==9.7.7"


@pytest.fixture(scope="session")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pip gets, as the example says."""
    assert f"pip install --no-deps --target maps {PACKAGE}" in (EXAMPLE / "pipeline.py").read_text(encoding="utf-8")
    folder = tmp_path_factory.mktemp("symbols") / "maps"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    return folder


@pytest.fixture
def placed(maps: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMBOL_MAPS", str(maps))
    monkeypatch.setenv("SYMBOL_CACHE", str(tmp_path / "symbols"))


def without_texts(event: dict[str, Any]) -> dict[str, Any]:
    """An event without the lines of the sources, which are others' work."""
    for value in event.get("exception", {}).get("values", []):
        for frame in value["stacktrace"]["frames"]:
            assert frame.pop("context_line")
            assert (len(frame.pop("pre_context")), len(frame.pop("post_context"))) == (5, 5)
    return event


def expected() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EXAMPLE / "expected.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.mark.usefixtures("placed")
def test_events_of_a_file_get_the_places_of_the_sources(tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "oxflow", "run", str(EXAMPLE / "pipeline.py"), "--quiet"]
    command += ["--stream", f"javascript-errors=file:{EXAMPLE / 'errors.jsonl'}"]
    command += ["--stream", f"symbolicated-errors=file:{out}", "--set", "steps.symbolicate.on_error=skip"]
    subprocess.run(command, check=True, env=os.environ)
    events = [without_texts(json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()]
    assert events == expected()


@pytest.mark.usefixtures("placed")
def test_events_on_kafka_get_the_places_of_the_sources(raw: Raw) -> None:
    raw.create()
    lines = (EXAMPLE / "errors.jsonl").read_bytes().splitlines()
    raw.write(raw.topic("words"), *lines, key=b"k")
    at = raw.streams(raw.at)
    streams = {"javascript-errors": at["words"], "symbolicated-errors": at["plain"], "dead-letters": at["dead-letters"]}
    settings = "steps.symbolicate.on_error=dead_letter"
    run = raw.start(streams, settings, pipeline=EXAMPLE / "pipeline.py")
    raw.wait_for("plain", len(expected()), run)
    raw.wait_for("dead-letters", 1, run)
    raw.drain(run)
    assert [without_texts(json.loads(value or b"")) for _, value, _ in raw.read("plain")] == expected()
