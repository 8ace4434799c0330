"""From the text of a rule to what it says, or to the line and column where it is wrong.

A rule file is one rule of Sigma, or a correlation with the rules that it is made of, one document each. The document
that alerts holds the block `tallystick`: who answers for the rule, what to do when it fires, and the samples that it is
tested by. A text without the block is accepted as Sigma has it, and is tested once somebody adds samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from tallystick.detect.errors import RuleTextError
from tallystick.detect.model import TEXT_BYTES_MAX, About, digest_of
from tallystick.detect.native import Settings, read_settings
from tallystick.detect.native.model import span
from tallystick.detect.samples import Sample, read_samples
from tallystick.errors import InvalidInputError
from tallystick.event.identifier import hidden_character
from tallystick.follow.alarm import Severity
from tallystick.sigma import Correlation, CorrelationType, Document, Filter, Level, Operator, Place, Rule, load
from tallystick.sigma.yaml_text import Node, read_documents

BLOCK: Final = "tallystick"
SIGMA: Final = "sigma"
KINDS: Final = (SIGMA, "first_seen", "silence", "burst", "drop", "off_hours")
OWNERS: Final = ("security", "operations")
CATEGORIES: Final = ("authentication", "system", "network", "application", "security")
TITLE_CHARS_MAX: Final = 256
PROSE_CHARS_MAX: Final = 8000
CONTROLS_MAX: Final = 30
LIST_VALUES_MAX: Final = 100
OWN_KEYS: Final = ("kind", "owner", "category", "runbook", "response", "controls", "lists", "samples")

_WORDS: Final = {
    Operator.GTE: "at least",
    Operator.GT: "more than",
    Operator.LTE: "at most",
    Operator.LT: "fewer than",
    Operator.EQ: "exactly",
    Operator.NEQ: "not",
}
_COUNTED: Final = {
    CorrelationType.EVENT_COUNT: "{bounds} events",
    CorrelationType.VALUE_COUNT: "{bounds} different values",
    CorrelationType.TEMPORAL: "{bounds} of {rules} conditions",
    CorrelationType.TEMPORAL_ORDERED: "{bounds} of {rules} conditions in their order",
}


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A text that can be watched by. `main` is the document that alerts; `text` is what its digest is of.

    `settings` is how it watches. `lists` stand for lists of indicators while samples are run, and never else.
    """

    text: bytes
    documents: tuple[Document, ...]
    main: Rule | Correlation
    kind: str
    settings: Settings
    owner: str
    category: str
    runbook: str
    response: str
    controls: tuple[str, ...]
    lists: Mapping[str, tuple[str, ...]]
    samples: tuple[Sample, ...]

    @property
    def digest(self) -> str:
        """Return what approvals bind to."""
        return digest_of(self.text)

    @property
    def title(self) -> str:
        """Return the title of the document that alerts."""
        return self.main.head.title

    @property
    def severity(self) -> Severity:
        """Return the level; medium where the text gives none."""
        return (self.main.head.level or Level.MEDIUM).value

    @property
    def about(self) -> About:
        """Return what stands in the log for ever about this text."""
        return About(
            title=self.title,
            severity=self.severity,
            kind=self.kind,
            owner=self.owner,
            category=self.category,
            logsource=self.logsource,
            samples=len(self.samples),
        )

    @property
    def logsource(self) -> dict[str, str]:
        """Return where its events come from: of a correlation, as its first rule says."""
        found = next((each.logsource for each in self.documents if isinstance(each, Rule)), None)
        if found is None:
            return {}
        named = (("category", found.category), ("product", found.product), ("service", found.service))
        return {name: value for name, value in named if value}

    @property
    def threshold(self) -> str:
        """Return in words how much it takes until the rule fires."""
        if not isinstance(self.main, Correlation):
            return "one event" if self.kind == SIGMA else self.kind.replace("_", " ")
        bounds = " and ".join(f"{_WORDS[each.operator]} {each.count:,}" for each in self.main.condition)
        what = _COUNTED[self.main.type].format(bounds=bounds or "all", rules=len(self.main.rules))
        return f"{what} within {span(self.main.timespan_us)}"


def parse_rule(text: bytes, name: str = "rule") -> RuleFile:
    """Return the rule of a text. Raises RuleTextError with line and column."""
    if len(text) > TEXT_BYTES_MAX:
        raise RuleTextError(f"the rule has {len(text):,} bytes; at most {TEXT_BYTES_MAX:,} are kept", line=1, column=1)
    try:
        documents = tuple(load(text, name=name))
        nodes = list(read_documents(text))
    except InvalidInputError as error:
        raise RuleTextError(error.message, line=error.line, column=error.column, advice=error.advice) from error
    main, node = _main(documents, nodes)
    if (at := hidden_character(main.head.title)) is not None:
        raise _refuse(f"the title holds the hidden character U+{ord(at):04X}", main.head.place)
    block = node.value.get(BLOCK) if isinstance(node.value, dict) else None
    return _with_block(text, documents, main, _Block(block))


def _main(documents: tuple[Document, ...], nodes: list[Node]) -> tuple[Rule | Correlation, Node]:
    """Return the document that alerts: the one with the block, or else the last, which the others serve."""
    for each in documents:
        if isinstance(each, Filter):
            raise _refuse("a filter narrows other rules and alerts about nothing by itself", each.place)
    pairs = [(each, node) for each, node in zip(documents, nodes, strict=True) if isinstance(each, Rule | Correlation)]
    if not pairs:
        raise RuleTextError("there is no rule in the text", line=1, column=1)
    blocks = [pair for pair in pairs if isinstance(pair[1].value, dict) and BLOCK in pair[1].value]
    if len(blocks) > 1:
        raise _refuse(f"two documents hold the block {BLOCK!r}; only the one that alerts does", blocks[1][1].place)
    if blocks:
        return blocks[0]
    correlations = [pair for pair in pairs if isinstance(pair[0], Correlation)]
    if len(pairs) > 1 and not correlations:
        raise _refuse("several rules stand in one text; write one text for each", pairs[1][1].place)
    return correlations[-1] if correlations else pairs[0]


def _with_block(text: bytes, documents: tuple[Document, ...], main: Rule | Correlation, block: _Block) -> RuleFile:
    kind = block.among("kind", KINDS, SIGMA)
    controls = block.texts("controls", CONTROLS_MAX)
    if kind != SIGMA and isinstance(main, Correlation):
        raise _refuse(f"a correlation is of kind {SIGMA}", main.place)
    return RuleFile(
        text=text,
        documents=documents,
        main=main,
        kind=kind,
        settings=read_settings(kind, block.node, OWN_KEYS),
        owner=block.among("owner", OWNERS, OWNERS[0]),
        category=block.among("category", CATEGORIES, "security"),
        runbook=block.text("runbook"),
        response=block.text("response"),
        controls=controls,
        lists=block.lists(),
        samples=read_samples(block.member("samples")),
    )


class _Block:
    """The block `tallystick` of a document, or none."""

    def __init__(self, node: Node | None) -> None:
        if node is not None and not isinstance(node.value, dict):
            raise _refuse(f"{BLOCK} is a mapping", node.place)
        self.node = node

    def member(self, key: str) -> Node | None:
        """Return a member, None where it is left out."""
        if self.node is None:
            return None
        return cast("Mapping[str, Node]", self.node.value).get(key)

    def text(self, key: str) -> str:
        """Return a text, empty where it is left out."""
        node = self.member(key)
        if node is None:
            return ""
        if not isinstance(node.value, str) or len(node.value) > PROSE_CHARS_MAX:
            raise _refuse(f"{key} is a text of at most {PROSE_CHARS_MAX:,} characters", node.place)
        return node.value.strip()

    def among(self, key: str, known: tuple[str, ...], default: str) -> str:
        """Return one of the known words."""
        node = self.member(key)
        if node is None:
            return default
        if node.value not in known:
            raise _refuse(f"{key} is one of {', '.join(known)}, not {str(node.written)[:60]!r}", node.place)
        return str(node.value)

    def lists(self) -> dict[str, tuple[str, ...]]:
        """Return the values that stand for lists of indicators in samples."""
        node = self.member("lists")
        if node is None:
            return {}
        if not isinstance(node.value, dict):
            raise _refuse("lists are a mapping of names to values", node.place)
        return {name: _texts(f"the list {name[:60]}", values, LIST_VALUES_MAX) for name, values in node.value.items()}

    def texts(self, key: str, most: int) -> tuple[str, ...]:
        """Return a list of short texts."""
        node = self.member(key)
        return () if node is None else _texts(key, node, most)


def _texts(what: str, node: Node, most: int) -> tuple[str, ...]:
    members = node.value if isinstance(node.value, list) else None
    if members is None or len(members) > most:
        raise _refuse(f"{what} is a list of at most {most} texts", node.place)
    for each in members:
        if not isinstance(each.value, str) or not 1 <= len(each.value) <= TITLE_CHARS_MAX:
            raise _refuse(f"each of {what} is a text of 1 to {TITLE_CHARS_MAX} characters", each.place)
    return tuple(str(each.value) for each in members)


def _refuse(message: str, place: Place) -> RuleTextError:
    return RuleTextError(message, line=place.line, column=place.column)
