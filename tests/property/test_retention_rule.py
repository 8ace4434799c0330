"""For any history of classes, shortenings, holds and decisions: the plan takes exactly what the verifier lets go."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.event.erasure import DAY_US, Absence, Erasure, ErasureHistory, Part
from tallystick.retain.plan import Ground, Slice, due

DAYS = st.one_of(st.none(), st.integers(1, 90))
INDEX = st.integers(0, 24)
RANGES = st.lists(st.tuples(INDEX, st.integers(1, 8)).map(list), min_size=1, max_size=3)
NUMBERS = st.lists(st.integers(1, 3), min_size=1, max_size=2, unique=True)
MOMENT = st.one_of(st.none(), st.integers(0, 40).map(lambda day: day * DAY_US))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), strategy)


def _named(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


CLASS = st.fixed_dictionaries(
    {
        "number": st.integers(1, 3),
        "retention_days": DAYS,
        "personal_days": DAYS,
        "floor_days": maybe(st.integers(1, 60)),
    }
).map(lambda metadata: ("class.changed", "ana", metadata))
BELOW = st.fixed_dictionaries(
    {
        "number": st.integers(2, 3),
        "retention_days": DAYS,
        "below_floor": st.integers(0, 200).map(lambda day: {"until": day * DAY_US}),
    }
).map(lambda metadata: ("class.changed", "ana", metadata))
HOLD = st.fixed_dictionaries(
    {
        "hold": st.sampled_from("abc"),
        "ranges": maybe(RANGES),
        "classes": maybe(NUMBERS),
        "sources": maybe(NUMBERS),
        "received": maybe(st.tuples(MOMENT, MOMENT).map(list)),
    }
).map(lambda metadata: ("hold.placed", "ana", _named(metadata)))
RELEASE = st.sampled_from("abc").map(lambda name: ("hold.released", "ben", {"hold": name}))
REQUEST = st.fixed_dictionaries({"ranges": RANGES, "part": st.sampled_from(["personal", "all"])}).map(
    lambda metadata: ("erasure.requested", "ana", metadata)
)
APPROVAL = st.tuples(st.sampled_from(["ana", "ben"]), st.integers(25, 60)).map(
    lambda said: ("erasure.approved", said[0], {"request": said[1]})
)
ERASED = st.fixed_dictionaries(
    {
        "ranges": RANGES,
        "part": st.sampled_from(["personal", "all"]),
        "ground": st.just({"kind": "retention"}),
        "classes": NUMBERS,
        "except_sources": maybe(NUMBERS),
    }
).map(lambda metadata: ("content.erased", "ana", _named(metadata)))
STORY = st.lists(
    st.tuples(st.one_of(CLASS, BELOW, HOLD, RELEASE, REQUEST, APPROVAL, ERASED), st.integers(0, 40)), max_size=14
)
EVENTS = st.lists(st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 3)), min_size=1, max_size=25)


def taken(pieces: list[Slice], absence: Absence) -> Slice | None:
    """Return the piece that takes this part of this event."""
    for piece in pieces:
        named = piece.class_number == absence.class_number and absence.index in piece.spans
        if named and piece.part.covers(absence.part) and absence.source not in piece.spared:
            return piece
    return None


@settings(max_examples=400)
@given(EVENTS, STORY, st.integers(0, 120))
def test_the_run_takes_exactly_what_the_verifier_lets_go_and_never_what_is_held(
    events: list[tuple[int, int, int]], story: list[tuple[tuple[str, str, dict[str, Any]], int]], later: int
) -> None:
    history, now, rows = ErasureHistory(), 0, []
    for index, (class_number, source, days) in enumerate(events):
        now += days * DAY_US
        rows.append((index, class_number, now, source))
    for number in (1, 2, 3):
        metadata = {"number": number, "retention_days": 60, "personal_days": None, "keeps_facts": number == 1}
        history.apply(0, 0, {"action": "class.defined", "metadata": metadata})
    times = [at for _, _, at, _ in rows]
    size = 25
    for (action, person, metadata), days in story:
        now += days * DAY_US
        facts = {"action": action, "actor": {"type": "user", "id": person}, "metadata": metadata}
        history.apply(size, now, facts)
        size += 1
    now += later * DAY_US

    def index_at(at: int) -> int:
        return bisect_left(times, at) if at <= times[-1] else size

    ground = Ground(history, size, tuple((number, 0, len(rows)) for number in (1, 2, 3)), index_at)
    pieces = due(ground, now)
    earlier = list(history.erasures)
    for index, class_number, at, source in rows:
        for part in (Part.ALL, Part.PERSONAL):
            absence = Absence(index, class_number, at, part, source)
            piece = taken(pieces, absence)
            if piece is not None:
                ranges = piece.spans.ranges()
                erasure = Erasure(
                    size, now, ranges, piece.part, piece.decision, frozenset({class_number}), piece.spared
                )
                part_taken = Part.PERSONAL if history.keeps_facts(class_number) else part
                judged = Absence(index, class_number, at, part_taken, source)
                assert history.objection(judged, erasure) is None
                assert history.hold_on(absence, size) is None
                continue
            if any(each.names(absence) and each.part.covers(part) for each in earlier):
                continue  # an erasure took it before
            alone = Erasure(size, now, ((index, 1),), part, None)
            assert history.objection(absence, alone) is not None, "retention passed, and it stays"
            for decided in history.decided():
                asked = Erasure(size, now, ((index, 1),), part, decided.decision)
                assert history.objection(absence, asked) is not None, "two people decided, and it stays"
