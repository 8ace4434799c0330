from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tallystick.event.catalogue import load_shipped, render_message

SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=30)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
)
EVENTS = st.fixed_dictionaries(
    {"action": st.text(max_size=20)},
    optional={
        "targets": JSON, "actor": JSON, "metadata": JSON, "changes": JSON, "context": JSON, "reason": JSON, "message": JSON,
    },
)  # fmt: skip
HIDING = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(event=EVENTS, name=st.sampled_from([*load_shipped().types, None]))
def test_any_event_is_shown_on_one_line_without_a_hiding_character(event: dict[str, Any], name: str | None) -> None:
    kind = load_shipped().get(name) if name else None
    text = render_message(kind, event)
    assert not [char for char in text if unicodedata.category(char) in HIDING]
