"""Records who read what, durably, before the first byte of the answer.

Equal searches of one caller within ten minutes stand in one event, with a second one for how often they were repeated;
following and pulling are recorded once per session and quarter of an hour. Appending is all this does: it never reads
the log, so recording never records itself.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from tallystick.clock import Clock
from tallystick.event.identifier import is_within
from tallystick.event.scopes import intersect, roots
from tallystick.query.moments import format_moment
from tallystick.search.model import Row, Search
from tallystick.search.ports import Append, Caller
from tallystick.search.sight import sight_of

COALESCE_US = 600_000_000
SESSION_US = 900_000_000
OWN_SCOPE = "tallystick"
WINDOWS_MAX = 4096
"""Readings whose repeats are being counted; beyond these the oldest is written down at once."""


@dataclass(slots=True)
class _Window:
    """One recorded reading and its repeats. Guarded by the recorder's lock, but for `recorded`."""

    fields: dict[str, Any]
    ends_at: int
    recorded: Future[None] = field(default_factory=Future)
    repeats: int = 0
    rows: int = 0


class ReadRecorder:
    """Safe to share between threads; every method returns only when the reading is on record, or raises."""

    def __init__(self, append: Append, clock: Clock, origin: str) -> None:
        self._append = append
        self._clock = clock
        self._ledger = {"id": origin, "type": "ledger"}
        self._lock = threading.Lock()
        self._windows: dict[tuple[Any, ...], _Window] = {}
        self._following: OrderedDict[tuple[Any, ...], None] = OrderedDict()  # guarded by _lock

    def searched(self, caller: Caller, search: Search, rows: int) -> None:
        """Record a search, a facet or a histogram over it, or a further page of it."""
        key = (*_identity(caller), caller.via, caller.address, search)
        made = partial(self._event, "events.searched", caller, search, {"rows": rows})
        self._coalesced(key, made, rows, COALESCE_US)

    def tailed(self, caller: Caller, search: Search, session: str, rows: int) -> None:
        """Record that a session follows new events."""
        key = ("tail", *_identity(caller), session, search)
        self._followed(key, partial(self._event, "events.tailed", caller, search, {"rows": rows}), rows)

    def pulled(self, caller: Caller, search: Search, session: str, rows: int, after: int) -> None:
        """Record that a session fetches events by index."""
        key = ("pull", *_identity(caller), session, search)
        metadata = {"rows": rows, "after_index": after}
        self._followed(key, partial(self._event, "events.pulled", caller, search, metadata), rows)

    def exported(self, caller: Caller, search: Search, rows: int, format_name: str) -> None:
        """Record an export; every one stands alone."""
        self._append(self._event("events.exported", caller, search, {"rows": rows, "format": format_name}))

    def viewed(self, caller: Caller, row: Row) -> None:
        """Record that a single event was opened."""
        self._append(self._about("event.viewed", caller, row))

    def proof_downloaded(self, caller: Caller, row: Row) -> None:
        """Record that the proof of an event was handed out, which discloses the event."""
        self._append(self._about("proof.downloaded", caller, row))

    def looked(self, caller: Caller, what: str, scope: str = "") -> None:
        """Record a look at what the product itself keeps: people, roles, settings. `what` names the place, no person."""
        key = ("looked", *_identity(caller), caller.via, caller.address, what, scope)
        place = {"id": what, "type": "administration"}
        made = partial(self._fields, "access.looked", caller, place, scope.strip("/") or OWN_SCOPE, {})
        self._coalesced(key, made, 0, COALESCE_US)

    def flush(self, *, everything: bool = False) -> None:
        """Append the counts of repeats whose window has ended, or of all; called from time to time and at the end."""
        now = self._clock.now_us()
        with self._lock:
            ended = [key for key, window in self._windows.items() if everything or window.ends_at <= now]
            windows = [self._windows.pop(key) for key in ended]
        for window in windows:
            if window.repeats:
                self._append(self._repeated(window))

    def _followed(self, key: tuple[Any, ...], make: Callable[[], dict[str, Any]], rows: int) -> None:
        """Record that a session follows or fetches; once it is known, only when it got something.

        A session that waits at the end of the log reads nothing. If each round were on record, the record itself would
        be the only thing that makes the log grow.
        """
        with self._lock:
            known = key in self._following
            self._following[key] = None
            self._following.move_to_end(key)
            if len(self._following) > WINDOWS_MAX:
                self._following.popitem(last=False)
        if rows or not known:
            self._coalesced(key, make, rows, SESSION_US)

    def _coalesced(self, key: tuple[Any, ...], make: Callable[[], dict[str, Any]], rows: int, length_us: int) -> None:
        now = self._clock.now_us()
        crowded_out: _Window | None = None
        self.flush()
        with self._lock:
            window = self._windows.get(key)
            is_first = window is None
            if window is None:
                if len(self._windows) >= WINDOWS_MAX:
                    crowded_out = self._windows.pop(next(iter(self._windows)))
                window = self._windows[key] = _Window(make(), now + length_us)
            else:
                window.repeats += 1
                window.rows += rows
        if not is_first:
            window.recorded.result()
            return
        if crowded_out is not None and crowded_out.repeats:
            self._append(self._repeated(crowded_out))
        try:
            self._append(window.fields)
        except BaseException as error:
            with self._lock:
                self._windows.pop(key, None)
                self._following.pop(key, None)
            window.recorded.set_exception(error)
            raise
        window.recorded.set_result(None)

    def _repeated(self, window: _Window) -> dict[str, Any]:
        metadata = {**window.fields["metadata"], "coalesced": window.repeats}
        if "rows" in metadata:
            metadata["rows"] = window.rows
        return {**window.fields, "metadata": metadata, "occurred_at": format_moment(self._clock.now_us())}

    def _event(self, action: str, caller: Caller, search: Search, metadata: dict[str, Any]) -> dict[str, Any]:
        held = (*roots(caller.read_scopes), *roots(caller.own_scopes))
        asked = (search.scope or "").strip("/")
        # In a scope that is not hers a reader leaves nothing, neither her question nor that she asked.
        is_hers = any(is_within(asked, root) for root in held)
        narrow = asked if asked and is_hers else held[0] if len(held) == 1 else ""
        # Only what was looked at: who asks later who could have seen an event goes by these.
        scopes = intersect(caller.read_scopes, (asked,))
        own = tuple(root for root in intersect(caller.own_scopes, (asked,)) if intersect((root,), scopes) != (root,))
        described = {"query": describe(search), "scopes": [root or "/" for root in scopes], **metadata}
        if own:
            described["own_scopes"] = [root or "/" for root in own]
        return self._fields(action, caller, self._ledger, narrow or OWN_SCOPE, described)

    def _about(self, action: str, caller: Caller, row: Row) -> dict[str, Any]:
        return self._fields(action, caller, {"id": row.id, "type": "event"}, row.event["scope"], {"rows": 1})

    def _fields(
        self, action: str, caller: Caller, target: dict[str, str], scope: str, metadata: dict[str, Any]
    ) -> dict[str, Any]:
        context = {"ip": caller.address} if caller.address else {}
        if caller.session:
            context["session_id"] = caller.session
        return {
            "action": action,
            "actor": {"id": caller.id, "type": caller.type},
            "targets": [target],
            "scope": scope,
            "occurred_at": format_moment(self._clock.now_us()),
            "context": {**context, "auth_method": caller.via},
            "metadata": metadata,
        }


def _identity(caller: Caller) -> tuple[Any, ...]:
    """Return what tells readers apart: one name may have several tokens, and they do not read the same."""
    return (caller.type, caller.id, caller.token, caller.session, sight_of(caller))


def describe(search: Search) -> str:
    """Return the question in one line, as the caller asked it."""
    parts = [search.text]
    parts += [f"from:{search.start}"] if search.start else []
    parts += [f"to:{search.end}"] if search.end else []
    parts += [f"scope:{search.scope}"] if search.scope else []
    parts += ["(with reading events)"] if search.reading else []
    return " ".join(part for part in parts if part)
