"""What happens in order: releases with their milestones, security policies, people who come and go."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

from tallystick.intake.demo.company import BERGEN, BUILD_BOT, PEOPLE, POLICY_SCOPE, PROJECTS, Person, Project, team_of
from tallystick.intake.demo.diary import Diary, Event, scoped, target_of, thing

_SEASONS = (
    "Anchor",
    "Beacon",
    "Cable",
    "Drift",
    "Ember",
    "Fathom",
    "Gale",
    "Haven",
    "Islet",
    "Jetty",
    "Keel",
    "Lantern",
)
_POLICIES = (
    ("Scan every change", "scan_execution"), ("Two approvals on payments", "approval"),
    ("Secrets stay out", "scan_execution"), ("Signed builds only", "pipeline_execution"),
    ("Close fixed findings", "vulnerability_management"), ("Security reviews firmware", "approval"),
)  # fmt: skip


def write_releases(diary: Diary) -> None:
    """Every project releases every two to four weeks, on a working day."""
    for project in PROJECTS:
        major, minor = project.first_version
        day = diary.chance.randrange(3, 18)
        turn = 0
        while day <= diary.days:
            on = diary.workday(day)
            _write_release(diary, project, on, f"v{major}.{minor + turn}", _SEASONS[turn % len(_SEASONS)])
            turn += 1
            day += diary.chance.randrange(13, 27)


def _write_release(diary: Diary, project: Project, day: int, tag: str, season: str) -> None:
    editor = diary.chance.choice(team_of(project.team, day))
    at = diary.some_moment(day, "office", editor.office)
    release = {"id": f"{project.scope}@{tag}", "type": "release", "name": f"{project.name} {season}"}
    milestones = [f"{season} M{number}" for number in range(1, diary.chance.choice((0, 1, 2, 3)) + 1)]
    via = diary.chance.choice(("page", "api"))
    made: Event = {"tag": tag, "commit": f"{diary.chance.getrandbits(160):040x}", "via": via}
    if milestones:
        made["milestones"] = milestones
    diary.write(at, "release.created", editor, release, project.scope, metadata=made)
    digest = f"sha256:{diary.chance.getrandbits(256):064x}"
    evidence = {"tag": tag, "digest": digest, "bytes": 18_212, "trigger": "release"}
    diary.write(
        diary.later(at, 1, 4), "release.evidence_collected", BUILD_BOT, release, project.scope, metadata=evidence
    )
    for asset in (f"{project.name}-{tag}.tar.gz", f"{project.name}-{tag}.sbom.json"):
        facts = {"tag": tag, "asset": asset, "kind": "file", "digest": f"sha256:{diary.chance.getrandbits(256):064x}"}
        diary.write(diary.later(at, 60, 500), "release.asset_added", BUILD_BOT, release, project.scope, metadata=facts)
    if diary.chance.random() < 0.5:
        _edit_release(diary, project, editor, release, tag, milestones, at)
    _download(diary, project, release, tag, at)


def _edit_release(
    diary: Diary, project: Project, editor: Person, release: Event, tag: str, milestones: list[str], at: datetime
) -> None:
    """Change the description and, in the same edit, mostly the milestones: two events, in that order."""
    edited = diary.later(at, 3600, 200_000)
    changes = [{"field": "description", "old": "Small repairs.", "new": "Small repairs, and a faster start."}]
    facts: dict[str, Any] = {"tag": tag, "via": "page"}
    diary.write(edited, "release.updated", editor, release, project.scope, changes=changes, metadata=facts)
    if milestones:
        added = f"{milestones[0][:-1]}{len(milestones) + 1}"
        facts = {**facts, "milestones": [*milestones, added], "added": [added]}
        soon = edited + timedelta(milliseconds=3)
        diary.write(soon, "release.milestones_changed", editor, release, project.scope, metadata=facts)


def _download(diary: Diary, project: Project, release: Event, tag: str, at: datetime) -> None:
    """The same three people install what a project releases, and two of its own fetch the source now and then."""
    own = random.Random(project.name)  # noqa: S311 - a project's habits, the same in every run
    staff = [person for team in ("operations", "support") for person in team_of(team, 0) if person.last_day < 0]
    readers, team = (
        own.sample(staff, 3),
        own.sample([each for each in team_of(project.team, 0) if each.last_day < 0], 2),
    )
    for _ in range(diary.chance.randrange(1, 7)):
        when = diary.later(at, 3600, 900_000)
        reader = diary.chance.choice(readers)
        artifact = diary.chance.choice(
            (f"{project.name}-{tag}.tar.gz", f"{project.name}-{tag}.sbom.json", "evidence.json")
        )
        facts = {"tag": tag, "artifact": artifact, "kind": "evidence" if artifact == "evidence.json" else "asset"}
        diary.write(when, "release.artifact_downloaded", reader, release, project.scope, metadata=facts)
    if diary.chance.random() < 0.5:
        when = diary.later(at, 3600, 600_000)
        reader = diary.chance.choice(team)
        repository = thing("repository", project.scope)
        facts = {"tag": tag, "format": "zip"}
        diary.write(when, "repository.download_started", reader, repository, project.scope, metadata=facts)


def write_policies(diary: Diary) -> None:
    """Policies are made in the first months and changed now and then; one is renamed, which is a delete and a create."""
    for number, (name, kind) in enumerate(_POLICIES):
        day = diary.workday(6 + number * 9)
        _write_policy(diary, "created", day, name, kind, {"enabled": True})
        for change in range(1, 4):
            on = diary.workday(day + change * 31 + number)
            if on < diary.days - 2:
                changes = [{"field": "rules[0].branches", "old": ["main"], "new": ["main", f"release-{change}"]}]
                _write_policy(diary, "updated", on, name, kind, {"enabled": True}, changes)
    day = diary.workday(101)
    old, new = _POLICIES[2][0], "No secrets in code"
    _write_policy(diary, "deleted", day, old, "scan_execution", {"supersedes": new})
    _write_policy(diary, "created", day, new, "scan_execution", {"enabled": True, "supersedes": old}, later_s=0.01)


def _write_policy(
    diary: Diary, verb: str, day: int, name: str, kind: str, more: Event,
    changes: list[Event] | None = None, later_s: float = 0,
) -> None:  # fmt: skip
    author = team_of("security", day)[0]
    at = diary.moment(day, 11.25, BERGEN) + timedelta(seconds=later_s)
    facts = {
        "kind": kind, "commit": f"{diary.chance.getrandbits(160):040x}", "author": author.email, "author_verified": True,
        "affected_scopes": [project.scope for project in PROJECTS if kind != "approval" or project.team == "payments"],
        **more,
    }  # fmt: skip
    diary.write(
        at, f"security_policy.{verb}", author, thing("security_policy", name), POLICY_SCOPE,
        changes=changes, metadata=facts,
    )  # fmt: skip


def write_people(diary: Diary) -> None:
    """Accounts of those who join and leave; those who leave lose their access on their last day."""
    for person in PEOPLE:
        if person.first_day > 0:
            _write_joiner(diary, person)
        if person.last_day > 0:
            _write_leaver(diary, person)


def _write_joiner(diary: Diary, person: Person) -> None:
    clerk = team_of("people", person.first_day)[0]
    at = diary.moment(person.first_day, 8.5, person.office)
    scope = scoped("identity")
    diary.write(
        at, "account.created", clerk, target_of(person), scope,
        metadata={"provisioned_by": "directory", "role": person.team, "kind": "person"},
    )  # fmt: skip
    added = {"group": f"team-{person.team}", "role": "member"}
    diary.write(diary.later(at, 30, 300), "member.added", clerk, target_of(person), scope, metadata=added)
    factor = {"factor": "totp"}
    diary.write(diary.later(at, 600, 3000), "mfa.factor_enrolled", person, target_of(person), scope, metadata=factor)


def _write_leaver(diary: Diary, person: Person) -> None:
    clerk = team_of("people", person.last_day)[0]
    at = diary.moment(person.last_day, 19, person.office)
    scope = scoped("identity")
    gone = {"group": f"team-{person.team}"}
    diary.write(at, "account.suspended", clerk, target_of(person), scope, reason="left the company")
    diary.write(diary.later(at, 5, 60), "session.revoked", clerk, target_of(person), scope, metadata={"sessions": 2})
    diary.write(diary.later(at, 60, 200), "member.removed", clerk, target_of(person), scope, metadata=gone)
    diary.write(diary.later(at, 86_400 * 2, 86_400 * 4), "account.deleted", clerk, target_of(person), scope)
