"""The value and condition expressions of vendor maps, compiled to plain functions.

The language is described for its users in `docs/guide/mappings.md`. It has no loops, no regular expressions and no
arithmetic: what a hostile vendor event can cost is bounded by its own size.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tallystick.event.located_yaml import LocatedYaml, YamlTextError
from tallystick.intake.paths import Context, as_text, parse_segments, present, split_root, walk
from tallystick.intake.steps import PLAIN_STEPS, STEPS_WITH_TEXT, TESTS, Condition, Value, compile_test
from tallystick.intake.tables import Table

Keys = tuple[str | int, ...]


class MapError(YamlTextError):
    """A vendor map is not as it must be; file, line and key are named."""

    code = "vendor-map"
    advice = "Correct the named line; docs/guide/mappings.md describes what a map may hold."


_PLACEHOLDER = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|([{}])")
_HEADS = ("path", "const", "text", "first", "lookup", "cases")


class Compiler:
    """Compiles the expressions of one map; every refusal names file, line and key."""

    def __init__(self, text: LocatedYaml, *, ignore_case: bool, tables: Mapping[str, Mapping[str, Any]]) -> None:
        self.text = text
        self._ignore_case = ignore_case
        self._tables = tables
        self._compiled_tables: dict[str, Table[Value]] = {}
        self.names: set[str] = set()

    def error(self, message: str, at: Keys) -> MapError:
        """Return the error that says `message` about the place `at`."""
        key = ".".join(str(part) for part in at)
        return MapError(message, file=self.text.file, line=self.text.line(*at), key=key)

    def value(self, source: Any, at: Keys) -> Value:
        """Compile a path, a list of alternatives, or a form such as {text: ...}."""
        if isinstance(source, str):
            return self.path(source, at)
        if isinstance(source, list):
            return self._first(source, at)
        if not isinstance(source, dict):
            raise self.error(f"{source!r} is neither a path nor a form; write {{const: ...}} for a constant", at)
        heads = [head for head in _HEADS if head in source]
        if len(heads) != 1:
            raise self.error(f"needs exactly one of {', '.join(_HEADS)}", at)
        head = heads[0]
        extra = {"lookup": {"in", "default"}, "cases": {"otherwise"}}.get(head, set())
        self.known_keys(source, {head, "then", "when"} | extra, at)
        compiled = self._head(head, source, at)
        if "then" in source:
            compiled = self._then(compiled, source["then"], (*at, "then"))
        if "when" in source:
            compiled = _guarded(compiled, self.condition(source["when"], (*at, "when")))
        return compiled

    def _head(self, head: str, source: Mapping[str, Any], at: Keys) -> Value:
        inner, below = source[head], (*at, head)
        if head == "path":
            return self.path(inner, below)
        if head == "const":
            return lambda _: inner
        if head == "text":
            return self.template(inner, below)
        if head == "first":
            return self._first(inner, below)
        if head == "cases":
            return self._cases(source, at)
        return self._lookup(source, at)

    def path(self, source: Any, at: Keys) -> Value:
        """Compile `a.b[0].c`, `a[].b`, `["a.b"].c`, `^.a` (from the record inside an each) or `$name.a`."""
        if not isinstance(source, str) or not source:
            raise self.error("a path is text such as userIdentity.arn", at)
        root, rest = split_root(source)
        if root.startswith("$") and root[1:] not in self.names:
            raise self.error(f"{root} is not named under let before this", at)
        segments = parse_segments(rest)
        if isinstance(segments, int):
            character = len(source) - len(rest) + segments
            raise self.error(f"{source!r} cannot be read as a path from character {character}", at)
        steps = segments
        if self._ignore_case:
            steps = tuple(part.casefold() if isinstance(part, str) else part for part in segments)
        name, ignore_case = root[1:], self._ignore_case

        def read(context: Context) -> Any:
            if root == "":
                start = context.record if context.item is None else context.item
            else:
                start = context.record if root == "^" else context.names.get(name)
            found = walk(start, steps, context.folded if ignore_case else None)
            return found if present(found) else None

        return read

    def template(self, source: Any, at: Keys) -> Value:
        """Compile text with `{path}` places (`{a|b}` takes the first that is there); none when a place has no value."""
        if not isinstance(source, str):
            raise self.error("must be text", at)
        parts: list[str | Value] = []
        end = 0
        for match in _PLACEHOLDER.finditer(source):
            parts.append(source[end : match.start()])
            end = match.end()
            if match[2]:
                raise self.error(f"a brace without its partner at character {match.start() + 1}", at)
            if match[1] is None:
                parts.append(match[0][0])
            else:
                parts.append(self._first([choice.strip() for choice in match[1].split("|")], at))
        parts.append(source[end:])

        def fill(context: Context) -> str | None:
            filled = []
            for part in parts:
                if isinstance(part, str):
                    filled.append(part)
                elif (found := part(context)) is None:
                    return None
                else:
                    filled.append(as_text(found))
            return "".join(filled)

        return fill

    def _first(self, sources: Any, at: Keys) -> Value:
        if not isinstance(sources, list) or not sources:
            raise self.error("must be a list of alternatives", at)
        choices = [self.value(source, (*at, position)) for position, source in enumerate(sources)]
        if len(choices) == 1:
            return choices[0]

        def first(context: Context) -> Any:
            for choice in choices:
                found = choice(context)
                if found is not None:
                    return found
            return None

        return first

    def _cases(self, source: Mapping[str, Any], at: Keys) -> Value:
        cases = source["cases"]
        if not isinstance(cases, list):
            raise self.error("must be a list of {when: ..., is: ...}", (*at, "cases"))
        compiled: list[tuple[Condition, Value]] = []
        for position, case in enumerate(cases):
            below = (*at, "cases", position)
            if not isinstance(case, dict) or set(case) != {"when", "is"}:
                raise self.error("must be {when: condition, is: value}", below)
            compiled.append((self.condition(case["when"], (*below, "when")), self.entry(case["is"], (*below, "is"))))
        otherwise = self.entry(source["otherwise"], (*at, "otherwise")) if "otherwise" in source else None

        def choose(context: Context) -> Any:
            for condition, value in compiled:
                if condition(context):
                    return value(context)
            return None if otherwise is None else otherwise(context)

        return choose

    def entry(self, source: Any, at: Keys) -> Value:
        """Compile a result in a table or a case: a scalar stands for itself, a mapping is an expression."""
        if isinstance(source, dict):
            return self.value(source, at)
        if isinstance(source, list):
            raise self.error("a list cannot stand here", at)
        return lambda _: source

    def _lookup(self, source: Mapping[str, Any], at: Keys) -> Value:
        key = self.value(source["lookup"], (*at, "lookup"))
        table = self.table(source.get("in"), (*at, "in"))
        default = self.entry(source["default"], (*at, "default")) if "default" in source else None

        def look(context: Context) -> Any:
            found = key(context)
            if found is not None and (value := table.find(as_text(found))) is not None:
                return value(context)
            return None if default is None else default(context)

        return look

    def table(self, source: Any, at: Keys) -> Table[Value]:
        """Return the table written here, or the one of that name under `tables`."""
        if isinstance(source, str):
            if source not in self._tables:
                raise self.error(f"there is no table {source!r} under tables", at)
            if source not in self._compiled_tables:
                self._compiled_tables[source] = self._build_table(self._tables[source], ("tables", source))
            return self._compiled_tables[source]
        return self._build_table(source, at)

    def _build_table(self, source: Any, at: Keys) -> Table[Value]:
        if not isinstance(source, dict):
            raise self.error("must be a table or the name of one", at)
        return Table({str(key): self.entry(value, (*at, key)) for key, value in source.items()})

    def _then(self, value: Value, steps: Any, at: Keys) -> Value:
        compiled = []
        for position, step in enumerate(steps if isinstance(steps, list) else [steps]):
            compiled.append(self._step(step, (*at, position) if isinstance(steps, list) else at))

        def apply(context: Context) -> Any:
            found = value(context)
            for change in compiled:
                if found is None:
                    return None
                found = change(found)
            return found if present(found) else None

        return apply

    def _step(self, step: Any, at: Keys) -> Callable[[Any], Any]:
        if isinstance(step, str) and step in PLAIN_STEPS:
            return PLAIN_STEPS[step]
        if isinstance(step, dict) and len(step) == 1:
            ((name, argument),) = step.items()
            if name in STEPS_WITH_TEXT and isinstance(argument, str) and argument:
                make = STEPS_WITH_TEXT[name]
                return lambda found: make(as_text(found), argument)
        known = ", ".join([*PLAIN_STEPS, *(f"{{{name}: text}}" for name in STEPS_WITH_TEXT)])
        raise self.error(f"{step!r} is not a step; known are {known}", at)

    def condition(self, source: Any, at: Keys) -> Condition:
        """Compile {path: ..., is: ...} and its like; a list means all of them."""
        if isinstance(source, list):
            return _every([self.condition(part, (*at, position)) for position, part in enumerate(source)])
        if not isinstance(source, dict):
            raise self.error("a condition is a mapping such as {path: errorCode, present: true}", at)
        if "any" in source:
            self.known_keys(source, {"any"}, at)
            parts = [self.condition(part, (*at, "any", number)) for number, part in enumerate(source["any"])]
            return lambda context: any(part(context) for part in parts)
        if "not" in source:
            self.known_keys(source, {"not"}, at)
            negated = self.condition(source["not"], (*at, "not"))
            return lambda context: not negated(context)
        tests = [test for test in TESTS if test in source]
        if len(tests) != 1 or "path" not in source:
            raise self.error(f"needs path and exactly one of {', '.join(TESTS)}", at)
        self.known_keys(source, {"path", tests[0]}, at)
        value = self._first(source["path"], (*at, "path")) if isinstance(source["path"], list) else None
        return compile_test(tests[0], source[tests[0]], value or self.value(source["path"], (*at, "path")))

    def known_keys(self, source: Mapping[str, Any], known: set[str], at: Keys) -> None:
        """Raise where `source` holds a key that means nothing here."""
        for key in source:
            if key not in known:
                raise self.error(f"unknown key; known here are {', '.join(sorted(known))}", (*at, key))


def _guarded(value: Value, condition: Condition) -> Value:
    return lambda context: value(context) if condition(context) else None


def _every(parts: Sequence[Condition]) -> Condition:
    return lambda context: all(part(context) for part in parts)
