"""What the catalogue says about an action, made ready for admission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from tallystick.event.assignment import GUARDED_CATEGORIES
from tallystick.event.catalogue import ActionType, Catalogue
from tallystick.event.pointer import parse_pointer
from tallystick.event.wire import SeverityName

CONTEXT_FACTS: Final = frozenset({"auth_method", "request_id", "session_id", "trace_id"})
"""Members of `context` that are facts by default; they are text."""
UNDECLARED_SEVERITY: Final[SeverityName] = "informational"
UNDECLARED_CLASS: Final = "standard"
LEDGER_CLASS: Final = "ledger-access"

# Names of declared facts inside a free object: a name leads to what is declared below it, or to True for all of it.
FactTree = Mapping[str, Any]

# Members that a pointer to the whole of the first covers.
_COVERED: Final = {
    "actor": ("name", "email"),
    "on_behalf_of": ("name", "email"),
    "target": ("name",),
    "changes": ("old", "new"),
}


@dataclass(frozen=True, slots=True)
class ActionRule:
    """How events of one action are completed, classed and split.

    `facts` holds the declared members outside `context` and `metadata`, with array positions left out:
    `/target/name`, `/changes/old`, `/message`. `own_class_number` is the class of an event that the product itself sends:
    tables are made from it, so that its facts stay for ever; only the record of reading ends like any other's. `context` and `metadata` are trees of declared names, or True
    where the whole member is declared. `guarded` events are those of access and security, which a floor keeps.
    """

    severity: SeverityName
    class_number: int
    own_class_number: int
    guarded: bool = False
    product: bool = False
    declared: bool = True
    facts: frozenset[str] = frozenset()
    context: FactTree | Literal[True] = field(default_factory=dict)
    metadata: FactTree | Literal[True] = field(default_factory=dict)
    metadata_schema: Mapping[str, Any] = field(default_factory=dict)


def rules_of(catalogue: Catalogue) -> dict[str, ActionRule]:
    """Return the rule of every declared action."""
    return {name: _rule(action_type, catalogue.class_numbers) for name, action_type in catalogue.types.items()}


def undeclared_rule(catalogue: Catalogue) -> ActionRule:
    """Return the rule for actions that the catalogue does not know."""
    default_context = _tree((name,) for name in CONTEXT_FACTS)
    class_number = catalogue.class_numbers[UNDECLARED_CLASS]
    return ActionRule(UNDECLARED_SEVERITY, class_number, class_number, declared=False, context=default_context)


def _rule(action_type: ActionType, class_numbers: Mapping[str, int]) -> ActionRule:
    paths = [parse_pointer(pointer) for pointer in action_type.facts]
    plain: set[str] = set()
    for root, *below in paths:
        name = "target" if root == "targets" else root
        plain.add(f"/{name}")
        plain.update(f"/{name}/{member}" for member in below or _COVERED.get(name, ()))
    return ActionRule(
        severity=cast("SeverityName", action_type.severity),
        class_number=class_numbers[action_type.retention_class],
        own_class_number=class_numbers[_own_class(action_type)],
        guarded=action_type.category in GUARDED_CATEGORIES,
        product=action_type.origin == "product",
        facts=frozenset(plain),
        context=_tree([path[1:] for path in paths if path[0] == "context"] + [(name,) for name in CONTEXT_FACTS]),
        metadata=_tree(path[1:] for path in paths if path[0] == "metadata"),
        metadata_schema=action_type.metadata_schema,
    )


def _own_class(action_type: ActionType) -> str:
    kept = action_type.retention_class
    return LEDGER_CLASS if kept == UNDECLARED_CLASS else kept


def _tree(paths: Iterable[tuple[str, ...]]) -> FactTree | Literal[True]:
    """Return the tree of `paths`; the empty path declares everything."""
    tree: dict[str, Any] = {}
    for path in paths:
        if not path:
            return True
        node = tree
        for name in path[:-1]:
            node = node.setdefault(name, {})
            if node is True:
                break
        else:
            node[path[-1]] = True
    return tree
