"""What requests about releases bring, and what their answers say."""

from __future__ import annotations

from typing import Annotated

import msgspec

_CreateMilestones = Annotated[bool, msgspec.Meta(description="Make the milestones that the scope does not know yet.")]


class NewRelease(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A release to be made. Everything but the description is a fact that stays in the log."""

    scope: Annotated[str, msgspec.Meta(description="A path such as acme/payments.")]
    tag: str
    name: str
    description: str = ""
    commit: Annotated[str | None, msgspec.Meta(description="7 to 64 hexadecimal digits.")] = None
    milestones: list[str] = []
    create_milestones: _CreateMilestones = False


class ReleaseEdit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be different; a member that is left out stays as it is."""

    name: str | None = None
    description: str | None = None
    milestones: list[str] | None = None
    create_milestones: _CreateMilestones = False


class NewLink(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A link to a file that is kept elsewhere; it is shown, never fetched."""

    name: str
    url: Annotated[str, msgspec.Meta(description="Begins with https://.")]


class NewMilestone(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A milestone for a scope and those below it."""

    scope: str
    title: str


class MilestonesView(msgspec.Struct, frozen=True, kw_only=True):
    """The milestones that releases in a scope can be tied to."""

    scope: str
    milestones: list[str]


class EvidenceTaken(msgspec.Struct, frozen=True, kw_only=True):
    """Evidence that was taken just now."""

    sha256: str
