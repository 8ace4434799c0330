"""The checks that the values of a field mean, once its modifiers have been at them in the order of the rule."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Final, NoReturn

from tallystick.sigma.encodings import encodings_of
from tallystick.sigma.errors import SigmaError, SigmaPlaceholderError, SigmaTooLargeError, SigmaUnsupportedError
from tallystick.sigma.expressions import check_expression
from tallystick.sigma.matching import (
    TIME_PARTS,
    Check,
    CidrCheck,
    CompareCheck,
    ExistsCheck,
    FieldCheck,
    Network,
    NullCheck,
    RegexCheck,
    TextCheck,
)
from tallystick.sigma.model import Item, Place, Value
from tallystick.sigma.modifiers import BASE64, FLAGS, NUMERIC, PLACES, TEXT, UNICODE
from tallystick.sigma.wildcards import (
    ANY,
    DASH,
    DASHES,
    Part,
    Pattern,
    Placeholder,
    joined,
    length,
    literal,
    parse_pattern,
    with_option_dashes,
)

Lists = Callable[[str], Sequence[str] | None]
"""Returns the values that a placeholder stands for, or None when there is no such list."""

PATTERNS_MAX: Final = 200_000
DASHES_MAX: Final = 3
WILD_CHARACTERS_MAX: Final = 4_096


def checks_of(item: Item, lists: Lists | None) -> tuple[Check, ...]:
    """Return a check for each value of `item`; its modifiers were checked.

    `lists` None leaves out what placeholders bring. Raises SigmaError with the place of the value.
    """
    modifiers = item.modifiers
    part = next((each for each in modifiers if each in TIME_PARTS), "")
    operator = next((each for each in modifiers if each in NUMERIC), "eq" if part else "")
    if operator:
        return tuple([_comparison(value, operator, part) for value in item.values])
    if "exists" in modifiers:
        return (_existence(item),)
    if "re" in modifiers:
        flags = "".join(sorted(FLAGS.intersection(modifiers)))
        return tuple([_expression(value, flags) for value in item.values])
    if "cidr" in modifiers:
        return tuple([_networks(value, modifiers, lists) for value in item.values])
    if "fieldref" in modifiers:
        how = next((each for each in modifiers if each in PLACES), "")
        return tuple([_reference(value, how, cased="cased" in modifiers) for value in item.values])
    return tuple([_text(value, item, lists) for value in item.values])


def names_in(item: Item) -> frozenset[str]:
    """Return the names of the lists that `item` needs."""
    if "expand" not in item.modifiers:
        return frozenset()
    patterns = [parse_pattern(value.written, placeholders=True) for value in item.values]
    return frozenset(part.name for pattern in patterns for part in pattern if isinstance(part, Placeholder))


def _text(value: Value, item: Item, lists: Lists | None) -> Check:
    modifiers = item.modifiers
    if value.value is None:
        if TEXT.intersection(modifiers):
            _fail("null cannot be modified", value.place)
        return NullCheck()
    if not isinstance(value.value, str) and not TEXT.intersection(modifiers) and item.field is not None:
        return TextCheck(tuple([(text,) for text in _number_texts(value)]))
    patterns: list[Pattern] = [parse_pattern(value.written, placeholders="expand" in modifiers)]
    for modifier in modifiers:
        if modifier == "expand":
            patterns = _expanded(patterns[0], value.place, lists)
        elif modifier == "windash":
            patterns = [with_option_dashes(pattern) for pattern in patterns]
        elif modifier in PLACES:
            before = (ANY,) if modifier != "startswith" else ()
            after = (ANY,) if modifier != "endswith" else ()
            patterns = [joined((*before, *pattern, *after)) for pattern in patterns]
        elif modifier in BASE64 or (modifier in UNICODE and not BASE64.intersection(modifiers)):
            patterns = [made for pattern in patterns for made in _encoded(pattern, modifiers, value.place)]
    if item.field is None:
        patterns = [joined((ANY, *pattern, ANY)) for pattern in patterns]
    if any(len(pattern) > 1 and length(pattern) > WILD_CHARACTERS_MAX for pattern in patterns):
        message = f"a text with wildcards has at most {WILD_CHARACTERS_MAX} characters"
        raise SigmaTooLargeError(message, line=value.place.line, column=value.place.column)
    return TextCheck(tuple(patterns), cased="cased" in modifiers)


def _number_texts(value: Value) -> set[str]:
    """Return how a number, or a truth value, may be written in an event."""
    number = value.value
    if isinstance(number, bool):
        return {"true" if number else "false"}
    assert isinstance(number, int | float)
    texts = {value.written, repr(number)}
    if isinstance(number, int):
        texts.add(f"{number}.0")
    elif number.is_integer():
        texts.add(str(int(number)))
    return texts


def _expanded(pattern: Pattern, place: Place, lists: Lists | None) -> list[Pattern]:
    if not any(isinstance(part, Placeholder) for part in pattern):
        _fail("`expand` needs a placeholder such as %name%", place)
    if lists is None:
        return []
    choices: list[list[Pattern]] = [
        _listed(part.name, place, lists) if isinstance(part, Placeholder) else [(part,)] for part in pattern
    ]
    if math.prod(len(choice) for choice in choices) > PATTERNS_MAX:
        message = f"the lists stand for more than {PATTERNS_MAX} values"
        raise SigmaTooLargeError(message, line=place.line, column=place.column)
    return [joined(tuple([part for piece in pieces for part in piece])) for pieces in product(*choices)]


def _listed(name: str, place: Place, lists: Lists) -> list[Pattern]:
    values = lists(name)
    if values is None:
        raise SigmaPlaceholderError(f"there is no list {name!r}", line=place.line, column=place.column, name=name)
    return [parse_pattern(value) for value in values]


def _encoded(pattern: Pattern, modifiers: Sequence[str], place: Place) -> list[Pattern]:
    """Return the texts that carry `pattern` encoded."""
    if sum(part is DASH for part in pattern) > DASHES_MAX:
        _fail(f"`windash` takes at most {DASHES_MAX} options where the text is encoded", place)
    unicode = next((each for each in modifiers if each in UNICODE), "")
    base64 = next((each for each in modifiers if each in BASE64), "")
    made: list[Pattern] = []
    choices: list[list[Part]] = [[*DASHES] if part is DASH else [part] for part in pattern]
    for choice in product(*choices):
        plain = literal(joined(choice))
        if plain is None:
            _fail("a wildcard cannot be encoded; write plain text", place)
        made += [(text,) for text in encodings_of(plain, unicode, base64)]
    if not made:
        _fail("the text is too short to be found encoded", place)
    return made


def _comparison(value: Value, operator: str, part: str) -> CompareCheck:
    number = value.value
    if isinstance(number, bool) or not isinstance(number, int | float):
        _fail(f"`{part or operator}` needs a number, not {value.written!r}", value.place)
    return CompareCheck(operator, number, part)


def _existence(item: Item) -> ExistsCheck:
    value = item.values[0]
    if len(item.values) > 1 or not isinstance(value.value, bool):
        _fail("`exists` needs one value, true or false", value.place)
    return ExistsCheck(value.value)


def _expression(value: Value, flags: str) -> RegexCheck:
    if value.value is None:
        _fail("null is no expression", value.place)
    wrong = check_expression(value.written, flags)
    if wrong:
        message = f"the expression is not one that is evaluated: {wrong}"
        raise SigmaUnsupportedError(message, line=value.place.line, column=value.place.column)
    return RegexCheck(value.written, flags)


def _networks(value: Value, modifiers: Sequence[str], lists: Lists | None) -> CidrCheck:
    texts: list[str | None] = [value.written]
    if "expand" in modifiers:
        texts = [
            literal(pattern)
            for pattern in _expanded(parse_pattern(value.written, placeholders=True), value.place, lists)
        ]
    return CidrCheck(tuple([_network(text, value) for text in texts]))


def _network(text: str | None, value: Value) -> Network:
    try:
        return ipaddress.ip_network(text or "")
    except ValueError as error:
        reason = f"{text!r} is no network" if text and "host bits" not in str(error) else str(error)
        _fail(reason or "this is no network", value.place)


def _reference(value: Value, how: str, *, cased: bool) -> FieldCheck:
    path = literal(parse_pattern(value.written)) if isinstance(value.value, str) else None
    if not path:
        _fail("`fieldref` needs the name of a field", value.place)
    return FieldCheck(path, how, cased)


def _fail(message: str, place: Place) -> NoReturn:
    raise SigmaError(message, line=place.line, column=place.column)
