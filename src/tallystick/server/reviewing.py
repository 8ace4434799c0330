"""The room of reviews with what it lists of the others: everything by id, since it becomes facts for ever."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AbstractContextManager, suppress
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.grants.errors import GrantNotActiveError
from tallystick.access.grants.members import find_member, members_of
from tallystick.access.grants.model import Grant
from tallystick.access.grants.rows import in_force, load_grants
from tallystick.access.model import Caller
from tallystick.access.sources.rows import all_sources
from tallystick.alert.book.rows import select_alerts, unclosed
from tallystick.event.identifier import is_within
from tallystick.follow.alarm import RaiseAlarms
from tallystick.govern import ExceptionService
from tallystick.govern.exceptions.rows import load_exceptions
from tallystick.govern.systems.rows import load_systems
from tallystick.review import ReviewRoom, open_reviews
from tallystick.review.ports import Listing, ReviewPorts
from tallystick.server.access import Access
from tallystick.server.ground import Ground
from tallystick.server.reading import Reading
from tallystick.store.tables.alerts import ALERT
from tallystick.store.tables.exceptions import EXCEPTION

Facts = dict[str, Any]
_US: Final = 1_000_000


def open_review_room(
    ground: Ground, reading: Reading, access: Access, raise_alarms: RaiseAlarms, exceptions: ExceptionService
) -> AbstractContextManager[ReviewRoom]:
    """Return the room, to be entered."""

    def waiver(duty: str, scope: str, now_us: int) -> str | None:
        found = exceptions.in_force("review", duty, scope, now_us)
        return found[0].id if found else None

    def revoke(caller: Caller, grant: str, reason: str) -> None:
        with suppress(GrantNotActiveError):  # it had ended before
            access.grants.revoke(caller, grant, reason=reason)

    def listing(make: Any) -> Listing:
        def listed(scope: str, now_us: int) -> list[Facts]:
            with ground.projection.engine.connect() as connection:
                found: list[Facts] = make(connection, scope, now_us)
            return found

        return listed

    listings: dict[str, Listing] = {
        "open_alerts": listing(_open_alerts),
        "silent_sources": listing(partial(_silent_sources, access)),
        "clock_skew": listing(partial(_clock_skew, access)),
        "witness": partial(_witness, ground),
        "exceptions_in_force": listing(_exceptions),
        "declarations": listing(_declarations),
        "grants": listing(_grants),
    }
    ports = ReviewPorts(
        ledger=ground.ledger,
        search=reading.search,
        now_us=ground.book.now_us,
        listings=listings,
        in_force=waiver,
        revoke=revoke,
        holders=partial(_holders, ground),
        require_fresh=access.require_fresh,
        raise_alarms=raise_alarms,
    )
    return open_reviews(ground.projection, ground.commands, ports)


def _open_alerts(connection: Connection, scope: str, _: int) -> list[Facts]:
    return [
        {
            "item": each.id,
            "title": each.title,
            "severity": each.severity,
            "state": each.state.value,
            "kind": each.kind,
            "count": each.count,
            "opened_index": each.opened_index,
        }
        for each in select_alerts(connection, unclosed(), ALERT.c.opened_index)
        if is_within(each.scope, scope)
    ]


def _silent_sources(access: Access, connection: Connection, scope: str, now_us: int) -> list[Facts]:
    figures = access.sources.figures()
    found = []
    for source in all_sources(connection):
        held = figures.get(source.number)
        if held is None or not _reaches(source.settings.scopes, scope) or held.state(source, now_us) != "silent":
            continue
        silent, longest = held.silent_s(source, now_us), source.settings.silence_s
        found.append({"item": source.name, "silent_s": silent, "expected_s": longest, "owner": source.settings.owner})
    return found


def _clock_skew(access: Access, connection: Connection, scope: str, _: int) -> list[Facts]:
    figures = access.sources.figures()
    return [
        {"item": each.name, "median_us": held.skew_median_us, "p95_us": held.skew_p95_us, "events": held.last_day}
        for each in all_sources(connection)
        if _reaches(each.settings.scopes, scope)
        and (held := figures.get(each.number)) is not None
        and held.skew_median_us is not None
    ]


def _witness(ground: Ground, scope: str, now_us: int) -> list[Facts]:
    del scope, now_us  # the log is one, whoever asks
    status = ground.ledger.status()
    trouble = [{"item": f"trouble {stage}", "says": why} for stage, why in sorted(status.trouble.items())]
    state = {
        "item": "log",
        "size": status.committed.size,
        "witnesses": len(ground.settings.witnesses),
        "witnessed_size": status.witnessed.size,
        "sealed_size": status.sealed.size,
        "read_only": status.read_only or "",
    }
    set_aside = [{"item": path, "set_aside": why} for path, why in sorted(ground.register.quarantined().items())]
    return [state, *trouble, *set_aside]


def _exceptions(connection: Connection, scope: str, now_us: int) -> list[Facts]:
    return [
        {
            "item": each.id,
            "kind": each.terms.kind.value,
            "subject": each.terms.subject,
            "scope": each.terms.scope,
            "risk": each.terms.risk.value,
            "until_us": each.terms.until_us,
            "used": each.used,
            "people": sorted({each.requester, each.decided_by or each.requester}),
        }
        for each in load_exceptions(connection, EXCEPTION.c.decision == "approved")
        if each.in_force(now_us) and is_within(each.terms.scope, scope)
    ]


def _declarations(connection: Connection, scope: str, now_us: int) -> list[Facts]:
    del now_us
    return [
        {
            "item": each.id,
            "name": each.facts.name,
            "scopes": list(each.facts.scopes),
            "owner": each.facts.owner,
            "declaration": each.in_force.declaration if each.in_force else "",
            "digest": each.in_force.digest if each.in_force else "",
            "approved_index": each.in_force.decided_index if each.in_force else None,
            "people": [each.in_force.proposed_by] if each.in_force else [],
        }
        for each in load_systems(connection)
        if each.retired_index is None and _reaches(each.facts.scopes, scope)
    ]


def _grants(connection: Connection, scope: str, now_us: int) -> list[Facts]:
    found = (each for each in load_grants(connection, in_force(now_us)) if is_within(each.scope, scope))
    return [_grant(connection, each) for each in sorted(found, key=lambda each: (each.requested_index, each.id))]


def _grant(connection: Connection, each: Grant) -> Facts:
    subject = each.subject
    people = [subject.id] if subject.kind == "person" else [one.id for one in members_of(connection, subject.id)]
    return {
        "item": each.id,
        "holder_kind": subject.kind,
        "holder": subject.id,
        "role": each.terms.role,
        "scope": each.scope or "/",
        "since_us": each.decided_at or each.requested_at,
        "until_us": each.terms.until_us,
        "ground": each.ground.value,
        "approved_by": each.decided_by or "",
        "people": sorted(people),
    }


def _holders(ground: Ground, role: str, scope: str, now_us: int) -> Collection[str]:
    """Return the people who hold a role that reaches a scope, by themselves or in a group."""
    with ground.projection.engine.connect() as connection:
        held = [
            each.subject
            for each in load_grants(connection, in_force(now_us))
            if each.terms.role == role and is_within(scope, each.scope)
        ]
        people = {each.id for each in held if each.kind == "person"}
        people.update(one.id for each in held if each.kind == "group" for one in members_of(connection, each.id))
        return {each for each in people if (member := find_member(connection, each)) and not member.disabled}


def _reaches(scopes: Collection[str], scope: str) -> bool:
    return any(is_within(each, scope) or is_within(scope, each) for each in scopes)
