"""The kinds beside Sigma, on streams whose numbers are known."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

import pytest
from tests.detect_world import DAY, HOUR, START, S

from tallystick.detect.errors import RuleTextError
from tallystick.detect.native import Found, Kind, Seen, Settings, make_kind, read_settings
from tallystick.detect.native.first_seen import VALUES_MAX, FirstSeen
from tallystick.detect.native.model import WEEK_HOURS, name_of_hour
from tallystick.detect.rulefile import parse_rule
from tallystick.sigma.yaml_text import read_documents

WEEK = 7 * DAY
MONDAY = START - 10 * HOUR
"""Midnight."""


def feed(
    kind: Kind, times: Iterable[int], group: tuple[str, ...] = ("ana",), values: Sequence[str] = ()
) -> list[Found]:
    """Let events come at given times, with the time between them passing as the engine lets it."""
    found: list[Found] = []
    for index, at in enumerate(times):
        found += kind.advance(at)
        found += kind.feed(Seen(group, index, at, at, tuple(values)))
    return found


def office_hours(weeks: int, dice: random.Random, per_hour: int = 4) -> list[int]:
    """Return times from Monday to Friday, nine to five."""
    return sorted(
        MONDAY + week * WEEK + day * DAY + hour * HOUR + dice.randrange(HOUR)
        for week in range(weeks)
        for day in range(5)
        for hour in range(9, 17)
        for _ in range(per_hour)
    )


def test_a_value_is_new_once_the_group_is_known_for_long_enough() -> None:
    kind = FirstSeen(Settings("first_seen", ("actor.id",), value=("country",)))
    assert feed(kind, [START], values=["NO"]) == []
    assert feed(kind, [START + 6 * DAY], values=["SE"]) == [], "still warming up"
    (found,) = feed(kind, [START + 8 * DAY], values=["BR"])
    assert found.sentence == ("actor.id ana: country BR was not seen in 30 d; 2 others known, watched for 8 d.")
    assert feed(kind, [START + 9 * DAY], values=["BR"]) == []


def test_a_value_is_new_again_after_the_history() -> None:
    kind = FirstSeen(Settings("first_seen", ("actor.id",), value=("country",)))
    feed(kind, [START], values=["NO"])
    feed(kind, [START + day * DAY for day in range(10, 60, 5)], values=["SE"])
    assert len(feed(kind, [START + 61 * DAY], values=["NO"])) == 1


def test_a_new_actor_does_not_flood_but_what_is_new_to_the_organisation_shows() -> None:
    person = FirstSeen(Settings("first_seen", ("actor.id",), value=("country",)))
    everybody = FirstSeen(Settings("first_seen", (), value=("country",)))
    for kind, old, new in ((person, ("ana",), ("eve",)), (everybody, (), ())):
        feed(kind, [START], old, ["NO"])
        found = feed(kind, [START + 20 * DAY + step for step in range(3)], new, ["KP"])
        assert len(found) == (0 if kind is person else 1)
    assert "the organisation: country KP" in found[0].sentence


def test_a_group_with_endless_values_stays_bounded_and_says_so() -> None:
    kind = FirstSeen(Settings("first_seen", ("actor.id",), value=("country",)))
    for number in range(VALUES_MAX + 50):
        feed(kind, [START + number * S], values=[str(number)])
    assert kind.dropped == 50
    (rows,) = [plain for _, _, plain in kind.take_changes()]
    assert len(rows[1]) == VALUES_MAX


def test_silence_is_found_once_at_its_own_time_and_ends_once() -> None:
    kind = make_kind(Settings("silence", ("source",), expect_us=HOUR))
    assert feed(kind, [START, START + 50 * 60 * S], ("app",)) == []
    late = [*kind.advance(START + 3 * HOUR), *kind.advance(START + 9 * HOUR)]
    assert [each.at_us for each in late] == [START + HOUR + 50 * 60 * S], (
        "when it was too long, not when it was noticed"
    )
    back = feed(kind, [START + 10 * HOUR], ("app",))
    assert [each.recovered for each in back] == [True]
    assert "after 9 h 10 min of silence" in back[0].sentence


def test_the_register_says_how_long_a_source_may_be_silent_and_knows_those_that_never_sent() -> None:
    register = {("app",): 2 * HOUR, ("never",): HOUR, ("any",): None}
    kind = make_kind(
        Settings("silence", ("source",)), lambda: [(group, START, limit) for group, limit in register.items()]
    )
    feed(kind, [START], ("app",))
    found = list(kind.advance(START + 4 * HOUR))
    assert [(each.group, each.at_us) for each in found] == [(("never",), START + HOUR), (("app",), START + 2 * HOUR)]
    assert "as the register of sources says" in found[0].sentence


def test_a_source_that_was_retired_is_not_missed() -> None:
    register: dict[tuple[str, ...], int | None] = {("app",): HOUR}
    kind = make_kind(
        Settings("silence", ("source",)), lambda: [(group, START, limit) for group, limit in register.items()]
    )
    feed(kind, [START], ("app",))
    register.clear()
    assert list(kind.advance(START + 4 * HOUR)) == []


def test_the_time_in_which_the_server_was_down_does_not_count_as_silence() -> None:
    kind = make_kind(Settings("silence", ("source",), expect_us=HOUR))
    feed(kind, [START], ("app",))
    kind.shift(5 * HOUR)
    assert list(kind.advance(START + 5 * HOUR + 59 * 60 * S)) == []
    assert len(kind.advance(START + 6 * HOUR)) == 1


@pytest.mark.parametrize("seed", range(3))
def test_learned_silence_knows_nights_and_weekends(seed: int) -> None:
    kind = make_kind(Settings("silence", ("source",)))
    times = office_hours(8, random.Random(seed), per_hour=12)
    false = [each for each in feed(kind, times, ("app",)) if not each.recovered]
    assert len(false) <= 2, "at most one false alarm a month, with nights and weekends"
    tuesday = MONDAY + 8 * WEEK + DAY
    times = [
        at for at in office_hours(9, random.Random(seed), per_hour=12) if MONDAY + 8 * WEEK < at < tuesday + 11 * HOUR
    ]
    assert feed(kind, times, ("app",)) == []
    found = list(kind.advance(tuesday + 15 * HOUR))
    assert len(found) == 1, "four hours of silence on a working day"
    assert found[0].at_us < tuesday + 12 * HOUR + 30 * 60 * S


def test_a_burst_is_found_by_the_event_that_makes_it_once_an_hour() -> None:
    dice = random.Random(5)
    kind = make_kind(Settings("burst", ("actor.id",)))
    assert feed(kind, office_hours(6, dice)) == []
    at = MONDAY + 6 * WEEK + 10 * HOUR
    found = feed(kind, [at + step * S for step in range(200)])
    (burst,) = found
    assert burst.count == 20, "the least that can be one"
    assert "4 are usual at that hour (median of 6 weeks)" in burst.sentence
    assert name_of_hour(at // HOUR) == "Monday 10:00 to 11:00 UTC"


def test_nothing_is_a_burst_before_three_weeks_are_known() -> None:
    kind = make_kind(Settings("burst", ("actor.id",)))
    assert feed(kind, [MONDAY + 2 * WEEK + step * S for step in range(500)]) == []


def test_a_drop_is_found_when_its_hour_is_over_once_for_hours_in_a_row_and_ends() -> None:
    kind = make_kind(Settings("drop", ("source",)))
    steady = [MONDAY + number * 60 * S for number in range(5 * WEEK_HOURS * 60)]
    low = [MONDAY + 5 * WEEK + hour * HOUR + 60 * S for hour in range(3)]
    normal = [MONDAY + 5 * WEEK + 3 * HOUR + number * 60 * S for number in range(120)]
    found = feed(kind, [*steady, *low, *normal], ("app",))
    assert [(each.recovered, each.at_us) for each in found] == [
        (False, MONDAY + 5 * WEEK + HOUR + 15 * 60 * S),
        (True, MONDAY + 5 * WEEK + 4 * HOUR + 15 * 60 * S),
    ]
    assert "1 event on Monday 00:00 to 01:00 UTC; 60 are usual" in found[0].sentence


def test_activity_at_an_unusual_hour_is_found_and_at_usual_ones_not() -> None:
    kind = make_kind(Settings("off_hours", ("actor.id",), at_least=50, history_us=14 * DAY))
    times = office_hours(6, random.Random(2))
    assert feed(kind, times) == []
    sunday = MONDAY + 5 * WEEK + 6 * DAY + 3 * HOUR
    (found,) = feed(kind, [sunday])
    assert "active on Sunday 03:00 to 04:00 UTC, around which 0 % of its activity falls" in found.sentence
    assert feed(kind, [MONDAY + 6 * WEEK + 10 * HOUR]) == []


KINDS = {
    "first_seen": Settings("first_seen", ("actor.id",), value=("country",), warm_up_us=DAY),
    "silence": Settings("silence", ("actor.id",)),
    "burst": Settings("burst", ("actor.id",), at_least=5, deviations=2),
    "drop": Settings("drop", ("actor.id",), at_least=3),
    "off_hours": Settings("off_hours", ("actor.id",), history_us=7 * DAY),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_state_that_is_saved_and_taken_back_finds_the_same(name: str) -> None:
    dice = random.Random(name)
    times = [at for at in office_hours(7, dice, per_hour=6) if dice.random() < 0.9]
    times += [MONDAY + 6 * WEEK + dice.randrange(WEEK) for _ in range(300)]
    events = [
        Seen((dice.choice("abc"),), index, at, at, (dice.choice("vwxyz") * dice.randrange(1, 4),))
        for index, at in enumerate(sorted(times))
    ]
    whole, saved = make_kind(KINDS[name]), make_kind(KINDS[name])
    kept: dict[tuple[str, ...], tuple[int, object]] = {}
    expected, found = [], []
    for seen in events:
        expected += [*whole.advance(seen.now_us), *whole.feed(seen)]
        found += [*saved.advance(seen.now_us), *saved.feed(seen)]
        if dice.random() < 0.02:
            for group, order, plain in saved.take_changes():
                kept.pop(group, None)
                if plain is not None:
                    kept[group] = (order, plain)
            saved = make_kind(KINDS[name])
            saved.load(_rows(kept))
    assert found == expected
    assert expected, "there was something to find"


def _rows(kept: dict[tuple[str, ...], tuple[int, object]]) -> list[tuple[tuple[str, ...], int, object]]:
    return sorted(((group, order, plain) for group, (order, plain) in kept.items()), key=lambda row: row[1])


RULE = """title: A rule
logsource: {product: tallystick}
detection:
  any: {action: user.signed_in}
  condition: any
tallystick:
"""
WRONG = {
    "kind: first_seen": ("needs `value`", 7, 3),
    "kind: silence\n  expect: soon": ("expect is a number with s, m, h, d or w", 8, 11),
    "kind: silence\n  expect: 1s": ("expect is from 60 s", 8, 11),
    "kind: burst\n  weeks: 2": ("weeks is a whole number from 3 to 12", 8, 10),
    "kind: drop\n  below: true": ("below is a whole number", 8, 10),
    "kind: off_hours\n  value: [a]": ("the key 'value' is not known here", 8, 3),
    "kind: sigma\n  expect: 1h": ("the key 'expect' is not known here", 8, 3),
    "group_by: [1]": ("each of group_by is the path of a field", 7, 14),
    "group_by: [a, b, c, d, e, f]": ("at most 5 fields", 7, 13),
    "lateness: 8d": ("lateness is from 1 s to 7 d", 7, 13),
}


@pytest.mark.parametrize("block", WRONG)
def test_a_block_that_is_wrong_is_refused_with_line_and_column(block: str) -> None:
    said, line, column = WRONG[block]
    with pytest.raises(RuleTextError, match=said) as caught:
        parse_rule(f"{RULE}  {block}\n".encode())
    assert (caught.value.line, caught.value.column) == (line, column)


def test_settings_are_read_with_their_defaults() -> None:
    (node,) = read_documents(b"group_by: [source]\nlateness: 1h\n")
    assert read_settings("sigma", node) == Settings("sigma", ("source",), lateness_us=HOUR)
    assert read_settings("silence", None).groups == ("source",)
    assert read_settings("off_hours", None) == Settings("off_hours", None, history_us=14 * DAY, at_least=50)
    assert Settings().groups == ("actor.id",)
