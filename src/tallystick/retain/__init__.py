"""How long content is kept, what stops its end, and how it ends.

Classes, which events they take, holds and decisions are events in the log; what is due is computed from the log alone
by the rule that every verifier applies (`docs/format/erasure.md`), and destroyed by the ledger, which says so in it.
"""

from tallystick.retain.room import RetentionRoom, open_retention

__all__ = ["RetentionRoom", "open_retention"]
