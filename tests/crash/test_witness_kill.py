"""A witness that is killed at any moment remembers every checkpoint it ever answered for."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

from tallystick.merkle import Frontier, SizedTiles, consistency_path, hash_leaf
from tallystick.note import Checkpoint, Ed25519Signer, open_checkpoint, parse_witness_vkey, sign_checkpoint
from tallystick.witness.client import WitnessClient, WitnessUnavailableError
from tallystick.witness.service import open_witness

LOG = Ed25519Signer("log.example/a", b"L" * 32)
LEAVES = b"".join(hash_leaf(b"%d" % n) for n in range(2000))
READER = SizedTiles(2000, {tile.path: tile.hashes for tile in Frontier().grow(LEAVES)[1]}.get)
ROUNDS = 4

PROGRAM = """
import sys
from pathlib import Path
from tallystick.witness.server import serve

def ready(server):
    print(server.port, server.witness.vkey, flush=True)

serve("127.0.0.1", 0, Path(sys.argv[1]), "witness.example/w", [sys.argv[2]], ready=ready)
"""


def _push(client: WitnessClient, size: int, known: int) -> int:
    root = Frontier().grow(LEAVES[: 32 * size])[0].root
    note = sign_checkpoint(Checkpoint(LOG.name, size, root), LOG)
    return client.push_checkpoint(
        note, LOG.verifier, lambda old: consistency_path(old, size, READER), known_size=known
    ).size


def test_a_killed_witness_remembers_what_it_answered_for(tmp_path: Path) -> None:
    acknowledged, vkeys = 0, set()
    for round_ in range(ROUNDS):
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path), LOG.vkey], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        with process, process.stdout:
            port, vkey = process.stdout.readline().split()
            vkeys.add(vkey)
            with WitnessClient(f"http://127.0.0.1:{port}", parse_witness_vkey(vkey)) as client:
                until = time.monotonic() + 0.1 * (round_ + 1)
                try:
                    while acknowledged < 2000:
                        if time.monotonic() > until:
                            process.send_signal(signal.SIGKILL)
                        acknowledged = _push(client, acknowledged + 1, acknowledged)
                except WitnessUnavailableError:
                    pass
            process.kill()
    assert acknowledged > 0
    assert len(vkeys) == 1
    witness = open_witness(tmp_path, None, [LOG.verifier])
    note = witness.find_checkpoint(sha256(LOG.name.encode()).hexdigest())
    witness.close()
    assert note is not None
    recorded = open_checkpoint(note, LOG.verifier, [parse_witness_vkey(vkeys.pop())]).checkpoint
    assert recorded.size in (acknowledged, acknowledged + 1), "at most the one request without an answer is ahead"
