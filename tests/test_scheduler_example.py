"""The scheduler as a step: offers and tasks on a stream."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "examples/scheduler/pipeline.py"


def test_offers_and_tasks_arrive_on_a_stream(tmp_path: Path) -> None:
    events = [
        {"event": "offer", "name": "large", "cpu": 8, "mem": 32},
        {"event": "offer", "name": "small", "cpu": 2, "mem": 8},
        {"event": "task", "name": "a", "cpu": 1, "mem": 4},
        {"event": "task", "name": "b", "cpu": 1, "mem": 4},
        *({"event": "gone", "name": "nobody", "cpu": 0, "mem": 0} for _ in range(996)),
        # The next round: the task waits until there is an offer.
        {"event": "task", "name": "c", "cpu": 16, "mem": 4},
        {"event": "offer", "name": "large", "cpu": 16, "mem": 32},
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    command = [sys.executable, "-m", "oxflow", "run", str(EXAMPLE), "--quiet"]
    command += ["--stream", f"cluster-events=file:{tmp_path / 'in.jsonl'}", "--stream", "placements=stdout:"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    placed = [tuple(json.loads(line).values()) for line in done.stdout.splitlines()]
    assert placed == [("a", "small"), ("b", "small"), ("c", "large")]
