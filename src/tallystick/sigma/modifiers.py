"""Which modifiers there are, and which may stand together, in what order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

from tallystick.sigma.errors import SigmaError, SigmaUnsupportedError
from tallystick.sigma.matching import TIME_PARTS
from tallystick.sigma.model import Place

PLACES: Final = {"contains", "startswith", "endswith"}
UNICODE: Final = {"wide", "utf16le", "utf16be", "utf16"}
BASE64: Final = {"base64", "base64offset"}
ENCODINGS: Final = {*UNICODE, *BASE64}
NUMERIC: Final = {"lt", "lte", "gt", "gte"}
FLAGS: Final = {"i", "m", "s"}
TEXT: Final = {*PLACES, *ENCODINGS, "windash", "cased", "expand"}
MODIFIERS: Final = {*TEXT, *NUMERIC, *FLAGS, *TIME_PARTS, "all", "neq", "exists", "re", "cidr", "fieldref"}

_TOGETHER: Final[dict[str, set[str]]] = {
    "exists": set(),
    "re": {*FLAGS, "all", "neq"},
    "cidr": {"expand", "all", "neq"},
    "fieldref": {*PLACES, "cased", "all", "neq"},
    **{part: {*NUMERIC, "all", "neq"} for part in TIME_PARTS},
    **{operator: {*TIME_PARTS, "all"} for operator in NUMERIC},
}
_BEFORE: Final = (  # (earlier, later): what makes no sense the other way round
    ({"re"}, FLAGS),
    ({"expand"}, {"cidr", *ENCODINGS}),
    ({"windash"}, ENCODINGS),
    (ENCODINGS, PLACES),
    (UNICODE, BASE64),
    (set(TIME_PARTS), NUMERIC),
)
_WHOLE_EVENT: Final = {"all", "re", *FLAGS, "cased", "contains", "windash", "expand", *ENCODINGS}


def check_modifiers(field: str | None, modifiers: Sequence[str], place: Place) -> None:
    """Raise unless the modifiers are known, and mean something together and in this order."""
    for position, modifier in enumerate(modifiers):
        if modifier not in MODIFIERS:
            raise SigmaUnsupportedError(f"there is no modifier {modifier!r}", line=place.line, column=place.column)
        if modifier in modifiers[:position]:
            _fail(f"the modifier `{modifier}` stands here twice", place)
        if field is None and modifier not in _WHOLE_EVENT:
            _fail(f"`{modifier}` needs a field", place)
        allowed = _TOGETHER.get(modifier)
        for other in modifiers:
            if allowed is not None and other != modifier and other not in allowed:
                _fail(f"`{modifier}` and `{other}` do not go together", place)
        for earlier, later in _BEFORE:
            wrong = earlier.intersection(modifiers[position + 1 :])
            if modifier in later and wrong:
                _fail(f"`{wrong.pop()}` must stand before `{modifier}`", place)
    for group in (PLACES, UNICODE, BASE64, NUMERIC, set(TIME_PARTS)):
        several = [modifier for modifier in modifiers if modifier in group]
        if len(several) > 1:
            _fail(f"`{several[0]}` and `{several[1]}` do not go together", place)
    if FLAGS.intersection(modifiers) and "re" not in modifiers:
        _fail(f"`{FLAGS.intersection(modifiers).pop()}` is a flag of `re`, which is not here", place)


def _fail(message: str, place: Place) -> NoReturn:
    raise SigmaError(message, line=place.line, column=place.column)
