"""Pages of the catalogue: what is declared, what came undeclared, and for whom."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.installation import Installation, installation, sample


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("house")) as opened:
        opened.post([sample(), sample(action="invoice.approved"), sample(action="invoice.approved")])
        yield opened


def test_the_words_asked_for_narrow_the_list(house: Installation) -> None:
    names = [each["name"] for each in house.get("/catalogue.json", q="signed in").json()["actions"]]
    assert "user.signed_in" in names
    assert "token.revoked" not in names
    assert "No action holds these words" in house.get("/catalogue", q="zzzz").text


def test_an_undeclared_action_is_listed_with_how_often_it_came(house: Installation) -> None:
    assert house.get("/catalogue.json").json()["undeclared"] == [
        {"action": "invoice.approved", "count": 2, "query": "action%3Ainvoice.approved"}
    ]


def test_one_action_says_its_facts_and_controls(house: Installation) -> None:
    page = house.get("/catalogue/token.created").text
    assert "/metadata" in page
    assert "ISO 27001 A.5.17" in page
    assert house.get("/catalogue/no.such").status_code == 404


def test_the_catalogue_is_for_who_may_read_it(house: Installation) -> None:
    writer = house.token("write", source="writer")
    assert house.get("/catalogue", writer).status_code == 403
    assert house.get("/catalogue/token.created", writer).status_code == 403
