"""A small cluster behind HTTP: what servers have free, what waits to run, and what has to be asked and said to start it.

It stands for the real one: an answer takes as long as `delay` says, and the tasks are the same each time. It notes the trace of each
request, as a service with tracing does.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from random import Random
from typing import Any

from oxflow.scheduler import generate


class Cluster:
    """Offers, tasks with dependencies, and what was launched."""

    def __init__(self, tasks: int, offers: int, delay_s: float) -> None:
        made = generate("rules", tasks, offers)
        random = Random(1)  # noqa: S311  # not a secret
        self.delay_s = delay_s
        self.offers = [
            {
                "name": offer.name,
                "cpu": offer.cpu,
                "mem": offer.mem,
                "disk": offer.disk,
                "gpu": offer.gpu,
                "attributes": offer.attributes,
            }
            for offer in made[1]
        ]
        self.done = [f"build-{index}" for index in range(20)]
        self.tasks: list[dict[str, Any]] = []
        for task in made[0]:
            # Each needs some of the same twenty builds; one in ten also needs a task before it, which is not done.
            needs = random.sample(self.done, 4)
            if self.tasks and random.randrange(10) == 0:
                needs.append(random.choice(self.tasks)["name"])
            self.tasks.append(
                {
                    "name": task.name,
                    "cpu": task.cpu,
                    "mem": task.mem,
                    "disk": task.disk,
                    "gpu": task.gpu,
                    "constraints": task.constraints,
                    "depends_on": needs,
                }
            )
        self.launched: dict[str, str] = {}
        self.requests: Counter[str] = Counter()

    def answer(self, path: str, trace: str, body: bytes) -> Any:
        """What a request is answered."""
        self.requests[trace] += 1
        match path.split("/")[1:]:
            case ["offers"]:
                return self.offers
            case ["tasks"]:
                return {"tasks": self.tasks, "done": self.done}
            case ["tasks", "nested"]:
                return self.nested()
            case ["images", task]:
                return {"image": f"registry/{task}:latest"}
            case ["launch"]:
                told = json.loads(body)
                self.launched[told["task"]] = told["offer"]
                return {"launched": told["task"]}
            case _:
                return None

    def nested(self) -> list[dict[str, Any]]:
        """Each task with all that it needs inside of it, and what that needs inside of that."""
        known: dict[str, dict[str, Any]] = {
            name: {"name": name, "done": True, "log": "x" * 500, "depends_on": []} for name in self.done
        }
        for task in self.tasks:
            known[task["name"]] = task | {"done": False, "depends_on": [known[name] for name in task["depends_on"]]}
        return [known[task["name"]] for task in self.tasks]


async def _serve(cluster: Cluster, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            await asyncio.sleep(cluster.delay_s)
            trace = headers.get("traceparent", "").partition("-")[2].partition("-")[0]
            answer = cluster.answer(first.split(" ")[1], trace, body)
            content = json.dumps(answer).encode()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(content), content))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def start(cluster: Cluster) -> str:
    """Serve a cluster on a thread; return its URL."""
    ready = threading.Event()
    ports: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await _serve(cluster, reader, writer)

    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(main()), daemon=True, name="cluster").start()
    ready.wait()
    return f"http://127.0.0.1:{ports[0]}"
