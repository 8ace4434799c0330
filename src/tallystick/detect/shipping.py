"""The rules that the program brings: each is put on record when it is new, and when the program brings another text.

They are in force without an approval inside the organisation: whoever installs the program, or a newer one, takes its
rules as it takes its code. Each can be disabled, retired, or replaced by a version of one's own, which then stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.acts import OWN_SCOPE
from tallystick.detect import events
from tallystick.detect.model import About, State, digest_of
from tallystick.detect.rows import find_rule, load_lists, load_versions
from tallystick.detect.rulefile import parse_rule
from tallystick.event.occurred import time_of_us
from tallystick.follow.commands import Commands

PROGRAM: Final = "tallystick"
LISTS: Final[Mapping[str, str]] = {
    "malicious_domains": "Domains that no host of ours has reason to look up.",
    "malicious_addresses": "Addresses that no host of ours has reason to send to.",
}
"""Lists that the pack names, empty until somebody fills them."""
Events = Sequence[Mapping[str, Any]]


def pack() -> dict[str, bytes]:
    """Return the texts of the rules that the program brings, by their ids."""
    folder = files("tallystick.detect").joinpath("pack")
    found = {each.name.removesuffix(".yaml"): each for each in folder.iterdir() if each.name.endswith(".yaml")}
    return {rule: found[rule].read_bytes() for rule in sorted(found)}


def ship(commands: Commands, now_us: Callable[[], int]) -> None:
    """Put on record what the program brings and the log does not have yet; mostly nothing."""

    def decide(connection: Connection) -> Events:
        known = {each.name for each in load_lists(connection)}
        made = [_list(name, said, now_us()) for name, said in LISTS.items() if name not in known]
        return [*made, *_rules(connection, now_us)]

    commands.run(decide)


def _rules(connection: Connection, now_us: Callable[[], int]) -> list[Mapping[str, Any]]:
    made: list[Mapping[str, Any]] = []
    for rule_id, text in pack().items():
        rule, digest = find_rule(connection, rule_id), digest_of(text)
        number = 1
        if rule is not None:
            brought = [each for each in load_versions(connection, rule_id) if each.drafted_by == PROGRAM]
            if rule.state is State.RETIRED or any(each.digest == digest for each in brought[:1]):
                continue
            number = rule.newest.number + 1
        made.append(events.shipped(rule_id, number, digest, text.decode(), _about(text), now_us()))
    return made


@cache
def _about(text: bytes) -> About:
    return parse_rule(text).about


def _list(name: str, description: str, now_us: int) -> dict[str, Any]:
    return {
        "action": events.LIST_CREATED,
        "actor": {"id": PROGRAM, "type": "system"},
        "target": {"type": "indicator-list", "id": name},
        "scope": OWN_SCOPE,
        "occurred_at": time_of_us(now_us),
        "metadata": {"list": name},
        "changes": [{"field": "description", "old": None, "new": description}],
    }
