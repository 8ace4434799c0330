"""Samples are drawn by the seed alone, whatever order rows come in, and digests tell every difference."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from tallystick.verify.review_format import RowRef, digest_rows, draw, row_line

rows_of_any_log = st.lists(
    st.builds(
        RowRef,
        index=st.integers(0, 2**40),
        id=st.binary(min_size=16, max_size=16),
        facts=st.binary(max_size=4).map(lambda each: sha256(each).hexdigest()),
    ),
    unique_by=(lambda row: row.index, lambda row: row.id),
    max_size=60,
).map(lambda rows: sorted(rows, key=lambda row: row.index))
seeds = st.binary(min_size=32, max_size=32)


@given(rows_of_any_log, seeds, st.integers(0, 30))
def test_a_sample_is_what_anybody_draws_by_hand(rows: list[RowRef], seed: bytes, count: int) -> None:
    by_hand = sorted(rows, key=lambda row: sha256(seed + row.id).digest())[:count]
    assert draw(seed, rows, count) == tuple(row.index for row in by_hand)


@given(rows_of_any_log, seeds, st.integers(0, 30), st.randoms())
def test_the_order_in_which_rows_come_changes_no_sample(
    rows: list[RowRef], seed: bytes, count: int, random: object
) -> None:
    mixed = list(rows)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    assert draw(seed, mixed, count) == draw(seed, rows, count)


@given(rows_of_any_log, seeds)
def test_a_larger_sample_holds_the_smaller_one(rows: list[RowRef], seed: bytes) -> None:
    assert draw(seed, rows, 12)[:5] == draw(seed, rows, 5)


@given(rows_of_any_log, rows_of_any_log)
def test_digests_are_equal_only_for_equal_rows(one: list[RowRef], other: list[RowRef]) -> None:
    assert (digest_rows(one) == digest_rows(other)) == (one == other)


@given(rows_of_any_log)
def test_the_digest_is_over_one_line_for_each_row(rows: list[RowRef]) -> None:
    text = b"tallystick/1 review rows\n" + b"".join(map(row_line, rows))
    assert digest_rows(rows) == sha256(text).hexdigest()
