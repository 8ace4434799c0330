"""Settings: what is given wins over the environment, the environment over the defaults, and nonsense is refused."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from tests.paths import ROOT

from tallystick.config import (
    CATALOGUE_FOLDER,
    VARIABLES,
    SettingError,
    UnsafeListenError,
    WitnessSetting,
    is_loopback,
    parse_witness,
    settings_for,
)
from tallystick.event.limits import Limits


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)


def test_without_anything_said_the_defaults_hold(tmp_path: Path) -> None:
    settings = settings_for(tmp_path / "data")
    assert settings.limits == Limits()
    assert (settings.host, settings.workers, settings.catalogue_files) == ("127.0.0.1", 0, ())


@pytest.mark.parametrize("name", [each.name for each in fields(Limits)])
def test_every_limit_has_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"TALLYSTICK_{name.upper()}", "17")
    assert getattr(settings_for(tmp_path / "data").limits, name) == 17
    assert f"TALLYSTICK_{name.upper()}" in VARIABLES


@pytest.mark.parametrize("text", ["", "0", "-1", "ten", "1e3", " 7", "٣"])
def test_a_limit_that_is_no_count_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("TALLYSTICK_EVENT_BYTES_MAX", text)
    with pytest.raises(SettingError, match="TALLYSTICK_EVENT_BYTES_MAX"):
        settings_for(tmp_path / "data")


def test_what_is_given_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSTICK_RESERVE_BYTES", "5")
    assert settings_for(tmp_path / "data").reserve_bytes == 5
    assert settings_for(tmp_path / "data", reserve_bytes=9).reserve_bytes == 9


def test_catalogue_files_come_from_the_data_directory_and_from_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data" / CATALOGUE_FOLDER
    folder.mkdir(parents=True)
    for name in ("b.yaml", "a.yaml", "notes.txt"):
        (folder / name).touch()
    monkeypatch.setenv("TALLYSTICK_CATALOGUE", f"{tmp_path}/more.yaml:")
    expected = (folder / "a.yaml", folder / "b.yaml", tmp_path / "more.yaml")
    assert settings_for(tmp_path / "data").catalogue_files == expected


def test_every_variable_that_is_read_anywhere_is_listed_and_the_other_way_round() -> None:
    read = set()
    for file in (ROOT / "src").rglob("*.py"):
        read |= set(re.findall(r"\bTALLYSTICK_[A-Z_]+\b", file.read_text(encoding="utf-8")))
    read.discard("TALLYSTICK_")
    assert read == set(VARIABLES)


def test_the_state_directory_cannot_lie_inside_the_data_directory(tmp_path: Path) -> None:
    for state in (tmp_path, tmp_path / "state", tmp_path / "x" / ".." / "state"):
        with pytest.raises(SettingError, match="inside"):
            settings_for(tmp_path, state)


@pytest.mark.parametrize("half", ["tls_cert", "tls_key"])
def test_a_certificate_and_its_key_come_together(tmp_path: Path, half: str) -> None:
    with pytest.raises(SettingError):
        settings_for(tmp_path / "data", **{half: tmp_path / "x.pem"})


@pytest.mark.parametrize("workers", [-1, 65])
def test_so_many_workers_are_refused(tmp_path: Path, workers: int) -> None:
    with pytest.raises(SettingError):
        settings_for(tmp_path / "data", workers=workers)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost"])
def test_this_machine_may_be_served_without_tls(tmp_path: Path, host: str) -> None:
    assert is_loopback(host)
    settings_for(tmp_path / "data", host=host).require_safe_listen()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "localhost.example.org", ""])  # noqa: S104
def test_other_machines_are_served_only_with_tls_or_behind_a_proxy(tmp_path: Path, host: str) -> None:
    with pytest.raises(UnsafeListenError):
        settings_for(tmp_path / "data", host=host).require_safe_listen()
    settings_for(tmp_path / "data", host=host, behind_proxy=True).require_safe_listen()
    both = {"tls_cert": tmp_path / "cert.pem", "tls_key": tmp_path / "key.pem"}
    settings_for(tmp_path / "data", host=host, **both).require_safe_listen()


VKEY = "w.example.org+0a1b2c3d+BNVQ3v7Pq"


@pytest.mark.parametrize("text", [f"{VKEY}@https://w.example.org/", f"{VKEY} https://w.example.org"])
def test_a_witness_is_a_key_and_an_address(text: str) -> None:
    assert parse_witness(text) == WitnessSetting("https://w.example.org", VKEY)


@pytest.mark.parametrize("text", ["", VKEY, f"{VKEY}@ftp://w.example.org", "key@https://w.example.org", "@https://x"])
def test_what_names_no_witness_is_refused(text: str) -> None:
    with pytest.raises(SettingError):
        parse_witness(text)
