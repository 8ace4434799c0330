"""The process and the machine that it runs on."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Final

from tallystick import __version__
from tallystick.health import machine
from tallystick.health.model import Check, State

_DAY_S: Final = 86_400
CERTIFICATE_DAYS_MIN: Final = 14
CLOCK_MS_MAX: Final = 1000.0
OPEN_SHARE_MAX: Final = 0.8
BEHIND_US_MAX: Final = 1_000_000


def certificate(path: Path | None, now_us: int, *, behind_proxy: bool) -> Check:
    name, meaning = "Certificate", "People and senders reach the server by TLS with this certificate."
    if path is None:
        found = "TLS ends at the proxy" if behind_proxy else "no TLS: the server listens on this machine only"
        return Check(name=name, state="off", found=found, meaning=meaning)
    ends = machine.certificate_ends(path)
    if ends is None:
        remedy = "Put a readable PEM file in its place."
        return Check(name=name, state="problem", found="it cannot be read", meaning=meaning, remedy=remedy)
    days = (ends.timestamp() - now_us / 1_000_000) / _DAY_S
    state: State = "problem" if days <= 0 else "attention" if days < CERTIFICATE_DAYS_MIN else "good"
    found = f"ends {ends:%Y-%m-%d}, " + (f"{days:.0f} days left" if days > 0 else "which has passed")
    remedy = "" if state == "good" else "Renew it; the server takes up a new file without a restart."
    return Check(name=name, state=state, found=found, meaning=meaning, remedy=remedy)


def clock(behind_us: int) -> Check:
    name = "Clock"
    meaning = "Times in the log are this clock's; an auditor asks for evidence that it is synchronised."
    remedy = "Run chrony or systemd-timesyncd on this machine."
    if behind_us > BEHIND_US_MAX:
        found = f"it stands {behind_us / 1_000_000:,.0f} s behind the newest event: it was set back"
        return Check(name=name, state="attention", found=found, meaning=meaning, remedy=remedy)
    try:
        error_ms = machine.clock_error_ms()
    except machine.ClockUnknownError as error:
        return Check(name=name, state="unknown", found=str(error), meaning=meaning, remedy=remedy)
    if error_ms is None:
        found = "the kernel says that it is not synchronised"
        return Check(name=name, state="attention", found=found, meaning=meaning, remedy=remedy)
    state: State = "good" if error_ms <= CLOCK_MS_MAX else "attention"
    found = f"synchronised, wrong by at most {error_ms:,.1f} ms"
    return Check(name=name, state=state, found=found, meaning=meaning, remedy="" if state == "good" else remedy)


def failures(count: int) -> Check:
    return Check(
        name="Errors",
        state="attention" if count else "good",
        found=f"{count:,} answers of the last hour were errors of the server",
        meaning="Errors of the server are answers with a status from 500 on.",
        remedy="The server's own output names each with its incident number." * bool(count),
    )


def exports(waiting: int) -> Check:
    return Check(
        name="Exports",
        state="good",
        found=f"{waiting:,} waiting or running",
        meaning="Exports are made in the background, one after another.",
    )


def memory() -> Check:
    name, meaning = "Memory", "What the server's own process holds; searches keep recent segments at hand."
    held = machine.memory_bytes()
    if held is None:
        return Check(name=name, state="unknown", found="the system does not say", meaning=meaning)
    return Check(name=name, state="good", found=f"{held / 1e6:,.0f} MB", meaning=meaning)


def open_files() -> Check:
    name, meaning = "Open files", "Files and connections together; at the limit new connections are turned away."
    count, limit = machine.open_files()
    if count is None:
        return Check(name=name, state="unknown", found=f"of {limit:,} allowed", meaning=meaning)
    crowded = count > OPEN_SHARE_MAX * limit
    remedy = "Raise the limit of open files (LimitNOFILE), or find out who holds connections open." * crowded
    state: State = "attention" if crowded else "good"
    return Check(name=name, state=state, found=f"{count:,} of {limit:,} allowed", meaning=meaning, remedy=remedy)


def running(workers: int, database: str) -> Check:
    return Check(
        name="Version",
        state="good",
        found=f"tallystick {__version__}, Python {platform.python_version()}, tables in {database}, {workers} more processes",
        meaning="What is running here. The log says when it was started: server.started.",
    )
