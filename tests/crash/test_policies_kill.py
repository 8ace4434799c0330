"""kill -9 while policies are read from Git: each change is in the log once, whatever was cut off in between."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.grants_world import ADMISSION, empty_tables
from tests.installation import installation
from tests.policy_world import Register, Repository, approval, policies
from tests.server_process import serving

from tallystick.access.operator import OPERATOR
from tallystick.event.canonical import canonical_json
from tallystick.event.merge import merge
from tallystick.follow.commands import Commands
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Projection
from tallystick.ledger.genesis import PRODUCT
from tallystick.policies import events
from tallystick.policies.figures import Figures
from tallystick.policies.handlers import HANDLERS
from tallystick.policies.model import ProjectSettings
from tallystick.policies.reading import Repositories
from tallystick.policies.sync import Sync

KILLS = 4


class CrashError(Exception):
    """The process ended here."""


class Log:
    """A log in memory over real admission, tables and handlers, that can end with an append, before or after it."""

    def __init__(self) -> None:
        self.parts: list[tuple[bytes, bytes]] = []
        self.appends = 0
        self.crash_before = self.crash_after = 0
        self.projection = Projection(empty_tables(), "test", HANDLERS, self.read, lambda: len(self.parts))
        self.commands = Commands(self.projection, self.append)

    def now_us(self) -> int:
        return 1_800_000_000_000_000 + len(self.parts)

    def append(self, made: Sequence[Mapping[str, Any]]) -> None:
        self.appends += 1
        if self.appends == self.crash_before:
            raise CrashError
        batch = ADMISSION.admit(canonical_json([dict(event) for event in made]), PRODUCT, now_us=self.now_us())
        self.parts += zip(batch.facts, batch.personal, strict=True)
        if self.appends == self.crash_after:
            raise CrashError

    def read(self, first: int) -> list[ProductEvent]:
        return [self._event(index) for index in range(first, len(self.parts))]

    def changes(self) -> list[tuple[str, str]]:
        """Return what became of which policy, in order."""
        told = [(each.action, each.event["targets"][0].get("name", "")) for each in self.read(0)]
        return [(action.rpartition(".")[2], name) for action, name in told if action.startswith("security_policy.")]

    def _event(self, index: int) -> ProductEvent:
        event = merge(*self.parts[index])
        return ProductEvent(index, 1_800_000_000_000_000 + index, event["action"], event)


def sync_over(log: Log, copies: Path) -> Sync:
    return Sync(log.projection, log.commands, log.now_us, Repositories(copies), lambda _: True, Figures())


MANY = 600
"""Policies whose events, with all that they govern, do not fit into one batch."""


@pytest.mark.parametrize("crash", [("crash_before", 2), ("crash_after", 2), ("crash_before", 3), ("crash_after", 3)])
def test_a_crash_around_any_append_of_a_version_loses_and_repeats_nothing(
    tmp_path: Path, crash: tuple[str, int]
) -> None:
    text = policies(*(approval(f"Policy {number}") for number in range(MANY)))
    repository = Repository.make(tmp_path / "repository", text)
    log = Log()
    governed = tuple(f"acme/some-rather-long-name-of-a-group/project-{number:03}" for number in range(330))
    told = ProjectSettings("Many", "acme/security", governed, "git", str(repository.path), "main")
    log.commands.run(lambda _: [events.registered(OPERATOR, "pp-many", told, log.now_us())])
    setattr(log, *crash)
    with pytest.raises(CrashError):
        sync_over(log, tmp_path / "copies").project("pp-many")
    again = sync_over(log, tmp_path / "copies")
    again.project("pp-many")
    again.project("pp-many")
    assert log.appends > 2, "the version came in several appends"
    assert sorted(log.changes()) == sorted(("created", f"Policy {number}") for number in range(MANY))
    assert [each.action for each in log.read(0)].count("policy_project.synced") == 1


def test_kills_at_random_moments_leave_one_event_for_each_change(tmp_path: Path) -> None:
    repository = Repository.make(tmp_path / "repository", policies(approval("Policy 0")))
    with installation(tmp_path) as house:
        project = Register(house).add(repository)
        Register(house).sync(project)
    moments = random.Random(20261121)
    needed = 1
    for number in range(1, KILLS + 1):
        with serving(tmp_path) as server:
            for _ in range(3):
                needed += 1
                entries = [approval(f"Policy {each}") for each in range(1, number)]
                repository.commit(policies(approval("Policy 0", needed=needed % 100), *entries))
            time.sleep(moments.uniform(0, 4))  # not to wait for anything: when to kill
            server.kill()
    with installation(tmp_path) as house:
        register = Register(house)
        register.sync(project)
        changed = [event for event in register.changes(project) if event.name == "Policy 0"][1:]
        values = [event.changes[0]["new"] for event in changed]
        assert values == list(range(2, needed + 1))
        assert len({event.facts["commit"] for event in changed}) == len(changed)
        created = [name for verb, name in register.told(project) if verb == "created"]
        assert created == [f"Policy {number}" for number in range(KILLS)]
