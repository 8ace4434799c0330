"""Policies that are kept here: edited by one, approved by another, never lost between two."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.installation import Installation, installation
from tests.people_world import Member, People, settle
from tests.policy_world import Register, approval, policies

from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.errors import PermissionMissingError, TallystickError
from tallystick.policies.errors import (
    OwnPolicyProposalError,
    PolicyEditConflictError,
    PolicyEventsOffError,
    PolicyProjectConflictError,
    PolicyProjectInvalidError,
    PolicyProjectUnknownError,
    PolicyProposalDecidedError,
    PolicyTextError,
)
from tallystick.policies.model import ProjectSettings, State, digest_of

ONE = policies(approval("One"))
TWO = policies(approval("One"), approval("Two"))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def people(house: Installation) -> People:
    return settle(house.instance)


@pytest.fixture(scope="module")
def lea(people: People) -> Member:
    return people.join("lea", ("security-lead", ""))


@pytest.fixture(scope="module")
def pia(people: People) -> Member:
    return people.join("pia", ("security-lead", ""))


@pytest.fixture
def register(house: Installation) -> Iterator[Register]:
    register = Register(house)
    yield register
    register.retire_all()


def digest(text: str) -> str:
    return digest_of(text.encode())


def test_an_edit_gives_one_event_for_each_policy_with_its_author(
    register: Register, people: People, lea: Member
) -> None:
    project = register.here(("acme/payments", "acme/web"))
    caller = people.caller(lea)
    register.room.service.edit(caller, project, ONE, None)
    register.room.service.edit(
        caller, project, TWO.replace("approvals_required: 1", "approvals_required: 2", 1), digest(ONE)
    )
    assert register.told(project) == [("created", "One"), ("updated", "One"), ("created", "Two")]
    for event in register.changes(project):
        assert (event.actor_id, event.actor_type, event.actor_name) == (lea.id, "user", "Lea Lind")
        assert event.affected == ("acme/payments", "acme/web")
        assert event.facts["basis"] == "here"


def test_an_edit_that_changes_nothing_appends_nothing(register: Register) -> None:
    project = register.here()
    register.room.service.edit(OPERATOR, project, ONE, None)
    before = register.actions(project)
    assert register.room.service.edit(OPERATOR, project, ONE, digest(ONE)) == []
    assert register.actions(project) == before


def test_of_two_who_edit_the_same_version_the_second_is_told_and_loses_nothing(
    register: Register, people: People, lea: Member, pia: Member
) -> None:
    project = register.here()
    register.room.service.edit(OPERATOR, project, ONE, None)
    callers: dict[str, Caller] = {"lea": people.caller(lea), "pia": people.caller(pia)}
    texts = {name: policies(approval("One"), approval(f"Of {name}")) for name in callers}
    barrier, ended = threading.Barrier(2), dict[str, str]()

    def edit(name: str) -> None:
        barrier.wait()
        try:
            register.room.service.edit(callers[name], project, texts[name], digest(ONE))
            ended[name] = "done"
        except PolicyEditConflictError as error:
            ended[name] = error.code

    threads = [threading.Thread(target=edit, args=(name,)) for name in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ended.values()) == ["done", "policy-edit-conflict"]
    winner = next(name for name, how in ended.items() if how == "done")
    assert register.names(project) == {"One": True, f"Of {winner}": True}
    assert register.told(project) == [("created", "One"), ("created", f"Of {winner}")]


def test_a_proposal_is_in_force_once_another_approves_it(
    register: Register, people: People, lea: Member, pia: Member
) -> None:
    project = register.here(approval=True)
    with pytest.raises(PolicyProjectConflictError):
        register.room.service.edit(people.caller(lea), project, ONE, None)
    proposal = register.room.service.propose(people.caller(lea), project, ONE, None, "for a start")
    assert register.names(project) == {}
    register.room.service.approve(people.caller(pia), project, proposal, digest(ONE), "good")
    assert register.names(project) == {"One": True}
    [event] = register.changes(project)
    assert (event.actor_id, event.facts["proposal"]) == (pia.id, proposal)
    assert register.actions(project)[-3:] == [
        "policy_project.proposal_approved",
        "security_policy.created",
        "policy_project.edited",
    ]
    found = register.room.reading.project(OPERATOR, project)
    assert (found.text, found.digest) == (ONE, digest(ONE))


def test_nobody_approves_what_they_proposed(register: Register, people: People, lea: Member) -> None:
    project = register.here(approval=True)
    proposal = register.room.service.propose(people.caller(lea), project, ONE, None, "mine")
    for decide in (
        lambda: register.room.service.approve(people.caller(lea), project, proposal, digest(ONE)),
        lambda: register.room.service.decline(people.caller(lea), project, proposal, "no"),
    ):
        with pytest.raises(OwnPolicyProposalError):
            decide()
    register.room.service.withdraw(people.caller(lea), project, proposal)
    assert register.room.reading.proposals(OPERATOR, project)[0].state == "withdrawn"


def test_a_proposal_is_approved_only_as_it_was_read_and_on_what_it_was_made_from(
    register: Register, people: People, lea: Member, pia: Member
) -> None:
    project = register.here(approval=True)
    service = register.room.service
    first = service.propose(people.caller(lea), project, ONE, None, "one")
    second = service.propose(people.caller(lea), project, TWO, None, "two")
    with pytest.raises(PolicyProposalDecidedError):
        service.approve(people.caller(pia), project, first, digest(TWO))
    service.approve(people.caller(pia), project, first, digest(ONE))
    with pytest.raises(PolicyEditConflictError):
        service.approve(people.caller(pia), project, second, digest(TWO))
    with pytest.raises(PolicyProposalDecidedError):
        service.approve(people.caller(pia), project, first, digest(ONE))
    service.decline(people.caller(pia), project, second, "made from an older version")
    assert register.names(project) == {"One": True}


def test_a_text_that_cannot_be_accepted_is_refused_with_its_place_and_on_record(
    register: Register, people: People, lea: Member
) -> None:
    project = register.here()
    register.room.service.edit(OPERATOR, project, ONE, None)
    with pytest.raises(PolicyTextError) as refused:
        register.room.service.edit(people.caller(lea), project, ONE + "colour: blue\n", digest(ONE))
    assert (refused.value.line, refused.value.column) == (11, 1)
    [event] = [step for step in register.steps(project) if step.action == "security_policy.rejected"]
    assert (event.actor_id, event.facts["line"], event.facts["column"]) == (lea.id, 11, 1)
    assert register.names(project) == {"One": True}
    assert register.room.reading.project(OPERATOR, project).state is State.IN_STEP


@pytest.mark.parametrize("text", ["x" * 200_000, "\ud800", "a: \x00", "- [\n", "", "[]", "approval_policy:"])
def test_hostile_texts_are_refused(register: Register, text: str) -> None:
    project = register.here()
    with pytest.raises(TallystickError) as refused:
        register.room.service.edit(OPERATOR, project, text, None)
    assert refused.value.code == "policy-text"
    assert register.names(project) == {}


def test_names_with_markup_are_kept_as_they_are(register: Register) -> None:
    project = register.here()
    register.room.service.edit(OPERATOR, project, policies(approval("'<script>alert(1)</script>'")), None)
    assert list(register.names(project)) == ["<script>alert(1)</script>"]


def test_where_events_are_off_nothing_is_edited(register: Register) -> None:
    settings = register.house.instance.services.settings
    project = register.here()
    settings.change(OPERATOR, {"security_policy_events": "off"})
    try:
        with pytest.raises(PolicyEventsOffError):
            register.room.service.edit(OPERATOR, project, ONE, None)
    finally:
        settings.change(OPERATOR, {"security_policy_events": "on"})
    assert register.names(project) == {}
    assert register.house.actions().count("setting.changed") >= 2


def test_retiring_deletes_each_policy_and_keeps_the_history(register: Register) -> None:
    project = register.here()
    register.room.service.edit(OPERATOR, project, TWO, None)
    register.room.service.retire(OPERATOR, project)
    assert register.told(project)[2:] == [("deleted", "One"), ("deleted", "Two")]
    assert register.actions(project)[-1] == "policy_project.retired"
    assert register.names(project) == {}
    with pytest.raises(PolicyProjectConflictError):
        register.room.service.edit(OPERATOR, project, ONE, digest(TWO))


def test_what_governs_changes_with_the_project_and_with_the_scope_of_a_policy(register: Register) -> None:
    project = register.here(("acme/payments", "acme/web"))
    narrow = "  policy_scope:\n    projects:\n      including: [{id: acme/web/shop}]\n"
    wide = "  policy_scope:\n    groups:\n      excluding: [{id: acme/payments}]\n"
    text = policies(approval("Everywhere"), approval("Shop", more=narrow), approval("Not payments", more=wide))
    register.room.service.edit(OPERATOR, project, text, None)
    reach = {event.name: event.affected for event in register.changes(project)}
    assert reach == {
        "Everywhere": ("acme/payments", "acme/web"),
        "Shop": ("acme/web/shop",),
        "Not payments": ("acme/web",),
    }
    register.room.service.change(OPERATOR, project, {"governed": ("acme/api",)})
    changed = register.steps(project)[-1]
    assert (changed.action, changed.affected, changed.affected_before) == (
        "policy_project.changed",
        ("acme/api",),
        ("acme/payments", "acme/web"),
    )
    assert [each.name for each in register.room.reading.governing(OPERATOR, "acme/api/v2")] == [
        "Everywhere",
        "Not payments",
    ]


def test_an_event_is_found_from_owner_groups_and_every_governed_scope(register: Register) -> None:
    project = register.here(("acme/payments", "acme/web/shop"))
    register.room.service.edit(OPERATOR, project, ONE, None)
    [event] = register.changes(project)
    for scope in ("", "acme", "acme/payments", "acme/payments/api", "acme/web", "acme/web/shop"):
        assert event.index in [each.index for each in register.room.reading.events_of(OPERATOR, scope)], scope
    for scope in ("acme/other", "acme/pay", "acme/web/blog"):
        assert event.index not in [each.index for each in register.room.reading.events_of(OPERATOR, scope)], scope
    found = register.house.get(
        "/api/v1/events", query=f"metadata.affected_scopes:acme/web/shop metadata.project:{project}"
    ).json()
    assert [row["index"] for row in found["events"]] == [event.index]
    for scope in ("acme", "acme/security"):
        rows = register.house.get(
            "/api/v1/events", query=f"action:security_policy.created scope:{scope} metadata.project:{project}"
        ).json()["events"]
        assert [row["index"] for row in rows] == [event.index]


def test_who_reads_only_a_governed_scope_learns_nothing_of_the_others(register: Register, people: People) -> None:
    nora = people.join("nora", ("viewer", "acme/payments"))
    project = register.here(("acme/payments", "acme/hidden"))
    hidden = register.here(("acme/hidden",), title="hidden")
    register.room.service.edit(OPERATOR, project, ONE, None)
    reading, caller = register.room.reading, people.caller(nora)
    assert [each.project for each in reading.projects(caller) if each.state is not State.RETIRED] == [project]
    seen = reading.project(caller, project)
    assert (seen.settings.scope, seen.settings.governed, seen.text) == ("", ("acme/payments",), None)
    [policy] = reading.policies(caller, project)
    assert policy.affected == ("acme/payments",)
    [event] = reading.history(caller, project)
    assert (event.scope, event.affected) == (None, ("acme/payments",))
    assert "hidden" not in repr((seen, policy, event))
    for forbidden in (
        lambda: reading.project(caller, hidden),
        lambda: reading.history(caller, hidden),
        lambda: reading.policies(caller, hidden),
        lambda: reading.project(caller, "pp-nothing"),
    ):
        with pytest.raises(PolicyProjectUnknownError):
            forbidden()
    with pytest.raises(PermissionMissingError):
        reading.events_of(caller, "acme/hidden")
    with pytest.raises(PermissionMissingError):
        register.room.service.edit(caller, project, TWO, digest(ONE))


def test_names_of_people_are_shown_only_to_who_may_see_personal_data(
    register: Register, people: People, lea: Member
) -> None:
    project = register.here(approval=True)
    register.room.service.propose(people.caller(lea), project, ONE, None, "because of Ben")
    vic = people.join("vic", ("viewer", "acme/security"))
    shown = register.room.reading.history(people.caller(vic), project)
    assert "Lea" not in repr(shown)
    assert "because of Ben" not in repr(shown)
    assert "because of Ben" in repr(register.room.reading.history(people.caller(lea), project))


def manager_of(scope: str) -> Callable[[People], Caller]:
    def make(people: People) -> Caller:
        name = "manager" + scope.replace("/", "-")
        return people.caller(people.join(name, ("security-lead", scope)))

    return make


def test_nobody_registers_a_project_over_scopes_that_she_does_not_manage(register: Register, people: People) -> None:
    caller = manager_of("acme/security")(people)
    settings = ProjectSettings(title="mine", scope="acme/security", governed=("acme/payments",), kept="here")
    with pytest.raises(PermissionMissingError):
        register.room.service.register(caller, settings)


def test_a_path_of_the_server_is_for_who_manages_policies_everywhere(register: Register, people: People) -> None:
    caller = manager_of("acme")(people)
    told: dict[str, Any] = {"title": "path", "scope": "acme/security", "governed": ("acme",), "kept": "git"}
    with pytest.raises(PermissionMissingError):
        register.room.service.register(caller, ProjectSettings(repository="/etc", branch="main", **told))


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": "a\u202eb"}, "/title"),
        ({"scope": ""}, "/scope"),
        ({"governed": ()}, "/governed"),
        ({"governed": ("a b",)}, "/governed"),
        ({"repository": "https://ana:secret@example.org/x.git"}, "/repository"),
        ({"repository": "ext::sh -c id"}, "/repository"),
        ({"repository": "http://example.org/x.git"}, "/repository"),
        ({"repository": "--upload-pack=id"}, "/repository"),
        ({"repository": "ssh://-oProxyCommand=id/x"}, "/repository"),
        ({"repository": "git@-oProxyCommand=id:x"}, "/repository"),
        ({"repository": "ssh://-oProxyCommand=id@example.org/x"}, "/repository"),
        ({"repository": "ssh://git@$(id)/x"}, "/repository"),
        ({"repository": "ssh://`id`@example.org/x"}, "/repository"),
        ({"repository": "https://example.org;id/x.git"}, "/repository"),
        ({"repository": "/srv/../etc"}, "/repository"),
        ({"branch": "-x"}, "/branch"),
        ({"branch": "a..b"}, "/branch"),
        ({"branch": "a:b"}, "/branch"),
        ({"path": "../policy.yml"}, "/path"),
        ({"path": "/etc/passwd"}, "/path"),
        ({"path": "a//b"}, "/path"),
        ({"signers": "* ssh-ed25519 AAAA"}, "/signers"),
        ({"signers": "nonsense"}, "/signers"),
        ({"keys": "nonsense"}, "/keys"),
        ({"keys": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n-----BEGIN PGP PRIVATE KEY BLOCK-----"}, "/keys"),
        ({"approval": True}, "/approval"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(register: Register, changes: dict[str, Any], pointer: str) -> None:
    good: dict[str, Any] = {
        "title": "good",
        "scope": "acme/security",
        "governed": ("acme",),
        "kept": "git",
        "repository": "https://example.org/policies.git",
        "branch": "main",
    }
    with pytest.raises(PolicyProjectInvalidError) as refused:
        register.room.service.register(OPERATOR, ProjectSettings(**{**good, **changes}))
    assert refused.value.pointer == pointer


def test_replay_makes_proposals_and_texts_again(register: Register, people: People, lea: Member, pia: Member) -> None:
    project = register.here(approval=True)
    service = register.room.service
    proposal = service.propose(people.caller(lea), project, ONE, None, "one")
    service.approve(people.caller(pia), project, proposal, digest(ONE), "good")
    service.propose(people.caller(lea), project, TWO, digest(ONE), "two")
    reading = register.room.reading

    def everything() -> object:
        return (
            reading.project(OPERATOR, project),
            reading.policies(OPERATOR, project),
            reading.proposals(OPERATOR, project),
            reading.history(OPERATOR, project),
        )

    before = everything()
    register.house.instance.rebuild()
    assert everything() == before
