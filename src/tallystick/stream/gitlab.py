"""Events as GitLab streams them: its body, its names of types, and its present wording of what we record too.

GitLab counts actors and scopes; we name them. A name that is not a number gets a number made from it, the same each
time, and stands beside it in `details`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

TOKEN_HEADER: Final = "X-Gitlab-Event-Streaming-Token"  # noqa: S105  the name of a header
TYPE_HEADER: Final = "X-Gitlab-Audit-Event-Type"
CONTENT_TYPE: Final = "application/x-www-form-urlencoded"
"""What GitLab declares, although the body is JSON; a custom header may say otherwise."""
TEXT_CHARS_MAX: Final = 5500
UNKNOWN_AUTHOR: Final = -4
ANONYMOUS: Final = -1
_NUMBER_BITS: Final = 48
_NAME: Final = re.compile(r"[A-Za-z0-9_.:-]{1,255}", re.ASCII)

_TYPES: Final[Mapping[str, str]] = {
    "release.created": "release_created",
    "release.updated": "release_updated",
    "release.deleted": "release_deleted_audit_event",
    "release.milestones_changed": "release_milestones_updated",
    "repository.download_started": "repository_download_operation",
    "security_policy.created": "security_policy_create",
    "security_policy.updated": "security_policy_update",
    "security_policy.deleted": "security_policy_delete",
    "security_policy.rejected": "security_policy_yaml_invalidated",
    "member.added": "member_created",
    "member.updated": "member_updated",
    "member.removed": "member_destroyed",
    "stream.created": "created_instance_audit_event_streaming_destination",
    "stream.changed": "updated_instance_audit_event_streaming_destination",
    "stream.deleted": "deleted_instance_audit_event_streaming_destination",
}


def gitlab_type(event: Mapping[str, Any]) -> str:
    """Return the type as GitLab names it; of an event that came from GitLab the very one that it had.

    It becomes a header: any sender can write what is in an event, so nothing but a name is taken from there.
    """
    metadata = event.get("metadata") or {}
    said = metadata.get("operation")
    if "gitlab_id" in metadata and isinstance(said, str) and _NAME.fullmatch(said):
        return said
    action: str = event["action"]
    return _TYPES.get(action, action.replace(".", "_").replace("-", "_"))


def gitlab_body(event_id: str, event: Mapping[str, Any]) -> bytes:
    """Return the body of one event."""
    actor, target = event["actor"], event["targets"][0]
    context, scope = event.get("context") or {}, event["scope"]
    name = _cut(actor.get("name") or actor.get("id"))
    target_details = _cut(target.get("name") or target.get("id"))
    place = {"entity_id": number_of(scope), "entity_type": _entity_type(event)}
    shared = {
        "author_name": name,
        "entity_path": _cut(scope),
        "target_details": target_details,
        "target_id": _as_number(target.get("id")),
        "target_type": _camel(target["type"]),
        "ip_address": context.get("ip"),
    }
    details = {
        **shared,
        "author_class": "User" if actor["type"] == "user" else _camel(actor["type"]),
        "author": actor.get("id") or actor.get("key"),
        "target": target.get("id") or target.get("key"),
        "custom_message": wording(event),
        "action": event["action"],
        "outcome": event.get("outcome"),
        "changes": event.get("changes") or [],
        "metadata": event.get("metadata") or {},
    }
    body = {
        "id": event_id,
        "author_id": _author_id(actor),
        **place,
        "details": details,
        **shared,
        "created_at": f"{event['occurred_at'][:23]}Z",
        "event_type": gitlab_type(event),
    }
    return msgspec.json.encode(body)


def wording(event: Mapping[str, Any]) -> str:
    """Return what happened, in GitLab's present words where GitLab has such an event."""
    metadata, target = event.get("metadata") or {}, event["targets"][0]
    name = target.get("name") or target.get("id") or "(withheld)"
    tag = metadata.get("tag") or name
    milestones = metadata.get("milestones")
    titles = [str(each) for each in milestones] if isinstance(milestones, list) else []
    match event["action"]:
        case "release.created":
            return f"Created release {tag}{_with_milestones(titles)}"
        case "release.updated":
            return f"Updated release {tag}"
        case "release.deleted":
            return f"Deleted release {tag}"
        case "release.milestones_changed":
            return f"Milestones associated with release changed to {', '.join(titles) or '[none]'}"
        case "repository.download_started":
            return "Repository Download Started"
        case "security_policy.created":
            return f'Created security policy with the name: "{name}"'
        case "security_policy.updated":
            return f'Updated security policy with the name: "{name}"'
        case "security_policy.deleted":
            return f'Deleted security policy with the name: "{name}"'
    said = event.get("message")
    return said if isinstance(said, str) and said else str(event["action"])


def number_of(text: str) -> int:
    """Return a positive number for a name, the same each time."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[: _NUMBER_BITS // 8], "big")


def _with_milestones(titles: Sequence[str]) -> str:
    if not titles:
        return ""
    return f" with {'Milestone' if len(titles) == 1 else 'Milestones'} {', '.join(titles)}"


def _author_id(actor: Mapping[str, Any]) -> int:
    if actor["type"] in {"unknown", "deleted"}:
        return UNKNOWN_AUTHOR
    if actor["type"] == "anonymous":
        return ANONYMOUS
    return _as_number(actor.get("id") or actor.get("key"))


def _as_number(text: str | None) -> int:
    if text is None:
        return UNKNOWN_AUTHOR
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else number_of(text)


def _entity_type(event: Mapping[str, Any]) -> str:
    metadata = event.get("metadata") or {}
    said = metadata.get("entity_type")
    return said if isinstance(said, str) else "Project" if "/" in event["scope"] else "Group"


def _camel(word: str) -> str:
    return "".join(part.capitalize() for part in word.replace("-", "_").split("_"))


def _cut(text: str | None) -> str | None:
    return None if text is None else text[:TEXT_CHARS_MAX]
