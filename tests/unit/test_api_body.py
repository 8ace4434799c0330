"""Uploads: how much of them is unfolded, and how much of them is held."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.api.body import (
    BodyRoom,
    BodyTooLargeError,
    BusyError,
    EncodingBrokenError,
    EncodingUnknownError,
    decompress,
)

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstandard.compress}
MAX = 1 << 20


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(plain=st.binary(max_size=20_000), repeats=st.integers(1, 20))
@settings(max_examples=30, deadline=None)
def test_what_was_compressed_comes_back(encoding: str, plain: bytes, repeats: int) -> None:
    whole = plain * repeats
    assert decompress(ENCODINGS[encoding](whole), encoding, MAX) == whole


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_limit_is_exact(encoding: str) -> None:
    for excess in (0, 1):
        body = ENCODINGS[encoding](bytes(MAX + excess))
        if excess:
            with pytest.raises(BodyTooLargeError):
                decompress(body, encoding, MAX)
        else:
            assert len(decompress(body, encoding, MAX)) == MAX


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_cut_body_is_never_taken_for_a_whole_one(encoding: str) -> None:
    body = ENCODINGS[encoding](bytes(range(256)) * 20)
    for size in range(len(body)):
        with pytest.raises(EncodingBrokenError):
            decompress(body[:size], encoding, MAX)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("trailer", [b"\0", b"garbage", b"x" * 5000])
def test_nothing_may_follow_the_compressed_body(encoding: str, trailer: bytes) -> None:
    for plain in (b"", b"{}", bytes(10_000)):
        with pytest.raises(EncodingBrokenError):
            decompress(ENCODINGS[encoding](plain) + trailer, encoding, MAX)


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(body=st.binary(max_size=2000))
@settings(max_examples=50, deadline=None)
def test_any_other_bytes_are_refused_and_nothing_worse(encoding: str, body: bytes) -> None:
    with pytest.raises((EncodingBrokenError, BodyTooLargeError)):
        decompress(body, encoding, MAX)


def test_a_window_larger_than_the_standard_allows_is_refused() -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27)
    stream = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    body = stream.compress(bytes(10)) + stream.flush()
    with pytest.raises(EncodingBrokenError):
        decompress(body, "zstd", MAX)


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "x" * 1000])
def test_an_encoding_that_is_not_read_is_named(encoding: str) -> None:
    with pytest.raises(EncodingUnknownError) as caught:
        decompress(zlib.compress(b"{}"), encoding, MAX)
    assert len(caught.value.message) < 100


def test_uploads_beyond_the_room_are_turned_away_until_others_end() -> None:
    room = BodyRoom(100)
    with room.visit() as first:
        first(60)
        with room.visit() as second:
            second(40)
            with pytest.raises(BusyError):
                second(1)
            with pytest.raises(BusyError):
                first(1)
        first(40)
    with room.visit() as again:
        again(100)
