"""Makes `docs/performance.md` from the answers in `bench/results` and the notes in `bench/notes.md`.

`python -m bench.report` writes the page again; what nobody measured says so. The figures themselves are never edited.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import measure

RESULTS = Path(__file__).parent / "results"
NOTES = Path(__file__).parent / "notes.md"
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
ORDER = (
    "ingest",
    "disk",
    "search",
    "verify",
    "restart",
    "memory",
    "scaling",
    "seal",
    "pages",
    "policies",
    "streams",
    "sigma",
    "detect",
    "retention",
)
NOT_MEASURED = "not measured"
INTRODUCTION = f"""`make bench` measures everything below and writes this page. Beside each figure stands the *yardstick*:
microseconds for one SHA-256 of 512 bytes from Python, taken right after the figure on the same machine. The bars are
stated for two cores without SHA extensions, where the yardstick is {measure.REFERENCE_US} us. Where it is lower, hashing
is cheaper and a bar is easier to reach; where it is higher, the machine was slower or busy."""
HIDDEN = ("figure", "yardstick_us")


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must reach: `path` leads to the number within the figure, `at_least` says which side is good."""

    about: str
    benchmark: str
    figure: str
    path: tuple[str, ...]
    limit: float
    unit: str
    events: int = 0
    at_least: bool = False

    def find(self, answers: dict[str, dict[str, Any]]) -> dict[str, Any] | None:
        """Return the figure that answers, or None when nobody measured it."""
        figures = answers.get(self.benchmark, {}).get("figures", [])
        return next((each for each in figures if each["figure"] == self.figure), None)

    def value(self, figure: dict[str, Any]) -> float:
        found: Any = figure
        for step in self.path:
            found = found[step]
        return float(found)

    def meets(self, value: float) -> bool:
        return value >= self.limit if self.at_least else value <= self.limit


MILLION = 1_000_000
NEWEST = "newest 100 with exact content"
OVERVIEW = "histogram and five facets"
BARS = (
    Bar("HTTP ingest, fsync before the answer, sealing keeping up", "ingest", "HTTP ingest, batches of 1,000", ("events_per_s_with_sealing_finished",), 45_000, "events/s", at_least=True),
    Bar("the same with `--workers 2`", "ingest", "HTTP ingest, batches of 1,000 --workers 2", ("events_per_s_with_sealing_finished",), 65_000, "events/s", at_least=True),
    Bar("single-event POST, 8 connections", "ingest", "single-event POST, 8 connections", ("events_per_s",), 2_000, "events/s", at_least=True),
    Bar("the same, slowest of a hundred", "ingest", "single-event POST, 8 connections", ("latency_ms", "p99"), 20, "ms p99"),
    Bar("disk, everything, random ids", "disk", "bytes an event on disk", ("bytes_per_event",), 240, "bytes/event"),
    Bar("newest 100 with exact content by actor, target, ip, action or scope", "search", f"{NEWEST}, all fields", ("ms", "p95"), 60, "ms p95", 10 * MILLION),
    Bar("histogram and five facets, unfiltered", "search", f"{OVERVIEW}, unfiltered", ("ms", "p95"), 100, "ms p95", 10 * MILLION),
    Bar("histogram and five facets, filtered", "search", f"{OVERVIEW}, filtered", ("ms", "p95"), 400, "ms p95", 10 * MILLION),
    Bar("histogram and five facets, reader of one scope", "search", f"{OVERVIEW}, reader of acme/group-7 only", ("ms", "p95"), 400, "ms p95", 10 * MILLION),
    Bar("a rare word", "search", "rare word: all kinds", ("ms", "p95"), 200, "ms p95", 10 * MILLION),
    Bar("full verify of a million events", "verify", "full verify, content to root", ("seconds_per_million",), 12, "s", MILLION),
    Bar("start after kill -9 with 250,000 unsealed events", "restart", "start after kill -9", ("seconds_until_ready",), 5, "s", 250_000),
    Bar("peak memory of all processes while ingesting", "memory", "peak memory of all processes while ingesting", ("memory_peak_mb",), 1_000, "MB", 10 * MILLION),
    Bar("cost of an event at N against N/10", "scaling", "cost of an event at N against N/10", ("cpu_ratio",), 1.25, "times", 10 * MILLION),
    Bar("searching while 10,000 events/s arrive, against idle", "scaling", "newest 100 over HTTP, at 10,000 events/s", ("p50_against_idle",), 2, "times"),
    Bar("events page with 100 rows, unfiltered", "pages", "events page with 100 rows, unfiltered", ("ms", "p95"), 150, "ms p95", 10 * MILLION),
    Bar("events page with 100 rows, reader of one scope", "pages", "events page with 100 rows, reader of acme/group-7 only", ("ms", "p95"), 150, "ms p95", 10 * MILLION),
    Bar("events page with its counts, style and script, compressed", "pages", "weight of the events page, compressed", ("everything_bytes",), 60_000, "bytes"),
    Bar("session and permissions on the events page", "pages", "what session and permissions add to the page, in process", ("added_percent",), 5, "%"),
    Bar("200 signed-in readers refreshing at once", "pages", "200 signed-in readers refreshing at once", ("ms", "p95"), 1_500, "ms p95"),
    Bar("searching while ingesting at full speed, against idle", "scaling", "newest 100 over HTTP, at full speed", ("p50_against_idle",), 2, "times"),
    Bar("what one destination takes of 5,000 events/s offered", "streams", "5,000 events/s with one destination", ("sent_per_s",), 4_900, "events/s", at_least=True),
    Bar("recording at full speed with one destination, against without", "streams", "recording with one destination", ("against_alone",), 0.85, "times", at_least=True),
    Bar("from the push of a changed policy to its event, slowest of ten", "policies", "from push to event", ("seconds", "max"), 10, "s"),
    Bar("1,000 policies over 200 scopes, one of them changed: from the look to the one event", "policies", "one changed policy", ("seconds", "max"), 5, "s"),
    Bar("60 indexed rules over cloud audit events, decoded and matched on one core", "sigma", "60 indexed rules", ("events_per_s",), 30_000, "events/s", at_least=True),
    Bar("300 mixed rules over the same", "sigma", "300 mixed rules", ("events_per_s",), 20_000, "events/s", at_least=True),
    Bar("3,000 rules, from text to ready", "sigma", "loading rules", ("seconds_until_ready",), 5, "s"),
    Bar("from an event to its alert at 5,000 events/s with 60 rules", "detect", "alarms at 5,000 events/s", ("latency_ms", "p99"), 2_000, "ms p99"),
    Bar("a class expires while people search: ten million in five minutes", "retention", "a whole class expires", ("events_per_second",), 33_334, "events/s", MILLION, at_least=True),
    Bar("only the personal part of a class expires, at the same pace", "retention", "only the personal part expires", ("events_per_second",), 33_334, "events/s", at_least=True),
)  # fmt: skip


def main() -> None:
    """Write the page."""
    PAGE.write_text(make_page(load(RESULTS)), encoding="utf-8")


def load(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the kept answers by benchmark."""
    files = sorted(folder.glob("*.json"))
    return {file.stem: json.loads(file.read_bytes()) for file in files}


def make_page(answers: dict[str, dict[str, Any]]) -> str:
    """Return the page in Markdown."""
    parts = [
        "# Performance",
        "<!-- Made by `python -m bench.report` from bench/results and bench/notes.md; edits are overwritten. -->",
        INTRODUCTION,
        "## Bars",
        "\n".join(_bar_rows(answers)),
        NOTES.read_text(encoding="utf-8").strip(),
        "## Where it was measured",
        "\n".join(_machine_rows(answers)),
        "## Every figure",
        *(_details(name, answers.get(name)) for name in ORDER),
    ]
    return "\n\n".join(parts) + "\n"


def _bar_rows(answers: dict[str, dict[str, Any]]) -> Iterable[str]:
    yield "| what | bar | figure | met | yardstick here, us | reference's, us |"
    yield "|---|---|---|---|---|---|"
    for bar in BARS:
        goal = f"{'>=' if bar.at_least else '<='} {bar.limit:,g} {bar.unit}"
        goal += f" at {bar.events:,} events" if bar.events else ""
        figure = bar.find(answers)
        if figure is None:
            yield f"| {bar.about} | {goal} | {NOT_MEASURED} | | | {measure.REFERENCE_US} |"
            continue
        value, events = bar.value(figure), figure.get("events", figure.get("unsealed", 0))
        smaller = bar.events and events < bar.events
        met = "yes" if bar.meets(value) else "**no**"
        met += f", but at {events:,} events only" if smaller else ""
        shown = f"{value:,.0f}" if value >= 1_000 else f"{value:,g}"
        yield f"| {bar.about} | {goal} | {shown} {bar.unit} | {met} | {figure['yardstick_us']} | {measure.REFERENCE_US} |"


def _machine_rows(answers: dict[str, dict[str, Any]]) -> Iterable[str]:
    if not answers:
        yield f"Nothing was measured yet: every figure is {NOT_MEASURED}."
        return
    yield "| benchmark | when | commit | processor | cores | SHA extensions | memory, GB | Python | packages |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for name in ORDER:
        if name not in answers:
            continue
        answer = answers[name]
        machine = answer["machine"]
        packages = ", ".join(f"{package} {version}" for package, version in machine["packages"].items())
        has_sha = "yes" if machine["sha_extensions"] else "no"
        yield (
            f"| {name} | {answer['when']} | {answer['commit']} | {machine['cpu']} | {machine['cores']} | {has_sha} "
            f"| {machine['memory_gb']} | {machine['python']} | {packages} |"
        )


def _details(name: str, answer: dict[str, Any] | None) -> str:
    if answer is None:
        return f"### {name}\n\n{NOT_MEASURED[0].upper()}{NOT_MEASURED[1:]}: `python -m bench.{name}`."
    rows = [f"### {name}", "", answer["question"], "", f"`{answer['command']}`", ""]
    rows += ["| figure | values | yardstick, us |", "|---|---|---|"]
    for figure in answer["figures"]:
        values = "; ".join(_shown(key, value) for key, value in figure.items() if key not in HIDDEN)
        rows.append(f"| {figure['figure']} | {values} | {figure['yardstick_us']} |")
    return "\n".join(rows)


def _shown(key: str, value: Any) -> str:
    name = key.replace("_", " ")
    if isinstance(value, dict):
        return f"{name}: " + ", ".join(f"{inner} {_number(each)}" for inner, each in value.items())
    return f"{name}: {_number(value)}"


def _number(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value).replace("|", "\\|")


if __name__ == "__main__":
    main()
