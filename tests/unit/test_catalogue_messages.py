from __future__ import annotations

from typing import Any

import pytest

from tallystick.event.catalogue import load_shipped, render_message
from tallystick.event.template import TemplateError, parse_template
from tallystick.event.visible import show, visible

TARGET = {"id": "r-1", "type": "release", "name": "New Release"}


def message(action: str, **members: Any) -> str:
    return render_message(load_shipped().types[action], {"action": action, "targets": [TARGET], **members})


@pytest.mark.parametrize(
    ("action", "metadata", "expected"),
    [
        ("release.created", {"tag": "v0.3"}, "Created Release v0.3"),
        ("release.created", {"tag": "v0.3", "milestones": []}, "Created Release v0.3"),
        ("release.created", {"tag": "v0.3", "milestones": ["M1", "M2"]}, "Created Release v0.3 with milestones M1, M2"),
        ("release.updated", {"tag": "v0.3"}, "Updated Release v0.3"),
        (
            "release.milestones_changed",
            {"tag": "v0.3", "milestones": ["M1", "M2", "M3"]},
            "Milestones associated with release changed to M1, M2, M3",
        ),
        ("release.artifact_downloaded", {"artifact": "app.tar.gz"}, "Release artifact downloaded: app.tar.gz"),
        ("repository.download_started", {}, "Repository Download Started"),
    ],
)
def test_releases_are_worded_as_the_table_says(action: str, metadata: dict[str, Any], expected: str) -> None:
    assert message(action, metadata=metadata) == expected


def test_a_security_policy_is_named_with_its_kind() -> None:
    target = {"id": "p", "type": "security_policy", "name": "Scan"}
    event = {"targets": [target], "metadata": {"kind": "scan_execution"}}
    assert render_message(load_shipped().get("security_policy.created"), event) == (
        'Created security policy "Scan" (scan_execution)'
    )


def test_without_the_right_to_names_a_message_falls_back_to_ids() -> None:
    event = {"targets": [{"id": "u-7", "type": "user"}], "metadata": {"role": "owner"}}
    assert render_message(load_shipped().get("role.assigned"), event) == "Gave role owner to u-7"


def test_a_missing_value_is_said_to_be_missing() -> None:
    assert render_message(load_shipped().get("release.asset_added"), {"targets": [TARGET], "metadata": {}}) == (
        "Added asset (not given) to Release New Release"
    )


def test_bidirectional_and_control_characters_are_shown_by_number() -> None:
    text = message("release.updated", metadata={"tag": "v1\u202e0.1\n\x00\u200b"})
    assert text == "Updated Release v1⟨U+202E⟩0.1⟨U+000A⟩⟨U+0000⟩⟨U+200B⟩"


def test_a_long_value_is_cut_with_its_length() -> None:
    text = message("release.updated", metadata={"tag": "x" * 1500})
    assert text == f"Updated Release {'x' * 200}… (1,500 characters)"


def test_a_long_list_is_shortened_with_its_number() -> None:
    text = message("release.created", metadata={"tag": "v1", "milestones": [f"M{number}" for number in range(50)]})
    assert text.endswith("M18, M19 and 30 more")


def test_markup_in_a_value_stays_what_it_is() -> None:
    assert message("release.updated", metadata={"tag": "<b>{x}[y]"}) == "Updated Release <b>{x}[y]"


def test_an_undeclared_action_shows_the_senders_own_message_made_visible() -> None:
    assert render_message(None, {"action": "vendor.x.y", "message": "odd\u202ething"}) == "odd⟨U+202E⟩thing"


def test_an_undeclared_action_without_a_message_shows_action_and_target() -> None:
    assert render_message(None, {"action": "vendor.x.y", "targets": [TARGET]}) == "vendor.x.y: New Release"
    assert render_message(None, {"action": "vendor.x.y"}) == "vendor.x.y"


@pytest.mark.parametrize(
    ("template", "event", "expected"),
    [
        ("{{x}} [[y]]", {}, "{x} [y]"),
        ("{a.b}", {"a": {"b": True}}, "true"),
        ("{a.b}", {"a": {"b": {"z": 1, "c": 2}}}, '{"c": 2, "z": 1}'),
        ("{a|b|'none'}", {"b": 0}, "0"),
        ("{a|b|'none'}", {"a": "", "b": None}, "none"),
        ("{targets.name}", {"targets": [{"name": "x"}, {"id": 1}, {"name": "y"}]}, "x, y"),
        ("{target.name}", {"targets": [{"name": "x"}, {"name": "y"}]}, "x"),
        ("a[ b {c}][ d {e}]", {"e": 1}, "a d 1"),
    ],
)
def test_the_template_language(template: str, event: dict[str, Any], expected: str) -> None:
    assert parse_template(template).render(event) == expected


@pytest.mark.parametrize("template", ["{", "}", "[", "]", "{a b}", "{}", "{'x'|a}", "[a [b {c}]]x", "{a..b}"])
def test_a_broken_template_is_refused_with_its_character(template: str) -> None:
    with pytest.raises(TemplateError, match=r"character \d+|never closed"):
        parse_template(template)


def test_ordinary_text_of_any_language_is_left_alone() -> None:
    for text in ("Grüße", "你好", "مرحبا", "naïve café", "👍"):
        assert visible(text) == text


def test_what_only_looks_empty_is_shown() -> None:
    for blank in "\u3164\u2800\u00ad\U000e0041\ufeff\u2028":
        assert visible(blank) == f"⟨U+{ord(blank):04X}⟩"


def test_cutting_happens_before_characters_are_spelt_out() -> None:
    assert show("\x00" * 3, 2) == "⟨U+0000⟩⟨U+0000⟩… (3 characters)"
    assert show("abc", 3) == "abc"
