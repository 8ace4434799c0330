"""The numbers a ledger runs by."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rotation:
    """When a write-ahead log file is closed, so that it can be sealed: whichever comes first."""

    events: int = 256 * 1024
    size_bytes: int = 64 << 20
    age_s: int = 86_400


@dataclass(frozen=True, slots=True)
class WitnessAddress:
    """Where a witness takes checkpoints, and the key it must answer with."""

    url: str
    vkey: str
    monitoring_url: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerOptions:
    """How one ledger behaves. The defaults are those of the server.

    With `background` False there are no threads: a batch is written by whoever submits it, and the rest is done when
    `Ledger.advance` is called. Commands that run once use that, and tests that must be repeatable.
    """

    background: bool = True
    rotation: Rotation = field(default_factory=Rotation)
    integrate_every_s: float = 0.25
    unsealed_files_max: int = 4
    merge_segments_min: int = 8  # neighbours of one class that become one segment when idle; 2 or more
    reserve_bytes: int = 256 << 20
    duplicate_window_s: int = 7 * 86_400
    witnesses: tuple[WitnessAddress, ...] = ()
    witness_quorum: int | None = None  # how many must cosign before it is published; None: all of them
    witness_every_s: float = 3.0
    recosign_every_s: float = 300.0
    entropy: Callable[[int], bytes] = os.urandom
