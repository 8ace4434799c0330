"""A review as one page to print or keep as PDF: it needs nothing else, runs nothing and fetches nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any, Final

from tallystick.event.visible import show

_STYLE: Final = """\
@page { margin: 16mm }
body { font: 10pt/1.4 system-ui, sans-serif; color: #111; background: #fff; margin: 2rem auto; max-width: 60rem }
h1 { font-size: 18pt; margin: 0 0 .5rem } h2 { font-size: 12pt; margin: 1.4rem 0 .3rem; break-after: avoid }
table { border-collapse: collapse; width: 100%; margin: .4rem 0 } tr { break-inside: avoid } thead { display: table-header-group }
th, td { border-bottom: 1px solid #ccc; padding: .15rem .5rem .15rem 0; text-align: left; vertical-align: top; overflow-wrap: anywhere }
code { font: 8pt/1.3 ui-monospace, monospace; overflow-wrap: anywhere } .note { color: #444 }
"""
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"
_EVENT: Final = ("index", "received_at", "action", "actor", "target", "outcome", "message")


def print_review(
    told: Mapping[str, Any], rows: Mapping[str, Sequence[Mapping[str, Any]]], made_at: str, rows_max: int
) -> bytes:
    """Return the page, in UTF-8; `rows` are those that the reader may see, at most `rows_max` of a section."""
    title = f"Review of {told['period']['name']}: {told['duty']['title'] or told['duty']['id']}"
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body>",
        f"<h1>{_text(title)}</h1>",
        _table(
            ("", ""),
            [
                ("Scope", told["scope"]),
                ("State", told["state"]),
                ("From", told["period"]["from"]),
                ("To", told["period"]["to"]),
                ("Due", told["due"]),
                ("Opened", f"{told['opened']['at']}, event {told['opened']['index']}"),
                ("Closed", told["closed_at"] or "not yet"),
                ("Log size", told["size"]),
                ("Seed of samples", f"{told['seed']['root']} (root of the first {told['seed']['size']} entries)"),
                ("Digest of the snapshot", told["digest"]),
                ("Printed", made_at),
            ],
        ),
    ]
    parts += [_section(each, rows.get(each["section"], ()), rows_max) for each in told["sections"]]
    parts += [_signatures(told["signatures"]), _follow_ups(told["follow_ups"]), "</body></html>\n"]
    return "\n".join(parts).encode()


def _section(told: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], rows_max: int) -> str:
    parts = [
        f"<h2>{_text(told['title'])}</h2>",
        f"<p>{told['count']:,} found. Digest <code>{told['digest']}</code></p>",
    ]
    if told["query"]:
        parts.append(f'<p class="note">Query: <code>{_text(told["query"], 4000)}</code></p>')
    if told["drawn"] is not None:
        parts.append(f'<p class="note">Of these, {len(told["drawn"])} were drawn at random and are looked at.</p>')
    if told["items"]:
        parts.append(_table(("item", "facts"), [(each["item"], _facts(each)) for each in told["items"]]))
    if rows:
        parts.append(_table(_EVENT, [[each[name] for name in _EVENT] for each in rows]))
    expected = told["count"] if told["drawn"] is None else len(told["drawn"])
    if not told["items"] and len(rows) < expected:
        parts.append(
            f'<p class="note">{len(rows):,} of {expected:,} events stand here: at most {rows_max}, and those that the '
            "reader may see.</p>"
        )
    if told["marks"]:
        marks = [
            (each["item"] or "all", each["verdict"], each["note"], each["name"] or each["person"], each["at"])
            for each in told["marks"]
        ]
        parts.append(_table(("of", "verdict", "note", "by", "at"), marks))
    if told["waiting"]:
        parts.append(f'<p class="note">Not done: {_text(told["waiting"])}.</p>')
    return "".join(parts)


def _signatures(signatures: Sequence[Mapping[str, Any]]) -> str:
    if not signatures:
        return '<h2>Signatures</h2><p class="note">None.</p>'
    cells = [
        (
            each["place"],
            each["name"] or each["person"],
            each["at"],
            "late" if each["late"] else "in time",
            each["reason"],
        )
        for each in signatures
    ]
    return "<h2>Signatures</h2>" + _table(("signature", "by", "at", "", "reason"), cells)


def _follow_ups(follow_ups: Sequence[Mapping[str, Any]]) -> str:
    if not follow_ups:
        return '<h2>Follow-ups</h2><p class="note">None.</p>'
    cells = [
        (each["id"], each["text"], each["owner"], each["due"], each["done_at"] or "open", each["outcome"])
        for each in follow_ups
    ]
    return "<h2>Follow-ups</h2>" + _table(("id", "what", "owner", "due", "done", "outcome"), cells)


def _facts(item: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in item.items()
        if name != "item" and value not in ("", None, [])
    )


def _table(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    named = list(headings)
    head = "".join(f"<th>{_text(each)}</th>" for each in named) if any(named) else ""
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return (
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        if head
        else f"<table><tbody>{body}</tbody></table>"
    )


def _text(value: Any, chars_max: int = 2000) -> str:
    return "" if value is None else escape(show(str(value), chars_max))
