"""Keeps rules that others wrote, such as those of a SigmaHQ folder, as drafts with author, licence and origin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Connection

from tallystick.access.model import Caller
from tallystick.access.permissions import Permission
from tallystick.access.require import require
from tallystick.detect import events
from tallystick.detect.errors import RuleInvalidError, RuleTextError
from tallystick.detect.model import RULES_MAX
from tallystick.detect.ports import RegisterPorts
from tallystick.detect.rows import known_digests, load_rules
from tallystick.detect.rulefile import RuleFile, parse_rule
from tallystick.detect.service import new_rule_id
from tallystick.event.identifier import hidden_character
from tallystick.follow.commands import Commands

FILES_MAX: Final = 1_000
"""In one request; a larger folder takes several."""
PATH_CHARS_MAX: Final = 400
LINK_CHARS_MAX: Final = 1000
EVENTS_MAX: Final = 100
BYTES_AT_ONCE: Final = 2 << 20
"""Of texts that are put on record together."""
Outcome = Literal["imported", "known", "refused"]


@dataclass(frozen=True, slots=True)
class File:
    """A file of a folder of rules."""

    path: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file, and where it is wrong."""

    path: str
    outcome: Outcome
    title: str = ""
    rule: str | None = None
    message: str = ""
    line: int | None = None
    column: int | None = None


class RuleImport:
    """Takes rules in; may be used from any thread."""

    def __init__(self, commands: Commands, ports: RegisterPorts) -> None:
        self._commands = commands
        self._ports = ports

    def keep(
        self, caller: Caller, files: Sequence[File], scope: str = "", link: str = "", licence: str = ""
    ) -> list[Imported]:
        """Keep each file's rule as a draft that does not watch, and return what became of each, in order.

        `link` is where the folder comes from: a rule's own link is that with its path. `licence` is put on record for
        rules that state none themselves. A text that is here already is passed over. Raises RuleInvalidError.
        """
        require(caller, Permission.RULES_MANAGE, scope)
        if len(files) > FILES_MAX:
            raise RuleInvalidError(f"at most {FILES_MAX:,} files are taken at once", pointer="/files")
        for name, text in (("link", link), ("license", licence)):
            if len(text) > LINK_CHARS_MAX or hidden_character(text) is not None:
                raise RuleInvalidError(f"at most {LINK_CHARS_MAX:,} visible characters", pointer=f"/{name}")
        found: dict[int, Imported] = {}
        read: list[tuple[int, File, RuleFile]] = []
        for place, file in enumerate(files):
            answer = _read(file)
            if isinstance(answer, Imported):
                found[place] = answer
            else:
                read.append((place, file, answer))
        for batch in _batches(read):
            found.update(self._keep(caller, batch, scope, link, licence))
        return [found[place] for place in range(len(files))]

    def _keep(
        self, caller: Caller, batch: Sequence[tuple[int, File, RuleFile]], scope: str, link: str, licence: str
    ) -> dict[int, Imported]:
        found: dict[int, Imported] = {}

        def decide(connection: Connection) -> list[Mapping[str, Any]]:
            found.clear()
            known, count, now_us = known_digests(connection), len(load_rules(connection)), self._ports.now_us()
            made: list[Mapping[str, Any]] = []
            for place, file, rule in batch:
                if rule.digest in known:
                    found[place] = Imported(file.path, "known", rule.title, known[rule.digest])
                    continue
                if count >= RULES_MAX:
                    found[place] = Imported(file.path, "refused", rule.title, message=f"there are {RULES_MAX:,} rules")
                    continue
                rule_id = known[rule.digest] = new_rule_id()
                count += 1
                at = f"{link.rstrip('/')}/{file.path}" if link else file.path
                drafted = events.drafted(
                    caller,
                    rule_id,
                    scope,
                    rule.digest,
                    rule.text.decode(),
                    rule.about,
                    now_us,
                    origin="imported",
                    link=at,
                    licence=rule.main.head.license or licence,
                )
                made.append(drafted)
                found[place] = Imported(file.path, "imported", rule.title, rule_id)
            return made

        self._commands.run(decide)
        return found


def _read(file: File) -> RuleFile | Imported:
    path = file.path
    if not 1 <= len(path) <= PATH_CHARS_MAX or hidden_character(path) is not None:
        return Imported(path[:PATH_CHARS_MAX], "refused", message="the path is too long, or holds hidden characters")
    try:
        return parse_rule(file.text, path)
    except RuleTextError as error:
        return Imported(path, "refused", message=error.message, line=error.line, column=error.column)


def _batches(read: Sequence[tuple[int, File, RuleFile]]) -> list[list[tuple[int, File, RuleFile]]]:
    batches: list[list[tuple[int, File, RuleFile]]] = []
    size = BYTES_AT_ONCE
    for each in read:
        size += len(each[1].text)
        if size > BYTES_AT_ONCE or len(batches[-1]) >= EVENTS_MAX:
            batches.append([])
            size = len(each[1].text)
        batches[-1].append(each)
    return batches
