"""Compiles a question and its caller into one tree: scopes and masking first, then what was asked."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.query.model import (
    EVERYTHING,
    NOTHING,
    Below,
    Equals,
    FieldRef,
    Node,
    Term,
    all_of,
    any_of,
    negate,
    walk_terms,
)
from tallystick.query.parser import between_moments, parse_query
from tallystick.query.rights import Rights, check_rights, fact_only_fields
from tallystick.query.sql import Names
from tallystick.search.model import Search
from tallystick.search.ports import Caller, Register

READING_CLASS = "reading"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is really searched: `node` holds the caller's restrictions as well as the question; `now_us` is when it was
    asked, from which relative times count.
    """

    node: Node
    rights: Rights
    names: Names
    fact_only: tuple[str, ...]
    now_us: int


def make_plan(search: Search, caller: Caller, register: Register, now_us: int) -> Plan:
    """Return the plan; raises QueryError, and PersonalWithheldError before anything is read."""
    rights = Rights(personal=caller.personal, actor_keys=register.actor_keys)
    asked = all_of(
        (
            parse_query(search.text, now_us=now_us),
            between_moments(search.start, search.end, now_us=now_us),
            _scope(search.scope),
        )
    )
    check_rights(asked, rights)
    hidden = EVERYTHING if search.reading or _names_class(asked) else negate(_class_is(READING_CLASS))
    restriction = _readable(caller.read_scopes)
    return Plan(
        node=all_of((restriction, hidden, asked)),
        rights=rights,
        names=Names(register.source_names(), register.class_names()),
        fact_only=() if caller.personal else fact_only_fields(asked),
        now_us=now_us,
    )


def may_read(scope: str, caller: Caller) -> bool:
    """Whether the caller may read events of a scope."""
    return any(not root or scope == root or scope.startswith(f"{root}/") for root in _roots(caller.read_scopes))


def _readable(scopes: tuple[str, ...]) -> Node:
    roots = _roots(scopes)
    if "" in roots:
        return EVERYTHING
    return any_of(Term(FieldRef("scope"), Below(root, exact=True)) for root in roots) if roots else NOTHING


def _roots(scopes: tuple[str, ...]) -> list[str]:
    return sorted({scope.strip("/") for scope in scopes})


def _scope(scope: str | None) -> Node:
    root = (scope or "").strip("/")
    return Term(FieldRef("scope"), Below(root)) if root else EVERYTHING


def _class_is(name: str) -> Node:
    return Term(FieldRef("class"), Equals(name))


def _names_class(node: Node) -> bool:
    return any(isinstance(term, Term) and term.field.name == "class" for term in walk_terms(node))
