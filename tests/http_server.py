"""A server that answers as the path says, in a process of its own; prints its port."""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter, defaultdict

failed: Counter[str] = Counter()
load = {"busy": 0, "most": 0}
gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)


async def answer(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes, str]:
    match path.partition("?")[0].split("/")[1:]:
        case ["slow", milliseconds]:
            await asyncio.sleep(int(milliseconds) / 1000)
        case ["gate", name]:
            await gates[name].wait()
        case ["open", name]:
            gates[name].set()
        case ["status", status]:
            return int(status), b"", ""
        case ["large", size]:
            return 200, b"x" * int(size), ""
        case ["fails", times, _]:
            failed[path] += 1
            return (503 if failed[path] <= int(times) else 200), b"", "retry-after: 0\r\n"
        case ["most"]:
            return 200, str(load["most"]).encode(), ""
        case ["to"]:
            return 302, b"", "location: /echo\r\n"
        case _:
            pass
    told = {"method": method, "path": path, "headers": headers, "body": body.decode()}
    return 200, json.dumps(told).encode(), "set-cookie: a=1\r\nset-cookie: b=2\r\n"


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            method, path, _ = first.split(" ")
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            load["busy"] += 1
            load["most"] = max(load["most"], load["busy"])
            status, content, more = await answer(method, path, headers, body)
            load["busy"] -= 1
            writer.write(f"HTTP/1.1 {status} x\r\n{more}content-length: {len(content)}\r\n\r\n".encode() + content)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    # It ends with whoever started it.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
