"""The broken glass that everybody who may decide has to see."""

from __future__ import annotations

import msgspec

from tallystick.access.model import Caller
from tallystick.api.grant_views import GrantView, grant_views
from tallystick.api.services import Services
from tallystick.web.present import clock


class OpenGlass(msgspec.Struct, frozen=True, kw_only=True):
    """An emergency that lasts, in a sentence, and its page."""

    text: str
    path: str


def open_glass(services: Services, caller: Caller) -> list[OpenGlass]:
    """Return the emergencies in force that concern whoever looks: their own, and those where they see access."""
    found = services.grants.open_glass(caller)
    if not found:
        return []
    return [_sentence(each) for each in grant_views(found, services.grants, services.ledger.status().now)]


def _sentence(grant: GrantView) -> OpenGlass:
    until = "" if grant.until is None else f" until {clock(grant.until)} UTC"
    text = f"{grant.subject.name} broke the glass: role {grant.role} in {grant.scope}{until}."
    return OpenGlass(text=text, path=f"/access/grants/{grant.grant}")
