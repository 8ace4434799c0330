"""The text form of queries: what parses, to what, and where errors point."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.query.errors import PersonalWithheldError, QueryError
from tallystick.query.fields import FIELDS, SEVERITIES
from tallystick.query.model import (
    EVERYTHING,
    All,
    Below,
    Contains,
    Equals,
    Exists,
    FieldRef,
    Node,
    Not,
    Some,
    Span,
    Term,
    Test,
    Text,
    Wildcard,
    Within,
)
from tallystick.query.moments import format_moment, parse_moment
from tallystick.query.parser import QueryLimits, between_moments, parse_query
from tallystick.query.rights import Rights, check_rights, fact_only_fields
from tallystick.query.writer import format_query

NOW = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z
DAY = 86_400_000_000


def parse(text: str) -> Any:
    return parse_query(text, now_us=NOW)


def term(name: str, test: Test, *path: str) -> Term:
    return Term(FieldRef(name, path), test)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", EVERYTHING),
        ("  ", EVERYTHING),
        ("*", EVERYTHING),
        ("action:release.updated", term("action", Equals("release.updated"))),
        ("action:release.*", term("action", Wildcard(("release.", "")))),
        ('action:"release.*"', term("action", Equals("release.*"))),
        (r"action:release.\*", term("action", Equals("release.*"))),
        ("actor.id:ana", term("actor", Equals("ana"))),
        ("ip:10.0.0.0/8", Term(FieldRef("ip"), parse("ip:10.0.0.0/8").test)),
        ("severity>=high", term("severity", Span(3, None))),
        ("severity:critical", term("severity", Span(4, None))),
        ("severity<=critical", term("severity", Exists())),
        ("index:[5 TO 7]", term("index", Span(5, 8))),
        ("index:{5 TO 7}", term("index", Span(6, 7))),
        ("index>=5", term("index", Span(5, None))),
        ("index:<5", term("index", Span(None, 5))),
        ("has:reason", term("reason", Exists())),
        ("reason:*", term("reason", Exists())),
        ("metadata.ticket:OPS-17", term("metadata", Equals("OPS-17"), "ticket")),
        ('metadata."a b"."c.d":1', term("metadata", Equals("1"), "a b", "c.d")),
        ("context.request_id:r1", term("request_id", Equals("r1"))),
        ("changed:description", term("changes.field", Equals("description"))),
        ("scope:/acme/payments/", term("scope", Below("acme/payments"))),
        ("message:disk*", term("message", Contains(("disk", "")))),
        ("login", Text(Contains(("login",)))),
        ('"free words"', Text(Contains(("free words",)))),
        ("OPS-17", Text(Contains(("OPS-17",)))),
        ("a b", All((Text(Contains(("a",))), Text(Contains(("b",)))))),
        ("a AND b", parse("a b")),
        ("a OR b c", Some((Text(Contains(("a",))), parse("b c")))),
        ("(a OR b) c", All((parse("a OR b"), Text(Contains(("c",)))))),
        ("-action:x", Not(term("action", Equals("x")))),
        ("NOT action:x", parse("-action:x")),
        ("--action:x", parse("action:x")),
        ("action:(a.b OR c.*)", Some((parse("action:a.b"), parse("action:c.*")))),
        ("action:(* -a.b)", All((term("action", Exists()), parse("-action:a.b")))),
        ("or", Text(Contains(("or",)))),
        ('"OR"', Text(Contains(("OR",)))),
    ],
)
def test_text_means_this_tree(text: str, tree: Node) -> None:
    assert parse(text) == tree
    assert parse(format_query(tree)) == tree


def test_a_network_may_have_host_bits_and_a_mapped_network_is_ipv4() -> None:
    assert str(parse("ip:10.1.2.3/8").test.network) == "10.0.0.0/8"
    assert str(parse("ip:::ffff:10.0.0.0/104").test.network) == "10.0.0.0/8"
    assert isinstance(parse("ip:2001:db8::/32").test, Within)


def test_times_are_resolved_once_against_the_given_now() -> None:
    assert parse("occurred_at>-7d").test == Span(NOW - 7 * DAY + 1, None)
    assert parse("from:-7d to:now") == All(
        (term("occurred_at", Span(NOW - 7 * DAY, None)), term("occurred_at", Span(None, NOW + 1)))
    )
    assert parse("from:-7d") == between_moments("-7d", None, now_us=NOW)
    assert between_moments(None, None, now_us=NOW) == EVERYTHING


@pytest.mark.parametrize(
    "text",
    [*(f"severity:{each}" for each in SEVERITIES), "severity>=high", "severity<high", "index>=5", "index<5"],
)
def test_an_open_range_and_one_severity_are_written_as_people_write_them(text: str) -> None:
    assert format_query(parse(text)) == text


def test_a_time_beside_the_text_that_is_none_marks_no_place_in_the_text() -> None:
    with pytest.raises(QueryError, match=r"^`from` is not a time: 'yesterday'$") as refused:
        between_moments("yesterday", None, now_us=NOW)
    assert (refused.value.line, refused.value.column) == (None, None)


@pytest.mark.parametrize(
    ("text", "start", "length"),
    [
        ("2026-03", "2026-03-01T00:00:00.000000Z", 31 * DAY),
        ("2026-12", "2026-12-01T00:00:00.000000Z", 31 * DAY),
        ("2026-03-05", "2026-03-05T00:00:00.000000Z", DAY),
        ("2026-03-05T10:15", "2026-03-05T10:15:00.000000Z", 60_000_000),
        ("2026-03-05T10:15:20+02:00", "2026-03-05T08:15:20.000000Z", 1_000_000),
        ("2026-03-05T10:15:20.25Z", "2026-03-05T10:15:20.250000Z", 10_000),
        ("0001-01-01", "0001-01-01T00:00:00.000000Z", DAY),
    ],
)
def test_an_absolute_time_covers_the_unit_it_is_written_in(text: str, start: str, length: int) -> None:
    moment = parse_moment(text, NOW)
    assert moment is not None
    assert format_moment(moment.start) == start
    assert moment.end - moment.start == length


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-13-01", "2026-02-30", "-7y", "9999-12-31", "-999999999w", "7d ago"]
)
def test_what_is_not_a_time_is_not_guessed(text: str) -> None:
    assert parse_moment(text, NOW) is None


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("actr:ana", 1, 1, "did you mean `actor`"),
        ("action:a\n  foo:b", 2, 3, "no field `foo`"),
        ("http://x", 1, 1, "no field `http`"),
        ("(a b", 1, 1, "not closed"),
        ("a)", 1, 2, "closes nothing"),
        ("()", 1, 2, "a term is missing"),
        ("a OR", 1, 5, "a term is missing"),
        ("AND a", 1, 1, "AND stands where"),
        ("a OR OR b", 1, 6, "OR stands where"),
        ('a "b', 1, 3, "quote is not closed"),
        ('"a"b', 1, 4, "space is missing"),
        ("action:", 1, 8, "value is missing"),
        ("severity:urgent", 1, 10, "not a severity"),
        ("outcome:bad", 1, 9, "never 'bad'"),
        ("action>=a", 1, 9, "no order"),
        ("index:one", 1, 7, "not a whole number"),
        ("index:²", 1, 7, "not a whole number"),
        ("ip:10.0.0.0/33", 1, 4, "not a network"),
        ("occurred_at:[2026-01-01 TO soon]", 1, 28, "not a time"),
        ("occurred_at:[2026-01-01 TO 2026-01-02", 1, 13, "not closed"),
        ("metadata:x", 1, 1, "say which value"),
        ("metadata.x>5*", 1, 12, "not at a pattern"),
        ("a\\", 1, 2, "nothing follows"),
        ('""', 1, 1, "empty"),
        ('message:""', 1, 9, "empty"),
        ("has:nothing", 1, 5, "no field"),
    ],
)
def test_errors_name_the_place(text: str, line: int, column: int, words: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert words in caught.value.message
    assert caught.value.advice


@pytest.mark.parametrize(
    "text",
    [
        "x" * 9000,
        "(" * 40 + "a" + ")" * 40,
        " ".join(["a"] * 201),
        "metadata" + ".a" * 9 + ":1",
        "-" * 8000 + "a b" * 100,
    ],
)
def test_a_query_that_asks_too_much_is_refused(text: str) -> None:
    with pytest.raises(QueryError):
        parse_query(text, now_us=NOW, limits=QueryLimits())


@pytest.mark.parametrize(
    "text",
    [
        "ip:10.0.0.1",
        "-ip:10.0.0.1",
        "has:reason",
        "a OR (b actor.email:x)",
        "raw.x:1",
        "actor:ana@example.org",
        "on_behalf_of:10.0.0.1",
        "target.name:x",
    ],
)
def test_a_masked_reader_may_not_ask_about_personal_fields(text: str) -> None:
    with pytest.raises(PersonalWithheldError):
        check_rights(parse(text), Rights(personal=False))
    check_rights(parse(text), Rights(personal=True))


def test_a_masked_reader_may_ask_by_key_and_is_told_what_is_answered_from_facts_alone() -> None:
    tree = parse("actor.key:abc actor:svc-1 metadata.x:1 changes.old:2 word severity:high")
    check_rights(tree, Rights(personal=False))
    assert fact_only_fields(tree) == ("metadata.x", "changes.old", "free words")


def test_keys_are_never_computed_for_a_masked_reader() -> None:
    asked: list[str] = []

    def keys(actor_id: str) -> list[str]:
        asked.append(actor_id)
        return ["key"]

    assert Rights(personal=False, actor_keys=keys).keys_of("ana") == frozenset()
    assert not asked


def test_every_field_with_columns_or_content_can_be_asked_for() -> None:
    for field in FIELDS.values():
        assert field.columns or field.personal_columns or field.in_content or field.name in ("id", "class")
        assert field.help.endswith((".", "below.", "..."))
