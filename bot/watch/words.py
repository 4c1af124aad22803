"""What admins read of a trouble: Telegram's HTML."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from bot.watch.troubles import Standing, Telling, What
from rules.template import escape

_NAMED = 5
"""Matches that are named; more are counted."""


def told(telling: Telling) -> str:
    """A telling as a message."""
    name = f"<b>{telling.name}</b>"
    if telling.what is What.OVER:
        return f"✅ {name} is over: it lasted {span(telling.until - telling.since)}, {_from_to(telling.since, telling.until)}."
    since = f", since {instant(telling.since)}" if telling.what is What.LASTS else ""
    return f"🛠 {name}{since}: {escape(telling.detail)}"


def standing_line(name: str, standing: Standing) -> str:
    """A trouble that lasts, in plain words."""
    return f"🛠 {name}, since {instant(standing.since)}: {standing.detail}"


def event(sentence: str) -> str:
    """Something that happened, and is no trouble that lasts."""
    return f"🛠 {escape(sentence)}"


def span(length: dt.timedelta) -> str:
    """A length of time, as exact as is of use."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"


def instant(at: dt.datetime) -> str:
    """An instant to the second."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _from_to(since: dt.datetime, until: dt.datetime) -> str:
    same_day = since.date() == until.date()
    return f"from {since:%H:%M:%S} to {until:%H:%M:%S} UTC" if same_day else f"from {instant(since)} to {instant(until)}"


def feed_down(titles: Sequence[str], connections: int) -> str:
    """Matches bring no frames."""
    named = ", ".join(titles[:_NAMED]) + (f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else "")
    return f"no frame for over a minute from {len(titles)} of {connections} connections: {named}. It is tried again all the time."


def feed_refused(reason: str) -> str:
    """The feed does not let us in."""
    return f"the feed refuses us: {reason}. Check feed.token; it is tried again every few minutes."


def fixtures_old(since: dt.datetime) -> str:
    """The fixtures cannot be read."""
    return f"the list of fixtures could not be read since {instant(since)}: matches that are new since then are not followed."


def telegram_refused() -> str:
    """The bot's token does not count any more."""
    return "Telegram refuses the bot token. Put the right one at telegram.token and start again; news waits meanwhile."


def telegram_away(since: dt.datetime) -> str:
    """Nothing gets through to Telegram."""
    return f"no request to Telegram gets through since {instant(since)}. News waits, and what gets too old is left out."


def text_refused(rule: str, reason: str) -> str:
    """Telegram takes an alert's text neither as HTML nor as plain words."""
    return f'Telegram refuses the text of the rule "{rule}" ({reason}): chats miss its alerts. Correct the rule\'s text.'


def database(sentence: str) -> str:
    """The database cannot be used."""
    return f"{sentence}."


def disk_low(free: int) -> str:
    """The disk is nearly full."""
    return f"only {free // 2**20} MiB are free where the database lies. Make room before it is full."


def clock_off(skew: float) -> str:
    """Our clock is wrong."""
    direction = "ahead of" if skew > 0 else "behind"
    return (
        f"this machine's clock is {abs(skew):.0f} s {direction} Telegram's: news seems older or newer than it is. Set it by NTP."
    )
