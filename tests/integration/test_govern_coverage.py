"""Coverage over a real log: gaps open and close, are on record, alarm, can be excepted, and can be worked out again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.govern_home import NOT_APPLICABLE, SCOPE, GovernHome, document, govern_home, pattern

from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.operator import OPERATOR
from tallystick.errors import PermissionMissingError
from tallystick.govern.exceptions.model import Kind, Risk, Wish
from tallystick.govern.systems.errors import (
    DeclarationDecidedError,
    NotYourSystemError,
    PositionUnknownError,
    SystemConflictError,
    SystemUnknownError,
)
from tallystick.govern.systems.model import DataClass, Environment, Facts

HOUR_S = 3600
DAY_US = 86_400_000_000


@pytest.fixture
def home(tmp_path: Path) -> Iterator[GovernHome]:
    with govern_home(tmp_path) as opened:
        yield opened


def own_sources(home: GovernHome) -> None:
    for source in ("tester", "other"):
        home.house.instance.services.sources.change(OPERATOR, source, lambda held: replace(held, owner="ops"))


def test_a_silent_gap_opens_alarms_and_closes_when_an_event_arrives(home: GovernHome) -> None:
    own_sources(home)
    home.declare(document(pattern() | {"sources": ["tester"]}))
    home.came("user.signed_in")
    home.room.watch.once()
    assert home.gaps() == set()
    home.clock.advance(61 * 60)
    assert home.gaps() == {"silent:authentication/sign-ins"}, "time alone opens it"
    home.room.watch.once()
    home.room.watch.once()
    opened = home.actions("coverage.")
    assert opened[-1] == "coverage.gap_opened"
    (silent,) = [each for each in _alerts(home) if each["title"].startswith("Declared activity is silent")]
    assert silent["severity"] == "high"
    home.came("user.signed_in")
    home.room.watch.once()
    assert home.gaps() == set()
    assert home.actions("coverage.")[len(opened) :] == ["coverage.gap_closed"]
    assert "alert.recovered" in home.actions("alert.")


def _alerts(home: GovernHome) -> list[dict[str, str]]:
    services = home.house.instance.services
    frames = [ref.read() for ref in services.ledger.snapshot().frames]
    facts = [json.loads(frame.facts_at(at)) for frame in frames for at in range(frame.count)]
    return [each["metadata"] | {"severity": each["severity"]} for each in facts if each["action"] == "alert.opened"]


def test_what_nobody_declared_is_a_gap_until_it_is_declared(home: GovernHome) -> None:
    own_sources(home)
    home.declare(document(pattern() | {"sources": ["tester"]}))
    home.came("user.signed_in", "user.deleted")
    home.came("user.signed_in", source="other")
    home.came("user.purged", scope="acme/elsewhere")
    assert home.gaps() == {"undeclared:user.deleted", "undeclared:user.signed_in", "source:other"}
    both = [
        pattern() | {"sources": ["tester", "other"]},
        pattern("deletions", "user.deleted") | {"sources": ["tester"]},
    ]
    home.declare(document(*both))
    assert home.gaps() == set()


def test_a_source_without_an_owner_is_a_gap_until_it_has_one(home: GovernHome) -> None:
    home.declare(document(pattern() | {"sources": ["tester"]}))
    home.came("user.signed_in")
    assert home.gaps() == {"owner:tester"}
    own_sources(home)
    assert home.gaps() == set()


def test_coverage_at_a_place_is_the_same_whenever_it_is_asked_for(home: GovernHome) -> None:
    told: dict[int, str] = {}
    coverage, olga = home.room.coverage, home.caller(home.olga)

    def note() -> None:
        size = home.house.instance.ledger.snapshot().size
        found = coverage.get(olga, home.system, size)
        told[size] = repr((found.at_us, found.patterns, found.gaps, found.declaration))

    note()
    home.came("user.signed_in", "user.deleted")
    home.declare(document())
    note()
    home.clock.advance(2 * HOUR_S)
    home.came("user.locked")
    note()
    own_sources(home)
    home.room.register.change(home.caller(home.lea), home.system, {"data_class": DataClass.RESTRICTED})
    home.came("user.signed_in", source="other")
    note()
    home.declare(document(pattern(action="user.*")))
    note()
    home.clock.advance(40 * 24 * HOUR_S)
    home.came("user.signed_in")
    assert len(told) == 5
    for size, said in told.items():
        found = coverage.get(olga, home.system, size)
        assert repr((found.at_us, found.patterns, found.gaps, found.declaration)) == said


def test_going_on_from_what_was_counted_says_what_counting_anew_does(home: GovernHome) -> None:
    own_sources(home)
    home.declare(document())
    coverage, olga = home.room.coverage, home.caller(home.olga)
    for step in range(13):
        home.clock.advance(71 * HOUR_S)
        home.came(*(["user.signed_in"] * (step % 3)), f"user.deleted{step % 7}", source=("tester", "other")[step % 2])
        size = home.house.instance.ledger.snapshot().size
        going_on, anew = coverage.get(olga, home.system), coverage.get(olga, home.system, size)
        assert {each.key: each.sentence for each in going_on.gaps} == {each.key: each.sentence for each in anew.gaps}
        assert going_on.patterns == anew.patterns


def test_an_exception_covers_a_gap_quietly_and_is_counted(home: GovernHome) -> None:
    own_sources(home)
    home.declare(document(pattern() | {"sources": ["tester"]}))
    home.came("user.signed_in")
    home.clock.advance(2 * HOUR_S)
    wish = Wish(
        Kind.DECLARATION,
        f"{home.system}/silent:authentication/sign-ins",
        SCOPE,
        "The intranet is closed this week.",
        "Nobody can sign in.",
        Risk.LOW,
        home.house.instance.services.ledger.status().now + 7 * DAY_US,
    )
    exceptions, lea = home.room.exceptions, home.caller(home.lea)
    made = exceptions.request(lea, wish)
    exceptions.approve(home.caller(home.dora), made, exceptions.get(lea, made).digest)
    before = len(_alerts(home))
    home.room.watch.once()
    home.room.watch.once()
    assert home.gaps() == {"silent:authentication/sign-ins"}, "it is a gap all the same"
    assert len(_alerts(home)) == before
    home.room.upkeep.once()
    assert exceptions.get(lea, made).used == 1, "each gap once a day"
    home.clock.advance(8 * 24 * HOUR_S)
    home.room.watch.once()
    assert len(_alerts(home)) > before, "once it is over the gap is told"


def test_a_declaration_is_in_force_only_as_somebody_else_approved_it(home: GovernHome) -> None:
    register = home.room.register
    olga, lea, dora = home.caller(home.olga), home.caller(home.lea), home.caller(home.dora)
    with pytest.raises(NotYourSystemError):
        register.propose(
            home.caller(home.people.join("vic", ("viewer", ""))), home.system, document(), based_on=None, reason="x"
        )
    mine = register.propose(lea, home.system, document(), based_on=None, reason="lea's")
    theirs = register.propose(olga, home.system, document(pattern(minutes=5)), based_on=None, reason="olga's")
    proposals = {each.declaration: each for each in register.get(olga, home.system).proposals}
    with pytest.raises(OwnDecisionError):
        register.approve(lea, home.system, mine, proposals[mine].digest)
    with pytest.raises(PermissionMissingError):
        register.approve(olga, home.system, mine, proposals[mine].digest)
    with pytest.raises(DeclarationDecidedError, match="not the text"):
        register.approve(dora, home.system, mine, proposals[theirs].digest)
    register.approve(dora, home.system, mine, proposals[mine].digest)
    with pytest.raises(DeclarationDecidedError, match="another declaration"):
        register.approve(dora, home.system, theirs, proposals[theirs].digest)
    with pytest.raises(DeclarationDecidedError, match="another declaration"):
        register.propose(olga, home.system, document(), based_on=None, reason="old")
    register.reject(dora, home.system, theirs, reason="overtaken")
    with pytest.raises(DeclarationDecidedError):
        register.withdraw(olga, home.system, theirs)


def test_a_change_of_the_environment_makes_the_declaration_due_until_it_is_approved_again(home: GovernHome) -> None:
    own_sources(home)
    home.declare(document(pattern() | {"sources": ["tester"]}))
    home.came("user.signed_in")
    register = home.room.register
    register.change(home.caller(home.olga), home.system, {"runbook": "https://wiki.example.org/intranet"})
    assert home.gaps() == set()
    register.change(home.caller(home.olga), home.system, {"environment": Environment.STAGING})
    assert home.gaps() == {"review:due"}
    home.declare(document(pattern() | {"sources": ["tester"]}))
    assert home.gaps() == set()
    home.clock.advance(366 * 24 * HOUR_S)
    home.came("user.signed_in")
    assert home.gaps() == {"review:due"}


def test_who_answers_changes_facts_but_not_who_answers(home: GovernHome) -> None:
    register, olga = home.room.register, home.caller(home.olga)
    with pytest.raises(PermissionMissingError):
        register.change(olga, home.system, {"owner": "lea"})
    with pytest.raises(PermissionMissingError):
        register.change(olga, home.system, {"scopes": ("acme",)})
    assert register.change(olga, home.system, {"assets": ("vm-1",)}) == ("assets",)
    assert register.change(olga, home.system, {"assets": ("vm-1",)}) == ()
    lea = home.caller(home.lea)
    assert register.change(lea, home.system, {"owner": "lea", "deputies": ("olga",)}) == ("owner", "deputies")
    same = Facts("INTRANET", ("acme/x",), Environment.TEST, DataClass.PUBLIC, "lea")
    with pytest.raises(SystemConflictError):
        register.register(lea, same)


def test_a_retired_system_has_no_gaps_and_can_still_be_read(home: GovernHome) -> None:
    home.room.watch.once()
    size = home.house.instance.ledger.snapshot().size
    gaps = home.gaps()
    assert len(gaps) == 5
    home.room.register.retire(home.caller(home.lea), home.system, reason="replaced")
    home.room.watch.once()
    closed = home.actions("coverage.gap_closed")
    assert len(closed) == 5
    assert home.gaps(size) == gaps, "as it stood then"
    with pytest.raises(SystemConflictError):
        home.room.register.change(home.caller(home.lea), home.system, {"name": "X"})


@pytest.mark.parametrize("at", [0, 10_000])
def test_a_place_beyond_the_log_is_refused(home: GovernHome, at: int) -> None:
    with pytest.raises(PositionUnknownError):
        home.gaps(at)


def test_before_a_system_was_registered_it_is_unknown(home: GovernHome) -> None:
    with pytest.raises(SystemUnknownError):
        home.gaps(3)


def test_the_api_shows_and_exports_the_register_and_coverage(home: GovernHome) -> None:
    reader = home.people.join("rea", ("viewer", "acme"))
    stranger = home.people.join("sam", ("viewer", "other"))
    home.declare(document())
    home.came("user.signed_in")
    size = home.house.instance.ledger.snapshot().size
    http, seen = home.house.http, reader.headers
    found = http.get("/systems.json", headers=seen).json()["systems"]
    assert [each["system"]["name"] for each in found] == ["Intranet"]
    assert http.get("/systems.json", headers=stranger.headers).json()["systems"] == []
    assert http.get(f"/systems/{home.system}", headers=stranger.headers).status_code == 404
    one = http.get(f"/systems/{home.system}.json?at={size}", headers=seen).json()
    assert one["coverage"]["size"] == size
    text = http.get("/systems/export?format=csv", headers=seen).text
    assert '"[""=cmd()""]"' in text
    told = http.get(f"/systems/export?what=coverage&format=json&at={size}", headers=seen).json()
    assert {each["line"] for each in told["rows"]} == {"pattern", "not applicable", "gap"}
    assert set(NOT_APPLICABLE) <= {each["key"] for each in told["rows"]}
