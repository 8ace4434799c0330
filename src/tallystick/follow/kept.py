"""What was read from the tables, kept in memory until they may have changed."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from tallystick.follow.projection import Projection

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Kept(Generic[K, T]):
    """Answers by key, all thrown away once the tables may have changed. May be used from any thread; what is kept is
    shared, so nobody changes it.
    """

    def __init__(self, projection: Projection, load: Callable[[Connection, K], T]) -> None:
        self._projection = projection
        self._load = load
        self._known: tuple[int, dict[K, T]] = (-1, {})  # replaced, never emptied

    def get(self, key: K) -> T:
        """Return what the tables say of a key."""
        known, version = self._known, self._projection.version
        # The version is read before the tables: what is kept may be newer than it says, never older.
        if known[0] != version:
            known = self._known = (version, {})
        answers = known[1]
        if key not in answers:
            with self._projection.engine.connect() as connection:
                answers[key] = self._load(connection, key)
        return answers[key]
