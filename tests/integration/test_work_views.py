"""Saved views: one's own, shared with the readers of a scope, and what is left of them after an erasure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select
from tests.work_world import WorkWorld, person, work_world

from tallystick.access.permissions import Permission
from tallystick.errors import PermissionMissingError
from tallystick.query.errors import QueryError
from tallystick.store.tables.work import VIEW
from tallystick.work.errors import ViewInvalidError, ViewNotFoundError
from tallystick.work.model import Question, View

ANA, BO = person("ana", "acme"), person("bo", "acme/payments")
FAILURES = Question(text="outcome:failure actor:ana", start="-7d", scope="acme/payments")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[WorkWorld]:
    with work_world(tmp_path) as made:
        yield made


def test_a_view_is_there_with_everything_that_was_saved_also_after_replay(world: WorkWorld) -> None:
    view_id = world.views.save(ANA, " Failures ", FAILURES, columns=["actor", "context.ip"])
    view = world.views.get(ANA, view_id)
    assert view == View(view_id, "ana", None, "Failures", FAILURES, ("actor", "context.ip"), view.saved_at)
    world.projection.rebuild()
    assert world.views.listed(ANA) == [view]


def test_saving_again_changes_the_view_and_deleting_ends_it(world: WorkWorld) -> None:
    view_id = world.views.save(ANA, "Failures", FAILURES)
    assert world.views.save(ANA, "All", Question(), view_id=view_id) == view_id
    assert [(view.name, view.question) for view in world.views.listed(ANA)] == [("All", Question())]
    world.views.delete(ANA, view_id)
    assert world.views.listed(ANA) == []
    with pytest.raises(ViewNotFoundError):
        world.views.delete(ANA, view_id)
    assert world.actions() == ["view.saved", "view.saved", "view.deleted"]


def test_a_view_is_seen_by_its_owner_and_where_it_is_shared_by_who_may_read_there(world: WorkWorld) -> None:
    own = world.views.save(ANA, "mine", FAILURES)
    shared = world.views.save(ANA, "ours", FAILURES, shared_in="acme/payments")
    strangers = (person("cy", "globex"), person("cy", "acme/payments/api"), person("cy", "acme", may=()))
    for reader, expected in ((ANA, {own, shared}), (BO, {shared}), *((each, set[str]()) for each in strangers)):
        assert {view.view for view in world.views.listed(reader)} == expected
        for view_id in {own, shared} - expected:
            with pytest.raises(ViewNotFoundError):
                world.views.get(reader, view_id)
            with pytest.raises(ViewNotFoundError):
                world.views.delete(reader, view_id)
            with pytest.raises(ViewNotFoundError):
                world.views.save(reader, "stolen", FAILURES, view_id=view_id)


def test_sharing_needs_the_permission_where_it_is_shared(world: WorkWorld) -> None:
    reader = person("cy", "acme", may=[Permission.EVENTS_READ])
    for caller, scope in ((reader, "acme"), (BO, "acme"), (BO, ""), (ANA, "globex")):
        with pytest.raises(PermissionMissingError, match=r"views\.share"):
            world.views.save(caller, "ours", FAILURES, shared_in=scope)
    assert world.actions() == []


def test_a_shared_view_is_changed_by_its_owner_alone_and_deleted_by_who_may_share_there(world: WorkWorld) -> None:
    view_id = world.views.save(ANA, "ours", FAILURES, shared_in="acme/payments")
    with pytest.raises(ViewNotFoundError):
        world.views.save(BO, "taken over", FAILURES, view_id=view_id)
    with pytest.raises(PermissionMissingError):
        world.views.delete(person("cy", "acme", may=[Permission.EVENTS_READ]), view_id)
    world.views.delete(BO, view_id)
    assert world.views.listed(ANA) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\u202eb"])
def test_a_name_that_cannot_be_read_is_refused(world: WorkWorld, name: str) -> None:
    with pytest.raises(ViewInvalidError):
        world.views.save(ANA, name, FAILURES)


def test_what_is_no_question_is_not_saved(world: WorkWorld) -> None:
    for question in (Question(text="("), Question(text="nofield:x"), Question(start="yesteryear")):
        with pytest.raises(QueryError):
            world.views.save(ANA, "broken", question)
    with pytest.raises(ViewInvalidError):
        world.views.save(ANA, "odd columns", FAILURES, columns=["<script>"])
    assert world.actions() == []


def test_a_view_whose_personal_part_was_erased_is_still_there_without_name_and_question(world: WorkWorld) -> None:
    view_id = world.views.save(ANA, "Failures of Ana", FAILURES, columns=["actor"], shared_in="acme")
    with world.database.begin() as connection:
        row = connection.execute(select(VIEW)).one()
        assert "actor:ana" in row.question
    world.forget_personal()
    view = world.views.get(ANA, view_id)
    assert (view.name, view.question, view.columns, view.shared_in) == (None, None, (), "acme")
