"""The room of reviews, put together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.review.duties import DutyService
from tallystick.review.export import ReviewFiles
from tallystick.review.looking import Looking
from tallystick.review.ports import ReviewPorts
from tallystick.review.reviewing import Reviewing
from tallystick.review.upkeep import ReviewUpkeep


@dataclass(frozen=True, slots=True)
class ReviewRoom:
    """Duties, and their reviews as they are read, done, taken away and kept up to date."""

    duties: DutyService
    looking: Looking
    reviewing: Reviewing
    files: ReviewFiles
    upkeep: ReviewUpkeep


@contextmanager
def open_reviews(projection: Projection, commands: Commands, ports: ReviewPorts) -> Iterator[ReviewRoom]:
    """Yield the room; meanwhile reviews open by themselves."""
    reviewing = Reviewing(projection, commands, ports)
    looking = Looking(projection, reviewing, ports)
    with ReviewUpkeep(projection, commands, ports) as upkeep:
        yield ReviewRoom(
            DutyService(projection, commands, ports),
            looking,
            reviewing,
            ReviewFiles(commands, looking, ports),
            upkeep,
        )
