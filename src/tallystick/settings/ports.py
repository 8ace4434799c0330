"""What settings need from the rooms beside them; `server` binds these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from tallystick.settings.model import Value


class Rights(Protocol):
    """What a caller may do; `access.rights.Rights` is one."""

    def allows(self, permission: Any, scope: str) -> bool:
        """Return whether a permission, by its name, holds in a scope; the empty one is everywhere."""
        ...


class Caller(Protocol):
    """Who looks or changes; `access.model.Caller` is one."""

    @property
    def id(self) -> str: ...
    @property
    def rights(self) -> Rights: ...


class Changed(Protocol):
    """Makes the event of one change."""

    def __call__(self, caller: Any, name: str, old: Value, new: Value, now_us: int, /) -> Mapping[str, Any]:
        """Return `setting.changed` with the caller as its actor, and both values as facts."""
        ...


class Looked(Protocol):
    """Records that somebody looked at the settings; durable on return."""

    def __call__(self, caller: Any, what: str, /) -> None: ...


class RequireFresh(Protocol):
    """Says whether somebody proved who they are a short while ago."""

    def __call__(self, caller: Any, /) -> None:
        """Return, or raise the error that leads to doing it again."""
        ...


class Objection(Protocol):
    """Says what speaks against a value that is good in itself, as the installation stands."""

    def __call__(self, name: str, value: Value, /) -> str | None:
        """Return why the setting cannot have the value now, in words for a person, or None."""
        ...
