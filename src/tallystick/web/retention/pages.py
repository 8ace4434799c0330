"""The pages of retention: everything as it stands, one class, one proposal, one person's erasure."""

from __future__ import annotations

from typing import Final

from tallystick.web.retention.changes import decide_retention_change, deletion_proof_file, retention_change_page
from tallystick.web.retention.classes import change_class_from_page, retention_class_page
from tallystick.web.retention.people import person_erasure_from_page, person_erasure_page
from tallystick.web.retention.standing import (
    assign_from_page,
    define_class_from_page,
    place_hold_from_page,
    release_hold_from_page,
    retention_page,
    run_from_page,
)

RETENTION_PAGES: Final = (
    retention_page,
    define_class_from_page,
    assign_from_page,
    place_hold_from_page,
    release_hold_from_page,
    run_from_page,
    retention_class_page,
    change_class_from_page,
    retention_change_page,
    decide_retention_change,
    deletion_proof_file,
    person_erasure_page,
    person_erasure_from_page,
)
