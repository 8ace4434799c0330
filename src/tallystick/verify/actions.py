"""The actions that only the product says, by the object that they are about."""

from __future__ import annotations

from typing import Final

_VERBS: Final = {
    "access": (
        "approved expired extended glass_broken groups_changed invitation_accepted invited looked "
        "password_set person_changed person_created person_disabled person_enabled reauthenticated "
        "recovery_code_used recovery_codes_made rejected requested revoked role_changed role_defined "
        "role_retired roles_published session_revoked set_up setup_completed setup_link_made sign_in_failed "
        "signed_in signed_out totp_disabled totp_enabled withdrawn"
    ),
    "alert": (
        "acknowledged assigned closed closing_declined closing_requested commented event_linked exported "
        "notification_failed notification_held notification_retried notified opened recovered "
        "reopened repeated response_recorded started"
    ),
    "alert_receiver": "removed set tested",
    "alert_routes": "changed",
    "backup": "created restored",
    "catalogue": "published",
    "class": "changed defined",
    "content": "erased",
    "coverage": "gap_closed gap_opened",
    "declaration": "approved proposed rejected withdrawn",
    "duty": "changed created retired",
    "erasure": "approved requested",
    "event": "viewed",
    "events": "exported pulled searched streamed tailed",
    "exception": "approved expired expiring extended rejected requested revoked used withdrawn",
    "export": "cancelled deleted downloaded failed finished requested",
    "gitlab_sender": "removed set",
    "hold": "placed released",
    "indicator_list": "changed created deleted",
    "key": "retired rotated",
    "ledger": "adopted created recovered succeeded",
    "policy_project": (
        "changed edited history_rewritten proposal_approved proposal_declined proposal_withdrawn proposed "
        "pushed reached registered retired sync_failed synced"
    ),
    "projection": "skipped",
    "proof": "downloaded",
    "rule": "approved changed disabled drafted enabled rejected retired shipped tested",
    "review": (
        "exported follow_up_done follow_up_opened item_decided items_listed opened period_ended section_marked "
        "signed started waived"
    ),
    "retention": ("assigned change_approved change_declined change_proposed change_withdrawn ran run_failed"),
    "segment": "quarantined readmitted",
    "server": "started stopped",
    "setting": "changed",
    "silence": "changed ended placed",
    "source": "changed registered retired",
    "stream": (
        "backfill_requested changed created deleted ended letters_replayed paused resumed secret_rotated tested"
    ),
    "system": "changed registered retired",
    "token": "created revoked rotated",
    "view": "deleted saved",
    "witness": "fell_behind",
}
ONLY_PRODUCT: Final = frozenset(f"{about}.{verb}" for about, verbs in _VERBS.items() for verb in verbs.split())
"""Actions that no other source may claim; a test holds this against the catalogue, which only the server can read."""
