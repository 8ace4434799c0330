"""A process that appends as fast as it can until it is killed; each acknowledged batch is printed as one line."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from tallystick.ledger import Ledger, LedgerOptions, Rotation
from tallystick.testing import BatchMaker


def main() -> None:
    data, state, seed = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    options = LedgerOptions(rotation=Rotation(events=1500), integrate_every_s=0.01, reserve_bytes=0)
    ledger = Ledger.open(data, state, options=options)

    def send(number: int) -> None:
        maker = BatchMaker(seed * 100 + number)
        while True:
            batch = maker.batch(1 + number * 13)
            receipt = ledger.append(batch, number)
            line = f"{receipt.indexes[0]} {len(batch)} {receipt.leaves.hex()}\n"
            os.write(1, line.encode())  # one write, so lines of several threads do not mix

    for number in range(1, 4):
        threading.Thread(target=send, args=(number,), daemon=True).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
