"""A register as a file to take away: CSV that no spreadsheet takes for formulas, or JSON."""

from __future__ import annotations

import csv
import hashlib
import io
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from litestar import Response

from tallystick.search.export import neutralised

Form = Literal["csv", "json"]
MEDIA: Final[Mapping[str, str]] = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def register_file(name: str, form: Form, rows: Sequence[Any], about: Mapping[str, Any]) -> Response[bytes]:
    """Return rows of one kind as a file. `about` says where and when it was made: in CSV the last line, beginning with #."""
    plain: list[dict[str, Any]] = [msgspec.to_builtins(row) for row in rows]
    body = msgspec.json.encode({**about, "rows": plain}) if form == "json" else _as_csv(plain, about)
    headers = {
        "content-disposition": f'attachment; filename="{name}.{form}"',
        "cache-control": "private, no-store",
        "repr-digest": f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:",
    }
    return Response(body, media_type=MEDIA[form], headers=headers)


def _as_csv(rows: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    if rows:
        writer.writerow(rows[0])
    for row in rows:
        writer.writerow([neutralised(_cell(value)) for value in row.values()])
    writer.writerow([f"# {msgspec.json.encode(about).decode()}"])
    return text.getvalue().encode()


def _cell(value: object) -> object:
    """Return a value as one cell: lists and objects as JSON, nothing as nothing."""
    if value is None:
        return ""
    return msgspec.json.encode(value).decode() if isinstance(value, (dict, list)) else value
