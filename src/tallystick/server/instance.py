"""One installation, open: its rooms in the order in which they stand on each other, closed the other way round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection

from tallystick import __version__
from tallystick.access.operator import OPERATOR
from tallystick.access.sources.service import SourceService
from tallystick.access.work_acts import work_act
from tallystick.api.failures import FAILURES
from tallystick.api.services import Authenticate, Services
from tallystick.clock import Clock, SystemClock
from tallystick.config import Settings
from tallystick.config.shown import show_settings
from tallystick.event.admission import Admission
from tallystick.event.occurred import time_of_us
from tallystick.evidence.backups import BackupRecorder
from tallystick.evidence.checkpoints import Checkpoints
from tallystick.evidence.log import LogPorts, LogService
from tallystick.exporting import EventFiles
from tallystick.follow.commands import Commands
from tallystick.follow.projection import Projection
from tallystick.follow.register import Register
from tallystick.follow.self_check import SelfCheck, segment_event
from tallystick.health import HealthService, Watched
from tallystick.intake.record import RecordService
from tallystick.ledger.genesis import PRODUCT_SCOPE
from tallystick.ledger.ledger import Ledger
from tallystick.note.vkey import parse_witness_vkey
from tallystick.segment.derived import check_segment
from tallystick.segment.manifest import SegmentEntry
from tallystick.segment.rederive import derived_files
from tallystick.server.access import open_access
from tallystick.server.duties import Duties, open_duties
from tallystick.server.ground import Ground, LedgerOpener, layout_of, open_ground, open_or_create, segments_of
from tallystick.server.product import ProductEvents
from tallystick.server.reading import open_reading, open_workers
from tallystick.server.registers import LEAVE_BYTES, open_registers
from tallystick.store.files import LocalDisk
from tallystick.work.exports import ExportJobs
from tallystick.work.ports import WorkPorts
from tallystick.work.room import open_work


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
    with ExitStack() as held:
        ground = open_ground(settings, opener or open_or_create(), clock or SystemClock(), held)
        projection, commands, now, product = ground.projection, ground.commands, ground.book.now_us, ground.product
        ledger, register = ground.ledger, ground.register
        workers = open_workers(ground, held)
        reading = held.enter_context(open_reading(ground))
        looked = reading.recorder.looked
        access = open_access(ground, reading.recorder, held)
        check = held.enter_context(SelfCheck(ledger, ground.segments, register, commands, ground.clock))
        checkpoints = held.enter_context(Checkpoints(ledger, layout_of(settings).cosigned))
        log_ports = LogPorts(register.class_names, register.quarantined, check.checked, looked, _witnesses(settings))
        log = LogService(ledger, ground.database, checkpoints, log_ports)
        work_ports = WorkPorts(
            EventFiles(reading.search, ledger, ground.clock),
            work_act,
            product.one,
            looked,
            settings.reserve_bytes + LEAVE_BYTES,
            partial(access.settings.count, "exports.kept_days"),
        )
        work = held.enter_context(open_work(projection, commands, now, settings.data / "exports", work_ports))
        registers = open_registers(ground, reading, access, held)
        duties = open_duties(ground, reading, access, work, workers, held)
        services = Services(
            ledger=ledger,
            record=RecordService(ground.admission, ledger.submit, ground.clock),
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
            settings=access.settings,
            views=work.views,
            exports=work.exports,
            releases=registers.releases,
            streams=registers.streaming.streams,
            gitlab=registers.streaming.gitlab,
            log=log,
            health=HealthService(_watched(ground, check, log, work.exports, duties), looked),
            configured=show_settings(settings),
            public_url=settings.public_url,
            policies=registers.policies,
            rules=duties.rules,
            alerts=duties.alerts,
            notify=duties.notify,
            detection=duties.detection,
            systems=duties.systems,
            reviews=duties.reviews,
            retention=duties.retention,
        )
        held.enter_context(BackupRecorder(settings.data, ledger.origin, product.one))
        yield Instance(
            settings, ledger, ground.admission, ground.key, projection, register, services, product, commands
        )


def _watched(ground: Ground, check: SelfCheck, log: LogService, exports: ExportJobs, duties: Duties) -> Watched:
    """Return what the health page looks at."""
    settings = ground.settings
    return Watched(
        log=ground.ledger,
        reserve_bytes=settings.reserve_bytes,
        witnesses=len(settings.witnesses),
        workers=settings.workers,
        tls_cert=settings.tls_cert,
        behind_proxy=settings.behind_proxy,
        database=ground.projection.engine.dialect.name,
        catch_up=ground.projection.catch_up,
        quarantined=ground.register.quarantined,
        checked=check.checked,
        backed_up_at=log.backed_up_at,
        failures=FAILURES.last_hour,
        exports_waiting=exports.waiting,
        duties=(duties.detection.check, duties.notify.check, duties.retention.check),
    )


def _witnesses(settings: Settings) -> tuple[tuple[str, str], ...]:
    return tuple((parse_witness_vkey(each.vkey).name, each.url) for each in settings.witnesses)
