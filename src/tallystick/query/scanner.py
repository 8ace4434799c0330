"""Reads characters of a query and knows where it stands, so that every error can say where."""

from __future__ import annotations

from dataclasses import dataclass

from tallystick.query.errors import QueryError
from tallystick.query.model import Place

_ENDS_A_WORD = frozenset(' \t\r\n()"')
NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/@$")


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written: the texts between unescaped `*`, and whether it stood in quotes."""

    parts: tuple[str, ...]
    quoted: bool
    offset: int

    @property
    def text(self) -> str:
        return "*".join(self.parts)

    @property
    def has_wildcard(self) -> bool:
        return len(self.parts) > 1


class Scanner:
    """A position in the text; `offset` only moves forwards, except where a caller puts it back."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.offset = 0

    def place(self, offset: int | None = None) -> Place:
        at = self.offset if offset is None else offset
        before = self.text[:at]
        return Place(before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1)

    def error(self, message: str, offset: int | None = None, *, advice: str | None = None) -> QueryError:
        place = self.place(offset)
        return QueryError(
            f"{message} (line {place.line}, column {place.column})",
            line=place.line,
            column=place.column,
            advice=advice,
        )

    def at_end(self) -> bool:
        return self.offset >= len(self.text)

    def skip_space(self) -> None:
        while not self.at_end() and self.text[self.offset] in " \t\r\n":
            self.offset += 1

    def looking_at(self, text: str) -> bool:
        return self.text.startswith(text, self.offset)

    def take(self, text: str) -> bool:
        """Step over `text` if it stands here."""
        if not self.looking_at(text):
            return False
        self.offset += len(text)
        return True

    def looking_at_keyword(self, keyword: str) -> bool:
        after = self.text[self.offset + len(keyword) : self.offset + len(keyword) + 1]
        return self.looking_at(keyword) and (not after or after in _ENDS_A_WORD)

    def take_keyword(self, keyword: str) -> bool:
        """Step over an operator word (`AND`, `OR`, `NOT`, `TO`) if it stands here as a whole word."""
        if not self.looking_at_keyword(keyword):
            return False
        self.offset += len(keyword)
        return True

    def field_name(self) -> tuple[str, ...] | None:
        """Step over `name.path."with quotes"` when an operator follows it; otherwise stay and return None."""
        start = self.offset
        segments: list[str] = []
        while True:
            if segments and self.looking_at('"'):
                segments.append(self._quoted())
            else:
                begin = self.offset
                while not self.at_end() and self.text[self.offset] in NAME_CHARACTERS:
                    self.offset += 1
                segments.append(self.text[begin : self.offset])
            if not segments[-1] or not self.take("."):
                break
        if segments[-1] and not self.at_end() and self.text[self.offset] in ":<>":
            return tuple(segments)
        self.offset = start
        return None

    def literal(self, stops: str = "") -> Literal:
        """Step over one value: quoted, or up to white space, a parenthesis, a quote or one of `stops`."""
        start = self.offset
        if self.looking_at('"'):
            return Literal((self._quoted(),), quoted=True, offset=start)
        parts, part = [], ""
        while (
            not self.at_end() and (character := self.text[self.offset]) not in _ENDS_A_WORD and character not in stops
        ):
            self.offset += 1
            if character == "*":
                parts.append(part)
                part = ""
            elif character == "\\":
                if self.at_end():
                    raise self.error("nothing follows the backslash", self.offset - 1)
                part += self.text[self.offset]
                self.offset += 1
            else:
                part += character
        if self.offset == start:
            raise self.error("a value is missing here", start)
        squeezed = [piece for position, piece in enumerate(parts) if piece or position == 0]
        return Literal((*squeezed, part), quoted=False, offset=start)

    def _quoted(self) -> str:
        start = self.offset
        self.offset += 1
        text = ""
        while not self.at_end():
            character = self.text[self.offset]
            self.offset += 1
            if character == '"':
                return text
            if character == "\\" and not self.at_end():
                character = self.text[self.offset]
                self.offset += 1
            text += character
        raise self.error("the quote is not closed", start)
