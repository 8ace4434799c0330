"""The same events in GitLab's present words, for what reads its streams; ours stay as they are."""

from __future__ import annotations

from typing import Any

import pytest

from tallystick.access.operator import OPERATOR
from tallystick.event.catalogue import load_shipped, render_message
from tallystick.releases import events
from tallystick.releases.model import Draft, Edit, Release
from tallystick.stream.gitlab import gitlab_type, wording

RELEASE = Release("r-1", "acme/app", "v0.3", "New Release", "a", None, ("M1",), "", 1, 1, 1, None)


def made(*milestones: str) -> dict[str, Any]:
    return events.created(OPERATOR, "r-1", Draft("acme/app", "v0.3", "New Release", milestones=milestones), 1)


def edited(**changes: Any) -> dict[str, Any]:
    (event,) = events.edited(OPERATOR, RELEASE, Edit(**changes), 1)
    return event


@pytest.mark.parametrize(
    ("event", "kind", "ours", "theirs"),
    [
        (made(), "release_created", "Created Release v0.3", "Created release v0.3"),
        (
            made("M1"), "release_created",
            "Created Release v0.3 with milestones M1", "Created release v0.3 with Milestone M1",
        ),
        (
            made("M1", "M2"), "release_created",
            "Created Release v0.3 with milestones M1, M2", "Created release v0.3 with Milestones M1, M2",
        ),
        (edited(description="b"), "release_updated", "Updated Release v0.3", "Updated release v0.3"),
        (
            edited(milestones=("M1", "M2")), "release_milestones_updated",
            "Milestones associated with release changed to M1, M2",
            "Milestones associated with release changed to M1, M2",
        ),
        (
            edited(milestones=()), "release_milestones_updated",
            "Milestones associated with release changed to (none)",
            "Milestones associated with release changed to [none]",
        ),
        (
            events.deleted(OPERATOR, RELEASE, 1), "release_deleted_audit_event",
            "Deleted Release v0.3", "Deleted release v0.3",
        ),
    ],
)  # fmt: skip
def test_each_event_has_our_words_and_those_of_gitlab(event: dict[str, Any], kind: str, ours: str, theirs: str) -> None:
    stored = {**event, "targets": [event["target"]]}
    assert render_message(load_shipped().get(event["action"]), stored) == ours
    assert (gitlab_type(stored), wording(stored)) == (kind, theirs)
