"""The reference page of the keys that `policy.yml` may hold, made from the very description that checks it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tallystick.event.located_yaml import DEPTH_MAX, YAML_BYTES_MAX
from tallystick.policies.document import POLICY_BYTES_MAX
from tallystick.policies.keys import ARRAYS, POLICIES_MAX, POLICY_KEYS, RESERVED_NAMES
from tallystick.policies.model import DEFAULT_PATH
from tallystick.policies.shape import Either, Keys, ListOf, Shape

_HEAD: Final = f"""# Keys of security policies

Made from the code by `tools/write_reference.py`. A policy project keeps one file, `{DEFAULT_PATH}` unless it says
otherwise, in the form that GitLab publishes for `policy.yml`. What stands below is all that is accepted: any other key, a
name that stands twice in one kind, and text that is not YAML as it is read here are refused with line and column, and
recorded as `security_policy.rejected`. `tallystick policies check FILE` says so before anything is pushed.

- One document of UTF-8 text, at most {YAML_BYTES_MAX:,} bytes, nested at most {DEPTH_MAX} deep. Anchors, aliases, tags, merge
  keys, repeated keys and dates without quotes are refused.
- At most {POLICIES_MAX:,} policies of each kind, and {POLICY_BYTES_MAX:,} bytes as JSON for each policy.
- Every policy has a `name` (1 to 255 characters, unique in its kind). Reserved for others: {", ".join(sorted(RESERVED_NAMES))}.
- `policy_scope` narrows what a policy governs where it names paths, such as `id: acme/web`. Numbers and compliance frameworks
  are known to the forge alone: they are kept and compared, and narrow nothing here.

| at the top | kind in events |
|---|---|
"""


def render_policy_keys() -> str:
    """Return the page."""
    lines = [f"| `{array}` | `{kind}` |" for array, kind in ARRAYS.items()]
    lines.append("| `experiments` | none; kept out of the register |")
    parts = [_HEAD + "\n".join(lines)]
    for kind, shape in POLICY_KEYS.items():
        arrays = ", ".join(f"`{array}`" for array, each in ARRAYS.items() if each is kind)
        rows = "\n".join(_rows(shape, ""))
        notes = "".join(f"\n{note}" for note in _notes(shape, "a policy"))
        parts.append(f"## {arrays}\n\n| key | required | what is accepted |\n|---|---|---|\n{rows}\n{notes}".rstrip())
    return "\n\n".join(parts) + "\n"


def _rows(shape: Keys, prefix: str) -> Iterator[str]:
    for key, inner in shape.known.items():
        required = "yes" if key in shape.required else ""
        yield f"| `{prefix}{key}` | {required} | {inner.describe().replace('|', chr(92) + '|')} |"
        for below, mark in _keys_below(inner):
            yield from _rows(below, f"{prefix}{key}{mark}.")


def _notes(shape: Keys, where: str) -> Iterator[str]:
    for group in shape.one_of:
        yield f"- Of {_listed(group)} at least one stands in {where}."
    for one, other in shape.never_both:
        yield f"- `{one}` and `{other}` exclude each other in {where}."
    for key, inner in shape.known.items():
        for below, mark in _keys_below(inner):
            yield from _notes(below, f"`{key}{mark}`")


def _keys_below(shape: Shape) -> Iterator[tuple[Keys, str]]:
    """Yield the mappings that a value may be made of, each with what its path is marked by."""
    if isinstance(shape, Keys):
        yield shape, ""
    elif isinstance(shape, ListOf):
        for below, mark in _keys_below(shape.each):
            yield below, f"[]{mark}"
    elif isinstance(shape, Either):
        for each in shape.shapes.values():
            yield from _keys_below(each)


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)
