"""What is shipped to run it with: the unit and the container confine the server, the example settings are settings."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.paths import ROOT
from tools.write_server_lock import render_server_lock

from tallystick.config import VARIABLES, settings_for

FOLDER = ROOT / "packaging"
CONTAINER = (FOLDER / "Containerfile").read_text(encoding="utf-8")
UNIT = (FOLDER / "tallystick.service").read_text(encoding="utf-8")
KNOWN = {
    "FROM",
    "WORKDIR",
    "RUN",
    "COPY",
    "ENV",
    "USER",
    "VOLUME",
    "EXPOSE",
    "STOPSIGNAL",
    "HEALTHCHECK",
    "ENTRYPOINT",
    "CMD",
}


def instructions() -> list[tuple[str, str]]:
    """Return the instructions of the Containerfile with their lines joined."""
    text = "\n".join(line for line in CONTAINER.splitlines() if not line.startswith("#"))
    found = []
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            found.append((word, " ".join(rest.split())))
    return found


def final_stage() -> list[tuple[str, str]]:
    found = instructions()
    start = max(at for at, (word, _) in enumerate(found) if word == "FROM")
    return found[start:]


def directives() -> dict[str, list[str]]:
    """Return what the unit says, by directive."""
    found: dict[str, list[str]] = {}
    for line in UNIT.splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def test_every_instruction_is_one_that_containers_know() -> None:
    assert {word for word, _ in instructions()} <= KNOWN
    assert [word for word, _ in instructions()].count("FROM") == 2
    assert "docker.io" not in CONTAINER


def test_the_container_runs_as_nobody_in_particular_on_its_two_volumes() -> None:
    stage = dict(final_stage())
    assert stage["USER"] == "10001:10001"
    assert json.loads(stage["VOLUME"]) == ["/data", "/state"]
    environment = dict(shlex.split(each)[0].split("=", 1) for each in shlex.split(stage["ENV"]))
    assert (environment["TALLYSTICK_DATA"], environment["TALLYSTICK_STATE"]) == ("/data", "/state")
    assert {name for name in environment if name.startswith("TALLYSTICK_")} <= set(VARIABLES)


def test_what_builds_it_is_not_in_the_result() -> None:
    assert "pip install" not in " ".join(rest for _, rest in final_stage())
    builds = " ".join(rest for word, rest in instructions() if word == "RUN")
    assert "--require-hashes" in builds
    assert "uninstall --yes pip" in builds
    assert [rest for word, rest in final_stage() if word == "COPY"] == ["--from=build /opt/tallystick /opt/tallystick"]


def test_every_file_that_is_copied_in_exists() -> None:
    for word, rest in instructions():
        if word == "COPY" and "--from" not in rest:
            assert all((ROOT / name).exists() for name in rest.split()[:-1]), rest


def test_the_container_asks_the_server_whether_it_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    check = next(rest for word, rest in final_stage() if word == "HEALTHCHECK")
    words = json.loads(check[check.index("[") :])
    assert words[0] == "/opt/tallystick/bin/python"
    monkeypatch.setenv("TALLYSTICK_PORT", "1")  # nobody listens there
    done = subprocess.run([sys.executable, *words[1:]], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode != 0
    assert "URLError" in done.stderr


def test_what_the_container_installs_is_what_was_tested() -> None:
    locked = (ROOT / "requirements" / "server.lock").read_text(encoding="utf-8")
    assert locked == render_server_lock(), "run `python tools/write_server_lock.py`"
    assert all(name in locked for name in ("litestar==", "psycopg==", "alembic=="))
    assert not re.search(r"^(pytest|mypy|ruff|playwright)==", locked, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", ""),
        ("DynamicUser", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("RestrictNamespaces", "yes"),
        ("SystemCallArchitectures", "native"),
        ("ExecReload", "/bin/kill -HUP $MAINPID"),
        ("KillMode", "mixed"),
        ("UMask", "0077"),
    ],
)
def test_the_unit_confines_the_server(name: str, value: str) -> None:
    assert directives()[name] == [value]
    assert directives()["SystemCallFilter"][0] == "@system-service"


def test_the_unit_keeps_its_two_directories() -> None:
    assert directives()["StateDirectory"] == ["tallystick/data tallystick/state"]
    assert directives()["Environment"] == [
        "TALLYSTICK_DATA=/var/lib/tallystick/data",
        "TALLYSTICK_STATE=/var/lib/tallystick/state",
    ]


def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed here")
    unit = tmp_path / "tallystick.service"
    unit.write_text(UNIT.replace("/opt/tallystick/bin/tallystick", "/bin/true"), encoding="utf-8")
    done = subprocess.run([analyze, "verify", unit], capture_output=True, text=True, timeout=60, check=False)
    assert "tallystick.service" not in done.stderr, done.stderr
    found = subprocess.run(
        [analyze, "security", "--offline=true", "--no-pager", unit],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    level = re.search(r"Overall exposure level for \S+ (\d+\.\d+)", found.stdout)
    assert level is not None, found.stderr
    assert float(level[1]) <= 1.5


def test_the_example_settings_are_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    text = (FOLDER / "tallystick.toml").read_text(encoding="utf-8")
    for name in ("database-url", "oidc-secret"):
        (tmp_path / name).write_text("postgresql+psycopg://t@db/t", encoding="utf-8")
    whole = re.sub(r"^# (?=\[|\w+ = )", "", text, flags=re.MULTILINE).replace("/etc/tallystick/", f"{tmp_path}/")
    for each in (text, whole):
        path = tmp_path / "tallystick.toml"
        path.write_text(each, encoding="utf-8")
        monkeypatch.setenv("TALLYSTICK_CONFIG", str(path))
        settings = settings_for(tmp_path / "data")
        assert settings.public_url == "https://audit.example.org"
        settings.require_safe_listen()
    assert settings.oidc is not None
    assert settings.database is not None
    assert settings.behind_proxy
