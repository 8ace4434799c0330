"""Ordinary work: short episodes that happen again and again, each picked as often as its weight says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.intake.demo.company import APPLICATIONS, BERGEN, HOSTS, PEOPLE, PROJECTS, SERVICES, Person, team_of
from tallystick.intake.demo.diary import Diary, Event, scoped, target_of, thing

SYSTEM = {"id": "init", "type": "system", "name": "Service supervisor"}
FIREWALL = {"id": "edge-firewall", "type": "system", "name": "Edge firewall"}


@dataclass(frozen=True, slots=True)
class Routine:
    """An episode and how often it is picked beside the others."""

    weight: int
    write: Callable[[Diary], None]


def _anyone(diary: Diary, day: int) -> Person:
    return diary.chance.choice([person for person in PEOPLE if person.works(day)])


def _one_of(diary: Diary, day: int, *teams: str) -> Person:
    """Return someone of these teams who works on that day, or of the operations team, which always has someone."""
    staff = [person for team in teams for person in team_of(team, day)]
    return diary.chance.choice(staff or team_of("operations", day))


def sign_in(diary: Diary) -> None:
    """A session: a password, now and then mistyped, a second factor, and mostly a sign-out."""
    day = diary.some_day("morning")
    person = _anyone(diary, day)
    at = diary.some_moment(day, "morning", person.office)
    application = thing("application", diary.chance.choice(APPLICATIONS))
    scope = scoped("identity")
    session = f"s-{diary.chance.getrandbits(48):012x}"
    context = diary.context(person, auth_method="password", session_id=session)
    facts = {"provider": "directory", "country": person.office.country}
    while diary.chance.random() < 0.07:
        diary.write(
            at, "user.sign_in_failed", person, application, scope, outcome="failure", reason="wrong password",
            context=context, metadata={**facts, "error": "invalid-credentials"},
        )  # fmt: skip
        at = diary.later(at, 4, 40)
    diary.write(at, "mfa.challenge_passed", person, application, scope, context=context, metadata={"factor": "totp"})
    at = diary.later(at, 1, 9)
    diary.write(at, "user.signed_in", person, application, scope, context=context, metadata={**facts, "mfa": True})
    if diary.chance.random() < 0.55:
        end = diary.later(at, 2 * 3600, 9 * 3600)
        diary.write(end, "user.signed_out", person, application, scope, context=context)


def vpn(diary: Diary) -> None:
    day = diary.some_day("office")
    person = _anyone(diary, day)
    at = diary.some_moment(day, "office", person.office)
    gateway = thing("gateway", f"vpn-{person.office.city.lower()}")
    facts = {"protocol": "wireguard", "country": person.office.country}
    scope = scoped("network", "vpn")
    if diary.chance.random() < 0.05:
        diary.write(
            at, "vpn.connection_failed", person, gateway, scope,
            outcome="failure", reason="expired certificate", metadata={**facts, "error": "certificate-expired"},
        )  # fmt: skip
        at = diary.later(at, 60, 600)
    diary.write(at, "vpn.connected", person, gateway, scope, metadata=facts)
    seconds = diary.chance.randrange(900, 30_000)
    sent = {"seconds": seconds, "bytes_in": seconds * 9100, "bytes_out": seconds * 1700}
    diary.write(diary.later(at, seconds, seconds), "vpn.disconnected", person, gateway, scope, metadata=sent)


def push(diary: Diary) -> None:
    day = diary.some_day("office")
    project = diary.chance.choice(PROJECTS)
    person = _one_of(diary, day, project.team)
    at = diary.some_moment(day, "office", person.office)
    branch = diary.chance.choice(("main", "retry-logic", "fix-timeouts", "faster-start", "tidy-config"))
    facts = {
        "ref": f"refs/heads/{branch}",
        "commits": diary.chance.choice((1, 1, 1, 2, 3, 5)),
        "after": f"{diary.chance.getrandbits(160):040x}",
        "forced": False,
    }
    diary.write(at, "code.pushed", person, thing("repository", project.scope), project.scope, metadata=facts)


def merge(diary: Diary) -> None:
    day = diary.some_day("office")
    project = diary.chance.choice(PROJECTS)
    author, reviewer = _one_of(diary, day, project.team), _one_of(diary, day, project.team)
    at = diary.some_moment(day, "office", reviewer.office)
    number = diary.chance.randrange(100, 4000)
    change = {"id": f"{project.scope}!{number}", "type": "change", "name": f"!{number}"}
    commit = f"{diary.chance.getrandbits(160):040x}"
    if reviewer is not author:
        diary.write(at, "change.approved", reviewer, change, project.scope, metadata={"commit": commit})
    facts = {
        "branch": "main", "commit": commit, "approvals": int(reviewer is not author),
        "approvers": [reviewer.id] if reviewer is not author else [], "author_merged": reviewer is author,
    }  # fmt: skip
    merged = diary.later(at, 60, 4000)
    diary.write(merged, "change.merged", author, change, project.scope, metadata=facts)
    failed = diary.chance.random() < 0.09
    diary.write(
        diary.later(merged, 240, 1500), "pipeline.finished", {"id": "ci", "type": "service", "name": "Pipelines"},
        {"id": f"{project.scope}#{number}", "type": "pipeline", "name": f"#{number}"}, project.scope,
        outcome="failure" if failed else "success",
        metadata={"conclusion": "failed" if failed else "passed", "commit": commit, "branch": "main"},
    )  # fmt: skip


def customer_record(diary: Diary) -> None:
    day = diary.some_day("office")
    person = _one_of(diary, day, "support", "sales")
    at = diary.some_moment(day, "office", person.office)
    customer = {"id": f"customer-{diary.chance.randrange(1, 900)}", "type": "customer"}
    fields = diary.chance.sample(["address", "contact", "contract", "orders", "notes"], 2)
    scope = scoped("support", "desk")
    diary.write(at, "record.viewed", person, customer, scope, metadata={"fields": fields, "purpose": "support case"})
    if diary.chance.random() < 0.25:
        changes = [{"field": fields[0], "old": "before the call", "new": "after the call"}]
        diary.write(diary.later(at, 60, 900), "record.changed", person, customer, scope, changes=changes)


def staff_record(diary: Diary) -> None:
    day = diary.some_day("office")
    person, about = _one_of(diary, day, "people", "finance"), _anyone(diary, day)
    at = diary.some_moment(day, "office", person.office)
    record = {"id": f"staff-{about.id}", "type": "staff-record", "name": about.name}
    diary.write(at, "record.viewed", person, record, scoped("people", "records"), metadata={"fields": ["contract"]})


def export(diary: Diary) -> None:
    day = diary.some_day("office")
    person = _one_of(diary, day, "finance", "sales", "support")
    at = diary.some_moment(day, "office", person.office)
    report = thing("report", diary.chance.choice(("open orders", "monthly revenue", "case times", "stock")))
    records = diary.chance.randrange(20, 600)
    facts = {"records": records, "format": "csv", "bytes": records * 310}
    diary.write(at, "record.exported", person, report, scoped("support", "desk"), severity="low", metadata=facts)


def file_work(diary: Diary) -> None:
    day = diary.some_day("office")
    person = _anyone(diary, day)
    at = diary.some_moment(day, "office", person.office)
    name = f"{person.team}/{diary.chance.choice(('minutes', 'plan', 'offer', 'drawing', 'budget'))}-{day:03d}.pdf"
    action = diary.chance.choice(("file.downloaded", "file.downloaded", "file.uploaded", "file.deleted"))
    facts = {"bytes": diary.chance.randrange(20_000, 4_000_000)}
    diary.write(at, action, person, thing("file", name), scoped("files", person.team), metadata=facts)


def deploy(diary: Diary) -> None:
    day = diary.some_day("office")
    person = _one_of(diary, day, "operations", "platform")
    at = diary.some_moment(day, "office", person.office)
    service = diary.chance.choice(SERVICES)
    target, scope = thing("service", service), scoped("production", service)
    facts = {"environment": "production", "version": f"{day // 14 + 1}.{day % 14}.{diary.chance.randrange(9)}"}
    diary.write(at, "deployment.started", person, target, scope, metadata=facts)
    done = diary.later(at, 90, 700)
    if diary.chance.random() < 0.06:
        failed = {**facts, "rolled_back": True}
        diary.write(
            done, "deployment.failed", person, target, scope,
            outcome="failure", reason="health check failed", metadata=failed,
        )  # fmt: skip
        return
    diary.write(done, "deployment.finished", person, target, scope, metadata={**facts, "seconds": 240})
    host = diary.chance.choice(HOSTS)
    diary.write(diary.later(done, 1, 20), "service.restarted", SYSTEM, target, scope, metadata={"host": host})


def machine(diary: Diary) -> None:
    """What hosts say on their own, at any hour."""
    host = diary.chance.choice(HOSTS)
    at = diary.some_moment(diary.some_day("always"), "always", BERGEN)
    scope = scoped("production", "hosts")
    kind = diary.chance.choices(("process", "crash", "update", "capacity", "job"), weights=(10, 1, 4, 1, 2))[0]
    program = diary.chance.choice(("nginx", "postgres", "python3", "node", "redis-server"))
    here = {"host": host, "pid": diary.chance.randrange(300, 60_000)}
    if kind == "process":
        diary.write(at, "process.started", SYSTEM, thing("program", program), scope, metadata={**here, "run_as": "svc"})
    elif kind == "crash":
        diary.write(
            at, "process.crashed", SYSTEM, thing("program", program), scope,
            outcome="failure", metadata={**here, "signal": "SIGSEGV"},
        )  # fmt: skip
        restarted = diary.later(at, 1, 15)
        diary.write(restarted, "service.restarted", SYSTEM, thing("service", program), scope, metadata={"host": host})
    elif kind == "update":
        facts: Event = {"host": host, "version": f"3.{diary.chance.randrange(40)}", "package_manager": "apt"}
        diary.write(at, "software.updated", SYSTEM, thing("package", "openssl"), scope, metadata=facts)
    elif kind == "capacity":
        facts = {"resource": "disk", "percent": diary.chance.randrange(80, 97), "limit_percent": 80}
        diary.write(at, "capacity.threshold_crossed", SYSTEM, thing("host", host), scope, metadata=facts)
    else:
        facts = {"host": host, "exit_code": 1}
        job = thing("job", "rotate-archives")
        diary.write(at, "scheduled_job.failed", SYSTEM, job, scope, outcome="failure", metadata=facts)


def firewall(diary: Diary) -> None:
    at = diary.some_moment(diary.some_day("always"), "always", BERGEN)
    host = thing("host", diary.chance.choice(HOSTS))
    scope = scoped("network", "edge")
    if diary.chance.random() < 0.7:
        port = diary.chance.choice((22, 23, 445, 3389, 5900, 8080))
        facts = {"rule": "default-deny", "port": port, "protocol": "tcp", "direction": "ingress"}
        context = {"ip": f"198.18.{diary.chance.randrange(256)}.{diary.chance.randrange(1, 255)}"}
        diary.write(
            at, "firewall.connection_denied", FIREWALL, host, scope, outcome="denied", context=context, metadata=facts
        )
    else:
        facts = {"rule": "updates-out", "port": 443, "protocol": "tcp", "direction": "egress", "bytes": 48_211}
        diary.write(at, "firewall.connection_allowed", FIREWALL, host, scope, metadata=facts)


def dns(diary: Diary) -> None:
    day = diary.some_day("office")
    person = _anyone(diary, day)
    at = diary.some_moment(day, "office", person.office)
    resolver = {"id": "resolver", "type": "system", "name": "Resolver"}
    scope = scoped("network", "dns")
    laptop = f"laptop-{person.id}"
    if diary.chance.random() < 0.25:
        name = diary.chance.choice(("prize-draw.test", "free-fonts.test", "tracker.invalid"))
        facts = {"record_type": "A", "list": "harmful", "category": "phishing", "host": laptop}
        diary.write(at, "dns.query_blocked", resolver, thing("name", name), scope, outcome="denied", metadata=facts)
    else:
        name = diary.chance.choice(("mirror.example", "packages.example", "time.example"))
        facts = {"record_type": "A", "response_code": "NOERROR", "host": laptop}
        diary.write(at, "dns.queried", resolver, thing("name", name), scope, metadata=facts)


def privileged(diary: Diary) -> None:
    day = diary.some_day("office")
    person = _one_of(diary, day, "operations")
    at = diary.some_moment(day, "office", person.office)
    host = thing("host", diary.chance.choice(HOSTS))
    scope = scoped("production", "hosts")
    ticket = f"OPS-{diary.chance.randrange(100, 999)}"
    diary.write(
        at, "privilege.elevated", person, host, scope,
        severity="medium", reason="planned work", metadata={"method": "sudo", "ticket": ticket},
    )  # fmt: skip
    command = diary.chance.choice(("systemctl restart ingest", "journalctl -u api", "apt-get upgrade", "df -h"))
    facts = {"command": command, "run_as": "root", "exit_code": 0}
    diary.write(diary.later(at, 5, 300), "privilege.command_run", person, host, scope, metadata=facts)
    diary.write(diary.later(at, 600, 2400), "privilege.dropped", person, host, scope)


def credentials(diary: Diary) -> None:
    day = diary.some_day("office")
    person = _one_of(diary, day, "platform", "devices", "payments", "operations")
    at = diary.some_moment(day, "office", person.office)
    token = thing("credential", f"{person.id}-{diary.chance.randrange(100)}")
    facts = {"kind": "access token", "scopes": ["read_repository"], "expires_at": "in 90 days"}
    diary.write(at, "credential.created", person, token, scoped("identity"), severity="low", metadata=facts)
    revoked = diary.later(at, 86_400, 400_000)
    if diary.chance.random() < 0.4 and person.works((revoked - diary.begin).days):
        diary.write(
            revoked, "credential.revoked", person, token, scoped("identity"),
            reason="no longer needed", metadata={"kind": "access token"},
        )  # fmt: skip


def membership(diary: Diary) -> None:
    day = diary.some_day("office")
    project = diary.chance.choice(PROJECTS)
    lead, who = _one_of(diary, day, project.team), _anyone(diary, day)
    at = diary.some_moment(day, "office", lead.office)
    kind = diary.chance.choice(("added", "updated", "removed"))
    facts = {"group": project.scope, "role": "developer"}
    changes = [{"field": "role", "old": "reporter", "new": "developer"}] if kind == "updated" else None
    diary.write(at, f"member.{kind}", lead, target_of(who), project.scope, changes=changes, metadata=facts)


def backup(diary: Diary) -> None:
    at = diary.some_moment(diary.some_day("always"), "night", BERGEN)
    database = thing("database", diary.chance.choice(("orders", "telemetry", "accounts")))
    actor = {"id": "backup", "type": "service", "name": "Backup"}
    scope = scoped("production", "backups")
    if diary.chance.random() < 0.02:
        diary.write(at, "data_backup.failed", actor, database, scope, outcome="failure", reason="the store was full")
    else:
        facts = {"location": "vault-north", "bytes": diary.chance.randrange(10**9, 9 * 10**9), "seconds": 1400}
        diary.write(at, "data_backup.completed", actor, database, scope, metadata=facts)


def weaknesses(diary: Diary) -> None:
    day = diary.some_day("always")
    project = diary.chance.choice(PROJECTS)
    scanner = {"id": "dependency-scanner", "type": "service", "name": "Dependency scanner"}
    at = diary.some_moment(day, "always", BERGEN)
    found = {"identifier": f"DEMO-{diary.chance.randrange(1000, 9999)}", "scanner": "dependency", "rating": "high"}
    where = thing("repository", project.scope)
    diary.write(at, "vulnerability.detected", scanner, where, project.scope, metadata=found)
    end = diary.later(at, 86_400, 1_200_000)
    person = _one_of(diary, (end - diary.begin).days, project.team)
    fate = diary.chance.random()
    if fate < 0.6:
        diary.write(end, "vulnerability.resolved", person, where, project.scope, metadata=found)
    elif fate < 0.75:
        diary.write(
            end, "vulnerability.dismissed", person, where, project.scope, reason="not reachable from our code",
            metadata={**found, "dismissal": "not applicable"},
        )  # fmt: skip


def failures(diary: Diary) -> None:
    at = diary.some_moment(diary.some_day("always"), "office", BERGEN)
    number = f"order-{diary.chance.randrange(10_000, 99_999)}"
    facts = {"kind": "payment", "error": diary.chance.choice(("declined", "timeout", "duplicate")), "retryable": True}
    actor = {"id": "checkout", "type": "service", "name": "Checkout"}
    diary.write(
        at, "transaction.failed", actor, {"id": number, "type": "transaction"}, scoped("payments", "checkout"),
        outcome="failure", reason=facts["error"], metadata=facts,
    )  # fmt: skip


ROUTINES = (
    Routine(190, sign_in), Routine(60, vpn), Routine(110, push), Routine(60, merge), Routine(110, customer_record),
    Routine(14, staff_record), Routine(16, export), Routine(70, file_work), Routine(28, deploy), Routine(70, machine),
    Routine(110, firewall), Routine(40, dns), Routine(22, privileged), Routine(9, credentials), Routine(9, membership),
    Routine(12, backup), Routine(14, weaknesses), Routine(24, failures),
)  # fmt: skip
