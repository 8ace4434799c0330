"""What a sender may try with ids: take one that the product made, which the receipt told it."""

from __future__ import annotations

from pathlib import Path

from tests.installation import Installation, installation, sample

from tallystick.verify.service import load_trust, verify_target


def _sent(house: Installation) -> str:
    answer = house.post([sample(), sample(reason="the second")])
    return str(answer.json()["events"][1]["id"])


def _claims(house: Installation, made: str) -> None:
    again = house.post(sample(id=made, reason="the second"))
    assert (again.status_code, again.json()["events"][0].get("repeated")) == (201, True)
    other = house.post(sample(id=made, reason="something else"))
    assert (other.status_code, other.json()["code"]) == (409, "id-conflict")


def test_an_id_that_was_made_for_an_event_is_taken_like_one_that_was_given(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        made = _sent(house)
        _claims(house, made)
    with installation(tmp_path) as house:  # as it was read back from the log
        _claims(house, made)
        assert house.post(sample(id=made[:-1] + ("0" if made[-1] != "0" else "1"))).status_code == 201
        ledger = house.instance.ledger
        ledger.wait_committed(ledger.status().acknowledged.size, 20)
    report = verify_target(str(tmp_path / "data"), load_trust())
    assert not report.findings, report.sentence


def test_another_source_may_use_the_same_id(tmp_path: Path) -> None:
    with installation(tmp_path) as house:
        made = _sent(house)
        other = house.post(sample(id=made), headers=house.token(source="other"))
        assert (other.status_code, other.json()["events"][0].get("repeated")) == (201, None)
