"""The event as it comes over the wire, typed so tightly that whatever decodes needs little further checking.

These structs are private to admission and mutable on purpose: splitting an event sets its personal members to
UNSET, and what remains is encoded as the facts. Nobody else sees them. Members stand in alphabetical order,
which together with `order="deterministic"` is the canonical order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Generic, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tallystick.event.canonical import SAFE_INTEGER_MAX
from tallystick.event.identifier import IDENTIFIER_CHARS_MAX

KEY_CHARS_MAX: Final = 256
"""The longest member name that decodes here; `Limits` may allow longer ones, which take the slow path."""
DEPTH_MAX: Final = 8
"""The deepest nesting that decodes here: event, changes, change, and five levels of free JSON."""

ActorTypeName = Literal["user", "service", "system", "anonymous", "deleted", "unknown"]
OutcomeName = Literal["success", "failure", "denied", "unknown"]
SeverityName = Literal["informational", "low", "medium", "high", "critical"]

Identifier = Annotated[str, Meta(min_length=1, max_length=IDENTIFIER_CHARS_MAX)]
_Key = Annotated[str, Meta(max_length=KEY_CHARS_MAX)]

if TYPE_CHECKING:
    WholeJson = Any  # code does not look into free JSON
    FractionalJson = Any
else:

    def _free(plain: Any) -> Any:
        """Return free JSON over `plain`. Unions cannot refer to themselves, so the levels are spelled out."""
        free = plain
        for _ in range(5):
            free = plain | list[free] | dict[_Key, free]
        return free

    # Numbers are bounded as canonical JSON asks.
    _Whole = str | Annotated[int, Meta(ge=-SAFE_INTEGER_MAX, le=SAFE_INTEGER_MAX)] | bool | None
    _Fraction = Annotated[float, Meta(gt=-(2.0**53), lt=2.0**53)]
    WholeJson = _free(_Whole)
    FractionalJson = _free(_Whole | _Fraction)

FreeT = TypeVar("FreeT")
"""WholeJson, whose encoding is canonical as it is, or FractionalJson, whose numbers still need the canonical layout."""


class WireActor(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    email: str | UnsetType = UNSET
    id: Identifier | UnsetType = UNSET
    name: str | UnsetType = UNSET
    type: ActorTypeName


class WireTarget(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    id: Identifier
    name: str | UnsetType = UNSET
    type: Identifier


class KeyedParty(msgspec.Struct, kw_only=True, gc=False):
    """What stands in the facts for an actor or target whose id is personal.

    It takes the place of a WireActor or WireTarget after decoding and is not in their types, so none can be sent.
    """

    email: str | UnsetType = UNSET
    key: str
    name: str | UnsetType = UNSET
    type: str


class WireChange(msgspec.Struct, Generic[FreeT], kw_only=True, forbid_unknown_fields=True, gc=False):
    field: Identifier
    new: FreeT | UnsetType = UNSET
    old: FreeT | UnsetType = UNSET


class WireSequence(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    number: Annotated[int, Meta(ge=0, le=SAFE_INTEGER_MAX)]
    stream: Identifier


class WireEvent(msgspec.Struct, Generic[FreeT], kw_only=True, forbid_unknown_fields=True, gc=False):
    action: str
    actor: WireActor
    changes: list[WireChange[FreeT]] | UnsetType = UNSET
    context: dict[_Key, FreeT] | UnsetType = UNSET
    id: str | UnsetType = UNSET
    message: str | UnsetType = UNSET
    metadata: dict[_Key, FreeT] | UnsetType = UNSET
    occurred_at: str
    on_behalf_of: WireActor | UnsetType = UNSET
    outcome: OutcomeName | UnsetType = UNSET
    raw: str | dict[_Key, FreeT] | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    scope: str
    sequence: WireSequence | UnsetType = UNSET
    severity: SeverityName | UnsetType = UNSET
    target: WireTarget | UnsetType = UNSET
    targets: list[WireTarget] | UnsetType = UNSET


AnyEvent = WireEvent[Any]


def from_fields(fields: dict[str, Any]) -> AnyEvent:
    """Return validated fields as a wire event; values of free JSON are taken as they are, fractions included."""
    members = dict(fields)
    for name, kind in (("actor", WireActor), ("on_behalf_of", WireActor), ("target", WireTarget)):
        if name in members:
            members[name] = kind(**members[name])
    if "targets" in members:
        members["targets"] = [WireTarget(**target) for target in members["targets"]]
    if "changes" in members:
        members["changes"] = [WireChange(**change) for change in members["changes"]]
    if "sequence" in members:
        members["sequence"] = WireSequence(**members["sequence"])
    return WireEvent(**members)
