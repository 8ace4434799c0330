"""The product's own tables: projections of source-0 events, which replaying the log makes again.

One module for each room that owns them; importing this package makes `METADATA` know them all.
"""

from tallystick.store.tables.alerts import ALERT, ALERT_EVENT, ALERT_OCCASION, ALERT_STEP
from tallystick.store.tables.evidence import BACKUP, ERASURE
from tallystick.store.tables.exceptions import EXCEPTION, EXCEPTION_STEP
from tallystick.store.tables.grants import GRANT, GRANT_STEP, ROLE
from tallystick.store.tables.log import CATALOGUE, CURSOR, DEFINITION, HOLD, QUARANTINE, RETENTION_CLASS
from tallystick.store.tables.metadata import METADATA
from tallystick.store.tables.notify import ALERT_HELD, ALERT_NOTIFICATION, ALERT_RECEIVER, ALERT_ROUTING, SILENCE
from tallystick.store.tables.people import CREDENTIAL, PERSON, PERSON_GROUP, PERSON_HAND, RECOVERY_CODE_USED, SESSION
from tallystick.store.tables.policies import POLICY, POLICY_PROJECT, POLICY_PROPOSAL, POLICY_REACH, POLICY_STEP
from tallystick.store.tables.releases import MILESTONE, RELEASE, RELEASE_ASSET, RELEASE_STEP
from tallystick.store.tables.retention import RETENTION_CHANGE, RETENTION_REQUEST, RETENTION_RULE, RETENTION_RUN
from tallystick.store.tables.reviews import (
    REVIEW,
    REVIEW_DUTY,
    REVIEW_FOLLOW_UP,
    REVIEW_ITEM,
    REVIEW_MARK,
    REVIEW_SIGNATURE,
)
from tallystick.store.tables.rules import (
    DETECTION_RULE,
    DETECTION_RULE_VERSION,
    DETECTION_STEP,
    INDICATOR,
    INDICATOR_LIST,
)
from tallystick.store.tables.settings import SETTING
from tallystick.store.tables.sources import SOURCE, TOKEN
from tallystick.store.tables.streams import GITLAB_SENDER, STREAM, STREAM_VERSION
from tallystick.store.tables.systems import COVERAGE_GAP, DECLARATION, SYSTEM, SYSTEM_VERSION
from tallystick.store.tables.work import EXPORT, VIEW

__all__ = [
    "ALERT",
    "ALERT_EVENT",
    "ALERT_HELD",
    "ALERT_NOTIFICATION",
    "ALERT_OCCASION",
    "ALERT_RECEIVER",
    "ALERT_ROUTING",
    "ALERT_STEP",
    "BACKUP",
    "CATALOGUE",
    "COVERAGE_GAP",
    "CREDENTIAL",
    "CURSOR",
    "DECLARATION",
    "DEFINITION",
    "DETECTION_RULE",
    "DETECTION_RULE_VERSION",
    "DETECTION_STEP",
    "ERASURE",
    "EXCEPTION",
    "EXCEPTION_STEP",
    "EXPORT",
    "GITLAB_SENDER",
    "GRANT",
    "GRANT_STEP",
    "HOLD",
    "INDICATOR",
    "INDICATOR_LIST",
    "METADATA",
    "MILESTONE",
    "PERSON",
    "PERSON_GROUP",
    "PERSON_HAND",
    "POLICY",
    "POLICY_PROJECT",
    "POLICY_PROPOSAL",
    "POLICY_REACH",
    "POLICY_STEP",
    "QUARANTINE",
    "RECOVERY_CODE_USED",
    "RELEASE",
    "RELEASE_ASSET",
    "RELEASE_STEP",
    "RETENTION_CHANGE",
    "RETENTION_CLASS",
    "RETENTION_REQUEST",
    "RETENTION_RULE",
    "RETENTION_RUN",
    "REVIEW",
    "REVIEW_DUTY",
    "REVIEW_FOLLOW_UP",
    "REVIEW_ITEM",
    "REVIEW_MARK",
    "REVIEW_SIGNATURE",
    "ROLE",
    "SESSION",
    "SETTING",
    "SILENCE",
    "SOURCE",
    "STREAM",
    "STREAM_VERSION",
    "SYSTEM",
    "SYSTEM_VERSION",
    "TOKEN",
    "VIEW",
]
