"""A load generator that costs little: prepared HTTP requests over raw sockets, one asyncio task a connection.

As a program it sends batches of 1,000 to a server until it is killed, with the token that TALLYSTICK_TOKEN holds.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench import events

BATCH = 1_000
CONNECTIONS = 4


@dataclass(slots=True)
class LoadResult:
    """What the clients saw: answers of each status, seconds each took, and the whole run's length."""

    seconds: float = 0.0
    latencies_s: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)


def request(path: str, token: str, body: bytes, host: str = "127.0.0.1") -> bytes:
    """Return one HTTP/1.1 POST with everything in it."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def batches(token: str, count: int = 100) -> list[bytes]:
    """Return requests of 1,000 events each."""
    return [request("/api/v1/events", token, body) for body in events.batches(count * BATCH, BATCH)]


def run(port: int, requests: Iterable[bytes], connections: int = CONNECTIONS, *, every_s: float = 0.0) -> LoadResult:
    """Send every request and return what came back; each connection begins one at most every `every_s` seconds."""
    return asyncio.run(_run(port, iter(requests), connections, every_s))


@contextmanager
def pressing(port: int, token: str, *, events_per_s: int = 0) -> Iterator[None]:
    """Send batches from a process of its own meanwhile: as fast as they are taken, or so many events a second."""
    words = [sys.executable, "-m", "bench.load", "--port", str(port), "--rate", str(events_per_s)]
    environment = os.environ | {"TALLYSTICK_TOKEN": token}
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            process.stdout.readline()  # it says when it begins
            yield
        finally:
            process.kill()


async def _run(port: int, requests: Iterator[bytes], connections: int, every_s: float) -> LoadResult:
    result = LoadResult()
    start = time.perf_counter()
    await asyncio.gather(*(_client(port, requests, result, every_s) for _ in range(connections)))
    result.seconds = time.perf_counter() - start
    return result


async def _client(port: int, requests: Iterator[bytes], result: LoadResult, every_s: float) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    for message in requests:
        status = 503
        begun = time.perf_counter()
        while status == 503:  # full for the moment: what was refused is sent again
            start = time.perf_counter()
            writer.write(message)
            await writer.drain()
            status = await _answer(reader)
            result.latencies_s.append(time.perf_counter() - start)
            result.statuses[status] = result.statuses.get(status, 0) + 1
            if status == 503:
                await asyncio.sleep(0.2)
        await asyncio.sleep(max(0.0, begun + every_s - time.perf_counter()))
    writer.close()
    await writer.wait_closed()


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            await reader.readexactly(int(value))
        elif name.lower() == b"transfer-encoding":
            while size := int((await reader.readline()).strip() or b"0", 16):
                await reader.readexactly(size + 2)
            await reader.readline()
    return status


def main() -> None:
    """Send until killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--rate", type=int, default=0, help="events a second; 0 is as many as are taken")
    given = parser.parse_args()
    messages = itertools.cycle(batches(os.environ["TALLYSTICK_TOKEN"]))
    sys.stdout.write("begins\n")
    sys.stdout.flush()
    result = run(given.port, messages, every_s=CONNECTIONS * BATCH / given.rate if given.rate else 0.0)
    sys.stdout.write(json.dumps(result.statuses) + "\n")


if __name__ == "__main__":
    main()
