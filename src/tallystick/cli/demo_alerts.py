"""How the demo organisation handles its alerts: who looks when, what is done, and what each turned out to be."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Final

from tallystick.alert.book.model import Assignee, State, Verdict
from tallystick.cli.demo_month import DAY_US, HOUR_US, MINUTE_US, Month

if TYPE_CHECKING:
    from tallystick.access.model import Caller
    from tallystick.alert.book.model import Alert

ANALYST: Final = "callum.grant"
LEAD: Final = "beatriz.lima"
ADDRESSES: Final = {ANALYST: "192.0.2.44", LEAD: "192.0.2.21"}
#: Minutes until somebody looks, from and to, by severity.
LOOKS: Final = {"critical": (3, 9), "high": (9, 27), "medium": (35, 150), "low": (90, 300), "informational": (200, 400)}
#: Hours from the look to the end, by severity.
LASTS: Final = {"critical": (1.2, 3.1), "high": (2, 6.5), "medium": (3, 20), "low": (4, 30), "informational": (4, 30)}
TRUE, MEANT, FALSE = Verdict.TRUE_POSITIVE, Verdict.BENIGN_TRUE_POSITIVE, Verdict.FALSE_POSITIVE
#: What an alert of each kind turned out to be, why, and what was done where its rule does not say it.
OUTCOMES: Final[dict[str, tuple[Verdict, str, str]]] = {
    "many-repositories-taken": (TRUE, "The token was stolen from a build machine; it is revoked, secrets are changed.", ""),
    "artifact-taken-by-stranger": (MEANT, "Belongs to the project since this week, says its owner.", ""),
    "sign-in-after-failures": (TRUE, "Somebody guessed the password. Sessions ended, password and factor are new.", ""),
    "large-export-of-records": (TRUE, "Not for work. The file was asked back, and the matter is with the people team.", ""),
    "open-to-the-world": (TRUE, "Opened for a test and forgotten. Nobody got in; the way is closed.", ""),
    "new-administrator": (TRUE, "Nobody asked for this role. It was taken away.", ""),
    "protection-switched-off": (TRUE, "Part of the night of the same person. The guard is back on the branch.", ""),
    "logging-switched-off": (TRUE, "Not announced. Recording is on again; what was done meanwhile is in the incident.", ""),
    "malware-seen": (TRUE, "Blocked before it ran. The laptop was rebuilt all the same.", ""),
    "sign-in-from-afar": (TRUE, "He was in Bergen. The other session was ended, and the password is new.", ""),
    "clock-skew": (TRUE, "Set by hand to hide the cleared log. The time source is back.", ""),
    "account-woken": (TRUE, "Opened on a forged request. Closed again; nothing was read.", ""),
    "security-policy-weakened": (TRUE, "Put aside to merge without approval. The policy is back, the change was reviewed.", ""),
    "retention-or-stream-changed": (MEANT, "As decided in the meeting about retention.", ""),
    "log-access-outside-duty": (MEANT, "The week's reviewer, for the review.", ""),
    "coverage.gap": (MEANT, "Told to the owner of the system, who declares it.", "Asked the owner of the system."),
    "duty.overdue": (TRUE, "Signed, two days late.", "Reminded the reviewer."),
    "duty.due_soon": (MEANT, "Signed.", "Reminded the reviewer."),
}  # fmt: skip
#: What goes on until somebody ends it: where it began lately, it is still worked on.
LASTING: Final = frozenset({"coverage.gap", "duty.due_soon"})
THIEF: Final = "gaurav.joshi"
OTHERWISE: Final = (MEANT, "Looked into; it was as it should be.", "Looked at the events around it.")


class Desk:
    """Handles alerts as they open, each in steps at plausible times. Of the last hours nobody has seen any yet."""

    def __init__(self, month: Month) -> None:
        self._month = month
        self._chance = random.Random(11)  # noqa: S311 - repeatable chance is the point
        self.leave_after_us = month.end_us - 3 * HOUR_US

    def take(self, alert: Alert) -> None:
        """Plan what happens to an alert."""
        month, service = self._month, self._month.instance.services.alerts.service
        who = month.person(ANALYST if self._chance.random() < 0.75 else LEAD, ADDRESSES[ANALYST])
        now = month.clock.now_us()
        looked = now + round(self._chance.uniform(*LOOKS[alert.severity]) * MINUTE_US)
        closed = looked + round(self._chance.uniform(*LASTS[alert.severity]) * HOUR_US)
        begun, done = looked + (closed - looked) // 8, looked + 2 * (closed - looked) // 3
        if now >= self.leave_after_us:
            return
        month.at(looked, lambda: service.acknowledge(who, alert.id))
        month.at(begun, lambda: self._begin(who, alert))
        if alert.kind in LASTING and now > month.end_us - 3 * DAY_US:
            return
        month.at(done, lambda: self._respond(who, alert))
        month.at(closed, lambda: self._close(who, alert))

    def _begin(self, who: Caller, alert: Alert) -> None:
        service = self._month.instance.services.alerts.service
        service.assign(who, alert.id, Assignee("person", who.id))
        service.start(who, alert.id)

    def _respond(self, who: Caller, alert: Alert) -> None:
        _, _, did = _outcome(alert)
        service = self._month.instance.services.alerts.service
        if did:
            service.respond(who, alert.id, did)
        else:
            service.respond(who, alert.id, follows_rule=True)

    def _close(self, who: Caller, alert: Alert) -> None:
        verdict, why, _ = _outcome(alert)
        alerts = self._month.instance.services.alerts
        if alerts.reading.get(who, alert.id).alert.state is not State.CLOSED:
            alerts.closing.close(who, [alert.id], verdict, why)


def _outcome(alert: Alert) -> tuple[Verdict, str, str]:
    stolen = alert.kind == "artifact-taken-by-stranger" and THIEF in (alert.sentence or "")
    return OUTCOMES.get("many-repositories-taken" if stolen else alert.kind, OTHERWISE)
