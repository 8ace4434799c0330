"""A vendor map at work: which value of a vendor record becomes which member of an event."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tallystick.event.limits import Limits
from tallystick.event.visible import visible
from tallystick.intake.identity import content_event_id, vendor_event_id
from tallystick.intake.json_text import RecordSyntaxError, deepest, parse_whole, settle_numbers
from tallystick.intake.mapping import Mapped, UnmappableError, join_scope
from tallystick.intake.paths import Context, as_text
from tallystick.intake.steps import Condition, Value, snake
from tallystick.intake.times import FORMS, format_moment

ACTOR_TYPES = frozenset({"user", "service", "system", "anonymous", "deleted", "unknown"})
OUTCOMES = frozenset({"success", "failure", "denied", "unknown"})
SEVERITIES = frozenset({"informational", "low", "medium", "high", "critical"})
_NOT_IN_ACTION = re.compile(r"[^a-z0-9_.-]+")
_ACTION_CHARS_MAX = 128
_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class TargetRule:
    """How to find targets: one, or one for each item of a list."""

    each: Value | None
    members: Mapping[str, Value]
    when: Condition | None = None
    otherwise: bool = False
    """Whether the rule counts only where those before it found nothing."""


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """How to find changes: one, or one for each item of a list."""

    each: Value | None
    members: Mapping[str, Value]


@dataclass(frozen=True)
class VendorMap:
    """A compiled map. Built by `mapping_parse.parse_map`; safe to share between threads."""

    name: str
    title: str
    digest: str
    wrappers: tuple[str, ...]
    unwrap: tuple[Value, ...]
    names: Mapping[str, Value]
    skip: Condition | None
    identity: Value | None
    times: tuple[Value, ...]
    time_forms: tuple[str, ...]
    action_key: Value
    action: Value
    action_default: Value
    actor: Mapping[str, Value]
    on_behalf_of: Mapping[str, Value]
    targets: tuple[TargetRule, ...]
    scope: Value
    outcome: Value | None
    severity: Value | None
    texts: Mapping[str, Value]
    changes: tuple[ChangeRule, ...]
    context: Mapping[str, Value]
    metadata: Mapping[str, Value]
    exact_numbers: bool = True

    def apply(self, record: Mapping[str, Any], data: bytes, *, source: str, scope: str) -> Mapped | None:
        return _Application(self, record, data, source, scope).run()


@dataclass
class _Application:
    """One record on its way through one map."""

    map: VendorMap
    record: Any
    data: bytes
    source: str
    scope: str
    gaps: list[tuple[str, str]] = field(default_factory=list)

    def run(self) -> Mapped | None:
        self._unwrap()
        context = Context(self.record)
        for name, value in self.map.names.items():
            context.names[name] = value(context)
        if self.map.skip is not None and self.map.skip(context):
            return None
        content_id = content_event_id(self.source, self.map.name, self.data)
        vendor_id = self.map.identity(context) if self.map.identity else None
        event: dict[str, Any] = {
            "id": content_id if vendor_id is None else vendor_event_id(self.source, self.map.name, as_text(vendor_id)),
            "action": self._action(context),
            "actor": self._party(self.map.actor, context) or self._unknown_actor(),
            "targets": self._targets(context),
            "scope": self._scope(context),
            "occurred_at": self._moment(context),
        }
        if behalf := self._party(self.map.on_behalf_of, context):
            event["on_behalf_of"] = behalf
        self._words(event, context)
        for name, value in self.map.texts.items():
            if (found := value(context)) is not None:
                event[name] = as_text(found)
        if changes := self._changes(context):
            event["changes"] = changes
        for member, values in (("context", self.map.context), ("metadata", self.map.metadata)):
            found = {name: found for name, value in values.items() if (found := value(context)) is not None}
            if found:
                event[member] = found
        return Mapped(self._settled(event), content_id, tuple(self.gaps))

    def _unwrap(self) -> None:
        """Step into envelopes: a member that holds the vendor's event as an object, or as JSON text."""
        for inner in self.map.unwrap:
            found = inner(Context(self.record))
            if isinstance(found, str) and found.lstrip().startswith("{"):
                try:
                    self.record, self.data = parse_whole(found, exact=True), found.encode()
                except (RecordSyntaxError, UnicodeEncodeError) as error:
                    raise UnmappableError(f"the event inside the envelope cannot be read: {error}") from error
            elif isinstance(found, dict):
                self.record = found
        if not isinstance(self.record, dict):
            raise UnmappableError("the event inside the envelope is not an object")

    def _action(self, context: Context) -> str:
        found = self.map.action(context)
        key = self.map.action_key(context)
        if found is not None:
            if str(found).startswith("vendor."):
                self.gaps.append(("action", as_text(key)))
            return str(found)
        if key is None:
            raise UnmappableError(f"the record does not name its action, as the map {self.map.name} expects it")
        self.gaps.append(("action", as_text(key)))
        default = self.map.action_default(context) or f"vendor.{self.map.name}.{snake(as_text(key)) or 'unknown'}"
        return _NOT_IN_ACTION.sub("_", as_text(default).lower())[:_ACTION_CHARS_MAX].strip("._")

    def _party(self, members: Mapping[str, Value], context: Context) -> dict[str, Any] | None:
        found = {
            name: _readable(as_text(said)) for name, value in members.items() if (said := value(context)) is not None
        }
        if "id" not in found:
            return None
        if found.get("type", "unknown") not in ACTOR_TYPES:
            self.gaps.append(("actor type", found["type"]))
            found["type"] = "unknown"
        return {"type": "unknown", **found}

    def _unknown_actor(self) -> dict[str, Any]:
        self.gaps.append(("actor", "not given"))
        return {"id": "unknown", "type": "unknown"}

    def _targets(self, context: Context) -> list[dict[str, Any]]:
        targets: list[dict[str, Any]] = []
        for rule in self.map.targets:
            if rule.otherwise and targets:
                continue
            for inner in _each(rule.each, context):
                if rule.when is None or rule.when(inner):
                    found = {
                        name: _readable(as_text(said))
                        for name, value in rule.members.items()
                        if (said := value(inner)) is not None
                    }
                    if "id" in found and found not in targets:
                        targets.append({"type": "unknown", **found})
        if not targets:
            self.gaps.append(("target", "not given"))
            targets.append({"id": "unknown", "type": "unknown"})
        return targets

    def _scope(self, context: Context) -> str:
        said = self.map.scope(context)
        if said is None:
            self.gaps.append(("scope", "not given"))
        return join_scope(self.scope, as_text(said) if said is not None else self.map.name)

    def _moment(self, context: Context) -> str:
        said = [found for value in self.map.times if (found := value(context)) is not None]
        for found in said:
            for form in self.map.time_forms:
                if (moment := FORMS[form](found)) is not None:
                    return format_moment(moment)
        if said:
            raise UnmappableError(
                f"{visible(as_text(said[0])[:60])!r} is not a time in the forms {', '.join(self.map.time_forms)}"
            )
        raise UnmappableError(f"the record says no time where the map {self.map.name} looks for it")

    def _words(self, event: dict[str, Any], context: Context) -> None:
        for name, value, known in (
            ("outcome", self.map.outcome, OUTCOMES),
            ("severity", self.map.severity, SEVERITIES),
        ):
            said = value(context) if value else None
            if said is None:
                continue
            if said in known:
                event[name] = said
            else:
                self.gaps.append((name, as_text(said)))
                if name == "outcome":
                    event[name] = "unknown"

    def _changes(self, context: Context) -> list[dict[str, Any]]:
        changes = []
        for rule in self.map.changes:
            for inner in _each(rule.each, context):
                found = {name: said for name, value in rule.members.items() if (said := value(inner)) is not None}
                if "field" in found and len(found) > 1:
                    changes.append({**found, "field": _readable(as_text(found["field"]))})
        return changes

    def _settled(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the event with the vendor's record in raw, and with the numbers that must be text listed."""
        depth, key_chars = deepest(self.record)
        if depth >= _LIMITS.depth_max or key_chars > _LIMITS.key_chars_max:
            event["raw"] = self.data.decode()
        else:
            event["raw"] = self.record
        settled, changed = settle_numbers(event)
        if changed:
            settled["metadata"] = {**settled.get("metadata", {}), "numbers_as_text": changed}
        return dict(settled)


def _readable(text: str) -> str:
    """Return an identifier or name in which control and invisible characters stand by number; raw keeps the original."""
    return text if text.isprintable() else visible(text)


def _each(each: Value | None, context: Context) -> list[Context]:
    if each is None:
        return [context]
    items = each(context)
    if items is None:
        return []
    return [context.inner(item) for item in (items if isinstance(items, list) else [items])]
