"""Conditions that admins should know of: computed from the health, or reported by a part of the process."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

import structlog

from bot.clock import MAX_CLOCK_SKEW, Clock
from bot.cluster.roles import Role
from bot.monitoring.health import ROLE_ABSENCES, ROLE_GRACE, ProcessHealth, is_frame_expected, is_silent, outdated_fixtures_since
from bot.telegram.limits.paid_messages import FREE_MESSAGES_PER_SECOND, PAYMENT_PAUSE

# Six missed heartbeats. Reconnecting takes seconds, and a message to the admins at each would teach them to ignore it.
FEED_DOWN_AFTER = dt.timedelta(seconds=60)
"""How long a match may bring no frame before the feed counts as down."""

# Enough for SQLite's WAL of a busy evening: there is time to make room before writes fail.
MIN_FREE_DISK = 256 * 2**20
"""Bytes that should be free on the disk of the database."""


def find_conditions(health: ProcessHealth) -> dict[str, str]:
    """Return a sentence for each condition that holds, by its name in INCIDENT_POLICIES."""
    return dict((*_find_feed_conditions(health), *_find_telegram_conditions(health), *_find_machine_conditions(health)))


def _find_feed_conditions(health: ProcessHealth) -> Iterator[tuple[str, str]]:
    if health.feed is None:
        return
    refusals = [status.refusal for status in health.feed.connections if status.refusal and is_frame_expected(status, health.now)]
    if refusals:
        yield "feed-refused", describe_feed_refused(refusals[0])
    # Refused ones apart: they are silent for a reason that `feed-refused` gives.
    silent = [s for s in health.feed.connections if not s.refusal and is_silent(s, health.now, FEED_DOWN_AFTER)]
    # A frame counts as usable once its news is stored: without the database every feed looks silent.
    if silent and not health.is_database_in_the_way:
        titles = [health.feed.titles.get(status.fixture_id) or status.fixture_id for status in silent]
        failure = next((status.connect_failure for status in silent if status.connect_failure), "")
        yield "feed-down", describe_feed_down(titles, len(health.feed.connections), failure)
    if old := outdated_fixtures_since(health.feed, health.started_at, health.now):
        yield "fixtures-old", describe_fixtures_outdated(old, health.feed.fixtures_failure)
    if health.feed.fixtures_cut_at:
        yield "fixtures-cut", describe_fixtures_cut(health.feed.fixtures_cut_at)


def _find_telegram_conditions(health: ProcessHealth) -> Iterator[tuple[str, str]]:
    # Only one of the two: a refused token is answered, so Telegram is not away.
    if health.telegram.refused_since:
        yield "telegram-refused", describe_telegram_refused()
    elif health.telegram.failing_since:
        yield "telegram-away", describe_telegram_unreachable(health.telegram.failing_since, health.telegram.failure)
    if health.paid_budget and health.paid_budget.is_spent:
        yield "paid-messages-spent", describe_paid_messages_spent(health.paid_budget.limit)
    skew = health.telegram.clock_skew
    if skew is not None and abs(skew) > MAX_CLOCK_SKEW:
        yield "clock-off", describe_clock_skew(skew)


def _find_machine_conditions(health: ProcessHealth) -> Iterator[tuple[str, str]]:
    if health.database:
        yield name_database_condition(health.database.sentence), describe_database_problem(health.database.sentence)
    # Checked for each role: while processes are restarted one after the other, no role is without a process for long.
    missing = {role: since for role, since in health.missing_roles.items() if health.now - since > ROLE_GRACE}
    if missing:
        yield "role-missing", describe_missing_roles(missing)
    if health.free_disk_bytes is not None and health.free_disk_bytes < MIN_FREE_DISK:
        yield "disk-low", describe_disk_low(health.free_disk_bytes)


def name_database_condition(sentence: str) -> str:
    """Return the name of the condition for a failure of the database, given its sentence."""
    # Recognised by the words of `bot.storage.sqlite` and `bot.storage.postgres_errors`: a full disk needs another remedy than a
    # server that is away.
    # With what follows them: the words alone may be a part of a file's name.
    if "full; make room" in sentence:
        return "database-full"
    return "database-read-only" if "is read-only; " in sentence else "database-away"


log = structlog.get_logger()

# It has to end by itself: a corrected text is not noticed, since it is just a text that is not refused.
TEXT_REFUSED_DURATION = dt.timedelta(minutes=10)
"""How long a refused text counts as a condition: whether it is corrected shows only at its next alert."""

PAYMENT_REFUSED_DURATION = dt.timedelta(seconds=PAYMENT_PAUSE)
"""How long a refused payment counts as a condition: then one is tried again."""


class ReportedConditions:
    """The conditions that parts of the process report: sentences by their names in INCIDENT_POLICIES."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._conditions: dict[str, str] = {}
        self._until: dict[str, dt.datetime] = {}
        self.changed = asyncio.Event()
        """Set when a condition changes; the monitor then checks at once."""

    def list_current(self) -> dict[str, str]:
        """Return all conditions that hold, without those whose time is over."""
        # Ended when they are read: nothing else has to run for that.
        over = [name for name, until in self._until.items() if until <= self._clock.now()]
        for name in over:
            self.clear(name)
        return dict(self._conditions)

    def report(self, name: str, sentence: str, lasts: dt.timedelta | None = None) -> None:
        """Report that a condition holds, until it is cleared or for the duration `lasts`."""
        # An unchanged condition wakes nobody: some are reported with every failed request.
        if self._conditions.get(name) != sentence:
            self.changed.set()
        self._conditions[name] = sentence
        self._until.pop(name, None)
        if lasts is not None:
            self._until[name] = self._clock.now() + lasts

    def clear(self, name: str) -> None:
        """Report that a condition no longer holds."""
        if self._conditions.pop(name, None) is not None:
            self.changed.set()
        self._until.pop(name, None)

    async def on_feed_refused(self, reason: str) -> None:
        """The feed's REST API refuses the token."""
        # Once: every request is refused until the token is right.
        if "feed-refused" not in self._conditions:
            log.error("feed_refused", reason=reason)
        self.report("feed-refused", describe_feed_refused(reason))

    async def on_feed_accepted(self) -> None:
        """The feed's REST API accepts the token."""
        self.clear("feed-refused")

    async def on_change(self, _reason: str = "") -> None:
        """Ask for a check soon, because the state of a connection changed."""
        self.changed.set()

    def on_config_refused(self, sentence: str) -> None:
        """A changed configuration was refused."""
        self.report("rules-refused", sentence)

    def on_config_accepted(self) -> None:
        """A configuration was applied."""
        self.clear("rules-refused")

    def on_polling(self) -> None:
        """Updates arrive here: neither a second process nor a webhook takes them."""
        self.clear("second-process")
        self.clear("webhook-set")

    def on_request_refused(self, reason: str) -> None:
        """Telegram refused a message for a reason that is not understood, several times."""
        self.report("messages-refused", describe_request_refused(reason), TEXT_REFUSED_DURATION)

    def on_payment_refused(self, reason: str) -> None:
        """Telegram refused to be paid for a message, which leaves without payment."""
        self.report("payment-refused", describe_payment_refused(reason), PAYMENT_REFUSED_DURATION)

    def on_mass_refusal(self, reason: str, refused: int, tried: int) -> None:
        """Telegram refused too many chats at once for all of them to be gone."""
        self.report("chats-refused", describe_mass_refusal(reason, refused, tried), TEXT_REFUSED_DURATION)

    def on_damaged_rows(self, rows: Mapping[str, str]) -> None:
        """Rows of the database were met that cannot be read: where each is, and why."""
        self.report("rows-damaged", describe_damaged_rows(rows), TEXT_REFUSED_DURATION)

    def on_text_refused(self, rule: str, reason: str) -> None:
        """Telegram refused an alert both as HTML and as plain text."""
        self.report("texts-refused", describe_text_refused(rule, reason), TEXT_REFUSED_DURATION)


# The sentence is a message on a phone, and when the network fails every match is in it.
_MAX_NAMED_MATCHES = 5
"""Matches that are named in a sentence; further ones are only counted."""


_MAX_NAMED_ROWS = 3
"""Damaged rows that are named in a sentence; further ones are only counted."""


def format_utc(at: dt.datetime) -> str:
    """Format an instant to the second, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def describe_feed_down(titles: Sequence[str], connections: int, failure: str = "") -> str:
    """Describe matches without frames."""
    named = ", ".join(titles[:_MAX_NAMED_MATCHES]) + (
        f" and {len(titles) - _MAX_NAMED_MATCHES} more" if len(titles) > _MAX_NAMED_MATCHES else ""
    )
    why = f" The last attempt failed: {failure}." if failure else ""
    sentence = f"no frame for over a minute from {len(titles)} of {connections} connections: {named}."
    return f"{sentence}{why} It is tried again all the time."


def describe_feed_refused(reason: str) -> str:
    """Describe a refused feed token."""
    return f"the feed refuses us: {reason}. Check feed.token; it is tried again every few minutes."


def describe_fixtures_outdated(since: dt.datetime, failure: str = "") -> str:
    """Describe a list of fixtures that cannot be read, and why it could not be the last time."""
    why = f" ({failure})" if failure else ""
    sentence = f"the list of fixtures could not be read since {format_utc(since)}{why}"
    return f"{sentence}: matches that are new since then are not followed."


def describe_fixtures_cut(count: int) -> str:
    """Describe a list of fixtures that is too long to be read."""
    return f"the list of fixtures was read up to {count:,} and has more: the rest of its matches are not followed."


def describe_telegram_refused() -> str:
    """Describe a refused bot token."""
    return "Telegram refuses the bot token. Put the right one at telegram.token; news waits meanwhile."


def describe_telegram_unreachable(since: dt.datetime, reason: str = "") -> str:
    """Describe that no request reaches Telegram, and why the latest did not."""
    why = f" ({reason})" if reason else ""
    return f"no request to Telegram gets through since {format_utc(since)}{why}. News waits, and what gets too old is left out."


def describe_paid_messages_spent(limit: int | None) -> str:
    """Describe a budget of paid messages that today did not suffice."""
    return (
        f"the {limit or 0:,} paid messages of today are sent (telegram.paid_messages_per_day). Until 00:00 UTC messages leave at "
        f"Telegram's free rate of {FREE_MESSAGES_PER_SECOND} a second; nothing is lost, but alerts to many chats are late."
    )


def describe_payment_refused(reason: str) -> str:
    """Describe that Telegram cannot be paid."""
    return (
        f'Telegram cannot be paid for messages ("{reason}"): the bot most likely has too few Stars. Messages leave at '
        f"Telegram's free rate of {FREE_MESSAGES_PER_SECOND} a second; nothing is lost, but alerts to many chats are late. "
        "Payment is tried again every ten minutes."
    )


def describe_text_refused(rule: str, reason: str) -> str:
    """Describe a rule whose text Telegram refuses."""
    return f'Telegram refuses the text of the rule "{rule}" ({reason}): chats miss its alerts. Correct the rule\'s text.'


def describe_request_refused(reason: str) -> str:
    """Describe messages that Telegram refuses for a reason that is not understood."""
    return (
        f'Telegram refuses messages for a reason that Touchline does not know ("{reason}"), and they were given up after several '
        "attempts. Their text is most likely right. Look for these words in the log, and report them."
    )


def describe_mass_refusal(reason: str, refused: int, tried: int) -> str:
    """Describe that Telegram refuses too many chats at once."""
    return (
        f'Telegram refused {refused} of the {tried} chats that were tried within a minute ("{reason}"). So many are hardly gone '
        "at once, so none is suspended: each is tried again. If you run a Bot API server of your own, check its data."
    )


def describe_database_problem(sentence: str) -> str:
    """Describe a database that cannot be used."""
    return f"{sentence}."


def describe_damaged_rows(rows: Mapping[str, str]) -> str:
    """Describe rows of the database that cannot be read."""
    named = [f"{place} ({reason})" for place, reason in rows.items()][:_MAX_NAMED_ROWS]
    more = f" and {len(rows) - len(named)} more" if len(rows) > len(named) else ""
    return (
        f"the database has damaged rows: {'; '.join(named)}{more}. They are left out and everything else goes on. "
        "Check the disk, and restore your last backup between two matches."
    )


def describe_missing_roles(missing: Mapping[Role, dt.datetime]) -> str:
    """Describe roles that no process has."""
    absences = [f"{ROLE_ABSENCES[role]} since {format_utc(since)}" for role, since in sorted(missing.items())]
    commands = " and ".join(f"`touchline run --role {role}`" for role in sorted(missing))
    return f"{', '.join(absences)}: no living process has this role. Start {commands}."


def describe_disk_low(free: int) -> str:
    """Describe a disk that is nearly full."""
    return f"only {free // 2**20} MiB are free where the database lies. Make room before it is full."


def describe_clock_skew(skew: float) -> str:
    """Describe a wrong clock."""
    direction = "ahead of" if skew > 0 else "behind"
    return (
        f"this machine's clock is {abs(skew):.0f} s {direction} Telegram's: news seems older or newer than it is. Set it by NTP."
    )
