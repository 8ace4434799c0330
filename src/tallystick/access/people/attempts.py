"""How often may be tried: per address, per account and address, per account; in memory.

A browser or an address from which somebody has signed in before is judged by its own failures alone, so nobody else's
can keep her out.
"""

from __future__ import annotations

import ipaddress
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from tallystick.access.people.errors import SignInSlowedError
from tallystick.clock import Clock

Kind = Literal["device", "pair", "address", "person", "second"]
KEYS_MAX: Final = 50_000
FORGOTTEN_S: Final = 3600.0
IPV6_SITE_BITS: Final = 64


@dataclass(frozen=True, slots=True)
class Rule:
    """So many failures cost nothing; each further one doubles a wait that begins at a second."""

    free: int
    wait_s_max: int


RULES: Final[dict[Kind, Rule]] = {
    "device": Rule(free=10, wait_s_max=300),
    "pair": Rule(free=5, wait_s_max=900),
    "address": Rule(free=30, wait_s_max=900),
    "person": Rule(free=20, wait_s_max=60),
    # Reached only with the right password, so that a long wait here locks out nobody but its thief.
    "second": Rule(free=10, wait_s_max=3600),
}
Key = tuple[Kind, str]


@dataclass(slots=True)
class _Tally:
    failures: int
    last: float
    free_at: float


class Attempts:
    """Counts tries that have not succeeded; may be used from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tallies: dict[Key, _Tally] = {}
        self._lock = threading.Lock()

    def enter(self, keys: Sequence[Key]) -> None:
        """Count a try as failed before it is looked at, so that many at a time gain nothing.

        Raises SignInSlowedError, counting nothing, while one of the keys has to wait.
        """
        now = self._clock.monotonic_s()
        with self._lock:
            tallies = {key: self._tallies.get(key) for key in keys}
            wait = max((tally.free_at - now for tally in tallies.values() if tally is not None), default=0.0)
            if wait > 0:
                raise SignInSlowedError("too many tries failed", retry_after_s=int(wait) + 1)
            for key, tally in tallies.items():
                before = tally.failures if tally is not None and now - tally.last < FORGOTTEN_S else 0
                self._count(key, before + 1, now)

    def succeeded(self, keys: Sequence[Key], cost: int) -> None:
        """Forget the failures of who came in, and take back what the tries cost the address and the account."""
        with self._lock:
            for key in keys:
                tally = self._tallies.get(key)
                if tally is None:
                    continue
                tally.failures = max(0, tally.failures - cost) if key[0] in {"address", "person"} else 0
                tally.free_at = min(tally.free_at, self._clock.monotonic_s())
                if not tally.failures:
                    del self._tallies[key]

    def _count(self, key: Key, failures: int, now: float) -> None:
        rule = RULES[key[0]]
        over = failures - rule.free
        wait = min(2.0 ** min(over, 16), rule.wait_s_max) if over > 0 else 0.0
        self._tallies.pop(key, None)  # the newest stand at the end
        if len(self._tallies) >= KEYS_MAX:
            self._tallies.pop(next(iter(self._tallies)))
        self._tallies[key] = _Tally(failures, now, now + wait)


def site_of(address: str) -> str:
    """Return what one customer of a network usually has: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.IPv6Network((parsed, IPV6_SITE_BITS), strict=False))
    return str(parsed)
