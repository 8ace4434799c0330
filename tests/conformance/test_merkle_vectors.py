"""Every published Merkle vector, through the functions that the product uses (transparency-dev/merkle, C2SP)."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from tests.paths import shared

from tallystick.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    entries_path,
    hash_leaf,
    hash_leaves,
    hash_node,
    parse_tile_path,
    tile_path,
    tiles_for_size,
    verify_consistency,
    verify_inclusion,
    verify_subtree_consistency,
    verify_subtree_inclusion,
)

Case = dict[str, Any]


def _hash(text: str | None) -> bytes:
    return b64decode(text or "", validate=True)


def _path(case: Case) -> list[bytes]:
    return [_hash(item) for item in case["proof"] or []]


def _inclusion(case: Case) -> None:
    verify_inclusion(case["leafIdx"], case["treeSize"], _hash(case["leafHash"]), _path(case), _hash(case["root"]))


def _consistency(case: Case) -> None:
    verify_consistency(case["size1"], case["size2"], _hash(case["root1"]), _hash(case["root2"]), _path(case))


def _subtree_inclusion(case: Case) -> None:
    verify_subtree_inclusion(
        case["leafIdx"],
        case["start"],
        case["end"],
        leaf=_hash(case["leafHash"]),
        path=_path(case),
        subtree_root=_hash(case["root"]),
    )


def _subtree_consistency(case: Case) -> None:
    verify_subtree_consistency(
        case["start"],
        case["end"],
        case["size"],
        subtree_root=_hash(case["root1"]),
        root=_hash(case["root2"]),
        path=_path(case),
    )


@pytest.mark.parametrize(
    ("name", "verify", "must_verify", "must_fail"),
    [
        ("inclusion", _inclusion, 6, 92),
        ("consistency", _consistency, 6, 92),
        ("subtreeinclusion", _subtree_inclusion, 12, 192),
        ("subtreeconsistency", _subtree_consistency, 12, 106),
    ],
)
def test_every_published_proof_gets_the_published_verdict(
    name: str, verify: Callable[[Case], None], must_verify: int, must_fail: int
) -> None:
    verdicts: Counter[bool] = Counter()
    wrong = []
    for line in shared(f"vectors/merkle-rfc6962/{name}.jsonl").read_text().splitlines():
        case = json.loads(line)
        try:
            verify(case)
            accepted = True
        except ProofError:
            accepted = False
        verdicts[accepted] += 1
        if accepted == case["wantErr"]:
            wrong.append(case["path"])
    assert wrong == []
    assert verdicts == {True: must_verify, False: must_fail}


def test_hashes_and_roots_are_those_of_certificate_transparency() -> None:
    known = json.loads(shared("vectors/merkle-rfc6962/hasher.json").read_text())
    assert bytes.fromhex(known["empty_root_hex"]) == EMPTY_ROOT == Frontier().root
    assert hash_leaf(b"").hex() == known["empty_leaf_hex"]
    assert hash_leaf(known["leaf"]["data_ascii"].encode()).hex() == known["leaf"]["hash_hex"]
    node = known["node"]
    assert hash_node(node["left_ascii"].encode(), node["right_ascii"].encode()).hex() == node["hash_hex"]
    leaves = [bytes.fromhex(data) for data in known["leaves_hex"]]
    roots = {
        size: Frontier().grow(hash_leaves(leaves[: int(size)]))[0].root.hex() for size in known["root_hex_by_size"]
    }
    assert roots == known["root_hex_by_size"]


def test_tile_paths_and_tile_sets_are_those_printed_in_the_specification() -> None:
    examples = json.loads(shared("vectors/c2sp-spec-examples/examples.json").read_text())
    for named in examples["tile_paths"]:
        assert tile_path(named["level"], named["index"]) == named["path"]
        assert parse_tile_path(named["path"]).index == named["index"]
    for printed in examples["tile_sets"]:
        tiles = list(tiles_for_size(printed["tree_size"]))
        full = Counter(tile.level for tile in tiles if tile.width == 256)
        partial = {tile.level: tile.width for tile in tiles if tile.width < 256}
        assert full[0] == printed["full_level0"]
        assert full[1] == printed["full_level1"]
        for level in range(3):
            assert partial.get(level, 0) == printed.get(f"partial_level{level}_width", partial.get(level, 0))


def test_the_tessera_log_grows_to_the_same_tiles() -> None:
    log = shared("vectors/tessera-testlog/log")
    words = [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eit",
        "nain",
        "ten",
        "ileven",
        "twelf",
        "threeten",
        "fourten",
        "fivten",
    ]
    frontier = Frontier()
    compared = 0
    for size, word in enumerate(words, start=1):
        frontier, tiles = frontier.grow(hash_leaf(word.encode()))
        assert [tile.path for tile in tiles] == [tile_path(0, 0, size)]
        assert tiles[0].hashes == (log / tiles[0].path).read_bytes()
        assert (log / entries_path(0, size)).exists()
        compared += 1
    assert compared == len(list((log / "tile/0/000.p").iterdir()))
