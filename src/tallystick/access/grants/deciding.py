"""Four eyes: whatever one person proposes, only another one, free of the first, may put in force."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection

from tallystick.access.grants.asking import is_operator
from tallystick.access.grants.authority import decides_freely
from tallystick.access.grants.errors import OwnDecisionError
from tallystick.access.grants.hands import Hands
from tallystick.access.model import Caller
from tallystick.access.permissions import Permission


def require_another(
    connection: Connection, caller: Caller, permission: Permission, scope: str, now_us: int, proposers: Collection[str]
) -> None:
    """Raise OwnDecisionError unless the caller is a person, none of the proposers, and free of each of them.

    She is not free of who gave her account or her right, nor of who acts through an account that she made. The operator
    beside the data directory decides about everything but what was proposed there.
    """
    if caller.type == "service" or caller.token is not None:
        raise OwnDecisionError("a person decides about a proposal, never a program")
    if caller.id in proposers:
        raise OwnDecisionError("nobody decides about what they proposed themselves")
    if is_operator(caller):
        return
    hands = Hands(connection, {caller.id})
    for by in proposers:
        if hands.are_in(by):
            raise OwnDecisionError("nobody decides what was proposed with an account that she gave access to")
        if not decides_freely(connection, caller.id, permission, scope, now_us, by):
            raise OwnDecisionError("your account, or your right to decide, comes from who proposed this")
