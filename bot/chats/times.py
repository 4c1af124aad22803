"""Instants as a chat reads them: in its time zone, in words."""

from __future__ import annotations

import datetime as dt

from babel.dates import format_date

from bot.languages.speaking import in_context as pgettext
from bot.languages.speaking import locale
from bot.store.quiet import zone


def local(instant: dt.datetime, timezone: str) -> dt.datetime:
    """An instant in a chat's time zone."""
    return instant.astimezone(zone(timezone))


def clock_time(instant: dt.datetime, timezone: str) -> str:
    """`15:00`."""
    return f"{local(instant, timezone):%H:%M}"


def short_instant(instant: dt.datetime, timezone: str) -> str:
    """`Sat 22 15:00`."""
    there = local(instant, timezone)
    return f"{format_date(there.date(), 'EEE d', locale=locale())} {there:%H:%M}"


def long_date(date: dt.date) -> str:
    """`Tuesday 22 November`."""
    return str(format_date(date, pgettext("a date in Babel's letters", "EEEE d MMMM"), locale=locale()))


def short_date(date: dt.date) -> str:
    """`22 November`."""
    return str(format_date(date, pgettext("a date in Babel's letters", "d MMMM"), locale=locale()))
