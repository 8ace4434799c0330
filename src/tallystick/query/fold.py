"""How two texts are compared: letter case is ignored, nothing else is.

The fold maps each character by itself to its lower case (U+0130 to `i`), which is exactly what DuckDB's `lower` does,
so that SQL and Python agree. A *word character* is an ASCII letter, digit or underscore, or anything outside ASCII;
the same rule can be applied to UTF-8 bytes, which is what the word filters of segments do.
"""

from __future__ import annotations

import re
from functools import lru_cache

WORD_CLASS = r"0-9A-Za-z_\x{80}-\x{10FFFF}"
_PYTHON_WORD_CLASS = "0-9A-Za-z_\u0080-\U0010ffff"


def fold(text: str) -> str:
    """Return the form of `text` that is compared."""
    if text.isascii():
        return text.lower()
    if text.isascii():
        return text.lower()
    return text.replace("\u0130", "i").replace("\u03a3", "\u03c3").lower()


def is_word_character(character: str) -> bool:
    return character >= "\u0080" or character == "_" or character.isalnum()


@lru_cache(maxsize=1024)
def wildcard_regex(parts: tuple[str, ...]) -> re.Pattern[str]:
    """Return a pattern to `fullmatch` folded text: the parts with anything between them.

    Each inner part is taken where it first stands and never looked for again (`(?>`): what follows has most room then,
    and the time grows with the text instead of with its power of the number of parts.
    """
    first, *inner, last = (re.escape(fold(part)) for part in parts)
    return re.compile(first + "".join(f"(?>(?s:.*?){part})" for part in inner) + f"(?s:.*){last}")


def contains_source(parts: tuple[str, ...], *, engine: str) -> str:
    """Return the regular expression (`python` or `re2`) that finds the parts as whole words in folded text.

    An empty first or last part, written as a leading or trailing `*`, lets the word go on; an inner `*` stands for word
    characters. Look-behind is avoided because RE2 has none.
    """
    word = _PYTHON_WORD_CLASS if engine == "python" else WORD_CLASS
    escape = re.escape if engine == "python" else _escape_re2
    shown = [part for part in _trimmed(parts) if part]
    texts = [escape(fold(part)) for part in shown]
    first, last = parts[0][:1], parts[-1][-1:]
    end = r"\Z" if engine == "python" else r"\z"
    before = rf"(?:\A|[^{word}])" if first and is_word_character(first) else ""
    after = rf"(?:{end}|[^{word}])" if last and is_word_character(last) else ""
    if engine != "python" or len(texts) == 1:
        return before + f"[{word}]*".join(texts) + after
    return before + _without_return(texts, word, opens=not before and is_word_character(shown[0][0])) + after


def _without_return(texts: list[str], word: str, *, opens: bool) -> str:
    """Return the texts with word characters between them, as an expression that takes each inner text where it first
    stands and never looks for it again (`(?>`).

    The first place is as good as any: a text of word characters leaves most of the word to what follows, and one with
    another character in it has only one place. Where the word may begin before the first text (`opens`), it is searched
    from the beginning of the word, once, and not from each of its characters.
    """
    first, *inner, last = texts
    begin = rf"(?:\A|(?<=[^{word}]))(?>[{word}]*?{first})" if opens else first
    return begin + "".join(f"(?>[{word}]*?{text})" for text in inner) + f"[{word}]*{last}"


@lru_cache(maxsize=1024)
def contains_regex(parts: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(contains_source(parts, engine="python"))


def _trimmed(parts: tuple[str, ...]) -> tuple[str, ...]:
    start = 1 if len(parts) > 1 and not parts[0] else 0
    stop = len(parts) - 1 if len(parts) - start > 1 and not parts[-1] else len(parts)
    return parts[start:stop]


def _escape_re2(text: str) -> str:
    return "".join(c if c.isalnum() or c >= "\u0080" or c == "_" else f"\\x{{{ord(c):x}}}" for c in text)
