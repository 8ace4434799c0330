"""What releases, milestones and assets may be called and hold. Pure; every limit that is exceeded is named."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from tallystick.access.errors import ScopeInvalidError
from tallystick.event.canonical import canonical_json
from tallystick.event.identifier import hidden_character, is_scope
from tallystick.releases.errors import ReleaseInvalidError, ReleaseTooLargeError
from tallystick.releases.model import (
    DESCRIPTION_BYTES_MAX,
    FILE_BYTES_MAX,
    MILESTONES_MAX,
    NAME_CHARS_MAX,
    TAG_CHARS_MAX,
    URL_CHARS_MAX,
    Draft,
    Edit,
)

_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}", re.ASCII)
_LINE_ENDS: Final = str.maketrans("", "", "\n\t")


def check_draft(draft: Draft) -> None:
    """Return if a release can be made so; raises ReleaseInvalidError, ReleaseTooLargeError, ScopeInvalidError."""
    check_scope(draft.scope)
    _check_line(draft.tag, "/tag", TAG_CHARS_MAX)
    _check_line(draft.name, "/name", NAME_CHARS_MAX)
    if draft.commit is not None and _COMMIT.fullmatch(draft.commit) is None:
        raise ReleaseInvalidError("a commit is 7 to 64 small hexadecimal digits", pointer="/commit")
    check_description(draft.description)
    check_milestones(draft.milestones)


def check_scope(scope: str) -> None:
    """Return if a scope can have releases and milestones; raises ScopeInvalidError."""
    if not is_scope(scope):
        raise ScopeInvalidError(f"{scope[:80] or '/'!r} is not a scope that can have releases")


def check_edit(edit: Edit) -> None:
    """Return if a release can be edited so; raises ReleaseInvalidError, ReleaseTooLargeError."""
    if edit.name is not None:
        _check_line(edit.name, "/name", NAME_CHARS_MAX)
    if edit.description is not None:
        check_description(edit.description)
    if edit.milestones is not None:
        check_milestones(edit.milestones)


def check_description(text: str) -> None:
    """Return if a description can be kept; raises ReleaseInvalidError, ReleaseTooLargeError."""
    if len(text) > DESCRIPTION_BYTES_MAX or (size := len(canonical_json(text))) > DESCRIPTION_BYTES_MAX:
        many = f"{len(text):,} characters" if len(text) > DESCRIPTION_BYTES_MAX else f"{size:,} bytes in JSON"
        raise ReleaseTooLargeError(
            f"the description has {many}; at most {DESCRIPTION_BYTES_MAX:,} bytes are kept", pointer="/description"
        )
    found = hidden_character(text.translate(_LINE_ENDS))
    if found is not None and found < " ":
        raise ReleaseInvalidError(f"the character U+{ord(found):04X} is not text", pointer="/description")


def check_milestones(titles: tuple[str, ...]) -> None:
    """Return if a release can be tied to milestones of these titles; raises ReleaseInvalidError, ReleaseTooLargeError."""
    if len(titles) > MILESTONES_MAX:
        raise ReleaseTooLargeError(
            f"{len(titles)} milestones are given; a release has at most {MILESTONES_MAX}", pointer="/milestones"
        )
    if len(set(titles)) < len(titles):
        raise ReleaseInvalidError("a milestone is given twice", pointer="/milestones")
    for title in titles:
        check_milestone(title)


def check_milestone(title: str) -> None:
    """Return if a milestone can be called so; raises ReleaseInvalidError, ReleaseTooLargeError."""
    _check_line(title, "/milestones", NAME_CHARS_MAX)


def check_asset_name(name: str) -> None:
    """Return if an asset can be called so: it is the name of a file, never a path. Raises ReleaseInvalidError."""
    _check_line(name, "/name", NAME_CHARS_MAX)
    if "/" in name or "\\" in name or name in {".", ".."}:
        raise ReleaseInvalidError("an asset has the name of a file, without a path", pointer="/name")


def check_link(url: str) -> None:
    """Return if an asset can lead there: https, a host, and nobody's password. Raises ReleaseInvalidError."""
    if len(url) > URL_CHARS_MAX:
        raise ReleaseTooLargeError(f"the link is longer than {URL_CHARS_MAX} characters", pointer="/url")
    if not url.isascii() or not url.isprintable() or set(url) & set(' "<>\\^`{|}'):
        raise ReleaseInvalidError("the link holds characters that no address has; encode them", pointer="/url")
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username
        _ = parts.port
    except ValueError as error:
        raise ReleaseInvalidError(f"the link cannot be read: {error}", pointer="/url") from error
    if parts.scheme != "https" or not host or user is not None:
        raise ReleaseInvalidError("a link begins with https:// and a host, without a user", pointer="/url")


def check_size(size: int) -> None:
    """Return if a file of that size can be stored; raises ReleaseTooLargeError."""
    if size > FILE_BYTES_MAX:
        raise ReleaseTooLargeError(f"the file has {size:,} bytes; at most {FILE_BYTES_MAX:,} are stored")


def _check_line(text: str, pointer: str, chars_max: int) -> None:
    what = pointer.removeprefix("/")
    if not text.strip():
        raise ReleaseInvalidError(f"the {what} is empty", pointer=pointer)
    if text != text.strip():
        raise ReleaseInvalidError(f"the {what} has white space at an end", pointer=pointer)
    if len(text) > chars_max:
        raise ReleaseTooLargeError(
            f"the {what} has {len(text):,} characters; at most {chars_max} are kept", pointer=pointer
        )
    found = hidden_character(text)
    if found is not None:
        raise ReleaseInvalidError(f"the {what} holds U+{ord(found):04X}, which nobody would see", pointer=pointer)
