"""`fetch_all` against aiohttp, on a server of this machine: requests a second, and what a request costs the client's processor.

    python benches/scheduler/fetch.py [--rounds 5] [--json FILE]

Each contestant is a process of its own, in turns; a turn is one call for all requests, after one that opens connections. Both take the whole
body of each. Server and client share the machine's cores, so a client that is quicker than the server waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

CONCURRENCY = 100
# Delay of an answer in seconds, and how many requests are a turn.
CASES = {0.0: 20_000, 0.02: 10_000}
SERVER = Path(__file__).parent / "answers.py"


def with_oxflow() -> Callable[[str, int], int]:
    """Ours; gives the bytes of all bodies."""
    from oxflow.scheduler import fetch_all

    return lambda url, count: sum(len(one.body) for one in fetch_all([url] * count, concurrency=CONCURRENCY))


def with_oxflow_async() -> Callable[[str, int], int]:
    """Ours, on an event loop."""
    from oxflow.scheduler import fetch_all_async

    async def run(url: str, count: int) -> int:
        return sum(len(one.body) for one in await fetch_all_async([url] * count, concurrency=CONCURRENCY))

    return lambda url, count: asyncio.run(run(url, count))


def with_aiohttp() -> Callable[[str, int], int]:
    """As many workers as may be under way, which share a list."""
    import aiohttp

    async def run(url: str, count: int) -> int:
        left, total = iter(range(count)), 0
        connector = aiohttp.TCPConnector(limit=CONCURRENCY)

        async def work(session: aiohttp.ClientSession) -> None:
            nonlocal total
            for _ in left:
                async with session.get(url) as response:
                    total += len(await response.read())

        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(work(session) for _ in range(CONCURRENCY)))
        return total

    return lambda url, count: asyncio.run(run(url, count))


CONTESTANTS = {"fetch_all": with_oxflow, "fetch_all_async": with_oxflow_async, "aiohttp": with_aiohttp}


def turn(name: str, url: str, count: int) -> None:
    """One contestant's turn, in this process; prints seconds and processor seconds."""
    call = CONTESTANTS[name]()
    call(url, CONCURRENCY)
    begun, cpu = time.perf_counter(), time.process_time()
    if call(url, count) != 200 * count:
        raise SystemExit(f"{name} did not get all bodies")
    sys.stdout.write(json.dumps([time.perf_counter() - begun, time.process_time() - cpu]))


def measure(delay: float, count: int, rounds: int) -> dict[str, dict[str, float]]:
    """All contestants in turns, against a server of their own."""
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in CONTESTANTS}
    with subprocess.Popen(
        [sys.executable, str(SERVER), str(delay)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        port = server.stdout.readline() if server.stdout else ""
        url = f"http://127.0.0.1:{int(port)}/"
        for _ in range(rounds):
            for name, turns in seen.items():
                command = [sys.executable, __file__, "--turn", name, url, str(count)]
                seconds, cpu = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
                turns.append((count / seconds, cpu / count * 1e6))
        server.communicate()
    return {
        name: {
            "requests_s": round(statistics.median(rate for rate, _ in turns)),
            "worst_requests_s": round(min(rate for rate, _ in turns)),
            "cpu_us": round(statistics.median(cpu for _, cpu in turns), 1),
            "worst_cpu_us": round(max(cpu for _, cpu in turns), 1),
        }
        for name, turns in seen.items()
    }


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--turn", nargs=3)
    options = parser.parse_args()
    if options.turn:
        turn(options.turn[0], options.turn[1], int(options.turn[2]))
        return
    results = {f"{delay:g}": measure(delay, count, options.rounds) for delay, count in CASES.items()}
    for delay, rows in results.items():
        ideal = f", ideal {CONCURRENCY / float(delay):,.0f} a second" if float(delay) else ""
        print(
            f"\ndelay {float(delay) * 1000:g} ms, {CONCURRENCY} at a time{ideal}; aiohttp {metadata.version('aiohttp')}"
        )
        theirs = rows["aiohttp"]
        for name, row in rows.items():
            times, cpu = row["requests_s"] / theirs["requests_s"], row["cpu_us"] / theirs["cpu_us"]
            print(
                f"{name:16}{row['requests_s']:8,} requests/s (worst {row['worst_requests_s']:,}), {times:.2f} x aiohttp;"
                f" {row['cpu_us']:6.1f} us of processor each (worst {row['worst_cpu_us']}), {cpu:.2f} x"
            )
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
