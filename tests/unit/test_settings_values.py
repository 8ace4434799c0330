"""What a setting may be: a closed list, typed, and refused with its name."""

from __future__ import annotations

import pytest

from tallystick.settings import SETTINGS, SettingType, SettingUnknownError, SettingValueError
from tallystick.settings.service import parse_settings

DOMAINS = SettingType("people.domains", "Domains", "Some domains.", "domains", ())
SWITCH = SettingType("some.switch", "Switch", "A switch.", "switch", True)


@pytest.mark.parametrize("kind", SETTINGS.values(), ids=SETTINGS)
def test_every_default_is_a_value_that_the_setting_may_have_and_its_text_reads_back(kind: SettingType) -> None:
    assert kind.check(kind.default) == kind.default
    assert kind.parse(kind.format(kind.default)) == kind.default


@pytest.mark.parametrize("text", ["", "0", "1441", "-5", "5.0", "\u0665", "5 ", "9" * 5000, "true"])
def test_a_count_outside_its_bounds_or_not_a_whole_number_is_refused_and_named(text: str) -> None:
    with pytest.raises(SettingValueError) as refused:
        SETTINGS["session.idle_minutes"].parse(text)
    assert refused.value.pointer == "/session.idle_minutes"
    assert len(refused.value.message) < 200


@pytest.mark.parametrize("value", [True, "30", 30.0, None, [30]])
def test_a_value_of_another_type_is_refused(value: object) -> None:
    with pytest.raises(SettingValueError):
        SETTINGS["session.idle_minutes"].check(value)


def test_a_text_is_one_line_of_printable_characters() -> None:
    name = SETTINGS["organisation.name"]
    assert name.parse("  Acme \n Ltd ") == "Acme Ltd"
    for text in ("a" * 61, "Acme\u202eLtd", "Acme\x00"):
        with pytest.raises(SettingValueError):
            name.parse(text)


def test_domains_are_sorted_in_lower_case_and_each_once() -> None:
    assert DOMAINS.parse("Example.org, acme.example  example.org") == ("acme.example", "example.org")
    assert DOMAINS.format(("acme.example", "example.org")) == "acme.example example.org"


@pytest.mark.parametrize(
    "text", ["org", "@example.org", "ex_ample.org", "-a.org", "a..org", "exämple.org", "*.org", "1.2"]
)
def test_what_is_no_domain_is_refused(text: str) -> None:
    with pytest.raises(SettingValueError):
        DOMAINS.parse(text)


def test_at_most_a_hundred_domains_are_listed() -> None:
    assert len(DOMAINS.check([f"d{n}.example" for n in range(100)])) == 100  # type: ignore[arg-type]
    with pytest.raises(SettingValueError):
        DOMAINS.check([f"d{n}.example" for n in range(101)])


def test_a_switch_is_on_or_off_and_nothing_else() -> None:
    assert (SWITCH.parse("on"), SWITCH.parse("off")) == (True, False)
    for text in ("", "yes", "On"):
        with pytest.raises(SettingValueError):
            SWITCH.parse(text)


def test_a_setting_that_is_not_on_the_list_is_unknown() -> None:
    with pytest.raises(SettingUnknownError):
        parse_settings({"session.idle_minutes": "5", "made.up": "1"})
