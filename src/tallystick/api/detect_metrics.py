"""How detection does, as a Prometheus collector; rules are told apart by id, which names nobody."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tallystick.api.metrics import METRICS
from tallystick.detect.standing import Standing, failed_of

_RULE_COUNTERS = ("seen", "matched", "fired", "dropped")


class DetectMetrics(Collector):
    """The figures of one moment."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def collect(self) -> Iterator[Metric]:
        standing = self._standing
        gauges = {
            "tallystick_detect_lag_events": standing.lag,
            "tallystick_detect_lag_seconds": standing.lag_s,
            "tallystick_detect_blocked": int(bool(standing.blocked)),
            "tallystick_detect_rules": len(standing.rules),
            "tallystick_detect_rules_suspended": len(failed_of(standing.rules)),
        }
        for name, value in gauges.items():
            yield GaugeMetricFamily(name, METRICS[name], value=value)
        for name, count in (("alarms", standing.alarms), ("erased_events", standing.erased)):
            full = f"tallystick_detect_{name}_total"
            yield CounterMetricFamily(full.removesuffix("_total"), METRICS[full], value=count)
        for name in _RULE_COUNTERS:
            full = f"tallystick_detect_rule_{name}_total"
            family = CounterMetricFamily(full.removesuffix("_total"), METRICS[full], labels=("rule",))
            for rule in standing.rules:
                family.add_metric([rule.id], getattr(rule, name))
            yield family
