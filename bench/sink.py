"""A receiver of streams that costs little: answers every request at once and counts events. `python -m bench.sink PORT`.

A line on standard output for every second in which something came: seconds, events so far.
"""

from __future__ import annotations

import asyncio
import sys
import time

MARK = b'"timestamp":"'
"""Stands in each event's envelope once, and in no event of the benchmarks."""


class Sink(asyncio.Protocol):
    """One connection; requests have a content-length, as ours do."""

    events = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._buffer[:end]).lower()
            size = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
            if len(self._buffer) < end + 4 + size:
                return
            Sink.events += self._buffer.count(MARK, end + 4, end + 4 + size)
            del self._buffer[: end + 4 + size]
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", int(sys.argv[1]))
    async with server:
        told = 0
        while True:
            await asyncio.sleep(0.2)
            if told != Sink.events:
                told = Sink.events
                sys.stdout.write(f"{time.time():.3f} {told}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
