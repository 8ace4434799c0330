from __future__ import annotations

import pytest

from tallystick.merkle import (
    TILE_BYTES,
    Frontier,
    OutsideTreeError,
    SizedTiles,
    TileError,
    TilePathError,
    consistency_path,
    entries_path,
    format_entry_bundle,
    hash_leaf,
    inclusion_path,
    new_tiles,
    parse_entry_bundle,
    parse_tile_path,
    root_at,
    tile_path,
)


def _log(size: int) -> dict[str, bytes]:
    return {tile.path: tile.hashes for tile in Frontier().grow(b"".join(hash_leaf(b"%d" % n) for n in range(size)))[1]}


@pytest.mark.parametrize(
    ("path", "level", "index", "width"),
    [
        ("tile/0/000", 0, 0, 256),
        ("tile/0/x001/x234/067", 0, 1234067, 256),
        ("tile/2/x001/000.p/1", 2, 1000, 1),
        ("tile/63/999.p/255", 63, 999, 255),
        ("tile/entries/000.p/15", None, 0, 15),
    ],
)
def test_a_tile_path_and_what_it_names_are_inverse(path: str, level: int | None, index: int, width: int) -> None:
    named = parse_tile_path(path)
    assert (named.level, named.index, named.width) == (level, index, width)
    assert path == (entries_path(index, width) if level is None else tile_path(level, index, width))


@pytest.mark.parametrize(
    "path",
    [
        "",
        "tile/0",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/64/000",
        "tile/00/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x01/002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/000\n",
        "tile/0/../000",
        "/tile/0/000",
        "tile/8/0/000",
        "tile/0/\u0660\u0660\u0660",
        "tile/0/" + "x999/" * 12 + "999",
        "tile/0/x009/x223/x372/x036/x854/x775/808",
        "tile/data/000",
    ],
)
def test_any_other_spelling_of_a_tile_path_is_refused(path: str) -> None:
    with pytest.raises(TilePathError):
        parse_tile_path(path)


def test_bundles_hold_their_entries_and_nothing_else() -> None:
    entries = [b"", b"x", b"y" * 65535]
    bundle = format_entry_bundle(entries)
    assert parse_entry_bundle(bundle) == entries
    for broken in (b"", bundle[:-1], bundle + b"\0", bundle + b"\0\1", b"\0\0" * 257):
        with pytest.raises(TileError):
            parse_entry_bundle(broken)
    with pytest.raises(TileError):
        format_entry_bundle([b"z" * 65536])
    with pytest.raises(TileError):
        format_entry_bundle([])


def test_growing_names_only_what_the_smaller_tree_had_not() -> None:
    named = [(tile.level, tile.index, tile.width) for tile in new_tiles(250, 520)]
    assert named == [(0, 0, 256), (0, 1, 256), (0, 2, 8), (1, 0, 2)]
    assert list(new_tiles(520, 520)) == []
    assert [(tile.level, tile.width) for tile in new_tiles(520, 521)] == [(0, 9)]


def test_leaves_that_are_not_whole_hashes_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Frontier().grow(b"x" * 33)


def test_a_restart_reads_the_same_edge_back() -> None:
    for size in (0, 1, 255, 256, 257, 511, 512, 700):
        grown = Frontier().grow(b"".join(hash_leaf(b"%d" % n) for n in range(size)))[0]
        assert Frontier.load(size, SizedTiles(size, _log(size).get)) == grown


def test_a_restart_finds_a_full_tile_that_its_parent_denies() -> None:
    files = _log(600)
    tile = bytearray(files["tile/0/001"])
    tile[100] ^= 1
    files["tile/0/001"] = bytes(tile)
    with pytest.raises(TileError, match="tile/0/001"):
        Frontier.load(600, SizedTiles(600, files.get))


def test_a_partial_tile_that_was_cleaned_up_is_read_from_the_full_one() -> None:
    files = _log(512)
    root = Frontier().grow(b"".join(hash_leaf(b"%d" % n) for n in range(300)))[0].root
    assert root_at(300, SizedTiles(512, files.get)) == root
    # A reader that still believes in size 300 asks for tile/0/001.p/44 and finds the full tile.
    kept = {**{path: data for path, data in files.items() if not path.startswith("tile/1")}, "tile/1/000.p/1": b""}
    kept["tile/1/000.p/1"] = files["tile/1/000.p/2"][:32]
    assert root_at(300, SizedTiles(300, kept.get)) == root


def test_missing_and_short_tiles_are_errors_not_other_roots() -> None:
    files = _log(300)
    with pytest.raises(TileError, match="missing"):
        root_at(300, SizedTiles(300, {**files, "tile/0/001.p/44": None}.get))
    with pytest.raises(TileError, match="bytes"):
        inclusion_path(299, 300, SizedTiles(300, {**files, "tile/0/001.p/44": files["tile/0/001.p/44"][:-1]}.get))

    class Short:
        def read_tile(self, level: int, index: int, width: int) -> bytes:
            return b"\0" * 32

    with pytest.raises(TileError):
        root_at(300, Short())
    with pytest.raises(TileError):
        Frontier.load(300, Short())


def test_nothing_outside_the_tree_can_be_asked_for() -> None:
    reader = SizedTiles(10, _log(10).get)
    for ask in (
        lambda: inclusion_path(10, 10, reader),
        lambda: inclusion_path(-1, 10, reader),
        lambda: inclusion_path(0, 11, reader),
        lambda: consistency_path(0, 10, reader),
        lambda: consistency_path(5, 4, reader),
        lambda: root_at(11, reader),
        lambda: root_at(-1, reader),
    ):
        with pytest.raises(OutsideTreeError):
            ask()
    assert consistency_path(10, 10, reader) == []


def test_a_full_tile_is_8192_bytes() -> None:
    assert len(_log(256)["tile/0/000"]) == TILE_BYTES == 8192
