"""The people of the demo organisation who use the product: invited, with access that was asked for and decided.

None of them has a password. Whoever opens the setup link joins them as the first administrator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tallystick.access.grants.model import Subject
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.people.model import Profile
from tallystick.intake.demo.company import BY_ID, DOMAIN, ROOT

if TYPE_CHECKING:
    from tallystick.server import Instance

DAY_US: Final = 86_400 * 1_000_000
LEAD: Final = "beatriz.lima"
ADDRESS: Final = "192.0.2.21"
AUDITOR: Final = Profile("eva.novak", "Eva Novak", "eva.novak@audit.example")


@dataclass(frozen=True, slots=True)
class Wish:
    """Access that somebody asks for; `decided` is whether the security lead grants it already."""

    handle: str
    role: str
    scope: str
    reason: str
    days: int
    decided: bool = True


WISHES: Final = (
    Wish("callum.grant", "analyst", ROOT, "On call for security incidents", 180),
    Wish("ana.sousa", "owner", f"{ROOT}/platform", "Owns the platform and answers for its audit trail", 365),
    Wish("divya.pillai", "security-lead", ROOT, "Keeps the security policies", 365),
    Wish("linnea.sand", "viewer", ROOT, "Prepares the quarterly access review", 90),
    Wish(AUDITOR.handle, "auditor", ROOT, "Yearly SOC 2 examination, period of last year", 60, decided=False),
    Wish("paula.reyes", "analyst", f"{ROOT}/payments", "Follows up the settlement incident", 14, decided=False),
)


def invite_people(instance: Instance) -> None:
    """Invite the people and let them ask for access; two requests are left for whoever sets the installation up."""
    services = instance.services
    handles = [LEAD, *(wish.handle for wish in WISHES)]
    people = {handle: services.people.invite(OPERATOR, _profile(handle))[0].id for handle in handles}
    until = instance.ledger.status().now
    first = services.grants.request(
        OPERATOR,
        subject=Subject("person", people[LEAD]),
        role="security-lead",
        scope="",
        reason="Leads security at Wrenfield Instruments",
        until_us=until + 365 * DAY_US,
    )
    services.grants.approve(OPERATOR, first, reason="First of the people who decide")
    for wish in WISHES:
        grant = services.grants.request(
            OPERATOR,
            subject=Subject("person", people[wish.handle]),
            role=wish.role,
            scope=wish.scope,
            reason=wish.reason,
            until_us=until + wish.days * DAY_US,
        )
        if wish.decided:
            rights = services.grants.rights_of(people[LEAD], (), instance.ledger.status().now)
            lead = Caller(people[LEAD], "user", BY_ID[LEAD].name, rights, ADDRESS, "page")
            services.grants.approve(lead, grant, reason="Needed for the job")


def _profile(handle: str) -> Profile:
    if handle == AUDITOR.handle:
        return AUDITOR
    return Profile(handle, BY_ID[handle].name, f"{handle}@{DOMAIN}")
