"""The calendar of duties: what is due, done, late and still to come, by month; and the same for calendar programs."""

from __future__ import annotations

from itertools import groupby
from typing import Any, Final

import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency

from tallystick.api.duty_views import KINDS, CalendarView, DueView
from tallystick.api.review_calendar import calendar_view
from tallystick.api.services import Services
from tallystick.web.caller import person
from tallystick.web.page import render
from tallystick.web.reviews.pages import STATES

Page = Response[bytes]
_LINE_BYTES: Final = 73
"""Of a line of iCalendar, which may have 75 with its line end's room; longer ones are folded."""


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """A day on which something falls due."""

    day: str
    due: list[DueView]


class CalendarPage(msgspec.Struct, frozen=True, kw_only=True):
    """A month, day by day, and the months beside it."""

    calendar: CalendarView
    days: list[Day]
    earlier: str
    later: str
    titles: dict[str, str]
    kinds: dict[str, str]


@get("/calendar", sync_to_thread=True, opt={"parameters": ("month",)})
def calendar_page(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Page:
    """Return what falls due in a month."""
    caller = person(request, services)
    found = calendar_view(services, caller, request.query_params.get("month") or None)
    view = CalendarPage(
        calendar=found,
        days=[Day(day=day, due=list(held)) for day, held in groupby(found.due, key=lambda each: each.due[:10])],
        earlier=_beside(found.month, -1),
        later=_beside(found.month, 1),
        titles={kind.value: title for kind, title in KINDS.items()},
        kinds={state.value: kind for state, kind in STATES.items()},
    )
    return render(request, services, "calendar/month.html", view, title=f"Calendar of {found.month}")


@get("/calendar/reviews.ics", sync_to_thread=True, opt={"parameters": ("month",)})
def calendar_file(request: Request[Any, Any, Any], services: NamedDependency[Services]) -> Response[bytes]:
    """Return a month as iCalendar (RFC 5545), each review an event of the whole day on which it is due."""
    found = calendar_view(services, person(request, services), request.query_params.get("month") or None)
    headers = {
        "content-disposition": f'attachment; filename="reviews-{found.month}.ics"',
        "cache-control": "no-store",
    }
    return Response(format_calendar(found.due), media_type="text/calendar; charset=utf-8", headers=headers)


def format_calendar(dues: list[DueView]) -> bytes:
    """Return what falls due as iCalendar. Pure: the same again for the same."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tallystick//Reviews//EN"]
    for each in dues:
        summary = f"{KINDS[each.kind]} {each.period}: {each.title or each.duty}"
        about = f"Scope {each.scope}, {each.state or 'to come'}"
        lines += [
            "BEGIN:VEVENT",
            f"UID:{each.duty}.{each.period}@tallystick",
            f"DTSTAMP:{_basic(each.opens)}",
            f"DTSTART;VALUE=DATE:{_basic(each.due)[:8]}",
            f"SUMMARY:{_escaped(summary)}",
            f"DESCRIPTION:{_escaped(about)}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _basic(moment: str) -> str:
    return f"{moment[:19].replace('-', '').replace(':', '')}Z"


def _escaped(text: str) -> str:
    text = "".join(each if each.isprintable() else " " for each in text)
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")


def _folded(line: str) -> bytes:
    """Return a line with its end, folded between characters, never within one."""
    made, width = bytearray(), 0
    for each in line:
        data = each.encode("utf-8", "replace")
        if width + len(data) > _LINE_BYTES:
            made += b"\r\n "
            width = 1
        made += data
        width += len(data)
    return bytes(made + b"\r\n")


def _beside(month: str, step: int) -> str:
    year, number = int(month[:4]), int(month[5:7]) - 1 + step
    return f"{year + number // 12:04}-{number % 12 + 1:02}"


#: Every page of this module.
CALENDAR_PAGES: Final = (calendar_page, calendar_file)
