"""Batches of events as admission would make them, without a catalogue and repeatable."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from tallystick.event.batch import Batch, admission_checksum
from tallystick.event.commitment import content_digest, facts_digest, personal_digest

STANDARD_CLASS = 2


class BatchMaker:
    """Makes batches from a seed: the same calls give the same bytes."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._made = 0

    def batch(self, count: int, *, class_number: int = STANDARD_CLASS, given: bool = False, padding: int = 0) -> Batch:
        """Return `count` events with fresh ids; `padding` adds characters to each."""
        facts, personal = [], []
        for _ in range(count):
            self._made += 1
            facts.append(_canonical(_facts(self._made, padding)))
            personal.append(_canonical({"/actor/name": f"Ana {self._made}"}))
        return self.assemble(facts, personal, [class_number] * count, given=given)

    def assemble(
        self,
        facts: Sequence[bytes],
        personal: Sequence[bytes],
        classes: Sequence[int],
        *,
        given: bool = False,
        ids: bytes | None = None,
    ) -> Batch:
        """Return a batch of these exact parts, with fresh salts, and fresh ids where none are given."""
        count = len(facts)
        ids = self._random.randbytes(16 * count) if ids is None else ids
        salts = self._random.randbytes(32 * count)
        contents = b"".join(
            content_digest(
                ids[at * 16 : at * 16 + 16],
                facts_digest(salts[at * 32 : at * 32 + 16], facts[at]),
                personal_digest(salts[at * 32 + 16 : at * 32 + 32], personal[at]),
            )
            for at in range(count)
        )
        return Batch(
            ids=ids,
            given=bytes([given]) * count,
            salts=salts,
            classes=tuple(classes),
            contents=contents,
            facts=tuple(facts),
            personal=tuple(personal),
            checksum=admission_checksum(ids, salts, contents, facts, personal),
        )

    def admit_product(self, body: bytes, now_us: int) -> Batch:
        """Implement `ledger.genesis.ProductAdmission`: keep what a real admission would call facts, unjudged."""
        del now_us
        facts = [_canonical(_normalised(event)) for event in json.loads(body)]
        return self.assemble(facts, [b"{}"] * len(facts), [1] * len(facts))


def _facts(number: int, padding: int) -> dict[str, Any]:
    return {
        "action": "release.updated",
        "actor": {"id": f"user-{number % 17}", "type": "user"},
        "metadata": {"number": number, "padding": "x" * padding},
        "occurred_at": f"2026-11-21T01:{number // 60 % 60:02}:{number % 60:02}.000000Z",
        "outcome": "success",
        "scope": "acme/payments",
        "severity": "low",
        "targets": [{"id": f"release-{number % 5}", "type": "release"}],
    }


def _normalised(event: Mapping[str, Any]) -> dict[str, Any]:
    facts = {name: value for name, value in event.items() if name not in {"id", "target"}}
    occurred_at = str(event["occurred_at"]).replace("+00:00", "Z")
    return facts | {
        "occurred_at": occurred_at,
        "outcome": "success",
        "severity": "informational",
        "targets": [event["target"]],
    }


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
