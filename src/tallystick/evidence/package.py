"""Making an evidence package: the proofs of many events under one checkpoint (`docs/format/package.md`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO, Final

from tallystick.event.disclosure import Disclosure, format_disclosure
from tallystick.evidence.prove import COMMIT_S_MAX, Log, size_of
from tallystick.note.proof import Proof, format_proof
from tallystick.verify.package_format import Evidence, write_package

_COUNT_EVERY: Final = 64


def choose_checkpoint(log: Log, size: int) -> bytes:
    """Return the newest checkpoint that witnesses cosigned, where it covers a log of that size, else the newest.

    Raises NotCommittedError when none covers it within ten seconds.
    """
    log.wait_committed(size, COMMIT_S_MAX)
    note = log.witnessed_checkpoint()
    return note if note is not None and size_of(note) >= size else log.checkpoint()


def package_events(
    log: Log,
    keys: tuple[str, ...],
    disclosures: Iterable[Disclosure],
    *,
    checkpoint: bytes,
    created_at: str,
    about: Mapping[str, str],
) -> Callable[[BinaryIO, Callable[[int], object]], None]:
    """Return what writes the package; it is told what is to be told how many events more were written.

    It calls no range complete: it holds what a question found, as far as its asker may see.
    """
    size = size_of(checkpoint)

    def proofs(count: Callable[[int], object]) -> Iterator[tuple[int, bytes]]:
        written = 0
        for each in disclosures:
            path = tuple(log.prove_inclusion(each.index, size))
            yield each.index, format_proof(Proof(each.index, path, checkpoint, format_disclosure(each)))
            written += 1
            if written == _COUNT_EVERY:
                count(written)
                written = 0
        count(written)

    def write(sink: BinaryIO, count: Callable[[int], object]) -> None:
        write_package(sink, Evidence(checkpoint, keys, proofs(count), created_at, (), about))

    return write
