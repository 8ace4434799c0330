"""A log worth attacking: sources, holds, erasures by right, sealed and unsealed events, witnesses, kept checkpoints."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.source_facts import source_facts

from tallystick.event.admission import Admission, SourceRules
from tallystick.event.batch import Batch
from tallystick.event.catalogue import load_shipped
from tallystick.event.erasure import Decision, Part
from tallystick.event.pseudonym import Pseudonyms
from tallystick.ledger import ErasureOrder, Ledger, LedgerOptions, load_or_create_pseudonym_key, product_admission
from tallystick.ledger.genesis import admit_events
from tallystick.note import (
    CosignatureSigner,
    Policy,
    PolicyLog,
    PolicyWitness,
    format_policy,
    format_signature,
    parse_log_vkey,
    parse_note,
)
from tallystick.testing import BatchMaker, ManualClock

from .attacker import Attacker

ORIGIN = "ledger.example.org/acme"
WITNESS = CosignatureSigner("witness.example.net/one", bytes(range(32)))
OPTIONS = LedgerOptions(background=False, reserve_bytes=0)
GITLAB, CRM = 1, 2
DAY_S = 86_400
DECIDED = ((20, 5), (40, 5))
HELD = ((100, 10),)


@dataclass
class Scene:
    """One copy of the world: what an attack works on, and what honest outsiders hold."""

    root: Path
    clock: ManualClock
    vkey: str

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def kept(self) -> list[Path]:
        """The checkpoints that an auditor keeps elsewhere; the newest is younger than nine tenths of the log."""
        return sorted((self.root / "kept").iterdir())

    @property
    def older(self) -> Path:
        """The data directory as it was at the first kept checkpoint."""
        return self.root / "older"

    @property
    def policy(self) -> bytes:
        log, witness = PolicyLog(parse_log_vkey(self.vkey)), PolicyWitness("one", WITNESS.verifier)
        return format_policy(Policy(logs=(log,), witnesses=(witness,), quorum="one"))

    @property
    def attacker(self) -> Attacker:
        return Attacker(self.data)

    @property
    def admission(self) -> Admission:
        return Admission(load_shipped(), Pseudonyms(load_or_create_pseudonym_key(self.data)))

    def run(self, work: Callable[[Ledger], object]) -> None:
        """Let the real program do something: whoever holds the machine can make it sign anything."""
        product = product_admission(self.admission)
        ledger = Ledger.open(self.data, self.state, admission=product, clock=self.clock, options=OPTIONS)
        try:
            work(ledger)
            ledger.advance()
        finally:
            ledger.close()

    def record(self, ledger: Ledger, *events: dict[str, Any]) -> Sequence[int]:
        """Append events of the product and return their indexes."""
        now = self.clock.now_us()
        return ledger.append(admit_events(product_admission(self.admission), events, now), 0).indexes

    def erase(self, ledger: Ledger, order: ErasureOrder) -> None:
        """Destroy content and say so, without asking whether that is allowed."""
        ledger._parts.eraser.destroy(order)
        self.record(ledger, product("content.erased", order.metadata()))
        ledger._parts.eraser.finish()

    def cosign(self) -> None:
        """Let the witness sign the published checkpoint, and keep it as the ledger does."""
        note = (self.data / "ledger/main/checkpoint").read_bytes()
        time_s = self.clock.now_us() // 1_000_000
        witnessed = note + format_signature(WITNESS.cosign(parse_note(note).text, time_s))
        minute = datetime.fromtimestamp(time_s, UTC)
        day = self.data / "ledger/main/cosigned" / f"{minute:%Y-%m-%d}"
        day.mkdir(parents=True, exist_ok=True)
        (day / f"{minute:%H%M}").write_bytes(witnessed)
        (self.data / "ledger/main/checkpoint.witnessed").write_bytes(witnessed)

    def keep(self, name: str) -> None:
        (self.root / "kept").mkdir(exist_ok=True)
        shutil.copy(self.data / "ledger/main/checkpoint", self.root / "kept" / name)

    def copy(self, root: Path) -> Scene:
        shutil.copytree(self.root, root, copy_function=shutil.copy)
        clock = ManualClock(self.clock.now_us())
        return replace(self, root=root, clock=clock)

    def events(self, count: int, source: int = GITLAB) -> Batch:
        rules = SourceRules(source, "s", ("",), "opaque" if source == GITLAB else "personal")
        batches = [sample(number, source) for number in range(count)]
        body = b"[" + b",".join(batches) + b"]"
        return self.admission.admit(body, rules, now_us=self.clock.now_us())


def sample(number: int, source: int) -> bytes:
    """Return one event as a sender sends it."""
    return (
        f'{{"action":"release.updated","actor":{{"id":"user-{number % 7}","type":"user","name":"Ana {number}"}},'
        f'"target":{{"id":"r-{number % 5}","type":"release"}},"scope":"acme/payments","occurred_at":"2026-11-21T01:00:00Z",'
        f'"context":{{"ip":"192.0.2.{number % 250}","request_id":"r{source}-{number}"}}}}'
    ).encode()


def product(action: str, metadata: dict[str, Any], person: str = "ana") -> dict[str, Any]:
    """Return an event of the product, done by a person."""
    return {
        "action": action,
        "actor": {"id": person, "type": "user"},
        "target": {"id": ORIGIN, "type": "ledger"},
        "scope": "tallystick",
        "occurred_at": "2026-11-21T01:00:00Z",
        "metadata": metadata,
    }


def registered(number: int, name: str) -> dict[str, Any]:
    return product("source.registered", source_facts(number, name))


def loose(facts: bytes, *, class_number: int = 2, personal: bytes = b"{}", ids: bytes | None = None) -> Batch:
    """Return a batch of one event with exactly these facts, as admission would never make it."""
    return BatchMaker(1).assemble([facts], [personal], [class_number], ids=ids)


def build_world(root: Path) -> Scene:
    """Return the world, made by the real ledger. Genesis is in 0 to 3, registrations in 4 and 5, then events."""
    clock = ManualClock()
    scene = Scene(root, clock, "")
    load_or_create_pseudonym_key(scene.data)
    made = Ledger.create(
        scene.data,
        scene.state,
        origin=ORIGIN,
        admission=product_admission(scene.admission),
        clock=clock,
        options=OPTIONS,
    )
    scene.vkey = made.vkeys[0]
    made.close()
    scene.run(lambda ledger: _begin(scene, ledger))
    scene.cosign()
    scene.keep("1-early")
    shutil.copytree(scene.data, scene.older)
    scene.run(lambda ledger: _live(scene, ledger))
    for _ in range(3):  # quiet days, in which the witness signs the same tree again
        clock.advance(DAY_S)
        scene.cosign()
    scene.run(lambda ledger: _go_on(scene, ledger))
    scene.cosign()
    scene.keep("2-late")
    clock.advance(60)
    scene.run(lambda ledger: ledger.append(scene.events(12), GITLAB))
    return scene


def _begin(scene: Scene, ledger: Ledger) -> None:
    scene.record(ledger, registered(GITLAB, "gitlab"), registered(CRM, "crm"))
    for _ in range(3):
        scene.clock.advance(60)
        ledger.append(scene.events(40), GITLAB)
        ledger.advance()
    ledger.append(scene.events(40, CRM), CRM)
    ledger.rotate()
    ledger.advance()


def _live(scene: Scene, ledger: Ledger) -> None:
    scene.clock.advance(60)
    scene.record(ledger, product("hold.placed", {"hold": "case-7", "ranges": [list(each) for each in HELD]}))
    for ranges, part in ((DECIDED[:1], Part.ALL), (DECIDED[1:], Part.PERSONAL)):
        asked = {"ranges": [list(each) for each in ranges], "part": part.value, "ground": "a person asked"}
        request = scene.record(ledger, product("erasure.requested", asked))[0]
        approval = scene.record(ledger, product("erasure.approved", {"request": request}, "ben"))[0]
        order = ErasureOrder(ranges, part, Decision(request, (approval,)))
        ledger.erase(order, product_admission(scene.admission))
    for _ in range(4):
        scene.clock.advance(60)
        ledger.append(scene.events(60), GITLAB)
        ledger.advance()
    ledger.rotate()
    ledger.advance()


def _go_on(scene: Scene, ledger: Ledger) -> None:
    for _ in range(3):
        scene.clock.advance(60)
        ledger.append(scene.events(45, CRM), CRM)
        ledger.advance()
