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
    Wish("callum.grant", "analyst", "", "On call for security incidents", 180),
    Wish("ana.sousa", "owner", f"{ROOT}/platform", "Owns the platform and answers for its audit trail", 300),
    Wish("divya.pillai", "security-lead", "", "Keeps the security policies", 300),
    Wish("linnea.sand", "compliance-manager", "", "Reviews the log every week, and keeps retention", 300),
    Wish(AUDITOR.handle, "auditor", ROOT, "Yearly SOC 2 examination, period of last year", 60, decided=False),
    Wish("paula.reyes", "analyst", f"{ROOT}/payments", "Follows up the settlement incident", 14, decided=False),
)


def invite_people(instance: Instance, end_us: int) -> None:
    """Invite the people and give them their access, in each case for so many days beyond the end of the story."""
    services = instance.services
    handles = [LEAD, *(wish.handle for wish in WISHES)]
    people = {handle: services.people.invite(OPERATOR, _profile(handle))[0].id for handle in handles}
    first = services.grants.request(
        OPERATOR,
        subject=Subject("person", people[LEAD]),
        role="security-lead",
        scope="",
        reason="Leads security at Wrenfield Instruments",
        until_us=end_us + 300 * DAY_US,
    )
    services.grants.approve(OPERATOR, first, reason="First of the people who decide")
    lead = caller(instance, LEAD, ADDRESS)
    for wish in WISHES:
        if wish.decided:
            services.grants.approve(
                lead, _ask(instance, people[wish.handle], wish, end_us), reason="Needed for the job"
            )


def ask_for_access(instance: Instance, end_us: int) -> None:
    """Leave two requests for whoever sets the installation up."""
    people = {person.handle: person.id for person in instance.services.people.list(OPERATOR)}
    for wish in WISHES:
        if not wish.decided:
            _ask(instance, people[wish.handle], wish, end_us)


def caller(instance: Instance, handle: str, address: str) -> Caller:
    """Return somebody of the organisation as she comes in."""
    services = instance.services
    person = next(each.id for each in services.people.list(OPERATOR) if each.handle == handle)
    rights = services.grants.rights_of(person, (), instance.ledger.status().now)
    return Caller(person, "user", BY_ID[handle].name, rights, address, "page")


def _ask(instance: Instance, person: str, wish: Wish, end_us: int) -> str:
    return instance.services.grants.request(
        OPERATOR,
        subject=Subject("person", person),
        role=wish.role,
        scope=wish.scope,
        reason=wish.reason,
        until_us=end_us + wish.days * DAY_US,
    )


def _profile(handle: str) -> Profile:
    if handle == AUDITOR.handle:
        return AUDITOR
    return Profile(handle, BY_ID[handle].name, f"{handle}@{DOMAIN}")
