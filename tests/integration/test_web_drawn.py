"""Rows of the events page are drawn once for all who may see the same; nobody gets what was drawn for other eyes."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.installation import Installation, installation, sample
from tests.web_pages import HTML

from tallystick.access.operator import OPERATOR
from tallystick.access.permissions import Permission, close
from tallystick.access.sources.model import Owner, OwnerKind, SourceSettings, TokenSettings
from tallystick.search.model import Row
from tallystick.web.events.drawn import DrawnRows
from tallystick.web.events.view import RowView

SECRET = "Name that not everybody may read"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path) as made:
        actor = {"id": "ana", "type": "user", "name": SECRET}
        assert made.post([sample(actor=actor), sample(actor=actor, scope="acme/vault")]).status_code == 201
        yield made


def page(house: Installation, headers: dict[str, str], **parameters: str) -> Any:
    return house.http.get("/events", params=parameters, headers={**HTML, **headers})


@pytest.mark.parametrize("first", ["sees", "masked", "one scope"])
def test_whoever_loads_the_page_first_the_others_get_their_own_rows(house: Installation, first: str) -> None:
    readers = {
        "sees": (house.token("read", source="sees"), 2, 2),
        "masked": (masked(house), 2, 0),
        "one scope": (house.token("read", "acme/vault", "vault"), 1, 1),
    }
    for name in (first, *readers, *readers):
        headers, rows, names = readers[name]
        text = page(house, headers, q="action:user.signed_in").text
        assert (text.count("data-row"), text.count(SECRET)) == (rows, names), name


def test_each_question_gets_rows_that_lead_on_from_it(house: Installation) -> None:
    headers = house.token()
    for asked in ("scope:acme", "actor:ana", "scope:acme", "actor:ana"):
        shown = page(house, headers, q=asked, cols="time,ip").text.partition('<table class="events">')[2]
        narrowed = asked.replace(":", "%3A")
        assert set(re.findall(r'hx-get="/events/[^/]+/row\?q=([^&"]+)', shown)) == {narrowed}
        assert re.findall(r'href="/events\?q=([^&"]+)', shown) == [f"{narrowed}+ip%3A192.0.2.7"] * 2


def masked(house: Installation) -> dict[str, str]:
    """Return the headers of a reader of facts."""
    services = house.instance.services
    services.sources.ensure(OPERATOR, "masked", SourceSettings(scopes=("",)))
    settings = TokenSettings(close({Permission.EVENTS_READ}), ("",))
    token = services.tokens.create(OPERATOR, Owner(OwnerKind.SOURCE, "masked"), settings)
    return {"authorization": f"Bearer {token.secret}"}


def test_what_is_drawn_does_not_outlive_the_row_that_it_was_drawn_of() -> None:
    drawn, made = DrawnRows(), []

    def make() -> RowView:
        made.append(1)
        return RowView(index=1, id="i", message="m", cells=(), withheld=False, erased=False, opens="/")

    row = Row(
        index=1,
        id="i",
        received_at=0,
        source="s",
        class_name="c",
        message="m",
        event={},
        withheld=False,
        erased=False,
        undeclared=False,
    )
    assert drawn.get(row, "?q=a", make) is drawn.get(row, "?q=a", make)
    assert drawn.get(msgspec.structs.replace(row), "?q=a", make) is not drawn.get(row, "?q=a", make)
    assert len(made) == 2
    drawn.get(row, "?q=b", make)
    assert len(made) == 3
    assert len(drawn) == 1
    del row
    gc.collect()
    assert len(drawn) == 0
