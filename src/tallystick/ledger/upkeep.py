"""What is done to a running ledger on somebody's order: change its key, erase content."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable

from tallystick.errors import TallystickError
from tallystick.event.batch import Batch
from tallystick.ledger.erase import ErasureOrder
from tallystick.ledger.errors import IdConflictError
from tallystick.ledger.genesis import (
    PRODUCT_SOURCE,
    ProductAdmission,
    admit_events,
    product_event,
    retired_event,
    rotated_event,
)
from tallystick.ledger.keys import LedgerKeys, prepare_next_key, promote_next_key, retire_previous_key
from tallystick.ledger.model import Receipt
from tallystick.ledger.opening import Parts

Append = Callable[[Batch, int], Receipt]


def rotate_key(parts: Parts, append: Append, admission: ProductAdmission, reason: str) -> None:
    """Put a new signing key in force; the old one signs beside it until `retire_key`.

    Done again after an interruption, it goes on with the same new key. Order: both keys sign, the log names the new
    one, the new one becomes the current one.
    """
    disk, layout = parts.place.disk, parts.place.layout
    use_keys(parts, prepare_next_key(disk, layout, parts.place.options.entropy))
    old, new = parts.keys.vkeys[0], parts.keys.vkeys[1]
    now = parts.place.clock.now_us()
    event_id = str(uuid.uuid5(uuid.NAMESPACE_URL, new))
    event = rotated_event(parts.keys.origin, old, new, reason, now, event_id)
    with contextlib.suppress(IdConflictError):  # an interrupted attempt said it already, a moment earlier
        append(admit_events(admission, [event], now), PRODUCT_SOURCE)
    use_keys(parts, promote_next_key(disk, layout))


def retire_key(parts: Parts, append: Append, admission: ProductAdmission) -> None:
    """Stop signing with the key before the current one, and destroy it; where there is none, nothing happens."""
    for old in parts.keys.vkeys[1:]:
        now = parts.place.clock.now_us()
        event_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{old} retired"))
        with contextlib.suppress(IdConflictError):  # an interrupted attempt said it already
            append(admit_events(admission, [retired_event(parts.keys.origin, old, now, event_id)], now), PRODUCT_SOURCE)
    use_keys(parts, LedgerKeys(parts.keys.signers[:1]))
    # A crash here leaves the old key in place: it signs again until it is retired again.
    use_keys(parts, retire_previous_key(parts.place.disk, parts.place.layout))


def use_keys(parts: Parts, keys: LedgerKeys) -> None:
    """Sign with these keys from now on."""
    if keys.vkeys != parts.keys.vkeys:
        parts.integrator.use_keys(keys)
        parts.keys = keys


def erase(parts: Parts, append: Append, admission: ProductAdmission, order: ErasureOrder) -> Receipt:
    """Destroy content and record it; raise ErasureRefusedError, with nothing changed, when the rule forbids it."""
    with parts.state.manifest_turn:
        parts.eraser.require_allowed(order)
        return carry_out(parts, append, admission, order)


def carry_out(parts: Parts, append: Append, admission: ProductAdmission, order: ErasureOrder) -> Receipt:
    """Do what was found to be allowed, at once or at the next start.

    A failure after content went stops the ledger, so that nothing (a hold, say) can come between the absence and the
    event that accounts for it: the next start finishes before it takes events.
    """
    with parts.state.manifest_turn:
        try:
            parts.eraser.destroy(order)
            now = parts.place.clock.now_us()
            event = product_event("content.erased", ("ledger", parts.keys.origin), order.metadata(), now)
            receipt = append(admit_events(admission, [event], now), PRODUCT_SOURCE)
            parts.eraser.finish()
        except (OSError, TallystickError) as error:
            if parts.eraser.cancel(order):
                raise
            parts.state.stop_writing(f"an erasure was interrupted ({error}); the next start finishes it")
            raise
        return receipt
