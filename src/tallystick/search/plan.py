"""Compiles a question and its caller into one tree: scopes and masking first, then what was asked."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.event.scopes import intersect
from tallystick.query.model import EVERYTHING, NOTHING, Node, Term, all_of, negate, walk_terms
from tallystick.query.parser import between_moments, parse_query
from tallystick.query.rights import Rights, check_rights, fact_only_fields
from tallystick.query.sql import Names
from tallystick.search.model import Search
from tallystick.search.ports import Caller, Register
from tallystick.search.sight import Sight, is_reading


@dataclass(frozen=True, slots=True)
class Plan:
    """What is really searched: `node` holds the caller's restrictions as well as the question; `now_us` is when it was
    asked, from which relative times count. What is found is shown as `sight` says.
    """

    node: Node
    rights: Rights
    sight: Sight
    names: Names
    fact_only: tuple[str, ...]
    now_us: int


def make_plan(
    search: Search, caller: Caller, register: Register, now_us: int, *, within: tuple[str, ...] = ("",)
) -> Plan:
    """Return the plan of a search `within` some scopes; raises QueryError, and PersonalWithheldError before anything is read.

    Personal data may be asked about only where all of it may be seen: else what is found would tell of the rest.
    """
    sight = Sight(caller, register, intersect((search.scope or "",), within))
    rights = Rights(personal=sight.personal, actor_keys=register.actor_keys)
    asked = all_of((parse_query(search.text, now_us=now_us), between_moments(search.start, search.end, now_us=now_us)))
    check_rights(asked, rights, advice=sight.advice())
    hidden = EVERYTHING if search.reading or _names_class(asked) else negate(is_reading())
    restriction = sight.restriction()
    return Plan(
        # What may not be seen at all is not looked for either: it takes no longer where there is something.
        node=NOTHING if restriction == NOTHING else all_of((restriction, hidden, asked)),
        rights=rights,
        sight=sight,
        names=Names(register.source_names(), register.class_names()),
        fact_only=() if sight.personal else fact_only_fields(asked),
        now_us=now_us,
    )


def _names_class(node: Node) -> bool:
    return any(isinstance(term, Term) and term.field.name == "class" for term in walk_terms(node))
