"""What may be done to a value under `then`, and how conditions compare; plain functions, none of them slow."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tallystick.intake.paths import Context, as_text

Value = Callable[[Context], Any]
"""Returns the value, or None where there is none; empty text, lists and objects count as none."""
Condition = Callable[[Context], bool]
TESTS = ("is", "in", "present", "starts", "ends", "contains")


def compile_test(test: str, wanted: Any, value: Value) -> Condition:
    """Return the condition that `value` passes the test of that name."""
    if test == "present":
        return lambda context: (value(context) is not None) is bool(wanted)
    if test == "is":
        return lambda context: _same(value(context), wanted)
    if test == "in":
        options = wanted if isinstance(wanted, list) else [wanted]
        return lambda context: (found := value(context)) is not None and any(_same(found, option) for option in options)
    if test == "contains":
        return lambda context: _contains(value(context), str(wanted))
    if test == "starts":
        return lambda context: (found := value(context)) is not None and as_text(found).startswith(str(wanted))
    return lambda context: (found := value(context)) is not None and as_text(found).endswith(str(wanted))


def _same(found: Any, wanted: Any) -> bool:
    """Compare as a person would: true and "true", 1 and "1" are the same."""
    if found is None or wanted is None:
        return found is wanted
    return as_text(found).casefold() == as_text(wanted).casefold()


def _contains(found: Any, wanted: str) -> bool:
    if isinstance(found, list):
        return any(_same(item, wanted) for item in found)
    return found is not None and wanted in as_text(found)


def snake(text: str) -> str:
    """Return `text` as lower-case words joined by underscores, fit for a part of an action's name."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", text)
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


PLAIN_STEPS: dict[str, Callable[[Any], Any]] = {
    "lower": lambda found: as_text(found).lower(),
    "snake": lambda found: snake(as_text(found)),
    "text": as_text,
    "list": lambda found: found if isinstance(found, list) else [found],
    "count": lambda found: len(found) if isinstance(found, list | dict) else 1,
}
STEPS_WITH_TEXT: dict[str, Callable[[str, str], Any]] = {
    "after_last": lambda text, separator: text.rsplit(separator, 1)[-1],
    "before_first": lambda text, separator: text.split(separator, 1)[0],
    "remove_prefix": str.removeprefix,
    "remove_suffix": str.removesuffix,
    "split": lambda text, separator: [part.strip() for part in text.split(separator) if part.strip()],
}
