"""How an installation does, so that an operator knows within five minutes: one verdict, and what it rests on.

Looking changes nothing. What cannot be told is said to be unknown, never assumed to be well.
"""

from tallystick.health.model import Check, Health, State
from tallystick.health.service import HealthService, Watched

__all__ = ["Check", "Health", "HealthService", "State", "Watched"]
