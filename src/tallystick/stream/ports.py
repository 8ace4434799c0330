"""What streaming needs from the rooms beside it; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tallystick.access.model import Caller
from tallystick.access.sources.model import Source
from tallystick.access.sources.ports import Lasting


class Looked(Protocol):
    """Records that somebody looked at destinations; durable on return."""

    def __call__(self, caller: Any, what: str, scope: str = "", /) -> None: ...


class Append(Protocol):
    """Appends one product event; when it returns, the event is durable."""

    def __call__(self, fields: Mapping[str, Any], /) -> object: ...


class RequireFresh(Protocol):
    """Says whether somebody proved who they are a short while ago."""

    def __call__(self, caller: Caller, /) -> None:
        """Return, or raise the error that leads to doing it again."""
        ...


@dataclass(frozen=True, slots=True)
class StreamPorts:
    """What other rooms do for this one. `now_us` is never before the log's newest event; `networks` are those that an
    operator allows besides the open Internet; `source` finds a sender by its name, or returns None; `lasting` are the
    rights of a caller without those of an emergency, which a destination would outlive.
    """

    append: Append
    looked: Looked
    require_fresh: RequireFresh
    now_us: Callable[[], int]
    networks: Sequence[str]
    source: Callable[[str], Source | None]
    lasting: Lasting
