"""What was read from the tables, kept in memory until they change."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

from sqlalchemy import Connection

from tallystick.follow.projection import Projection

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Kept(Generic[K, T]):
    """Answers by key, all thrown away once the tables changed. May be used from any thread; what is kept is shared, so
    nobody changes it.
    """

    def __init__(
        self, projection: Projection, load: Callable[[Connection, K], T], words: Iterable[str] | None = None
    ) -> None:
        """`words` are the first words of the actions that change what is kept, where only some do."""
        self._projection = projection
        self._load = load
        self._words = None if words is None else tuple(words)
        self._known: tuple[int, dict[K, T]] = (-1, {})  # replaced, never emptied

    def get(self, key: K) -> T:
        """Return what the tables say of a key."""
        known, version = self._known, self._version()
        # The version is read before the tables: what is kept may be newer than it says, never older.
        if known[0] != version:
            known = self._known = (version, {})
        answers = known[1]
        if key not in answers:
            with self._projection.engine.connect() as connection:
                answers[key] = self._load(connection, key)
        return answers[key]

    def _version(self) -> int:
        return self._projection.version if self._words is None else self._projection.version_of(self._words)
