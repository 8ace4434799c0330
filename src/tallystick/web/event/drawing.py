"""The path from an event to the root as a drawing: plain numbers for SVG, the root on top."""

from __future__ import annotations

from typing import Final

import msgspec

from tallystick.evidence.panel import Panel

BOX_WIDTH: Final = 96
BOX_HEIGHT: Final = 36
PITCH: Final = 60
_LEFT, _MIDDLE, _RIGHT = 1, 102, 203
_HASH_CHARS: Final = 10


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """One hash: where it stands, its beginning, and which events it covers. `known` ones are computed, others given."""

    x: int
    y: int
    hash: str
    covers: str
    known: bool


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """From the top of one box to the foot of the one above."""

    x1: int
    y1: int
    x2: int
    y2: int


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of one drawing; lines go under boxes."""

    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw(panel: Panel) -> Drawing:
    """Return the drawing of a panel's path; the leaf alone where there is none."""
    height = PITCH * len(panel.steps) + BOX_HEIGHT + 2
    foot = height - BOX_HEIGHT - 1
    boxes = [_box(_MIDDLE, foot, panel.entry.leaf, panel.index, 1, known=True)]
    lines: list[Line] = []
    for at, step in enumerate(panel.steps):
        y, above = foot - PITCH * at, foot - PITCH * (at + 1)
        x = _LEFT if step.side == "left" else _RIGHT
        boxes.append(_box(x, y, step.sibling, step.first, step.size, known=False))
        boxes.append(_box(_MIDDLE, above, step.node, step.node_first, step.node_size, known=True))
        lines += [_line(x, y, above), _line(_MIDDLE, y, above)]
    return Drawing(height=height, boxes=tuple(boxes), lines=tuple(lines))


def span(first: int, size: int) -> str:
    """Return which events a hash covers, by index."""
    return f"{first:,}" if size == 1 else f"{first:,} to {first + size - 1:,}"


def _box(x: int, y: int, text: str, first: int, size: int, *, known: bool) -> Box:
    return Box(x=x, y=y, hash=text[:_HASH_CHARS], covers=span(first, size), known=known)


def _line(x: int, y: int, above: int) -> Line:
    half = BOX_WIDTH // 2
    return Line(x1=x + half, y1=y, x2=_MIDDLE + half, y2=above + BOX_HEIGHT)
