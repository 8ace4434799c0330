"""Detection rules for tests: texts that are good but for what a test changes, and their whole life."""

from __future__ import annotations

from dataclasses import replace

from tests.people_home import Home

from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission
from tallystick.access.rights import Rights
from tallystick.detect.importing import File
from tallystick.detect.lists import Additions
from tallystick.detect.model import digest_of


def rule_text(
    title: str = "Secrets of production", action: str = "secret.read", more: str = "", block: str = ""
) -> str:
    """Return a rule that fires for one action, with a sample of each kind."""
    return f"""\
title: {title}
description: A secret of production was read.
author: Somebody Else
level: high
logsource: {{product: tallystick}}
detection:
  read:
    action: {action}
    targets.id|startswith: prod/
  condition: read
{more}tallystick:
  owner: security
  category: security
  runbook: Ask what it was for.
  response: Confirm within one day.
  controls: ["SOC 2 CC6.1"]
{block}  samples:
  - name: of production
    match: true
    events:
    - {{action: {action}, target: {{id: prod/db, type: secret}}}}
  - name: of a test
    match: false
    events:
    - {{action: {action}, target: {{id: test/db, type: secret}}}}
"""


SIGMAHQ = """\
title: Github High Risk Configuration Disabled
id: 8622c92d-c00e-463c-b09d-fd06166f6794
status: test
description: Detects when a user disables a critical security feature for an organization.
references:
    - https://example.org/docs
author: Somebody Upstream
date: 2023-01-29
tags:
    - attack.t1556
logsource:
    product: github
    service: audit
detection:
    selection:
        action:
            - 'business_advanced_security.disabled'
            - 'repo.advanced_security_disabled'
    condition: selection
falsepositives:
    - Approved administrator activities.
level: high
"""


def watched(home: Home) -> None:
    """Write, test, approve, enable, change, refuse, disable, retire and import rules; keep lists of indicators."""
    rules = home.services.rules
    service = rules.service
    everything = Rights.of((permission, "") for permission in Permission)
    lead = replace(home.caller(home.sign_in("ana")), rights=everything)
    text = rule_text("Watched \N{SNOWMAN}").encode()
    made = service.draft(lead, text, "acme", reason="a start \u202e")
    service.test(lead, made)
    service.approve(OPERATOR, made, digest_of(text), "agreed")
    service.enable(lead, made, digest_of(text))
    newer = rule_text("Watched more closely").encode()
    service.change(lead, made, newer, 1)
    service.reject(OPERATOR, made, digest_of(newer), "too close")
    service.disable(OPERATOR, "break-glass", "an exercise")
    service.retire(OPERATOR, "clock-skew", "another system does it")
    rules.importing.keep(OPERATOR, [File("cloud/one.yml", SIGMAHQ.encode())], "", "https://example.org/r", "DRL 1.1")
    rules.lists.create(OPERATOR, "seen_elsewhere", "of a partner \N{SNOWMAN}")
    until = home.clock.now_us() + 1_000_000
    rules.lists.change(OPERATOR, "seen_elsewhere", Additions(("192.0.2.1", "bad.example"), until, "a partner", "c2"))
    rules.lists.change(OPERATOR, "seen_elsewhere", Additions(()), ["192.0.2.1"], "a mistake")
    rules.lists.create(OPERATOR, "gone")
    rules.lists.delete(OPERATOR, "gone")
