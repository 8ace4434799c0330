from __future__ import annotations

from tests.tamper_attacks import ATTACKS
from tests.tamper_page import PAGE, page

from tallystick.verify.codes import MEANING, Code


def test_the_page_on_tampering_says_what_the_suite_asserts() -> None:
    assert PAGE.read_text("utf-8") == page(), "make it again: python -m tests.tamper_page"


def test_every_finding_has_a_meaning() -> None:
    assert set(MEANING) == set(Code)
    assert all(text.endswith(".") for text in MEANING.values())


def test_every_attack_that_nobody_notices_says_what_to_do_about_it() -> None:
    assert all(attack.note for attack in ATTACKS if attack.caught_by == "nobody")
