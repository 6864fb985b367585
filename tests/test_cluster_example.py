"""The round of a cluster before and after, and as a pipeline, against the server of the example."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "examples/cluster"
# Served in a process of its own: prints its URL, then what was launched when its input ends.
SERVE = """
import json, sys
from server import Cluster, start
cluster = Cluster(60, 60, 0.001)
with open(sys.argv[1], "w") as offers, open(sys.argv[2], "w") as tasks:
    offers.writelines(json.dumps(offer) + "\\n" for offer in cluster.offers)
    tasks.writelines(json.dumps(task | {"depends_on": []}) + "\\n" for task in cluster.tasks)
print(start(cluster), flush=True)
sys.stdin.read()
print(json.dumps([cluster.launched, cluster.requests]))
"""


def test_both_rounds_place_the_same_and_print_their_traces() -> None:
    done = subprocess.run([sys.executable, EXAMPLE / "run.py"], capture_output=True, text=True, check=True)
    # Times are never the same, nor are the bars that show them.
    shown = re.sub(r" +[\d.]+ ms", " ... ms", re.sub(r" +#+$", "", done.stdout, flags=re.MULTILINE))
    assert (EXAMPLE / "expected.txt").read_text(encoding="utf-8") == shown


def test_offers_and_tasks_arrive_on_two_streams(tmp_path: Path) -> None:
    paths = {name: tmp_path / f"{name}.jsonl" for name in ("offers", "tasks", "launched")}
    serve = [sys.executable, "-c", SERVE, str(paths["offers"]), str(paths["tasks"])]
    with subprocess.Popen(serve, cwd=EXAMPLE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        trace = "0af7651916cd43dd8448eb211c80319c"
        environment = os.environ | {
            "CLUSTER_URL": server.stdout.readline().strip(),
            "TRACEPARENT": f"00-{trace}-b7ad6b7169203331-01",
        }
        command = [
            sys.executable,
            "-m",
            "oxflow",
            "run",
            str(EXAMPLE / "placing.py"),
            "--quiet",
            "--set",
            "run.lanes=1",
        ]
        for name, path in paths.items():
            command += ["--stream", f"{name}=file:{path}"]
        subprocess.run(command, env=environment, check=True)
        launched, requests = json.loads(server.communicate()[0])
    told = [json.loads(line) for line in paths["launched"].read_text(encoding="utf-8").splitlines()]
    assert len(told) > 40
    assert {one["outcome"] for one in told} == {"200"}
    assert {one["task"]: one["offer"] for one in told} == launched
    assert requests == {trace: len(told)}
