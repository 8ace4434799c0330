"""What depends on who sends and when: which actions and scopes a source may use, and which times are believable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from tallystick.event.catalogue import Catalogue
from tallystick.event.identifier import is_action, is_scope, is_within
from tallystick.event.metadata_schema import MetadataSchemas
from tallystick.event.occurred import normalise_time
from tallystick.event.refusals import (
    BadActionError,
    BadScopeError,
    BadTimeError,
    FutureTimeError,
    ProductActionError,
    ScopeNotAllowedError,
    UndeclaredActionError,
)
from tallystick.event.rules import ActionRule, rules_of, undeclared_rule

_REMEMBERED_MAX: Final = 65_536


@dataclass(frozen=True, slots=True)
class SourceRules:
    """What admission must know of a registered source.

    `scopes` are slash paths, at least one; its events must lie in one of them, and the empty one is everywhere. `actor_ids` says whether its actor
    ids name people. `strict` refuses undeclared actions and metadata outside the schema. Only source 0 is `product`.
    """

    number: int
    name: str
    scopes: tuple[str, ...]
    actor_ids: Literal["opaque", "personal"]
    strict: bool = False
    product: bool = False


class Gate:
    """Judges actions, scopes and times; errors name the member by pointer and leave the place to the caller.

    It remembers what it found good, so that a batch costs little. Safe to share between threads.
    """

    def __init__(self, catalogue: Catalogue) -> None:
        self._rules = rules_of(catalogue)
        self._undeclared_rule = undeclared_rule(catalogue)
        self._undeclared: dict[str, ActionRule] = {}
        self._scopes: set[str] = set()
        self._schemas = MetadataSchemas()

    def rule(self, action: str, source: SourceRules) -> ActionRule:
        """Return the rule for an action, or raise unless `source` may record it."""
        rule = self._rules.get(action) or self._undeclared.get(action) or self._meet(action)
        if rule.product and not source.product:
            raise ProductActionError(f"only the product itself records {action}", pointer="/action")
        if source.strict and not rule.declared:
            raise UndeclaredActionError(f"the catalogue does not declare {action}", pointer="/action")
        return rule

    def check_scope(self, scope: str, source: SourceRules) -> None:
        """Raise unless `scope` is well written and lies where `source` may record."""
        if scope not in self._scopes:
            if not is_scope(scope):
                raise BadScopeError(f"{scope[:64]!r} is not a scope", pointer="/scope")
            if len(self._scopes) >= _REMEMBERED_MAX:
                self._scopes.clear()
            self._scopes.add(scope)
        if is_within(scope, source.scopes[0]) or any(is_within(scope, root) for root in source.scopes[1:]):
            return  # nearly every source has one scope
        message = f"the source {source.name} records in {', '.join(source.scopes)}; {scope[:128]} is not in it"
        raise ScopeNotAllowedError(message, pointer="/scope")

    def check_metadata(self, action: str, rule: ActionRule, metadata: Mapping[str, object]) -> None:
        """Raise unless `metadata` is as the catalogue says; asked only for strict sources."""
        self._schemas.check(action, rule.metadata_schema, metadata)

    def time(self, text: str, latest: str, future_s_max: int) -> str:
        """Return `occurred_at` in its one form, or raise unless it is a time not after `latest`."""
        try:
            utc = text[:-6] + "Z" if text[-6:] == "+00:00" else text  # what many clients write for Z
            moment = utc if _is_normal(utc) else normalise_time(text)
        except BadTimeError as error:
            error.pointer = "/occurred_at"
            raise
        if moment > latest:
            hours = future_s_max / 3600
            message = f"occurred_at is more than {hours:g} hours ahead of the server's clock"
            raise FutureTimeError(message, pointer="/occurred_at")
        return moment

    def _meet(self, action: str) -> ActionRule:
        if not is_action(action):
            raise BadActionError(f"{action[:64]!r} is not written as actions are", pointer="/action")
        if len(self._undeclared) >= _REMEMBERED_MAX:
            self._undeclared.clear()
        self._undeclared[action] = self._undeclared_rule
        return self._undeclared_rule


def _is_normal(text: str) -> bool:
    """Say cheaply whether `text` is a time in its one form already; False also for times that do not exist."""
    if len(text) != 27 or text[26] != "Z" or text[19] != "." or text[10] != "T":
        return False
    if not text[4] == text[7] == "-" or not text[13] == text[16] == ":":
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
