"""Text from outside, made safe to read: what would hide, reorder or flood is shown for what it is."""

from __future__ import annotations

import unicodedata

VALUE_CHARS_MAX = 200

# Blank or invisible though Unicode counts them as letters, marks or symbols.
_BLANK_LOOKALIKES = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810), *range(0xFE00, 0xFE0F)}
    | set(range(0xE0100, 0xE01F0))
)
# Controls, format (bidirectional and zero-width), surrogates, private use, unassigned, line and paragraph separators.
_HIDING_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """Return `text` with each control, bidirectional, invisible or unassigned character as `⟨U+202E⟩`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"⟨U+{ord(char):04X}⟩" if _hides(char) else char for char in text)


def show(text: str, chars_max: int = VALUE_CHARS_MAX) -> str:
    """Return `text` cut first and then made visible, which is how every hostile value is displayed."""
    if len(text) <= chars_max:
        return visible(text)
    return f"{visible(text[:chars_max])}… ({len(text):,} characters)"


def _hides(char: str) -> bool:
    return unicodedata.category(char) in _HIDING_CATEGORIES or ord(char) in _BLANK_LOOKALIKES
