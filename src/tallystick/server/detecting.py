"""The register of detection rules with what it needs of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tallystick.access.sources.rows import all_sources
from tallystick.alert.ports import Card
from tallystick.detect.looking import read_version
from tallystick.detect.ports import RegisterPorts, RuleFigures
from tallystick.detect.room import Known, RuleRoom, open_rules
from tallystick.detect.subject import Subject, subject_of
from tallystick.event.disclosure import Disclosure
from tallystick.follow.kept import Kept
from tallystick.follow.log_reader import LogReader
from tallystick.server.ground import Ground
from tallystick.server.reading import Reading

_UNKNOWN = ("unknown", "unknown")
Figures = Callable[[], dict[str, RuleFigures]]


def open_rule_room(ground: Ground, reading: Reading, figures: Figures) -> RuleRoom:
    """Return the room; `figures` says what the rules in force did."""
    ports = RegisterPorts(reading.recorder.looked, ground.book.now_us, figures, reading.search)
    sources: Kept[None, dict[int, tuple[str, str]]] = Kept(
        ground.projection,
        lambda connection, _: {each.number: (each.name, each.settings.kind) for each in all_sources(connection)},
    )
    subject = partial(_subject, ground, lambda number: sources.get(None).get(number, _UNKNOWN))
    reader = LogReader(ground.ledger.snapshot, ground.segments, ground.register.quarantined)
    known = Known(
        newest=partial(_newest, reader, subject),
        subject=subject,
        size=lambda: reader.size,
        kinds=lambda: {kind for _, kind in sources.get(None).values()},
    )
    return open_rules(ground.projection, ground.commands, ground.clock, ports, known)


def card_of(room: RuleRoom, kind: str, version: str | None) -> Card | None:
    """Return what a rule says about itself, for who handles its alert; None for what no rule raised."""
    found = room.reading.written(kind, version)
    file = None if found is None else read_version(found)
    if found is None or file is None:
        return None
    head = file.main.head
    return Card(
        title=file.title,
        version=found.digest,
        description=head.description.strip(),
        runbook=file.runbook,
        threshold=file.threshold,
        response=file.response,
        owner=file.owner,
        author=head.author,
        licence=head.license,
    )


def _subject(ground: Ground, source: Callable[[int], tuple[str, str]], row: Disclosure) -> Subject | None:
    return subject_of(row, source, partial(_category, ground))


def _category(ground: Ground, action: str) -> str | None:
    found = ground.admission.catalogue.get(action)
    return None if found is None else found.category


def _newest(reader: LogReader, subject: Callable[[Disclosure], Subject | None], count: int) -> Iterator[Subject]:
    for rows, _ in reader.chunks(max(0, reader.size - count), None):
        for row in rows:
            made = subject(row)
            if made is not None:
                yield made
