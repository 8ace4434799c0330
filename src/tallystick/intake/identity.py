"""Ids that come out the same however often the same vendor event arrives."""

from __future__ import annotations

import hashlib
import uuid

NAMESPACE = uuid.UUID("6c1f1b3e-7f0d-5c53-9b57-0d6b6f3c2a11")
"""The namespace of every UUIDv5 made here; never to be changed."""


def vendor_event_id(source: str, map_name: str, vendor_id: str) -> str:
    """Return the id of the event that `source` calls `vendor_id`."""
    return str(uuid.uuid5(NAMESPACE, f"{map_name}\n{source}\nid\n{vendor_id}"))


def content_event_id(source: str, map_name: str, content: bytes) -> str:
    """Return the id of the event whose vendor text is `content`, for vendors that give none or give one twice."""
    return str(uuid.uuid5(NAMESPACE, f"{map_name}\n{source}\ncontent\n{hashlib.sha256(content).hexdigest()}"))
