"""From the YAML of a vendor map to a compiled `VendorMap`, with every refusal naming file, line and key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

from tallystick.errors import NotFoundError
from tallystick.event.located_yaml import LocatedYaml, YamlTextError, parse_yaml
from tallystick.intake.expressions import Compiler, Keys, MapError
from tallystick.intake.mapping import EventMap, NativeMap
from tallystick.intake.steps import Value
from tallystick.intake.times import FORMS
from tallystick.intake.vendor_map import ChangeRule, TargetRule, VendorMap

_TOP_KEYS = {
    "format", "name", "title", "about", "ignore_case", "records", "unwrap", "tables", "let", "skip", "id", "time",
    "action", "actor", "on_behalf_of", "targets", "scope", "outcome", "severity", "reason", "message", "changes",
    "context", "metadata",
}  # fmt: skip
_PARTY = {"id", "type", "name", "email"}


class UnknownMapError(NotFoundError):
    """There is no shipped map of that name."""

    code = "unknown-map"


def shipped_maps() -> tuple[str, ...]:
    """Return the names of the maps this version ships."""
    folder = resources.files("tallystick.intake").joinpath("maps")
    names = [entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml")]
    return tuple(sorted([*names, "native"]))


@lru_cache(maxsize=16)
def load_map(name: str) -> EventMap:
    """Return the shipped map, or `native`; raises UnknownMapError."""
    if name == "native":
        return NativeMap()
    if name not in shipped_maps():
        known = ", ".join(shipped_maps())
        raise UnknownMapError(f"there is no map called {name!r}", advice=f"Shipped are {known}; --map takes a file.")
    entry = resources.files("tallystick.intake").joinpath("maps", f"{name}.yaml")
    return parse_map(entry.read_bytes(), f"{name}.yaml")


def parse_map(data: bytes, file: str) -> VendorMap:
    """Return the map written in `data`; raises MapError."""
    try:
        text = parse_yaml(data, file)
    except YamlTextError as error:
        message = error.message.split(": ", 1)[-1]
        raise MapError(message, file=error.file, line=error.line, column=error.column, key=error.key) from error
    return _MapParser(text, hashlib.sha256(data).hexdigest()).parse()


class _MapParser:
    """Reads one map; `compile` turns its expressions into functions."""

    def __init__(self, text: LocatedYaml, digest: str) -> None:
        self.digest = digest
        self.top: dict[str, Any] = text.value if isinstance(text.value, dict) else {}
        tables = self.top.get("tables", {})
        self.compile = Compiler(
            text,
            ignore_case=self.top.get("ignore_case") is True,
            tables=tables if isinstance(tables, dict) else {},
        )
        if not isinstance(text.value, dict):
            raise self.compile.error("a map is a mapping with format, name, time, action and the rest", ())

    def parse(self) -> VendorMap:
        self.compile.known_keys(self.top, _TOP_KEYS, ())
        if self.top.get("format") != 1:
            raise self.compile.error("this version reads map format 1", ("format",))
        name = self._word("name")
        names = self._names()
        action_key, action, action_default = self._action(name)
        times, forms = self._time()
        return VendorMap(
            name=name,
            title=str(self.top.get("title", name)),
            digest=self.digest,
            wrappers=self._words("records"),
            unwrap=tuple(self._values("unwrap")),
            names=names,
            skip=self.compile.condition(self.top["skip"], ("skip",)) if "skip" in self.top else None,
            identity=self._optional("id"),
            times=times,
            time_forms=forms,
            action_key=action_key,
            action=action,
            action_default=action_default,
            actor=self._members("actor", _PARTY, needs="id"),
            on_behalf_of=self._members("on_behalf_of", _PARTY, needs="id") if "on_behalf_of" in self.top else {},
            targets=tuple(self._target(source, ("targets", place)) for place, source in self._list("targets")),
            scope=self.compile.value(self._needed("scope"), ("scope",)),
            outcome=self._optional("outcome"),
            severity=self._optional("severity"),
            texts={key: self.compile.value(self.top[key], (key,)) for key in ("reason", "message") if key in self.top},
            changes=tuple(self._change(source, ("changes", place)) for place, source in self._list("changes", [])),
            context=self._members("context", None) if "context" in self.top else {},
            metadata=self._members("metadata", None) if "metadata" in self.top else {},
        )

    def _needed(self, key: str) -> Any:
        if key not in self.top:
            raise self.compile.error(f"{key} is missing", ())
        return self.top[key]

    def _word(self, key: str) -> str:
        word = self._needed(key)
        if not isinstance(word, str) or not word.replace("-", "").replace("_", "").isalnum() or word != word.lower():
            raise self.compile.error("must be one lower-case word", (key,))
        return word

    def _words(self, key: str) -> tuple[str, ...]:
        words = self.top.get(key, [])
        if not isinstance(words, list) or not all(isinstance(word, str) and word for word in words):
            raise self.compile.error("must be a list of names", (key,))
        return tuple(words)

    def _list(self, key: str, default: list[Any] | None = None) -> list[tuple[int, dict[str, Any]]]:
        sources = self._needed(key) if default is None else self.top.get(key, default)
        if not isinstance(sources, list) or not all(isinstance(source, dict) for source in sources):
            raise self.compile.error("must be a list of mappings", (key,))
        return list(enumerate(sources))

    def _values(self, key: str) -> list[Value]:
        return [self.compile.value(source, (key, place)) for place, source in enumerate(self._words(key))]

    def _optional(self, key: str) -> Value | None:
        return self.compile.value(self.top[key], (key,)) if key in self.top else None

    def _names(self) -> dict[str, Value]:
        sources = self.top.get("let", {})
        if not isinstance(sources, dict):
            raise self.compile.error("must be a mapping of names to values", ("let",))
        names: dict[str, Value] = {}
        for name, source in sources.items():
            names[name] = self.compile.value(source, ("let", name))
            self.compile.names.add(name)
        return names

    def _action(self, name: str) -> tuple[Value, Value, Value]:
        source = self._needed("action")
        if not isinstance(source, dict) or not {"lookup", "in", "default"} <= set(source):
            raise self.compile.error("needs lookup, in and default", ("action",))
        self.compile.known_keys(source, {"lookup", "in", "default"}, ("action",))
        prefix = f"vendor.{name}."
        default = source["default"]
        if not isinstance(default, str) or not default.startswith(prefix) or len(default) <= len(prefix):
            raise self.compile.error(f"must be text that begins with {prefix}", ("action", "default"))
        return (
            self.compile.value(source["lookup"], ("action", "lookup")),
            self.compile.value({"lookup": source["lookup"], "in": source["in"]}, ("action",)),
            self.compile.template(default, ("action", "default")),
        )

    def _time(self) -> tuple[tuple[Value, ...], tuple[str, ...]]:
        source = self._needed("time")
        if not isinstance(source, dict) or set(source) != {"from", "forms"}:
            raise self.compile.error("needs from (a list of paths) and forms", ("time",))
        paths, forms = source["from"], source["forms"]
        for place, form in enumerate(forms if isinstance(forms, list) else []):
            if form not in FORMS:
                raise self.compile.error(f"{form!r} is not one of {', '.join(FORMS)}", ("time", "forms", place))
        if not isinstance(paths, list) or not paths or not isinstance(forms, list) or not forms:
            raise self.compile.error("from and forms are lists", ("time",))
        return tuple(self.compile.value(path, ("time", "from", n)) for n, path in enumerate(paths)), tuple(forms)

    def _members(self, key: str, known: set[str] | None, needs: str | None = None) -> dict[str, Value]:
        source = self._needed(key)
        if not isinstance(source, dict):
            raise self.compile.error("must be a mapping", (key,))
        return self._compiled_members(source, known, needs, (key,))

    def _compiled_members(
        self, source: Mapping[str, Any], known: set[str] | None, needs: str | None, at: Keys
    ) -> dict[str, Value]:
        if known is not None:
            self.compile.known_keys(source, known, at)
        if needs is not None and needs not in source:
            raise self.compile.error(f"{needs} is missing", at)
        return {name: self.compile.value(value, (*at, name)) for name, value in source.items()}

    def _target(self, source: dict[str, Any], at: Keys) -> TargetRule:
        self.compile.known_keys(source, {"each", "when", "otherwise", "id", "type", "name"}, at)
        members = {name: value for name, value in source.items() if name in {"id", "type", "name"}}
        return TargetRule(
            each=self.compile.value(source["each"], (*at, "each")) if "each" in source else None,
            members=self._compiled_members(members, None, "id", at),
            when=self.compile.condition(source["when"], (*at, "when")) if "when" in source else None,
            otherwise=source.get("otherwise") is True,
        )

    def _change(self, source: dict[str, Any], at: Keys) -> ChangeRule:
        self.compile.known_keys(source, {"each", "field", "old", "new"}, at)
        members = {name: value for name, value in source.items() if name != "each"}
        return ChangeRule(
            each=self.compile.value(source["each"], (*at, "each")) if "each" in source else None,
            members=self._compiled_members(members, None, "field", at),
        )
