"""Systems of the demo organisation with what is critical in them; one declares something that never arrives."""

from __future__ import annotations

from typing import Any, Final

from tallystick.cli.demo_month import DAY_US, Month
from tallystick.govern.exceptions.model import Kind, Risk, Wish
from tallystick.govern.systems.model import DataClass, Environment, Facts
from tallystick.intake.demo.company import ROOT

LEAD: Final = "beatriz.lima"
ANALYST: Final = "callum.grant"
OWNER: Final = "ana.sousa"
ADDRESS: Final = "192.0.2.35"
WEEK: Final = 7 * 1440
KEYS_MINUTES: Final = 33 * 1440
"""The keys of the settlement are expected so often that their silence shows two days before the end."""


def _pattern(name: str, query: str, why: str, silence_minutes: int = 2 * WEEK) -> dict[str, Any]:
    return {"name": name, "query": query, "why": why, "silence_minutes": silence_minutes, "sources": ["demo"]}


_CODE: Final = _pattern("code", "action:(code.* OR change.* OR branch_protection.*)", "What is merged is what runs.")
_RELEASES: Final = _pattern("releases", "action:release.*", "What customers get.", 6 * WEEK)
_PIPELINES: Final = _pattern("pipelines", "action:pipeline.*", "A build that fails may hide one that was changed.")
_WEAKNESSES: Final = _pattern(
    "weaknesses", "action:(vulnerability.* OR policy.*)", "Known weaknesses have to go in time.", 6 * WEEK
)
_MEMBERS: Final = _pattern("members", "action:member.*", "Who may change the code.", 8 * WEEK)
_DOWNLOADS: Final = _pattern("downloads", "action:repository.*", "Source that leaves.", 8 * WEEK)
_SIGN_IN: Final = "People sign in at the identity service, which is a system of its own."
_NETWORK: Final = "The network is watched at its edge, for all systems together."

PLATFORM: Final[dict[str, Any]] = {
    "categories": {
        "authentication": {"not_applicable": _SIGN_IN},
        "network": {"not_applicable": _NETWORK},
        "system": {"patterns": [_PIPELINES]},
        "application": {"patterns": [_CODE, _RELEASES, _DOWNLOADS, _MEMBERS]},
        "security": {"patterns": [_WEAKNESSES]},
    }
}
PAYMENTS: Final[dict[str, Any]] = {
    "categories": {
        "authentication": {"not_applicable": _SIGN_IN},
        "network": {"not_applicable": _NETWORK},
        "system": {"patterns": [_PIPELINES]},
        "application": {
            "patterns": [
                _CODE,
                _RELEASES,
                _MEMBERS,
                _pattern("payments", "action:transaction.*", "A payment that fails is money that waits.", WEEK),
                _pattern("contracts", "action:(record.* OR file.*)", "Contracts of merchants are personal.", 8 * WEEK),
            ]
        },
        "security": {
            "patterns": [
                _WEAKNESSES,
                _pattern("settlement-keys", "action:secret.read", "Who takes the keys can pay.", KEYS_MINUTES),
            ]
        },
    }
}
IDENTITY: Final[dict[str, Any]] = {
    "categories": {
        "authentication": {
            "patterns": [
                _pattern("sign-ins", "action:(user.* OR mfa.* OR session.*)", "Who comes in.", 2 * 1440),
                _pattern("accounts", "action:(account.* OR member.*)", "Who may come in.", 8 * WEEK),
                _pattern("credentials", "action:credential.*", "Keys that open as a person does.", 4 * WEEK),
            ]
        },
        "system": {"not_applicable": "The service is bought; its own machines are its maker's."},
        "network": {"not_applicable": _NETWORK},
        "application": {"not_applicable": "It has no business functions beside signing in."},
        "security": {"not_applicable": "Its settings change through the policies, which are watched there."},
    }
}


def register_systems(month: Month) -> None:
    """Register three systems and have their declarations approved; one is silent about something that it declares."""
    lead, register = month.person(LEAD, ADDRESS), month.instance.services.systems.register
    for facts, document in (
        (_facts("Platform", f"{ROOT}/platform", OWNER, DataClass.CONFIDENTIAL), PLATFORM),
        (_facts("Payments", f"{ROOT}/payments", "paula.reyes", DataClass.RESTRICTED), PAYMENTS),
        (_facts("Identity", f"{ROOT}/identity", LEAD, DataClass.RESTRICTED), IDENTITY),
    ):
        system = register.register(lead, facts)
        _declare(month, system, document)
        if facts.name == "Payments":
            _except(month, f"{system}/undeclared:repository.download_started")


def _declare(month: Month, system: str, document: dict[str, Any]) -> None:
    register = month.instance.services.systems.register
    lead, keeper = month.person(LEAD, ADDRESS), month.person("divya.pillai", ADDRESS)
    made = register.propose(keeper, system, document, based_on=None, reason="As gone through with the owner")
    (proposal,) = (each for each in register.get(lead, system).proposals if each.declaration == made)
    register.approve(lead, system, made, proposal.digest, reason="Complete, as far as we know")


def _except(month: Month, gap: str) -> None:
    """Ask for time to declare the downloads, and get it."""
    exceptions, analyst = month.instance.services.systems.exceptions, month.person(ANALYST, ADDRESS)
    wish = Wish(
        Kind.DECLARATION,
        gap,
        f"{ROOT}/payments",
        "The code service moves to another connector, which names downloads in another way.",
        "The rule about strangers to a project sees every download meanwhile.",
        Risk.LOW,
        month.end_us + 25 * DAY_US,
    )
    made = exceptions.request(analyst, wish)
    digest = exceptions.get(analyst, made).digest
    exceptions.approve(month.person(LEAD, ADDRESS), made, digest, reason="Until the move is done, no longer")


def _facts(name: str, scope: str, owner: str, data_class: DataClass) -> Facts:
    return Facts(
        name=name,
        scopes=(scope,),
        environment=Environment.PRODUCTION,
        data_class=data_class,
        owner=owner,
        deputies=("divya.pillai",),
        endpoints=(f"{name.lower()}.wrenfield.example",),
        assets=(f"vm-group {name.lower()}-production",),
        third_parties=("Northern Vault, keeper of backups",),
        runbook=f"https://runbooks.wrenfield.example/{name.lower()}",
        procedure="Every service writes to the collector of its host; the collector sends within a minute.",
    )
