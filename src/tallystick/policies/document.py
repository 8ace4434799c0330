"""From the text of `policy.yml` to policies by kind and name, or to the place where it is wrong."""

from __future__ import annotations

from typing import Any, Final

from tallystick.event.canonical import canonical_json
from tallystick.event.located_yaml import LocatedYaml, YamlTextError, parse_yaml
from tallystick.policies.errors import PolicyTextError
from tallystick.policies.keys import ARRAYS, RESERVED_NAMES, ROOT
from tallystick.policies.model import Kind, Policy
from tallystick.policies.shape import refuse

FILE: Final = "policy.yml"
POLICY_BYTES_MAX: Final = 48_000
"""Of one policy as canonical JSON: an event holds its old and its new form."""
Policies = dict[tuple[Kind, str], Policy]


def parse_policies(data: bytes) -> Policies:
    """Return the policies of a text, in its order. Raises PolicyTextError with line and column."""
    try:
        text = parse_yaml(data, FILE)
    except YamlTextError as error:
        message = error.message.partition(": ")[2] or error.message
        raise PolicyTextError(message, line=error.line, column=error.column) from error
    ROOT.check(text.value, (), text)
    policies: Policies = {}
    for array, entries in text.value.items():
        kind = ARRAYS.get(array)
        for position, content in enumerate(entries if kind is not None else ()):
            assert kind is not None
            policy = _policy(kind, content, (array, position), text)
            if (kind, policy.name) in policies:
                at = (array, position, "name")
                raise refuse(f"the name {policy.name!r} is there twice among the {kind} policies", at, text)
            policies[kind, policy.name] = policy
    return policies


def _policy(kind: Kind, content: dict[str, Any], at: tuple[str | int, ...], text: LocatedYaml) -> Policy:
    name = content["name"]
    if kind is Kind.APPROVAL and name in RESERVED_NAMES:
        raise refuse(f"the name {name!r} is reserved", (*at, "name"), text)
    size = len(canonical_json(content))
    if size > POLICY_BYTES_MAX:
        raise refuse(f"the policy has {size} bytes as JSON; at most {POLICY_BYTES_MAX} are accepted", at, text)
    return Policy(kind, name, content)
