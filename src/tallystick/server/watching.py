"""The engine of detection with what it needs of the others."""

from __future__ import annotations

import contextlib
from contextlib import ExitStack
from functools import partial

from sqlalchemy import Connection

from tallystick.access.sources.rows import all_sources
from tallystick.detect.engine import Engine
from tallystick.detect.events import SOURCE_WORD
from tallystick.detect.excepted import ExceptedAlarms
from tallystick.detect.ports import EnginePorts, Sender
from tallystick.detect.room import RuleRoom
from tallystick.detect.state import States
from tallystick.detect.witnesses import WitnessWatch
from tallystick.follow.alarm import RaiseAlarms
from tallystick.follow.kept import Kept
from tallystick.follow.log_reader import LogReader
from tallystick.govern import ExceptionService
from tallystick.server.exempting import RuleExemptions
from tallystick.server.ground import Ground


def open_engine(
    ground: Ground, rules: RuleRoom, exceptions: ExceptionService, raise_alarms: RaiseAlarms, held: ExitStack
) -> Engine:
    """Return the engine; it watches while its context lasts."""
    ledger, projection = ground.ledger, ground.projection
    reader = LogReader(ledger.snapshot, ground.segments, ground.register.quarantined)
    senders: Kept[None, dict[int, Sender]] = Kept(projection, _senders, (SOURCE_WORD,))
    watch = WitnessWatch(len(ground.settings.witnesses), ledger.status, reader.received_at, ground.product.one)
    ports = EnginePorts(
        enabled=rules.enabled,
        senders=lambda: senders.get(None),
        raise_alarms=ExceptedAlarms(raise_alarms, RuleExemptions(ground, exceptions, reader)),
        now_us=ground.book.now_us,
        refresh=projection.catch_up,
        version=rules.lists.version,
        lists=rules.lists.values,
        category=partial(_category, ground),
        look=watch.look,
    )
    states = held.enter_context(contextlib.closing(States(ground.settings.data, ledger.origin)))
    return Engine(reader, states, ports)


def _senders(connection: Connection, _: None) -> dict[int, Sender]:
    return {
        each.number: Sender(
            number=each.number,
            name=each.name,
            kind=each.settings.kind,
            scope=each.settings.scopes[0] if len(each.settings.scopes) == 1 else "",
            silence_s=each.settings.silence_s,
            registered_at=each.registered_at,
            retired=each.retired,
        )
        for each in all_sources(connection)
    }


def _category(ground: Ground, action: str) -> str | None:
    found = ground.admission.catalogue.get(action)
    return None if found is None else found.category
