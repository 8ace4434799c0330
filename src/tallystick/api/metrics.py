"""The product's own figures, in the Prometheus text format. `METRICS` is what the reference page is made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tallystick.access.sources.figures import Figures
from tallystick.access.sources.model import Source
from tallystick.ledger.model import LedgerStatus

_US: Final = 1_000_000
SOURCES_MAX: Final = 1000
STAGES: Final = ("acknowledged", "committed", "witnessed", "sealed")
METRICS: Final = {
    "tallystick_ledger_size": "Events below which each stage is done: acknowledged, committed, witnessed, sealed.",
    "tallystick_ledger_age_seconds": "Seconds since each stage last advanced.",
    "tallystick_ledger_queue_batches": "Batches waiting for the disk.",
    "tallystick_ledger_queue_bytes": "Bytes waiting for the disk.",
    "tallystick_ledger_sync_seconds": "How long the last sync of the write-ahead log took.",
    "tallystick_ledger_unsealed_files": "Write-ahead log files that are not segments yet.",
    "tallystick_ledger_unsealed_bytes": "Bytes of the write-ahead log that are not segments yet.",
    "tallystick_ledger_disk_free_bytes": "Free space on the data disk.",
    "tallystick_ledger_clock_behind_seconds": "How far the clock stands behind the newest event's received_at.",
    "tallystick_ledger_read_only": "1 while the ledger takes no events.",
    "tallystick_ledger_trouble": "1 for each stage that is being retried.",
    "tallystick_source_events": "Events of each source, by its number.",
    "tallystick_source_last_event_age_seconds": "Seconds since the last event of each source that ever sent.",
    "tallystick_source_silent": "1 for each source that has sent nothing for longer than is expected of it.",
    "tallystick_source_skew_seconds": "How long after occurred_at the newest events were received, by quantile.",
    "tallystick_source_missing": "Numbers of the source's own counters that never came.",
    "tallystick_policy_sync_seconds": "Time from looking at a policy repository to its changes being on record.",
    "tallystick_policy_events_total": "Events of security policies that were recorded, by action.",
    "tallystick_policy_rejected_total": "Versions of policies that could not be accepted.",
    "tallystick_policy_sync_failures_total": "Looks at policy repositories that failed, by reason.",
    "tallystick_policy_projects": "Policy projects, by state.",
    "tallystick_stream_lag_events": "Events of the log that a destination was not sent yet, or not judged for it.",
    "tallystick_stream_lag_seconds": "Age of the oldest of these.",
    "tallystick_stream_sent_events": "Events that a destination took since it was set up, repeats included.",
    "tallystick_stream_failures": "Requests to a destination that failed since it was set up.",
    "tallystick_stream_letters": "Events that a destination refused again and again, and that are set aside.",
    "tallystick_stream_paused": "1 for each destination that is paused.",
    "tallystick_stream_last_success_age_seconds": "Seconds since a destination last took an event.",
    "tallystick_detect_lag_events": "Events of the log that detection has not judged yet.",
    "tallystick_detect_lag_seconds": "Age of the oldest of these.",
    "tallystick_detect_blocked": "1 while detection stands still.",
    "tallystick_detect_rules": "Detection rules in force.",
    "tallystick_detect_rules_suspended": "Those of them that failed and judge nothing.",
    "tallystick_detect_alarms_total": "Alarms that were raised.",
    "tallystick_detect_erased_events_total": "Events that were passed over because their content was erased.",
    "tallystick_detect_rule_seen_total": "Events of the logsource of a rule.",
    "tallystick_detect_rule_matched_total": "Events that a rule, or what it is made of, matched.",
    "tallystick_detect_rule_fired_total": "Firings of a rule, those that were folded included.",
    "tallystick_detect_rule_dropped_total": "Groups, values and matches that a rule forgot because there were too many.",
    "tallystick_notification_waiting": "Notifications of alerts that are to be sent.",
    "tallystick_notification_dead": "Notifications that could not be delivered and were given up.",
    "tallystick_notification_oldest_seconds": "Age of the oldest notification that is to be sent.",
    "tallystick_notification_trouble": "1 while the notifier itself does not go on.",
    "tallystick_http_requests_total": "Requests answered, by route and status.",
    "tallystick_http_request_seconds": "Time from request to answer, by route.",
}

REGISTRY: Final = CollectorRegistry()
REQUESTS: Final = Counter(
    "tallystick_http_requests", METRICS["tallystick_http_requests_total"], ("route", "status"), registry=REGISTRY
)
SECONDS: Final = Histogram(
    "tallystick_http_request_seconds", METRICS["tallystick_http_request_seconds"], ("route",), registry=REGISTRY
)


def render_metrics(status: LedgerStatus, sources: Sequence[tuple[Source, Figures]], *collectors: Collector) -> bytes:
    """Return all figures as they stand now, with those of further rooms."""
    registry = CollectorRegistry()
    for each in collectors:
        registry.register(each)
    registry.register(_Ledger(status))
    registry.register(_Sources(sources, status.now))
    return generate_latest(registry) + generate_latest(REGISTRY)


class _Ledger:
    """The ledger's figures of one moment, as a Prometheus collector."""

    def __init__(self, status: LedgerStatus) -> None:
        self._status = status

    def collect(self) -> Iterator[GaugeMetricFamily]:
        status = self._status
        sizes, ages = _gauge("tallystick_ledger_size", "stage"), _gauge("tallystick_ledger_age_seconds", "stage")
        for stage in STAGES:
            progress = getattr(status, stage)
            sizes.add_metric([stage], progress.size)
            ages.add_metric([stage], max(0, status.now - progress.at) / _US)
        yield sizes
        yield ages
        trouble = _gauge("tallystick_ledger_trouble", "stage")
        for stage in status.trouble:
            trouble.add_metric([stage], 1)
        yield trouble
        for name, value in (
            ("queue_batches", status.waiting_batches),
            ("queue_bytes", status.waiting_bytes),
            ("sync_seconds", status.sync_last_us / _US),
            ("unsealed_files", status.unsealed_files),
            ("unsealed_bytes", status.unsealed_bytes),
            ("disk_free_bytes", status.free_bytes),
            ("clock_behind_seconds", status.clock_behind_us / _US),
            ("read_only", int(status.read_only is not None)),
        ):
            if value is not None:
                gauge = _gauge(f"tallystick_ledger_{name}")
                gauge.add_metric([], value)
                yield gauge


class _Sources:
    """How each sender does, as a Prometheus collector; they are told apart by number, which names nobody."""

    def __init__(self, sources: Sequence[tuple[Source, Figures]], now: int) -> None:
        self._sources = sources[:SOURCES_MAX]
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        events, age = (
            _gauge("tallystick_source_events", "source"),
            _gauge("tallystick_source_last_event_age_seconds", "source"),
        )
        silent, missing = _gauge("tallystick_source_silent", "source"), _gauge("tallystick_source_missing", "source")
        skew = _gauge("tallystick_source_skew_seconds", "source", "quantile")
        for source, figures in self._sources:
            label = str(source.number)
            events.add_metric([label], figures.total)
            missing.add_metric([label], figures.missing)
            silent.add_metric([label], int(figures.state(source, self._now) == "silent"))
            if figures.last_at is not None:
                age.add_metric([label], max(0, self._now - figures.last_at) / _US)
            for quantile, value in (("0.5", figures.skew_median_us), ("0.95", figures.skew_p95_us)):
                if value is not None:
                    skew.add_metric([label, quantile], value / _US)
        yield from (events, age, silent, missing, skew)


def _gauge(name: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, METRICS[name], labels=labels)
