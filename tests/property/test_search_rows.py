"""One query, three ways to answer it, the same rows: columns and content, DuckDB, and the reference evaluator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.search_world import ACTIONS, IPS, KEYS, PEOPLE, SCOPES, WORDS, Reader, World

from tallystick.query.errors import PersonalWithheldError, QueryError
from tallystick.query.model import FieldRef, Node, all_of, any_of, negate
from tallystick.query.parser import parse_query
from tallystick.query.writer import format_field, format_query
from tallystick.search.model import Search
from tallystick.search.service import SearchOptions

READERS = (
    Reader(),
    Reader(personal=False),
    Reader(read_scopes=("acme/payments", "globex"), personal=False),
    Reader(read_scopes=("acme/payments/api",)),
    Reader(read_scopes=()),
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def words() -> st.SearchStrategy[str]:
    pieces = st.sampled_from([word for each in WORDS for word in (each, *each.split())])
    return st.one_of(
        pieces.map(quoted),
        st.sampled_from(
            [
                "alp*",
                "kelvi*",
                "*zmir",
                "*amma-ray",
                "gamma-r*",
                "*eta",
                "b*a",
                "d*",
                "17",
                "5",
                "lima",
                "BO",
                "example",
                "curl",
                "payments",
                "failure",
                "x11",
            ]
        ),
    )


def free_paths() -> st.SearchStrategy[str]:
    metadata = st.lists(st.sampled_from(KEYS), min_size=1, max_size=3).map(
        lambda path: format_field(FieldRef("metadata", tuple(path)))
    )
    others = st.sampled_from(
        ["changes.old", "changes.new", "raw.eventName", "raw.nested.n", "raw.nested", "context.country"]
    )
    return st.one_of(metadata, others)


def terms() -> st.SearchStrategy[str]:
    value = words()
    exact = st.sampled_from([*PEOPLE, "r-1", "R-*", "*@example.org", "user", "re*", "*"])
    return st.one_of(
        value,
        st.tuples(free_paths(), st.one_of(value, st.sampled_from(["5", "17.0", "true", "-3", "2.5", "*", "al*"]))).map(
            ":".join
        ),
        st.tuples(
            free_paths(), st.sampled_from([">3", ">=5", "<2.6", '>"disk"', '<="ops-17"', ":[0 TO 5]", ":{-3 TO *]"])
        ).map("".join),
        st.tuples(
            st.sampled_from(["actor", "on_behalf_of", "target", "target.type", "actor.type", "actor.email"]), exact
        ).map(":".join),
        st.tuples(st.sampled_from(["actor.name", "target.name", "reason", "message", "user_agent"]), value).map(
            ":".join
        ),
        st.sampled_from([f"action:{action}" for action in (*ACTIONS, "release.*", "*.UPDATED")]),
        st.sampled_from([f"scope:{scope}" for scope in (*SCOPES, "acme", "*pay*", "tallystick")]),
        st.sampled_from([f"ip:{ip}" for ip in (*IPS, "10.0.0.0/8", "::/0", "0.0.0.0/0", "2001:db8::/32", "10.*")]),
        st.sampled_from(
            [
                "severity>=high",
                "severity:low",
                "severity<low",
                "outcome:(failure OR denied)",
                "class:reading",
                "class:*",
            ]
        ),
        st.sampled_from(
            [
                "occurred_at>-2d",
                "from:-3d",
                "to:2026-02-27",
                "occurred_at:[-50h TO -1d}",
                "received_at>=now",
                "index:[20 TO 90]",
            ]
        ),
        st.sampled_from(
            [
                "changes.field:tag",
                "changes.field:*",
                "request_id:request-000001",
                "source:staff",
                "source:a*",
                "-source:app",
            ]
        ),
        st.sampled_from(
            ["has:reason", "has:metadata.tags", "has:on_behalf_of", "has:changes.old", "has:metadata.ticket.count"]
        ),
    )


def parsed(text: str) -> Node:
    return parse_query(text, now_us=0)


QUERIES = st.recursive(
    terms(),
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda each: f"({' OR '.join(each)})"),
        inner.map(lambda each: f"-({each})"),
    ),
    max_leaves=4,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"), engine=True, options=SearchOptions(engine_rows_min=10))
    made.fill(1, 50)
    made.seal()
    made.fill(2, 30)
    made.seal()
    made.fill(3, 30)
    yield made
    made.close()


@settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(text=QUERIES, reader=st.sampled_from(READERS))
def test_rows_are_the_same_by_columns_by_engine_and_by_reference(world: World, text: str, reader: Reader) -> None:
    search = Search(text=text)
    try:
        expected = world.by_reference(search, reader)
    except PersonalWithheldError:
        with pytest.raises(PersonalWithheldError):
            world.service.search(search, reader)
        with pytest.raises(PersonalWithheldError):
            world.service.facets(search, reader)
        return
    assert [row.index for row in world.all_rows(search, reader, limit=17)] == expected
    assert world.by_engine(search, reader) == expected
    facets, histogram = world.service.overview(search, reader)
    assert facets.total == histogram.total == len(expected)
    assert sum(bar.count for bar in histogram.bars) == len(expected)
    assert [row.index for row in world.service.after_index(search, reader, -1).rows] == expected[::-1]


@settings(max_examples=200, deadline=None)
@given(text=QUERIES)
def test_a_tree_written_as_text_is_read_as_the_same_tree(text: str) -> None:
    tree = parse_query(text, now_us=10**15)
    assert parse_query(format_query(tree), now_us=0) == tree


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from([parsed(text) for text in ("a", "b OR c", "-d", "e f", "*")]), max_size=4))
def test_trees_have_one_shape(nodes: list[Node]) -> None:
    for tree in (all_of(nodes), any_of(nodes), negate(any_of(nodes))):
        assert parse_query(format_query(tree), now_us=0) == tree


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='ab:*"\\()-<>=[]{}. ORNT/@0', max_size=30))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        tree = parse_query(text, now_us=10**15)
    except QueryError as error:
        found = error
    else:
        assert parse_query(format_query(tree), now_us=0) == tree
        return
    assert found.line is not None
    assert 1 <= (found.column or 0) <= len(text) + 1
