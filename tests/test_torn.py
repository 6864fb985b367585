"""What a sink that fails half way leaves is no part of a checkpoint, whatever else goes wrong in the same batch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import oxflow

if TYPE_CHECKING:
    from pathlib import Path

PIPELINE = """
import json, os
from oxflow import Map, Message, StreamSink, branch, streaming_source

def fail(message: Message[bytes]) -> bytes:
    if json.loads(message.payload)["number"] == int(os.environ.get("FAIL", "-1")):
        raise ValueError("not this one")
    return message.payload

pipeline = streaming_source("source", stream_name="in").broadcast("both", routes=[
    branch("checked").apply(Map("check", function=fail)).sink(StreamSink("checked-out", stream_name="checked")),
    branch("plain").sink(StreamSink("plain-out", stream_name="plain")),
])
"""
# A process that may write files up to so many bytes, and is told so by an error in the middle of a write.
LIMITED = """
import resource, sys
from oxflow.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit for the size of files")
def test_a_sink_that_fails_beside_a_step_that_fails_leaves_nothing_twice(tmp_path: Path) -> None:
    lines = [json.dumps({"number": number, "text": "x" * 1000}) + "\n" for number in range(2000)]
    (tmp_path / "in.jsonl").write_text("".join(lines), encoding="utf-8")
    (tmp_path / "app.py").write_text(PIPELINE, encoding="utf-8")
    streams = [f"--stream={name}=file:{name}.jsonl" for name in ("in", "checked", "plain")]
    settings = ["--set=run.batch.messages=1000", "--set=run.batch.bytes=4194304"]
    arguments = ["run", "app.py", "--quiet", *streams, *settings]
    room = sum(map(len, lines[:1500]))
    limited = [sys.executable, "-c", LIMITED, str(room), *arguments]
    failed = subprocess.run(limited, cwd=tmp_path, env=os.environ | {"FAIL": "1400"}, capture_output=True, check=False)
    assert failed.returncode == oxflow.StepError.exit_code, failed.stderr
    whole = sum(map(len, lines[:1000]))
    assert (tmp_path / "plain.jsonl").stat().st_size == whole, (
        "of the second batch, which failed in its middle, nothing stays"
    )
    subprocess.run([sys.executable, "-m", "oxflow", *arguments], cwd=tmp_path, check=True)
    for name in ("checked", "plain"):
        assert (tmp_path / f"{name}.jsonl").read_text(encoding="utf-8") == "".join(lines), name
