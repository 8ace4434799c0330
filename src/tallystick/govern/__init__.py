"""What an organisation agrees on about its log: which systems there are, what is critical in them, and who may stay
outside which rule for how long.

`ExceptionService` is for every other room. `in_force(kind, subject, scope, now_us, connection=None)` returns the
exceptions that hold for one policy, rule, retention class, declaration or review duty in a scope: each with its id, the
query that narrows it (only for rules, else None) and its end. It answers from memory; inside a decision of
`Commands.run` give it the decision's connection. Whoever lets something pass under an exception says
`used(exception, count, occasion)`, which is idempotent by occasion and costs one small durable write; the log tells it
once an hour.
"""

from tallystick.govern.exceptions.model import ExceptionInForce, Kind
from tallystick.govern.exceptions.service import ExceptionService
from tallystick.govern.room import GovernRoom, open_govern

__all__ = ["ExceptionInForce", "ExceptionService", "GovernRoom", "Kind", "open_govern"]
