"""How much memory do all processes of the server hold together, at most, while it takes events as fast as it can?

Workload: events of about 550 bytes, 1,000 a batch, four connections, admission in the server's process. Twice a second
the proportional set sizes of the server and its children are added: a page that two share is counted once.
"""

from __future__ import annotations

import itertools
from typing import Any

from bench import load, measure, server

EVENTS = 10_000_000


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, events=EVENTS)
    measure.keep("memory", __doc__, [peak(given.events)])


def peak(count: int) -> dict[str, Any]:
    """Return the highest sum, and the rate that went with it."""
    with server.running() as target:
        messages = load.batches(target.token)
        with measure.memory_peak_mb(target.pids) as highest:
            result = load.run(target.port, itertools.islice(itertools.cycle(messages), count // load.BATCH))
            accepted = load.BATCH * sum(number for status, number in result.statuses.items() if status < 300)
    return measure.figure(
        "peak memory of all processes while ingesting",
        events=accepted,
        memory_peak_mb=highest[0],
        events_per_s=round(accepted / result.seconds),
        statuses=result.statuses,
    )


if __name__ == "__main__":
    main()
