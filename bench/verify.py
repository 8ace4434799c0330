"""How long does a full verification take, from content to root, columns and summaries included?

Workload: `tallystick verify` on a sealed ledger of events of about 550 bytes, start of the process included; status 0
(everything holds) or there is no figure.
"""

from __future__ import annotations

import json
import resource
import subprocess
import time
from typing import Any

from bench import ledger, measure, server

EVENTS = 1_000_000


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS)
    with server.home(given.data) as home:
        figures = [verify(ledger.filled(home, given.events, "small"))]
    measure.keep("verify", __doc__, figures)


def verify(filled: ledger.Filled) -> dict[str, Any]:
    """Verify in a process of its own; return its time, scaled to a million events too."""
    before, start = _children_cpu_s(), time.perf_counter()
    with subprocess.Popen(
        server.command("verify", filled.data, "--json", "--quiet"), stdout=subprocess.PIPE, text=True
    ) as process:
        with measure.memory_peak_mb(lambda: measure.family(process.pid)) as peak:
            said, _ = process.communicate()
        wall_s = time.perf_counter() - start
    report = json.loads(said)
    if process.returncode:
        raise SystemExit(f"verify: {report['sentence']}")
    return measure.figure(
        "full verify, content to root",
        events=report["checked"],
        seconds=round(wall_s, 2),
        seconds_per_million=round(wall_s / report["size"] * 1e6, 2),
        cpu_us_per_event=round((_children_cpu_s() - before) / report["size"] * 1e6, 2),
        memory_peak_mb=peak[0],
        tier=report["tier"],
    )


def _children_cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
