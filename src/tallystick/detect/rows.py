"""Detection rules and lists of indicators as the tables have them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, select

from tallystick.detect.errors import IndicatorListUnknownError, RuleUnknownError
from tallystick.detect.model import About, Indicator, IndicatorList, Rule, State, Step, Version
from tallystick.store.tables.rules import (
    DETECTION_RULE,
    DETECTION_RULE_VERSION,
    DETECTION_STEP,
    INDICATOR,
    INDICATOR_LIST,
)

STEPS_MAX: Final = 500
"""Of a rule's newest steps that are shown; the events page has all of them."""
_RULE, _VERSION = DETECTION_RULE.c, DETECTION_RULE_VERSION.c


def load_rules(connection: Connection) -> list[Rule]:
    """Return every rule, by id."""
    speaking = DETECTION_RULE_VERSION.join(
        DETECTION_RULE,
        (_RULE.rule == _VERSION.rule) & ((_RULE.newest == _VERSION.version) | (_RULE.active == _VERSION.version)),
    )
    rows = connection.execute(select(DETECTION_RULE_VERSION).select_from(speaking))
    versions = {(row.rule, row.version): version_of(row) for row in rows}
    return [_rule_of(row, versions) for row in connection.execute(select(DETECTION_RULE).order_by(_RULE.rule))]


def find_rule(connection: Connection, rule_id: str) -> Rule | None:
    """Return one rule, also a retired one."""
    row = connection.execute(select(DETECTION_RULE).where(_RULE.rule == rule_id[:64])).first()
    if row is None:
        return None
    return _rule_of(row, {(each.rule, each.number): each for each in load_versions(connection, row.rule)})


def get_rule(connection: Connection, rule_id: str) -> Rule:
    """Return one rule; raises RuleUnknownError."""
    found = find_rule(connection, rule_id)
    if found is None:
        raise RuleUnknownError(f"there is no detection rule {rule_id[:64]!r} that you may see")
    return found


def load_versions(connection: Connection, rule_id: str) -> list[Version]:
    """Return the versions of a rule, the newest first."""
    query = select(DETECTION_RULE_VERSION).where(_VERSION.rule == rule_id).order_by(_VERSION.version.desc())
    return [version_of(row) for row in connection.execute(query)]


def load_steps(connection: Connection, rule_id: str) -> list[Step]:
    """Return what was done with a rule, the newest first."""
    here = DETECTION_STEP.c
    query = select(DETECTION_STEP).where(here.rule == rule_id).order_by(here.log_index.desc()).limit(STEPS_MAX)
    return [
        Step(
            index=row.log_index,
            rule=row.rule,
            version=row.version,
            action=row.action,
            at=row.at,
            actor=row.actor,
            actor_type=row.actor_type,
            reason=row.reason,
            facts=json.loads(row.facts),
        )
        for row in connection.execute(query)
    ]


def known_digests(connection: Connection) -> dict[str, str]:
    """Return the rule that has each text which is the newest of a rule that is not retired, by its digest."""
    speaking = DETECTION_RULE_VERSION.join(
        DETECTION_RULE, (_RULE.rule == _VERSION.rule) & (_RULE.newest == _VERSION.version)
    )
    query = select(_VERSION.digest, _VERSION.rule).select_from(speaking).where(_RULE.state != State.RETIRED)
    return {row.digest: row.rule for row in connection.execute(query)}


def version_of(row: Any) -> Version:
    """Return the version of a row."""
    return Version(
        rule=row.rule,
        number=row.version,
        digest=row.digest,
        text=row.text,
        about=About(**json.loads(row.about)),
        state=State(row.state),
        drafted_by=row.drafted_by,
        drafted_at=row.drafted_at,
        drafted_index=row.drafted_index,
        drafted_reason=row.drafted_reason,
        tested_at=row.tested_at,
        tested_index=row.tested_index,
        tested_passed=row.tested_passed,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decided_index=row.decided_index,
        decision_reason=row.decision_reason,
    )


def load_lists(connection: Connection) -> list[IndicatorList]:
    """Return every list of indicators with its values, by name."""
    values: dict[str, list[Indicator]] = {}
    for row in connection.execute(select(INDICATOR).order_by(INDICATOR.c.list, INDICATOR.c.value)):
        each = Indicator(row.value, row.expires_at, row.source, row.note, row.added_at, row.added_index)
        values.setdefault(row.list, []).append(each)
    return [
        _list_of(row, values.get(row.name, ()))
        for row in connection.execute(select(INDICATOR_LIST).order_by(INDICATOR_LIST.c.name))
    ]


def get_list(connection: Connection, name: str) -> IndicatorList:
    """Return one list; raises IndicatorListUnknownError."""
    row = connection.execute(select(INDICATOR_LIST).where(INDICATOR_LIST.c.name == name[:64])).first()
    if row is None:
        raise IndicatorListUnknownError(f"there is no list of indicators {name[:64]!r}")
    query = select(INDICATOR).where(INDICATOR.c.list == row.name).order_by(INDICATOR.c.value)
    values = [
        Indicator(each.value, each.expires_at, each.source, each.note, each.added_at, each.added_index)
        for each in connection.execute(query)
    ]
    return _list_of(row, values)


def _list_of(row: Any, values: Sequence[Indicator]) -> IndicatorList:
    return IndicatorList(row.name, row.description, row.changed_by, row.changed_at, row.changed_index, tuple(values))


def _rule_of(row: Any, versions: dict[tuple[str, int], Version]) -> Rule:
    newest = versions[row.rule, row.newest]
    state = State(row.state)
    return Rule(
        id=row.rule,
        scope=row.scope,
        origin=row.origin,
        link=row.link,
        license=row.license,
        state=newest.state if state is State.DRAFT else state,
        newest=newest,
        active=None if row.active is None else versions[row.rule, row.active],
        created_at=row.created_at,
        created_index=row.created_index,
        changed_at=row.changed_at,
        changed_index=row.changed_index,
        enabled_at=row.enabled_at,
        enabled_index=row.enabled_index,
    )
