"""What requests about policies bring, and what their answers say."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from tallystick.api.policy_views import ChangeView
from tallystick.policies.model import DEFAULT_PATH

_Reason = Annotated[str, msgspec.Meta(max_length=1000, description="Why; personal data, and kept out of the facts.")]
_Governed = Annotated[list[str], msgspec.Meta(description="Scopes with all below them; / is everything.")]
_Text = Annotated[str, msgspec.Meta(description="The whole policy.yml.")]
_BasedOn = Annotated[
    str | None, msgspec.Meta(description="The digest of the version that was edited; null for the first one.")
]


class NewProject(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy project to be registered."""

    title: str
    scope: Annotated[str, msgspec.Meta(description="Who owns it: a path such as acme/security.")]
    governed: _Governed
    kept: Literal["git", "here"] = "git"
    repository: Annotated[str, msgspec.Meta(description="A path, https://, ssh://, or USER@HOST:PATH.")] = ""
    branch: str = "main"
    path: str = DEFAULT_PATH
    approval: Annotated[bool, msgspec.Meta(description="Kept here: somebody else has to approve each change.")] = False
    signers: Annotated[str, msgspec.Meta(description="OpenSSH allowed signers: ADDRESS KIND KEY, one a line.")] = ""
    keys: Annotated[str, msgspec.Meta(description="OpenPGP public keys in ASCII armour.")] = ""


class ProjectChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings that are to be different; a member that is left out stays as it is."""

    title: str | None = None
    scope: str | None = None
    governed: _Governed | None = None
    repository: str | None = None
    branch: str | None = None
    path: str | None = None
    approval: bool | None = None
    signers: str | None = None
    keys: str | None = None


class NewVersion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version of policies that are kept here, and which one it was made from."""

    text: _Text
    based_on: _BasedOn = None


class NewProposal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A version for somebody else to decide about."""

    text: _Text
    based_on: _BasedOn = None
    reason: _Reason


class Approval(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is approved: exactly the text with this digest."""

    digest: str
    reason: _Reason = ""


class Because(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why something is declined."""

    reason: _Reason


class Push(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who pushed which commit, as the forge tells it; both or neither."""

    pusher: str = ""
    commit: str = ""


class TextToCheck(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A text that nobody keeps."""

    text: _Text


class ProjectMade(msgspec.Struct, frozen=True, kw_only=True):
    """Which project it is."""

    project: str


class ProposalMade(msgspec.Struct, frozen=True, kw_only=True):
    """Which proposal it is, and where it stands."""

    proposal: str
    state: str


class InForce(msgspec.Struct, frozen=True, kw_only=True):
    """What a version changed, and the digest to make the next edit from."""

    digest: str | None
    changes: list[ChangeView]
