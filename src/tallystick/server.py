"""Puts everything together for one data directory; the only module that knows every room."""

from __future__ import annotations

import contextlib
import hmac
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import Connection
from sqlalchemy import Engine as Database

from tallystick import __version__
from tallystick.access.grants import handlers as grant_handlers
from tallystick.access.grants.history import History
from tallystick.access.grants.roles import RoleService
from tallystick.access.grants.service import GrantService
from tallystick.access.grants.upkeep import GrantUpkeep
from tallystick.access.model import Caller
from tallystick.access.operator import OPERATOR
from tallystick.access.people import handlers as people_handlers
from tallystick.access.people.book import Book
from tallystick.access.people.oidc_provider import Provider, ProviderSettings
from tallystick.access.people.policy import SignInPolicy
from tallystick.access.people.room import PeopleRoom, open_people
from tallystick.access.people.sessions import Limits
from tallystick.access.setting_acts import setting_changed
from tallystick.access.sources import handlers as source_handlers
from tallystick.access.sources.follower import SourceFollower
from tallystick.access.sources.model import Source
from tallystick.access.sources.ports import Counted, Standing
from tallystick.access.sources.rows import find_source
from tallystick.access.sources.service import SourceService
from tallystick.access.sources.tokens import TokenService
from tallystick.access.work_acts import work_act
from tallystick.api.failures import FAILURES
from tallystick.api.services import Authenticate, Services
from tallystick.clock import Clock, SystemClock
from tallystick.config import Settings, settings_for
from tallystick.config.shown import show_settings
from tallystick.errors import TallystickError
from tallystick.event.admission import Admission, Batch
from tallystick.event.canonical import canonical_json
from tallystick.event.catalogue import render_message
from tallystick.event.occurred import time_of_us
from tallystick.event.pseudonym import Pseudonyms
from tallystick.evidence import handlers as evidence_handlers
from tallystick.evidence.backups import BackupRecorder
from tallystick.evidence.checkpoints import Checkpoints
from tallystick.evidence.log import LogPorts, LogService
from tallystick.exporting import EventFiles
from tallystick.follow import handlers as log_handlers
from tallystick.follow.commands import Commands
from tallystick.follow.product_log import ProductEvent, product_events
from tallystick.follow.projection import Projection
from tallystick.follow.publish import catalogue_events
from tallystick.follow.register import Register
from tallystick.follow.self_check import SelfCheck, segment_event
from tallystick.health import HealthService, Watched
from tallystick.intake.record import RecordService
from tallystick.intake.workers import AdmissionWorkers, load_catalogue
from tallystick.ledger.errors import NoLedgerError
from tallystick.ledger.genesis import PRODUCT, PRODUCT_SCOPE, PRODUCT_SOURCE
from tallystick.ledger.keys import load_or_create_pseudonym_key
from tallystick.ledger.layout import Layout
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.opening import current_name
from tallystick.ledger.options import LedgerOptions, WitnessAddress
from tallystick.note.vkey import parse_witness_vkey
from tallystick.policies import open_policies
from tallystick.policies.handlers import HANDLERS as POLICY_HANDLERS
from tallystick.policies.ports import PolicyPorts
from tallystick.releases import handlers as release_handlers
from tallystick.releases import open_releases
from tallystick.releases.ports import ReleasePorts
from tallystick.search.ports import Append
from tallystick.search.recorder import ReadRecorder
from tallystick.search.service import SearchService
from tallystick.segment.derived import check_segment
from tallystick.segment.manifest import SegmentEntry
from tallystick.segment.rederive import derived_files
from tallystick.settings import SettingsService, Value
from tallystick.settings import handlers as setting_handlers
from tallystick.settings.model import reaches
from tallystick.settings.service import SettingsPorts
from tallystick.store.database import open_database
from tallystick.store.engine import Engine
from tallystick.store.files import LocalDisk
from tallystick.store.secrets import Secrets
from tallystick.stream import handlers as stream_handlers
from tallystick.stream.open import Log, open_streams
from tallystick.stream.ports import StreamPorts
from tallystick.work import handlers as work_handlers
from tallystick.work.exports import ExportJobs
from tallystick.work.ports import WorkPorts
from tallystick.work.room import open_work

#: Beyond the reserve of the ledger: exports stop before recording has to.
EXPORTS_LEAVE_BYTES = 256 << 20

__all__ = ["Instance", "open_instance", "settings_for"]

#: Everything that turns the product's events into tables, room by room.
HANDLERS = {
    **log_handlers.HANDLERS,
    **grant_handlers.HANDLERS,
    **people_handlers.HANDLERS,
    **source_handlers.HANDLERS,
    **setting_handlers.HANDLERS,
    **evidence_handlers.HANDLERS,
    **work_handlers.HANDLERS,
    **POLICY_HANDLERS,
    **stream_handlers.HANDLERS,
    **release_handlers.HANDLERS,
}
LedgerOpener = Callable[..., Ledger]


class ProductEvents:
    """Appends the product's own events: durable when a call returns."""

    def __init__(self, ledger: Ledger, admission: Admission, clock: Clock) -> None:
        self._ledger = ledger
        self._admission = admission
        self._clock = clock

    def admit(self, body: bytes, now_us: int) -> Batch:
        """Return a JSON array of events as a batch of source 0."""
        return self._admission.admit(body, PRODUCT, now_us=now_us)

    def one(self, fields: Mapping[str, Any]) -> None:
        """Append one event."""
        self._ledger.append(self._admission.admit_event(fields, PRODUCT, now_us=self._clock.now_us()), PRODUCT_SOURCE)

    def all(self, events: Sequence[Mapping[str, Any]]) -> None:
        """Append events in order, as one batch: all of them or none."""
        body = canonical_json([dict(event) for event in events])
        self._ledger.append(self.admit(body, self._clock.now_us()), PRODUCT_SOURCE)


@dataclass(frozen=True, slots=True)
class Instance:
    """One installation, open: the writer lock is held until `open_instance` is left."""

    settings: Settings
    ledger: Ledger
    admission: Admission
    pseudonym_key: bytes
    projection: Projection
    register: Register
    services: Services
    product: ProductEvents
    commands: Commands

    def note(self, action: str, **metadata: Any) -> None:
        """Write down an event of the program's own life; durable on return."""
        status = self.ledger.status()
        self.product.one(
            {
                "action": action,
                "actor": {"id": "tallystick", "type": "system"},
                "target": {"type": "ledger", "id": status.origin},
                "scope": PRODUCT_SCOPE,
                "occurred_at": time_of_us(status.now),
                "metadata": {"version": __version__, "size": status.acknowledged.size, **metadata},
            }
        )

    def rebuild(self) -> dict[str, int]:
        """Make everything derived again: tables from the log, columns and summaries from the content.

        Returns how many of each there are now. A segment that had been set aside and is whole now is readmitted. Raises
        SegmentCorruptError for content that cannot be read: that is not derived, and no rebuild brings it back.
        """
        size = self.projection.rebuild()
        segments = self.ledger.snapshot().segments
        root, set_aside = segments_of(self.settings), self.register.quarantined()
        for entry in segments:
            try:
                LocalDisk().put_all(derived_files(root / entry.path))
                check_segment(root, entry)
            except FileNotFoundError:
                if not self.is_listed(entry):
                    continue  # merged meanwhile, which makes the derived files anew
                raise
            if entry.path in set_aside:
                event = segment_event("segment.readmitted", entry, self.ledger.status().now)
                self.commands.run(partial(_return_one, event))
        services = self.services
        counts = {"sources": len(services.sources.list(OPERATOR)), "tokens": len(services.tokens.list(OPERATOR))}
        return {"log size": size, "segments": len(segments), **counts}

    def is_listed(self, entry: SegmentEntry) -> bool:
        """Return whether the manifest names a segment now."""
        return any(each.path == entry.path for each in self.ledger.snapshot().segments)


def _return_one(event: Mapping[str, Any], _: Connection) -> list[Mapping[str, Any]]:
    return [event]


@contextmanager
def open_instance(
    settings: Settings,
    *,
    opener: LedgerOpener | None = None,
    clock: Clock | None = None,
    authenticate: Callable[[SourceService], Authenticate] | None = None,
    draining: Callable[[], bool] = lambda: False,
) -> Iterator[Instance]:
    """Yield the installation in `settings.data`, made when it is new, and close it in order afterwards.

    `opener` replaces opening, for what a person must decide (`ledger.lineage`); `authenticate` replaces tokens, for a
    command that works on the directory itself. Raises LedgerLockedError while another process holds the directory, and
    what `Ledger.open` raises.
    """
    clock = clock or SystemClock()
    with ExitStack() as held:
        _prepare_directories(settings)
        key = load_or_create_pseudonym_key(settings.data)
        pseudonyms = Pseudonyms(key)
        catalogue = load_catalogue(settings.catalogue_files)
        admission = Admission(catalogue, pseudonyms, settings.limits)
        ledger = held.enter_context(
            contextlib.closing(_open_ledger(settings, admission, opener or open_or_create(), clock))
        )
        database = _open_database(settings, key)
        held.callback(database.dispose)
        projection = _projection(ledger, database, settings)
        projection.start()
        product = ProductEvents(ledger, admission, clock)
        commands = Commands(projection, product.all)
        register = Register(projection, catalogue, pseudonyms)
        commands.run(lambda _: catalogue_events(register.published(), catalogue, time_of_us(clock.now_us())))
        secrets = held.enter_context(contextlib.closing(Secrets(settings.data / "secrets.db")))

        workers = _workers(settings, key, held)
        reading = held.enter_context(_open_reading(settings, ledger, register, product.one, key, clock))
        book = _book(ledger, projection, commands, secrets, clock, key)
        follower = held.enter_context(
            SourceFollower(ledger.snapshot, ledger.origin, segments_of(settings), settings.data, book.now_us)
        )
        read = partial(_read_product, ledger, segments_of(settings))
        setting_ports = SettingsPorts(
            setting_changed,
            reading.recorder.looked,
            lambda caller: _require_fresh(access.room, caller),
            partial(_objection, settings),
        )
        kept = SettingsService(projection, commands, book.now_us, setting_ports)
        provider = _provider(settings, clock, held)
        access: _Access = _open_access(book, reading.recorder, read, follower, kept, provider, settings.public_url)
        held.callback(access.room.close)
        check = held.enter_context(SelfCheck(ledger, segments_of(settings), register, commands, clock))
        checkpoints = held.enter_context(Checkpoints(ledger, _layout(settings).cosigned))
        log_ports = LogPorts(
            register.class_names, register.quarantined, check.checked, reading.recorder.looked, _witnesses(settings)
        )
        log = LogService(ledger, database, checkpoints, log_ports)
        work_ports = WorkPorts(
            EventFiles(reading.search, ledger, clock),
            work_act,
            product.one,
            reading.recorder.looked,
            settings.reserve_bytes + EXPORTS_LEAVE_BYTES,
            partial(kept.count, "exports.kept_days"),
        )
        work = held.enter_context(open_work(projection, commands, book.now_us, settings.data / "exports", work_ports))
        watched = _watched(settings, ledger, projection, register, check, log, work.exports)
        release_ports = ReleasePorts(
            search=reading.search,
            ledger=ledger,
            message=partial(_message, register),
            now_us=book.now_us,
            folder=settings.data / "objects",
            room_bytes=settings.reserve_bytes + EXPORTS_LEAVE_BYTES,
        )
        policy_ports = PolicyPorts(
            reading.recorder.looked, lambda scope: reaches(kept.get("security_policy_events"), scope), book.now_us
        )
        policies = held.enter_context(
            open_policies(projection, commands, clock, settings.data / "policies", policy_ports)
        )
        streaming = held.enter_context(
            open_streams(
                projection,
                commands,
                secrets,
                register,
                Log(ledger.origin, ledger.snapshot, segments_of(settings), settings.data),
                StreamPorts(
                    product.one,
                    reading.recorder.looked,
                    lambda caller: _require_fresh(access.room, caller),
                    book.now_us,
                    settings.stream_networks,
                    partial(_find_source, projection),
                    access.grants.lasting,
                ),
            )
        )
        services = Services(
            ledger=ledger,
            record=RecordService(admission, ledger.submit, clock),
            workers=workers,
            search=reading.search,
            recorder=reading.recorder,
            sources=access.sources,
            tokens=access.tokens,
            roles=access.roles,
            grants=access.grants,
            people=access.room.people,
            account=access.room.account,
            signin=access.room.signin,
            sessions=access.room.sessions,
            setup=access.room.setup,
            oidc=access.room.oidc,
            authenticate=authenticate(access.sources) if authenticate else access.tokens.authenticate,
            draining=draining,
            settings=kept,
            views=work.views,
            exports=work.exports,
            releases=open_releases(projection, commands, release_ports),
            streams=streaming.streams,
            gitlab=streaming.gitlab,
            log=log,
            health=HealthService(watched, reading.recorder.looked),
            configured=show_settings(settings),
            public_url=settings.public_url,
            policies=policies,
        )
        held.enter_context(GrantUpkeep(access.grants))
        held.enter_context(BackupRecorder(settings.data, ledger.origin, product.one))
        yield Instance(settings, ledger, admission, key, projection, register, services, product, commands)


def _find_source(projection: Projection, name: str) -> Source | None:
    with projection.engine.connect() as connection:
        return find_source(connection, name)


def _message(register: Register, index: int, event: Mapping[str, Any]) -> str:
    """Return the message of an event, by the catalogue as it stood at its index."""
    return render_message(register.catalogue_at(index).get(event["action"]), event)


def _watched(
    settings: Settings,
    ledger: Ledger,
    projection: Projection,
    register: Register,
    check: SelfCheck,
    log: LogService,
    exports: ExportJobs,
) -> Watched:
    """Return what the health page looks at."""
    return Watched(
        log=ledger,
        reserve_bytes=settings.reserve_bytes,
        witnesses=len(settings.witnesses),
        workers=settings.workers,
        tls_cert=settings.tls_cert,
        behind_proxy=settings.behind_proxy,
        database=projection.engine.dialect.name,
        catch_up=projection.catch_up,
        quarantined=register.quarantined,
        checked=check.checked,
        backed_up_at=log.backed_up_at,
        failures=FAILURES.last_hour,
        exports_waiting=exports.waiting,
    )


def _witnesses(settings: Settings) -> tuple[tuple[str, str], ...]:
    return tuple((parse_witness_vkey(each.vkey).name, each.url) for each in settings.witnesses)


def _session_limits(kept: SettingsService) -> Limits:
    """Return how long sessions last, as the settings have it now."""
    return Limits(
        absolute_s=kept.count("session.absolute_hours") * 3600,
        idle_s=kept.count("session.idle_minutes") * 60,
        fresh_s=kept.count("session.fresh_minutes") * 60,
    )


def _require_fresh(room: PeopleRoom, caller: Caller) -> None:
    """Ask who comes with a session to prove again who they are; a token has nothing to prove it with."""
    if caller.session is not None:
        room.sessions.require_fresh(caller)


def _objection(settings: Settings, name: str, value: Value) -> str | None:
    """Return what speaks against a setting as this installation stands."""
    if name == "sign_in.local" and value is False and settings.oidc is None:
        return "it cannot be off while no identity provider is configured: nobody could sign in"
    return None


def _sign_in_policy(kept: SettingsService, provider: Provider | None) -> SignInPolicy:
    """Return which ways lead in, as the settings have it now; without a provider passwords always do."""
    return SignInPolicy(
        local=lambda: provider is None or kept.switch("sign_in.local"),
        domains=partial(kept.names, "sign_in.domains"),
    )


def _open_database(settings: Settings, key: bytes) -> Database:
    url = None if settings.database is None else settings.database.url
    installation = hmac.digest(key, b"tallystick installation 1", "sha256").hex()
    return open_database(settings.data / "tallystick.db", url, installation)


def _prepare_directories(settings: Settings) -> None:
    for directory in (settings.data, settings.state):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_mode & 0o077:
            directory.chmod(0o700)  # made by somebody else, and open to others


def open_or_create(origin: str | None = None) -> LedgerOpener:
    """Return an opener that makes the ledger, called `origin`, where there is none."""

    def open_ledger(data: Path, state: Path, **others: Any) -> Ledger:
        try:
            return Ledger.open(data, state, **others)
        except NoLedgerError:
            return Ledger.create(data, state, origin=origin, **others)

    return open_ledger


def _open_ledger(settings: Settings, admission: Admission, opener: LedgerOpener, clock: Clock) -> Ledger:
    def admit(body: bytes, now_us: int) -> Batch:
        return admission.admit(body, PRODUCT, now_us=now_us)

    witnesses = tuple(WitnessAddress(each.url, each.vkey) for each in settings.witnesses)
    options = LedgerOptions(witnesses=witnesses, reserve_bytes=settings.reserve_bytes)
    return opener(settings.data, settings.state, admission=admit, clock=clock, options=options)


def segments_of(settings: Settings) -> Path:
    """Return the folder of the segments of the ledger that a data directory writes to now."""
    return _layout(settings).segments


def _layout(settings: Settings) -> Layout:
    return Layout(settings.data, settings.state, current_name(LocalDisk(), settings.data))


def _projection(ledger: Ledger, database: Database, settings: Settings) -> Projection:
    segments = segments_of(settings)
    return Projection(
        database,
        ledger.origin,
        HANDLERS,
        read=partial(_read_product, ledger, segments),
        size=lambda: ledger.snapshot().size,
    )


def _read_product(ledger: Ledger, segments: Path, first: int) -> Iterator[ProductEvent]:
    return product_events(ledger.snapshot(), segments, first)


def _book(
    ledger: Ledger, projection: Projection, commands: Commands, secrets: Secrets, clock: Clock, key: bytes
) -> Book:
    people_key = hmac.digest(key, b"tallystick people 1", "sha256")
    return Book(projection, commands, secrets, clock, lambda: ledger.status().acknowledged.at, people_key)


def _provider(settings: Settings, clock: Clock, held: ExitStack) -> Provider | None:
    if settings.oidc is None:
        return None
    told = settings.oidc
    known = ProviderSettings(told.issuer, told.client_id, told.client_secret, told.scopes, told.groups_claim, told.name)
    return held.enter_context(contextlib.closing(Provider(known, clock)))


@dataclass(frozen=True, slots=True)
class _Access:
    """Who may do what, room by room."""

    sources: SourceService
    tokens: TokenService
    roles: RoleService
    grants: GrantService
    room: PeopleRoom


def _open_access(
    book: Book,
    recorder: ReadRecorder,
    read: Callable[[int], Iterator[ProductEvent]],
    follower: Counted,
    kept: SettingsService,
    provider: Provider | None,
    public_url: str | None,
) -> _Access:
    """Put the rooms of access together: what a person may do comes from grants, what a leaver loses from every room."""
    projection, commands, now = book.projection, book.commands, book.now_us
    roles = RoleService(projection, commands, now, recorder)
    roles.publish_built_in()
    grants = GrantService(
        projection, commands, now, recorder, History(HANDLERS, read), partial(kept.count, "break_glass.minutes")
    )

    def standing_of(person: str, now_us: int, /) -> Standing | None:
        found = room.sessions.standing(person, now_us)
        return None if found is None else Standing(found.name, found.rights, found.aliases)

    tokens = TokenService(projection, commands, book.secrets, now, standing_of, grants.lasting)
    endings = (tokens.revocations, grants.leaving_events)
    limits = partial(_session_limits, kept)
    room = open_people(
        book,
        grants.rights_of,
        grants.bootstrap_events,
        recorder,
        endings,
        grants.exceeding_events,
        limits,
        provider,
        public_url,
        _sign_in_policy(kept, provider),
    )
    return _Access(SourceService(projection, commands, now, follower), tokens, roles, grants, room)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Search over the ledger, and the record of it."""

    search: SearchService
    recorder: ReadRecorder


@contextmanager
def _open_reading(
    settings: Settings,
    ledger: Ledger,
    register: Register,
    append: Append,
    key: bytes,
    clock: Clock,
) -> Iterator[_Reading]:
    segments, spill = segments_of(settings), settings.data / "tmp"
    shutil.rmtree(spill, ignore_errors=True)
    spill.mkdir(mode=0o700)
    recorder = ReadRecorder(append, clock, ledger.origin)
    cursor_key = hmac.digest(key, b"tallystick cursors 1", "sha256")
    with contextlib.closing(Engine([segments], spill)) as engine:
        search = SearchService(ledger, segments, register, recorder, clock, cursor_key=cursor_key, engine=engine)
        yield _Reading(search, recorder)
        try:
            recorder.flush(everything=True)
        except TallystickError as error:
            # Only counts of repeats are lost: each first reading is on record.
            structlog.get_logger("tallystick.server").error("repeats not recorded", code=error.code)


def _workers(settings: Settings, key: bytes, held: ExitStack) -> AdmissionWorkers | None:
    if not settings.workers:
        return None
    workers = AdmissionWorkers(settings.workers, key, settings.catalogue_files, settings.limits)
    held.callback(workers.close)
    return workers
