"""What is known -> a line for each thing that is not well, and since when. Pure; docs/operate/monitoring.md names every line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from bot.feed.standing import Status
from bot.watch.facts import Facts, Feed, Telegram, fixtures_old, last_good, quiet

PATIENCE = dt.timedelta(seconds=10)
"""So long requests may fail: the courier tries again within seconds."""


def unready(facts: Facts) -> tuple[str, ...]:
    """What is not well, a line each; none where all is."""
    if not facts.at_work:
        return (*_start(facts), *_database(facts))
    return (*_database(facts), *_telegram(facts.telegram, facts.now), *_feed(facts))


def _start(facts: Facts) -> Iterator[str]:
    yield f"start: Telegram has not let the bot in since {_iso(facts.started)}"


def _database(facts: Facts) -> Iterator[str]:
    if facts.database:
        yield f"database: cannot be used since {_iso(facts.database.since)}: {facts.database.sentence}"


def _telegram(telegram: Telegram, now: dt.datetime) -> Iterator[str]:
    if telegram.refused_since:
        yield f"telegram: the bot token is refused since {_iso(telegram.refused_since)}"
    if telegram.failing_since and now - telegram.failing_since > PATIENCE:
        yield f"telegram: no request got through since {_iso(telegram.failing_since)}"


def _feed(facts: Facts) -> Iterator[str]:
    if facts.feed is None:
        return
    if old := fixtures_old(facts.feed, facts.started, facts.now):
        yield f"feed: the fixtures could not be read since {_iso(old)}"
    yield from (_silent(status, facts.feed) for status in facts.feed.statuses if quiet(status, facts.now))


def _silent(status: Status, feed: Feed) -> str:
    title, at = feed.titles.get(status.fixture_id, ""), last_good(status)
    named = f"{status.fixture_id} ({title})" if title else status.fixture_id
    return f"feed: fixture {named} has had no frame since {_iso(at)}, {status.state.value}"


def _iso(instant: dt.datetime | None) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ") if instant else "the start"
