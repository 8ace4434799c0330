"""In whose hands an account is: who could get into it, or has somebody else do what she wants.

Whoever made the link by which a password was set, switched off a second factor, or enabled an account has a hand in it;
so has whoever has a hand in her account. A link that somebody else makes and that is used ends it. Accounts that an
identity provider vouches for have no links.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, select

from tallystick.access.grants.model import Grant, Ground, Subject
from tallystick.access.grants.rows import load_grants, of_subjects
from tallystick.access.permissions import Permission
from tallystick.store.tables.people import PERSON, PERSON_HAND


class Hands:
    """The answers about some people, mostly those who gain from a request, as the tables of a connection have them."""

    def __init__(self, connection: Connection, gains: Collection[str]) -> None:
        self._connection = connection
        self._gains = frozenset(gains)

    def are_in(self, person: str) -> bool:
        """Return whether one of them has a hand in somebody's account, whatever others decided since."""
        return self._since(person, frozenset({person})) is not None

    def counts(self, person: str, grant: Grant) -> bool:
        """Return whether a grant of somebody comes from others than them: from before they had a hand in her account
        it does not, whoever decided; and later only if somebody did whom they are not behind.
        """
        return self._counts(grant, self._since(person, frozenset({person})), frozenset({person}))

    def _since(self, person: str, asked: frozenset[str]) -> int | None:
        """Return when the last hand of theirs was in an account, or None. `asked` are those that are asked about."""
        found = [
            since
            for hand, since in _hands_in(self._connection, person).items()
            if hand in self._gains or (hand not in asked and self._rests_on_them(hand, asked | {hand}))
        ]
        return max(found, default=None)

    def _rests_on_them(self, person: str, asked: frozenset[str]) -> bool:
        """Return whether they have a hand in an account, and nobody else decided since that it may decide."""
        since = self._since(person, asked)
        if since is None:
            return False
        decided = [
            grant
            for grant in load_grants(self._connection, of_subjects([Subject("person", person)]))
            if grant.decision == "approved" and Permission.GRANTS_APPROVE in grant.terms.permissions
        ]
        return not any(self._counts(grant, since, asked) for grant in decided)

    def _counts(self, grant: Grant, since: int | None, asked: frozenset[str]) -> bool:
        if since is None:
            return True
        by = grant.decided_by
        if grant.ground is not Ground.DECISION or by is None or (grant.decided_index or 0) < since:
            return False
        return by not in self._gains and by not in asked and not self._rests_on_them(by, asked | {by})


def _hands_in(connection: Connection, person: str) -> Mapping[str, int]:
    """Return the people who have a hand in somebody's account, each with the index since which; never the operator."""
    query = (
        select(PERSON_HAND.c.hand, PERSON_HAND.c.since_index)
        .join(PERSON, PERSON.c.person == PERSON_HAND.c.hand)
        .where(PERSON_HAND.c.person == person)
    )
    return {row.hand: row.since_index for row in connection.execute(query)}
