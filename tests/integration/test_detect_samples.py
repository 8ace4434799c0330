"""The shipped rules over what vendors really send: nothing crashes, and recorded attacks are found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.installation import Installation, installation
from tests.paths import shared

from tallystick.access.operator import OPERATOR
from tallystick.detect.engine import Engine
from tallystick.event.catalogue import load_shipped
from tallystick.event.occurred import time_of_us
from tallystick.intake.importer import Importer, ImportOptions
from tallystick.intake.mapping_parse import load_map
from tallystick.intake.report import ImportReport
from tallystick.intake.sink import RecordingSink

NDJSON = {"content-type": "application/x-ndjson"}
MAPPED = {"AWS_CloudTrail": "cloudtrail", "GitHub_Audit": "github", "Okta_SystemLog": "okta"}
BATCH = 200
HIT_MIN = 8
"""Techniques of the recorded attacks that the shipped rules hit; it only ever grows."""


def send(house: Installation, source: str, lines: bytes) -> Mapping[str, Any]:
    headers = {**house.token("both", "/", source), **NDJSON}
    answer = house.http.post("/api/v1/events", params={"partial": "true"}, content=lines, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    found: Mapping[str, Any] = answer.json()
    return found


def bring(house: Installation, name: str, *files: Path) -> ImportReport:
    """Import files of a vendor through its map."""
    sink = RecordingSink(name, lambda lines: send(house, name, lines))
    importer = Importer(
        sink, load_map(name), ImportOptions(name), is_declared=lambda action: load_shipped().get(action) is not None
    )
    return importer.run(files)


def as_raw(file: Path, now_us: int) -> Iterator[bytes]:
    """Yield events that keep what a vendor sends as it is, one a line."""
    for number, line in enumerate(file.read_bytes().splitlines()):
        if line.strip():
            event = {
                "action": "vendor.sent",
                "actor": {"id": "vendor", "type": "system"},
                "target": {"id": f"{file.stem}-{number}", "type": "record"},
                "scope": "vendors",
                "occurred_at": time_of_us(now_us),
                "raw": json.loads(line),
            }
            yield json.dumps(event).encode() + b"\n"


def judged(engine: Engine) -> Counter[str]:
    """Have everything judged, and return how often each rule fired so far."""
    while engine.step() == 0.0:
        pass
    standing = engine.standing()
    assert (standing.lag, standing.blocked) == (0, "")
    assert [(each.id, each.failed) for each in standing.rules if each.failed] == []
    return Counter({each.id: each.fired for each in standing.rules})


@contextmanager
def watched(root: Path) -> Iterator[tuple[Installation, Engine]]:
    with installation(root) as house:
        yield house, house.instance.services.detection


def test_what_every_vendor_sends_is_judged_by_every_rule_without_a_crash(tmp_path: Path) -> None:
    files = sorted(shared("data/vendor-events").glob("*.jsonl"))
    with watched(tmp_path) as (house, engine):
        before = house.instance.ledger.status().acknowledged.size
        for file in files:
            name = MAPPED.get(file.stem)
            if name is not None:
                bring(house, name, file)
                continue
            lines = list(as_raw(file, house.instance.ledger.status().now))
            for first in range(0, len(lines), BATCH):
                send(house, file.stem.lower(), b"".join(lines[first : first + BATCH]))
        judged(engine)
        assert house.instance.ledger.status().acknowledged.size - before > 2500
        assert engine.position.erased == 0
        alerts = house.instance.services.alerts.reading
        kinds = {each.kind for each in alerts.list(OPERATOR).alerts}
    assert not {kind for kind in kinds if kind.startswith("detection.") and kind != "detection.clock_ahead"}


@pytest.fixture(scope="module")
def techniques(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return for each recorded technique which shipped rules fired."""
    folder = shared("data/cloudtrail-stratus")
    found: dict[str, set[str]] = {}
    with watched(tmp_path_factory.mktemp("attacks")) as (house, engine):
        before = judged(engine)
        for file in sorted(folder.glob("aws.*.json")):
            report = bring(house, "cloudtrail", file)
            assert report.rejected_count == 0, file.name
            after = judged(engine)
            found[file.stem.removeprefix("aws.")] = {rule for rule, count in after.items() if count > before[rule]}
            before = after
    return found


def test_recorded_attacks_on_a_cloud_are_hit_by_the_shipped_rules(techniques: dict[str, set[str]]) -> None:
    hit = {name: rules for name, rules in techniques.items() if rules}
    assert len(hit) >= HIT_MIN, hit


@pytest.mark.parametrize(
    ("technique", "rule"),
    [
        ("defense-evasion.cloudtrail-stop", "logging-switched-off"),
        ("defense-evasion.cloudtrail-delete", "logging-switched-off"),
        ("persistence.iam-create-admin-user", "new-administrator"),
        ("defense-evasion.organizations-leave", "protection-switched-off"),
        ("persistence.iam-create-backdoor-role", "new-administrator"),
        ("exfiltration.ec2-security-group-open-port-22-ingress", "open-to-the-world"),
    ],
)
def test_a_recorded_attack_raises_the_rule_about_it(techniques: dict[str, set[str]], technique: str, rule: str) -> None:
    assert rule in techniques[technique], techniques[technique]
