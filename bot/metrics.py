"""The Prometheus metrics that are counted where things happen, and the text of /metrics.

Their names and labels are in dashboards and alert rules. Gauges that are read only when asked for are in `monitoring.gauges`.
"""

from __future__ import annotations

import platform
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    Info,
    Metric,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from bot.installation import find_version

# A line with its time of creation for each series would double the page.
disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry()

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

_LAG_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


class TallyCounter(Collector):
    """A counter with one label for what comes with every frame: plain numbers, which become a metric when they are read.

    The library's own takes a lock and three calls for each step. It is for several threads; frames are read by one.
    """

    def __init__(self, name: str, documentation: str, label: str) -> None:
        self._name, self._documentation, self._label = name, documentation, label
        self.counts: dict[str, int] = {}
        REGISTRY.register(self)

    def collect(self) -> Iterable[Metric]:
        family = CounterMetricFamily(self._name, self._documentation, labels=[self._label])
        for value, count in self.counts.items():
            family.add_metric([value], count)
        return (family,)


class TallyHistogram(Collector):
    """A histogram of plain numbers, for the same reason."""

    def __init__(self, name: str, documentation: str, buckets: tuple[float, ...]) -> None:
        self._name, self._documentation, self._buckets = name, documentation, buckets
        self._counts, self._sum = [0] * (len(buckets) + 1), 0.0
        REGISTRY.register(self)

    def observe(self, amount: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._buckets, amount)] += 1
        self._sum += amount

    def collect(self) -> Iterable[Metric]:
        bounds = [*map(floatToGoString, self._buckets), "+Inf"]
        counts = list(zip(bounds, accumulate(self._counts), strict=True))
        return (HistogramMetricFamily(self._name, self._documentation, buckets=counts, sum_value=self._sum),)


FRAMES = TallyCounter("touchline_frames", "Frames that came from the feed, by what they are.", "kind")

FRAMES_UNREADABLE = Counter("touchline_frames_unreadable", "Frames that cannot be used, by why.", ["kind"], registry=REGISTRY)

PACKETS = Counter("touchline_packets", "Packets taken from the feed, each once.", registry=REGISTRY)

UNKNOWN_VALUES = Counter(
    "touchline_unknown_names",
    "Packets with a value that is not known, by its field and name.",
    ["field", "name"],
    registry=REGISTRY,
)

FEED_LAG = TallyHistogram("touchline_feed_lag_seconds", "From a live packet's timestamp to its arrival.", _LAG_BUCKETS)

FEED_CONNECTED = Counter("touchline_feed_connected", "Connections that the feed let in.", registry=REGISTRY)

FEED_LOST = Counter("touchline_feed_lost", "Connections that were not made, or ended, by cause.", ["cause"], registry=REGISTRY)

RULES_FIRED = Counter("touchline_rule_fired", "Alerts that rules made, by rule.", ["rule"], registry=REGISTRY)

ALERTS = Counter("touchline_alerts", "Alerts that rules made, by kind and state.", ["kind", "state"], registry=REGISTRY)

DECISIONS = Counter("touchline_decisions", "What became of alerts in chats, by reason.", ["reason"], registry=REGISTRY)

DELIVERIES = Counter(
    "touchline_deliveries", "Alerts that Telegram took, by op, kind and reason.", ["op", "kind", "reason"], registry=REGISTRY
)

BOT_API_REQUESTS = Counter(
    "touchline_telegram_requests", "Requests of the sender and to admins, by op and answer.", ["op", "answer"], registry=REGISTRY
)

LEASE_CHANGES = Counter(
    "touchline_lease_changes",
    "Leases, most of them on matches, that this process acquired, lost or handed over, and processes that it found gone.",
    ["change"],
    registry=REGISTRY,
)

ALERT_STEP_SECONDS = Histogram(
    "touchline_step_seconds",
    "The way of an alert: frame to outbox, outbox to request, request to Telegram's answer.",
    ["step"],
    buckets=_SECONDS_BUCKETS,
    registry=REGISTRY,
)

ALERT_TOTAL_SECONDS = Histogram(
    "touchline_news_seconds", "From the frame to Telegram's answer.", buckets=_SECONDS_BUCKETS, registry=REGISTRY
)

CONFIG_RELOADS = Counter("touchline_reloads", "Changes of the configuration, by result.", ["result"], registry=REGISTRY)

ADMIN_MESSAGES = Counter("touchline_admin_messages", "Messages for the admins, by incident.", ["incident"], registry=REGISTRY)

BUILD_INFO = Info("touchline_build", "What is running.", registry=REGISTRY)


ProcessCollector(registry=REGISTRY)


def render_metrics(gauges: Iterable[Metric] = ()) -> bytes:
    """Return all metrics in Prometheus' text format, with gauges that were read for this page."""
    # A registry of its own for each page: REGISTRY holds what is counted, and a gauge that cannot be read now must be absent
    # and not show its last value.
    page = CollectorRegistry(auto_describe=False)
    page.register(_ReadGauges(gauges))
    return generate_latest(REGISTRY) + generate_latest(page)


class _ReadGauges(Collector):
    def __init__(self, gauges: Iterable[Metric]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[Metric]:
        return self._gauges


def sum_totals(counter: Counter, **labels: str) -> float:
    """Return the sum of a counter over its labels, or over those that have these values."""
    samples = (sample for metric in counter.collect() for sample in metric.samples if sample.name.endswith("_total"))
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def _initialise_metrics() -> None:
    """Let labels that are known beforehand begin at 0: Prometheus cannot compute a rate from the first value of a series."""
    BUILD_INFO.info({"version": find_version(), "python": platform.python_version()})
    for step in ("outbox", "request", "telegram"):
        ALERT_STEP_SECONDS.labels(step)
    for result in ("accepted", "refused"):
        CONFIG_RELOADS.labels(result)
    for change in ("acquired", "handed-over", "lost", "process-gone"):
        LEASE_CHANGES.labels(change)


_initialise_metrics()
