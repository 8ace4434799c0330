"""What a caller may ask about: personal data compiles out of a query before anything is read.

Without the right to personal data a filter, a negation or an existence test on a personal field is refused, because
even the number of results would answer it. Fields that are facts only for some actions (`metadata`, `context`,
`changes.old` and `changes.new`) and free words are answered from the facts alone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Collection
from dataclasses import dataclass

from tallystick.query.errors import PersonalWithheldError
from tallystick.query.fields import FIELDS, Part
from tallystick.query.model import Equals, Node, Text, walk_terms

KEYED_FIELDS = ("actor", "on_behalf_of", "target")


def no_keys(_id: str) -> Collection[str]:
    """Return no pseudonym keys, for callers without the key table."""
    return ()


@dataclass(frozen=True, slots=True)
class Rights:
    """`personal`: whether personal data may be asked about and shown.

    `actor_keys` returns the pseudonym keys that an id has, one for each type that an actor or a target that is a
    person may have. It is only ever asked with
    the right to personal data: a key computed from an id would tell who stands behind a pseudonym.
    """

    personal: bool = True
    actor_keys: Callable[[str], Collection[str]] = no_keys

    def keys_of(self, actor_id: str) -> frozenset[str]:
        return frozenset(self.actor_keys(actor_id)) if self.personal else frozenset()


def check_rights(node: Node, rights: Rights, *, advice: str | None = None) -> None:
    """Return when every term may be answered; raises PersonalWithheldError, with `advice`, naming the first that may
    not.
    """
    if rights.personal:
        return
    for term in walk_terms(node):
        if isinstance(term, Text):
            continue
        field = FIELDS[term.field.name]
        place = f"(line {term.place.line}, column {term.place.column})"
        if field.part is Part.PERSONAL:
            raise PersonalWithheldError(
                f"`{term.field.written}` is personal data, which you may not search {place}", advice=advice
            )
        if field.name in KEYED_FIELDS and isinstance(term.test, Equals) and looks_personal(term.test.text):
            raise PersonalWithheldError(
                f"an e-mail or IP address names a person, which you may not search {place}", advice=advice
            )


def fact_only_fields(node: Node) -> tuple[str, ...]:
    """Return the fields of the query that a caller without personal data gets answered from the facts alone."""
    names = [
        "free words" if isinstance(term, Text) else term.field.written
        for term in walk_terms(node)
        if isinstance(term, Text) or FIELDS[term.field.name].part is Part.MIXED
    ]
    return tuple(dict.fromkeys(names))


def looks_personal(actor_id: str) -> bool:
    """Whether an id has the shape of an e-mail or IP address, which is never stored as a fact."""
    name, at, domain = actor_id.partition("@")
    if at and name and "." in domain:
        return True
    try:
        ipaddress.ip_address(actor_id)
    except ValueError:
        return False
    return True
