"""Which events a version of a destination's settings asks for, and as what they are sent.

The question and the rights are compiled as a search compiles them, so a destination never gets what its maker could
not have found; a test holds the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import msgspec

from tallystick.event.catalogue import render_message
from tallystick.event.disclosure import Disclosure
from tallystick.event.merge import merge
from tallystick.follow.product_log import LEDGER_CLASS, PRODUCT_SOURCE
from tallystick.follow.register import Register
from tallystick.query.evaluate import Document, matches
from tallystick.query.moments import format_moment
from tallystick.search.model import Search
from tallystick.search.plan import Plan, make_plan
from tallystick.search.render import name_of
from tallystick.stream.gitlab import gitlab_body, gitlab_type
from tallystick.stream.model import Format, Maker, Version

_NO_PERSONAL: Final = b"{}"
_OWN: Final = b'"action":"stream.'


@dataclass(frozen=True, slots=True)
class Message:
    """One event on its way: `body` is its JSON, `kind` what GitLab would call it."""

    index: int
    id: str
    version: Version
    body: bytes
    kind: str


@dataclass
class Judge:
    """Judges events for one destination by one version, as names and catalogue stand now."""

    destination: str
    version: Version
    register: Register
    plan: Plan = field(init=False)

    def __post_init__(self) -> None:
        version = self.version
        maker = Maker(self.destination, "service", version.rights)
        search = Search(text=version.query or "", scope=version.scope or None, reading=version.reading)
        self.plan = make_plan(search, maker, self.register, version.set_at)

    def message(self, disclosure: Disclosure) -> Message | None:
        """Return what is to be sent of an event, or None when it is not for this destination."""
        facts = disclosure.facts
        if facts is None or self.version.query is None:
            return None
        event: dict[str, Any] = msgspec.json.decode(facts)
        action_type = self.register.catalogue_at(disclosure.index).get(event["action"])
        if action_type is not None and not action_type.streamed:
            return None
        plan, has_personal = self.plan, disclosure.personal not in (None, _NO_PERSONAL)
        shown = has_personal and plan.sight.sees_personal(facts)
        whole = merge(facts, disclosure.personal) if shown else event
        document = Document(
            index=disclosure.index,
            id=str(UUID(bytes=disclosure.id)),
            received_at=disclosure.received_at,
            source=name_of(plan.names.sources, disclosure.source),
            class_name=name_of(plan.names.classes, disclosure.class_number),
            event=whole if plan.rights.personal else event,
        )
        if not self.is_own(disclosure) and not matches(plan.node, document, plan.rights):
            return None
        if self.version.format is Format.GITLAB:
            body = gitlab_body(document.id, whole)
        else:
            row = {
                "index": document.index,
                "id": document.id,
                "received_at": format_moment(document.received_at),
                "source": document.source,
                "class": document.class_name,
                "message": render_message(action_type, whole),
                "withheld": has_personal and not shown,
                "erased": disclosure.personal is None,
                "undeclared": action_type is None,
                "event": whole if shown else msgspec.Raw(facts),
            }
            body = msgspec.json.encode({"type": event["action"], "timestamp": event["occurred_at"], "data": row})
        return Message(document.index, document.id, self.version, body, gitlab_type(event))

    def is_own(self, disclosure: Disclosure) -> bool:
        """Whether an event changes this very destination: that goes to it whatever it asks for."""
        return is_about_streams(disclosure) and f'"destination":"{self.destination}"'.encode() in (
            disclosure.facts or b""
        )


def is_about_streams(disclosure: Disclosure) -> bool:
    """Whether an event may change a destination, and so how what follows it is judged."""
    return (
        disclosure.source == PRODUCT_SOURCE
        and disclosure.class_number == LEDGER_CLASS
        and _OWN in (disclosure.facts or b"")
    )
