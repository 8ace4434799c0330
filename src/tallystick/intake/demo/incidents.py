"""What should not have happened, for those who look: each incident so many days before the end of the half year."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from tallystick.intake.demo.company import BERGEN, BY_ID, POLICY_SCOPE, PROJECTS, PUNE, TORONTO
from tallystick.intake.demo.diary import Diary, scoped, target_of, thing

CHECKOUT = next(project for project in PROJECTS if project.name == "checkout")
FIRMWARE = next(project for project in PROJECTS if project.name == "firmware")
IDENTITY = scoped("identity")
STRANGER = "198.18.44.7"
LISTED = "sync-status.invalid"
"""A name that nobody's machine has reason to look up; what watches has it on a list."""


@dataclass(frozen=True, slots=True)
class Incident:
    """A short story: what it is called, how many days before the end it begins, and how it is written."""

    name: str
    days_before_end: int
    write: Callable[[Diary, int], None]


def guessed_password(diary: Diary, day: int) -> None:
    """Many failed sign-ins from one address, then one that works, a new factor, and customers leave as a file."""
    victim = BY_ID["karim.haddad"]
    at = diary.moment(day, 2.6, victim.office)
    context = {"ip": STRANGER, "user_agent": "python-requests/2.32", "auth_method": "password"}
    crm = thing("application", "crm")
    for _ in range(64):
        at = diary.later(at, 2, 9)
        diary.write(
            at, "user.sign_in_failed", victim, crm, IDENTITY, outcome="failure", reason="wrong password",
            context=context, metadata={"error": "invalid-credentials", "country": "XX"},
        )  # fmt: skip
    at = diary.later(at, 3, 8)
    facts = {"country": "XX", "new_device": True, "mfa": False}
    diary.write(at, "user.signed_in", victim, crm, IDENTITY, context=context, metadata=facts)
    at = diary.later(at, 40, 90)
    diary.write(
        at, "mfa.factor_enrolled", victim, target_of(victim), IDENTITY, context=context, metadata={"factor": "totp"}
    )
    at = diary.later(at, 60, 200)
    facts = {"records": 18_420, "format": "csv", "bytes": 18_420 * 412}
    diary.write(
        at, "record.exported", victim, thing("report", "all customers"), scoped("support", "desk"),
        severity="high", context=context, metadata=facts,
    )  # fmt: skip


def impossible_travel(diary: Diary, day: int) -> None:
    """One person in Bergen, and half an hour later on the other side of the world."""
    person = BY_ID["oskar.lund"]
    at = diary.moment(day, 9.1, BERGEN)
    payroll = thing("application", "payroll")
    diary.write(at, "user.signed_in", person, payroll, IDENTITY, metadata={"country": "NO", "mfa": True})
    far = {"ip": "198.18.201.90", "user_agent": "Mozilla/5.0 (Linux; Android 14)", "auth_method": "password"}
    facts = {"country": "XY", "new_device": True, "mfa": True}
    diary.write(at + timedelta(minutes=31), "user.signed_in", person, payroll, IDENTITY, context=far, metadata=facts)


def night_escalation(diary: Diary, day: int) -> None:
    """At three in the morning someone makes himself owner, takes the guard off a branch and turns the recording off."""
    person, guard = BY_ID["liam.tremblay"], BY_ID["callum.grant"]
    at = diary.moment(day, 3.2, TORONTO)
    scope = FIRMWARE.scope
    diary.write(at, "role.assigned", person, target_of(person), scope, metadata={"role": "owner", "resource": scope})
    at = diary.later(at, 50, 120)
    branch = {"id": f"{scope}@main", "type": "branch", "name": "main"}
    diary.write(at, "branch_protection.removed", person, branch, scope, metadata={"branch": "main"})
    at = diary.later(at, 20, 60)
    stream = thing("audit-destination", "security-archive")
    diary.write(at, "audit_logging.disabled", person, stream, scoped("security", "logging"))
    at = diary.later(at, 60, 200)
    pushed = {"ref": "refs/heads/main", "commits": 1, "after": f"{diary.chance.getrandbits(160):040x}", "forced": True}
    diary.write(at, "code.pushed", person, thing("repository", scope), scope, severity="high", metadata=pushed)
    morning = diary.moment(day, 9.4, TORONTO)
    diary.write(morning, "audit_logging.enabled", guard, stream, scoped("security", "logging"))
    diary.write(
        diary.later(morning, 600, 900), "role.unassigned", guard, target_of(person), scope,
        reason="not approved", metadata={"role": "owner", "resource": scope},
    )  # fmt: skip


def leaver_takes_files(diary: Diary, day: int) -> None:
    """In his last week someone who never exports does so every evening."""
    person = BY_ID["quentin.roy"]
    for evening in range(4):
        at = diary.moment(day + evening, 21.3, TORONTO)
        facts = {"records": 2400 + 900 * evening, "format": "xlsx", "bytes": 3_100_000}
        report = thing("report", "merchant contracts")
        diary.write(at, "record.exported", person, report, CHECKOUT.scope, metadata=facts)
        for _ in range(6):
            at = diary.later(at, 20, 90)
            name = f"payments/contract-{diary.chance.randrange(100, 999)}.pdf"
            bulk = {"bytes": diary.chance.randrange(90_000, 900_000)}
            diary.write(at, "file.downloaded", person, thing("file", name), scoped("files", "payments"), metadata=bulk)


def policy_put_aside(diary: Diary, day: int) -> None:
    """A security policy is switched off for an hour, a change goes in without approval, and the policy comes back."""
    person, guard = BY_ID["paula.reyes"], BY_ID["beatriz.lima"]
    at = diary.moment(day, 17.8, TORONTO)
    policy = thing("security_policy", "Two approvals on payments")
    facts = {"kind": "approval", "affected_scopes": [CHECKOUT.scope], "author": person.email, "author_verified": False}
    for who, old, new, after_s in ((person, True, False, 0), (guard, False, True, 4100)):
        moment = at + timedelta(seconds=after_s)
        changes = [{"field": "enabled", "old": old, "new": new}]
        diary.write(
            moment, "security_policy.updated", who, policy, POLICY_SCOPE,
            changes=changes, metadata={**facts, "enabled": new, "author": who.email},
        )  # fmt: skip
    merged = at + timedelta(seconds=1500)
    change = {"id": f"{CHECKOUT.scope}!2190", "type": "change", "name": "!2190"}
    alone = {"branch": "main", "commit": f"{diary.chance.getrandbits(160):040x}", "approvals": 0, "author_merged": True}
    diary.write(merged, "change.merged", person, change, CHECKOUT.scope, metadata=alone)
    broken = {"policy": "Two approvals on payments", "rule": "approvals_required", "count": 1}
    watcher = {"id": "policy-engine", "type": "system", "name": "Policy engine"}
    diary.write(diary.later(merged, 2, 9), "policy.violated", watcher, change, CHECKOUT.scope, metadata=broken)


def malware(diary: Diary, day: int) -> None:
    person = BY_ID["vandana.shah"]
    at = diary.moment(day, 14.2, PUNE)
    guard = {"id": "endpoint-guard", "type": "system", "name": "Endpoint guard"}
    laptop = thing("host", f"laptop-{person.id}")
    facts = {"malware": "Demo.Stealer", "sha256": f"{diary.chance.getrandbits(256):064x}", "host": laptop["id"]}
    scope = scoped("endpoints")
    found = {**facts, "response": "blocked", "detector": "endpoint-guard"}
    diary.write(at, "malware.detected", guard, [laptop, target_of(person)], scope, metadata=found)
    diary.write(
        diary.later(at, 30, 90), "malware.removed", guard, laptop, scope, metadata={**facts, "response": "deleted"}
    )


def stolen_token(diary: Diary, day: int) -> None:
    """A token with every right, made in the evening, is used at night to take all repositories from far away."""
    person = BY_ID["gaurav.joshi"]
    at = diary.moment(day, 20.1, PUNE)
    made = {"kind": "access token", "scopes": ["api", "read_repository", "write_repository", "admin"]}
    diary.write(at, "credential.created", person, thing("credential", "ci-helper"), IDENTITY, metadata=made)
    night = diary.moment(day + 1, 1.7, PUNE)
    context = {"ip": "198.18.77.21", "user_agent": "git/2.51", "auth_method": "access token"}
    for project in PROJECTS:
        night = diary.later(night, 10, 50)
        repository = thing("repository", project.scope)
        facts = {"ref": "HEAD", "format": "tar.gz"}
        diary.write(
            night, "repository.download_started", person, repository, project.scope, context=context, metadata=facts
        )


def cleared_log(diary: Diary, day: int) -> None:
    """On one host the clock is stepped and a log emptied within minutes of a remote session."""
    person = BY_ID["yusuf.demir"]
    at = diary.moment(day, 23.1, BERGEN)
    host, scope = thing("host", "db-02"), scoped("production", "hosts")
    diary.write(at, "remote_session.started", person, host, scope, metadata={"protocol": "ssh", "account": "root"})
    at = diary.later(at, 60, 200)
    diary.write(at, "clock.adjusted", person, host, scope, metadata={"offset_ms": -5_400_000, "time_source": "manual"})
    at = diary.later(at, 60, 120)
    log = thing("log", "db-02:/var/log/auth.log")
    diary.write(at, "audit_log.cleared", person, log, scope, metadata={"host": "db-02"})
    diary.write(diary.later(at, 60, 300), "remote_session.ended", person, host, scope, metadata={"protocol": "ssh"})


def dormant_account(diary: Diary, day: int) -> None:
    """The account of someone who has left is woken, used once against the payroll, and denied."""
    clerk, gone = BY_ID["maya.cohen"], BY_ID["arne.solheim"]
    at = diary.moment(day, 6.4, TORONTO)
    diary.write(at, "account.reactivated", clerk, target_of(gone), IDENTITY)
    at = diary.later(at, 400, 900)
    context = {"ip": "198.18.9.14", "user_agent": "curl/8.14", "auth_method": "password"}
    payroll = thing("application", "payroll")
    diary.write(
        at, "user.signed_in", gone, payroll, IDENTITY, context=context, metadata={"country": "XZ", "mfa": False}
    )
    at = diary.later(at, 10, 30)
    diary.write(
        at, "access.denied", gone, thing("report", "all salaries"), scoped("people", "records"),
        outcome="denied", reason="no permission", context=context, metadata={"permission": "salary:read"},
    )  # fmt: skip


def world_open_rule(diary: Diary, day: int) -> None:
    """A firewall rule lets the whole world reach a database for a night; the edge sees who comes."""
    person, guard = BY_ID["wanda.fraser"], BY_ID["viktor.holm"]
    at = diary.moment(day, 18.9, TORONTO)
    scope = scoped("network", "edge")
    rule = thing("firewall-rule", "db-temporary")
    facts = {
        "port": 5432,
        "protocol": "tcp",
        "direction": "ingress",
        "from_network": "0.0.0.0/0",
        "open_to_world": True,
    }
    diary.write(at, "firewall.rule_added", person, rule, scope, metadata=facts)
    for _ in range(22):
        seen = {"technique": "T1110", "detector": "edge", "count": diary.chance.randrange(3, 90), "blocked": False}
        when = diary.later(at, 900, 40_000)
        context = {"ip": f"198.18.{diary.chance.randrange(256)}.{diary.chance.randrange(1, 255)}"}
        edge = {"id": "edge-firewall", "type": "system", "name": "Edge firewall"}
        diary.write(when, "intrusion.attempted", edge, thing("host", "db-01"), scope, context=context, metadata=seen)
    morning = diary.later(at, 41_000, 44_000)
    diary.write(morning, "firewall.rule_removed", guard, rule, scope, metadata={"port": 5432, "protocol": "tcp"})


def beacon(diary: Diary, day: int) -> None:
    """Minutes before the end a laptop begins to look up a name that is on a list of harmful ones."""
    del day
    resolver = {"id": "resolver", "type": "system", "name": "Resolver"}
    at = diary.end - timedelta(minutes=9)
    for _ in range(3):
        at = diary.later(at, 30, 60)
        facts = {"record_type": "TXT", "response_code": "NOERROR", "host": "laptop-tuva.berg"}
        diary.write(at, "dns.queried", resolver, thing("name", LISTED), scoped("network", "dns"), metadata=facts)


INCIDENTS = (
    Incident("beacon", 0, beacon),
    Incident("stolen token", 5, stolen_token),
    Incident("guessed password", 9, guessed_password),
    Incident("world-open rule", 12, world_open_rule),
    Incident("night escalation", 16, night_escalation),
    Incident("malware", 19, malware),
    Incident("impossible travel", 21, impossible_travel),
    Incident("cleared log", 24, cleared_log),
    Incident("leaver takes files", 28, leaver_takes_files),
    Incident("dormant account", 30, dormant_account),
    Incident("policy put aside", 33, policy_put_aside),
)
