"""A server for the client's benchmark: 200 bytes for each request, after a delay in seconds, if one is given. Prints its port."""

from __future__ import annotations

import asyncio
import sys
from typing import cast

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 200\r\n\r\n" + b"x" * 200


class Answers(asyncio.Protocol):
    """One connection. Requests have no body and come one after the other, so that each ends with the first empty line."""

    delay_s = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer."""
        if not data.endswith(b"\r\n\r\n"):
            return
        if self.delay_s:
            asyncio.get_running_loop().call_later(self.delay_s, self.transport.write, ANSWER)
        else:
            self.transport.write(ANSWER)


async def main() -> None:
    """Serve until the standard input ends."""
    Answers.delay_s = float(sys.argv[1])
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Answers, "127.0.0.1", 0, backlog=1000)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
