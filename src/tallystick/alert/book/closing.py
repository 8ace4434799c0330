"""Closing alerts with a verdict and a reason, by a second person where the settings want one, and opening them again."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection

from tallystick.access.grants.deciding import require_another
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.alert.book import events, rows
from tallystick.alert.book.clock import limits_of
from tallystick.alert.book.errors import AlertInvalidError, AlertStateError, ClosingChangedError
from tallystick.alert.book.model import GRAVE, Alert, Asked, State, Verdict
from tallystick.alert.book.reading import handled_alerts, visible_alert
from tallystick.alert.book.service import check_text, need_state, need_text
from tallystick.alert.ports import AlertPorts
from tallystick.event.canonical import canonical_json
from tallystick.follow.commands import Commands

BULK_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Closing:
    """What became of the closing of some alerts: closed, or asked for and waiting for a second person."""

    closed: tuple[str, ...]
    waiting: tuple[str, ...]


class ClosingService:
    """How alerts end; may be used from any thread. The errors of `AlertService` apply."""

    def __init__(self, commands: Commands, ports: AlertPorts) -> None:
        self._commands = commands
        self._ports = ports

    def close(
        self, caller: Caller, alert_ids: Sequence[str], verdict: Verdict, reason: str, duplicate_of: str | None = None
    ) -> Closing:
        """Close alerts with one verdict and reason, all or none, each by an event of its own.

        Grave ones are asked to be closed where the settings want a second person; a request that waited is replaced.
        Raises AlertInvalidError without a reason, and for a duplicate that does not say of which alert.
        """
        said = need_text(reason, "the reason")
        wanted = list(dict.fromkeys(alert_ids))
        if not 1 <= len(wanted) <= BULK_MAX:
            raise AlertInvalidError(f"1 to {BULK_MAX} alerts are closed at a time", pointer="/alerts")
        done = Closing((), ())

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            nonlocal done
            alerts, now = handled_alerts(connection, caller, wanted), self._ports.now_us()
            original = _original(connection, caller, alerts, verdict, duplicate_of)
            made, closed, waiting = [], [], []
            for alert in alerts:
                need_state(alert, State.NEW, State.ACKNOWLEDGED, State.IN_PROGRESS)
                facts = events.closing(verdict, original)
                if alert.severity in GRAVE and self._ports.switch("alerts.second_person"):
                    facts["digest"] = self._digest(alert, caller.id, verdict, original, said)
                    waiting.append(alert.id)
                else:
                    closed.append(alert.id)
                action = events.CLOSING_ASKED if "digest" in facts else events.CLOSED
                made.append(events.acted(caller, action, alert, now, facts, reason=said))
            done = Closing(tuple(closed), tuple(waiting))
            return made

        self._commands.run(decide)
        return done

    def approve(self, caller: Caller, alert_id: str, digest: str) -> None:
        """Close an alert as another person asked for. `digest` is of the request that was looked at.

        Raises OwnDecisionError for who asked, or is not free of who did; ClosingChangedError.
        """

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            now = self._ports.now_us()
            alert, asked = _asked(connection, caller, alert_id, digest)
            another = partial(require_another, connection, caller, Permission.ALERTS_HANDLE, alert.scope, now)
            another({asked.by})
            facts = {
                **events.closing(asked.verdict, asked.duplicate_of),
                "requested_by": asked.by,
                "digest": asked.digest,
            }
            reason = rows.reason_at(connection, asked.index)
            return [events.acted(caller, events.CLOSED, alert, now, facts, reason=reason)]

        self._commands.run(decide)

    def decline(self, caller: Caller, alert_id: str, digest: str, reason: str = "") -> None:
        """Say no to a closing, which anybody else must give a reason for, or take back one's own.

        Raises ClosingChangedError, AlertInvalidError.
        """
        said = check_text(reason)

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            alert, asked = _asked(connection, caller, alert_id, digest)
            if asked.by != caller.id:
                need_text(said, "the reason")
            facts, now = {"digest": asked.digest}, self._ports.now_us()
            return [events.acted(caller, events.CLOSING_DECLINED, alert, now, facts, reason=said or None)]

        self._commands.run(decide)

    def reopen(self, caller: Caller, alert_id: str, reason: str) -> None:
        """Open a closed alert again. Its history stays, and its time to close begins anew. Raises AlertInvalidError."""
        said = need_text(reason, "the reason")

        def decide(connection: Connection) -> Sequence[Mapping[str, Any]]:
            (alert,) = handled_alerts(connection, caller, [alert_id])
            need_state(alert, State.CLOSED)
            limits = events.limits_of(limits_of(self._ports.count, alert.severity))
            return [events.acted(caller, events.REOPENED, alert, self._ports.now_us(), limits, reason=said)]

        self._commands.run(decide)

    def _digest(self, alert: Alert, by: str, verdict: Verdict, duplicate_of: str | None, reason: str) -> str:
        """Return what stands for a closing that is asked for, its reason included, without giving the reason away."""
        told = {
            "alert": alert.id,
            "at": alert.changed_index,
            "by": by,
            "verdict": verdict.value,
            "duplicate_of": duplicate_of,
            "reason": reason,
        }
        return hmac.digest(self._ports.key, canonical_json(told), "sha256").hex()


def _asked(connection: Connection, caller: Caller, alert_id: str, digest: str) -> tuple[Alert, Asked]:
    (alert,) = handled_alerts(connection, caller, [alert_id])
    if alert.asked is None:
        raise AlertStateError(f"nobody asks to close alert {alert.id}")
    if not hmac.compare_digest(alert.asked.digest.encode(), digest.encode()):
        raise ClosingChangedError(f"alert {alert.id} is asked to be closed in another way now")
    return alert, alert.asked


def _original(
    connection: Connection, caller: Caller, alerts: Sequence[Alert], verdict: Verdict, duplicate_of: str | None
) -> str | None:
    """Return the alert that duplicates belong to; raises AlertInvalidError, AlertNotFoundError."""
    if verdict is not Verdict.DUPLICATE:
        if duplicate_of:
            raise AlertInvalidError("only a duplicate is one of another alert", pointer="/duplicate_of")
        return None
    if not duplicate_of:
        raise AlertInvalidError("say of which alert it is a duplicate", pointer="/duplicate_of")
    original = visible_alert(connection, caller, duplicate_of)
    if original.id in {alert.id for alert in alerts}:
        raise AlertInvalidError("no alert is a duplicate of itself", pointer="/duplicate_of")
    if original.duplicate_of is not None:
        raise AlertInvalidError(
            f"{original.id} is a duplicate itself, of {original.duplicate_of}", pointer="/duplicate_of"
        )
    return original.id
