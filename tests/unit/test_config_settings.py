"""Settings: what is given wins over the environment, the environment over the defaults, and nonsense is refused."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from tests.paths import ROOT

from tallystick.config import (
    CATALOGUE_FOLDER,
    SETTINGS,
    VARIABLES,
    ConfigFileError,
    DatabaseSetting,
    OidcSetting,
    SettingError,
    Settings,
    SmtpSetting,
    UnsafeListenError,
    WitnessSetting,
    configured_data,
    is_loopback,
    parse_public_url,
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


def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> Path:
    """Write a configuration file and have it used."""
    path = tmp_path / "tallystick.toml"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("TALLYSTICK_CONFIG", str(path))
    return path


WHOLE = f"""
state = "/var/lib/elsewhere"
host = "0.0.0.0"
port = 8443
public_url = "https://Audit.example.org/"
allowed_hosts = ["Tallystick", "10.0.0.7"]
workers = 3
witnesses = ["{VKEY}@https://w.example.org"]
catalogue = ["more.yaml"]
reserve_bytes = 7
[tls]
cert = "chain.pem"
key = "key.pem"
[proxy]
behind = true
addresses = ["10.0.0.0/8", "::1"]
headers = "forwarded"
[stream]
networks = ["10.20.0.0/16"]
[database]
url = "postgresql+psycopg://tallystick@db/tallystick"
[oidc]
issuer = "https://id.example.org"
client_id = "tallystick"
client_secret_file = "SECRET"
scopes = ["openid", "groups"]
groups_claim = "roles"
name = "Example ID"
[smtp]
host = "mail.example.org"
port = 465
security = "tls"
sender = "audit@example.org"
username = "audit"
password_file = "SECRET"
[limits]
depth_max = 9
"""


def test_a_file_can_say_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "secret"
    secret.write_text("  s3cret\n", encoding="utf-8")
    write(tmp_path, monkeypatch, WHOLE.replace("SECRET", str(secret)))
    assert settings_for(tmp_path / "data") == Settings(
        data=tmp_path / "data",
        state=Path("/var/lib/elsewhere"),
        host="0.0.0.0",  # noqa: S104
        port=8443,
        public_url="https://audit.example.org",
        allowed_hosts=("tallystick", "10.0.0.7"),
        workers=3,
        witnesses=(WitnessSetting("https://w.example.org", VKEY),),
        catalogue_files=(Path("more.yaml"),),
        reserve_bytes=7,
        tls_cert=Path("chain.pem"),
        tls_key=Path("key.pem"),
        behind_proxy=True,
        proxies=("10.0.0.0/8", "::1"),
        proxy_headers="forwarded",
        stream_networks=("10.20.0.0/16",),
        database=DatabaseSetting("postgresql+psycopg://tallystick@db/tallystick"),
        oidc=OidcSetting("https://id.example.org", "tallystick", "s3cret", ("openid", "groups"), "roles", "Example ID"),
        smtp=SmtpSetting("mail.example.org", "audit@example.org", 465, "tls", "audit", "s3cret"),
        limits=Limits(depth_max=9),
    )


def test_every_key_of_the_list_is_in_that_file() -> None:
    document = tomllib.loads(WHOLE)
    keys = {f"{name}.{each}" for name, table in document.items() if isinstance(table, dict) for each in table}
    keys |= {name for name, value in document.items() if not isinstance(value, dict)}
    left = {each.key for each in SETTINGS if each.key and not each.key.startswith("limits.")} - keys
    assert left == {"data", "database.url_file"}


def test_an_option_wins_over_a_variable_and_that_over_the_file_and_that_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings_for(tmp_path / "data").port == 8400
    write(tmp_path, monkeypatch, "port = 1")
    assert settings_for(tmp_path / "data").port == 1
    monkeypatch.setenv("TALLYSTICK_PORT", "2")
    assert settings_for(tmp_path / "data").port == 2
    assert settings_for(tmp_path / "data", port=3).port == 3


def test_the_data_directory_may_stand_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, monkeypatch, 'data = "/srv/one"')
    assert configured_data() == Path("/srv/one")
    monkeypatch.setenv("TALLYSTICK_DATA", "/srv/two")
    assert configured_data() == Path("/srv/two")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("\nprot = 1", "line 2: there is no setting 'prot'"),
        ("[tls]\n# a remark\ncertificate = 'x'", "line 3: there is no setting 'tls.certificate'"),
        ("tls.cret = 'x'", "line 1: there is no setting 'tls.cret'"),
        ("[tsl]\ncert = 'x'", "line 1: there is no setting 'tsl'"),
        ("tls = 'x'", "line 1: there is no setting 'tls'"),
        ("port = 1\nport = 2\n", "line 2"),
        ("port =\n", "line 1"),
        ("[limits]\n\ndepth_max = 0", "line 3: limits.depth_max is not"),
        ("port = '8400'", "line 1: port is not"),
        ("port = true", "line 1: port is not"),
        ("[proxy]\nbehind = 1", "line 2: proxy.behind is not"),
        ("[proxy]\naddresses = ['10.0.0.0/33']", "line 2: proxy.addresses is not"),
        ("catalogue = 'one.yaml'", "line 1: catalogue is not"),
        ("[oidc]\nclient_secret = 'x'", "line 2: there is no setting 'oidc.client_secret'"),
    ],
)
def test_what_a_file_says_in_vain_is_refused_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, place: str
) -> None:
    path = write(tmp_path, monkeypatch, text)
    with pytest.raises(ConfigFileError, match=re.escape(place)) as caught:
        settings_for(tmp_path / "data")
    assert str(path) in caught.value.message


def test_a_misspelt_key_is_answered_with_the_one_that_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, monkeypatch, "public_ulr = 'https://audit.example.org'")
    with pytest.raises(ConfigFileError) as caught:
        settings_for(tmp_path / "data")
    assert "'public_url'" in caught.value.advice


def test_a_file_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLYSTICK_CONFIG", str(tmp_path / "missing.toml"))
    with pytest.raises(ConfigFileError, match=r"missing\.toml cannot be read"):
        settings_for(tmp_path / "data")
    monkeypatch.setenv("TALLYSTICK_CONFIG", "")
    assert settings_for(tmp_path / "data").port == 8400


@pytest.mark.parametrize(
    "url",
    ["audit.example.org", "https://audit.example.org/x", "https://ana@audit.example.org", "ftp://x", "https://x:y", ""],
)
def test_a_public_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SettingError):
        parse_public_url(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Audit.Example.org:443/", "https://audit.example.org"),
        ("http://127.0.0.1:8400", "http://127.0.0.1:8400"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_a_public_address_is_kept_as_a_browser_writes_it(url: str, expected: str) -> None:
    assert parse_public_url(url) == expected


ISSUER = {"TALLYSTICK_OIDC_ISSUER": "https://id.example.org", "TALLYSTICK_OIDC_CLIENT_ID": "t"}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"TALLYSTICK_PUBLIC_URL": ""}, "public_url"),
        ({"TALLYSTICK_OIDC_CLIENT_ID": ""}, "client_id"),
        ({"TALLYSTICK_OIDC_ISSUER": "http://id.example.org"}, "issuer"),
        ({"TALLYSTICK_OIDC_SCOPES": "profile email"}, "openid"),
        ({"TALLYSTICK_OIDC_CLIENT_SECRET_FILE": "/nowhere/secret"}, "secret"),
    ],
)
def test_half_an_identity_provider_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], said: str
) -> None:
    for name, value in {"TALLYSTICK_PUBLIC_URL": "https://audit.example.org", **ISSUER, **changes}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingError, match=said):
        settings_for(tmp_path / "data")


def test_a_variable_about_the_database_wins_over_either_key_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, monkeypatch, "[database]\nurl_file = '/nowhere'")
    monkeypatch.setenv("TALLYSTICK_DATABASE_URL", "postgresql+psycopg://a@b/c")
    assert settings_for(tmp_path / "data").database == DatabaseSetting("postgresql+psycopg://a@b/c")
    monkeypatch.setenv("TALLYSTICK_DATABASE_URL_FILE", "/nowhere")
    with pytest.raises(SettingError, match="twice"):
        settings_for(tmp_path / "data")


def test_a_secret_may_stand_in_a_file_and_shows_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("url", "postgresql+psycopg://t:hunter2@db/t\n"), ("client", "hunter2\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("TALLYSTICK_DATABASE_URL_FILE", str(tmp_path / "url"))
    monkeypatch.setenv("TALLYSTICK_OIDC_CLIENT_SECRET_FILE", str(tmp_path / "client"))
    monkeypatch.setenv("TALLYSTICK_PUBLIC_URL", "https://audit.example.org")
    for name, value in ISSUER.items():
        monkeypatch.setenv(name, value)
    settings = settings_for(tmp_path / "data")
    assert settings.database == DatabaseSetting("postgresql+psycopg://t:hunter2@db/t")
    assert settings.oidc is not None
    assert settings.oidc.client_secret == "hunter2"
    assert "hunter2" not in repr(settings)


def test_an_empty_file_holds_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("\n", encoding="utf-8")
    monkeypatch.setenv("TALLYSTICK_DATABASE_URL_FILE", str(tmp_path / "url"))
    with pytest.raises(SettingError, match="empty"):
        settings_for(tmp_path / "data")


@pytest.mark.parametrize("url", ["postgresql+psycopg://t:hunter2@db/t", "postgresql+psycopg://t@db/t?password=hunter2"])
def test_no_password_is_taken_from_the_command_line_where_others_see_it(url: str) -> None:
    with pytest.raises(SettingError, match="command line") as caught:
        DatabaseSetting.from_option(url)
    assert "hunter2" not in caught.value.message + caught.value.advice
    assert DatabaseSetting.from_option("postgresql+psycopg://t@db/t").url == "postgresql+psycopg://t@db/t"
