"""What is known -> the conditions that a person should know of, by the names of bot/watch/troubles.py. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from bot.watch import words
from bot.watch.facts import Facts, Feed, due, fixtures_old, quiet

DOWN = dt.timedelta(seconds=60)
"""Without a frame for so long a match is missed."""
MOST_SKEW = 5.0
"""Seconds that the clocks may differ: by a clock that is wrong, news is older or newer than it is."""
LEAST_FREE = 256 * 2**20
"""Bytes that the disk should have."""


def conditions(facts: Facts) -> dict[str, str]:
    """A sentence for each condition that holds."""
    return dict((*_feed(facts), *_telegram(facts), *_machine(facts)))


def _feed(facts: Facts) -> Iterator[tuple[str, str]]:
    if facts.feed is None:
        return
    refusals = [status.refusal for status in facts.feed.statuses if status.refusal and due(status, facts.now)]
    if refusals:
        yield "feed-refused", words.feed_refused(refusals[0])
    if down := _down(facts.feed, facts.now):
        yield "feed-down", words.feed_down(down, len(facts.feed.statuses))
    if old := fixtures_old(facts.feed, facts.started, facts.now):
        yield "fixtures-old", words.fixtures_old(old)


def _down(feed: Feed, now: dt.datetime) -> list[str]:
    """The titles of the matches that are missed; a refused token is a trouble of its own."""
    silent = [status for status in feed.statuses if not status.refusal and quiet(status, now, DOWN)]
    return [feed.titles.get(status.fixture_id) or status.fixture_id for status in silent]


def _telegram(facts: Facts) -> Iterator[tuple[str, str]]:
    if facts.telegram.refused_since:
        yield "telegram-refused", words.telegram_refused()
    elif facts.telegram.failing_since:
        yield "telegram-away", words.telegram_away(facts.telegram.failing_since)
    skew = facts.telegram.skew
    if skew is not None and abs(skew) > MOST_SKEW:
        yield "clock-off", words.clock_off(skew)


def _machine(facts: Facts) -> Iterator[tuple[str, str]]:
    if facts.database:
        yield _database(facts.database.sentence), words.database(facts.database.sentence)
    if facts.disk_free is not None and facts.disk_free < LEAST_FREE:
        yield "disk-low", words.disk_low(facts.disk_free)


def _database(sentence: str) -> str:
    """Which trouble the store's sentence tells of."""
    if "full" in sentence:
        return "database-full"
    return "database-read-only" if "read-only" in sentence else "database-away"
