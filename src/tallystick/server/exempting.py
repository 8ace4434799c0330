"""Exceptions from detection rules, as the register of exceptions has them and the log shows the events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tallystick.follow.log_reader import LogReader
from tallystick.govern import ExceptionInForce, ExceptionService, Kind
from tallystick.query import parse_query
from tallystick.query.evaluate import matches
from tallystick.query.sql import Names
from tallystick.search.render import make_document
from tallystick.server.ground import Ground


@dataclass(frozen=True, slots=True)
class RuleExemptions:
    """Meets `detect.excepted.Exemptions`."""

    ground: Ground
    exceptions: ExceptionService
    reader: LogReader

    def in_force(self, rule: str, scope: str, /) -> Sequence[ExceptionInForce]:
        return self.exceptions.in_force(Kind.RULE, rule, scope, self.ground.book.now_us())

    def used(self, exception: str, count: int, occasion: str, /) -> None:
        self.exceptions.used(exception, count, occasion)

    def answers(self, query: str, index: int, /) -> bool:
        asked = parse_query(query, now_us=self.ground.book.now_us())
        names = Names(self.ground.register.source_names(), self.ground.register.class_names())
        rows = (row for part, _ in self.reader.chunks(index, index + 1) for row in part)
        return any(row.facts and matches(asked, make_document(row, names, personal=True)) for row in rows)
