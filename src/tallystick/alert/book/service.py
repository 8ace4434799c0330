"""The steps of an alert's life but its closing. Each checks the right itself, and each is one event."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.alert.book import events
from tallystick.alert.book.errors import AlertInvalidError, AlertStateError
from tallystick.alert.book.model import TEXT_MAX, Alert, Assignee, State
from tallystick.alert.book.reading import handled_alerts
from tallystick.alert.ports import AlertPorts
from tallystick.follow.commands import Commands

_TEAM: Final = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}", re.ASCII)


class AlertService:
    """What is done with alerts; may be used from any thread.

    Every verb raises AlertNotFoundError for an alert that the caller may not see, PermissionMissingError without the
    right to handle it, and AlertStateError where the alert is not where the step begins.
    """

    def __init__(self, commands: Commands, ports: AlertPorts) -> None:
        self._commands = commands
        self._ports = ports

    def acknowledge(self, caller: Caller, alert_id: str) -> None:
        """Say that somebody looks at a new alert; its time to acknowledge stops."""

        def decide(alert: Alert, _: Connection) -> events.Event:
            need_state(alert, State.NEW)
            return events.acted(caller, events.ACKNOWLEDGED, alert, self._ports.now_us())

        self._one(caller, alert_id, decide)

    def start(self, caller: Caller, alert_id: str) -> None:
        """Say that somebody works on an alert; where nobody had acknowledged it, this does."""

        def decide(alert: Alert, _: Connection) -> events.Event:
            need_state(alert, State.NEW, State.ACKNOWLEDGED)
            return events.acted(caller, events.STARTED, alert, self._ports.now_us())

        self._one(caller, alert_id, decide)

    def assign(self, caller: Caller, alert_id: str, assignee: Assignee | None) -> None:
        """Give an alert to a person, by id or handle, who may handle it, or to a team, or to nobody.

        Raises AlertInvalidError for a person who is not there or could not see it, and for a team that the routes do not
        know, where they know any.
        """

        def decide(alert: Alert, connection: Connection) -> events.Event:
            need_state(alert, State.NEW, State.ACKNOWLEDGED, State.IN_PROGRESS)
            facts = (
                {}
                if assignee is None
                else {"assignee_kind": assignee.kind, "assignee": self._known(connection, assignee, alert)}
            )
            return events.acted(caller, events.ASSIGNED, alert, self._ports.now_us(), facts)

        self._one(caller, alert_id, decide)

    def comment(self, caller: Caller, alert_id: str, text: str) -> None:
        """Write a comment, also on what is closed. Raises AlertInvalidError."""
        said = need_text(text, "a comment")

        def decide(alert: Alert, _: Connection) -> events.Event:
            return events.acted(caller, events.COMMENTED, alert, self._ports.now_us(), reason=said)

        self._one(caller, alert_id, decide)

    def link(self, caller: Caller, alert_id: str, event: int | str, note: str = "") -> int:
        """Link an event that the caller may read, by index or id, and return its index; the view is recorded.

        Raises EventNotFoundError of the search, AlertInvalidError.
        """
        said = check_text(note)
        index, event_id = self._ports.event(caller, event)

        def decide(alert: Alert, _: Connection) -> events.Event:
            facts = {"index": index, "event": event_id}
            return events.acted(caller, events.EVENT_LINKED, alert, self._ports.now_us(), facts, reason=said or None)

        self._one(caller, alert_id, decide)
        return index

    def respond(self, caller: Caller, alert_id: str, text: str = "", *, follows_rule: bool = False) -> None:
        """Record what was done about an alert: as its rule says, in words of one's own, or both.

        Raises AlertInvalidError where the rule says nothing, or neither is given.
        """
        said = check_text(text)
        if not follows_rule:
            need_text(text, "what was done")

        def decide(alert: Alert, _: Connection) -> events.Event:
            facts: dict[str, Any] = {"follows_rule": follows_rule}
            if follows_rule:
                card = self._ports.card(alert.kind, alert.version)
                if card is None or not card.response:
                    raise AlertInvalidError("its rule says nothing about what to do", pointer="/follows_rule")
                facts["response"] = card.response[:TEXT_MAX]
            return events.acted(caller, events.RESPONDED, alert, self._ports.now_us(), facts, reason=said or None)

        self._one(caller, alert_id, decide)

    def _known(self, connection: Connection, assignee: Assignee, alert: Alert) -> str:
        if assignee.kind == "team":
            teams = self._ports.teams(connection)
            if not _TEAM.fullmatch(assignee.id) or (teams and assignee.id not in teams):
                raise AlertInvalidError(
                    f"{assignee.id[:64]!r} is no team",
                    pointer="/team",
                    advice=f"The routes know: {', '.join(sorted(teams))}." if teams else "Name it as the routes would.",
                )
            return assignee.id
        person = self._ports.person(assignee.id)
        if person is None or not person.rights.allows(Permission.ALERTS_HANDLE, alert.scope):
            raise AlertInvalidError(
                f"{assignee.id[:64]!r} is nobody who may handle this alert",
                pointer="/assignee",
                advice="Name a person by id or handle who holds alerts.handle in the alert's scope.",
            )
        return person.id

    def _one(self, caller: Caller, alert_id: str, decide: Callable[[Alert, Connection], events.Event]) -> None:
        def run(connection: Connection) -> Sequence[Mapping[str, Any]]:
            (alert,) = handled_alerts(connection, caller, [alert_id])
            return [decide(alert, connection)]

        self._commands.run(run)


def need_state(alert: Alert, *states: State) -> None:
    """Raise AlertStateError unless an alert is in one of the states."""
    if alert.state not in states:
        raise AlertStateError(f"alert {alert.id} is {alert.state.replace('_', ' ')}")


def need_text(text: str, what: str) -> str:
    """Return a text that must say something; raises AlertInvalidError."""
    said = check_text(text)
    if not said:
        raise AlertInvalidError(f"{what} is missing", pointer="/reason")
    return said


def check_text(text: str) -> str:
    """Return a text without space around it; raises AlertInvalidError for one that is too long."""
    said = text.strip()
    if len(said) > TEXT_MAX:
        raise AlertInvalidError(f"the text has {len(said):,} characters, more than {TEXT_MAX:,}", pointer="/reason")
    return said
