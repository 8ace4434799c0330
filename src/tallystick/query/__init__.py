"""Turns the text of a question into a tree, and the tree into an answer or into SQL.

Pure: no file, no clock, no database. One tree has one meaning, and `evaluate.matches` is that meaning; every faster
way of answering (`sql`, and the column evaluator in `search`) is tested against it. Fields, their kinds and whether
they are personal stand in one table, `fields.FIELDS`, from which the reference page is generated.
"""

from __future__ import annotations

from tallystick.query.errors import PersonalWithheldError, QueryError
from tallystick.query.evaluate import Document, matches
from tallystick.query.model import Node
from tallystick.query.parser import QueryLimits, parse_query
from tallystick.query.rights import Rights, check_rights
from tallystick.query.writer import format_query

__all__ = [
    "Document",
    "Node",
    "PersonalWithheldError",
    "QueryError",
    "QueryLimits",
    "Rights",
    "check_rights",
    "format_query",
    "matches",
    "parse_query",
]
