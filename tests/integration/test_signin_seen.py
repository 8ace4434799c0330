"""When a session was last used is known after a restart, also of many that were used at one moment."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tests.people_home import people_home

from tallystick.access.people.errors import SessionInvalidError
from tallystick.store.secrets import Secret, Secrets

MINUTE = 60


def test_everybody_who_came_back_at_one_moment_is_still_signed_in_after_a_restart(tmp_path: Path) -> None:
    with people_home(tmp_path) as home:
        ana = home.set_up()
        others = [home.join(home.caller(ana), f"person{number}") for number in range(5)]
        away = home.join(home.caller(ana), "away")
        home.clock.advance(20 * MINUTE)
        with ThreadPoolExecutor(len(others)) as together:
            list(together.map(home.caller, others))
    home.clock.advance(20 * MINUTE)
    with people_home(tmp_path, home.clock) as again:
        assert [again.caller(each).name for each in others] == [f"Person{number}" for number in range(5)]
        with pytest.raises(SessionInvalidError):
            again.caller(away)


def test_records_that_are_saved_together_are_all_there_or_none_is(tmp_path: Path) -> None:
    secrets = Secrets(tmp_path / "secrets.db")
    good = [Secret("kind", name, b"", b"record") for name in ("one", "two")]
    secrets.save_all(good)
    broken = Secret("kind", "four", b"", None)  # type: ignore[arg-type]  # refused by the file
    with pytest.raises(sqlite3.IntegrityError):
        secrets.save_all([Secret("kind", "three", b"", b"record"), broken])
    assert secrets.all("kind") == {each.name: each for each in good}
    secrets.save(mended := Secret("kind", "four", b"", b"record"))
    assert secrets.find("kind", "four") == mended
    secrets.close()
