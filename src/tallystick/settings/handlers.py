"""How a change of a setting comes into the table."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, delete

from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.settings import SETTING


def _change(connection: Connection, event: ProductEvent) -> None:
    name = event.metadata["setting"]
    connection.execute(delete(SETTING).where(SETTING.c.name == name))
    connection.execute(
        SETTING.insert().values(
            name=name,
            value=json.dumps(event.metadata["value"]),
            changed_at=event.received_at,
            changed_by=event.event["actor"].get("id"),
            changed_index=event.index,
        )
    )


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of({"setting.changed": _change})
