"""The built-in roles: sets of permissions that most organisations start with; they cannot be changed or retired."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.access.permissions import Permission, close


@dataclass(frozen=True, slots=True)
class RoleType:
    """A role as it is shown: its permissions are closed over what they require."""

    name: str
    title: str
    description: str
    permissions: frozenset[Permission]
    built_in: bool = False


def _role(name: str, title: str, description: str, *permissions: Permission) -> RoleType:
    return RoleType(name, title, description, close(permissions), built_in=True)


_VIEWER = (
    Permission.EVENTS_READ,
    Permission.RELEASES_READ,
    Permission.POLICIES_READ,
    Permission.CATALOGUE_READ,
    Permission.SOURCES_READ,
    Permission.GRANTS_REQUEST,
    Permission.SYSTEMS_READ,
    Permission.EXCEPTIONS_READ,
    Permission.RETENTION_READ,
)
_AUDITOR = (
    *_VIEWER,
    Permission.EVENTS_READ_PERSONAL,
    Permission.EVENTS_EXPORT,
    Permission.READING_READ,
    Permission.PROOFS_READ,
    Permission.LOG_READ,
    Permission.RULES_READ,
    Permission.ALERTS_READ,
    Permission.REVIEWS_READ,
)
_ANALYST = (
    *_AUDITOR,
    Permission.TOKENS_CREATE_OWN,
    Permission.VIEWS_SHARE,
    Permission.GRANTS_BREAK_GLASS,
    Permission.RULES_MANAGE,
    Permission.ALERTS_HANDLE,
    Permission.EXCEPTIONS_REQUEST,
)

BUILT_IN: Final[Mapping[str, RoleType]] = {
    role.name: role
    for role in (
        _role("sender", "Sender", "Sends events and reads nothing.", Permission.EVENTS_RECORD),
        _role(
            "own-events-viewer",
            "Own-events viewer",
            "Reads the events in which she is the actor herself.",
            Permission.EVENTS_READ_OWN,
            Permission.GRANTS_REQUEST,
        ),
        _role("viewer", "Viewer", "Reads the facts of events; personal data is withheld.", *_VIEWER),
        _role(
            "auditor",
            "Auditor",
            "Reads everything, with proofs and access records, and changes nothing.",
            *_AUDITOR,
            Permission.ACCESS_READ,
            Permission.STREAMS_READ,
            Permission.SETTINGS_READ,
            Permission.HEALTH_READ,
        ),
        _role("analyst", "Analyst", "Searches, exports and proves; may break the glass in an emergency.", *_ANALYST),
        _role(
            "owner",
            "Owner",
            "Answers for a scope: reads it, manages its senders, decides who else may.",
            *_ANALYST,
            Permission.SOURCES_MANAGE,
            Permission.TOKENS_MANAGE,
            Permission.GRANTS_APPROVE,
            Permission.GRANTS_REVOKE,
            Permission.RELEASES_MANAGE,
            Permission.POLICIES_MANAGE,
            Permission.STREAMS_READ,
            Permission.SYSTEMS_MANAGE,
        ),
        _role(
            "security-lead",
            "Security lead",
            "Reads everything, decides about access, signs reviews, manages the catalogue.",
            *_ANALYST,
            Permission.GRANTS_APPROVE,
            Permission.GRANTS_REVOKE,
            Permission.REVIEWS_SIGN,
            Permission.POLICIES_MANAGE,
            Permission.POLICIES_APPROVE,
            Permission.STREAMS_MANAGE,
            Permission.CATALOGUE_MANAGE,
            Permission.EXPORTS_MANAGE,
            Permission.SYSTEMS_MANAGE,
            Permission.SYSTEMS_APPROVE,
            Permission.EXCEPTIONS_APPROVE,
            Permission.RETENTION_MANAGE,
            Permission.RETENTION_APPROVE,
            Permission.RULES_APPROVE,
            Permission.ALERTS_ROUTE,
            Permission.SETTINGS_READ,
            Permission.HEALTH_READ,
        ),
        _role(
            "compliance-manager",
            "Compliance manager",
            "Runs the duties: retention and holds, exceptions, declarations, reviews; reads what they are about.",
            *_AUDITOR,
            Permission.ACCESS_READ,
            Permission.SETTINGS_READ,
            Permission.SYSTEMS_APPROVE,
            Permission.EXCEPTIONS_REQUEST,
            Permission.EXCEPTIONS_APPROVE,
            Permission.RETENTION_MANAGE,
            Permission.RETENTION_APPROVE,
            Permission.REVIEWS_SIGN,
        ),
        _role(
            "administrator",
            "Administrator",
            "Runs the installation: people, roles, senders, settings. Does not thereby read events.",
            Permission.PEOPLE_MANAGE,
            Permission.ROLES_MANAGE,
            Permission.GRANTS_REQUEST,
            Permission.GRANTS_APPROVE,
            Permission.GRANTS_REVOKE,
            Permission.GRANTS_BREAK_GLASS,
            Permission.SOURCES_MANAGE,
            Permission.TOKENS_MANAGE,
            Permission.TOKENS_CREATE_OWN,
            Permission.CATALOGUE_MANAGE,
            Permission.SETTINGS_MANAGE,
            Permission.STREAMS_MANAGE,
            Permission.ALERTS_ROUTE,
            Permission.HEALTH_READ,
            Permission.LOG_READ,
        ),
    )
}
