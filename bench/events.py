"""Made-up events of the two sizes that the figures are stated for, from a seed.

`small`: about 550 bytes as sent. `wide`: about 680 bytes, with random request, session, trace and target ids, 5,000
actors, 10,000 scopes and 3,000 addresses: the shape that compresses worst.

`python -m bench.events --events N --shape wide` writes them to standard output, one batch a line: benchmarks read them
from such a process, so that making events is not counted as the product's work.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any, Literal

import msgspec

Shape = Literal["small", "wide"]
ACTIONS = (
    "user.signed_in", "user.sign_in_failed", "record.viewed", "record.changed", "record.exported", "release.created",
    "release.updated", "membership.added", "role.granted", "security_policy.updated", "vpn.connected", "dns.queried",
)  # fmt: skip
OUTCOMES = ("success",) * 17 + ("failure", "failure", "denied")
START = datetime(2026, 1, 1, tzinfo=UTC)
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36"
ACTORS, SCOPES, ADDRESSES, TARGETS = 5_000, 10_000, 3_000, 20_000
RARE_EVERY = 10_007
RARE_WORDS = tuple("".join(parts) for parts in product(("quetzal", "xylo", "zephyr", "okapi"), ("coatlus", "phones")))
_encode = msgspec.json.Encoder().encode


def batches(count: int, size: int, shape: Shape = "small", seed: int = 1) -> Iterator[bytes]:
    """Yield JSON arrays of `size` events until `count` events are out."""
    chance = random.Random(seed)
    known = targets(chance)
    for first in range(0, count, size):
        yield _encode([event(first + offset, chance, shape, known) for offset in range(min(size, count - first))])


def targets(chance: random.Random) -> list[str]:
    """Return the ids that the events of this seed are about; the first thing made from it."""
    return [uuid(chance) for _ in range(TARGETS)]


def event(number: int, chance: random.Random, shape: Shape, known: list[str]) -> dict[str, Any]:
    """Return event `number`; one a second from the start of 2026, so that ten million span four months."""
    actor = int(ACTORS * chance.random() ** 2)
    scope = int(SCOPES * chance.random() ** 2)
    occurred_at = START + timedelta(seconds=number, microseconds=int(1e6 * chance.random()))
    made: dict[str, Any] = {
        "action": ACTIONS[int(len(ACTIONS) * chance.random() ** 2)],
        "actor": {"id": actor_id(actor), "type": "user", "name": f"Person {actor}"},
        "target": {"id": known[int(TARGETS * chance.random())], "type": "record", "name": f"record of {actor % 97}"},
        "scope": scope_path(scope),
        "occurred_at": occurred_at.isoformat(),
        "outcome": OUTCOMES[int(len(OUTCOMES) * chance.random())],
        "context": {
            "ip": address(int(ADDRESSES * chance.random())),
            "user_agent": AGENT,
            "request_id": uuid(chance),
            "auth_method": "password",
        },
        "metadata": {"note": note(number), "shard": number % 64},
    }
    if shape == "wide":
        made["context"]["session_id"] = uuid(chance)
        made["metadata"]["trace"] = f"{chance.getrandbits(128):032x}"
        made["metadata"]["branch"] = f"feature/improve-{actor % 300}"
    return made


def actor_id(number: int) -> str:
    return f"u-{number:05d}"


def scope_path(number: int) -> str:
    return f"acme/group-{number % 100}/project-{number}"


def address(number: int) -> str:
    return f"10.{number // 256}.{number % 256}.7"


def note(number: int) -> str:
    """Return words that nearly every event has, or for one event in `RARE_EVERY` one of eight that few have."""
    many, rest = divmod(number, RARE_EVERY)
    return "routine work of the day" if rest else RARE_WORDS[many % len(RARE_WORDS)]


def uuid(chance: random.Random) -> str:
    """Return a random UUID (version 4) as text."""
    text = f"{chance.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


@contextmanager
def made_elsewhere(count: int, size: int, shape: Shape, seed: int = 1) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Yield another process, by its number, and the batches as it makes them."""
    options = {"--events": count, "--batch": size, "--shape": shape, "--seed": seed}
    words = [str(word) for option in options.items() for word in option]
    with subprocess.Popen([sys.executable, "-m", "bench.events", *words], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield process.pid, (line.rstrip(b"\n") for line in process.stdout)
        finally:
            process.kill()


def main() -> None:
    """Write batches to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument("--shape", choices=("small", "wide"), default="small")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for body in batches(given.events, given.batch, given.shape, given.seed):
        sys.stdout.buffer.write(body + b"\n")


if __name__ == "__main__":
    main()
