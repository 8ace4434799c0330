"""What a channel answers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """It was taken; `code` is the answer's, 0 where a channel does not tell."""

    code: int
    said: str = ""


class NotSentError(Exception):
    """It was not taken. `lasting` says that trying again will not help soon; `said` is in our own words."""

    def __init__(self, said: str, *, code: int = 0, lasting: bool = False) -> None:
        super().__init__(said)
        self.said = said
        self.code = code
        self.lasting = lasting
