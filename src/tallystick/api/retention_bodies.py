"""What requests about retention say, and the short answers to them."""

from __future__ import annotations

from typing import Annotated

import msgspec

_Reason = Annotated[str, msgspec.Meta(max_length=1000, description="Why; personal data, and kept out of the facts.")]
_Days = Annotated[int | None, msgspec.Meta(description="Days; null is for ever, of the personal part: as the rest.")]
_Regulations = Annotated[dict[str, int], msgspec.Meta(description='Regulations with their years: {"sox": 7}.')]


class NewClass(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A class to be made. A guarded one takes events of security and access too, and keeps a year at least."""

    name: str
    retention_days: _Days
    personal_days: _Days = None
    guarded: bool = True
    regulations: _Regulations = {}
    reason: _Reason = ""


class OtherTerms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a class is to keep its content from now on."""

    retention_days: _Days
    personal_days: _Days = None
    regulations: _Regulations = {}


class TermsChange(OtherTerms, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, asked for; what becomes shorter gives the digest of its simulation."""

    reason: _Reason
    simulation: str = ""


class NewRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sends events to a class; null is any. An action with a trailing .* takes all that begin so."""

    class_name: str
    action: str | None = None
    scope: str | None = None
    source: str | None = None


class NewRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All rules in order: the first that takes an event counts."""

    rules: list[NewRule]
    reason: _Reason


class NewHold(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A hold on what meets everything that it names, also on events that come while it lasts."""

    hold: str
    owner: Annotated[str, msgspec.Meta(max_length=128, description="Who answers for it, by id.")]
    reason: _Reason
    ranges: Annotated[list[tuple[int, int]] | None, msgspec.Meta(description="[first, size] of indexes.")] = None
    classes: list[str] | None = None
    sources: list[str] | None = None
    received_from: str | None = None
    received_to: str | None = None


class Approval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is approved: exactly what has this digest."""

    digest: str
    reason: _Reason = ""


class Because(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why."""

    reason: _Reason


class Person(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person by ids, addresses and names."""

    names: list[str]


class PersonErasureWish(Person, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, whose data are to be destroyed."""

    reason: _Reason


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """The request that somebody else decides about; null where it is in force already."""

    change: str | None


class ClassMade(msgspec.Struct, frozen=True, kw_only=True):
    """The number of a class, as it stands in entries."""

    number: int


class Ran(msgspec.Struct, frozen=True, kw_only=True):
    """What a run destroyed."""

    events: int
    erasures: int
    took_ms: int
