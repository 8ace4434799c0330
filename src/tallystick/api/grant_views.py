"""Roles, grants and holders as answers and pages show them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from tallystick.access.grants.model import Grant, Holder, Step
from tallystick.access.grants.service import GrantService
from tallystick.access.permissions import PERMISSIONS
from tallystick.access.roles import RoleType
from tallystick.event.occurred import time_of_us


class PermissionView(msgspec.Struct, frozen=True, kw_only=True):
    """A permission, what it allows, and which others come with it."""

    name: str
    description: str
    requires: list[str]


class RoleView(msgspec.Struct, frozen=True, kw_only=True):
    """A role with every permission it has."""

    name: str
    title: str
    description: str
    permissions: list[str]
    built_in: bool


class RolesView(msgspec.Struct, frozen=True, kw_only=True):
    """The roles that can be asked for, and every permission there is."""

    roles: list[RoleView]
    permissions: list[PermissionView]


class WhoView(msgspec.Struct, frozen=True, kw_only=True):
    """A person, a group, or the operator. The id stands for a name that is not known."""

    id: str
    name: str


class SubjectView(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets the access: a person or a group."""

    kind: str
    id: str
    name: str


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One event in the life of a grant; `index` is its place in the log."""

    index: int
    at: str
    step: str
    by: WhoView
    via: str | None
    reason: str | None


class GrantView(msgspec.Struct, frozen=True, kw_only=True):
    """A grant or the request for one. `authority` names the grants by which it was approved."""

    grant: str
    state: str
    ground: str
    subject: SubjectView
    role: str
    scope: str
    permissions: list[str]
    until: str | None
    reason: str | None
    digest: str
    extends: str | None
    requested_by: WhoView
    requested_at: str
    requested_index: int
    decided_by: WhoView | None
    decided_at: str | None
    decided_index: int | None
    authority: list[str]
    steps: list[StepView]


class GrantsView(msgspec.Struct, frozen=True, kw_only=True):
    """The grants that the caller may see, the newest request first; their steps are left out."""

    grants: list[GrantView]


class HolderView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who could, and the grant or token that explains it. `whole` is false for a part of the scope only."""

    who: WhoView
    kind: str
    ground: str
    role: str | None
    scope: str
    grant: str | None
    group: str | None
    token: str | None
    since: str
    since_index: int
    until: str | None
    whole: bool


class HoldersView(msgspec.Struct, frozen=True, kw_only=True):
    """Who could do something at a time."""

    permission: str
    scope: str
    at: str
    holders: list[HolderView]


def roles_view(roles: Iterable[RoleType]) -> RolesView:
    """Return roles with the list of permissions."""
    permissions = [
        PermissionView(name=name.value, description=each.description, requires=sorted(each.requires))
        for name, each in PERMISSIONS.items()
    ]
    return RolesView(roles=[role_view(role) for role in roles], permissions=permissions)


def role_view(role: RoleType) -> RoleView:
    """Return one role."""
    return RoleView(
        name=role.name,
        title=role.title,
        description=role.description,
        permissions=sorted(role.permissions),
        built_in=role.built_in,
    )


def grant_views(grants: Iterable[Grant], service: GrantService, now_us: int) -> list[GrantView]:
    """Return grants with the names of everybody in them."""
    found = list(grants)
    people = {person for grant in found for person in _people_of(grant)}
    names = service.names(people)
    return [_grant_view(grant, names, now_us) for grant in found]


def holder_view(holder: Holder) -> HolderView:
    """Return one way in which somebody could."""
    return HolderView(
        who=WhoView(id=holder.person or holder.name, name=holder.name),
        kind="person" if holder.person else "service",
        ground=holder.ground,
        role=holder.role,
        scope=holder.scope or "/",
        grant=holder.grant,
        group=holder.group,
        token=holder.token,
        since=time_of_us(holder.since),
        since_index=holder.since_index,
        until=_time(holder.until),
        whole=holder.whole,
    )


def _people_of(grant: Grant) -> set[str]:
    return {grant.subject.id, grant.requester, *(step.actor for step in grant.steps), grant.decided_by or ""}


def _grant_view(grant: Grant, names: Mapping[str, str], now_us: int) -> GrantView:
    subject = grant.subject
    return GrantView(
        grant=grant.id,
        state=grant.state(now_us).value,
        ground=grant.ground.value,
        subject=SubjectView(
            kind=subject.kind,
            id=subject.id,
            name=_who(subject.id, names).name if subject.kind == "person" else subject.id,
        ),
        role=grant.terms.role,
        scope=grant.scope or "/",
        permissions=sorted(grant.terms.permissions),
        until=_time(grant.terms.until_us),
        reason=grant.reason,
        digest=grant.terms.digest,
        extends=grant.terms.extends,
        requested_by=_who(grant.requester, names),
        requested_at=time_of_us(grant.requested_at),
        requested_index=grant.requested_index,
        decided_by=None if grant.decided_by is None else _who(grant.decided_by, names),
        decided_at=_time(grant.decided_at),
        decided_index=grant.decided_index,
        authority=list(grant.authority),
        steps=[_step_view(step, names) for step in grant.steps],
    )


def _step_view(step: Step, names: Mapping[str, str]) -> StepView:
    return StepView(
        index=step.index,
        at=time_of_us(step.at),
        step=step.step,
        by=_who(step.actor, names),
        via=step.via,
        reason=step.reason,
    )


def _who(person: str, names: Mapping[str, str]) -> WhoView:
    return WhoView(id=person, name=names.get(person, person))


def _time(at_us: int | None) -> str | None:
    return None if at_us is None else time_of_us(at_us)
