"""The guide about detection rules: its example is a rule, and its samples come out."""

from __future__ import annotations

import re
from pathlib import Path

from tallystick.detect.rulefile import parse_rule
from tallystick.detect.trials import require_samples, run_samples

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "detection-rules.md"


def test_the_example_of_the_guide_is_a_rule_whose_samples_come_out() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    file = parse_rule(example.encode())
    require_samples(file)
    assert all(each.passed for each in run_samples(file, lambda _: None))
