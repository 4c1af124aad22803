"""What is read off when somebody asks for /metrics: nothing counts it meanwhile. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import msgspec
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from bot.feed.session import State
from bot.outbox.depth import Depth
from bot.watch.facts import Facts, Feed
from bot.watch.troubles import TROUBLES


class Gauges(msgspec.Struct, frozen=True):
    """A reading. `depth` is None where the database could not be asked, `backlog` where this process sends nothing."""

    facts: Facts
    ready: bool
    rules: int
    lasting: Collection[str] = ()
    depth: Depth | None = None
    backlog: int | None = None

    def collect(self) -> Iterator[Metric]:
        """Everything as Prometheus' families."""
        facts, depth = self.facts, self.depth
        yield _one("touchline_ready", "1 while all is well, as /readyz says.", self.ready)
        yield _one("touchline_rules", "Rules in effect.", self.rules)
        yield _by("touchline_trouble", "1 while a trouble lasts that admins are told of.", "trouble", self._troubles())
        yield _one("touchline_database_up", "1 while the database can be used.", facts.database is None)
        if facts.feed:
            yield from _feed(facts.feed, facts)
        if facts.telegram.skew is not None:
            yield _one("touchline_clock_skew_seconds", "By how much our clock is ahead of Telegram's.", facts.telegram.skew)
        if depth:
            yield _one("touchline_outbox_waiting", "Entries that wait, those of suspended chats too.", depth.waiting)
            yield _one("touchline_outbox_due", "Entries of active chats that are due.", depth.due)
            yield _one("touchline_outbox_oldest_due_seconds", "For how long the oldest due entry is due.", depth.oldest)
            yield _one("touchline_outbox_spreading", "Revisions that have chats left to reach.", depth.spreading)
        if self.backlog is not None:
            yield _one(
                "touchline_courier_backlog", "Messages in the courier's memory, those on their way included.", self.backlog
            )
        if facts.disk_free is not None:
            yield _one("touchline_disk_free_bytes", "Room on the disk where the database lies.", facts.disk_free)

    def _troubles(self) -> dict[str, float]:
        return {name: float(name in self.lasting) for name in TROUBLES}


def _feed(feed: Feed, facts: Facts) -> Iterator[Metric]:
    states = Counter(status.state for status in feed.statuses)
    yield _by("touchline_connections", "Connections, by state.", "state", {state.value: float(states[state]) for state in State})
    yield _one("touchline_connections_planned", "Connections that will be opened before kick-off.", feed.planned)
    missing = sum(status.gaps for status in feed.statuses)
    yield _one("touchline_feed_missing_packets", "Numbers that never came, of the matches in play.", missing)
    yield _one("touchline_fixtures", "Fixtures known.", len(feed.titles))
    if feed.fixtures_at:
        age = (facts.now - feed.fixtures_at).total_seconds()
        yield _one("touchline_fixtures_age_seconds", "Since the fixtures were read last.", age)


def _one(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help_text, value=float(value))


def _by(name: str, help_text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, help_text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
