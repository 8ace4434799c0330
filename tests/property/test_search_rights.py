"""For whatever a caller may see, every way of reading shows exactly that, and tells nothing of the rest."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.property.test_search_rows import QUERIES
from tests.search_rights import Sees
from tests.search_world import PEOPLE, SCOPES, WORDS, Reader, World, random_event, reading_event

from tallystick.errors import PermissionMissingError, TallystickError
from tallystick.query.errors import PersonalWithheldError
from tallystick.query.model import NOTHING
from tallystick.search.errors import EventNotFoundError
from tallystick.search.export import export_events
from tallystick.search.facets import choose_step
from tallystick.search.model import FACET_FIELDS, Search
from tallystick.search.plan import make_plan
from tallystick.search.service import SearchOptions

ROOTS = ("", "acme", "globex", "tallystick", "nowhere", *SCOPES)
SECRET = "umbrella/vault"
SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


def scopes(likely: str = "") -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from((likely, *ROOTS)), max_size=3, unique=True).map(tuple)


CALLERS = st.builds(
    Reader,
    name=st.sampled_from(["auditor", "ana"]),
    type=st.sampled_from(["user", "service"]),
    read_scopes=scopes(),
    personal_in=scopes(),
    own_scopes=scopes(),
    reading_scopes=scopes(),
    aliases=st.frozensets(st.sampled_from(PEOPLE), max_size=2),
)
SEARCHES = st.builds(
    Search,
    text=st.one_of(st.just(""), QUERIES),
    scope=st.sampled_from([None, None, "acme", "globex/web", "nowhere"]),
    reading=st.booleans(),
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("world"), engine=True, options=SearchOptions(engine_rows_min=10))
    made.fill(11, 60)
    made.add([{**reading_event(1), "actor": {"id": "ana", "type": "user"}}], 0)
    made.seal()
    made.fill(12, 50)
    made.add([{**random_event(random.Random(number)), "scope": SECRET} for number in range(9)])
    made.add([{**reading_event(2), "scope": "acme/payments"}], 0)
    yield made
    made.close()


@SLOW
@given(search=SEARCHES, caller=CALLERS)
def test_every_way_of_reading_shows_what_filter_and_mask_leave(world: World, search: Search, caller: Reader) -> None:
    try:
        expected = Sees(world, caller).rows(search)
        rows = world.all_rows(search, caller, limit=17)
    except PersonalWithheldError:
        assert not Sees(world, caller).may_ask_personal(search.scope or "")
        for ask in (world.service.facets, world.service.histogram, world.service.open_export):
            with pytest.raises(PersonalWithheldError):
                ask(search, caller)
        return
    shown = [(row.index, row.event) for row in rows[::-1]]
    assert shown == expected
    pull = world.service.after_index(search, caller, -1)
    assert [(row.index, row.event) for row in pull.rows] == expected
    lines = b"".join(export_events(world.service, world.ledger, search, caller, "jsonl")).splitlines()
    exported = [json.loads(line) for line in lines[1:-1]]
    assert [(row["index"], row["event"]) for row in exported] == expected
    facets, histogram = world.service.overview(search, caller)
    assert facets.total == histogram.total == sum(bar.count for bar in histogram.bars) == len(expected)
    counted = {facet.field: {value.value: value.count for value in facet.values} for facet in facets.facets}
    times = [int(datetime.fromisoformat(str(event["occurred_at"])).timestamp() * 1e6) for _, event in expected]
    assert histogram.step_us == choose_step(min(times, default=0), max(times, default=0), SearchOptions().bars_max)
    for field in ("action", "scope", "outcome"):
        values = [event[field] for _, event in expected]
        assert counted[field] == {value: values.count(value) for value in set(values)}


@SLOW
@given(caller=CALLERS, data=st.data())
def test_an_event_is_opened_disclosed_and_fetched_just_when_it_is_seen(
    world: World, caller: Reader, data: st.DataObject
) -> None:
    sees, every = Sees(world, caller), world.disclosures()
    for each in data.draw(st.lists(st.sampled_from(every), min_size=1, max_size=8)):
        if sees.event(each):
            row = world.service.get(each.index, caller)
            assert world.service.disclose(each.index, caller)[0].personal == (
                each.personal if sees.personal(each) else None
            )
            assert row.withheld == (not sees.personal(each) and each.personal != b"{}")
        else:
            for ask in (world.service.get, world.service.disclose, world.service.who_read):
                with pytest.raises(EventNotFoundError):
                    ask(each.index, caller)
    found, _ = world.service.disclosures_after(caller, -1, 1000)
    assert [each.index for each in found] == [each.index for each in every if sees.event(each)]
    assert all((row.personal is None) == (not sees.personal(row)) for row in found)


def varied(event: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return the event with other personal values of the same shape; ids, and with them keys, stay."""

    def other(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: other(item) for key, item in value.items()}
        if isinstance(value, list):
            return [other(item) for item in value]
        return rng.choice(WORDS) if isinstance(value, str) else value

    changed = dict(event)
    for name in ("message", "reason", "metadata", "raw"):
        if name in event:
            changed[name] = other(event[name])
    for party in ("actor", "on_behalf_of"):
        if party in event:
            personal = {name: rng.choice(WORDS) for name in ("name", "email") if name in event[party]}
            changed[party] = {**event[party], **personal}
    if not event["action"].startswith("release."):  # what a release is called is declared a fact
        named = [{**each, "name": rng.choice(WORDS)} if "name" in each else each for each in event["targets"]]
        changed["targets"] = named
    if "changes" in event:
        changed["changes"] = [
            {**each, "old": other(each["old"]), "new": other(each["new"])} for each in event["changes"]
        ]
    if "context" in event:
        facts = {name: value for name, value in event["context"].items() if name == "request_id"}
        changed["context"] = {**{name: rng.choice(WORDS) for name in event["context"]}, **facts}
    return changed


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    made = [World(tmp_path_factory.mktemp(name)) for name in ("one", "two")]
    rng = random.Random(5)
    for number in range(60):
        event = {**random_event(rng), "id": f"00000000-0000-4000-8000-{number:012d}"}
        source = rng.choice((1, 2))
        made[0].add([event], source)
        made[1].add([varied(event, rng)], source)
        if number == 40:
            for each in made:
                each.seal()
    yield made[0], made[1]
    for each in made:
        each.close()


def answers(world: World, search: Search, caller: Reader) -> list[Any]:
    """Return everything that a caller is answered, refusals in their words too."""
    service = world.service

    def told(ask: Callable[[], Any]) -> Any:
        try:
            return ask()
        except TallystickError as error:
            return (type(error), error.message, error.advice)

    def export() -> list[Any]:
        lines = b"".join(export_events(service, world.ledger, search, caller, "jsonl")).splitlines()
        head = {name: value for name, value in json.loads(lines[0]).items() if name != "checkpoint"}
        return [head, *lines[1:]]

    def disclosures() -> list[Any]:
        return [(row.index, row.facts, row.personal, row.salt2) for row in service.disclosures_after(caller, -1, 99)[0]]

    world.recorded.clear()
    service.recorder = world.make_recorder()  # remembers nobody
    given = [
        told(lambda: service.search(search, caller, limit=7)),
        told(lambda: service.overview(search, caller, fields=FACET_FIELDS)),
        told(lambda: service.after_index(search, caller, -1)),
        told(export),
        *(told(partial(service.get, index, caller)) for index in range(0, 60, 9)),
        *(told(partial(service.who_read, index, caller)) for index in range(0, 60, 25)),
        told(disclosures),
    ]
    service.recorder.flush(everything=True)
    return [*map(repr, given), *world.recorded]


@SLOW
@given(
    search=SEARCHES,
    caller=st.builds(
        Reader,
        # Not the product's own scope: the first events of two ledgers name their keys, which differ.
        read_scopes=st.lists(st.sampled_from(("acme", "globex", *SCOPES)), max_size=4, unique=True).map(tuple),
        reading_scopes=scopes(),
        personal=st.just(False),
    ),
)
def test_without_the_right_nothing_tells_two_logs_apart_that_differ_in_personal_values(
    twins: tuple[World, World], search: Search, caller: Reader
) -> None:
    one, two = (answers(world, search, caller) for world in twins)
    assert one == two


@pytest.fixture(scope="module")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[World, World]]:
    """Two logs of which one has a neighbour whose events are recent, the other one whose events are years old."""
    made = [World(tmp_path_factory.mktemp(name)) for name in ("recent", "old")]
    rng = random.Random(6)
    for number in range(40):
        event = {**random_event(rng), "id": f"00000000-0000-4000-8000-{number:012d}"}
        hidden = {**random_event(rng), "id": f"00000000-0000-4000-9000-{number:012d}", "scope": SECRET}
        for world, year in zip(made, ("2026", "2011"), strict=True):
            world.add([event, {**hidden, "occurred_at": f"{year}-02-{number % 28 + 1:02d}T08:00:00Z"}])
            if number == 25:
                world.seal()
    yield made[0], made[1]
    for each in made:
        each.close()


@SLOW
@given(
    search=SEARCHES,
    caller=st.builds(
        Reader,
        read_scopes=st.lists(st.sampled_from(("acme", "globex", *SCOPES)), max_size=4, unique=True).map(tuple),
    ),
)
def test_nothing_tells_a_restricted_reader_when_the_events_of_others_happened(
    neighbours: tuple[World, World], search: Search, caller: Reader
) -> None:
    one, two = (repr(world.service.overview(search, caller)) for world in neighbours)
    assert one == two


def test_the_neighbours_do_differ_for_who_may_see(neighbours: tuple[World, World]) -> None:
    one, two = (world.service.histogram(Search(), Reader()).step_us for world in neighbours)
    assert one != two


def test_the_twins_do_differ_for_who_may_see(twins: tuple[World, World]) -> None:
    search = Search(text="alpha")
    assert answers(twins[0], search, Reader()) != answers(twins[1], search, Reader())


@SLOW
@given(search=SEARCHES, personal_in=scopes())
def test_a_scope_that_may_not_be_read_answers_as_one_that_is_not_there(
    world: World, search: Search, personal_in: tuple[str, ...]
) -> None:
    stranger = Reader(read_scopes=("tallystick",), personal_in=personal_in)
    there, absent = (
        repr(answers(world, msgspec.structs.replace(search, scope=scope), stranger)).replace(scope, "SCOPE")
        for scope in (SECRET, "initech/hidden")
    )
    assert there == absent


def test_what_may_not_be_read_is_not_even_looked_for(world: World) -> None:
    plan = make_plan(Search(text="alpha", scope="acme"), Reader(read_scopes=("globex",)), world.register, 0)
    assert plan.node == NOTHING


def test_exports_proofs_and_readings_need_their_own_permission(world: World) -> None:
    seen = next(row for row in world.all_rows(Search(), Reader()) if row.event["scope"] == "globex/web")
    for caller, ask in (
        (Reader(export_scopes=()), lambda each: world.service.open_export(Search(), each)),
        (Reader(export_scopes=("acme",)), lambda each: world.service.open_export(Search(), each)),
        (Reader(proof_scopes=()), lambda each: world.service.disclosures_after(each, -1, 10)),
        (Reader(proof_scopes=("acme",)), lambda each: world.service.disclose(seen.index, each)),
        (Reader(reading_scopes=("acme",)), lambda each: world.service.who_read(seen.index, each)),
    ):
        with pytest.raises(PermissionMissingError):
            ask(caller)
    scan, count = world.service.open_export(Search(scope="acme"), Reader(export_scopes=("acme",)))
    assert count == len(Sees(world, Reader()).rows(Search(scope="acme"))) == sum(len(found) for found in scan.run())
