"""Conditions a person should know of: measured, or reported by a part."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Sequence

import structlog

from bot.clock import Clock
from bot.monitoring.health import FeedHealth, ProcessHealth, is_frame_expected, is_silent, outdated_fixtures_since

FEED_DOWN_AFTER = dt.timedelta(seconds=60)
"""Without a frame for so long a match is missed."""

MAX_CLOCK_SKEW = 5.0
"""Seconds that the clocks may differ: by a clock that is wrong, news is older or newer than it is."""

MIN_FREE_DISK = 256 * 2**20
"""Bytes that the disk should have."""


def find_conditions(facts: ProcessHealth) -> dict[str, str]:
    """A sentence for each condition that holds."""
    return dict((*_find_feed_conditions(facts), *_find_telegram_conditions(facts), *_find_machine_conditions(facts)))


def _find_feed_conditions(facts: ProcessHealth) -> Iterator[tuple[str, str]]:
    if facts.feed is None:
        return
    refusals = [status.refusal for status in facts.feed.connections if status.refusal and is_frame_expected(status, facts.now)]
    if refusals:
        yield "feed-refused", describe_feed_refused(refusals[0])
    if down := _find_silent_matches(facts.feed, facts.now):
        yield "feed-down", describe_feed_down(down, len(facts.feed.connections))
    if old := outdated_fixtures_since(facts.feed, facts.started_at, facts.now):
        yield "fixtures-old", describe_fixtures_outdated(old)


def _find_silent_matches(feed: FeedHealth, now: dt.datetime) -> list[str]:
    """The titles of the matches that are missed; a refused token is a trouble of its own."""
    silent = [status for status in feed.connections if not status.refusal and is_silent(status, now, FEED_DOWN_AFTER)]
    return [feed.titles.get(status.fixture_id) or status.fixture_id for status in silent]


def _find_telegram_conditions(facts: ProcessHealth) -> Iterator[tuple[str, str]]:
    if facts.telegram.refused_since:
        yield "telegram-refused", describe_telegram_refused()
    elif facts.telegram.failing_since:
        yield "telegram-away", describe_telegram_unreachable(facts.telegram.failing_since)
    skew = facts.telegram.clock_skew
    if skew is not None and abs(skew) > MAX_CLOCK_SKEW:
        yield "clock-off", describe_clock_skew(skew)


def _find_machine_conditions(facts: ProcessHealth) -> Iterator[tuple[str, str]]:
    if facts.database:
        yield _name_database_condition(facts.database.sentence), describe_database_problem(facts.database.sentence)
    if facts.free_disk_bytes is not None and facts.free_disk_bytes < MIN_FREE_DISK:
        yield "disk-low", describe_disk_low(facts.free_disk_bytes)


def _name_database_condition(sentence: str) -> str:
    """Which trouble the store's sentence tells of."""
    if "full" in sentence:
        return "database-full"
    return "database-read-only" if "read-only" in sentence else "database-away"


log = structlog.get_logger()

TEXT_REFUSED_DURATION = dt.timedelta(minutes=10)
"""So long after a text was refused it is taken to be so still: only the next alert would tell."""


class ReportedConditions:
    """What is reported to hold now, a sentence by its name in bot/monitoring/incidents.py."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._conditions: dict[str, str] = {}
        self._until: dict[str, dt.datetime] = {}
        self.changed = asyncio.Event()
        """Set when something is other than before."""

    def list_current(self) -> dict[str, str]:
        """All that holds."""
        over = [name for name, until in self._until.items() if until <= self._clock.now()]
        for name in over:
            self.clear(name)
        return dict(self._conditions)

    def report(self, name: str, sentence: str, lasts: dt.timedelta | None = None) -> None:
        """A condition holds: until it ends, or for so long."""
        if self._conditions.get(name) != sentence:
            self.changed.set()
        self._conditions[name] = sentence
        self._until.pop(name, None)
        if lasts is not None:
            self._until[name] = self._clock.now() + lasts

    def clear(self, name: str) -> None:
        """A condition holds no longer."""
        if self._conditions.pop(name, None) is not None:
            self.changed.set()
        self._until.pop(name, None)

    async def on_feed_refused(self, reason: str) -> None:
        """The feed's REST side does not let us in."""
        if "feed-refused" not in self._conditions:
            log.error("feed_refused", reason=reason)
        self.report("feed-refused", describe_feed_refused(reason))

    async def on_feed_accepted(self) -> None:
        """The feed's REST side lets us in."""
        self.clear("feed-refused")

    async def on_change(self, _reason: str = "") -> None:
        """Something may be other than before, and will be found by a look."""
        self.changed.set()

    def on_config_refused(self, sentence: str) -> None:
        """A changed configuration is refused."""
        self.report("rules-refused", sentence)

    def on_config_accepted(self) -> None:
        """A configuration was taken over."""
        self.clear("rules-refused")

    def on_polling(self) -> None:
        """The updates of people come to us."""
        self.clear("second-process")
        self.clear("webhook-set")

    def on_text_refused(self, rule: str, reason: str) -> None:
        """Telegram takes an alert in no form."""
        self.report("texts-refused", describe_text_refused(rule, reason), TEXT_REFUSED_DURATION)


_MAX_NAMED_MATCHES = 5
"""Matches that are named; more are counted."""


def format_utc(at: dt.datetime) -> str:
    """An instant to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def describe_feed_down(titles: Sequence[str], connections: int) -> str:
    """Matches bring no frames."""
    named = ", ".join(titles[:_MAX_NAMED_MATCHES]) + (
        f" and {len(titles) - _MAX_NAMED_MATCHES} more" if len(titles) > _MAX_NAMED_MATCHES else ""
    )
    return f"no frame for over a minute from {len(titles)} of {connections} connections: {named}. It is tried again all the time."


def describe_feed_refused(reason: str) -> str:
    """The feed does not let us in."""
    return f"the feed refuses us: {reason}. Check feed.token; it is tried again every few minutes."


def describe_fixtures_outdated(since: dt.datetime) -> str:
    """The fixtures cannot be read."""
    return f"the list of fixtures could not be read since {format_utc(since)}: matches that are new since then are not followed."


def describe_telegram_refused() -> str:
    """The bot's token does not count any more."""
    return "Telegram refuses the bot token. Put the right one at telegram.token and start again; news waits meanwhile."


def describe_telegram_unreachable(since: dt.datetime) -> str:
    """Nothing gets through to Telegram."""
    return f"no request to Telegram gets through since {format_utc(since)}. News waits, and what gets too old is left out."


def describe_text_refused(rule: str, reason: str) -> str:
    """Telegram takes an alert's text neither as HTML nor as plain words."""
    return f'Telegram refuses the text of the rule "{rule}" ({reason}): chats miss its alerts. Correct the rule\'s text.'


def describe_database_problem(sentence: str) -> str:
    """The database cannot be used."""
    return f"{sentence}."


def describe_disk_low(free: int) -> str:
    """The disk is nearly full."""
    return f"only {free // 2**20} MiB are free where the database lies. Make room before it is full."


def describe_clock_skew(skew: float) -> str:
    """Our clock is wrong."""
    direction = "ahead of" if skew > 0 else "behind"
    return (
        f"this machine's clock is {abs(skew):.0f} s {direction} Telegram's: news seems older or newer than it is. Set it by NTP."
    )
