"""Which events a version of a destination's settings asks for, and as what they are sent.

The question and the rights are compiled as a search compiles them, so a destination never gets what its maker could
not have found; a test holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from tallystick.event.catalogue import render_message
from tallystick.event.disclosure import Disclosure
from tallystick.event.merge import merge
from tallystick.follow.product_log import LEDGER_CLASS, PRODUCT_SOURCE
from tallystick.follow.register import Register
from tallystick.query.evaluate import Document, matches, value_matches
from tallystick.query.fields import FIELDS
from tallystick.query.model import EVERYTHING, NOTHING, All, Node, Not, Some, Term, all_of, any_of, negate
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
    _settled: dict[tuple[int, int], tuple[str, str, Node]] = field(default_factory=dict)
    _last_moment: tuple[int, str] = (-1, "")

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
        where = (disclosure.source, disclosure.class_number)
        source, class_name, asked = self._settled.get(where) or self._settle(where)
        plan, has_personal = self.plan, disclosure.personal not in (None, _NO_PERSONAL)
        shown = has_personal and plan.sight.sees_personal(facts)
        whole = merge(facts, disclosure.personal) if shown else event
        document = Document(
            index=disclosure.index,
            id=_dashed(disclosure.id.hex()),
            received_at=disclosure.received_at,
            source=source,
            class_name=class_name,
            event=whole if plan.rights.personal else event,
        )
        if asked != EVERYTHING and not self.is_own(disclosure) and not matches(asked, document, plan.rights):
            return None
        if self.version.format is Format.GITLAB:
            body = gitlab_body(document.id, whole)
        else:
            row = {
                "index": document.index,
                "id": document.id,
                "received_at": self._moment(document.received_at),
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

    def _settle(self, where: tuple[int, int]) -> tuple[str, str, Node]:
        """Return what source and class are called, and what is left to ask of their events."""
        names = self.plan.names
        source, class_name = name_of(names.sources, where[0]), name_of(names.classes, where[1])
        settled = (source, class_name, _settled(self.plan.node, {"source": source, "class": class_name}))
        self._settled[where] = settled
        return settled

    def _moment(self, received_at: int) -> str:
        """Return a time as text; those of a batch are all the same."""
        if self._last_moment[0] != received_at:
            self._last_moment = (received_at, format_moment(received_at))
        return self._last_moment[1]

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


def _settled(node: Node, names: Mapping[str, str]) -> Node:
    """Return a tree with what asks for source and class answered."""
    if isinstance(node, All):
        children = [_settled(child, names) for child in node.nodes]
        return NOTHING if NOTHING in children else all_of(child for child in children if child != EVERYTHING)
    if isinstance(node, Some):
        children = [_settled(child, names) for child in node.nodes]
        return EVERYTHING if EVERYTHING in children else any_of(child for child in children if child != NOTHING)
    if isinstance(node, Not):
        inner = _settled(node.node, names)
        return negate(inner)  # of everything it is nothing, and the other way round
    if isinstance(node, Term) and node.field.name in names:
        field_type = FIELDS[node.field.name]
        return EVERYTHING if value_matches(field_type, node.test, names[node.field.name]) else NOTHING
    return node


def _dashed(digits: str) -> str:
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
