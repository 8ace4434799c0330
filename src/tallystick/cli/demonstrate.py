"""The demo: a made-up company's half year, loaded through the same door as everything else.

What is older than five weeks arrives at once, as somebody brings old logs along; the last five weeks arrive as they
happened, by a clock that runs through them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from tallystick.access.operator import OPERATOR
from tallystick.access.sources.limits import PRESETS
from tallystick.access.sources.model import Owner, OwnerKind, SourceSettings, TokenSettings
from tallystick.access.sources.service import rules_of
from tallystick.cli.console import say
from tallystick.cli.demo_clock import DemoClock
from tallystick.cli.demo_duties import begin_duties
from tallystick.cli.demo_month import HOUR_US, MINUTE_US, Month
from tallystick.cli.demo_people import ask_for_access, invite_people
from tallystick.cli.demo_policies import make_policies
from tallystick.cli.demo_releases import make_releases
from tallystick.cli.demo_streams import make_stream
from tallystick.cli.progress import progress
from tallystick.config import Settings, settings_for
from tallystick.event.admission import Media
from tallystick.event.gate import SourceRules
from tallystick.event.occurred import us_of_time
from tallystick.intake.demo import generate
from tallystick.ledger.errors import UnsealedBacklogError
from tallystick.server import Instance, open_instance

SEED = 7
BATCH = 500
SOURCE = "demo"
WEEKS_US = 35 * 86_400_000_000
#: Events of so long arrive together: less than the lateness that rules allow for.
TOGETHER_US = 5 * MINUTE_US
#: How long an event takes to arrive.
UNDERWAY_US = 2_000_000
#: The demo's sender is never silent for longer, but for a weekend.
SILENCE_S = 24 * 3600
READER = Owner(OwnerKind.SERVICE, "demo-reader")
READING = TokenSettings(PRESETS["read"], ("",))


def demonstrate(data: Path, state: Path, port: int, events: int, *, load_only: bool) -> None:
    """Load the demo organisation where there is none yet, print how to read it, and serve until interrupted."""
    from tallystick.serving import serve

    settings = settings_for(data, state, port=port)
    end_us = time.time_ns() // 1000
    clock = DemoClock(end_us if (settings.data / "ledger").exists() else end_us - WEEKS_US)
    with open_instance(settings, clock=clock) as instance:
        if any(source.name == SOURCE for source in instance.services.sources.list(OPERATOR)):
            clock.reach(end_us)
            say(f"the demo organisation is in {data} already")
        else:
            tell(instance, clock, end_us, events)
        token = None if load_only else instance.services.tokens.create(OPERATOR, READER, READING)
    if token is not None:
        serve(settings, ready=lambda instance, address: _welcome(settings, instance, address, token.secret))


def tell(instance: Instance, clock: DemoClock, end_us: int, events: int) -> None:
    """Record the half year, with what people did in the product itself where it belongs in it."""
    invite_people(instance, end_us)
    make_releases(instance)
    make_policies(instance)
    make_stream(instance)
    sender = SourceSettings(kind="demo", owner="security", silence_s=SILENCE_S)
    source = rules_of(instance.services.sources.ensure(OPERATOR, SOURCE, sender))
    begin_us, month = clock.now_us(), Month(instance, clock, end_us)
    with progress("loading the demo organisation", events, unit="events") as advance:
        for at_us, batch in _batches(generate(SEED, end_us, events), begin_us):
            if at_us < begin_us + HOUR_US:
                clock.reach(at_us)
                _record(instance, batch, source)
            else:
                if not month.has_begun:
                    month.begin()
                    begin_duties(month)
                month.reach(at_us)
                _record(instance, batch, source)
                month.watch()
            advance(len(batch))
    month.end()
    ask_for_access(instance, end_us)


def _record(instance: Instance, batch: list[dict[str, Any]], source: SourceRules) -> None:
    admitted = instance.services.record.admit(msgspec.json.encode(batch), source, Media.JSON, partial=False)
    while True:
        try:
            instance.services.record.submit(admitted.batch, source.number).result()
        except UnsealedBacklogError:  # days go by faster than they are sealed
            time.sleep(0.1)
        else:
            return


def _batches(events: Iterator[dict[str, Any]], begin_us: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield batches with the time at which each arrives: all at once before `begin_us`, then minute by minute."""
    batch: list[dict[str, Any]] = []
    first_us = last_us = begin_us
    for event in events:
        at_us = max(begin_us, us_of_time(event["occurred_at"]))
        if len(batch) == BATCH or at_us - first_us > TOGETHER_US:
            yield last_us + UNDERWAY_US, batch
            batch, first_us = [], at_us
        batch.append(event)
        last_us = at_us
    yield last_us + UNDERWAY_US, batch


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
