"""The life of detection rules. Each verb checks what the caller may do itself, so that pages, API and commands agree."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.grants.deciding import require_another
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.detect import events
from tallystick.detect.errors import RuleChangedError, RuleInvalidError, RuleSamplesError, RuleStateError
from tallystick.detect.model import RULES_MAX, Rule, State, Version
from tallystick.detect.ports import RegisterPorts
from tallystick.detect.rows import get_rule, known_digests, load_rules, load_versions
from tallystick.detect.rulefile import RuleFile, parse_rule
from tallystick.detect.sight import seen_rule
from tallystick.detect.trials import SampleResult, compile_alone, failed_of, require_samples, run_samples
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.sigma import Lists

REASON_CHARS_MAX: Final = 1000
_ALPHABET: Final = "23456789abcdefghjkmnpqrstuvwxyz"
_OPEN: Final = (State.DRAFT, State.TESTED)
Events = Sequence[Mapping[str, Any]]


class RuleService:
    """What is done with the detection rules of one installation; may be used from any thread.

    A rule that the caller may not see is unknown to her.
    """

    def __init__(self, projection: Projection, commands: Commands, ports: RegisterPorts, lists: Lists) -> None:
        self._projection = projection
        self._commands = commands
        self._ports = ports
        self._lists = lists

    def check(self, caller: Caller, text: bytes) -> tuple[RuleFile, list[SampleResult]]:
        """Return what a text says and what came of its samples; nothing is recorded. Raises RuleTextError."""
        require(caller, Permission.RULES_READ)
        file = parse_rule(text)
        compile_alone(file, self._lists)
        return file, run_samples(file, self._lists)

    def draft(
        self,
        caller: Caller,
        text: bytes,
        scope: str = "",
        *,
        reason: str = "",
    ) -> str:
        """Write a rule that watches what happens in a scope, once it is enabled; return its id. Raises RuleTextError."""
        require(caller, Permission.RULES_MANAGE, scope)
        reason, file = _checked_reason(reason, needed=False), parse_rule(text)
        compile_alone(file, self._lists)
        rule = new_rule_id()

        def decide(connection: Connection) -> Events:
            if len(load_rules(connection)) >= RULES_MAX:
                raise RuleStateError(f"there are {RULES_MAX:,} rules, which is as many as there can be")
            _require_new(connection, file)
            now_us = self._ports.now_us()
            return [
                events.drafted(
                    caller,
                    rule,
                    scope,
                    file.digest,
                    text.decode(),
                    file.about,
                    now_us,
                    origin="written",
                    reason=reason,
                )
            ]

        self._commands.run(decide)
        return rule

    def change(self, caller: Caller, rule_id: str, text: bytes, based_on: int, reason: str = "") -> int:
        """Write a newer version, made from the version `based_on`; return its number. What watches stays.

        Raises RuleTextError, RuleChangedError, RuleStateError.
        """
        reason, file = _checked_reason(reason, needed=False), parse_rule(text)
        compile_alone(file, self._lists)
        number = based_on

        def decide(connection: Connection) -> Events:
            nonlocal number
            rule = self._managed(connection, caller, rule_id)
            if rule.newest.number != based_on:
                raise RuleChangedError(f"the newest version is {rule.newest.number}, not {based_on}")
            if rule.newest.digest == file.digest:
                return []
            _require_new(connection, file)
            number = rule.newest.number + 1
            now_us = self._ports.now_us()
            return [events.changed(caller, rule, number, file.digest, text.decode(), file.about, reason, now_us)]

        self._commands.run(decide)
        return number

    def test(self, caller: Caller, rule_id: str) -> list[SampleResult]:
        """Run the newest version on its samples and record what came of it; return each result.

        Raises RuleSamplesError where there are not samples of both kinds.
        """
        with self._projection.engine.connect() as connection:
            rule = self._managed(connection, caller, rule_id)
        file = _parsed(rule.newest)
        require_samples(file)
        results = run_samples(file, self._lists)
        failed = failed_of(results)

        def decide(connection: Connection) -> Events:
            now = self._managed(connection, caller, rule_id)
            _require_digest(now.newest, file.digest)
            passed = len(results) - len(failed)
            return [events.tested(caller, now, now.newest, passed, len(failed), self._ports.now_us())]

        self._commands.run(decide)
        return results

    def approve(self, caller: Caller, rule_id: str, digest: str, reason: str = "") -> None:
        """Approve exactly the text with this digest, which somebody else wrote and its samples show to work.

        Raises OwnDecisionError, RuleChangedError, RuleStateError.
        """
        self._decide(caller, rule_id, digest, events.APPROVED, _checked_reason(reason, needed=False))

    def reject(self, caller: Caller, rule_id: str, digest: str, reason: str) -> None:
        """Refuse a version that somebody else wrote; another version may follow."""
        self._decide(caller, rule_id, digest, events.REJECTED, _checked_reason(reason, needed=True))

    def enable(self, caller: Caller, rule_id: str, digest: str) -> None:
        """Put an approved version in force; its samples are run once more. One that was in force needs no new approval."""
        with self._projection.engine.connect() as connection:
            version = _to_enable(self._managed(connection, caller, rule_id), digest)
        file = _parsed(version)
        require_samples(file)
        compile_alone(file, self._lists)
        failed = failed_of(run_samples(file, self._lists))
        if failed:
            raise RuleSamplesError(f"the sample {failed[0].name!r} does not come out as it must")

        def decide(connection: Connection) -> Events:
            rule = self._managed(connection, caller, rule_id)
            return [self._step(caller, events.ENABLED, rule, _to_enable(rule, digest))]

        self._commands.run(decide)

    def disable(self, caller: Caller, rule_id: str, reason: str) -> None:
        """Stop a rule from watching."""
        reason = _checked_reason(reason, needed=True)

        def decide(connection: Connection) -> Events:
            rule = self._managed(connection, caller, rule_id)
            if rule.state is not State.ENABLED:
                raise RuleStateError("the rule does not watch")
            return [self._step(caller, events.DISABLED, rule, rule.shown, reason)]

        self._commands.run(decide)

    def retire(self, caller: Caller, rule_id: str, reason: str) -> None:
        """End a rule for good; its versions and history stay."""
        reason = _checked_reason(reason, needed=True)

        def decide(connection: Connection) -> Events:
            rule = self._managed(connection, caller, rule_id)
            return [self._step(caller, events.RETIRED, rule, rule.shown, reason)]

        self._commands.run(decide)

    def _decide(self, caller: Caller, rule_id: str, digest: str, action: str, reason: str) -> None:
        def decide(connection: Connection) -> Events:
            rule = seen_rule(caller, get_rule(connection, rule_id))
            require(caller, Permission.RULES_APPROVE, rule.scope)
            _require_lives(rule)
            now_us = self._ports.now_us()
            writers = _writers(connection, rule)
            require_another(connection, caller, Permission.RULES_APPROVE, rule.scope, now_us, writers)
            _require_digest(rule.newest, digest)
            if rule.newest.state not in _OPEN:
                raise RuleStateError(f"the version is {rule.newest.state} already")
            if action == events.APPROVED and rule.newest.state is not State.TESTED:
                raise RuleStateError("the version was not tested, or its samples fail")
            return [events.stepped(caller, action, rule, rule.newest, reason, now_us)]

        self._commands.run(decide)

    def _managed(self, connection: Connection, caller: Caller, rule_id: str) -> Rule:
        rule = seen_rule(caller, get_rule(connection, rule_id))
        require(caller, Permission.RULES_MANAGE, rule.scope)
        _require_lives(rule)
        return rule

    def _step(self, caller: Caller, action: str, rule: Rule, version: Version, reason: str = "") -> Mapping[str, Any]:
        return events.stepped(caller, action, rule, version, reason, self._ports.now_us())


def new_rule_id() -> str:
    """Return an id that no other rule has."""
    return "dr-" + "".join(secrets.choice(_ALPHABET) for _ in range(10))


def _writers(connection: Connection, rule: Rule) -> set[str]:
    """Return who wrote what nobody has approved yet: the newest version, and those that it was made from."""
    writers = set()
    for version in load_versions(connection, rule.id):
        if version.number != rule.newest.number and version.state is State.APPROVED:
            break
        writers.add(version.drafted_by)
    return writers


def _to_enable(rule: Rule, digest: str) -> Version:
    """Return the version that is put in force: the newest, or what was in force until the rule was disabled."""
    for version in (rule.newest, rule.active):
        if version is not None and version.digest == digest:
            if version.state is not State.APPROVED:
                raise RuleStateError("nobody else has approved this version")
            if rule.state is State.ENABLED and rule.active is not None and rule.active.digest == digest:
                raise RuleStateError("this version watches already")
            return version
    raise RuleChangedError("this is neither the newest version nor the one that was in force")


def _require_digest(version: Version, digest: str) -> None:
    if version.digest != digest:
        raise RuleChangedError("the rule was changed meanwhile: this is not the text of its newest version")


def _require_lives(rule: Rule) -> None:
    if rule.state is State.RETIRED:
        raise RuleStateError("the rule is retired")


def _require_new(connection: Connection, file: RuleFile) -> None:
    known = known_digests(connection).get(file.digest)
    if known is not None:
        raise RuleStateError(f"the rule {known} has exactly this text")


def _parsed(version: Version) -> RuleFile:
    if version.text is None:
        raise RuleStateError("the text of this version was erased")
    return parse_rule(version.text.encode())


def _checked_reason(reason: str, *, needed: bool) -> str:
    reason = reason.strip()
    if len(reason) > REASON_CHARS_MAX or (needed and not reason):
        raise RuleInvalidError(f"a reason has {int(needed)} to {REASON_CHARS_MAX:,} characters", pointer="/reason")
    return reason
