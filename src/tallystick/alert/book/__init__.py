"""The book of alerts: firings are folded in and never lost, every step is an event, and no clock can be set back.

An alert is opened by the first alarm of its kind and key and counts in all later ones until it is closed with a verdict
and a reason. Times to acknowledge and to close are counted from the log's own times, against limits that stand in the
event that opened it.
"""

from tallystick.alert.book.model import Alert, Assignee, Filter, State, Verdict
from tallystick.alert.book.raising import AlertBook

__all__ = ["Alert", "AlertBook", "Assignee", "Filter", "State", "Verdict"]
