"""What views and exports need from the rooms beside them; `server` binds these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple, Protocol

from tallystick.work.model import Question


class Rights(Protocol):
    """What a caller may do; `access.rights.Rights` is one. Permissions are named as they are written."""

    def allows(self, permission: Any, scope: str) -> bool:
        """Return whether a permission holds in a scope; the empty one is everywhere."""
        ...

    def scopes(self, permission: Any) -> tuple[str, ...]:
        """Return the outermost scopes in which a permission holds."""
        ...


class Caller(Protocol):
    """Who asks; `access.model.Caller` is one."""

    @property
    def id(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def rights(self) -> Rights: ...
    @property
    def aliases(self) -> frozenset[str]: ...
    @property
    def token(self) -> str | None: ...


class Act(Protocol):
    """Makes the event of what a caller does."""

    def __call__(
        self,
        caller: Any,
        action: str,
        target: tuple[str, str, str | None],
        metadata: Mapping[str, Any],
        now_us: int,
        *,
        scope: str,
        changes: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Return the event; `target` is type, id and name, `changes` are the personal values that are set."""
        ...


class Looked(Protocol):
    """Records that somebody looked at what others set up; durable on return."""

    def __call__(self, caller: Any, what: str, scope: str, /) -> None: ...


class Prepared(NamedTuple):
    """An export about to be written: how many events it will hold, and what writes them.

    `write` calls its second argument with the number of events written since the last call.
    """

    events: int
    write: Callable[[BinaryIO, Callable[[int], None]], None]


class Exporter(Protocol):
    """Makes files of events; every format that can be asked for is one of its `formats`, with its suffix and type."""

    @property
    def formats(self) -> Mapping[str, tuple[str, str]]: ...
    def check(self, question: Question, caller: Any, format_name: str) -> None:
        """Return if the caller may export this now, reading nothing; raises a TallystickError otherwise."""
        ...

    def prepare(self, question: Question, caller: Any, format_name: str) -> Prepared:
        """Return the export, which is on record when this returns."""
        ...


class Append(Protocol):
    """Appends one product event; when it returns, the event is durable."""

    def __call__(self, fields: Mapping[str, Any], /) -> object: ...


@dataclass(frozen=True, slots=True)
class WorkPorts:
    """What other rooms do for this one. `room_bytes` is what exports leave free on the disk, `kept_days` for how many days
    a finished one can be fetched, as it is decided now.
    """

    exporter: Exporter
    act: Act
    append: Append
    looked: Looked
    room_bytes: int
    kept_days: Callable[[], int]
