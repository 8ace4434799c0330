"""What changed between two versions of a policy, by path, and putting such changes into effect again."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tallystick.event.canonical import canonical_json
from tallystick.policies.model import Kind, Policy

FIELD_CHARS_MAX: Final = 1000
CHANGES_MAX: Final = 400
"""Beyond so many paths a change is told by the policy's own keys."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One path (an RFC 6901 pointer) with what stood there and what stands there now; None is nothing."""

    path: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """One policy that was created (`old` is None), changed, or deleted (`new` is None)."""

    old: Policy | None
    new: Policy | None
    supersedes: str | None = None

    @property
    def policy(self) -> Policy:
        one = self.new or self.old
        assert one is not None
        return one

    @property
    def action(self) -> str:
        verb = "deleted" if self.new is None else "created" if self.old is None else "updated"
        return f"security_policy.{verb}"


def compare(old: Mapping[tuple[Kind, str], Policy], new: Mapping[tuple[Kind, str], Policy]) -> list[Change]:
    """Return one change for each policy that differs. What was renamed stands as two, one after the other.

    A rename is a policy that went and one of the same kind that came with equal content; where several would fit, none
    is taken for a rename.
    """
    gone = [policy for key, policy in old.items() if key not in new]
    came = [policy for key, policy in new.items() if key not in old]
    renamed = _renames(gone, came)
    back = {key: was for was, key in renamed.items()}
    changes: list[Change] = []
    for policy in gone:
        to = renamed.get((policy.kind, policy.name))
        changes.append(Change(policy, None, None if to is None else to[1]))
        if to is not None:
            changes.append(Change(None, new[to], policy.name))
    changes += [
        Change(old[key], policy)
        for key, policy in new.items()
        if key in old and not same(old[key].content, policy.content)
    ]
    changes += [Change(None, policy) for policy in came if (policy.kind, policy.name) not in back]
    return changes


def same(one: Any, other: Any) -> bool:
    """Return whether two plain values are the same; true is not 1."""
    return canonical_json(one) == canonical_json(other)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[Difference, ...]:
    """Return what changed by path; `apply` of it to `old` gives `new`."""
    found = tuple(_walk(dict(old), dict(new), ""))
    if len(found) <= CHANGES_MAX and all(len(each.path) <= FIELD_CHARS_MAX for each in found):
        return found
    keys = sorted({*old, *new})
    return tuple(
        Difference(_below("", key), old.get(key), new.get(key))
        for key in keys
        if not _equal(old.get(key), new.get(key))
    )


def apply(old: Mapping[str, Any], changes: Iterable[Difference]) -> dict[str, Any]:
    """Return what `old` becomes."""
    made: dict[str, Any] = copy.deepcopy(dict(old))
    for change in changes:
        *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in change.path[1:].split("/")]
        place: Any = made
        for name in parents:
            place = place[int(name)] if isinstance(place, list) else place[name]
        if isinstance(place, list):
            place[int(last)] = change.new
        elif change.new is None:
            place.pop(last, None)
        else:
            place[last] = change.new
    return made


def _walk(old: Any, new: Any, path: str) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from _walk(old.get(key), new.get(key), _below(path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for position, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _walk(one, other, f"{path}/{position}")
    elif not _equal(old, new):
        yield Difference(path, old, new)


def _equal(old: Any, new: Any) -> bool:
    if old is None or new is None:
        return old is new
    return same(old, new)


def _below(path: str, key: str) -> str:
    return f"{path}/{key.replace('~', '~0').replace('/', '~1')}"


def _renames(gone: list[Policy], came: list[Policy]) -> dict[tuple[Kind, str], tuple[Kind, str]]:
    """Return which policy that came has the whole content of one that went, where only one of each has it."""
    left, right = _by_content(gone), _by_content(came)
    return {
        names[0]: right[content][0]
        for content, names in left.items()
        if len(names) == 1 and len(right.get(content, ())) == 1
    }


def _by_content(policies: list[Policy]) -> dict[bytes, list[tuple[Kind, str]]]:
    found: dict[bytes, list[tuple[Kind, str]]] = {}
    for policy in policies:
        rest = {key: value for key, value in policy.content.items() if key != "name"}
        key = policy.kind.encode() + b"\0" + canonical_json(rest)
        found.setdefault(key, []).append((policy.kind, policy.name))
    return found
