"""Writes `docs/how-tampering-shows.md` from the attacks that the tamper suite runs: `python -m tests.tamper_page`."""

from __future__ import annotations

from itertools import groupby

from tallystick.verify.codes import MEANING, Code

from .paths import ROOT
from .tamper_attacks import ATTACKS, Attack

PAGE = ROOT / "docs" / "how-tampering-shows.md"

INTRODUCTION = """# How tampering shows

Somebody has root on the server: every file, the running program, and the key that signs checkpoints. This page lists what such a
person can do to a log and who notices. It is generated from the attacks that the test suite carries out on real data directories
(`tests/tamper_attacks.py`), and every cell is asserted there, so it cannot promise more than `tallystick verify` does.

Four readers run `tallystick verify` on the same directory:

- **alone**: with nothing from outside. What such a reader can be told at best is *self-consistent*.
- **`--against`**: with checkpoints that somebody kept where the server cannot write. At best *anchored*, up to their size.
- **witness**: with a `--policy` that names a witness, somebody else's machine that refuses to sign two histories. At best *witnessed*,
  up to the newest cosigned checkpoint.
- a **pinned key** (`--key`) lets a reader tell this log from another of the same name; it does not tell two histories signed with
  that key apart.

A cell names the first finding; "holds" means that this reader cannot know, and is told no more than the tier says. Where the ledger
alone shows an attack, every other reader sees it too. The forgeries are made as well as they can be made: whatever is derived is
derived again, so that an attack is caught for what it is and not for what was forgotten.

**"The ledger alone" is not protection against root.** Whoever holds the signing key can follow any of those attacks by rewriting
everything from the first entry on, and then has made one of the forgeries further down, which only something from outside shows.
"""

END = """## Duties

Rules, alerts, exceptions, declarations, retention and reviews are events like any other: what is done to them afterwards is one of the attacks above. Beyond these:

- **An absence is explained or found.** `verify` applies the [rule of erasure](format/erasure.md) to each: retention in force, holds, two people. It lists every erasure with what it accounts for.
- **A review that is handed out** as a package says what the log held at its size. Rows left out or put in, another sample, marks taken away and another review's events are found (`review-wrong`, `package-wrong`; planted in
  `tests/integration/test_reviews_files.py`). Events that its maker may not see are left out, and counted.
- **A list of alerts for an auditor** is held against the events of the log, and names those that are missing.
- **A detection that was kept from seeing** is not a finding: whoever writes the engine's own files (`followers/detect.db`, `followers/notify.db`) can make it forget. The events are there all the same, a backtest finds what should have
  fired, and the weekly review and its random sample look without it.

## What no verifier can show

Events younger than the last checkpoint that somebody outside holds, events that were never sent, and reading. Senders narrow the first
two by keeping the receipt of what they sent (index and leaf) and by numbering their events (`sequence`). The age of the last outside
checkpoint is a metric and stands in every report as the number of entries that are only self-consistent.
"""


def page() -> str:
    """Return the whole page."""
    caught = dict.fromkeys(("the ledger alone", "something from outside", "nobody"), 0)
    for attack in ATTACKS:
        word = attack.caught_by if attack.caught_by in caught else "something from outside"
        caught[word] += 1
    counted = (
        f"Of {len(ATTACKS)} attacks, {caught['the ledger alone']} are caught by the ledger alone, "
        f"{caught['something from outside']} only with something from outside, {caught['nobody']} by nobody.\n"
    )
    parts = [INTRODUCTION, counted]
    for group, attacks in groupby(ATTACKS, key=lambda attack: attack.group):
        parts.append(_table(group, list(attacks)))
    return "\n".join([*parts, END, _findings()])


def _table(group: str, attacks: list[Attack]) -> str:
    lines = [f"## {group}", "", "| attack | alone | `--against` | witness | caught by |", "|---|---|---|---|---|"]
    notes = []
    for attack in attacks:
        if attack.alone:
            cells = [_cell(attack.alone), "as alone", "as alone"]
        else:
            cells = [
                "holds: self-consistent",
                _cell(attack.against, "holds: anchored"),
                _cell(attack.witness, "holds: witnessed"),
            ]
        mark = ""
        if attack.note:
            notes.append(attack.note)
            mark = f" ({len(notes)})"
        lines.append(f"| {attack.what}{mark} | {' | '.join(cells)} | {attack.caught_by} |")
    if notes:
        lines += ["", *(f"{number}. {note}" for number, note in enumerate(notes, 1))]
    return "\n".join([*lines, ""])


def _cell(code: Code | None, otherwise: str = "") -> str:
    return f"[`{code}`](#findings)" if code else otherwise


def _findings() -> str:
    lines = [
        "## Findings",
        "",
        "Every finding that `verify` can name, and what it means.",
        "",
        "| finding | means |",
        "|---|---|",
    ]
    return "\n".join([*lines, *(f"| `{code}` | {MEANING[code]} |" for code in Code), ""])


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
