"""How notifications do, as a Prometheus collector."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tallystick.alert.notify.model import US
from tallystick.alert.notify.notifier import Standing
from tallystick.api.metrics import METRICS

_PREFIX: Final = "tallystick_notification_"


class NotifyMetrics(Collector):
    """The figures of one moment."""

    def __init__(self, standing: Standing, now: int) -> None:
        self._standing = standing
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        standing = self._standing
        oldest = standing.oldest_us
        figures = {
            "waiting": standing.waiting,
            "dead": standing.dead,
            "oldest_seconds": 0 if oldest is None else max(0, self._now - oldest) / US,
            "trouble": int(standing.trouble is not None),
        }
        for name, value in figures.items():
            yield GaugeMetricFamily(_PREFIX + name, METRICS[_PREFIX + name], value=value)
