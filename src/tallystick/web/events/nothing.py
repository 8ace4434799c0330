"""Why nothing was found, and the questions nearby that find something. Asked only of an empty answer."""

from __future__ import annotations

from typing import Final

import msgspec

from tallystick.access.model import Caller
from tallystick.api.services import Services
from tallystick.errors import TallystickError
from tallystick.web.events.chips import parts_of
from tallystick.web.events.question import Asked
from tallystick.web.events.view import Nothing, Suggestion
from tallystick.web.events.window import bounds_of, span_link, write_last, write_moment

_DROPPED_MAX: Final = 6
_WIDER: Final = (("the last 7 days", "-7d"), ("the last 30 days", "-30d"), ("all time", ""))


def explain_nothing(services: Services, caller: Caller, asked: Asked, now_us: int) -> Nothing:
    """Return the reason why a question found nothing, with ways out that find something."""
    if asked.is_everything:
        return Nothing(reason="unused")
    return Nothing(
        reason="unmatched",
        wider=_wider(services, caller, asked),
        dropped=_dropped(services, caller, asked, now_us),
        nearest=_nearest(services, caller, asked, now_us),
    )


def _wider(services: Services, caller: Caller, asked: Asked) -> tuple[Suggestion, ...]:
    if not (asked.start or asked.end):
        return ()
    found = []
    for text, start in _WIDER:
        if asked.start != start or asked.end:
            wider = msgspec.structs.replace(asked, start=start, end="")
            found.append(_counted(services, caller, wider, text))
    return tuple(each for each in found if each is not None and each.count)


def _dropped(services: Services, caller: Caller, asked: Asked, now_us: int) -> tuple[Suggestion, ...]:
    parts = parts_of(asked, now_us)[:_DROPPED_MAX]
    found = [_counted(services, caller, rest, text) for text, rest in parts]
    return tuple(each for each in found if each is not None)


def _nearest(services: Services, caller: Caller, asked: Asked, now_us: int) -> tuple[Suggestion, ...]:
    """Return the times next to the range, before and after it, at which the rest of the question finds something."""
    low, high = bounds_of(asked, now_us)
    around = []
    if low is not None and low > 0:
        around.append(("before", msgspec.structs.replace(asked, start="", end=write_last(low))))
    if high is not None:
        around.append(("after", msgspec.structs.replace(asked, start=write_moment(high)[0], end="")))
    found = []
    for text, beside in around:
        try:
            histogram = services.search.histogram(beside.search(), caller)
        except TallystickError:
            continue
        bars = [bar for bar in histogram.bars if bar.count]
        if bars:
            bar = bars[-1] if text == "before" else bars[0]
            href = span_link(asked, bar.start, bar.start + histogram.step_us)
            found.append(Suggestion(text=text, href=href, count=bar.count, around=bar.start))
    return tuple(found)


def _counted(services: Services, caller: Caller, asked: Asked, text: str) -> Suggestion | None:
    try:
        page = services.search.search(asked.search(), caller, limit=1)
    except TallystickError:
        return None
    return Suggestion(text=text, href=asked.link(), count=page.count, exact=page.count_exact)
