"""One sentence for each firing, with its numbers. What it says may be personal."""

from __future__ import annotations

from typing import Any, Final

from tallystick.counted import counted
from tallystick.detect.native.model import name_of_group, span
from tallystick.detect.subject import Subject
from tallystick.event.occurred import time_of_us
from tallystick.sigma import Correlation, CorrelationType
from tallystick.sigma.correlate import Fired

VALUE_CHARS_MAX: Final = 80
VALUES_SHOWN: Final = 5
_WORDS: Final = {
    "gte": "at least",
    "gt": "more than",
    "lte": "at most",
    "lt": "fewer than",
    "eq": "exactly",
    "neq": "not",
}


def match_sentence(subject: Subject) -> str:
    """Return who did what, where from and when."""
    event = subject.event
    target = event["targets"][0] if event.get("targets") else {}
    from_ = event.get("context", {}).get("ip")
    parts = [
        f"{_name(event['actor'])}: {event['action']} ({event.get('outcome', 'unknown')}) on {_name(target)}",
        f" in {cut(event['scope'])}",
        f" from {cut(from_)}" if isinstance(from_, str) else "",
        f", at {event['occurred_at'][:19]}Z.",
    ]
    return "".join(parts)


def correlation_sentence(correlation: Correlation, found: Fired) -> str:
    """Return what was counted, against what, within how long, and from when to when."""
    within = f"within {span(correlation.timespan_us)}"
    bounds = " and ".join(f"{_WORDS[each.operator]} {each.count:,}" for each in correlation.condition)
    wanted = f" ({bounds} fires)" if bounds else ""
    if correlation.type is CorrelationType.EVENT_COUNT:
        what = f"{counted(found.count, 'event')} {within}{wanted}"
    elif correlation.type is CorrelationType.VALUE_COUNT:
        values = ", ".join(cut(value) for value in found.values[:VALUES_SHOWN])
        what = (
            f"{found.count:,} different values of {', '.join(correlation.fields)} {within}{wanted}, among them {values}"
        )
    else:
        order = " in this order" if correlation.type is CorrelationType.TEMPORAL_ORDERED else ""
        what = f"{found.count:,} of {len(correlation.rules):,} conditions{order} {within}{wanted}"
    group = tuple(cut(value) for value in found.group)
    since, until = time_of_us(found.since_us)[:19], time_of_us(found.time_us)[:19]
    return f"{name_of_group(correlation.group_by, group)}: {what}, from {since}Z to {until}Z."


def cut(value: str) -> str:
    """Return a value short enough for a sentence, with its length where it was cut."""
    return value if len(value) <= VALUE_CHARS_MAX else f"{value[:VALUE_CHARS_MAX]}… ({len(value):,} characters)"


def _name(party: Any) -> str:
    return f"{party.get('type', 'unknown')} {cut(str(party.get('id') or party.get('key') or 'unknown'))}"
