"""What the product writes down of a sender when it is registered."""

from __future__ import annotations

from typing import Any


def source_facts(number: int, name: str = "app") -> dict[str, Any]:
    """Return the metadata of `source.registered` for a sender that may write everywhere."""
    return {
        "number": number,
        "name": name,
        "kind": "api",
        "owner": "",
        "scopes": ["/"],
        "actor_ids": "opaque",
        "silence_s": None,
        "strict": False,
    }
