"""The duties of the demo organisation: what is set up at the beginning of the five weeks, and what follows from it."""

from __future__ import annotations

from typing import Final

from tallystick.alert.notify.model import ReceiverSettings, Way
from tallystick.cli.demo_alerts import Desk
from tallystick.cli.demo_month import DAY_US, HOUR_US, Month
from tallystick.cli.demo_reviews import Weeks
from tallystick.cli.demo_systems import register_systems
from tallystick.detect.lists import Additions
from tallystick.intake.demo.company import DOMAIN, ROOT
from tallystick.intake.demo.incidents import LISTED
from tallystick.retain.model import Hold, Rule, Terms

LEAD: Final = "beatriz.lima"
COMPLIANCE: Final = "linnea.sand"
ADDRESS: Final = "192.0.2.35"
CLASS: Final = "customer-records"
HOLD: Final = "customers-2026"
#: The demo sends nothing: every route is quiet at all times until somebody changes that.
ROUTES: Final = f"""\
# Nobody is told while this interval is named below: this is a demo, and has no mail server.
time_intervals:
- name: always
  time_intervals:
  - times:
    - start_time: "00:00"
      end_time: "24:00"
teams:
- name: payments
  scopes: [{ROOT}/payments]
- name: platform
  scopes: [{ROOT}/platform]
route:
  receiver: on-call
  group_by: [kind, scope]
  mute_time_intervals: [always]
  routes:
  - matchers: ['severity="critical"']
    receiver: on-call
    repeat_interval: 1h
    mute_time_intervals: [always]
  - matchers: ['owner="operations"']
    receiver: operations
    mute_time_intervals: [always]
inhibit_rules:
- source_matchers: ['kind="detection.blocked"']
  target_matchers: ['kind="detection.behind"']
"""


def begin_duties(month: Month) -> None:
    """Set up what the duties need, and plan what people do about them in the weeks that come."""
    _tell_whom(month)
    register_systems(month)
    _list_indicators(month)
    _keep_shorter(month)
    Weeks(month).begin()
    month.at(month.end_us - 8 * DAY_US, lambda: _hold(month))
    month.on_alert = Desk(month).take


def _tell_whom(month: Month) -> None:
    lead, notify = month.person(LEAD, ADDRESS), month.instance.services.notify
    for name in ("on-call", "operations"):
        notify.receivers.set(lead, ReceiverSettings(name=name, way=Way.EMAIL, to=(f"{name}@{DOMAIN}",)))
    notify.routes.set(lead, ROUTES)


def _list_indicators(month: Month) -> None:
    lists, until = month.instance.services.rules.lists, month.end_us + 60 * DAY_US
    additions = Additions((LISTED,), until, "CERT of the sector", "Where a stealer of passwords reports to")
    lists.change(month.person(LEAD, ADDRESS), "malicious_domains", additions, reason="From the weekly bulletin")


def _keep_shorter(month: Month) -> None:
    """Keep who looked at customers' records for a year and a month, and their names for one month only."""
    service, keeper = month.instance.services.retention.service, month.person(COMPLIANCE, ADDRESS)
    number = service.define(keeper, CLASS, Terms(395, 30, guarded=False), "Support needs no names after a month")
    change = service.assign(keeper, (Rule(number, "record.*", f"{ROOT}/support"),), "Records of the support desk")
    if change is not None:
        digest = month.instance.services.retention.reading.change(keeper, change)[0].digest
        service.approve(month.person(LEAD, ADDRESS), change, digest, "As agreed with the data protection officer")


def _hold(month: Month) -> None:
    """Keep everything of the night in which customers left as a file."""
    received = (month.end_us - 10 * DAY_US, month.end_us - 8 * DAY_US - HOUR_US)
    hold = Hold(HOLD, "legal", "Customers left as a file: kept for the report to the authority", None, 0, 0)
    month.instance.services.retention.service.place(
        month.person(COMPLIANCE, ADDRESS), Hold(hold.hold, hold.owner, hold.reason, None, 0, 0, received=received)
    )
