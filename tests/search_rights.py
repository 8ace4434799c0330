"""What a caller may see, said a second time and plainly, for tests to compare with."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.search_world import CLASSES, PSEUDONYMS, Reader, World

from tallystick.event.disclosure import Disclosure
from tallystick.event.model import ActorType
from tallystick.query.evaluate import matches
from tallystick.query.parser import parse_query
from tallystick.query.rights import Rights
from tallystick.search.model import Search
from tallystick.search.render import make_document


@dataclass(frozen=True)
class Sees:
    """Filter and mask, one event at a time."""

    world: World
    caller: Reader

    def event(self, each: Disclosure) -> bool:
        facts = json.loads(each.facts or b"")
        if not below(facts["scope"], self.caller.read_scopes) and not (
            below(facts["scope"], self.caller.own_scopes) and self.own(facts)
        ):
            return False
        is_reading = CLASSES[each.class_number] == "reading"
        return not is_reading or below(facts["scope"], self.caller.reading_scopes) or self.own(facts)

    def personal(self, each: Disclosure) -> bool:
        facts = json.loads(each.facts or b"")
        return below(facts["scope"], self.caller.personal_scopes) or (
            below(facts["scope"], self.caller.own_scopes) and self.own(facts)
        )

    def own(self, facts: dict[str, dict[str, str]]) -> bool:
        actor, names = facts["actor"], {self.caller.id, *self.caller.aliases}
        keys = {PSEUDONYMS.key_for(ActorType(self.caller.type), name) for name in names}
        return actor["type"] == self.caller.type and (actor.get("id") in names or actor.get("key") in keys)

    def may_ask_personal(self, asked: str) -> bool:
        """Whether a question within a scope may be about personal data: only if all that may be read may be seen whole."""
        looked_at = {
            scope if below(scope, (asked,)) else asked for scope in self.caller.read_scopes if _touch(scope, asked)
        }
        return all(below(scope, self.caller.personal_scopes) for scope in looked_at)

    def rows(self, search: Search) -> list[tuple[int, dict[str, object]]]:
        """Return index and shown event of everything that answers the question, oldest first."""
        node = parse_query(search.text, now_us=self.world.clock.now_us())
        whole = self.may_ask_personal(search.scope or "")
        rights = Rights(personal=whole, actor_keys=self.world.register.actor_keys)
        names, found = self.world.names(), []
        for each in self.world.disclosures():
            shown = make_document(each, names, personal=self.personal(each))
            inside = below(str(shown.event["scope"]), (search.scope or "",))
            hidden = shown.class_name == "reading" and not search.reading and "class:" not in search.text
            asked = make_document(each, names, personal=whole)
            if inside and not hidden and self.event(each) and matches(node, asked, rights):
                found.append((each.index, dict(shown.event)))
        return found


def below(scope: str, roots: tuple[str, ...]) -> bool:
    return any(not root or f"{scope}/".startswith(f"{root}/") for root in roots)


def _touch(one: str, other: str) -> bool:
    return below(one, (other,)) or below(other, (one,))
