"""The life of detection rules: what each step needs, what it leaves on record, and what follows from it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.installation import Installation, installation, sample
from tests.people_world import Member, People, settle
from tests.rules_world import SIGMAHQ, rule_text

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.detect import shipping
from tallystick.detect.errors import (
    IndicatorListConflictError,
    RuleChangedError,
    RuleEventUnknownError,
    RuleInvalidError,
    RuleSamplesError,
    RuleStateError,
    RuleTextError,
    RuleUnknownError,
)
from tallystick.detect.importing import File
from tallystick.detect.lists import Additions
from tallystick.detect.model import State, digest_of
from tallystick.detect.room import RuleRoom
from tallystick.errors import PermissionMissingError, TallystickError
from tallystick.follow.alarm import Alarm

NUMBERS = iter(range(1, 10_000))


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as house:
        yield house


@pytest.fixture(scope="module")
def rules(house: Installation) -> RuleRoom:
    return house.instance.services.rules


@pytest.fixture(scope="module")
def people(house: Installation) -> People:
    return settle(house.instance)


@pytest.fixture(scope="module")
def lea(people: People) -> Caller:
    return people.caller(people.join("lea", ("security-lead", "")))


@pytest.fixture(scope="module")
def pia(people: People) -> Caller:
    return people.caller(people.join("pia", ("security-lead", "")))


def text(**more: Any) -> bytes:
    return rule_text(f"Rule {next(NUMBERS)}", **more).encode()


def state(rules: RuleRoom, rule: str) -> State:
    return rules.reading.rule(OPERATOR, rule).shown.rule.state


def actions(rules: RuleRoom, rule: str) -> list[str]:
    return [step.action for step in reversed(rules.reading.rule(OPERATOR, rule).steps)]


def in_force(rules: RuleRoom, rule: str) -> str | None:
    return next((each.version for each in rules.enabled() if each.id == rule), None)


def make(rules: RuleRoom, writer: Caller, approver: Caller, written: bytes, scope: str = "") -> str:
    """Return a rule that went all the way."""
    rule = rules.service.draft(writer, written, scope)
    rules.service.test(writer, rule)
    rules.service.approve(approver, rule, digest_of(written))
    rules.service.enable(writer, rule, digest_of(written))
    return rule


def test_a_rule_watches_only_after_it_was_tested_and_approved_by_another(
    rules: RuleRoom, lea: Caller, pia: Caller
) -> None:
    written = text()
    rule = rules.service.draft(lea, written, reason="we had an incident")
    assert (state(rules, rule), in_force(rules, rule)) == (State.DRAFT, None)
    with pytest.raises(RuleStateError):
        rules.service.approve(pia, rule, digest_of(written))
    assert all(each.passed for each in rules.service.test(lea, rule))
    with pytest.raises(RuleStateError):
        rules.service.enable(lea, rule, digest_of(written))
    rules.service.approve(pia, rule, digest_of(written), "agreed")
    assert in_force(rules, rule) is None
    rules.service.enable(lea, rule, digest_of(written))
    assert (state(rules, rule), in_force(rules, rule)) == (State.ENABLED, digest_of(written))
    assert actions(rules, rule) == ["rule.drafted", "rule.tested", "rule.approved", "rule.enabled"]
    detail = rules.reading.rule(OPERATOR, rule)
    assert detail.versions[0].drafted_reason == "we had an incident"
    assert (detail.versions[0].decided_by, detail.versions[0].decision_reason) == (pia.id, "agreed")


def test_nobody_approves_or_rejects_what_they_wrote_nor_does_a_program(
    rules: RuleRoom, house: Installation, lea: Caller
) -> None:
    written = text()
    rule = rules.service.draft(lea, written)
    rules.service.test(lea, rule)
    for decide in (rules.service.approve, rules.service.reject):
        with pytest.raises(OwnDecisionError):
            decide(lea, rule, digest_of(written), "mine")
    assert state(rules, rule) is State.TESTED


def test_whoever_only_changed_a_word_of_it_does_not_approve_what_another_wrote_before(
    rules: RuleRoom, lea: Caller, pia: Caller
) -> None:
    first, second = text(), text()
    rule = rules.service.draft(lea, first)
    rules.service.change(pia, rule, second, 1)
    rules.service.test(pia, rule)
    for each in (lea, pia):
        with pytest.raises(OwnDecisionError):
            rules.service.approve(each, rule, digest_of(second))
    rules.service.approve(OPERATOR, rule, digest_of(second))


def test_a_change_voids_the_approval_and_what_watches_stays_until_the_new_version_is_enabled(
    rules: RuleRoom, lea: Caller, pia: Caller
) -> None:
    first, second = text(), text()
    rule = make(rules, lea, pia, first)
    assert rules.service.change(lea, rule, second, 1) == 2
    assert in_force(rules, rule) == digest_of(first)
    with pytest.raises(RuleStateError):
        rules.service.enable(lea, rule, digest_of(second))
    with pytest.raises(RuleChangedError):
        rules.service.approve(pia, rule, digest_of(first))
    rules.service.test(lea, rule)
    rules.service.approve(pia, rule, digest_of(second))
    rules.service.enable(lea, rule, digest_of(second))
    assert in_force(rules, rule) == digest_of(second)
    assert [each.number for each in rules.reading.rule(OPERATOR, rule).versions] == [2, 1]


def test_an_edit_of_a_version_that_is_not_the_newest_any_more_is_refused(rules: RuleRoom, lea: Caller) -> None:
    rule = rules.service.draft(lea, text())
    rules.service.change(lea, rule, text(), 1)
    with pytest.raises(RuleChangedError):
        rules.service.change(lea, rule, text(), 1)


def test_the_same_text_is_no_new_version_and_no_second_rule(rules: RuleRoom, lea: Caller) -> None:
    written = text()
    rule = rules.service.draft(lea, written)
    assert rules.service.change(lea, rule, written, 1) == 1
    with pytest.raises(RuleStateError, match=rule):
        rules.service.draft(lea, written)
    assert actions(rules, rule) == ["rule.drafted"]


def test_samples_that_fail_are_on_record_and_keep_a_rule_from_being_approved(
    rules: RuleRoom, lea: Caller, pia: Caller
) -> None:
    written = text().replace(b"startswith: prod/", b"startswith: nowhere/")
    rule = rules.service.draft(lea, written)
    assert [each.passed for each in rules.service.test(lea, rule)] == [False, True]
    detail = rules.reading.rule(OPERATOR, rule)
    assert detail.versions[0].tested_passed is False
    assert detail.steps[0].facts["failed"] == 1
    with pytest.raises(RuleStateError):
        rules.service.approve(pia, rule, digest_of(written))


def test_a_rule_without_samples_of_both_kinds_is_not_tested(rules: RuleRoom, lea: Caller) -> None:
    rule = rules.service.draft(lea, text().replace(b"match: false", b"match: true"))
    with pytest.raises(RuleSamplesError):
        rules.service.test(lea, rule)


def test_of_two_who_decide_at_once_one_wins(rules: RuleRoom, people: People, lea: Caller, pia: Caller) -> None:
    kim = people.caller(people.join("kim", ("security-lead", "")))
    written = text()
    rule = rules.service.draft(lea, written)
    rules.service.test(lea, rule)
    together, outcomes = threading.Barrier(2), []

    def decide(act: Callable[..., None], who: Caller) -> None:
        together.wait(60)
        try:
            act(who, rule, digest_of(written), "decided")
            outcomes.append("done")
        except TallystickError as error:
            outcomes.append(error.code)

    threads = [
        threading.Thread(target=decide, args=(rules.service.approve, pia)),
        threading.Thread(target=decide, args=(rules.service.reject, kim)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["done", "rule-state"]


def test_a_disabled_rule_is_enabled_again_without_a_new_approval_and_a_retired_one_never(
    rules: RuleRoom, lea: Caller, pia: Caller
) -> None:
    written = text()
    rule = make(rules, lea, pia, written)
    with pytest.raises(RuleInvalidError):
        rules.service.disable(lea, rule, " ")
    rules.service.disable(lea, rule, "too loud")
    assert (state(rules, rule), in_force(rules, rule)) == (State.DISABLED, None)
    rules.service.enable(lea, rule, digest_of(written))
    assert in_force(rules, rule) == digest_of(written)
    rules.service.retire(lea, rule, "the system is gone")
    assert (state(rules, rule), in_force(rules, rule)) == (State.RETIRED, None)
    for step in (
        lambda: rules.service.enable(lea, rule, digest_of(written)),
        lambda: rules.service.change(lea, rule, text(), 1),
        lambda: rules.service.test(lea, rule),
    ):
        with pytest.raises(RuleStateError):
            step()


def test_what_the_program_brings_is_in_force_from_the_start_and_stays_as_the_organisation_wants_it(
    rules: RuleRoom, house: Installation, lea: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = {each.id for each in rules.enabled()}
    assert set(shipping.pack()) <= shipped
    rules.service.disable(lea, "impersonation", "we have no such thing")
    rules.service.retire(lea, "clock-skew", "another system does it")
    shipping.ship(house.instance.commands, lambda: house.instance.services.ledger.status().now)
    before = house.actions()
    shipping.ship(house.instance.commands, lambda: house.instance.services.ledger.status().now)
    assert house.actions() == before
    brought = {**shipping.pack(), **{name: shipping.pack()[name] + b"# newer\n" for name in shipping.pack()}}
    monkeypatch.setattr(shipping, "pack", lambda: brought)
    shipping.ship(house.instance.commands, lambda: house.instance.services.ledger.status().now)
    assert in_force(rules, "malware-seen") == digest_of(brought["malware-seen"])
    assert rules.reading.rule(OPERATOR, "malware-seen").versions[0].state is State.APPROVED
    assert state(rules, "impersonation") is State.DISABLED
    assert [each.number for each in rules.reading.rule(OPERATOR, "clock-skew").versions] == [1]


def test_an_own_version_of_a_shipped_rule_is_not_replaced_by_a_newer_program(
    rules: RuleRoom, house: Installation, lea: Caller, pia: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack = shipping.pack()
    rule = "secret-exposed"
    own = pack[rule].replace(b"level: high", b"level: medium")
    newest = rules.reading.rule(OPERATOR, rule).versions[0].number
    rules.service.change(lea, rule, own, newest)
    rules.service.test(lea, rule)
    rules.service.approve(pia, rule, digest_of(own))
    rules.service.enable(lea, rule, digest_of(own))
    monkeypatch.setattr(shipping, "pack", lambda: {rule: pack[rule] + b"# newer still\n"})
    shipping.ship(house.instance.commands, lambda: house.instance.services.ledger.status().now)
    assert in_force(rules, rule) == digest_of(own)
    waiting = rules.reading.rule(OPERATOR, rule).shown.rule.newest
    assert waiting.number == newest + 2
    rules.service.enable(lea, rule, waiting.digest)
    assert in_force(rules, rule) == waiting.digest


def test_a_rule_of_a_scope_that_somebody_may_not_see_is_unknown_to_her(
    rules: RuleRoom, people: People, lea: Caller
) -> None:
    analyst = people.caller(people.join("ann", ("analyst", "acme/payments")))
    hidden = rules.service.draft(lea, text(), "acme/payroll")
    around = rules.service.draft(lea, text(), "acme")
    with pytest.raises(RuleUnknownError):
        rules.reading.rule(analyst, hidden)
    assert rules.reading.rule(analyst, around).shown.rule.scope == "acme"
    with pytest.raises(PermissionMissingError):
        rules.service.retire(analyst, around, "mine")
    with pytest.raises(PermissionMissingError):
        rules.service.draft(analyst, text(), "")
    mine = rules.service.draft(analyst, text(), "acme/payments")
    assert hidden not in {each.rule.id for each in rules.reading.rules(analyst)}
    assert mine in {each.rule.id for each in rules.reading.rules(analyst)}


def test_a_value_of_a_list_stops_counting_by_itself(rules: RuleRoom, house: Installation, lea: Caller) -> None:
    before = house.actions().count("indicator_list.changed")
    rules.lists.create(lea, "ends", "for a test")
    now = house.instance.services.ledger.status().now
    assert rules.lists.change(lea, "ends", Additions(("a.example", "a.example", "b.example"), None, "CERT")) == (2, 0)
    assert rules.lists.change(lea, "ends", Additions(("b.example",), now + 60_000_000, "CERT")) == (1, 0)
    assert rules.lists.change(lea, "ends", Additions(("b.example",), now + 60_000_000, "CERT")) == (0, 0)
    found = rules.lists.get(lea, "ends")
    assert set(found.counting(now)) == {"a.example", "b.example"}
    assert found.counting(now + 60_000_000) == ("a.example",)
    with pytest.raises(RuleInvalidError):
        rules.lists.change(lea, "ends", Additions(("c.example",), now - 1))
    assert rules.lists.change(lea, "ends", Additions(()), ["a.example", "never there"], "wrong") == (0, 1)
    assert rules.lists.values("ends") == ("b.example",)
    assert rules.lists.values("nowhere") is None
    assert house.actions().count("indicator_list.changed") == before + 3


def test_a_rule_goes_by_a_list_and_the_list_stays_while_a_rule_in_force_uses_it(
    rules: RuleRoom, house: Installation, lea: Caller, pia: Caller
) -> None:
    rules.lists.create(lea, "watched_targets")
    block = "  lists:\n    watched_targets: [prod/db]\n"
    written = text(action="file.deleted", block=block).replace(
        b"id|startswith: prod/", b"id|expand: '%watched_targets%'"
    )
    rule = make(rules, lea, pia, written)
    with pytest.raises(IndicatorListConflictError, match=rule):
        rules.lists.delete(lea, "watched_targets")
    house.post(sample(action="file.deleted", target={"id": "x", "type": "file"})).raise_for_status()
    assert rules.backtests.run(lea, rule, "2020-01-01", "now").fired == 0
    rules.lists.change(lea, "watched_targets", Additions(("x",)))
    assert rules.backtests.run(lea, rule, "2020-01-01", "now").fired == 1
    rules.service.disable(lea, rule, "done")
    rules.lists.delete(lea, "watched_targets")
    with pytest.raises(RuleTextError, match="watched_targets"):
        rules.service.enable(lea, rule, digest_of(written))


def test_rules_of_others_are_drafts_with_author_licence_and_place_and_the_bad_ones_are_named(
    rules: RuleRoom, lea: Caller
) -> None:
    licensed = SIGMAHQ.replace("level: high", "level: low\nlicense: MIT")
    files = [
        File("rules/cloud/one.yml", SIGMAHQ.encode()),
        File("rules/cloud/two.yml", licensed.encode()),
        File(
            "rules/bad.yml", b"title: bad\nlogsource: {product: x}\ndetection:\n  a: {b|nonsense: c}\n  condition: a\n"
        ),
        File("rules/none.yml", b"- a list"),
    ]
    found = rules.importing.keep(lea, files, "", "https://example.org/rules", "DRL 1.1")
    assert [each.outcome for each in found] == ["imported", "imported", "refused", "refused"]
    assert (found[2].line, bool(found[2].message)) == (4, True)
    detail = rules.reading.rule(lea, found[0].rule or "")
    rule = detail.shown.rule
    assert (rule.origin, rule.state, rule.license) == ("imported", State.DRAFT, "DRL 1.1")
    assert rule.link == "https://example.org/rules/rules/cloud/one.yml"
    assert detail.file is not None
    assert detail.file.main.head.author == "Somebody Upstream"
    assert rules.reading.rule(lea, found[1].rule or "").shown.rule.license == "MIT"
    assert [each.outcome for each in rules.importing.keep(lea, files[:2])] == ["known", "known"]
    assert detail.shown.flags == ("no such source",)


def test_a_rule_that_asks_for_what_never_comes_is_flagged(rules: RuleRoom, house: Installation, lea: Caller) -> None:
    house.post([sample(occurred_at=f"2026-03-01T12:00:{second:02}Z") for second in range(60)]).raise_for_status()
    good, bad = text(), text().replace(b"targets.id|startswith", b"metadata.no_such|startswith")
    kept, flagged = rules.service.draft(lea, good), rules.service.draft(lea, bad)
    assert rules.reading.rule(lea, kept).shown.flags == ()
    (flag,) = rules.reading.rule(lea, flagged).shown.flags
    assert flag.startswith("cannot match: metadata.no_such")


def test_a_backtest_finds_what_the_evaluation_fires_for_and_is_on_record(
    rules: RuleRoom, house: Installation, lea: Caller
) -> None:
    house.post(
        [
            sample(
                action="secret.deleted", target={"id": target, "type": "secret"}, actor={"id": actor, "type": "user"}
            )
            for target, actor in (("prod/a", "ana"), ("prod/b", "ana"), ("test/a", "ana"), ("prod/c", "bo"))
        ]
    ).raise_for_status()
    rule = rules.service.draft(lea, text(action="secret.deleted"))
    readings = house.actions().count("events.searched")
    found = rules.backtests.run(lea, rule, "2026-01-01", "now")
    assert (found.fired, found.read, found.complete, found.withheld) == (3, 4, True, False)
    assert found.groups == (("actor.id=ana", 2), ("actor.id=bo", 1))
    assert all(firing.sentence and firing.indexes for firing in found.firings)
    assert house.actions().count("events.searched") == readings + 1
    assert rules.backtests.run(lea, rule, "2020-01-01", "2020-02-01").fired == 0
    for wrong in (("nonsense", "now"), ("now", "-7d")):
        with pytest.raises(RuleInvalidError if wrong[0] == "nonsense" else TallystickError):
            rules.backtests.run(lea, rule, *wrong)


def test_a_backtest_looks_only_at_what_its_reader_may_see(
    rules: RuleRoom, house: Installation, people: People, lea: Caller
) -> None:
    told = {"action": "secret.changed", "target": {"id": "prod/a", "type": "secret"}, "reason": "a private reason"}
    house.post([sample(**told, scope="acme/payments"), sample(**told, scope="acme/payroll")]).raise_for_status()
    rule = rules.service.draft(lea, text(action="secret.changed"))
    private = text(action="secret.changed").replace(b"targets.id|startswith: prod/", b"reason|contains: private")
    curious = rules.service.draft(lea, private)
    assert rules.backtests.run(lea, rule, "2026-01-01", "now").fired == 2
    assert rules.backtests.run(lea, curious, "2026-01-01", "now").fired == 2
    role = people.role({Permission.RULES_READ, Permission.EVENTS_READ})
    member: Member = people.join("narrow", (role, "acme/payments"))
    narrow = people.caller(member)
    seen = rules.backtests.run(narrow, rule, "2026-01-01", "now")
    assert (seen.fired, seen.withheld) == (1, True)
    assert rules.backtests.run(narrow, curious, "2026-01-01", "now").fired == 0
    assert "private" not in repr(seen.firings)


def test_an_explanation_says_which_condition_decides_and_tells_no_stranger(
    rules: RuleRoom, house: Installation, people: People, lea: Caller
) -> None:
    house.post(sample(action="secret.read", target={"id": "test/x", "type": "secret"})).raise_for_status()
    index = house.instance.ledger.status().acknowledged.size - 1
    rule = rules.service.draft(lea, text())
    found = rules.backtests.explain(lea, rule, str(index))
    assert found.concerns
    (tree,) = found.documents
    assert not tree.matched

    def leaves(each: Any) -> list[Any]:
        return [leaf for part in each.parts for leaf in leaves(part)] if each.parts else [each]

    assert [(leaf.field, leaf.matched, leaf.values) for leaf in leaves(tree)] == [
        ("action", True, ("secret.read",)),
        ("targets.id", False, ("test/x",)),
    ]
    stranger = people.caller(people.join("strange", (people.role({Permission.RULES_READ}), "")))
    with pytest.raises(RuleEventUnknownError):
        rules.backtests.explain(stranger, rule, str(index))
    with pytest.raises(RuleEventUnknownError):
        rules.backtests.explain(lea, rule, "999999999")


def test_the_rules_in_force_fire_for_their_own_samples_and_one_that_would_not_is_an_alarm(
    rules: RuleRoom, lea: Caller, pia: Caller
) -> None:
    raised: list[Alarm] = []
    size = len(rules.enabled())
    found = rules.tests.round(raised.extend)
    assert (found.tried, found.failed, raised) == (size, (), [])
    rules.lists.create(lea, "soon_gone")
    written = text(block="  lists:\n    soon_gone: [prod/db]\n").replace(
        b"id|startswith: prod/", b"id|expand: '%soon_gone%'"
    )
    rule = make(rules, lea, pia, written, "acme")
    assert rules.tests.round(raised.extend).failed == ()
    broken = next(each for each in rules.enabled() if each.id == rule)
    tests = type(rules.tests)(lambda: [broken], lambda _: None, lambda: 1)
    tests.round(raised.extend)
    assert [(each.kind, each.key, each.scope, each.severity) for each in raised] == [
        ("rule.self_test_failed", f"rule={rule}", "acme", "high")
    ]
    assert "soon_gone" in raised[0].sentence
