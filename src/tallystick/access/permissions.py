"""The permissions: small, named, tied to a scope path wherever they are granted, and inherited downwards.

Each one is checked somewhere; `requires` is closed over when a role is defined, and shown to who defines it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final


class Permission(enum.StrEnum):
    """What somebody may do, within the scopes for which it is granted."""

    EVENTS_RECORD = "events.record"
    EVENTS_READ_OWN = "events.read_own"
    EVENTS_READ = "events.read"
    EVENTS_READ_PERSONAL = "events.read_personal"
    EVENTS_EXPORT = "events.export"
    READING_READ = "reading.read"
    PROOFS_READ = "proofs.read"
    LOG_READ = "log.read"
    VIEWS_SHARE = "views.share"
    EXPORTS_MANAGE = "exports.manage"
    SOURCES_READ = "sources.read"
    SOURCES_MANAGE = "sources.manage"
    TOKENS_CREATE_OWN = "tokens.create_own"
    TOKENS_MANAGE = "tokens.manage"
    CATALOGUE_READ = "catalogue.read"
    CATALOGUE_MANAGE = "catalogue.manage"
    ACCESS_READ = "access.read"
    PEOPLE_MANAGE = "people.manage"
    ROLES_MANAGE = "roles.manage"
    GRANTS_REQUEST = "grants.request"
    GRANTS_APPROVE = "grants.approve"
    GRANTS_REVOKE = "grants.revoke"
    GRANTS_BREAK_GLASS = "grants.break_glass"
    REVIEWS_READ = "reviews.read"
    REVIEWS_SIGN = "reviews.sign"
    SETTINGS_READ = "settings.read"
    SETTINGS_MANAGE = "settings.manage"
    HEALTH_READ = "health.read"
    RELEASES_READ = "releases.read"
    RELEASES_MANAGE = "releases.manage"
    POLICIES_READ = "policies.read"
    POLICIES_MANAGE = "policies.manage"
    POLICIES_APPROVE = "policies.approve"
    STREAMS_READ = "streams.read"
    STREAMS_MANAGE = "streams.manage"
    SYSTEMS_READ = "systems.read"
    SYSTEMS_MANAGE = "systems.manage"
    SYSTEMS_APPROVE = "systems.approve"
    EXCEPTIONS_READ = "exceptions.read"
    EXCEPTIONS_REQUEST = "exceptions.request"
    EXCEPTIONS_APPROVE = "exceptions.approve"
    RETENTION_READ = "retention.read"
    RETENTION_MANAGE = "retention.manage"
    RETENTION_APPROVE = "retention.approve"
    RULES_READ = "rules.read"
    RULES_MANAGE = "rules.manage"
    RULES_APPROVE = "rules.approve"
    ALERTS_READ = "alerts.read"
    ALERTS_HANDLE = "alerts.handle"
    ALERTS_ROUTE = "alerts.route"


P = Permission


@dataclass(frozen=True, slots=True)
class PermissionType:
    """What a permission allows, in a sentence, and which others it makes no sense without."""

    description: str
    requires: tuple[Permission, ...] = ()


PERMISSIONS: Final[Mapping[Permission, PermissionType]] = {
    P.EVENTS_RECORD: PermissionType("Send events."),
    P.EVENTS_READ_OWN: PermissionType("Read the events in which one is the actor oneself, with their personal part."),
    P.EVENTS_READ: PermissionType("Search and read the facts of events."),
    P.EVENTS_READ_PERSONAL: PermissionType(
        "See and search the personal part of events: names, addresses, messages, changed values, the vendor's event.",
        (P.EVENTS_READ,),
    ),
    P.EVENTS_EXPORT: PermissionType("Export events to files.", (P.EVENTS_READ,)),
    P.READING_READ: PermissionType("See who read what: the events that record reading.", (P.EVENTS_READ,)),
    P.PROOFS_READ: PermissionType("Download the proof of an event.", (P.EVENTS_READ,)),
    P.LOG_READ: PermissionType("See the log itself: checkpoints, witnesses, segments, self-checks and erasures."),
    P.VIEWS_SHARE: PermissionType("Save views for everybody in a scope.", (P.EVENTS_READ,)),
    P.EXPORTS_MANAGE: PermissionType("See and delete the exports of others.", (P.EVENTS_EXPORT,)),
    P.SOURCES_READ: PermissionType("See the registered senders and how they do."),
    P.SOURCES_MANAGE: PermissionType(
        "Register, change and retire senders, and rotate their tokens.", (P.SOURCES_READ,)
    ),
    P.TOKENS_CREATE_OWN: PermissionType("Make tokens for oneself, which never exceed one's own permissions."),
    P.TOKENS_MANAGE: PermissionType("See and revoke everybody's tokens, and make tokens for services."),
    P.CATALOGUE_READ: PermissionType("Read the catalogue of actions."),
    P.CATALOGUE_MANAGE: PermissionType("Extend and change the catalogue of actions.", (P.CATALOGUE_READ,)),
    P.ACCESS_READ: PermissionType("See people, roles and grants, and who could read what at a time."),
    P.PEOPLE_MANAGE: PermissionType(
        "Invite, change, disable and enable people, and end their sessions.", (P.ACCESS_READ,)
    ),
    P.ROLES_MANAGE: PermissionType("Define, change and retire roles.", (P.ACCESS_READ,)),
    P.GRANTS_REQUEST: PermissionType("Ask for access, for oneself or another."),
    P.GRANTS_APPROVE: PermissionType(
        "Decide what others asked for; never what one asked for or gets oneself.", (P.ACCESS_READ,)
    ),
    P.GRANTS_REVOKE: PermissionType("End a grant before its time.", (P.ACCESS_READ,)),
    P.GRANTS_BREAK_GLASS: PermissionType(
        "Take access in an emergency, for a short time, with a reason, loudly.", requires=(P.GRANTS_REQUEST,)
    ),
    P.REVIEWS_READ: PermissionType("Read reviews of the log."),
    P.REVIEWS_SIGN: PermissionType("Sign off reviews of the log.", (P.REVIEWS_READ,)),
    P.SETTINGS_READ: PermissionType("See the settings of the installation."),
    P.SETTINGS_MANAGE: PermissionType("Change the settings of the installation.", (P.SETTINGS_READ,)),
    P.RELEASES_READ: PermissionType("See releases with their history and evidence, and download their assets."),
    P.RELEASES_MANAGE: PermissionType(
        "Create, edit and delete releases, their milestones, assets and evidence.", (P.RELEASES_READ,)
    ),
    P.POLICIES_READ: PermissionType("See security-policy projects, their policies and what they govern."),
    P.POLICIES_MANAGE: PermissionType("Register policy projects and propose changes of policies.", (P.POLICIES_READ,)),
    P.POLICIES_APPROVE: PermissionType(
        "Put policy changes that others proposed in force; never one's own.", (P.POLICIES_READ,)
    ),
    P.STREAMS_READ: PermissionType("See where events are streamed to, and how far."),
    P.STREAMS_MANAGE: PermissionType("Add, change, pause and remove destinations, and replay.", (P.STREAMS_READ,)),
    P.SYSTEMS_READ: PermissionType(
        "See the register of systems, what their owners declared critical, and whether it arrives."
    ),
    P.SYSTEMS_MANAGE: PermissionType("Register and change systems, and propose declarations.", (P.SYSTEMS_READ,)),
    P.SYSTEMS_APPROVE: PermissionType("Approve declarations that others proposed; never one's own.", (P.SYSTEMS_READ,)),
    P.EXCEPTIONS_READ: PermissionType("See the register of exceptions with its history."),
    P.EXCEPTIONS_REQUEST: PermissionType("Ask for an exception, and for its extension.", (P.EXCEPTIONS_READ,)),
    P.EXCEPTIONS_APPROVE: PermissionType(
        "Decide about exceptions that others asked for, and end them; never one's own.", (P.EXCEPTIONS_READ,)
    ),
    P.RETENTION_READ: PermissionType("See retention classes, holds, erasures, and what the next run would do."),
    P.RETENTION_MANAGE: PermissionType(
        "Define classes, assign events to them, place holds, and ask for changes and erasures.", (P.RETENTION_READ,)
    ),
    P.RETENTION_APPROVE: PermissionType(
        "Decide about shorter retention, erasures and the end of holds that others asked for; never one's own.",
        (P.RETENTION_READ,),
    ),
    P.RULES_READ: PermissionType("See detection rules with their tests, versions and health."),
    P.RULES_MANAGE: PermissionType(
        "Write, import, test and retire detection rules, and keep lists of indicators.", (P.RULES_READ,)
    ),
    P.RULES_APPROVE: PermissionType("Approve detection rules that others wrote; never one's own.", (P.RULES_READ,)),
    P.ALERTS_READ: PermissionType("See alerts with their history; personal data only with the right to it."),
    P.ALERTS_HANDLE: PermissionType(
        "Acknowledge, assign, comment and close alerts, and link events to them.", (P.ALERTS_READ,)
    ),
    P.ALERTS_ROUTE: PermissionType("Say where alerts are sent: routes, receivers, teams, silences.", (P.ALERTS_READ,)),
    P.HEALTH_READ: PermissionType("See how the installation does: stages, disk, queues, errors."),
}


def close(permissions: Iterable[Permission]) -> frozenset[Permission]:
    """Return the permissions with everything that they require."""
    closed: set[Permission] = set()
    waiting = list(permissions)
    while waiting:
        permission = waiting.pop()
        if permission not in closed:
            closed.add(permission)
            waiting.extend(PERMISSIONS[permission].requires)
    return frozenset(closed)
