"""The Python client: what an application, a script or the command line says to a Tallystick server.

A `Client` speaks the HTTP API and nothing else: it raises `ServerRefusedError` with the server's own code, place and
advice, retries only what is safe to repeat, and never follows a redirect with a token in hand.
"""

from __future__ import annotations

from tallystick.client.client import Client
from tallystick.client.errors import ServerRefusedError, ServerUnreachableError

__all__ = ["Client", "ServerRefusedError", "ServerUnreachableError"]
