"""How product events change the tables of people, credentials and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.people import CREDENTIAL, PERSON, PERSON_GROUP, PERSON_HAND, RECOVERY_CODE_USED, SESSION


def _changed(event: ProductEvent) -> dict[str, Any]:
    """Return the new values by field; what was erased is left out."""
    changes = event.event.get("changes") or []
    return {change["field"]: change["new"] for change in changes if change.get("new") is not None}


def _create_person(connection: Connection, event: ProductEvent) -> None:
    named = _changed(event)
    connection.execute(
        PERSON.insert().values(
            person=event.metadata["person"],
            handle=named.get("handle"),
            name=named.get("name"),
            email=named.get("email"),
            identity=event.metadata.get("identity"),
            created_at=event.received_at,
            created_index=event.index,
        )
    )


def _change_person(connection: Connection, event: ProductEvent) -> None:
    values = {field: value for field, value in _changed(event).items() if field in {"handle", "name", "email"}}
    if values:
        connection.execute(update(PERSON).where(PERSON.c.person == event.metadata["person"]).values(**values))


def _disable(connection: Connection, event: ProductEvent) -> None:
    person = event.metadata["person"]
    connection.execute(update(PERSON).where(PERSON.c.person == person).values(disabled_index=event.index))
    # An invitation would let her in again by setting a password.
    connection.execute(delete(CREDENTIAL).where(CREDENTIAL.c.person == person, CREDENTIAL.c.kind == "invitation"))


def _enable(connection: Connection, event: ProductEvent) -> None:
    connection.execute(update(PERSON).where(PERSON.c.person == event.metadata["person"]).values(disabled_index=None))
    _note_hand(connection, event.metadata["person"], _actor(event), event.index)


def _actor(event: ProductEvent) -> str:
    actor: str = event.event["actor"]["id"]
    return actor


def _note_hand(connection: Connection, person: str, hand: str, index: int, *, relinked: bool = False) -> None:
    """Keep who had a hand in somebody else's account, and since when."""
    if hand == person:
        return
    row = (PERSON_HAND.c.person == person) & (PERSON_HAND.c.hand == hand)
    before = connection.scalar(select(PERSON_HAND.c.relinked).where(row))
    connection.execute(delete(PERSON_HAND).where(row))
    values = {"person": person, "hand": hand, "since_index": index, "relinked": relinked or bool(before)}
    connection.execute(PERSON_HAND.insert().values(**values))


def _accept_invitation(connection: Connection, event: ProductEvent) -> None:
    """Take the link away, and keep who made it: nobody else's hand is in an account whose password is new."""
    person = event.metadata["person"]
    mine = CREDENTIAL.c.person == person
    maker = connection.scalar(select(CREDENTIAL.c.made_by).where(mine, CREDENTIAL.c.kind == "invitation"))
    password = connection.scalar(select(CREDENTIAL.c.name).where(mine, CREDENTIAL.c.kind == "password"))
    connection.execute(delete(PERSON_HAND).where(PERSON_HAND.c.person == person))
    if maker is not None:
        _note_hand(connection, person, maker, event.index, relinked=password is not None)
    _take("invitation")(connection, event)


def _disable_totp(connection: Connection, event: ProductEvent) -> None:
    _take("totp", "recovery")(connection, event)
    _note_hand(connection, event.metadata["person"], _actor(event), event.index)


def _change_groups(connection: Connection, event: ProductEvent) -> None:
    person, groups = event.metadata["person"], event.metadata["groups"]
    mine = PERSON_GROUP.c.person == person
    connection.execute(delete(PERSON_GROUP).where(mine, PERSON_GROUP.c.name.not_in(groups)))
    kept = set(connection.scalars(select(PERSON_GROUP.c.name).where(mine)))
    for name in groups:
        if name not in kept:
            connection.execute(PERSON_GROUP.insert().values(person=person, name=name, since_index=event.index))


def _put(kind: str) -> Handler:
    """Return the handler that puts a credential in force, in place of the one before."""

    def put(connection: Connection, event: ProductEvent) -> None:
        metadata = event.metadata
        person = metadata.get("person", "")
        connection.execute(delete(CREDENTIAL).where(CREDENTIAL.c.person == person, CREDENTIAL.c.kind == kind))
        connection.execute(
            CREDENTIAL.insert().values(
                name=metadata["credential"],
                kind=kind,
                person=person,
                digest=metadata["digest"],
                made_by=_actor(event),
                since_at=event.received_at,
                until=metadata.get("until"),
            )
        )

    return put


def _take(*kinds: str) -> Handler:
    """Return the handler that ends the credentials of some kinds."""

    def take(connection: Connection, event: ProductEvent) -> None:
        person = event.metadata.get("person", "")
        connection.execute(delete(CREDENTIAL).where(CREDENTIAL.c.person == person, CREDENTIAL.c.kind.in_(kinds)))

    return take


def _complete_setup(connection: Connection, _: ProductEvent) -> None:
    connection.execute(delete(CREDENTIAL).where(CREDENTIAL.c.person == "", CREDENTIAL.c.kind == "setup"))


def _enable_totp(connection: Connection, event: ProductEvent) -> None:
    _put("totp")(connection, event)
    _note_step(connection, event.metadata)


def _note_step(connection: Connection, metadata: dict[str, Any]) -> None:
    """Keep the newest half minute whose code was used: none counts twice."""
    if "totp_step" in metadata:
        connection.execute(
            update(PERSON).where(PERSON.c.person == metadata["person"]).values(totp_step=metadata["totp_step"])
        )


def _use_recovery_code(connection: Connection, event: ProductEvent) -> None:
    used = {"credential": event.metadata["credential"], "number": event.metadata["number"]}
    connection.execute(RECOVERY_CODE_USED.insert().values(**used, used_index=event.index))


def _sign_in(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        update(PERSON).where(PERSON.c.person == metadata["person"]).values(signed_in_at=event.received_at)
    )
    _note_step(connection, metadata)
    connection.execute(
        SESSION.insert().values(
            session=metadata["session"],
            person=metadata["person"],
            digest=metadata["digest"],
            method=metadata["method"],
            address=(event.event.get("context") or {}).get("ip"),
            agent=_changed(event).get("agent"),
            opened_at=event.received_at,
            until=metadata["until"],
            fresh_at=event.received_at,
        )
    )


def _reauthenticate(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    connection.execute(
        update(SESSION).where(SESSION.c.session == metadata["session"]).values(fresh_at=event.received_at)
    )
    _note_step(connection, metadata)


def _end_session(connection: Connection, event: ProductEvent) -> None:
    connection.execute(
        update(SESSION)
        .where(SESSION.c.session == event.metadata["session"], SESSION.c.ended_index.is_(None))
        .values(ended_index=event.index)
    )


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of(
    {
        "access.person_created": _create_person,
        "access.person_changed": _change_person,
        "access.person_disabled": _disable,
        "access.person_enabled": _enable,
        "access.groups_changed": _change_groups,
        "access.invited": _put("invitation"),
        "access.invitation_accepted": _accept_invitation,
        "access.setup_link_made": _put("setup"),
        "access.setup_completed": _complete_setup,
        "access.password_set": _put("password"),
        "access.totp_enabled": _enable_totp,
        "access.totp_disabled": _disable_totp,
        "access.recovery_codes_made": _put("recovery"),
        "access.recovery_code_used": _use_recovery_code,
        "access.signed_in": _sign_in,
        "access.signed_out": _end_session,
        "access.session_revoked": _end_session,
        "access.reauthenticated": _reauthenticate,
    }
)
