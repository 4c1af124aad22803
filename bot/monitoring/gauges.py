"""Collects the gauges of /metrics, which are read when somebody asks. What is counted as it happens is in `bot.metrics`."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from bot.feed.session import SessionState
from bot.monitoring.health import FeedHealth, ProcessHealth
from bot.monitoring.incidents import INCIDENT_POLICIES
from bot.outbox.depth import OutboxDepth


def collect_gauges(
    health: ProcessHealth,
    *,
    is_ready: bool,
    rules: int,
    open_incidents: Collection[str] = (),
    depth: OutboxDepth | None = None,
    backlog: int | None = None,
) -> Iterator[Metric]:
    """Yield the gauges as metric families of prometheus_client.

    `rules` is how many are in effect, `depth` is None if the database did not answer, `backlog` if this process sends nothing.
    """
    yield _make_gauge("touchline_ready", "1 while all is well, as /readyz says.", is_ready)
    yield _make_gauge("touchline_rules", "Rules in effect.", rules)
    yield _make_gauge("touchline_tasks", "Tasks of the event loop.", len(asyncio.all_tasks()))
    # Every name at every scrape, also at 0: an alert rule on a series that does not exist yet never fires.
    is_open = {name: float(name in open_incidents) for name in INCIDENT_POLICIES}
    yield _make_labelled_gauge("touchline_incident_open", "1 while an incident is open.", "incident", is_open)
    yield _make_gauge("touchline_database_up", "1 while the database can be used.", health.database is None)
    if health.feed:
        yield from _collect_feed_gauges(health.feed, health)
    # What is not known has no series. A zero would look like a measurement.
    if health.telegram.clock_skew is not None:
        skew = health.telegram.clock_skew
        yield _make_gauge("touchline_clock_skew_seconds", "By how much our clock is ahead of Telegram's.", skew)
    if depth:
        yield _make_gauge("touchline_outbox_waiting", "Deliveries that wait, those of suspended chats included.", depth.waiting)
        yield _make_gauge("touchline_outbox_due", "Deliveries of active chats that are due.", depth.due)
        yield _make_gauge(
            "touchline_outbox_oldest_due_seconds",
            "Age in seconds of the oldest due delivery or unfinished fan-out.",
            depth.oldest_seconds,
        )
        yield _make_gauge("touchline_outbox_fanouts", "Revisions whose fan-out has chats left to reach.", depth.unfinished_news)
    if backlog is not None:
        yield _make_gauge("touchline_sender_backlog", "Messages in the sender's memory, those in flight included.", backlog)
    if budget := health.paid_budget:
        yield _make_gauge("touchline_paid_messages_used", "Messages paid for today, in UTC, by all processes.", budget.use.used)
        if budget.limit is not None:
            limit = budget.limit
            yield _make_gauge("touchline_paid_messages_limit", "Messages that may be paid for in a day.", limit)
    if health.free_disk_bytes is not None:
        yield _make_gauge("touchline_disk_free_bytes", "Room on the disk where the database lies.", health.free_disk_bytes)


def _collect_feed_gauges(feed: FeedHealth, health: ProcessHealth) -> Iterator[Metric]:
    # All states, also those that no connection is in: a graph of a state that vanishes would have gaps.
    states = Counter(status.state for status in feed.connections)
    yield _make_labelled_gauge(
        "touchline_connections", "Connections, by state.", "state", {state.value: float(states[state]) for state in SessionState}
    )
    yield _make_gauge(
        "touchline_connections_planned", "Connections that will be opened before kick-off.", feed.planned_connections
    )
    yield _make_gauge("touchline_matches_due", "Matches that should be connected now, in any process.", feed.due_matches)
    yield _make_gauge("touchline_matches_held_back", "Matches not followed because limits.matches is reached.", feed.held_back)
    missing = sum(status.missing for status in feed.connections)
    yield _make_gauge("touchline_feed_missing_packets", "Sequence numbers missing in the streams of matches in play.", missing)
    yield _make_gauge("touchline_fixtures", "Fixtures known.", len(feed.titles))
    if feed.fixtures_read_at:
        age = (health.now - feed.fixtures_read_at).total_seconds()
        yield _make_gauge("touchline_fixtures_age_seconds", "Since the fixtures were read last.", age)


def _make_gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=float(value))


def _make_labelled_gauge(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
