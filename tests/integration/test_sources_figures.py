"""What is counted of senders: over all events, in any order, through restarts and losses, and never twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Installation, installation, make_token, sample

from tallystick.access.operator import OPERATOR
from tallystick.access.sources.figures import STREAMS_MAX, Figures, Gap
from tallystick.access.sources.follower import FILE, SourceFollower
from tallystick.access.sources.gaps import GAPS_MAX, Stream
from tallystick.event.occurred import time_of_us
from tallystick.server import segments_of
from tallystick.testing import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def home(tmp_path: Path, clock: ManualClock) -> Iterator[Installation]:
    with installation(tmp_path, clock=clock) as opened:
        yield opened


def send(home: Installation, source: str, *events: dict[str, Any]) -> None:
    home.post(list(events), home.token("write", "/", source)).raise_for_status()


def numbered(number: int, stream: str = "main", **more: Any) -> dict[str, Any]:
    return sample(sequence={"stream": stream, "number": number}, **more)


def figures(home: Installation, name: str) -> Figures:
    sources = home.instance.services.sources
    return sources.figures().get(sources.get(OPERATOR, name).number, Figures())


def test_every_event_of_a_source_is_counted_and_no_others(home: Installation) -> None:
    send(home, "app", sample(), sample())
    send(home, "other", sample())
    send(home, "app", sample())
    assert [figures(home, name).total for name in ("app", "other")] == [3, 1]


def test_the_last_day_forgets_what_is_older(home: Installation, clock: ManualClock) -> None:
    send(home, "app", sample(), sample())
    clock.advance(12 * 3600)
    send(home, "app", sample())
    assert (figures(home, "app").total, figures(home, "app").last_day) == (3, 3)
    clock.advance(13 * 3600)
    send(home, "app", sample())
    assert (figures(home, "app").total, figures(home, "app").last_day) == (4, 2)


def test_the_clock_of_a_sender_shows_in_the_skew(home: Installation, clock: ManualClock) -> None:
    for behind_s in (5, 5, 5, -60):
        send(home, "app", sample(occurred_at=time_of_us(clock.now_us() - behind_s * 1_000_000)))
    found = figures(home, "app")
    assert found.skew_median_us is not None
    assert found.skew_p95_us is not None
    assert abs(found.skew_median_us - 5_000_000) < 1_000_000
    assert abs(found.skew_p95_us - 5_000_000) < 1_000_000


def test_a_number_left_out_is_missing_until_it_comes_late(home: Installation) -> None:
    send(home, "app", numbered(7), numbered(8), numbered(12))
    send(home, "app", numbered(3, "side"), numbered(4, "side"))
    found = figures(home, "app")
    assert (found.streams, found.missing, found.gaps) == (2, 3, (Gap("main", 9, 11),))
    send(home, "app", numbered(10))
    assert figures(home, "app").gaps == (Gap("main", 9, 9), Gap("main", 11, 11))
    send(home, "app", numbered(9), numbered(11))
    assert (figures(home, "app").missing, figures(home, "app").gaps) == (0, ())


def test_what_only_looks_like_a_counter_is_none(home: Installation) -> None:
    hidden = {"sequence": {"number": 5, "stream": "x"}, "text": '"sequence":{"number":9,"stream":"y"}'}
    send(home, "app", sample(metadata=hidden), sample(action="repository.pushed", metadata=hidden))
    assert (figures(home, "app").total, figures(home, "app").streams) == (2, 0)


def test_gaps_and_streams_are_bounded() -> None:
    stream = Stream(0)
    for number in range(1, 2 * GAPS_MAX + 40, 2):
        stream.take(number)
    assert (len(stream.gaps), stream.beyond, stream.missing) == (GAPS_MAX, 20, GAPS_MAX + 20)


def test_streams_beyond_the_bound_are_not_watched(home: Installation) -> None:
    send(home, "app", *(numbered(1, f"s{number}") for number in range(STREAMS_MAX + 5)))
    assert figures(home, "app").streams == STREAMS_MAX


def follower_of(home: Installation, folder: Path | None = None) -> SourceFollower:
    """Return a follower that follows only when it is told to, from what is kept in a folder: the installation's own."""
    instance = home.instance
    ledger, settings = instance.ledger, instance.settings
    data = folder or settings.data
    return SourceFollower(ledger.snapshot, ledger.origin, segments_of(settings), data, lambda: 0)


def sent(follower: SourceFollower) -> Figures:
    follower.catch_up()
    return follower.figures()[1]


def test_figures_go_on_after_a_restart_and_come_back_when_their_file_is_lost_or_damaged(tmp_path: Path) -> None:
    with installation(tmp_path) as home:
        send(home, "app", numbered(1), numbered(4), sample())
        send(home, "app", numbered(3))
        before = sent(follower_of(home))
        assert (before.total, before.gaps) == (4, (Gap("main", 2, 2),))
    file = tmp_path / "data" / FILE
    assert file.exists()
    for damage in (lambda: None, file.unlink, lambda: file.write_bytes(b"{"), lambda: file.write_bytes(b"\x00")):
        damage()
        with installation(tmp_path) as home:
            assert replace(sent(follower_of(home)), last_day=before.last_day) == before


def test_figures_are_the_same_from_sealed_segments_as_from_the_newest_frames(tmp_path: Path) -> None:
    with installation(tmp_path) as home:
        for start in range(0, 40_000, 8000):
            send(home, "app", *(numbered(number * 2) for number in range(start, start + 8000)))
        from_frames = sent(follower_of(home))
        ledger = home.instance.ledger
        size = ledger.status().acknowledged.size
        ledger.wait_committed(size, 30)
        ledger.rotate()
        while ledger.snapshot().sealed_size < size:
            ledger.wait_committed(size, 1)
        assert ledger.snapshot().sealed_size > 30_000
        again = follower_of(home, tmp_path)
        assert again.counted() == 0
        found = sent(again)
    assert (found.total, found.missing, found.gaps) == (from_frames.total, from_frames.missing, from_frames.gaps)


def test_a_source_that_sends_nothing_for_too_long_is_silent(home: Installation, clock: ManualClock) -> None:
    services = home.instance.services
    make_token(home.instance, "write", "/", "app")
    services.sources.change(OPERATOR, "app", lambda settings: replace(settings, silence_s=60))

    def state() -> str:
        return figures(home, "app").state(services.sources.get(OPERATOR, "app"), clock.now_us())

    assert state() == "waiting"
    clock.advance(61)
    assert state() == "silent"
    send(home, "app", sample())
    assert state() == "active"
    clock.advance(61)
    assert state() == "silent"
    shown = home.get("/metrics").text
    assert 'tallystick_source_silent{source="1"} 1.0' in shown
    assert 'tallystick_source_events{source="1"} 1.0' in shown
    services.sources.retire(OPERATOR, "app")
    assert state() == "retired"


def test_figures_of_sources_that_a_caller_may_not_see_are_in_no_answer(home: Installation) -> None:
    send(home, "app", sample())
    blind = home.token("write", "/", "blind")
    assert "tallystick_source_events{" not in home.get("/metrics", blind).text
    narrow = home.token("read", "acme", "narrow")
    assert 'tallystick_source_events{source="1"}' not in home.get("/metrics", narrow).text
    assert [each["name"] for each in home.get("/api/v1/sources", narrow).json()["sources"]] == ["narrow"]
