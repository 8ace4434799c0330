"""How long after kill -9 does the server answer again, with many events that are not sealed?

Workload: events of about 550 bytes sent over HTTP while the sealing process is held (SIGSTOP), so that none is sealed;
then every process of the server is killed, and it is started again. Time runs from the start of the process to the
first 200 of `/readyz`, and to the first page of a search.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

from bench import load, measure, server

EVENTS = 250_000


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS)
    measure.keep("restart", __doc__, [restart(given.events)])


def restart(count: int) -> dict[str, Any]:
    """Fill, kill, start again."""
    with server.home() as home:
        token = server.make_token(home)
        first = server.start(home, token)
        try:
            first.wait_until_ready()
            _load_without_sealing(first, count)
            before = first.sizes()
        finally:
            for pid in reversed(first.pids()):
                os.kill(pid, signal.SIGKILL)
            first.process.wait()
        start = time.perf_counter()
        second = server.start(home, token)
        try:
            second.wait_until_ready()
            ready_s = time.perf_counter() - start
            status, _ = second.ask("/api/v1/events?query=actor:u-00007")
            searched_s = time.perf_counter() - start
            after = second.sizes()
        finally:
            second.stop()
    assert status == 200
    assert after["acknowledged"] >= before["acknowledged"]
    return measure.figure(
        "start after kill -9",
        unsealed=before["acknowledged"] - before["sealed"],
        seconds_until_ready=round(ready_s, 2),
        seconds_until_first_search=round(searched_s, 2),
    )


def _load_without_sealing(target: server.Server, count: int) -> None:
    ended = threading.Event()
    holder = threading.Thread(target=_hold_sealers, args=(target, ended))
    holder.start()
    try:
        messages = itertools.cycle(load.batches(target.token, min(100, count // load.BATCH)))
        load.run(target.port, itertools.islice(messages, count // load.BATCH))
    finally:
        ended.set()
        holder.join()


def _hold_sealers(target: server.Server, ended: threading.Event) -> None:
    """Stop the sealing process as soon as it is there: it needs longer than that to load what it needs."""
    while not ended.wait(0.02):
        for pid in target.pids():
            if b"segment.sealer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGSTOP)


if __name__ == "__main__":
    main()
