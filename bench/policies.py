"""How long does it take until a changed security policy in Git stands in the log as an event?

Workload: a policy project with 1,000 policies that governs 200 scopes, kept in a Git repository on the same disk. First
one policy is changed in each of several commits and the repository is looked at: the time from the look to the event.
Then the same through a running server that looks by itself: the time from the commit to the event that a search finds.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from bench import measure, server
from tallystick.access.operator import OPERATOR
from tallystick.config import settings_for
from tallystick.policies.model import DEFAULT_PATH, ProjectSettings
from tallystick.server import open_instance

POLICIES = 1_000
SCOPES = 200
ROUNDS = 7
PUSHES = 10
_APPEARS_S_MAX = 60


def main() -> None:
    """Measure and keep the answer."""
    given = measure.sizes(__doc__, policies=POLICIES, scopes=SCOPES, rounds=ROUNDS, pushes=PUSHES)
    with server.home() as home:
        repository = home / "policies"
        _make(repository, given.policies)
        settings = ProjectSettings(
            title="Benchmark",
            scope="acme/security",
            governed=tuple(f"acme/group-{number % 20}/project-{number}" for number in range(given.scopes)),
            kept="git",
            repository=str(repository),
            branch="main",
        )
        figures = [_look(home, repository, settings, given.policies, given.rounds), _push(home, repository, given)]
    measure.keep("policies", __doc__, figures)


def _look(home: Path, repository: Path, settings: ProjectSettings, policies: int, rounds: int) -> dict[str, Any]:
    """Measure one look at a repository in which one policy changed."""
    with open_instance(settings_for(home / "data", home / "state")) as instance:
        service = instance.services.policies.service
        start = time.perf_counter()
        project = service.register(OPERATOR, settings)
        service.sync(OPERATOR, project)
        first_s = time.perf_counter() - start
        took, events = [], []
        for number in range(rounds):
            before = instance.ledger.status().acknowledged.size
            _commit(repository, policies, changed=number, needed=2)
            start = time.perf_counter()
            service.sync(OPERATOR, project)
            took.append(time.perf_counter() - start)
            events.append(instance.ledger.status().acknowledged.size - before - 1)  # beside the one that it is in step
    assert events == [1] * rounds, events
    return measure.figure(
        "one changed policy",
        policies=policies,
        scopes=len(settings.governed),
        events_for_one_change=events[0],
        seconds={"p50": round(measure.percentile(took, 0.5), 3), "max": round(max(took), 3)},
        first_sync_seconds=round(first_s, 2),
    )


def _push(home: Path, repository: Path, given: Any) -> dict[str, Any]:
    """Measure from a commit to the event in a search, while the server looks by itself."""
    token = server.make_token(home)
    running = server.start(home, token)
    took = []
    try:
        running.wait_until_ready()
        for number in range(given.pushes):
            commit = _commit(repository, given.policies, changed=number, needed=3)
            start = time.perf_counter()
            while not _found(running, commit):
                if time.perf_counter() - start > _APPEARS_S_MAX:
                    raise RuntimeError("the event of a push did not appear")
                time.sleep(0.05)
            took.append(time.perf_counter() - start)
            time.sleep(0.37 * (number % 5))  # pushes meet every phase of the follower
    finally:
        running.stop()
    return measure.figure(
        "from push to event",
        policies=given.policies,
        scopes=given.scopes,
        pushes=given.pushes,
        seconds={"p50": round(measure.percentile(took, 0.5), 2), "max": round(max(took), 2)},
    )


def _found(running: server.Server, commit: str) -> bool:
    query = f"/api/v1/events?limit=5&query=action:security_policy.updated%20metadata.commit:{commit}"
    status, body = running.ask(query)
    assert status == 200, body
    return len(json.loads(body)["events"]) == 1


def _make(repository: Path, policies: int) -> None:
    repository.mkdir()
    _git(repository, "init", "--quiet", "--initial-branch=main")
    _commit(repository, policies)


def _commit(repository: Path, policies: int, *, changed: int = -1, needed: int = 1) -> str:
    """Commit the policies, with one that asks for more than the others, and return the commit."""
    file = repository / DEFAULT_PATH
    file.parent.mkdir(parents=True, exist_ok=True)
    entries = (_policy(number, needed if number == changed else 1) for number in range(policies))
    kept = file.read_text().split("\n- ")[1:] if changed >= 0 and file.exists() else []
    parts = [part.rstrip("\n") for part in kept] or list(entries)
    if changed >= 0:
        parts[changed] = _policy(changed, needed)
    file.write_text("approval_policy:\n- " + "\n- ".join(parts) + "\n")
    _git(repository, "add", "--all")
    _git(repository, "commit", "--quiet", "--message=policies")
    return _git(repository, "rev-parse", "HEAD")


def _policy(number: int, needed: int) -> str:
    return f"""name: Policy {number:04}
  description: Merge requests of service {number} need the approval of somebody who answers for it.
  enabled: true
  rules:
  - type: scan_finding
    branch_type: protected
    scanners: [sast, secret_detection]
    vulnerabilities_allowed: {number % 7}
    severity_levels: [critical, high]
    vulnerability_states: [new_needs_triage]
  actions:
  - type: require_approval
    approvals_required: {needed}
    group_approvers: [acme/owners-{number % 50}]"""


def _git(repository: Path, *arguments: str) -> str:
    people = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _PERSON.items()}
    environment = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1", **people}
    done = subprocess.run(
        ["git", *arguments], cwd=repository, env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


_PERSON = {"NAME": "Ana Lind", "EMAIL": "ana@example.org"}


if __name__ == "__main__":
    main()
