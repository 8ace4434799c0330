"""Sends events on to other systems as they are recorded: signed, in order, at least once.

A destination is a projection of events; how far it is stands in a file of its own (`position`), so that making the
tables again sends nothing twice. Each destination has a thread with bounded memory: one that is slow, dead or lying
holds up neither the log nor the others nor the end of the server.
"""

from tallystick.stream.open import Log, Streams, open_streams

__all__ = ["Log", "Streams", "open_streams"]
