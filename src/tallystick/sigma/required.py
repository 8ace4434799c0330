"""A text that stands in everything an expression finds: what makes a rule with an expression findable.

Read with care rather than skill. Only runs of plain characters outside groups count, and where there is anything else
than the constructs known here, the answer is that nothing is required.
"""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"""
      (?P<escape> \\[^A-Za-z0-9] )
    | (?P<class>  \\[dDwWsSbBAz] | \[\^?\]?(?: \\. | \[: [a-z]+ :\] | [^\]\\] )*\] | \. | \^ | \$ )
    | (?P<open>   \( (?: \?: )? )
    | (?P<close>  \) )
    | (?P<or>     \| )
    | (?P<more>   [*+?] \?? | \{[0-9,]+\} \?? )
    | (?P<plain>  [^\\()\[\]{}*+?|^$.] )
    """,
    re.VERBOSE | re.DOTALL,
)


def required_text(expression: str) -> str:
    """Return the longest such text, empty when there is none or it cannot be told."""
    runs, run, depth, at = [""], "", 0, 0
    while at < len(expression):
        found = _TOKEN.match(expression, at)
        if found is None:
            return ""
        at, kind, word = found.end(), found.lastgroup, found[0]
        if kind == "or" and depth == 0:
            return ""
        if kind in {"plain", "escape"} and depth == 0:
            run += word[-1]
            continue
        if kind == "more" and depth == 0 and word[0] != "+":
            run = run[:-1]
        depth += (kind == "open") - (kind == "close")
        runs.append(run)
        run = ""
    return max((*runs, run), key=len)
