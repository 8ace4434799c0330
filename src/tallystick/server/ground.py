"""What every room stands on: the ledger, the tables that follow it, and the ways to write to both."""

from __future__ import annotations

import contextlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Engine as Database

from tallystick.access.people.book import Book
from tallystick.clock import Clock
from tallystick.config import Settings
from tallystick.event.admission import Admission, Batch
from tallystick.event.occurred import time_of_us
from tallystick.event.pseudonym import Pseudonyms
from tallystick.follow.commands import Commands
from tallystick.follow.product_log import ProductEvent, product_events
from tallystick.follow.projection import Projection
from tallystick.follow.publish import catalogue_events
from tallystick.follow.register import Register
from tallystick.intake.workers import load_catalogue
from tallystick.ledger.errors import NoLedgerError
from tallystick.ledger.genesis import PRODUCT
from tallystick.ledger.keys import load_or_create_pseudonym_key
from tallystick.ledger.layout import Layout
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.opening import current_name
from tallystick.ledger.options import LedgerOptions, WitnessAddress
from tallystick.server.handlers import HANDLERS
from tallystick.server.product import ProductEvents
from tallystick.store.database import open_database
from tallystick.store.files import LocalDisk
from tallystick.store.secrets import Secrets

LedgerOpener = Callable[..., Ledger]


@dataclass(frozen=True, slots=True)
class Ground:
    """Open for as long as what it was entered into; `key` is the installation's pseudonym key."""

    settings: Settings
    clock: Clock
    key: bytes
    admission: Admission
    ledger: Ledger
    database: Database
    projection: Projection
    product: ProductEvents
    commands: Commands
    register: Register
    secrets: Secrets
    book: Book

    @property
    def segments(self) -> Path:
        """Return the folder of the segments."""
        return segments_of(self.settings)

    def read_product(self, first: int) -> Iterator[ProductEvent]:
        """Return the product's own events from an index on."""
        return product_events(self.ledger.snapshot(), self.segments, first)


def open_ground(settings: Settings, opener: LedgerOpener, clock: Clock, held: ExitStack) -> Ground:
    """Return the ground of an installation, entered into `held`, its tables up to date with the log."""
    _prepare_directories(settings)
    key = load_or_create_pseudonym_key(settings.data)
    pseudonyms = Pseudonyms(key)
    catalogue = load_catalogue(settings.catalogue_files)
    admission = Admission(catalogue, pseudonyms, settings.limits)
    ledger = held.enter_context(contextlib.closing(_open_ledger(settings, admission, opener, clock)))
    database = _open_database(settings, key)
    held.callback(database.dispose)
    projection = Projection(
        database,
        ledger.origin,
        HANDLERS,
        read=partial(_read_product, ledger, segments_of(settings)),
        size=lambda: ledger.snapshot().size,
    )
    projection.start()
    product = ProductEvents(ledger, admission, clock)
    commands = Commands(projection, product.all)
    register = Register(projection, catalogue, pseudonyms)
    commands.run(lambda _: catalogue_events(register.published(), catalogue, time_of_us(clock.now_us())))
    secrets = held.enter_context(contextlib.closing(Secrets(settings.data / "secrets.db")))
    people_key = hmac.digest(key, b"tallystick people 1", "sha256")
    book = Book(projection, commands, secrets, clock, lambda: ledger.status().acknowledged.at, people_key)
    return Ground(
        settings, clock, key, admission, ledger, database, projection, product, commands, register, secrets, book
    )


def open_or_create(origin: str | None = None) -> LedgerOpener:
    """Return an opener that makes the ledger, called `origin`, where there is none."""

    def open_ledger(data: Path, state: Path, **others: Any) -> Ledger:
        try:
            return Ledger.open(data, state, **others)
        except NoLedgerError:
            return Ledger.create(data, state, origin=origin, **others)

    return open_ledger


def segments_of(settings: Settings) -> Path:
    """Return the folder of the segments of the ledger that a data directory writes to now."""
    return layout_of(settings).segments


def layout_of(settings: Settings) -> Layout:
    """Return where the files of that ledger are."""
    return Layout(settings.data, settings.state, current_name(LocalDisk(), settings.data))


def _prepare_directories(settings: Settings) -> None:
    for directory in (settings.data, settings.state):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_mode & 0o077:
            directory.chmod(0o700)  # made by somebody else, and open to others


def _open_ledger(settings: Settings, admission: Admission, opener: LedgerOpener, clock: Clock) -> Ledger:
    def admit(body: bytes, now_us: int) -> Batch:
        return admission.admit(body, PRODUCT, now_us=now_us)

    witnesses = tuple(WitnessAddress(each.url, each.vkey) for each in settings.witnesses)
    options = LedgerOptions(witnesses=witnesses, reserve_bytes=settings.reserve_bytes)
    return opener(settings.data, settings.state, admission=admit, clock=clock, options=options)


def _open_database(settings: Settings, key: bytes) -> Database:
    url = None if settings.database is None else settings.database.url
    installation = hmac.digest(key, b"tallystick installation 1", "sha256").hex()
    return open_database(settings.data / "tallystick.db", url, installation)


def _read_product(ledger: Ledger, segments: Path, first: int) -> Iterator[ProductEvent]:
    return product_events(ledger.snapshot(), segments, first)
