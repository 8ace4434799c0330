"""What the logs that go on from one say about it: erasures of content that it left behind (`docs/format/erasure.md`)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tallystick.errors import VerificationError
from tallystick.event.erasure import ErasureHistory
from tallystick.event.succession import in_order, log_named
from tallystick.verify.codes import Code
from tallystick.verify.history import PRODUCT_CLASS, ProductEvent
from tallystick.verify.model import Findings
from tallystick.verify.snapshot import Home


def names_after(home: Home) -> list[str]:
    """Return the names of the ledgers that followed this one in its directory, in order."""
    folder = home.ledger.parent
    names = in_order(path.name for path in folder.iterdir() if (path / "checkpoint").is_file())
    return names[names.index(home.name) + 1 :] if home.name in names else []


def take_later(
    history: ErasureHistory, origin: str, base: int, events: Iterable[ProductEvent], findings: Findings, place: str
) -> None:
    """Take in what these events of a later log say about the log of this origin; `base` is where that log begins."""
    for event in events:
        facts = json.loads(event.facts)
        if event.class_number != PRODUCT_CLASS or log_named(facts) != origin:
            continue
        try:
            history.apply_elsewhere(base + event.index, event.received_at, facts)
        except VerificationError as error:
            findings.add(Code.PRODUCT_MALFORMED, error.message, place, event.index)
