"""How each destination does, as a Prometheus collector; they are told apart by id, which names nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tallystick.api.metrics import METRICS
from tallystick.stream.model import US, Destination, Standing, State

_PREFIX: Final = "tallystick_stream_"


class StreamMetrics(Collector):
    """The figures of one moment."""

    def __init__(self, standings: Sequence[tuple[Destination, Standing]], now: int) -> None:
        self._standings = standings
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        gauges = {name: GaugeMetricFamily(name, METRICS[name], labels=("stream",)) for name in _names()}
        for destination, standing in self._standings:
            position = standing.position
            figures = {
                "lag_events": standing.lag,
                "lag_seconds": standing.lag_s,
                "sent_events": position.sent,
                "failures": position.failures,
                "letters": standing.letters,
                "paused": int(destination.state is State.PAUSED),
            }
            if position.last_success:
                figures["last_success_age_seconds"] = max(0, self._now - position.last_success) / US
            for name, value in figures.items():
                gauges[_PREFIX + name].add_metric([destination.id], value)
        yield from gauges.values()


def _names() -> list[str]:
    return [name for name in METRICS if name.startswith(_PREFIX)]
