"""Tallystick: one sealed log of audit events, and everything that follows it.

Nothing is imported here, so that an auditor who only verifies a proof loads only what that takes.
"""

__version__ = "0.1.0"
