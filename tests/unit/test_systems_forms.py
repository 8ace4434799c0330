"""The longest silence of a declared activity, as it is typed."""

from __future__ import annotations

import pytest

from tallystick.govern.systems.errors import DeclarationInvalidError
from tallystick.web.forms import Form
from tallystick.web.systems.forms import PARTS, read_declaration


def typed(silence: str) -> Form:
    row = dict.fromkeys(PARTS, "x") | {"silence": silence}
    return Form({f"authentication-{part}": (value,) for part, value in row.items()})


@pytest.mark.parametrize(
    ("silence", "minutes"), [("90m", 90), ("24h", 1440), ("2w", 20_160), ("1h30m", 90), ("120s", 2)]
)
def test_a_silence_is_read_as_minutes(silence: str, minutes: int) -> None:
    declared = read_declaration(typed(silence))
    assert declared["categories"]["authentication"]["patterns"][0]["silence_minutes"] == minutes


@pytest.mark.parametrize(
    ("silence", "said"), [("1x", "is not a time"), ("", "is not a time"), ("90s", "whole minutes")]
)
def test_what_is_no_number_of_minutes_is_refused_in_its_place(silence: str, said: str) -> None:
    with pytest.raises(DeclarationInvalidError, match=said) as refused:
        read_declaration(typed(silence))
    assert refused.value.pointer == "/categories/authentication/silence"
