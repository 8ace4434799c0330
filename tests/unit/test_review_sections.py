"""What the sections of a review ask for exists: a pattern that names nothing would show an empty section for ever."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import pytest

from tallystick.event.catalogue import load_shipped
from tallystick.review.sections import LOG_SECTIONS

_GROUP = re.compile(r"action:(?:\(([^)]*)\)|(\S+))")


def _patterns() -> list[tuple[str, str]]:
    found = []
    for name, section in LOG_SECTIONS.items():
        for group, single in _GROUP.findall(section.query):
            found += [(name, word) for word in (group or single).split(" OR ")]
    return found


@pytest.mark.parametrize(("section", "pattern"), _patterns())
def test_every_pattern_of_a_section_names_an_action_of_the_catalogue(section: str, pattern: str) -> None:
    assert any(fnmatchcase(action, pattern) for action in load_shipped().types), section


def test_the_sections_ask_for_actions_at_all() -> None:
    assert len(_patterns()) > 30
