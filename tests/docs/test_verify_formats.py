"""The worked examples of packages and erasures are made again, and the index names every page."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest
from tests.paths import ROOT
from tests.verify_log import SIGNER, SmallLog

from tallystick.event.erasure import DAY_US, Absence, ErasureHistory, Part, UncoveredAbsenceError, absence_is_covered
from tallystick.verify.package_format import MANIFEST, Evidence, format_package

FORMATS = ROOT / "docs" / "format"


def block(page: str, label: str) -> str:
    found = re.search(rf"^```\w+ {label}\n(.*?)\n```$", (FORMATS / page).read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def example() -> bytes:
    log = SmallLog(3)
    evidence = Evidence(
        log.checkpoint,
        (SIGNER.vkey,),
        [(1, log.proof(1))],
        "2027-01-15T08:00:00.000000Z",
        ((1, 1),),
        {"query": "actor:user-2", "reason": "quarterly review"},
    )
    return format_package(evidence)


def test_the_example_package_has_the_list_that_its_page_shows() -> None:
    with zipfile.ZipFile(io.BytesIO(example())) as archive:
        assert archive.read(MANIFEST).decode() == block("package.md", "package")
        assert sorted(archive.namelist()) == ["checkpoint", "events/1.tlog-proof", "package.json"]


def history() -> ErasureHistory:
    made = ErasureHistory()
    for line in block("erasure.md", "events").splitlines():
        event: dict[str, Any] = json.loads(line)
        facts = {
            "action": event["action"],
            "actor": {"id": event.get("person", "tallystick"), "type": "user"},
            "metadata": event["metadata"],
        }
        made.apply(event["index"], event["received_day"] * DAY_US, facts)
    return made


VERDICTS = re.findall(
    r"^\| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (all|personal) \| (.+) \|$",
    (FORMATS / "erasure.md").read_text("utf-8"),
    re.MULTILINE,
)


@pytest.mark.parametrize("row", VERDICTS)
def test_the_rule_gives_each_verdict_of_the_example(row: tuple[str, ...]) -> None:
    index, number, source, day = map(int, row[:4])
    absence = Absence(index, number, day * DAY_US, Part(row[4]), source)
    try:
        found = f"covered by {absence_is_covered(absence, history()).index}"
    except UncoveredAbsenceError as error:
        found = error.message
    assert row[5].removeprefix("not covered: ") in found


def test_the_example_has_verdicts_of_both_kinds() -> None:
    assert {row[5].startswith("not") for row in VERDICTS} == {True, False}


def test_the_index_of_formats_names_every_page_and_no_other() -> None:
    named = set(re.findall(r"^\| \[([a-z]+\.md)\]", (FORMATS / "README.md").read_text(), re.MULTILINE))
    assert named == {path.name for path in FORMATS.glob("*.md")} - {"README.md"}
