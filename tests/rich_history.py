"""A history in which everything that the product keeps tables of happens: for tests that compare tables."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256

import pyotp
from sqlalchemy import Engine, select
from tests.installation import make_token, sample
from tests.people_home import HOME_VISIT as VISIT
from tests.people_home import Home
from tests.retention_world import ANA, SHORT, seal
from tests.rules_world import watched

from tallystick.access.grants.model import Subject
from tallystick.access.operator import OPERATOR
from tallystick.access.people.model import Profile
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.alert.book import Assignee, Verdict
from tallystick.alert.notify.courier import attempt
from tallystick.alert.notify.matchers import parse_matchers
from tallystick.alert.notify.model import ReceiverSettings, Way
from tallystick.follow.alarm import Alarm
from tallystick.govern.exceptions.model import Kind, Risk, Wish
from tallystick.govern.systems.model import DataClass, Environment, Facts, Proposal
from tallystick.policies.errors import PolicyTextError
from tallystick.policies.model import ProjectSettings
from tallystick.releases.model import Draft, Edit
from tallystick.retain.model import Hold, Rule
from tallystick.review.events import review_id
from tallystick.review.model import Kind as DutyKind
from tallystick.review.model import Terms
from tallystick.review.periods import Cadence, period_at
from tallystick.settings.model import SETTINGS
from tallystick.store.tables import METADATA
from tallystick.stream.model import Settings as Destination

HOUR_US = 3_600_000_000


def contents(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table, in an order of its own."""
    with engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
        }


def senders(home: Home) -> None:
    """Register, change and retire sources; make, rotate and revoke tokens."""
    sources, tokens = home.services.sources, home.services.tokens
    tokens.rotate(OPERATOR, make_token(home.instance, "both", source="app", label="of app").token)
    tokens.revoke(OPERATOR, make_token(home.instance, "read", "acme", "other").token)
    sources.change(OPERATOR, "app", lambda settings: replace(settings, strict=True, owner="payments"))
    sources.retire(OPERATOR, "other")


def people(home: Home) -> None:
    """Sign people in and out, change them, disable one, and switch a second factor on."""
    admin = home.caller(home.set_up())
    bo, cy = home.join(admin, "bo"), home.join(admin, "cy")
    account = home.services.account
    caller = home.caller(bo)
    seed = account.start_totp(caller)
    codes = account.confirm_totp(caller, seed.name, pyotp.TOTP(seed.text).at(home.clock.now_us() // 1_000_000))
    step = home.services.signin.password("bo", "seven green lamps hum", VISIT)
    assert step.ticket is not None
    home.services.signin.recovery(step.ticket, codes[0], VISIT)
    home.services.people.change(admin, cy.person, Profile("cyrus", "Cyrus \N{SNOWMAN} d'Arc", "cy@example.org"))
    home.services.people.disable(admin, cy.person, reason='left; "gone" \u202e')


def access(home: Home) -> None:
    """Define and change a role; ask for access, approve, refuse, take back and extend it."""
    roles, grants = home.services.roles, home.services.grants
    roles.define(OPERATOR, "night-shift", "Night shift", "Reads at night.", [Permission.EVENTS_READ])
    roles.change(OPERATOR, "night-shift", "Night shift", "Reads and proves.", [Permission.PROOFS_READ])
    until = home.clock.now_us() + 24 * HOUR_US

    def ask(role: str, who: str) -> str:
        return grants.request(
            OPERATOR, subject=Subject("person", who), role=role, scope="acme", reason="on call", until_us=until
        )

    found = {person.handle: person.id for person in home.services.people.list(OPERATOR)}
    ask("viewer", found["bo"])
    grants.withdraw(OPERATOR, ask("night-shift", found["bo"]))
    grants.approve(home.caller(home.sign_in("ana")), ask("auditor", found["bo"]), reason="agreed")


def settings(home: Home) -> None:
    """Change a setting."""
    counts = {name: kind.default for name, kind in SETTINGS.items() if type(kind.default) is int}
    name, usual = next(iter(counts.items()))
    home.services.settings.change(OPERATOR, {name: usual + 1})


def security_policies(home: Home) -> None:
    """Keep policies in two projects; change, rename and refuse some, and have others decide about proposals."""
    service = home.services.policies.service
    text = "approval_policy:\n- {name: Eyes, enabled: true, rules: [], actions: []}\n"
    told = ProjectSettings("Kept here", "acme/security", ("acme/payments", "acme/web"), "here", approval=True)
    project = service.register(OPERATOR, told)
    everything = Rights.of((permission, "") for permission in Permission)
    lead = replace(home.caller(home.sign_in("ana")), rights=everything)
    proposal = service.propose(lead, project, text, None, "a start \N{SNOWMAN}")
    service.approve(OPERATOR, project, proposal, sha256(text.encode()).hexdigest())
    service.change(OPERATOR, project, {"approval": False, "governed": ("",)})
    service.edit(OPERATOR, project, text.replace("Eyes", "Four eyes"), sha256(text.encode()).hexdigest())
    with suppress(PolicyTextError):
        service.edit(OPERATOR, project, "nonsense: [", None)
    away = ProjectSettings("In Git", "acme/security", ("acme",), "git", "/nowhere/at/all", "main")
    lost = service.register(OPERATOR, away)
    service.sync(OPERATOR, lost)
    service.retire(OPERATOR, lost)  # else it is looked for again whenever the server feels like it


def given_out(home: Home) -> None:
    """Make releases with files, links, evidence and milestones; edit and delete them, and fetch what they hold."""
    releases = home.services.releases
    register, artifacts = releases.register, releases.artifacts
    draft = Draft("acme/app", "v1", "One \N{SNOWMAN}", "what is new\n\u202e", "0a1b2c3", ("M1",))
    made = register.create(OPERATOR, draft, create_milestones=True)
    artifacts.add_file(OPERATOR, made, "app.bin", b"a file")
    artifacts.add_file(OPERATOR, made, "app.tar", b"a source", source=True)
    artifacts.add_link(OPERATOR, made, "notes", "https://example.org/notes")
    artifacts.remove(OPERATOR, made, "notes")
    version = register.get(OPERATOR, made).release.version
    register.edit(OPERATOR, made, Edit("Two", "what is gone", ()), version=version)
    for name in ("app.bin", "app.tar"):
        artifacts.open_asset(OPERATOR, made, name).file.close()
    artifacts.open_evidence(OPERATOR, made, artifacts.collect(OPERATOR, made)).file.close()
    gone = register.create(OPERATOR, Draft("acme/app", "v2", "Two"))
    register.delete(OPERATOR, gone, version=register.get(OPERATOR, gone).release.version)


def sent_on(home: Home) -> None:
    """Send events on to two places, of which one is given up, and let GitLab send as a source."""
    streams, gitlab = home.services.streams, home.services.gitlab
    kept = streams.create(OPERATOR, Destination(name="SIEM", url="https://siem.example.org/", query="action:release.*"))
    streams.pause(OPERATOR, kept.id)
    streams.delete(OPERATOR, streams.create(OPERATOR, Destination(name="Gone", url="https://gone.example.org/")).id)
    gitlab.set_token(OPERATOR, home.services.sources.list(OPERATOR)[0].name, "glvt-0123456789abcdef")


def alerts(home: Home) -> None:
    """Let things fire, twice and no more; work alerts, close them alone and by request, and open one again."""
    room = home.services.alerts
    fired = [Alarm("rule", key, "1", "acme", "high", "It fired", f"{key} fired", 1_000, 2, (3, 4)) for key in "abcd"]
    room.book.raise_alarms(fired)
    room.book.raise_alarms([replace(fired[0], occasion="2", at_us=2_000, severity="critical", indexes=(7,))])
    room.book.raise_alarms([replace(fired[1], occasion="2", at_us=3_000, recovered=True)])
    first, second, third, _ = (each.id for each in room.reading.list(OPERATOR).alerts)
    room.service.acknowledge(OPERATOR, first)
    room.service.assign(OPERATOR, first, Assignee("team", "soc"))
    room.service.start(OPERATOR, first)
    room.service.comment(OPERATOR, first, "a \N{SNOWMAN} comment")
    room.service.link(OPERATOR, first, 0, "where it began")
    room.service.respond(OPERATOR, first, "locked the account")
    room.closing.close(OPERATOR, [second], Verdict.DUPLICATE, "one cause", first)
    room.closing.reopen(OPERATOR, second, "it was not")
    home.services.settings.change(OPERATOR, {"alerts.second_person": True})
    room.closing.close(OPERATOR, [second, third], Verdict.FALSE_POSITIVE, "nothing")
    asked = room.reading.get(OPERATOR, third).alert.asked
    assert asked is not None
    room.closing.decline(OPERATOR, third, asked.digest)
    assert room.reading.get(OPERATOR, third).alert.asked is None


def told(home: Home) -> None:
    """Set routes, receivers and silences; tell of an alert, give one up, and hold one back."""
    room, raise_alarms = home.services.notify, home.services.alerts.book.raise_alarms
    for name in ("ops", "boss"):
        room.receivers.set(OPERATOR, ReceiverSettings(name=name, way=Way.EMAIL, to=(f"{name}@example.org",)))
    room.routes.set(OPERATOR, "route: {receiver: ops} # \N{SNOWMAN}")
    room.receivers.test(OPERATOR, "ops")
    room.receivers.remove(OPERATOR, "boss")
    until = home.clock.now_us() + HOUR_US
    silence = room.silences.place(OPERATOR, parse_matchers("scope=acme/web"), 'left; "quiet" \u202e', until)
    room.silences.change(OPERATOR, silence, "longer", until + HOUR_US)
    for at, scope in enumerate(("acme/web", "acme/app")):
        now = home.clock.now_us()
        raise_alarms(
            [Alarm("told", f"told {at}", f"told {at}", scope, "critical", "Told \N{SNOWMAN}", "x \u202e", now)]
        )
    room.notifier.tick()
    for delivery in room.notifier.outbox.waiting():
        for _ in range(3):
            attempt(room.notifier.outbox.find(delivery.key) or delivery, room.notifier._tools)
    room.silences.end(OPERATOR, silence, "done with")


def log_itself(home: Home) -> None:
    """Place and release holds, set a segment aside, change a class."""
    for action, metadata in (
        ("hold.placed", {"hold": "case-7", "ranges": [[0, 5]], "reason": "a case"}),
        ("hold.placed", {"hold": "case-8", "ranges": [[2, 1]]}),
        ("hold.released", {"hold": "case-7"}),
        ("segment.quarantined", {"path": "main/0-10.c2.g0", "reason": "damaged"}),
        ("class.changed", {"number": 2, "retention_days": 800}),
    ):
        target = {"type": "ledger", "id": "x"}
        home.instance.product.one(sample(action=action, target=target, scope="tallystick", metadata=metadata))
    home.instance.projection.catch_up()


def reviewed(home: Home) -> None:
    """Keep duties; open, mark, decide, sign and waive reviews; leave things to be done, and finish one."""
    room, week = home.services.reviews, 7 * 24 * HOUR_US
    told = Terms(kind=DutyKind.ACCESS, scope="", cadence=Cadence.WEEK, second=True, due_days=90)
    duty = room.duties.create(OPERATOR, "Who may \N{SNOWMAN}", told)
    period = period_at(Cadence.WEEK, home.clock.now_us() - week)
    room.upkeep.open(room.duties.get(OPERATOR, duty), period)
    room.duties.change(OPERATOR, duty, "Who may what", told)
    review = room.looking.get(OPERATOR, review_id(duty, period)).review
    doing = room.reviewing
    doing.mark(OPERATOR, review.id, "follow_ups", review.digest, "no finding")
    doing.mark(OPERATOR, review.id, "follow_ups", review.digest, "finding", 'left; "undone" \u202e')
    for item in room.looking.get(OPERATOR, review.id).items:
        doing.decide(OPERATOR, review.id, "grants", item.item, review.digest, "keep")
    due = home.clock.now_us() + week
    for text in ("look again", "look once more"):
        left = doing.open_follow_up(OPERATOR, review.id, section="grants", owner="ops", text=text, due_us=due)
    doing.finish_follow_up(OPERATOR, left, outcome="seen")
    doing.sign(OPERATOR, review.id, review.digest, reason="late \u202e")
    room.files.make(OPERATOR, review.id, "csv")
    room.duties.retire(OPERATOR, room.duties.create(OPERATOR, "Not for long", told), reason="a mistake")


def retained(home: Home) -> None:
    """Define and assign classes, place a hold, propose and decide, and destroy what names somebody."""
    room = home.services.retention
    room.worker.stop()  # runs are asked for here
    number = room.service.define(ANA, "short", SHORT, 'many; "quoted" \u202e')
    rules = room.service.assign(ANA, [Rule(number, action="report.*"), Rule(number, scope="acme/web")], "many")
    room.service.place(ANA, Hold("case-9", "legal", "left \N{SNOWMAN}", None, 0, 0, classes=(3,), received=(5, None)))
    refused = room.service.release(ANA, "case-9", "too soon")
    taken_back = room.service.release(ANA, "case-9", "not yet")
    erasure, _ = room.people.request(replace(ANA, id="p-zoe"), [ANA.id], "she asked")
    assert rules is not None
    for change in (rules, erasure):
        room.service.approve(OPERATOR, change, room.reading.change(OPERATOR, change)[0].digest, "agreed")
    room.service.decline(OPERATOR, refused, 'still "open"')
    room.service.withdraw(ANA, taken_back)
    seal(home.instance.ledger)
    assert room.runner.run("test").events


def governed(home: Home) -> None:
    """Register, change and retire systems; propose, approve, refuse and take back declarations; let gaps open and close;
    ask for exceptions, agree, extend, use, revoke them and let one run out.
    """
    room, day = home.services.systems, 24 * HOUR_US
    register, exceptions = room.register, room.exceptions
    ana = home.caller(home.sign_in("ana"))
    facts = Facts("Vault \N{SNOWMAN}", ("acme/vault",), Environment.TEST, DataClass.RESTRICTED, "ana", assets=("vm-1",))
    system = register.register(OPERATOR, facts)
    register.change(OPERATOR, system, {"data_class": DataClass.PUBLIC, "procedure": 'left; "gone"'})
    said = {"categories": {"network": {"not_applicable": "no \N{SNOWMAN}"}}}

    def propose() -> Proposal:
        register.propose(ana, system, said, based_on=None, reason="so it is")
        return register.get(OPERATOR, system).proposals[0]

    register.reject(OPERATOR, system, propose().declaration, reason="too little")
    register.withdraw(ana, system, propose().declaration)
    room.watch.once()
    made = propose()
    register.approve(OPERATOR, system, made.declaration, made.digest)
    room.watch.once()
    register.retire(OPERATOR, register.register(OPERATOR, replace(facts, name="Not for long")), reason="a mistake")

    def ask(days: int) -> str:
        until = home.clock.now_us() + days * day
        wish = Wish(Kind.RULE, "r-1", "acme", "needed \N{SNOWMAN}", "watched", Risk.HIGH, until, query="actor:ana")
        return exceptions.request(ana, wish)

    def agree(exception: str) -> str:
        exceptions.approve(OPERATOR, exception, exceptions.get(OPERATOR, exception).digest, reason="agreed")
        return exception

    exceptions.reject(OPERATOR, ask(9), reason="no")
    exceptions.withdraw(ana, ask(9))
    exceptions.revoke(OPERATOR, agree(ask(9)), reason="enough")
    held = agree(ask(2))
    exceptions.used(held, 3, "once")
    until = home.clock.now_us() + 20 * day
    agree(exceptions.extend(ana, held, until_us=until, justification="more", control="same", risk=Risk.LOW))
    agree(ask(1))
    for _ in range(3):
        room.upkeep.once()
        home.clock.advance(seconds=17 * 3600)
    register.retire(OPERATOR, system, reason="so that nothing more is noticed about it")
    room.watch.once()


#: What a room adds here is compared on every database.
CHAPTERS: tuple[Callable[[Home], None], ...] = (
    senders,
    people,
    access,
    settings,
    security_policies,
    given_out,
    sent_on,
    reviewed,
    alerts,
    watched,
    told,
    governed,
    log_itself,
    retained,
)


def live(home: Home) -> None:
    """Let every chapter happen, an hour apart."""
    for chapter in CHAPTERS:
        chapter(home)
        home.clock.advance(seconds=3600)
