"""Recording: the one door through which events of every source enter the ledger."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from tallystick.clock import Clock
from tallystick.event.admission import Admission, Media, Rejection
from tallystick.event.batch import Batch
from tallystick.event.gate import SourceRules
from tallystick.ledger.model import Receipt


@dataclass(frozen=True, slots=True)
class Admitted:
    """A batch that passed the door, and what did not."""

    batch: Batch
    rejections: tuple[Rejection, ...] = ()


class RecordService:
    """Admits bodies and hands batches to the ledger; may be used from any thread."""

    def __init__(self, admission: Admission, submit: Callable[[Batch, int], Future[Receipt]], clock: Clock) -> None:
        self.admission = admission
        self._submit = submit
        self._clock = clock

    def now_us(self) -> int:
        """Return the time that admission judges by."""
        return self._clock.now_us()

    def admit(self, body: bytes, source: SourceRules, media: Media, *, partial: bool) -> Admitted:
        """Return what of `body` may enter; without `partial` the first refusal is raised."""
        return admit(self.admission, body, source, media, self.now_us(), partial=partial)

    def submit(self, batch: Batch, source: int) -> Future[Receipt]:
        """Queue a batch; the future resolves when it is durable."""
        return self._submit(batch, source)


def admit(
    admission: Admission, body: bytes, source: SourceRules, media: Media, now_us: int, *, partial: bool
) -> Admitted:
    """Return what of `body` may enter; pure, so that it may run in another process."""
    if not partial:
        return Admitted(admission.admit(body, source, now_us=now_us, media=media))
    return Admitted(*admission.admit_partial(body, source, now_us=now_us, media=media))
