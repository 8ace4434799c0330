"""Policy projects, policies, and what changed: frozen values."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

DEFAULT_PATH: Final = ".gitlab/security-policies/policy.yml"
Kept = Literal["git", "here"]
Basis = Literal["commit", "ends", "here"]


class Kind(enum.StrEnum):
    """The kinds of policies, as events name them."""

    SCAN_EXECUTION = "scan_execution"
    APPROVAL = "approval"
    PIPELINE_EXECUTION = "pipeline_execution"
    VULNERABILITY_MANAGEMENT = "vulnerability_management"


class State(enum.StrEnum):
    """How a policy project stands with where it is kept."""

    WAITING = "waiting"
    IN_STEP = "in-step"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    RETIRED = "retired"


class Sight(enum.StrEnum):
    """How much of a policy project somebody sees: all of it, or what governs scopes of hers."""

    WHOLE = "whole"
    GOVERNED = "governed"


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy of a document; `content` is plain JSON without nulls, `name` among it."""

    kind: Kind
    name: str
    content: Mapping[str, Any]

    @property
    def enabled(self) -> bool:
        return bool(self.content.get("enabled", True))


def policy_id(project: str, kind: Kind, name: str) -> str:
    """Return the id of a policy: the same for the same kind and name in a project, always."""
    return "sp-" + hashlib.sha256(f"{project}\n{kind}\n{name}".encode()).hexdigest()[:20]


def digest_of(text: bytes) -> str:
    """Return the SHA-256 of a text, in hexadecimal."""
    return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What is told of a policy project. The empty scope among `governed` is everything.

    `repository`, `branch`, `path`, `signers` and `keys` are of those kept in Git: `signers` are lines as OpenSSH's
    allowed-signers file has them, `keys` OpenPGP public keys in ASCII armour. `approval` is of those kept here.
    """

    title: str
    scope: str
    governed: tuple[str, ...]
    kept: Kept
    repository: str = ""
    branch: str = ""
    path: str = DEFAULT_PATH
    approval: bool = False
    signers: str = ""
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The newest version that could not be accepted. `message` is None once erased; times in microseconds."""

    at: int
    index: int
    digest: str
    commit: str | None
    line: int | None
    column: int | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Project:
    """A policy project as it stands. `text` is None where it is kept in Git, or was erased.

    `reason` is a stable word for why it is unreachable.
    """

    project: str
    settings: ProjectSettings
    state: State
    reason: str | None
    registered_at: int
    registered_index: int
    changed_index: int
    synced_commit: str | None
    synced_at: int | None
    synced_index: int | None
    digest: str | None
    text: str | None
    rejected: Rejected | None
    policies: int = 0
    sight: Sight = Sight.WHOLE


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """A policy as it stands, with the events that made it and changed it last. `affected` is what the reader may see."""

    policy: str
    kind: Kind
    name: str
    enabled: bool
    content: Mapping[str, Any]
    created_index: int
    changed_index: int
    changed_at: int
    project: str = ""
    title: str = ""
    affected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a policy project. `affected` holds only scopes that the reader may see.

    Who is told by name, and `reason`, are None where they were erased or are not for the reader.
    """

    index: int
    at: int
    action: str
    project: str
    policy: str | None
    kind: str | None
    name: str | None
    scope: str | None
    actor_id: str | None
    actor_type: str
    actor_name: str | None
    reason: str | None
    facts: Mapping[str, Any]
    personal: Mapping[str, Any]
    changes: tuple[Mapping[str, Any], ...]
    affected_before: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A version that waits for somebody else, or waited. `text` and the reasons are None once erased."""

    proposal: str
    project: str
    digest: str
    based_on: str | None
    state: str
    text: str | None
    reason: str | None
    proposed_by: str
    proposed_at: int
    proposed_index: int
    decided_by: str | None = None
    decided_at: int | None = None
    decided_index: int | None = None
    decision_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Who a commit says wrote or committed it, and when (microseconds); `at` is None where the time cannot be."""

    name: str
    email: str
    at: int | None

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True)
class Signature:
    """What checking a commit's signature gave. `signer` is who the configured keys say signed, when it is good."""

    status: Literal["good", "none", "unknown", "bad"]
    kind: Literal["ssh", "gpg", ""] = ""
    signer: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit as it was read."""

    id: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    signature: Signature

    @property
    def author_verified(self) -> bool:
        return self._is_signer(self.author)

    @property
    def committer_verified(self) -> bool:
        return self._is_signer(self.committer)

    def _is_signer(self, person: Person) -> bool:
        signer = self.signature.signer
        return self.signature.status == "good" and bool(person.email) and signer == person.email.casefold()


@dataclass(frozen=True, slots=True)
class Pusher:
    """Who pushed a commit, and the id of the caller who said so."""

    name: str
    commit: str
    told_by: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of the policies of a project in Git, and where it comes from.

    `policies` is None where the text is not acceptable, and `problem` says why. With the basis `commit`, `by` made the
    whole difference to the version before; with `ends`, several commits or a rewritten history lie between, and nobody
    is named. `merged` are commits that a merge brought along. `was` is the commit that a rewritten history left behind.
    """

    digest: str
    basis: Basis
    commit: str
    by: Commit | None = None
    merged: tuple[str, ...] = ()
    was: str | None = None
    policies: Mapping[tuple[Kind, str], Policy] | None = None
    problem: Mapping[str, Any] = field(default_factory=dict)
