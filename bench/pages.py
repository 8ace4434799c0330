"""How long does the events page take over how many events, what does it weigh, and what when 200 readers load it at once?

Workload: a real server on sealed events of about 680 bytes and some 20,000 that are not sealed yet. People with sessions
load the page with 100 rows over HTTP, the way a browser does; each look is put on record (with a sync) before it is
answered. The counts beside the table, which a large ledger sends after the page, are timed by themselves.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from http.client import HTTPConnection
from typing import Any, cast

from litestar.testing import TestClient

from bench import ledger, measure, server
from bench.readers import ADDRESS, Reader, admit
from tallystick.access.model import Caller
from tallystick.access.people.sessions import SessionService
from tallystick.server import Instance
from tallystick.web.site import create_site

EVENTS = 10_000_000
ROUNDS = 100
READERS = 200
REFRESHES = 3
GROUP = "acme/group-7"
ANSWER_S_MAX = 120


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS, rounds=ROUNDS, readers=READERS)
    with server.home(given.data) as home:
        filled = ledger.filled(home, given.events, "wide")
        with ledger.opened(home) as instance:
            ledger.leave_tail(instance, min(ledger.TAIL, filled.events // 5))
            size = instance.ledger.snapshot().size
            crowd = admit(instance, given.readers)
            restricted = admit(instance, 1, GROUP)[0]
            figures = [checks(instance, crowd[0], size, given.rounds)]
        with server.running(data=home) as target:
            asking = Asking(target, size, given.rounds)
            figures += [*asking.pages(crowd[0], restricted), asking.weight(crowd[0]), asking.crowd(crowd)]
    measure.keep("pages", __doc__, figures)


def checks(instance: Instance, reader: Reader, size: int, rounds: int) -> dict[str, Any]:
    """Compare the page behind session and grants with the same page for a caller who needs neither; they take turns at being first."""
    caller = instance.services.sessions.authenticate(reader.cookie, ADDRESS)
    known = replace(instance.services, sessions=cast("SessionService", Known(caller)))
    ways: dict[str, tuple[TestClient[Any], list[float]]] = {}
    with (
        TestClient(create_site(instance.services)) as checked,
        TestClient(create_site(known)) as unchecked,
    ):
        ways = {"checked": (checked, []), "unchecked": (unchecked, [])}
        for number in range(rounds + 10):
            for http, times in sorted(ways.values(), key=lambda way: way[0] is checked, reverse=number % 2 == 0):
                start = time.perf_counter()
                answer = http.get(f"/events?q=index%3E%3D{number}", headers={"cookie": f"tallystick={reader.cookie}"})
                times.append(time.perf_counter() - start)
                assert answer.status_code == 200
    medians = {name: measure.percentile(times[10:], 0.5) for name, (_, times) in ways.items()}
    added = medians["checked"] / medians["unchecked"] - 1
    return measure.figure(
        "what session and permissions add to the page, in process",
        events=size,
        p50_ms={name: round(value * 1000, 2) for name, value in medians.items()},
        added_percent=round(added * 100, 2),
    )


@dataclass(frozen=True, slots=True)
class Known:
    """Stands where sessions are looked up, and looks nothing up."""

    caller: Caller

    def authenticate(self, _cookie: str, _address: str) -> Caller:
        return self.caller


@dataclass(frozen=True, slots=True)
class Asking:
    """One server, and how often it is asked."""

    target: server.Server
    events: int
    rounds: int

    def figure(self, name: str, **values: Any) -> dict[str, Any]:
        """Return a figure about this ledger."""
        return measure.figure(name, events=self.events, **values)

    def pages(self, everything: Reader, restricted: Reader) -> list[dict[str, Any]]:
        """Return the times of the page and of its counts, for who reads everything and who reads one scope."""
        figures = []
        for who, reader in (("unfiltered", everything), (f"reader of {GROUP} only", restricted)):
            for part, path in (("events page with 100 rows", "/events"), ("its counts", "/events/overview")):
                before = self._cpu_s()
                times = self._timed(reader, [path] * self.rounds)
                cpu_ms = round((self._cpu_s() - before) * 1000 / (self.rounds + 1), 1)
                figures.append(self.figure(f"{part}, {who}", ms=measure.summary_ms(times), cpu_ms_per_page=cpu_ms))
        return figures

    def weight(self, reader: Reader) -> dict[str, Any]:
        """Return the bytes of the page and of all that it loads, as they cross the wire."""
        page, wire = self._get(reader, "/events")
        _, counts = self._get(reader, "/events/overview")
        loaded = sorted(set(re.findall(rb'(?:src|href)="(/static/[^"]+)"', page)))
        files = {path.decode().rpartition("/")[2]: self._get(reader, path.decode()) for path in loaded}
        for name, (body, _) in list(files.items()):  # modules that modules import
            if name.endswith(".js"):
                root = loaded[0].decode().split("/", 3)[:3]
                for imported in re.findall(rb'from "\./([\w.-]+)"', body):
                    files[imported.decode()] = self._get(reader, "/".join([*root, imported.decode()]))
        rest = sum(size for _, size in files.values())
        return self.figure(
            "weight of the events page, compressed",
            page_bytes=wire,
            counts_bytes=counts,
            style_and_script_bytes=rest,
            everything_bytes=wire + counts + rest,
            files=len(files),
        )

    def crowd(self, readers: Sequence[Reader]) -> dict[str, Any]:
        """Return what each of many readers waits for when all load the page at the same moment, some times in a row."""
        before = self._cpu_s()
        seconds, statuses, took = asyncio.run(_refresh(self.target.port, readers))
        return self.figure(
            f"{len(readers)} signed-in readers refreshing at once",
            ms=measure.summary_ms(seconds),
            pages=len(seconds),
            cpu_ms_per_page=round((self._cpu_s() - before) * 1000 / len(seconds), 1),
            pages_per_s=round(len(seconds) / took, 1),
            statuses={str(status): statuses.count(status) for status in sorted(set(statuses))},
        )

    def _cpu_s(self) -> float:
        return measure.cpu_s(self.target.pids())

    def _timed(self, reader: Reader, paths: Sequence[str]) -> list[float]:
        times = []
        with closing(HTTPConnection("127.0.0.1", self.target.port, timeout=ANSWER_S_MAX)) as connection:
            for number, path in enumerate(["/events", *paths]):
                start = time.perf_counter()
                connection.request("GET", path, headers=_headers(reader))
                answer = connection.getresponse()
                answer.read()
                assert answer.status == 200, answer.status
                if number:
                    times.append(time.perf_counter() - start)
        return times

    def _get(self, reader: Reader, path: str) -> tuple[bytes, int]:
        """Return a body and the bytes that it took on the wire, without headers."""
        with closing(HTTPConnection("127.0.0.1", self.target.port, timeout=ANSWER_S_MAX)) as connection:
            connection.request("GET", path, headers=_headers(reader))
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, (path, answer.status)
            plain: Callable[[bytes], bytes] = gzip.decompress if answer.getheader("content-encoding") else bytes
            return plain(body), len(body)


async def _refresh(port: int, readers: Sequence[Reader]) -> tuple[list[float], list[int], float]:
    """Return seconds and status of every page, and how long it all took; connections are open beforehand."""
    seconds: list[float] = []
    statuses: list[int] = []
    together = asyncio.Barrier(len(readers))

    async def refresh(reader: Reader) -> None:
        incoming, outgoing = await asyncio.open_connection("127.0.0.1", port, limit=1 << 22)
        lines = [f"{name}: {value}" for name, value in {"Host": "127.0.0.1", **_headers(reader)}.items()]
        message = "\r\n".join(["GET /events HTTP/1.1", *lines, "", ""]).encode()
        for _ in range(REFRESHES):
            await together.wait()
            start = time.perf_counter()
            outgoing.write(message)
            head = await incoming.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", head)
            assert length is not None, head
            await incoming.readexactly(int(length[1]))
            seconds.append(time.perf_counter() - start)
            statuses.append(int(head[9:12]))
        outgoing.close()

    start = time.perf_counter()
    await asyncio.gather(*(refresh(reader) for reader in readers))
    return seconds, statuses, time.perf_counter() - start


def _headers(reader: Reader) -> dict[str, str]:
    return {"Cookie": f"tallystick={reader.cookie}", "Accept": "text/html", "Accept-Encoding": "gzip"}


if __name__ == "__main__":
    main()
