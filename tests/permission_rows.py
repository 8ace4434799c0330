"""Every route with what it needs, and a request that is good but for who sends it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode

from tests.installation import Installation
from tests.people_world import Member, People
from tests.rules_world import rule_text
from tests.web_routes import Route

from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission, close
from tallystick.access.sources.limits import NOT_FOR_TOKENS
from tallystick.access.sources.model import Owner, OwnerKind, SourceSettings, TokenSettings
from tallystick.alert.book import Filter, Verdict
from tallystick.alert.notify.matchers import parse_matchers
from tallystick.alert.notify.model import Delivery, ReceiverSettings, Tells, Way
from tallystick.follow.alarm import Alarm, Severity
from tallystick.govern.exceptions.model import Kind as ExceptionKind
from tallystick.govern.exceptions.model import Risk, Wish
from tallystick.govern.systems.model import DataClass, Environment, Facts, Proposal
from tallystick.policies.model import ProjectSettings
from tallystick.releases.model import Draft
from tallystick.retain.model import Hold
from tallystick.review.events import review_id
from tallystick.review.model import Kind as DutyKind
from tallystick.review.model import Terms
from tallystick.review.periods import Cadence, period_at
from tallystick.stream.model import DESTINATIONS_MAX, Settings
from tallystick.work.model import Question

P = Permission
DAY_US: Final = 86_400 * 1_000_000
NOWHERE: Final = "http://127.0.0.1:9/events"
NOBODY: Final = "nobody"
"""Open to all."""
SOMEBODY: Final = "somebody"
"""Open to whoever is known, whatever she may do."""
OWN: Final = "own"
"""Only for whom the thing belongs to: everybody else hears that it is not there, whatever she may do."""
NO_TOKEN: Final = "no token"
"""For people and the operator's own connection only: no token of a service can do it, whatever it holds."""


_BESIDE: Final = (
    "events.", "access.looked", "export.finished", "coverage.", "alert.opened", "alert.repeated", "alert.recovered",
    "alert.notif", "exception.used", "exception.expir", "retention.ran", "retention.run_failed", "content.erased",
    "review.opened", "review.period_ended", "review.items_listed", "review.waived",
)  # fmt: skip
"""How actions begin that are on record without anybody asking for a change: readings, and what the product does by itself."""


@dataclass
class World:
    """An installation with something of everything in it."""

    house: Installation
    people: People
    made: int = 0
    members: dict[frozenset[Permission], Member] = field(default_factory=dict)

    def events(self) -> int:
        """Return how many events there are, but for those that record reading, refusals and making this world."""
        return len([action for action in self.house.actions() if not action.startswith(_BESIDE)])

    def entries(self) -> str:
        """Return the name of the bundle with the newest entries."""
        ledger = self.house.instance.ledger
        ledger.wait_committed(ledger.status().acknowledged.size, 10)
        size = int(ledger.checkpoint().splitlines()[1])
        return f"entries/000.p/{size}" if size < 256 else "entries/000"

    def event(self) -> str:
        """Return the id of an event that was sent."""
        rows = self.house.get("/api/v1/events", query="scope:acme/payments", limit=1).json()["events"]
        return str(rows[0]["id"])

    def source(self) -> str:
        """Return the name of a new source."""
        self.made += 1
        name = f"source-{self.made}"
        self.house.instance.services.sources.register(OPERATOR, name, SourceSettings(scopes=("acme",)))
        return name

    def token(self) -> str:
        """Return the name of a new token of a service."""
        services = self.house.instance.services
        # An end before that of anybody's access: nobody rotates what would outlast hers.
        settings = TokenSettings(frozenset({P.TOKENS_MANAGE}), ("",), services.ledger.status().now + 30 * DAY_US)
        return services.tokens.create(OPERATOR, Owner(OwnerKind.SERVICE, "made"), settings).token

    def role(self) -> str:
        """Return the name of a new role."""
        self.made += 1
        name = f"role-{self.made}"
        self.house.instance.services.roles.define(OPERATOR, name, name, "", {P.REVIEWS_READ})
        return name

    def member(self) -> str:
        """Return the id of somebody new."""
        self.made += 1
        return self.people.join(f"member{self.made}").id

    def grant(self) -> str:
        """Return a grant of a new member that is in force."""
        self.made += 1
        return self.people.grant(self.people.join(f"holder{self.made}"), "viewer", "acme")

    def request(self) -> str:
        """Return a request of the operator that nobody has decided."""
        self.made += 1
        return self.people.ask(self.people.join(f"asked{self.made}"), "viewer", "acme")

    def export(self) -> str:
        """Return an export that the operator asked for."""
        return self.house.instance.services.exports.request(OPERATOR, Question(), "jsonl")

    def view(self) -> str:
        """Return a saved view of the operator's own."""
        self.made += 1
        return self.house.instance.services.views.save(OPERATOR, f"view {self.made}", Question())

    def release(self) -> str:
        """Return a new release with a stored file, `a.bin`, and a link, `notes`."""
        self.made += 1
        releases = self.house.instance.services.releases
        made = releases.register.create(OPERATOR, Draft("acme", f"v{self.made}", "A Release"))
        releases.artifacts.add_file(OPERATOR, made, "a.bin", b"a file")
        releases.artifacts.add_link(OPERATOR, made, "notes", "https://example.org/notes")
        return made

    def stream(self) -> str:
        """Return a new destination, at an address where nobody listens."""
        self.made += 1
        streams = self.house.instance.services.streams
        kept = [each for each, _ in streams.standings(OPERATOR) if each.state != "ending"]
        if len(kept) > DESTINATIONS_MAX // 2:
            streams.delete(OPERATOR, kept[0].id)
        return streams.create(OPERATOR, Settings(name=f"stream {self.made}", url=NOWHERE)).id

    def version(self, release: str) -> str:
        """Return the version of a release."""
        return str(self.house.instance.services.releases.register.get(OPERATOR, release).release.version)

    def hold(self) -> str:
        """Return a new hold of the operator's."""
        self.made += 1
        hold = Hold(f"case-{self.made}", "legal", "for a test", None, 0, 0, ranges=((1, 1),))
        self.house.instance.services.retention.service.place(OPERATOR, hold)
        return hold.hold

    def retention_change(self) -> str:
        """Return a proposal of the operator's that a hold ends, which nobody has decided."""
        return self.house.instance.services.retention.service.release(OPERATOR, self.hold(), "for a test")

    def policies(self) -> str:
        """Return a new policy project of the operator's that is kept here."""
        return self._policy_project(kept="here")

    def policies_in_git(self) -> str:
        """Return a new policy project whose repository is not there, as is on record already."""
        project = self._policy_project(kept="git", repository="/nowhere/at/all", branch="main")
        self.house.instance.services.policies.service.sync(OPERATOR, project)
        return project

    def _policy_project(self, **more: Any) -> str:
        self.made += 1
        settings = ProjectSettings(title=f"policies {self.made}", scope="acme/security", governed=("acme",), **more)
        return self.house.instance.services.policies.service.register(OPERATOR, settings)

    def proposal(self, project: str) -> str:
        """Return a proposal of the operator's in a project."""
        return self.house.instance.services.policies.service.propose(OPERATOR, project, POLICIES, None, "for a test")

    def rule(self) -> str:
        """Return a new detection rule of the operator's, which is tested."""
        self.made += 1
        service = self.house.instance.services.rules.service
        made = service.draft(OPERATOR, rule_text(f"Rule {self.made}").encode())
        service.test(OPERATOR, made)
        return made

    def indicators(self) -> str:
        """Return the name of a new list of indicators."""
        self.made += 1
        self.house.instance.services.rules.lists.create(OPERATOR, f"list_{self.made}")
        return f"list_{self.made}"

    def system(self) -> str:
        """Return a new system of the operator's making, which somebody answers for."""
        self.made += 1
        owner = self.people.join(f"answers{self.made}").id
        facts = Facts(f"System {self.made}", ("acme",), Environment.TEST, DataClass.PUBLIC, owner)
        return self.house.instance.services.systems.register.register(OPERATOR, facts)

    def declaration(self, system: str) -> Proposal:
        """Return a declaration of the operator's for a system, which nobody has decided."""
        register = self.house.instance.services.systems.register
        register.propose(OPERATOR, system, DECLARATION, based_on=None, reason="for a test")
        return register.get(OPERATOR, system).proposals[0]

    def exception(self) -> str:
        """Return an exception that the operator asked for, which nobody has decided."""
        until = self.house.instance.services.ledger.status().now + 30 * DAY_US
        wish = Wish(ExceptionKind.POLICY, "p-1", "acme", "for a test", "none", Risk.LOW, until)
        return self.house.instance.services.systems.exceptions.request(OPERATOR, wish)

    def agreed(self) -> str:
        """Return an exception that is in force."""
        self.made += 1
        register = self.house.instance.services.systems.exceptions
        asks = self.people.caller(self.people.join(f"asks{self.made}", ("compliance-manager", "")))
        until = self.house.instance.services.ledger.status().now + 30 * DAY_US
        wish = Wish(ExceptionKind.POLICY, "p-1", "acme", "for a test", "none", Risk.LOW, until)
        made = register.request(asks, wish)
        register.approve(OPERATOR, made, register.get(OPERATOR, made).digest)
        return made

    def duty(self) -> str:
        """Return a new duty of the operator's, which nothing falls due for while the tests run."""
        self.made += 1
        terms = Terms(kind=DutyKind.EXCEPTIONS, scope="", cadence=Cadence.YEAR)
        return self.house.instance.services.reviews.duties.create(OPERATOR, f"duty {self.made}", terms)

    def review(self, kind: DutyKind = DutyKind.EXCEPTIONS, *, marked: bool = False) -> str:
        """Return an open review of the week before, with no item to decide about; `marked` ones wait to be signed."""
        rooms, now_us = self.house.instance.services.reviews, self.house.instance.ledger.status().now
        self.made += 1
        terms = Terms(kind=kind, scope=f"acme/reviewed-{self.made}", cadence=Cadence.WEEK, due_days=90)
        duty = rooms.duties.get(OPERATOR, rooms.duties.create(OPERATOR, "a duty", terms))
        period = period_at(Cadence.WEEK, now_us - 7 * DAY_US)
        rooms.upkeep.open(duty, period)
        review = review_id(duty.id, period)
        if marked:
            rooms.reviewing.mark(OPERATOR, review, "follow_ups", self.digest(review), "no finding")
        return review

    def digest(self, review: str) -> str:
        """Return the digest of a review's snapshot."""
        return self.house.instance.services.reviews.looking.get(OPERATOR, review).review.digest

    def follow_up(self) -> str:
        """Return an open follow-up of a new review."""
        rooms, now_us = self.house.instance.services.reviews, self.house.instance.ledger.status().now
        return rooms.reviewing.open_follow_up(
            OPERATOR, self.review(), section="", owner="ops", text="look again", due_us=now_us + DAY_US
        )

    def alert(self, severity: Severity = "low") -> str:
        """Return a new alert."""
        self.made += 1
        about = f"alert {self.made}"
        alerts = self.house.instance.services.alerts
        alerts.book.raise_alarms([Alarm("test", about, about, "acme", severity, "For a test", "for a test", 1)])
        filed = alerts.reading.list(OPERATOR, Filter(severities=(severity,), states=("new",)), limit=1)
        return filed.alerts[0].id

    def mailing(self) -> str:
        """Return the name of a new receiver of mail, to which no route leads."""
        self.made += 1
        settings = ReceiverSettings(name=f"mail-{self.made}", way=Way.EMAIL, to=("ops@example.org",))
        return self.house.instance.services.notify.receivers.set(OPERATOR, settings).name

    def silence(self) -> str:
        """Return a new silence of a scope."""
        service = self.house.instance.services.notify.silences
        return service.place(OPERATOR, parse_matchers("scope=acme"), "for a test", service.now_us() + 3_600_000_000)

    def given_up(self) -> str:
        """Return the key of a notification that could not be delivered."""
        self.made += 1
        letter = Delivery(
            key=f"given-up-{self.made}", receiver="gone", route="0", group="g", tells=Tells.FIRING, number=1,
            scope="acme", made_at=1, due_at=1, state="dead",
        )  # fmt: skip
        self.house.instance.services.notify.notifier.outbox.put(letter)
        return letter.key

    def closed_alert(self) -> str:
        """Return a new alert that is closed."""
        alert = self.alert()
        self.house.instance.services.alerts.closing.close(OPERATOR, [alert], Verdict.FALSE_POSITIVE, "for a test")
        return alert

    def closing(self) -> tuple[str, str]:
        """Return a new alert that the operator asked to close, and the digest of what was asked for."""
        services = self.house.instance.services
        services.settings.change(OPERATOR, {"alerts.second_person": True})
        alert = self.alert("critical")
        services.alerts.closing.close(OPERATOR, [alert], Verdict.FALSE_POSITIVE, "for a test")
        asked = services.alerts.reading.get(OPERATOR, alert).alert.asked
        assert asked is not None
        return alert, asked.digest

    def headers(self, route: Route, permissions: frozenset[Permission]) -> dict[str, str]:
        """Return what somebody with just these permissions sends: pages are for people, the API is for tokens."""
        if not route.is_page:
            return self.own_token() if permissions == {P.EVENTS_READ_OWN} else bearer(self.house, permissions)
        if permissions not in self.members:
            self.made += 1
            grants = [(self.people.role(permissions), "")] if permissions else []
            self.members[permissions] = self.people.join(f"reader{self.made}", *grants)
        return self.members[permissions].headers

    def own_token(self) -> dict[str, str]:
        """Return the headers of a person's token by which she reads what she did herself: no service has such events."""
        self.made += 1
        member = self.people.join(f"own{self.made}", (self.people.role({P.EVENTS_READ_OWN, P.TOKENS_CREATE_OWN}), ""))
        owner, settings = Owner(OwnerKind.PERSON, member.id), TokenSettings(frozenset({P.EVENTS_READ_OWN}), ("",))
        made = self.house.instance.services.tokens.create(self.people.caller(member), owner, settings)
        return {"authorization": f"Bearer {made.secret}"}


@dataclass(frozen=True)
class Request:
    """What is sent."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Maker = Callable[[World, Route], Request]


@dataclass(frozen=True)
class Row:
    """A route, what it needs (of several permissions any, or all `together`), what it is asked, and what it answers when
    it may.
    """

    route: Route
    needs: str | tuple[Permission, ...]
    make: Maker
    allowed: frozenset[int]
    together: bool = False

    def __str__(self) -> str:
        return str(self.route)

    @property
    def permissions(self) -> tuple[Permission, ...]:
        return () if isinstance(self.needs, str) else self.needs

    @property
    def enough(self) -> list[frozenset[Permission]]:
        """Return the smallest sets of permissions that let somebody in."""
        return [close(self.permissions)] if self.together else [close([each]) for each in self.permissions]

    def request(self, world: World) -> Request:
        return self.make(world, self.route)


def bearer(house: Installation, permissions: Iterable[Permission]) -> dict[str, str]:
    """Return the headers of a service that holds just these permissions; sending alone is for the token of a source."""
    held = frozenset(permissions)
    sends = held == {P.EVENTS_RECORD}
    held = held if sends else (held - NOT_FOR_TOKENS - {P.EVENTS_RECORD}) or frozenset({P.REVIEWS_READ})
    key = (",".join(sorted(held)), "", "table")
    if key not in house.made:
        services = house.instance.services
        if sends:
            services.sources.ensure(OPERATOR, "table", SourceSettings(scopes=("",)))
        owner = Owner(OwnerKind.SOURCE if sends else OwnerKind.SERVICE, "table")
        made = services.tokens.create(OPERATOR, owner, TokenSettings(held, ("",)))
        house.made[key] = {"authorization": f"Bearer {made.secret}"}
    return house.made[key]


def without(needed: Iterable[Permission]) -> frozenset[Permission]:
    """Return every permission that does not bring one of these with it."""
    return frozenset(each for each in Permission if not close([each]) & set(needed))


def get(path: str, needs: str | Permission | tuple[Permission, ...], **query: str) -> Row:
    """Return the row of a GET without places in its path."""
    return row("GET", path, needs, lambda _, route: Request(route.path, query))


def plain(_: World, route: Route) -> Request:
    """Return a request without a query; places in the path have ids that nothing has."""
    return Request(route.filled())


def at(path: str, needs: str | Permission | tuple[Permission, ...], **values: Callable[[World], str]) -> Row:
    """Return the row of a GET of something that is there."""
    return row("GET", path, needs, lambda world, route: Request(_filled(world, route, values)))


def json_body(path: str, needs: str | Permission | tuple[Permission, ...], body: Any, method: str = "POST", **values: Callable[[World], str]) -> Row:  # fmt: skip
    """Return the row of a change through the API."""
    sent = json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    return row(
        method, path, needs, lambda world, route: Request(_filled(world, route, values), {}, sent, headers), {200, 201, 204}
    )  # fmt: skip


def form(path: str, needs: str | Permission | tuple[Permission, ...], fields: Mapping[str, str], allowed: Iterable[int] = (303,), **values: Callable[[World], str]) -> Row:  # fmt: skip
    """Return the row of a change through a page."""
    sent = urlencode(fields).encode()
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return row("POST", path, needs, lambda world, route: Request(_filled(world, route, values), {}, sent, headers), allowed)  # fmt: skip


def row(method: str, path: str, needs: str | Permission | tuple[Permission, ...], make: Maker, allowed: Iterable[int] = (200,)) -> Row:  # fmt: skip
    """Return any row."""
    needed = (needs,) if isinstance(needs, Permission) else needs
    return Row(Route(method, path), needed, make, frozenset(allowed))


def on_release(method: str, path: str, body: Any, **more: Any) -> Row:
    """Return the row of a change of a new release through the API, made from its version."""

    def make(world: World, route: Route) -> Request:
        release = world.release()
        headers = {"content-type": "application/json", "if-match": f'"{world.version(release)}"'}
        path = route.filled(release_id=release, name="a.bin")
        return Request(path, more, body if isinstance(body, bytes) else json.dumps(body).encode(), headers)

    return row(method, path, P.RELEASES_MANAGE, make, {200, 201, 204})


def versioned(path: str, fields: Mapping[str, str]) -> Row:
    """Return the row of a form that changes a new release as it is."""

    def make(world: World, route: Route) -> Request:
        release = world.release()
        sent = urlencode({"version": world.version(release), **fields}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return Request(route.filled(release_id=release), {}, sent, headers)

    return row("POST", path, P.RELEASES_MANAGE, make, {303})


def uploaded(world: World, route: Route) -> Request:
    """Return the form that brings a file to a new release."""
    lines = ("--x", 'content-disposition: form-data; name="file"; filename="b.bin"', "", "a file", "--x--", "")
    headers = {"content-type": "multipart/form-data; boundary=x"}
    return Request(route.filled(release_id=world.release()), {}, "\r\n".join(lines).encode(), headers)


def evidence(path: str) -> Row:
    """Return the row of fetching the evidence of a new release."""

    def make(world: World, route: Route) -> Request:
        release = world.release()
        taken = world.house.instance.services.releases.artifacts.collect(OPERATOR, release)
        return Request(route.filled(release_id=release, digest=taken))

    return row("GET", path, P.RELEASES_READ, make)


def dossier(path: str) -> Row:
    """Return the row of fetching the dossier of a new release, which discloses events."""
    needed = at(path, (P.RELEASES_READ, P.EVENTS_EXPORT, P.PROOFS_READ), release_id=World.release)
    return replace(needed, together=True)


def on_proposal(path: str, needs: str | Permission, body: Any, step: str = "") -> Row:
    """Return the row of something that is done with a new proposal, through the API or on a page."""

    def make(world: World, route: Route) -> Request:
        project = world.policies()
        told = {**(body or {}), **({"digest": POLICIES_SHA256} if (step or path).endswith("approve") else {})}
        where = route.filled(project=project, proposal=world.proposal(project), step=step)
        if route.is_page:
            return Request(where, {}, urlencode(told).encode(), {"content-type": "application/x-www-form-urlencoded"})
        return Request(where, {}, json.dumps(told).encode(), {"content-type": "application/json"})

    return row("POST", path, needs, make, {200, 303})


def on_shipped_rule(step: str) -> Row:
    """Return the row of something that is done with a rule that was approved: it watches, or does so no more."""

    def make(world: World, route: Route) -> Request:
        rules = world.house.instance.services.rules
        rule = rules.reading.rule(OPERATOR, "impersonation").shown.rule
        if step == "enable" and rule.state == "enabled":
            rules.service.disable(OPERATOR, rule.id, "for a test")
        if step == "disable" and rule.state != "enabled":
            rules.service.enable(OPERATOR, rule.id, rule.newest.digest)
        told = {"digest": rule.newest.digest} if step == "enable" else BECAUSE
        path = route.filled(rule_id=rule.id)
        return Request(path, {}, json.dumps(told).encode(), {"content-type": "application/json"})

    return row("POST", f"/api/v1/rules/{{rule_id:str}}/{step}", P.RULES_MANAGE, make, {204})


def on_review(path: str, needs: str | Permission, told: Mapping[str, str], *, marked: bool = False) -> Row:
    """Return the row of something that is done with a new review by naming its snapshot, through the API or on a page."""

    def make(world: World, route: Route) -> Request:
        review = world.review(marked=marked)
        return _sent(
            route, route.filled(review_id=review, section="follow_ups"), {"digest": world.digest(review), **told}
        )

    return row("POST", path, needs, make, {200, 201, 303})


def on_declaration(path: str, needs: str | Permission, *, step: str = "") -> Row:
    """Return the row of something that is done with a new declaration."""

    def make(world: World, route: Route) -> Request:
        system = world.system()
        made = world.declaration(system)
        told = {"digest": made.digest} if (step or path.rpartition("/")[2]) == "approve" else {"reason": "for a test"}
        if route.is_page:
            told |= {"declaration": made.declaration}
        return _sent(route, route.filled(system=system, declaration=made.declaration, step=step), told)

    return row("POST", path, needs, make, {200, 303})


def on_exception(path: str, needs: str | Permission, *, step: str = "") -> Row:
    """Return the row of a decision about a new exception."""

    def make(world: World, route: Route) -> Request:
        made = world.exception()
        digest = world.house.instance.services.systems.exceptions.get(OPERATOR, made).digest
        told = {"digest": digest} if (step or path.rpartition("/")[2]) == "approve" else {"reason": "for a test"}
        return _sent(route, route.filled(exception=made, step=step), told)

    return row("POST", path, needs, make, {200, 303})


def on_item(path: str) -> Row:
    """Return the row of deciding about a grant of somebody else's in a new recertification."""

    def make(world: World, route: Route) -> Request:
        grant, review = world.grant(), world.review(DutyKind.ACCESS)
        told = {"digest": world.digest(review), "item": grant, "verdict": "keep"}
        return _sent(route, route.filled(review_id=review, section="grants"), told)

    return row("POST", path, NO_TOKEN, make, {200, 201})


def on_change(path: str, needs: str | Permission, *, step: str = "") -> Row:
    """Return the row of something that is done with a new proposal about retention."""

    def make(world: World, route: Route) -> Request:
        change = world.retention_change()
        digest = world.house.instance.services.retention.reading.change(OPERATOR, change)[0].digest
        decides = (step or path.rpartition("/")[2]) == "approve"
        told = {"reason": "for a test", **({"digest": digest} if decides else {})}
        return _sent(route, route.filled(change=change, step=step), told)

    return row("POST", path, needs, make, {200, 303})


def _sent(route: Route, where: str, told: Mapping[str, str]) -> Request:
    if route.is_page:
        return Request(where, {}, urlencode(told).encode(), {"content-type": "application/x-www-form-urlencoded"})
    return Request(where, {}, json.dumps(told).encode(), {"content-type": "application/json"})


def all_of(made: Row) -> Row:
    """Return a row that needs all of its permissions."""
    return replace(made, together=True)


def _filled(world: World, route: Route, values: Mapping[str, Callable[[World], str]]) -> str:
    return route.filled(**{name: value(world) for name, value in values.items()})


POLICIES: Final = "approval_policy: []\n"
POLICIES_SHA256: Final = hashlib.sha256(POLICIES.encode()).hexdigest()
PROJECT: Final = {"scope": "acme/security", "governed": ["acme"], "kept": "here"}
OWNED_HERE: Final = {"scope": "acme/security", "governed": "acme", "kept": "here"}
FILE_SHA256: Final = hashlib.sha256(b"a file").hexdigest()
READING: Final = (P.EVENTS_READ, P.EVENTS_READ_OWN)
REFUSED_LINK: Final = frozenset({401, 403, 404, 409, 410, 422})
EVENT: Final = {
    "action": "user.signed_in",
    "actor": {"id": "ana", "type": "user"},
    "target": {"id": "intranet", "type": "application"},
    "scope": "acme",
    "occurred_at": "2026-03-01T12:00:00Z",
}
ROLE: Final = {"title": "A role", "permissions": ["reviews.read"]}
BECAUSE: Final = {"reason": "for a test"}
NEW_TOKEN: Final = {"owner_kind": "service", "owner": "new", "permissions": ["tokens.manage"], "scopes": ["/"]}
ACCESS: Final = {"role": "viewer", "scope": "acme", "reason": "work", "until": "now+5d"}
API: Final = (
    get("/healthz", NOBODY),
    get("/readyz", NOBODY),
    get("/api/v1/log/checkpoint", NOBODY),
    row("GET", "/api/v1/log/checkpoint.witnessed", NOBODY, plain, {200, 404}),
    get("/checkpoint", NOBODY),
    row("GET", "/checkpoint.witnessed", NOBODY, plain, {200, 404}),
    row("GET", "/static/{digest:str}/{path:path}", NOBODY, plain, {404}),
    get("/api/v1/openapi.json", SOMEBODY),
    get("/metrics", SOMEBODY),
    json_body("/api/v1/events", P.EVENTS_RECORD, EVENT),
    get("/api/v1/events", READING),
    at("/api/v1/events/{event_id:str}", P.EVENTS_READ, event_id=World.event),
    at("/api/v1/events/{event_id:str}/proof", P.PROOFS_READ, event_id=World.event),
    get("/api/v1/facets", READING),
    get("/api/v1/histogram", READING),
    get("/api/v1/export", P.EVENTS_EXPORT),
    get("/api/v1/disclosures", P.PROOFS_READ),
    at("/api/v1/log/tile/{tile:path}", P.LOG_READ, tile=World.entries),
    at("/tile/{tile:path}", P.LOG_READ, tile=World.entries),
    get("/api/v1/log/overview", P.LOG_READ),
    get("/api/v1/log/consistency", P.LOG_READ, old="1", new="2"),
    get("/api/v1/health", P.HEALTH_READ),
    get("/api/v1/settings", P.SETTINGS_READ),
    json_body("/api/v1/settings", P.SETTINGS_MANAGE, {"values": {}}, "PATCH"),
    get("/api/v1/sources", P.SOURCES_READ),
    at("/api/v1/sources/{name:str}", P.SOURCES_READ, name=World.source),
    json_body("/api/v1/sources", P.SOURCES_MANAGE, {"name": "brand-new", "scopes": ["acme"]}),
    json_body("/api/v1/sources/{name:str}", P.SOURCES_MANAGE, {"owner": "team"}, "PATCH", name=World.source),
    json_body("/api/v1/sources/{name:str}/retire", P.SOURCES_MANAGE, None, name=World.source),
    get("/api/v1/tokens", SOMEBODY),
    json_body("/api/v1/tokens", P.TOKENS_MANAGE, NEW_TOKEN),
    json_body("/api/v1/tokens/{token:str}/rotate", P.TOKENS_MANAGE, {}, token=World.token),
    json_body("/api/v1/tokens/{token:str}/revoke", P.TOKENS_MANAGE, None, token=World.token),
    get("/api/v1/roles", (P.ACCESS_READ, P.GRANTS_REQUEST)),
    at("/api/v1/roles/{name:str}", (P.ACCESS_READ, P.GRANTS_REQUEST), name=World.role),
    json_body("/api/v1/roles", P.ROLES_MANAGE, {"name": "brand-new", **ROLE}),
    json_body("/api/v1/roles/{name:str}", P.ROLES_MANAGE, ROLE, "PUT", name=World.role),
    json_body("/api/v1/roles/{name:str}/retire", P.ROLES_MANAGE, None, name=World.role),
    get("/api/v1/grants", P.ACCESS_READ),
    at("/api/v1/grants/{grant:str}", P.ACCESS_READ, grant=World.grant),
    get("/api/v1/access", P.ACCESS_READ),
    json_body("/api/v1/grants", NO_TOKEN, {**ACCESS, "subject": {"kind": "group", "id": "ops"}}),
    json_body("/api/v1/grants/break-glass", NO_TOKEN, {"role": "viewer", "scope": "acme", "minutes": 5, **BECAUSE}),
    json_body("/api/v1/grants/{grant:str}/approve", NO_TOKEN, {}, grant=World.request),
    json_body("/api/v1/grants/{grant:str}/reject", NO_TOKEN, BECAUSE, grant=World.request),
    json_body("/api/v1/grants/{grant:str}/withdraw", NO_TOKEN, None, grant=World.request),
    json_body("/api/v1/grants/{grant:str}/revoke", NO_TOKEN, BECAUSE, grant=World.grant),
    get("/api/v1/me", SOMEBODY),
    at("/api/v1/events/{event_id:str}/readers", P.READING_READ, event_id=World.event),
    get("/api/v1/people", P.ACCESS_READ),
    at("/api/v1/people/{person_id:str}", P.ACCESS_READ, person_id=World.member),
    json_body("/api/v1/people", NO_TOKEN, {"handle": "brandnew", "name": "Brand New"}),
    json_body("/api/v1/people/{person_id:str}/disable", P.PEOPLE_MANAGE, {}, person_id=World.member),
    json_body("/api/v1/people/{person_id:str}/enable", NO_TOKEN, {}, person_id=World.member),
    get("/api/v1/catalogue", P.CATALOGUE_READ, q="signed in"),
    at("/api/v1/catalogue/{action:str}", P.CATALOGUE_READ, action=lambda _: "user.signed_in"),
    get("/api/v1/views", SOMEBODY),
    json_body("/api/v1/views", SOMEBODY, {"name": "one", "question": {}}),
    json_body("/api/v1/views/{view_id:str}", OWN, {"name": "one", "question": {}}, "PUT", view_id=World.view),
    json_body("/api/v1/views/{view_id:str}", OWN, None, "DELETE", view_id=World.view),
    get("/api/v1/exports", SOMEBODY),
    json_body("/api/v1/exports", P.EVENTS_EXPORT, {}),
    at("/api/v1/exports/{export_id:str}", P.EXPORTS_MANAGE, export_id=World.export),
    at("/api/v1/exports/{export_id:str}/file", OWN, export_id=World.export),
    json_body("/api/v1/exports/{export_id:str}/cancel", P.EXPORTS_MANAGE, None, export_id=World.export),
    json_body("/api/v1/exports/{export_id:str}", OWN, None, "DELETE", export_id=World.export),
    get("/api/v1/releases", P.RELEASES_READ),
    json_body("/api/v1/releases", P.RELEASES_MANAGE, {"scope": "acme", "tag": "v0.3", "name": "New Release"}),
    at("/api/v1/releases/{release_id:str}", P.RELEASES_READ, release_id=World.release),
    on_release("PATCH", "/api/v1/releases/{release_id:str}", {"name": "Another Name"}),
    on_release("POST", "/api/v1/releases/{release_id:str}/delete", None),
    on_release("POST", "/api/v1/releases/{release_id:str}/assets", {"name": "more", "url": "https://example.org/"}),
    row(
        "PUT",
        "/api/v1/releases/{release_id:str}/assets/{name:str}",
        P.RELEASES_MANAGE,
        lambda world, route: Request(
            route.filled(release_id=world.release(), name="b.bin"), {"sha256": FILE_SHA256}, b"a file"
        ),
        {201},
    ),
    on_release("DELETE", "/api/v1/releases/{release_id:str}/assets/{name:str}", None),
    at(
        "/api/v1/releases/{release_id:str}/assets/{name:str}/file",
        P.RELEASES_READ,
        release_id=World.release,
        name=lambda _: "a.bin",
    ),
    on_release("POST", "/api/v1/releases/{release_id:str}/evidence", None),
    evidence("/api/v1/releases/{release_id:str}/evidence/{digest:str}"),
    dossier("/api/v1/releases/{release_id:str}/dossier"),
    get("/api/v1/milestones", P.RELEASES_READ, scope="acme"),
    json_body("/api/v1/milestones", P.RELEASES_MANAGE, {"scope": "acme", "title": "M1"}),
    get("/api/v1/release-usage", P.RELEASES_MANAGE, scope="acme"),
    get("/api/v1/policies", P.POLICIES_READ),
    json_body("/api/v1/policies", P.POLICIES_MANAGE, {"title": "brand new", **PROJECT}),
    at("/api/v1/policies/{project:str}", P.POLICIES_READ, project=World.policies),
    json_body("/api/v1/policies/{project:str}", P.POLICIES_MANAGE, {"approval": True}, "PATCH", project=World.policies),
    json_body("/api/v1/policies/{project:str}/retire", P.POLICIES_MANAGE, None, project=World.policies),
    json_body("/api/v1/policies/{project:str}/sync", P.POLICIES_MANAGE, {}, project=World.policies_in_git),
    at("/api/v1/policies/{project:str}/history", P.POLICIES_READ, project=World.policies),
    json_body("/api/v1/policies/{project:str}/versions", P.POLICIES_MANAGE, {"text": POLICIES}, project=World.policies),
    json_body(
        "/api/v1/policies/{project:str}/proposals",
        NO_TOKEN,
        {"text": POLICIES, **BECAUSE},
        project=World.policies,
    ),
    on_proposal("/api/v1/policies/{project:str}/proposals/{proposal:str}/approve", NO_TOKEN, None),
    on_proposal("/api/v1/policies/{project:str}/proposals/{proposal:str}/decline", NO_TOKEN, BECAUSE),
    on_proposal("/api/v1/policies/{project:str}/proposals/{proposal:str}/withdraw", NO_TOKEN, None),
    get("/api/v1/policy-scopes", P.POLICIES_READ, scope="acme"),
    json_body("/api/v1/policy-checks", SOMEBODY, {"text": POLICIES}),
    json_body("/api/v1/grants/{grant:str}/extend", NO_TOKEN, {"until": "now+9d", **BECAUSE}, grant=World.grant),
)
REVIEW: Final = "/api/v1/reviews/{review_id:str}"
REVIEW_SECTION: Final = f"{REVIEW}/sections/{{section:str}}"
NEW_DUTY: Final = {"title": "brand new", "kind": "exception_review", "scope": "/"}
NOTHING_FOUND: Final = {"verdict": "no finding"}
TO_DO: Final = {"text": "look again", "owner": "ops", "due": "now+5d"}
REVIEWS_API: Final = (
    get("/api/v1/duties", P.REVIEWS_READ),
    json_body("/api/v1/duties", NO_TOKEN, NEW_DUTY),
    at("/api/v1/duties/{duty:str}", P.REVIEWS_READ, duty=World.duty),
    json_body("/api/v1/duties/{duty:str}", NO_TOKEN, {"title": "another"}, "PUT", duty=World.duty),
    json_body("/api/v1/duties/{duty:str}/retire", NO_TOKEN, BECAUSE, duty=World.duty),
    get("/api/v1/reviews", P.REVIEWS_READ),
    at(REVIEW, P.REVIEWS_READ, review_id=World.review),
    at(REVIEW_SECTION, P.REVIEWS_READ, review_id=World.review, section=lambda _: "follow_ups"),
    at(f"{REVIEW_SECTION}/recount", P.REVIEWS_READ, review_id=lambda world: world.review(DutyKind.LOG), section=lambda _: "alerts"),
    on_review(f"{REVIEW_SECTION}/mark", NO_TOKEN, NOTHING_FOUND),
    on_item(f"{REVIEW_SECTION}/decide"),
    json_body(f"{REVIEW}/follow-ups", NO_TOKEN, TO_DO, review_id=World.review),
    json_body("/api/v1/follow-ups/{follow_up:str}/done", NO_TOKEN, {"outcome": "seen"}, follow_up=World.follow_up),
    on_review(f"{REVIEW}/sign", NO_TOKEN, {}, marked=True),
    at(f"{REVIEW}/export", P.REVIEWS_READ, review_id=World.review),
    get("/api/v1/review-calendar", P.REVIEWS_READ),
    get("/api/v1/review-figures", P.REVIEWS_READ),
)  # fmt: skip
REVIEWS_PAGES: Final = (
    get("/reviews", P.REVIEWS_READ),
    at("/reviews/{review_id:str}", P.REVIEWS_READ, review_id=World.review),
    at("/reviews/{review_id:str}/sections/{section:str}", P.REVIEWS_READ, review_id=World.review, section=lambda _: "follow_ups"),
    at("/reviews/{review_id:str}/export", P.REVIEWS_READ, review_id=World.review),
    on_review("/reviews/{review_id:str}/mark-empty", P.REVIEWS_SIGN, {}),
    on_review("/reviews/{review_id:str}/sections/{section:str}", P.REVIEWS_SIGN, NOTHING_FOUND),
    on_review("/reviews/{review_id:str}/sign", P.REVIEWS_SIGN, {}, marked=True),
    form("/reviews/{review_id:str}/follow-ups", P.REVIEWS_SIGN, TO_DO, review_id=World.review),
    row("POST", "/reviews/{review_id:str}/done", P.REVIEWS_SIGN, lambda world, route: _sent(route, route.filled(review_id=world.review()), {"follow_up": world.follow_up(), "outcome": "seen"}), {303}),
    get("/reviews/duties", P.REVIEWS_READ),
    form("/reviews/duties", P.REVIEWS_SIGN, NEW_DUTY),
    at("/reviews/duties/{duty:str}", P.REVIEWS_READ, duty=World.duty),
    form("/reviews/duties/{duty:str}", P.REVIEWS_SIGN, {"title": "another"}, duty=World.duty),
    form("/reviews/duties/{duty:str}/retire", P.REVIEWS_SIGN, BECAUSE, duty=World.duty),
    get("/calendar", P.REVIEWS_READ),
    get("/calendar/reviews.ics", P.REVIEWS_READ),
)  # fmt: skip
STREAM: Final = "/api/v1/streams/{stream:str}"
NEW_STREAM: Final = {"name": "a stream", "url": NOWHERE}
GIVES: Final = (P.STREAMS_MANAGE, P.EVENTS_READ)
GITLAB_TOKEN: Final = {"token": "a-token-of-gitlab-24-chars"}
GITLAB_EVENT: Final = {
    "id": "1", "author_id": 7, "author_name": "Ana", "entity_id": 3, "entity_type": "Project", "entity_path": "acme/web",
    "target_id": 9, "target_type": "Release", "target_details": "v1", "details": {}, "event_type": "release_created",
    "created_at": "2026-03-01T12:00:00.000Z",
}  # fmt: skip
STREAMS_API: Final = (
    get("/api/v1/streams", P.STREAMS_READ),
    at(STREAM, P.STREAMS_READ, stream=World.stream),
    at(f"{STREAM}/letters", P.STREAMS_READ, stream=World.stream),
    all_of(json_body("/api/v1/streams", GIVES, NEW_STREAM)),
    all_of(json_body(STREAM, GIVES, {"batch": 7}, "PATCH", stream=World.stream)),
    json_body(f"{STREAM}/pause", P.STREAMS_MANAGE, None, stream=World.stream),
    json_body(f"{STREAM}/resume", P.STREAMS_MANAGE, None, stream=World.stream),
    json_body(f"{STREAM}/test", P.STREAMS_MANAGE, None, stream=World.stream),
    json_body(f"{STREAM}/rotate", P.STREAMS_MANAGE, {}, stream=World.stream),
    all_of(json_body(f"{STREAM}/backfill", GIVES, {"from_index": 0}, stream=World.stream)),
    json_body(f"{STREAM}/replay", P.STREAMS_MANAGE, {}, stream=World.stream),
    json_body(f"{STREAM}/delete", P.STREAMS_MANAGE, None, stream=World.stream),
    json_body("/api/v1/gitlab/{source:str}", P.EVENTS_RECORD, GITLAB_EVENT, source=lambda _: "table"),
    at("/api/v1/sources/{name:str}/gitlab", P.SOURCES_READ, name=World.source),
    json_body("/api/v1/sources/{name:str}/gitlab", P.SOURCES_MANAGE, GITLAB_TOKEN, "PUT", name=World.source),
    json_body("/api/v1/sources/{name:str}/gitlab/remove", P.SOURCES_MANAGE, None, name=World.source),
)
STREAM_FORM: Final = {"name": "a stream", "url": NOWHERE, "format": "standard", "scope": "/", "batch": "2"}
STREAMS_PAGES: Final = (
    get("/streams", P.STREAMS_READ),
    at("/streams/{stream:str}", P.STREAMS_READ, stream=World.stream),
    all_of(form("/streams", GIVES, STREAM_FORM, {200})),
    all_of(form("/streams/{stream:str}/change", GIVES, STREAM_FORM, stream=World.stream)),
    all_of(form("/streams/{stream:str}/backfill", GIVES, {"from_index": "0"}, stream=World.stream)),
    form("/streams/{stream:str}/rotate", P.STREAMS_MANAGE, {}, {200}, stream=World.stream),
    form("/streams/{stream:str}/test", P.STREAMS_MANAGE, {}, stream=World.stream),
    form("/streams/{stream:str}/replay", P.STREAMS_MANAGE, {}, stream=World.stream),
    form("/streams/{stream:str}/{verb:str}", P.STREAMS_MANAGE, {}, stream=World.stream, verb=lambda _: "pause"),
    at("/sources/{name:str}/gitlab", P.SOURCES_READ, name=World.source),
    form("/sources/{name:str}/gitlab", P.SOURCES_MANAGE, GITLAB_TOKEN, name=World.source),
)
PAGES: Final = (
    row("GET", "/", NOBODY, plain, {303}),
    get("/events", READING),
    get("/events/overview", READING),
    row("GET", "/events/live", READING, lambda _, route: Request(route.path, {"after": "x"}), {422}),
    at("/events/{event_id:str}", P.EVENTS_READ, event_id=World.event),
    at("/events/{event_id:str}/row", P.EVENTS_READ, event_id=World.event),
    at("/events/{event_id:str}/proof", P.PROOFS_READ, event_id=World.event),
    get("/log", P.LOG_READ),
    get("/log/consistency", P.LOG_READ, old="1", new="2"),
    get("/health", P.HEALTH_READ),
    get("/settings", P.SETTINGS_READ),
    form("/settings", P.SETTINGS_MANAGE, {"setting": "nothing", "value": "1"}, {404, 422}),
    row("GET", "/timeline/actor/{actor_id:path}", READING, lambda *_: Request("/timeline/actor/ana")),
    row("GET", "/timeline/target/{target_type:str}/{target_id:path}", READING, lambda *_: Request("/timeline/target/application/intranet")),
    row("GET", "/sign-in", NOBODY, plain, {200}),
    row("GET", "/sign-in/code", NOBODY, plain, {200}),
    row("GET", "/sign-in/provider", NOBODY, plain, {404, 409}),
    row("GET", "/sign-in/provider/back", NOBODY, plain, {404, 409, 422, 401, 403}),
    row("GET", "/setup", NOBODY, plain, REFUSED_LINK),
    row("GET", "/invitation", NOBODY, plain, REFUSED_LINK),
    form("/setup", NOBODY, {"link": "x"}, REFUSED_LINK),
    form("/invitation", NOBODY, {"link": "x"}, REFUSED_LINK),
    form("/sign-in", NOBODY, {"handle": "nobody", "password": "x"}, {401, 403}),
    form("/sign-in/code", NOBODY, {"code": "000000"}, {401, 403}),
    form("/sign-out", NOBODY, {}, {303}),
    get("/confirm", SOMEBODY),
    form("/confirm", SOMEBODY, {"password": "wrong"}, {401, 403}),
    get("/account", SOMEBODY),
    form("/account/name", SOMEBODY, {"name": "Another Name"}),
    form("/account/password", SOMEBODY, {"password": "x", "again": "y"}, {422}),
    form("/account/devices", SOMEBODY, {}),
    form("/account/second-factor", SOMEBODY, {}, {200}),
    form("/account/second-factor/confirm", SOMEBODY, {"name": "x", "code": "0"}, {401, 403, 404, 409, 422}),
    form("/account/second-factor/off", SOMEBODY, {}, {303, 409, 422}),
    form("/account/recovery-codes", SOMEBODY, {}, {200, 409, 422}),
    get("/access", SOMEBODY),
    at("/access/grants/{grant_id:str}", P.ACCESS_READ, grant_id=World.grant),
    form("/access/grants/{grant_id:str}/{step:str}", P.GRANTS_APPROVE, BECAUSE, grant_id=World.request, step=lambda _: "approve"),
    get("/access/request", (P.ACCESS_READ, P.GRANTS_REQUEST)),
    form("/access/request", P.GRANTS_REQUEST, {**ACCESS, "kind": "group", "subject": "ops"}),
    get("/access/break-glass", (P.ACCESS_READ, P.GRANTS_REQUEST)),
    form("/access/break-glass", P.GRANTS_BREAK_GLASS, {"role": "viewer", "scope": "acme", "minutes": "5", **BECAUSE}),
    get("/access/who", P.ACCESS_READ),
    get("/access/roles", (P.ACCESS_READ, P.GRANTS_REQUEST)),
    at("/access/roles/{name:str}", (P.ACCESS_READ, P.GRANTS_REQUEST), name=World.role),
    form("/access/roles", P.ROLES_MANAGE, {"name": "new-on-page", "title": "New", "permission": "reviews.read"}),
    form("/access/roles/{name:str}", P.ROLES_MANAGE, {"title": "New", "permission": "reviews.read"}, name=World.role),
    form("/access/roles/{name:str}/retire", P.ROLES_MANAGE, {}, name=World.role),
    get("/access/people", P.ACCESS_READ),
    at("/access/people/{person_id:str}", P.ACCESS_READ, person_id=World.member),
    form("/access/people", P.PEOPLE_MANAGE, {"handle": "newonpage", "name": "New"}, {200}),
    form("/access/people/{person_id:str}/{verb:str}", P.PEOPLE_MANAGE, {}, person_id=World.member, verb=lambda _: "disable"),
    get("/policies", P.POLICIES_READ),
    get("/policies/register", P.POLICIES_MANAGE),
    form("/policies/register", P.POLICIES_MANAGE, {**OWNED_HERE, "title": "on a page"}),
    get("/policies/scopes", P.POLICIES_READ, scope="acme"),
    at("/policies/{project:str}", P.POLICIES_READ, project=World.policies),
    at("/policies/{project:str}/history", P.POLICIES_READ, project=World.policies),
    at("/policies/{project:str}/settings", P.POLICIES_MANAGE, project=World.policies),
    form("/policies/{project:str}/settings", P.POLICIES_MANAGE, {**OWNED_HERE, "title": "changed on a page"}, project=World.policies),
    form("/policies/{project:str}/{step:str}", P.POLICIES_MANAGE, {}, project=World.policies, step=lambda _: "retire"),
    at("/policies/{project:str}/edit", P.POLICIES_MANAGE, project=World.policies),
    form("/policies/{project:str}/edit", P.POLICIES_MANAGE, {"text": POLICIES, "do": "keep"}, project=World.policies),
    on_proposal("/policies/{project:str}/proposals/{proposal:str}/{step:str}", P.POLICIES_APPROVE, None, "approve"),
    row(
        "GET",
        "/policies/{project:str}/proposals/{proposal:str}",
        P.POLICIES_READ,
        lambda world, route: Request(route.filled(project=(made := world.policies()), proposal=world.proposal(made))),
    ),
    get("/catalogue", P.CATALOGUE_READ),
    at("/catalogue/{action:str}", P.CATALOGUE_READ, action=lambda _: "user.signed_in"),
    at("/events/{event_id:str}/readers", P.READING_READ, event_id=World.event),
    get("/exports", P.EVENTS_EXPORT),
    form("/exports", P.EVENTS_EXPORT, {"format": "csv"}),
    at("/exports/{export_id:str}/file", OWN, export_id=World.export),
    form("/exports/{export_id:str}/cancel", OWN, {}, export_id=World.export),
    form("/exports/{export_id:str}/delete", OWN, {}, export_id=World.export),
    get("/sources", P.SOURCES_READ),
    at("/sources/{name:str}", P.SOURCES_READ, name=World.source),
    at("/sources/{name:str}/arrival", P.SOURCES_READ, name=World.source),
    form("/sources", P.SOURCES_MANAGE, {"name": "new-on-page", "scopes": "acme", "kind": "api", "actor_ids": "opaque"}),
    form("/sources/{name:str}/change", P.SOURCES_MANAGE, {"scopes": "acme", "owner": "team", "kind": "api", "actor_ids": "opaque"}, name=World.source),
    form("/sources/{name:str}/retire", P.SOURCES_MANAGE, {}, name=World.source),
    form("/sources/{name:str}/token", P.SOURCES_MANAGE, {"days": "30"}, {200}, name=World.source),
    get("/tokens", SOMEBODY),
    form("/tokens", P.TOKENS_CREATE_OWN, {"permissions": "grants.request", "scopes": "/", "days": "9"}, {200, 403}),
    form("/tokens/{token:str}/rotate", P.TOKENS_MANAGE, {}, {200}, token=World.token),
    form("/tokens/{token:str}/revoke", P.TOKENS_MANAGE, {}, token=World.token),
    form("/views", SOMEBODY, {"name": "on a page", "q": ""}),
    form("/views/{view_id:str}/delete", OWN, {}, view_id=World.view),
    get("/releases", P.RELEASES_READ),
    get("/releases/usage", P.RELEASES_MANAGE),
    get("/releases/new", P.RELEASES_MANAGE),
    form("/releases/new", P.RELEASES_MANAGE, {"scope": "acme", "tag": "from-page", "name": "From a Page"}),
    at("/releases/{release_id:str}", P.RELEASES_READ, release_id=World.release),
    at("/releases/{release_id:str}/edit", P.RELEASES_MANAGE, release_id=World.release),
    versioned("/releases/{release_id:str}/edit", {"name": "Another Name"}),
    versioned("/releases/{release_id:str}/delete", {}),
    form("/releases/{release_id:str}/link", P.RELEASES_MANAGE, {"link_name": "more", "url": "https://example.org/"}, release_id=World.release),
    row("POST", "/releases/{release_id:str}/file", P.RELEASES_MANAGE, uploaded, {303}),
    form("/releases/{release_id:str}/remove", P.RELEASES_MANAGE, {"asset": "notes"}, release_id=World.release),
    form("/releases/{release_id:str}/evidence", P.RELEASES_MANAGE, {}, release_id=World.release),
    at("/releases/{release_id:str}/assets/{name:str}/file", P.RELEASES_READ, release_id=World.release, name=lambda _: "a.bin"),
    evidence("/releases/{release_id:str}/evidence/{digest:str}/file"),
    dossier("/releases/{release_id:str}/dossier"),
    row("GET", "/timeline/request/{request_id:path}", READING, lambda *_: Request("/timeline/request/r-1")),
)  # fmt: skip
ALERT: Final = "/api/v1/alerts/{alert:str}"
CLOSING: Final = {"verdict": "false_positive", **BECAUSE}


def alert_step(path: str, needs: str | Permission, body: Any, make: Callable[[World], str] = World.alert) -> Row:
    """Return the row of a step of an alert, through the API or a page."""
    if path.startswith("/api/"):
        return json_body(path, needs, body, alert=make)
    return form(path, needs, body, alert=make)


def on_closing(path: str, needs: str | Permission, more: Mapping[str, str]) -> Row:
    """Return the row of a decision about a closing that the operator asked for."""

    def make(world: World, route: Route) -> Request:
        alert, digest = world.closing()
        body = {"digest": digest, **more}
        if route.is_page:
            kind, sent = "application/x-www-form-urlencoded", urlencode(body).encode()
        else:
            kind, sent = "application/json", json.dumps(body).encode()
        return Request(route.filled(alert=alert), {}, sent, {"content-type": kind})

    return row("POST", path, needs, make, {200, 303})


def bulk(path: str) -> Row:
    """Return the row of closing several alerts."""

    def make(world: World, route: Route) -> Request:
        if route.is_page:
            kind, sent = "application/x-www-form-urlencoded", urlencode({"alert": world.alert(), **CLOSING}).encode()
        else:
            kind, sent = "application/json", json.dumps({"alerts": [world.alert()], **CLOSING}).encode()
        return Request(route.filled(), {}, sent, {"content-type": kind})

    return row("POST", path, P.ALERTS_HANDLE, make, {200, 303})


ALERT_ROWS: Final = (
    get("/api/v1/alerts", P.ALERTS_READ),
    get("/api/v1/alerts/figures", P.ALERTS_READ),
    get("/api/v1/alerts/export", P.ALERTS_READ),
    at(ALERT, P.ALERTS_READ, alert=World.alert),
    alert_step(f"{ALERT}/acknowledge", P.ALERTS_HANDLE, None),
    alert_step(f"{ALERT}/start", P.ALERTS_HANDLE, None),
    alert_step(f"{ALERT}/assign", P.ALERTS_HANDLE, {"team": "soc"}),
    alert_step(f"{ALERT}/comments", P.ALERTS_HANDLE, {"text": "for a test"}),
    all_of(json_body(f"{ALERT}/events", (P.ALERTS_HANDLE, P.EVENTS_READ), {"event": 0}, alert=World.alert)),
    alert_step(f"{ALERT}/responses", P.ALERTS_HANDLE, {"text": "for a test"}),
    alert_step(f"{ALERT}/close", P.ALERTS_HANDLE, CLOSING),
    alert_step(f"{ALERT}/reopen", P.ALERTS_HANDLE, BECAUSE, World.closed_alert),
    on_closing(f"{ALERT}/closing/approve", NO_TOKEN, {}),
    on_closing(f"{ALERT}/closing/decline", P.ALERTS_HANDLE, BECAUSE),
    bulk("/api/v1/alerts/close"),
    get("/alerts", P.ALERTS_READ),
    get("/alerts/figures", P.ALERTS_READ),
    get("/alerts/export", P.ALERTS_READ),
    bulk("/alerts/close"),
    at("/alerts/{alert:str}", P.ALERTS_READ, alert=World.alert),
    alert_step("/alerts/{alert:str}/acknowledge", P.ALERTS_HANDLE, {}),
    alert_step("/alerts/{alert:str}/start", P.ALERTS_HANDLE, {}),
    alert_step("/alerts/{alert:str}/assign", P.ALERTS_HANDLE, {"team": "soc"}),
    alert_step("/alerts/{alert:str}/comment", P.ALERTS_HANDLE, {"text": "for a test"}),
    all_of(form("/alerts/{alert:str}/link", (P.ALERTS_HANDLE, P.EVENTS_READ), {"event": "0"}, alert=World.alert)),
    alert_step("/alerts/{alert:str}/respond", P.ALERTS_HANDLE, {"done": "for a test"}),
    alert_step("/alerts/{alert:str}/close", P.ALERTS_HANDLE, CLOSING),
    alert_step("/alerts/{alert:str}/reopen", P.ALERTS_HANDLE, {"again": "for a test"}, World.closed_alert),
    on_closing("/alerts/{alert:str}/approve", P.ALERTS_HANDLE, {}),
    on_closing("/alerts/{alert:str}/decline", P.ALERTS_HANDLE, {"no_reason": "for a test"}),
)
RULE: Final = "/api/v1/rules/{rule_id:str}"
NEW_RULE: Final = {"text": rule_text("From the table")}
CHECKED: Final = {"text": rule_text("Never kept")}
CHANGED: Final = {"text": rule_text("Changed by the table"), "version": 1}
OF_A_TEXT: Final = {"digest": "0" * 64}


def on_routes(path: str) -> Row:
    """Return the row of changing the routes on their page, which sends the digest of those that it showed."""

    def make(world: World, route: Route) -> Request:
        world.made += 1
        shown, _ = world.house.instance.services.notify.routes.get(OPERATOR)
        text = f"route: {{receiver: nobody}} # {world.made}"
        body = urlencode({"text": text, "before": shown.digest if shown else ""}).encode()
        return Request(route.filled(), {}, body, {"content-type": "application/x-www-form-urlencoded"})

    return row("POST", path, P.ALERTS_ROUTE, make, {303})


ROUTES_TEXT: Final = "route: {receiver: nobody}"
RECEIVER: Final = "/api/v1/alert-receivers/{receiver:str}"
MAIL: Final = {"kind": "email", "to": ["ops@example.org"]}
QUIET: Final = {"matchers": ["scope=acme"], "reason": "for a test", "until": "1h"}
LATER: Final = {"reason": "for a test", "until": "30m"}
NOTIFY_ROWS: Final = (
    get("/api/v1/alert-routes", P.ALERTS_READ),
    json_body("/api/v1/alert-routes", P.ALERTS_ROUTE, {"text": ROUTES_TEXT}, "PUT"),
    json_body("/api/v1/alert-routes/check", P.ALERTS_READ, {"text": ROUTES_TEXT}),
    json_body("/api/v1/alert-routes/try", P.ALERTS_READ, {"severity": "high", "scope": "acme"}),
    get("/api/v1/alert-receivers", P.ALERTS_READ),
    json_body(RECEIVER, P.ALERTS_ROUTE, MAIL, "PUT", receiver=lambda _: "ops"),
    json_body(f"{RECEIVER}/test", P.ALERTS_ROUTE, None, receiver=World.mailing),
    json_body(f"{RECEIVER}/remove", P.ALERTS_ROUTE, None, receiver=World.mailing),
    get("/api/v1/silences", P.ALERTS_READ),
    json_body("/api/v1/silences", P.ALERTS_ROUTE, QUIET),
    json_body("/api/v1/silences/{silence:str}/change", P.ALERTS_ROUTE, LATER, silence=World.silence),
    json_body("/api/v1/silences/{silence:str}/end", P.ALERTS_ROUTE, {"reason": "for a test"}, silence=World.silence),
    get("/api/v1/notifications", P.ALERTS_READ),
    json_body("/api/v1/notifications/{key:str}/retry", P.ALERTS_ROUTE, None, key=World.given_up),
    get("/alerts/routes", P.ALERTS_READ),
    on_routes("/alerts/routes"),
    form("/alerts/routes/receivers", P.ALERTS_ROUTE, {"name": "of-a-page", "way": "email", "to": "ops@example.org"}),
    form(
        "/alerts/routes/receivers/{receiver:str}/{verb:str}",
        P.ALERTS_ROUTE,
        {},
        receiver=World.mailing,
        verb=lambda _: "test",
    ),
    get("/alerts/silences", P.ALERTS_READ),
    form("/alerts/silences", P.ALERTS_ROUTE, {"scope": "acme", "reason": "for a test", "until": "1h"}),
    form("/alerts/silences/{silence:str}/change", P.ALERTS_ROUTE, LATER, silence=World.silence),
    get("/alerts/notifications", P.ALERTS_READ),
    form("/alerts/notifications/{key:str}/retry", P.ALERTS_ROUTE, {}, key=World.given_up),
)


RULE_ROWS: Final = (
    get("/api/v1/rules", P.RULES_READ),
    json_body("/api/v1/rules", P.RULES_MANAGE, NEW_RULE),
    json_body("/api/v1/rules/check", P.RULES_READ, CHECKED),
    json_body("/api/v1/rules/import", P.RULES_MANAGE, {"files": []}),
    at(RULE, P.RULES_READ, rule_id=World.rule),
    json_body(f"{RULE}/change", P.RULES_MANAGE, CHANGED, rule_id=World.rule),
    json_body(f"{RULE}/test", P.RULES_MANAGE, None, rule_id=World.rule),
    json_body(f"{RULE}/approve", NO_TOKEN, OF_A_TEXT, rule_id=World.rule),
    json_body(f"{RULE}/reject", NO_TOKEN, {**OF_A_TEXT, **BECAUSE}, rule_id=World.rule),
    on_shipped_rule("enable"),
    on_shipped_rule("disable"),
    json_body(f"{RULE}/retire", P.RULES_MANAGE, BECAUSE, rule_id=World.rule),
    json_body(f"{RULE}/backtest", P.RULES_READ, {}, rule_id=World.rule),
    replace(json_body(f"{RULE}/explain", (P.RULES_READ, P.EVENTS_READ), {"event": "0"}, rule_id=World.rule), together=True),
    get("/api/v1/indicator-lists", P.RULES_READ),
    json_body("/api/v1/indicator-lists", P.RULES_MANAGE, {"name": "of_the_table"}),
    at("/api/v1/indicator-lists/{name:str}", P.RULES_READ, name=World.indicators),
    json_body("/api/v1/indicator-lists/{name:str}/change", P.RULES_MANAGE, {"add": ["x"]}, name=World.indicators),
    json_body("/api/v1/indicator-lists/{name:str}/delete", P.RULES_MANAGE, None, name=World.indicators),
    get("/rules", P.RULES_READ),
    get("/rules/health", P.RULES_READ),
    get("/rules/lists", P.RULES_READ),
    form("/rules/lists", P.RULES_MANAGE, {"name": "of_a_page"}),
    at("/rules/lists/{name:str}", P.RULES_READ, name=World.indicators),
    form("/rules/lists/{name:str}", P.RULES_MANAGE, {"values": "x"}, name=World.indicators),
    form("/rules/lists/{name:str}/delete", P.RULES_MANAGE, {}, name=World.indicators),
    get("/rules/new", P.RULES_MANAGE),
    form("/rules/new", P.RULES_MANAGE, {"text": rule_text("From a page"), "scope": "/", "do": "keep"}),
    at("/rules/{rule_id:str}", P.RULES_READ, rule_id=World.rule),
    at("/rules/{rule_id:str}/versions", P.RULES_READ, rule_id=World.rule),
    at("/rules/{rule_id:str}/edit", P.RULES_MANAGE, rule_id=World.rule),
    form("/rules/{rule_id:str}/edit", P.RULES_MANAGE, {"text": rule_text("Edited on a page"), "version": "1", "do": "keep"}, rule_id=World.rule),
    at("/rules/{rule_id:str}/backtest", P.RULES_READ, rule_id=World.rule),
    at("/rules/{rule_id:str}/explain", P.RULES_READ, rule_id=World.rule),
    form("/rules/{rule_id:str}/{step:str}", P.RULES_MANAGE, {}, rule_id=World.rule, step=lambda _: "test"),
)  # fmt: skip
RETENTION: Final = "/api/v1/retention"
CHANGE: Final = f"{RETENTION}/changes/{{change:str}}"
TERMS: Final = {"retention_days": 500}
FORM_TERMS: Final = {"retention_days": "500", "personal_days": "", "regulations": "", "reason": "for a test"}
HELD: Final = {"owner": "legal", "reason": "for a test"}
RETENTION_API: Final = (
    get(RETENTION, P.RETENTION_READ),
    json_body(f"{RETENTION}/classes", P.RETENTION_MANAGE, {"name": "brand-new", **TERMS}),
    json_body(f"{RETENTION}/classes/{{name:str}}/simulate", P.RETENTION_READ, TERMS, name=lambda _: "standard"),
    json_body(f"{RETENTION}/classes/{{name:str}}", P.RETENTION_MANAGE, {**TERMS, **BECAUSE}, name=lambda _: "standard"),
    json_body(f"{RETENTION}/rules", P.RETENTION_MANAGE, {"rules": [], **BECAUSE}),
    json_body(f"{RETENTION}/holds", P.RETENTION_MANAGE, {**HELD, "hold": "brand-new", "classes": ["standard"]}),
    json_body(f"{RETENTION}/holds/{{hold:str}}/release", P.RETENTION_MANAGE, BECAUSE, hold=World.hold),
    at(CHANGE, P.RETENTION_READ, change=World.retention_change),
    on_change(f"{CHANGE}/approve", NO_TOKEN),
    on_change(f"{CHANGE}/decline", NO_TOKEN),
    json_body(f"{CHANGE}/withdraw", NO_TOKEN, None, change=World.retention_change),
    row("GET", f"{CHANGE}/proof", P.RETENTION_READ, lambda world, route: Request(route.filled(change=world.retention_change())), {409}),
    json_body(f"{RETENTION}/people", P.RETENTION_MANAGE, {"names": ["nobody-at-all"]}),
    row("POST", f"{RETENTION}/erasures", P.RETENTION_MANAGE, lambda _, route: Request(route.filled(), {}, json.dumps({"names": ["nobody-at-all"], **BECAUSE}).encode(), {"content-type": "application/json"}), {422}),
    json_body(f"{RETENTION}/runs", P.RETENTION_MANAGE, None),
)  # fmt: skip
RETENTION_PAGES: Final = (
    get("/retention", P.RETENTION_READ),
    form("/retention/classes", P.RETENTION_MANAGE, {"name": "on-a-page", "guarded": "yes", **FORM_TERMS}),
    form("/retention/rules", P.RETENTION_MANAGE, {"rules": "", "reason": "for a test"}),
    form("/retention/holds", P.RETENTION_MANAGE, {**HELD, "hold": "on-a-page", "classes": "standard"}),
    form("/retention/holds/{hold:str}/release", P.RETENTION_MANAGE, {"reason": "for a test"}, hold=World.hold),
    form("/retention/runs", P.RETENTION_MANAGE, {}),
    at("/retention/classes/{name:str}", P.RETENTION_READ, name=lambda _: "standard"),
    form("/retention/classes/{name:str}", P.RETENTION_MANAGE, FORM_TERMS, name=lambda _: "standard"),
    at("/retention/changes/{change:str}", P.RETENTION_READ, change=World.retention_change),
    on_change("/retention/changes/{change:str}/{step:str}", P.RETENTION_APPROVE, step="approve"),
    row("GET", "/retention/changes/{change:str}/proof", P.RETENTION_READ, lambda world, route: Request(route.filled(change=world.retention_change())), {409}),
    get("/retention/person", P.RETENTION_MANAGE),
    form("/retention/person", P.RETENTION_MANAGE, {"names": "nobody-at-all"}, {200}),
)  # fmt: skip
SYSTEM: Final = "/api/v1/systems/{system:str}"
EXCEPTION: Final = "/api/v1/exceptions/{exception:str}"
DECLARATION: Final = {"categories": {"network": {"not_applicable": "for a test"}}}
FACTS: Final = {"scopes": "acme", "environment": "test", "data_class": "public", "owner": "ada"}
NEW_SYSTEM: Final = {**FACTS, "scopes": ["acme"]}
WISHED: Final = {"justification": "for a test", "control": "none", "risk": "low", "until": "now+30d"}
ASKED: Final = {"kind": "policy", "subject": "p-1", "scope": "acme", **WISHED}
GOVERN_API: Final = (
    get("/api/v1/systems", P.SYSTEMS_READ),
    get("/api/v1/systems/export", P.SYSTEMS_READ),
    get("/api/v1/coverage", P.SYSTEMS_READ),
    get("/api/v1/coverage/export", P.SYSTEMS_READ),
    json_body("/api/v1/systems", NO_TOKEN, {"name": "brand new", **NEW_SYSTEM}),
    at(SYSTEM, P.SYSTEMS_READ, system=World.system),
    json_body(SYSTEM, NO_TOKEN, {"runbook": "none"}, "PATCH", system=World.system),
    json_body(f"{SYSTEM}/retire", NO_TOKEN, BECAUSE, system=World.system),
    at(f"{SYSTEM}/coverage", P.SYSTEMS_READ, system=World.system),
    json_body(f"{SYSTEM}/declarations", NO_TOKEN, {"declaration": DECLARATION, "based_on": None, **BECAUSE}, system=World.system),
    on_declaration(f"{SYSTEM}/declarations/{{declaration:str}}/approve", NO_TOKEN),
    on_declaration(f"{SYSTEM}/declarations/{{declaration:str}}/reject", NO_TOKEN),
    on_declaration(f"{SYSTEM}/declarations/{{declaration:str}}/withdraw", NO_TOKEN),
    get("/api/v1/exceptions", P.EXCEPTIONS_READ),
    get("/api/v1/exceptions/export", P.EXCEPTIONS_READ),
    json_body("/api/v1/exceptions", NO_TOKEN, ASKED),
    at(EXCEPTION, P.EXCEPTIONS_READ, exception=World.exception),
    on_exception(f"{EXCEPTION}/approve", NO_TOKEN),
    on_exception(f"{EXCEPTION}/reject", NO_TOKEN),
    json_body(f"{EXCEPTION}/withdraw", NO_TOKEN, None, exception=World.exception),
    json_body(f"{EXCEPTION}/revoke", NO_TOKEN, BECAUSE, exception=World.agreed),
    json_body(f"{EXCEPTION}/extend", NO_TOKEN, {**WISHED, "until": "now+90d"}, exception=World.agreed),
)  # fmt: skip
GOVERN_PAGES: Final = (
    get("/systems", P.SYSTEMS_READ),
    get("/systems/export", P.SYSTEMS_READ),
    get("/systems/register", P.SYSTEMS_MANAGE),
    form("/systems/register", P.SYSTEMS_MANAGE, {"name": "on a page", **FACTS}),
    at("/systems/{system:str}", P.SYSTEMS_READ, system=World.system),
    at("/systems/{system:str}/runbook", P.SYSTEMS_READ, system=World.system),
    at("/systems/{system:str}/edit", P.SYSTEMS_MANAGE, system=World.system),
    form("/systems/{system:str}/edit", P.SYSTEMS_MANAGE, {"name": "changed on a page", **FACTS}, system=World.system),
    at("/systems/{system:str}/declare", P.SYSTEMS_MANAGE, system=World.system),
    form("/systems/{system:str}/declare", P.SYSTEMS_MANAGE, {"network-reason": "none here", "reason": "for a test"}, system=World.system),
    on_declaration("/systems/{system:str}/{step:str}", P.SYSTEMS_APPROVE, step="approve"),
    get("/exceptions", P.EXCEPTIONS_READ),
    get("/exceptions/export", P.EXCEPTIONS_READ),
    get("/exceptions/request", P.EXCEPTIONS_REQUEST),
    form("/exceptions/request", P.EXCEPTIONS_REQUEST, ASKED),
    at("/exceptions/{exception:str}", P.EXCEPTIONS_READ, exception=World.exception),
    on_exception("/exceptions/{exception:str}/{step:str}", P.EXCEPTIONS_APPROVE, step="approve"),
)  # fmt: skip
ROWS: Final = (
    *GOVERN_API,
    *GOVERN_PAGES,
    *ALERT_ROWS,
    *NOTIFY_ROWS,
    *RULE_ROWS,
    *API,
    *PAGES,
    *STREAMS_API,
    *STREAMS_PAGES,
    *REVIEWS_API,
    *REVIEWS_PAGES,
    *RETENTION_API,
    *RETENTION_PAGES,
)
