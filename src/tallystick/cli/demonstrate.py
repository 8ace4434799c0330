"""The demo: a made-up company's half year, loaded through the same door as everything else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import msgspec

from tallystick.access.operator import OPERATOR
from tallystick.access.sources.limits import PRESETS
from tallystick.access.sources.model import Owner, OwnerKind, SourceSettings, TokenSettings
from tallystick.access.sources.service import rules_of
from tallystick.cli.console import say
from tallystick.cli.demo_people import invite_people
from tallystick.cli.demo_policies import make_policies
from tallystick.cli.demo_releases import make_releases
from tallystick.cli.demo_streams import make_stream
from tallystick.cli.progress import progress
from tallystick.config import Settings, settings_for
from tallystick.event.admission import Media
from tallystick.intake.demo import generate
from tallystick.server import Instance, open_instance

SEED = 7
BATCH = 500
SOURCE = "demo"
READER = Owner(OwnerKind.SERVICE, "demo-reader")
READING = TokenSettings(PRESETS["read"], ("",))


def demonstrate(data: Path, state: Path, port: int, events: int, *, load_only: bool) -> None:
    """Load the demo organisation where there is none yet, print how to read it, and serve until interrupted."""
    from tallystick.serving import serve

    settings = settings_for(data, state, port=port)
    with open_instance(settings) as instance:
        sources, tokens = instance.services.sources, instance.services.tokens
        if any(source.name == SOURCE for source in sources.list(OPERATOR)):
            say(f"the demo organisation is in {data} already")
        else:
            _load(instance, events)
            invite_people(instance)
            make_releases(instance)
            make_policies(instance)
            make_stream(instance)
        token = None if load_only else tokens.create(OPERATOR, READER, READING)
    if token is not None:
        serve(settings, ready=lambda instance, address: _welcome(settings, instance, address, token.secret))


def _load(instance: Instance, events: int) -> None:
    source = rules_of(instance.services.sources.ensure(OPERATOR, SOURCE, SourceSettings(kind="demo")))
    with progress("loading the demo organisation", events, unit="events") as advance:
        for batch in _batches(generate(SEED, time.time_ns() // 1000, events)):
            admitted = instance.services.record.admit(msgspec.json.encode(batch), source, Media.JSON, partial=False)
            instance.services.record.submit(admitted.batch, source.number).result()
            advance(len(batch))


def _batches(events: Iterator[dict[str, object]]) -> Iterator[list[dict[str, object]]]:
    while batch := list(islice(events, BATCH)):
        yield batch


def _welcome(settings: Settings, instance: Instance, address: str, token: str) -> None:
    say(f"\nTallystick serves {instance.ledger.status().acknowledged.size:,} events on {address}", "bold")
    if instance.services.setup.is_needed():
        say("\nOpen this once to make the first account and sign in:\n", "dim")
        say(f"  {address}/setup?link={instance.services.setup.make().token}")
    say("\nOr, in another terminal:\n", "dim")
    say("  . .venv/bin/activate")
    say(f"  export TALLYSTICK_URL={address} TALLYSTICK_TOKEN={token}")
    say("  tallystick search 'action:release.*' --limit 5")
    say(f"  tallystick verify {settings.data}")
    say(
        "\nCtrl-C stops it. Commands on the directory itself, with the server stopped, need to know both parts:\n",
        "dim",
    )
    say(f"  export TALLYSTICK_DATA={settings.data} TALLYSTICK_STATE={settings.state}\n")
