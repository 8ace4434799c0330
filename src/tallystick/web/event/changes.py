"""What changed, path by path: members of objects and elements of lists one by one, what stayed the same put aside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import msgspec

from tallystick.web.present import plain

ROWS_MAX: Final = 400
Kind = Literal["changed", "added", "removed", "same", "withheld"]
_ABSENT: Final = object()


class DiffRow(msgspec.Struct, frozen=True, kw_only=True):
    """One place; `old` and `new` are texts, None where there was or is nothing."""

    path: str
    kind: Kind
    old: str | None = None
    new: str | None = None


class Diff(msgspec.Struct, frozen=True, kw_only=True):
    """The places that differ, and those that do not; `left_out` counts rows beyond the first 400."""

    rows: tuple[DiffRow, ...]
    same: tuple[DiffRow, ...]
    left_out: int = 0


def make_diff(changes: list[dict[str, Any]]) -> Diff:
    """Return the difference that an event's `changes` tell."""
    rows = [row for change in changes for row in _of_change(change)]
    differing = [row for row in rows if row.kind != "same"]
    return Diff(
        rows=tuple(differing[:ROWS_MAX]),
        same=tuple(row for row in rows if row.kind == "same")[:ROWS_MAX],
        left_out=max(0, len(differing) - ROWS_MAX),
    )


def _of_change(change: Mapping[str, Any]) -> Iterator[DiffRow]:
    path = plain(change.get("field", ""))
    if "old" not in change and "new" not in change:
        yield DiffRow(path=path, kind="withheld")
        return
    yield from _compare(path, change.get("old", _ABSENT), change.get("new", _ABSENT))


def _compare(path: str, old: Any, new: Any) -> Iterator[DiffRow]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _compare(f"{path}.{name}", old.get(name, _ABSENT), new.get(name, _ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(path, old, new)
    elif _text(old) == _text(new):
        yield DiffRow(path=path, kind="same", old=_text(old), new=_text(new))
    else:
        kind: Kind = "added" if _is_none(old) else "removed" if _is_none(new) else "changed"
        yield DiffRow(path=path, kind=kind, old=_text(old), new=_text(new))


def _compare_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[DiffRow]:
    """Yield elements that went and came, each as often as it did; a list whose order alone changed differs as a whole."""
    left = [plain(item) for item in new]
    for item in map(plain, old):
        if item in left:
            left.remove(item)
            yield DiffRow(path=f"{path}[]", kind="same", old=item, new=item)
        else:
            yield DiffRow(path=f"{path}[]", kind="removed", old=item)
    for item in left:
        yield DiffRow(path=f"{path}[]", kind="added", new=item)
    if old != new and sorted(map(plain, old)) == sorted(map(plain, new)):
        yield DiffRow(path=path, kind="changed", old=plain(old), new=plain(new))


def _is_none(value: Any) -> bool:
    return value is _ABSENT or value is None


def _text(value: Any) -> str | None:
    return None if value is _ABSENT else plain(value)
