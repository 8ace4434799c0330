"""The query engine reads what it is given, nothing else, and stops in time."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.query.dialect import DuckDbDialect, Sql
from tallystick.query.evaluate import in_network
from tallystick.query.fold import contains_regex, contains_source, fold
from tallystick.query.values import parse_network
from tallystick.store.engine import Engine, QueryTimeoutError, UnreadableFileError


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    (tmp_path / "segments").mkdir()
    made = Engine([tmp_path / "segments"], tmp_path / "spill")
    yield made
    made.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("engine")
    made = Engine([folder], folder / "spill")
    yield made
    made.close()


def test_files_in_the_given_folder_are_read(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "segments" / "a.parquet"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    found = engine.select(Sql("SELECT a FROM read_parquet(?) WHERE a > ?", (str(path), 1)), timeout_s=5)
    assert found.column("a").to_pylist() == [2]


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_parquet('{outside}')",
        "SELECT * FROM read_text('{outside}')",
        "COPY (SELECT 1) TO '{outside}.csv'",
        "SET enable_external_access = true",
        "ATTACH '{outside}.db'",
        "INSTALL httpfs",
    ],
)
def test_nothing_outside_is_read_or_written(engine: Engine, tmp_path: Path, statement: str) -> None:
    outside = tmp_path / "outside.parquet"
    pq.write_table(pa.table({"a": [1]}), outside)
    with pytest.raises((duckdb.Error, UnreadableFileError)):
        engine.select(Sql(statement.format(outside=outside)), timeout_s=5)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "spill") == ["outside.parquet", "segments"]


def test_a_query_that_takes_too_long_is_stopped_and_the_engine_goes_on(engine: Engine) -> None:
    with pytest.raises(QueryTimeoutError):
        engine.select(Sql("SELECT sum(sqrt(a.range)) FROM range(10000000) a, range(1000) b"), timeout_s=0.1)
    assert engine.select(Sql("SELECT 1 AS one"), timeout_s=5).column("one").to_pylist() == [1]


def test_a_damaged_file_is_named_as_corruption(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "segments" / "bad.parquet"
    path.write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(UnreadableFileError):
        engine.select(Sql("SELECT * FROM read_parquet(?)", (str(path),)), timeout_s=5)


def test_letter_case_folds_alike_in_sql_and_python(shared: Engine) -> None:
    characters = [chr(code) for code in range(1, 0x110000) if not 0xD800 <= code <= 0xDFFF]
    table = pa.table({"c": characters})
    lowered = (
        shared.select(Sql("SELECT lower(c) AS c FROM t"), timeout_s=30, tables={"t": table}).column("c").to_pylist()
    )
    differing = [original for original, found in zip(characters, lowered, strict=True) if fold(original) != found]
    assert differing == []


ADDRESSES = st.one_of(
    st.ip_addresses().map(str),
    st.ip_addresses(v=6).map(lambda address: address.exploded),
    st.ip_addresses(v=4).map(lambda address: f"::ffff:{address}"),
    st.ip_addresses(v=4).map(lambda address: f"1:2:3:4:5:6:{address}"),
    st.text("0123456789abcdef:.%", max_size=24),
    st.sampled_from(
        ["::", "1::", "::1.2.3.4", "fe80::1%eth0", "1:2", "1:::2", "01.2.3.4", "1.2.3", "", "::ffff:a00:1"]
    ),
)


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(ADDRESSES, min_size=1, max_size=30), prefix=st.integers(0, 128), base=ADDRESSES)
def test_networks_mean_the_same_in_sql_and_python(shared: Engine, texts: list[str], prefix: int, base: str) -> None:
    network = (
        parse_network(f"{base}/{prefix}")
        or parse_network(f"{base}/{prefix % 33}")
        or ipaddress.ip_network("10.0.0.0/8")
    )
    condition = DuckDbDialect().within("ip", network)
    query = Sql(f"SELECT coalesce({condition.text}, FALSE) AS inside FROM t", condition.values)  # noqa: S608
    found = shared.select(query, timeout_s=10, tables={"t": pa.table({"ip": texts})}).column("inside").to_pylist()
    assert found == [in_network(text, network) for text in texts]


@settings(max_examples=150, deadline=None)
@given(
    texts=st.lists(st.text('abAB ä-_.*\n"\\0K', max_size=12), min_size=1, max_size=20),
    parts=st.lists(st.text('abAB ä-_."\\0K', max_size=3), min_size=1, max_size=3).filter(any),
)
def test_whole_words_mean_the_same_in_sql_and_python(shared: Engine, texts: list[str], parts: list[str]) -> None:
    pattern = tuple(parts)
    table = pa.table({"a": texts})
    query = Sql("SELECT regexp_matches(lower(a), ?) AS found FROM t", (contains_source(pattern, engine="re2"),))
    found = shared.select(query, timeout_s=10, tables={"t": table}).column("found").to_pylist()
    assert found == [contains_regex(pattern).search(fold(text)) is not None for text in texts]
