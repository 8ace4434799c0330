"""The demo organisation, as `make run` loads it: into a directory that is named from where one stands."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.conftest import Run


def test_the_demo_loads_into_a_directory_named_from_here_and_holds(tallystick: Run, tmp_path: Path) -> None:
    tallystick("demo", "--data", "demo-data", "--events", "300", "--load-only", folder=tmp_path)
    place = {"TALLYSTICK_DATA": "demo-data", "TALLYSTICK_STATE": "demo-data-state"}
    for query in (
        "action:release.created source:tallystick",
        "action:security_policy.created",
        "action:stream.created",
    ):
        assert tallystick("search", query, "--json", folder=tmp_path, **place).stdout, query
    assert "holds" in tallystick("verify", "demo-data", folder=tmp_path).stdout
