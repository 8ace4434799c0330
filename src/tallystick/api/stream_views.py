"""Destinations, their standing and their dead letters, as the API shows them."""

from __future__ import annotations

import msgspec

from tallystick.event.occurred import time_of_us
from tallystick.stream.facts import settings_of
from tallystick.stream.model import Destination, Letter, Standing
from tallystick.stream.service import Made


class StandingView(msgspec.Struct, frozen=True, kw_only=True):
    """How a destination does. `lag` counts events that were not looked at yet, and `lag_s` is the age of the oldest."""

    next_index: int
    lag: int
    lag_s: float
    sent: int
    failures: int
    letters: int
    last_success: str | None
    last_error: str | None
    error: str
    next_try_s: float


class StreamView(msgspec.Struct, frozen=True, kw_only=True):
    """A destination without its secrets. `granted_by` is who gave it what it reads, at `granted_at`."""

    id: str
    name: str | None
    state: str
    url: str
    format: str
    scope: str
    query: str | None
    personal: bool
    reading: bool
    batch: int
    header_names: list[str]
    granted_by: str
    granted_at: str
    created_at: str
    standing: StandingView


class StreamsView(msgspec.Struct, frozen=True, kw_only=True):
    """The destinations that the caller may see, oldest first."""

    streams: list[StreamView]


class NewStreamView(msgspec.Struct, frozen=True, kw_only=True):
    """A destination with new secrets, for the only time. `token` is for receivers made for GitLab; it is empty after a
    rotation, which leaves it as it was.
    """

    id: str
    signing_secret: str
    token: str


class LetterView(msgspec.Struct, frozen=True, kw_only=True):
    """An event that was refused again and again. `status` is 0 where there was no answer."""

    index: int
    event: str
    at: str
    status: int
    reason: str
    tries: int
    replaying: bool


class LettersView(msgspec.Struct, frozen=True, kw_only=True):
    """What was set aside, oldest first."""

    letters: list[LetterView]


class ReplayedView(msgspec.Struct, frozen=True, kw_only=True):
    """How many events are sent again."""

    replayed: int


class TestedView(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a test. `status` is 0 without an answer."""

    delivered: bool
    status: int
    said: str


def view_of(destination: Destination, standing: Standing) -> StreamView:
    """Return a destination as answers show it."""
    settings, version = settings_of(destination), destination.now
    return StreamView(
        id=destination.id,
        name=destination.name,
        state=destination.state.value,
        url=settings.url,
        format=settings.format.value,
        scope=settings.scope or "/",
        query=version.query,
        personal=settings.personal,
        reading=settings.reading,
        batch=settings.batch,
        header_names=list(version.header_names),
        granted_by=version.maker,
        granted_at=time_of_us(version.set_at),
        created_at=time_of_us(destination.created_at),
        standing=_standing(standing),
    )


def letter_of(letter: Letter) -> LetterView:
    """Return an event that was set aside as answers show it."""
    return LetterView(
        index=letter.index,
        event=letter.event_id,
        at=time_of_us(letter.at),
        status=letter.status,
        reason=letter.reason,
        tries=letter.tries,
        replaying=letter.replaying,
    )


def _standing(standing: Standing) -> StandingView:
    position = standing.position
    return StandingView(
        next_index=position.next_index,
        lag=standing.lag,
        lag_s=round(standing.lag_s, 3),
        sent=position.sent,
        failures=position.failures,
        letters=standing.letters,
        last_success=time_of_us(position.last_success) if position.last_success else None,
        last_error=time_of_us(position.last_error) if position.last_error else None,
        error=position.error,
        next_try_s=round(standing.waiting_s, 1),
    )


def made_view(made: Made) -> NewStreamView:
    """Return the secrets of a new or rotated destination, which are shown this once."""
    return NewStreamView(id=made.id, signing_secret=made.signing, token=made.token)
