"""What the address of an events page asks, and the addresses of questions near it. The address is the whole state."""

from __future__ import annotations

from typing import Annotated, Any, Final
from urllib.parse import urlencode

import msgspec
from litestar.di import Provide
from litestar.params import QueryParameter

from tallystick.access.scopes import parse_scope
from tallystick.errors import InvalidInputError
from tallystick.query.errors import QueryError
from tallystick.query.model import Some
from tallystick.query.parser import parse_query
from tallystick.search.model import Search
from tallystick.web.events.columns import Column, parse_columns

EVENTS: Final = "/events"
#: The parameters of every route that asks such a question.
PARAMETERS: Final = ("q", "from", "to", "scope", "reading", "cols", "cursor", "live", "overview")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One question as its address has it; texts are kept as they were typed."""

    q: str = ""
    start: str = ""
    end: str = ""
    scope: str = ""
    reading: bool = False
    cols: str = ""
    cursor: str = ""
    live: bool = False
    overview: bool = False

    def search(self) -> Search:
        """Return the question for the service; raises ScopeInvalidError."""
        return Search(
            text=self.q,
            start=self.start.strip() or None,
            end=self.end.strip() or None,
            scope=parse_scope(self.scope.strip()) if self.scope.strip() else None,
            reading=self.reading,
        )

    def columns(self) -> tuple[Column, ...]:
        """Return the columns of the table, in order; raises ColumnUnknownError."""
        return parse_columns(self.cols)

    def first_page(self) -> Asked:
        """Return the same question at its beginning, following nothing live."""
        return msgspec.structs.replace(self, cursor="", live=False, overview=False)

    def link(self, path: str = EVENTS, **changes: Any) -> str:
        """Return the address of the same question with some parts changed. It begins at the first page, and follows
        nothing live, unless `changes` say so.
        """
        asked = msgspec.structs.replace(self, **{"cursor": "", "live": False, "overview": False, **changes})
        said = {
            "q": asked.q,
            "from": asked.start,
            "to": asked.end,
            "scope": asked.scope,
            "reading": "yes" if asked.reading else "",
            "cols": asked.cols,
            "cursor": asked.cursor,
            "live": "yes" if asked.live else "",
            "overview": "yes" if asked.overview else "",
        }
        query = urlencode({name: value for name, value in said.items() if value})
        return f"{path}?{query}" if query else path

    def narrowed(self, term: str) -> str:
        """Return the address of the question with one more term."""
        return self.link(q=add_term(self.q, term))

    @property
    def is_everything(self) -> bool:
        """Return whether nothing narrows the question."""
        return not (self.q.strip() or self.start.strip() or self.end.strip() or self.scope.strip())


def add_term(text: str, term: str) -> str:
    """Return a query with one more term, and what was there before as it was typed."""
    text = text.strip()
    if not text or text == "*":
        return term
    try:
        grouped = isinstance(parse_query(text, now_us=0), Some)
    except QueryError:
        grouped = True
    return f"({text}) {term}" if grouped else f"{text} {term}"


def opposite(term: str) -> str:
    """Return the term that excludes what another finds."""
    return term.removeprefix("-") if term.startswith("-") else f"-{term}"


class ChoiceInvalidError(InvalidInputError):
    """A parameter that is switched on has another value than `yes`."""

    code = "choice-invalid"
    advice = "Write `yes`, or leave the parameter out."


def read_asked(
    q: Annotated[str, QueryParameter(name="q", description="What to look for.")] = "",
    start: Annotated[str, QueryParameter(name="from", description="Earliest occurred_at.")] = "",
    end: Annotated[str, QueryParameter(name="to", description="Latest occurred_at.")] = "",
    below: Annotated[str, QueryParameter(name="scope", description="This scope and below.")] = "",
    reading: Annotated[str, QueryParameter(name="reading", description="Include readings.")] = "",
    cols: Annotated[str, QueryParameter(name="cols", description="Columns, in order.")] = "",
    cursor: Annotated[str, QueryParameter(name="cursor", description="Of a further page.")] = "",
    live: Annotated[str, QueryParameter(name="live", description="Follow new events.")] = "",
    overview: Annotated[str, QueryParameter(name="overview", description="Counts within the page.")] = "",
) -> Asked:
    """Return the question that the parameters ask."""
    return Asked(
        q=q,
        start=start,
        end=end,
        scope=below,
        reading=_is_on("reading", reading),
        cols=cols,
        cursor=cursor,
        live=_is_on("live", live),
        overview=_is_on("overview", overview),
    )


ASKED: Final = {"asked": Provide(read_asked, sync_to_thread=False)}


def _is_on(name: str, value: str) -> bool:
    if value not in {"", "yes"}:
        raise ChoiceInvalidError(f"the parameter {name!r} is {value[:40]!r}")
    return value == "yes"
