"""What can go wrong between a client and a server."""

from __future__ import annotations

from typing import Any

import httpx

from tallystick.errors import InvalidInputError, UnavailableError


class ServerUnreachableError(UnavailableError):
    """No answer came; nothing is known about what the server did with the request."""

    code = "server-unreachable"
    advice = "Check the address and that the server runs. What was sent can be sent again with the same event ids."


class ServerRefusedError(InvalidInputError):
    """The server answered with a problem (RFC 9457); its code, place and advice are carried over."""

    code = "server-refused"

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        message = str(problem.get("detail") or problem.get("title") or f"the server answered {status}")
        super().__init__(
            message,
            pointer=problem.get("pointer"),
            line=problem.get("line"),
            column=problem.get("column"),
            item=problem.get("item"),
            advice=str(problem.get("advice") or ""),
        )
        self.status = status
        self.problem = problem
        self.code = str(problem.get("code") or "server-refused")  # type: ignore[misc]  # the server's code is the one to show


def raise_for_problem(response: httpx.Response) -> None:
    """Raise `ServerRefusedError` for every status that is not a success; reads the body."""
    if response.is_success:
        return
    response.read()
    try:
        problem = response.json()
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    raise ServerRefusedError(response.status_code, problem)
