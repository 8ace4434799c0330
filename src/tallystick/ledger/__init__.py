"""The ledger: the single writer of one log, and all that readers may ask of it.

Acknowledged means durable; committed means under a signed, published checkpoint; sealed means held by segments that
were compared with what was acknowledged. A crash anywhere loses nothing acknowledged, and opening again runs the same
steps as working on. What no crash explains is never repaired: the ledger refuses to open, or stops taking events.
"""

from __future__ import annotations

from tallystick.ledger.erase import ErasureOrder
from tallystick.ledger.genesis import PRODUCT, PRODUCT_SOURCE, ProductAdmission, product_admission
from tallystick.ledger.keys import load_or_create_pseudonym_key
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.lineage import adopt, succeed
from tallystick.ledger.model import Frames, LedgerStatus, Progress, Receipt, Recovery, Snapshot
from tallystick.ledger.options import LedgerOptions, Rotation, WitnessAddress
from tallystick.ledger.wal import FrameRef

__all__ = [
    "PRODUCT",
    "PRODUCT_SOURCE",
    "ErasureOrder",
    "FrameRef",
    "Frames",
    "Ledger",
    "LedgerOptions",
    "LedgerStatus",
    "ProductAdmission",
    "Progress",
    "Receipt",
    "Recovery",
    "Rotation",
    "Snapshot",
    "WitnessAddress",
    "adopt",
    "load_or_create_pseudonym_key",
    "product_admission",
    "succeed",
]
