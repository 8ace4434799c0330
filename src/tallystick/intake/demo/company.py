"""Who works at Wrenfield Instruments, where, on what, and with which machines. All of it is invented."""

from __future__ import annotations

from dataclasses import dataclass

ROOT = "wrenfield"
DOMAIN = "wrenfield.example"


@dataclass(frozen=True, slots=True)
class Office:
    """A place with its hours and its addresses, which are all from ranges kept for documentation."""

    city: str
    country: str
    utc_offset_min: int
    network: str


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who works here, from the first to the last day counted from the beginning; -1 is open."""

    id: str
    name: str
    team: str
    office: Office
    first_day: int = -1
    last_day: int = -1

    @property
    def email(self) -> str:
        return f"{self.id}@{DOMAIN}"

    def works(self, day: int) -> bool:
        return self.first_day <= day and (self.last_day < 0 or day <= self.last_day)


@dataclass(frozen=True, slots=True)
class Project:
    """Something that is released, with the scope it lives in."""

    name: str
    scope: str
    team: str
    first_version: tuple[int, int]


BERGEN = Office("Bergen", "NO", 60, "192.0.2")
TORONTO = Office("Toronto", "CA", -300, "198.51.100")
PUNE = Office("Pune", "IN", 330, "203.0.113")

_STAFF: dict[str, tuple[tuple[str, Office], ...]] = {
    "platform": (
        ("Ana Sousa", BERGEN), ("Bjarte Hauge", BERGEN), ("Chinwe Eze", TORONTO), ("Devika Rao", PUNE),
        ("Emil Strand", BERGEN), ("Farah Nasser", TORONTO), ("Gaurav Joshi", PUNE), ("Helle Dahl", BERGEN),
    ),
    "devices": (
        ("Ingrid Moe", BERGEN), ("Jonas Vik", BERGEN), ("Kavita Menon", PUNE), ("Liam Tremblay", TORONTO),
        ("Mina Karimi", TORONTO), ("Nils Aasen", BERGEN), ("Omkar Kulkarni", PUNE),
    ),
    "payments": (
        ("Paula Reyes", TORONTO), ("Quentin Roy", TORONTO), ("Ragnhild Lie", BERGEN), ("Sameer Patil", PUNE),
        ("Tuva Berg", BERGEN), ("Usha Iyer", PUNE),
    ),
    "operations": (
        ("Viktor Holm", BERGEN), ("Wanda Fraser", TORONTO), ("Yusuf Demir", BERGEN), ("Zoya Shaikh", PUNE),
        ("Arne Solheim", BERGEN),
    ),
    "security": (("Beatriz Lima", BERGEN), ("Callum Grant", TORONTO), ("Divya Pillai", PUNE)),
    "support": (
        ("Elise Fontaine", TORONTO), ("Frode Haugen", BERGEN), ("Geeta Desai", PUNE), ("Hugo Martel", TORONTO),
        ("Isha Bhatt", PUNE), ("Jorunn Eide", BERGEN), ("Karim Haddad", TORONTO),
    ),
    "people": (("Linnea Sand", BERGEN), ("Maya Cohen", TORONTO), ("Neha Apte", PUNE)),
    "finance": (("Oskar Lund", BERGEN), ("Priya Nair", PUNE), ("Rosalie Gagnon", TORONTO)),
    "sales": (("Stine Rud", BERGEN), ("Tarek Aziz", TORONTO), ("Vandana Shah", PUNE), ("William Cote", TORONTO)),
}  # fmt: skip
# Who joined and who left in the half year, by day from its beginning.
_JOINED = {"Helle Dahl": 34, "Omkar Kulkarni": 61, "Isha Bhatt": 92, "William Cote": 118, "Divya Pillai": 20}
_LEFT = {"Quentin Roy": 159, "Tarek Aziz": 88, "Arne Solheim": 71}


def _hire() -> tuple[Person, ...]:
    return tuple(
        Person(name.lower().replace(" ", "."), name, team, office, _JOINED.get(name, -1), _LEFT.get(name, -1))
        for team, members in _STAFF.items()
        for name, office in members
    )


PEOPLE = _hire()
BY_ID = {person.id: person for person in PEOPLE}
PROJECTS = (
    Project("api", f"{ROOT}/platform/api", "platform", (4, 2)),
    Project("console", f"{ROOT}/platform/console", "platform", (2, 11)),
    Project("firmware", f"{ROOT}/devices/firmware", "devices", (7, 0)),
    Project("gateway", f"{ROOT}/devices/gateway", "devices", (1, 8)),
    Project("checkout", f"{ROOT}/payments/checkout", "payments", (3, 5)),
    Project("settlement", f"{ROOT}/payments/settlement", "payments", (5, 1)),
)
HOSTS = tuple(
    f"{role}-{number:02d}"
    for role, count in (("web", 4), ("db", 3), ("queue", 2), ("build", 3), ("bastion", 1), ("files", 2))
    for number in range(1, count + 1)
)
SERVICES = ("api", "console", "checkout", "settlement", "ingest", "mailer", "search", "billing")
APPLICATIONS = ("intranet", "code", "mail", "crm", "payroll", "console", "wiki")
POLICY_SCOPE = f"{ROOT}/security/policies"
BUILD_BOT = {"id": "release-bot", "type": "service", "name": "Release bot"}


def team_of(team: str, day: int) -> list[Person]:
    """Return who of the team works on that day."""
    return [person for person in PEOPLE if person.team == team and person.works(day)]
