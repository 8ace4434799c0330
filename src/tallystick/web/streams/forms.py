"""The form of a destination: what is typed becomes settings, and settings are shown in it."""

from __future__ import annotations

from typing import Final

from tallystick.access.scopes import parse_scope
from tallystick.stream.errors import DestinationInvalidError
from tallystick.stream.facts import settings_of
from tallystick.stream.model import Destination, Format, Settings
from tallystick.web.forms import Form

FIELDS: Final = ("name", "url", "format", "scope", "query", "personal", "reading", "batch", "headers")
CREATE_FIELDS: Final = (*FIELDS, "token", "from_index")
CHANGE_FIELDS: Final = (*FIELDS, "replace_headers")
_NUMBER_CHARS_MAX: Final = 15


def parse_form(form: Form) -> Settings:
    """Return what a form says; raises DestinationInvalidError, ScopeInvalidError."""
    if form["format"] not in set(Format):
        raise DestinationInvalidError("the form is standard or gitlab", pointer="/format")
    return Settings(
        name=form["name"],
        url=form["url"],
        format=Format(form["format"]),
        scope=parse_scope(form["scope"] or "/"),
        query=form["query"],
        personal=form.flag("personal"),
        reading=form.flag("reading"),
        batch=parse_number(form["batch"] or "1", "/batch"),
        headers=parse_headers(form["headers"]),
    )


def parse_headers(text: str) -> dict[str, str]:
    """Return headers written one a line as `Name: value`; raises DestinationInvalidError, repeating no value."""
    headers: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise DestinationInvalidError(f"line {number} of the headers is not a name, a colon and a value")
        if name.strip() in headers:
            raise DestinationInvalidError(f"line {number} of the headers gives one again")
        headers[name.strip()] = value.strip()
    return headers


def parse_number(text: str, pointer: str) -> int:
    """Return a whole number as it is typed."""
    digits = text.replace(",", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _NUMBER_CHARS_MAX):
        raise DestinationInvalidError("this is not a whole number", pointer=pointer)
    return int(digits)


def typed_of(form: Form, fields: tuple[str, ...]) -> dict[str, str]:
    """Return what was typed, but for secrets: these are typed again."""
    return {name: form[name] for name in fields if name not in {"headers", "token"}}


def filled(destination: Destination | None = None) -> dict[str, str]:
    """Return the form as it is before anybody types."""
    if destination is None:
        return {**dict.fromkeys(CREATE_FIELDS, ""), "format": "standard", "scope": "/", "batch": "1"}
    settings = settings_of(destination)
    return {
        "name": settings.name,
        "url": settings.url,
        "format": settings.format.value,
        "scope": settings.scope or "/",
        "query": settings.query,
        "personal": "yes" if settings.personal else "",
        "reading": "yes" if settings.reading else "",
        "batch": str(settings.batch),
    }
