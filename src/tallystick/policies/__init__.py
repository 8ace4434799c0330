"""Security policies: projects that own them, the scopes they govern, and one event for each policy that changes.

A policy project keeps its policies in a Git repository, which is read and never run, or here. What is in force is a
projection of the events: a version that cannot be read is on record and changes nothing.
"""

from tallystick.policies.room import PolicyRoom, open_policies

__all__ = ["PolicyRoom", "open_policies"]
