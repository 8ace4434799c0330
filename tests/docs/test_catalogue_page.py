from __future__ import annotations

from tests.paths import ROOT

from tallystick.event.catalogue import load_shipped
from tallystick.event.catalogue_page import catalogue_page


def test_the_reference_page_is_what_the_catalogue_says() -> None:
    page = (ROOT / "docs/reference/catalogue.md").read_text(encoding="utf-8")
    assert page == catalogue_page(load_shipped()), "run `tallystick catalogue docs`"


def test_every_action_and_every_described_member_stands_on_the_page() -> None:
    page = catalogue_page(load_shipped())
    for kind in load_shipped().types.values():
        assert f"\n### {kind.name}\n" in page
        assert kind.description in page
        for member in kind.metadata_schema.get("properties", {}):
            assert f"`{member}` (" in page
