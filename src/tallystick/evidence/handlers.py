"""How erasures and backups come into their tables."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection

from tallystick.event.succession import LOG
from tallystick.follow.product_log import ProductEvent
from tallystick.follow.projection import Handler, handlers_of
from tallystick.store.tables.evidence import BACKUP, ERASURE


def _erase(connection: Connection, event: ProductEvent) -> None:
    metadata = event.metadata
    if LOG in metadata:
        return  # about an earlier log, whose content is in no table
    connection.execute(
        ERASURE.insert().values(
            erased_index=event.index,
            erased_at=event.received_at,
            part=metadata["part"],
            ranges=json.dumps(metadata["ranges"]),
            ground=json.dumps(metadata["ground"]),
            classes=_list(metadata.get("classes")),
            spared=_list(metadata.get("except_sources")),
            events=metadata.get("events"),
        )
    )


def _back_up(connection: Connection, event: ProductEvent) -> None:
    name, size = event.metadata.get("name"), event.metadata.get("size")
    connection.execute(
        BACKUP.insert().values(backup_index=event.index, backed_up_at=event.received_at, name=name, size=size)
    )


def _list(value: list[int] | None) -> str | None:
    return None if value is None else json.dumps(value)


HANDLERS: Mapping[tuple[str, int], Handler] = handlers_of({"content.erased": _erase, "backup.created": _back_up})
