"""The figures of syncing policies, as a Prometheus collector; they tell projects apart by state only."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from tallystick.api.metrics import METRICS
from tallystick.policies.figures import BOUNDS_S, Counted


class PolicyMetrics:
    """The figures of one moment; `states` counts policy projects by state."""

    def __init__(self, counted: Counted, states: Mapping[str, int]) -> None:
        self._counted = counted
        self._states = states

    def collect(self) -> Iterator[Metric]:
        counted = self._counted
        name = "tallystick_policy_sync_seconds"
        seconds = HistogramMetricFamily(name, METRICS[name])
        total, buckets = 0, []
        for bound in (*BOUNDS_S, float("inf")):
            total += counted.seconds.get(bound, 0)
            buckets.append(("+Inf" if bound == float("inf") else str(bound), total))
        seconds.add_metric([], buckets, counted.seconds_sum)
        yield seconds
        events = CounterMetricFamily(
            "tallystick_policy_events", METRICS["tallystick_policy_events_total"], labels=("action",)
        )
        for action, number in sorted(counted.events.items()):
            events.add_metric([action], number)
        yield events
        rejected = CounterMetricFamily("tallystick_policy_rejected", METRICS["tallystick_policy_rejected_total"])
        rejected.add_metric([], counted.rejections)
        yield rejected
        about = METRICS["tallystick_policy_sync_failures_total"]
        failures = CounterMetricFamily("tallystick_policy_sync_failures", about, labels=("reason",))
        for reason, number in sorted(counted.failures.items()):
            failures.add_metric([reason], number)
        yield failures
        projects = GaugeMetricFamily(
            "tallystick_policy_projects", METRICS["tallystick_policy_projects"], labels=("state",)
        )
        for state, number in sorted(self._states.items()):
            projects.add_metric([state], number)
        yield projects
