"""What a review holds, section by section: data. Queries ask for facts alone, so that no erasure of names changes what
they find, and nothing appended later does: each ends with the week and the size of the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tallystick.query.moments import format_moment
from tallystick.review.model import Form, Kind
from tallystick.review.periods import Period

FINDINGS: Final = ("no finding", "finding")
SAMPLE: Final = "sample"
DISMISSED: Final = "dismissed_alerts"
FOLLOW_UPS: Final = "follow_ups"
GRANTS: Final = "grants"
REVOKE: Final = "revoke"


@dataclass(frozen=True, slots=True)
class SectionType:
    """A kind of section. `query` is for events; `reading` says that it looks among the records of reading, too.

    `sampled` sections are looked at by a random sample. `verdicts` are what may be said of the section, or of each of
    its items where these are decided one by one; `remark` is one that demands a note.
    """

    title: str
    help: str
    form: Form
    query: str = ""
    reading: bool = False
    sampled: bool = False
    verdicts: tuple[str, ...] = FINDINGS
    remark: str = "finding"


_PRIVILEGED: Final = (
    "action:(access.approved OR access.glass_broken OR access.role_* OR access.groups_changed OR "
    "access.person_disabled OR access.totp_disabled OR privilege.* OR user.impersonation_* OR token.created OR "
    "credential.created OR permission.granted OR role.assigned OR erasure.* OR content.erased OR key.*)"
)
_ADMINISTRATORS: Final = (
    "action:(access.approved OR access.set_up OR access.glass_broken) metadata.role:(administrator OR security-lead) "
    'OR action:(role.assigned OR permission.granted) metadata.role:("admin" OR "administrator" OR "owner" OR "root")'
)
_CHANGES: Final = (
    "action:(setting.changed OR catalogue.published OR rule.* OR indicator_list.* OR silence.* OR "
    "alert_routes.* OR alert_receiver.* OR system.* OR declaration.* OR retention.* OR class.* OR hold.* OR stream.* OR gitlab_sender.* OR source.changed OR "
    "source.retired OR policy_project.* OR security_policy.* OR sign_in_policy.changed OR identity_provider.changed OR "
    "mfa.requirement_changed OR duty.*)"
)
_INTEGRITY: Final = (
    "action:(ledger.* OR key.* OR segment.quarantined OR segment.readmitted OR projection.skipped OR backup.* OR "
    "server.started OR server.stopped OR content.erased)"
)
_READERS: Final = (
    "action:(events.* OR event.viewed OR proof.downloaded OR access.looked OR export.* OR review.exported)"
)
LOG_SECTIONS: Final[Mapping[str, SectionType]] = {
    "alerts": SectionType(
        "Critical and high alerts",
        "Every alert of high or critical severity that opened.",
        "events",
        "action:(alert.opened OR alert.repeated) metadata.severity:(high OR critical)",
    ),
    "open_alerts": SectionType("Alerts still open", "Alerts that nobody had closed when the review opened.", "items"),
    DISMISSED: SectionType(
        "Dismissed alerts",
        "A random sample of the alerts that were closed as anything but true.",
        "events",
        "action:alert.closed -metadata.verdict:true_positive",
        sampled=True,
    ),
    "privileged": SectionType(
        "Privileged actions",
        "Rights given and used, impersonation, tokens for others, erasures.",
        "events",
        _PRIVILEGED,
    ),
    "failed_sign_ins": SectionType(
        "Failed sign-ins",
        "Sign-ins that were refused, here and in the systems that send events.",
        "events",
        "action:(access.sign_in_failed OR user.sign_in_failed OR mfa.challenge_failed OR account.locked) OR "
        "action:user.signed_in -outcome:success",
    ),
    "administrators": SectionType("New administrators", "Who was made an administrator.", "events", _ADMINISTRATORS),
    "changes": SectionType(
        "Changes of what watches",
        "Changes to configuration, rules, silences, retention, streams, policies and duties.",
        "events",
        _CHANGES,
    ),
    "silent_sources": SectionType(
        "Silent sources", "Senders that had been silent for longer than expected when the review opened.", "items"
    ),
    "coverage": SectionType(
        "Coverage gaps",
        "What was declared critical and did not arrive, and what arrived undeclared.",
        "events",
        "action:coverage.*",
    ),
    "clock_skew": SectionType("Clock skew", "How far the clocks of senders were from the log's.", "items"),
    "integrity": SectionType(
        "Integrity of the log",
        "What happened to the log itself: keys, segments, backups, starts.",
        "events",
        _INTEGRITY,
    ),
    "witness": SectionType("Witnesses", "How far witnesses had cosigned the log when the review opened.", "items"),
    "readers": SectionType(
        "Who read the log", "Searches, views, exports and proofs.", "events", _READERS, reading=True
    ),
    "anomalies": SectionType(
        "Anomalies",
        "Alerts of rules that compare with the past: first seen, silence, burst, drop, off hours.",
        "events",
        "action:alert.opened metadata.method:(first_seen OR silence OR burst OR drop OR off_hours)",
    ),
    "exceptions": SectionType(
        "Exceptions",
        "Exceptions that were used, asked for, decided, extended or ended.",
        "events",
        "action:exception.*",
    ),
    "exceptions_in_force": SectionType("Exceptions in force", "Exceptions that held when the review opened.", "items"),
    "indicators": SectionType(
        "Indicators of compromise",
        "Hits on listed indicators and malware that senders reported.",
        "events",
        "action:(malware.* OR intrusion.*) OR (action:alert.opened metadata.kind:(*indicator* OR *malware*))",
    ),
    FOLLOW_UPS: SectionType("Follow-ups", "What earlier reviews left to be done, and is not done.", "items"),
    SAMPLE: SectionType(
        "Random sample",
        "Events of the week that nobody could choose, drawn by the first tree after its end.",
        "events",
        "*",
        sampled=True,
    ),
}
_FOLLOWS: Final = {FOLLOW_UPS: LOG_SECTIONS[FOLLOW_UPS]}
_SECTIONS: Final[Mapping[Kind, Mapping[str, SectionType]]] = {
    Kind.LOG: LOG_SECTIONS,
    Kind.POLICIES: {
        "documents": SectionType(
            "Documents",
            "Each is confirmed as it is, or was changed, or is to be changed.",
            "decisions",
            verdicts=("confirmed", "changed", "to be changed"),
            remark="to be changed",
        ),
        **_FOLLOWS,
    },
    Kind.ACCESS: {
        GRANTS: SectionType(
            "Grants in force",
            "Every grant in force when the review opened: each is kept, or revoked at once.",
            "decisions",
            verdicts=("keep", REVOKE),
            remark=REVOKE,
        ),
        **_FOLLOWS,
    },
    Kind.EXCEPTIONS: {
        "exceptions_in_force": SectionType(
            "Exceptions in force",
            "Each is still needed as it is, or is to end.",
            "decisions",
            verdicts=("still needed", "to end"),
            remark="to end",
        ),
        **_FOLLOWS,
    },
    Kind.DECLARATIONS: {
        "declarations": SectionType(
            "Declarations of critical activity",
            "Each is confirmed as it is, or is to be changed.",
            "decisions",
            verdicts=("confirmed", "to be changed"),
            remark="to be changed",
        ),
        **_FOLLOWS,
    },
}


def sections_of(kind: Kind) -> Mapping[str, SectionType]:
    """Return the sections of a kind of review, in the order in which they are shown."""
    return _SECTIONS[kind]


def query_of(made: SectionType, period: Period, size: int) -> str:
    """Return the whole query of a section: anybody who may can ask it again, at any later time."""
    bounds = f"received_at:>={format_moment(period.start)} received_at:<{format_moment(period.end)} index:<{size}"
    return f"({made.query}) {bounds}" if made.query != "*" else bounds
