"""Registered senders, as they are and as they were."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from sqlalchemy import Connection, create_engine, select
from sqlalchemy.pool import StaticPool

from tallystick.access.sources.handlers import HANDLERS
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import SCHEMA_VERSION
from tallystick.govern.systems.coverage import Sender
from tallystick.store.tables import METADATA, SOURCE


def load_senders(connection: Connection) -> list[Sender]:
    """Return every sender ever registered."""
    return [
        Sender(row.name, row.owner, tuple(json.loads(row.scopes)), row.registered_index, row.retired_index)
        for row in connection.execute(select(SOURCE))
    ]


def senders_at(read: Callable[[int], Iterable[ProductEvent]], size: int) -> list[Sender]:
    """Return the senders as they stood after the first `size` events, from the product's own events up to there.

    Costs as much as reading these does.
    """
    engine = create_engine("sqlite://", poolclass=StaticPool)
    try:
        with engine.begin() as connection:
            METADATA.create_all(connection)
            for event in read(0):
                if event.index >= size:
                    break
                handler = HANDLERS.get((event.action, SCHEMA_VERSION))
                if handler is not None and event.action.startswith("source."):
                    handler(connection, event)
            return load_senders(connection)
    finally:
        engine.dispose()
