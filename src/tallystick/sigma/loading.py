"""From the text of a rule file to its documents."""

from __future__ import annotations

from typing import Final, NoReturn

from tallystick.sigma.conditions import negates, searched
from tallystick.sigma.correlation_text import parse_correlation
from tallystick.sigma.detections import parse_searches
from tallystick.sigma.errors import SigmaError, SigmaTooLargeError, SigmaUnsupportedError
from tallystick.sigma.head import parse_head, parse_logsource, read_texts
from tallystick.sigma.model import Detection, Document, Filter, Item, Place, Rule, Searches
from tallystick.sigma.yaml_text import Node, read_documents

DOCUMENTS_MAX: Final = 10_000
_KINDS: Final = ("detection", "correlation", "filter")


def load(text: bytes, *, name: str = "") -> list[Document]:
    """Return the rules, correlations and filters in `text`, in its order; `name` is the file's, for the error.

    Raises SigmaError or SigmaTooLargeError with line and column, and `file` in its details, for the first thing that
    cannot be read or is not evaluated.
    """
    try:
        return _load(text)
    except (SigmaError, SigmaTooLargeError) as error:
        error.details["file"] = name
        raise


def _load(text: bytes) -> list[Document]:
    documents: list[Document] = []
    for node in read_documents(text):
        if len(documents) >= DOCUMENTS_MAX:
            message = f"more than {DOCUMENTS_MAX} documents"
            raise SigmaTooLargeError(message, line=node.place.line, column=node.place.column)
        documents.append(_document(node))
    if not documents:
        _fail("the text holds no document", Place(1, 1))
    return documents


def _document(node: Node) -> Document:
    if not isinstance(node.value, dict):
        _fail("a rule is a map of keys", node.place)
    kinds = [kind for kind in _KINDS if kind in node.value]
    if "action" in node.value:
        message = "collections of Sigma 1 (`action`) are not read; write each rule out"
        place = node.keys["action"]
        raise SigmaUnsupportedError(message, line=place.line, column=place.column)
    if not kinds:
        _fail("`detection` is missing (or `correlation`, or `filter`)", node.place)
    if len(kinds) > 1:
        _fail(f"`{kinds[0]}` and `{kinds[1]}` cannot stand in one document", node.keys[kinds[1]])
    if kinds[0] == "correlation":
        return parse_correlation(node)
    head = parse_head(node, frozenset({kinds[0]}))
    logsource = parse_logsource(node)
    if kinds[0] == "detection":
        return Rule(head, logsource, parse_searches(node.value["detection"]))
    rules, place = _filtered(node), node.keys["filter"]
    searches = parse_searches(node.value["filter"], frozenset({"rules"}))
    if not _leaves_out(searches):
        message = "the filter keeps only what it names, as it is joined to the rules by `and`"
        advice = "To leave out what the searches name, write `not` before them."
        raise SigmaError(message, line=place.line, column=place.column, advice=advice)
    return Filter(head, logsource, rules, searches, place)


def _filtered(document: Node) -> tuple[str, ...] | None:
    """Return the rules that a filter is for, None for all of its logsource."""
    assert isinstance(document.value, dict)
    node = document.value["filter"]
    if not isinstance(node.value, dict):
        _fail("`filter` is a map of rules, searches and a condition", node.place)
    rules = node.value.get("rules")
    if rules is None:
        _fail("`rules` is missing; name the rules, or write `any`", node.place)
    names = read_texts(rules, "rules")
    if not names:
        _fail("no rule is named; write `any` for every rule of the logsource", rules.place)
    return None if names == ("any",) else names


def _leaves_out(searches: Searches) -> bool:
    """Return whether anything in a filter says what not to keep."""
    used = [searches.named[name] for name in searched(searches.condition)]
    return negates(searches.condition) or any(_has_neq(search) for search in used)


def _has_neq(search: Detection) -> bool:
    return "neq" in search.modifiers if isinstance(search, Item) else any(_has_neq(part) for part in search.parts)


def _fail(message: str, place: Place) -> NoReturn:
    raise SigmaError(message, line=place.line, column=place.column)
