"""Which rules somebody sees: those of her scopes, and those that watch over them."""

from __future__ import annotations

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.detect.errors import RuleUnknownError
from tallystick.detect.model import Rule
from tallystick.event.identifier import is_within


def sees(caller: Caller, rule: Rule) -> bool:
    """Return whether the caller sees a rule."""
    scopes = caller.rights.scopes(Permission.RULES_READ)
    return any(is_within(rule.scope, each) or is_within(each, rule.scope) for each in scopes)


def seen_rule(caller: Caller, rule: Rule) -> Rule:
    """Return the rule; raises RuleUnknownError where the caller may not know of it."""
    if not sees(caller, rule):
        raise RuleUnknownError(f"there is no detection rule {rule.id!r} that you may see")
    return rule
