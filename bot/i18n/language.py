"""The language of the task at work, translation, dates, lists, plurals."""

from __future__ import annotations

import datetime as dt
import gettext as catalogues
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from babel.dates import format_date
from babel.lists import format_list
from babel.units import format_unit

from bot.clock import find_zone
from rules.engine.text import LANGUAGES

ENGLISH = "en"

_LOCALES = {"en": "en_GB", "pt": "pt_BR"}
"""Where a language is written in several ways, the one that the catalogue is written in."""

DOMAIN = "touchline"

CATALOGUE_FOLDER = Path(__file__).with_name("catalogues")

_current_language: ContextVar[str] = ContextVar("spoken", default=ENGLISH)


@contextmanager
def use_language(language: str) -> Iterator[None]:
    """Speak this language while the block runs; one that the bot does not know is English."""
    before = _current_language.set(find_language(language))
    try:
        yield
    finally:
        _current_language.reset(before)


def current_language() -> str:
    """The code of the language that is spoken now."""
    return _current_language.get()


def current_locale() -> str:
    """Babel's name for the language that is spoken: how dates, numbers and lists are written in it."""
    return _LOCALES.get(_current_language.get(), _current_language.get())


def find_language(tag: str) -> str:
    """The language of a tag such as `pt-BR`, where the bot speaks it; else English."""
    code = tag.replace("_", "-").split("-")[0].casefold()
    return code if code in LANGUAGES else ENGLISH


def translate(text: str) -> str:
    """The text in the language that is spoken now. It is imported as `_`."""
    return _load_catalogue(_current_language.get()).gettext(text)


def translate_plural(one: str, many: str, number: int) -> str:
    """The form that goes with a number. It is imported as `ngettext`."""
    return _load_catalogue(_current_language.get()).ngettext(one, many, number)


def translate_in_context(context: str, text: str) -> str:
    """A word that means several things, told apart by its context. It is imported as `pgettext`."""
    return _load_catalogue(_current_language.get()).pgettext(context, text)


def mark_for_translation(text: str) -> str:
    """The text itself, marked for the catalogues and looked up where it is used. It is imported as `N_`."""
    return text


def in_each_language(say: Callable[[], str]) -> dict[str, str]:
    """What is said, by language, for whoever will hear it later."""
    texts = {}
    for language in LANGUAGES:
        with use_language(language):
            texts[language] = say()
    return texts


@cache
def _load_catalogue(language: str) -> catalogues.NullTranslations:
    return catalogues.translation(DOMAIN, CATALOGUE_FOLDER, [language], fallback=True)


_CAPITALISED_NOUNS = frozenset({"de"})


def lower_first(words: str) -> str:
    """Words of a label as they stand inside of a sentence: `Goals` in lower case, `VAR checks` and every German noun as it is."""
    if current_language() in _CAPITALISED_NOUNS or words[1:2].isupper():
        return words
    return words[:1].lower() + words[1:]


def join_with_commas(words: Sequence[str]) -> str:
    """Things one after the other, as after a colon."""
    return ", ".join(words)


def join_sentence_list(words: Sequence[str]) -> str:
    """Things as a sentence names them: the last two are joined by an and."""
    return format_list(words, locale=current_locale())


def format_hours(number: int) -> str:
    """`3 hours`."""
    return format_unit(number, "duration-hour", locale=current_locale())


def to_local_time(instant: dt.datetime, timezone: str) -> dt.datetime:
    """An instant in a chat's time zone."""
    return instant.astimezone(find_zone(timezone))


def format_time(instant: dt.datetime, timezone: str) -> str:
    """`15:00`."""
    return f"{to_local_time(instant, timezone):%H:%M}"


def format_day_and_time(instant: dt.datetime, timezone: str) -> str:
    """`Sat 22 15:00`."""
    there = to_local_time(instant, timezone)
    return f"{format_date(there.date(), 'EEE d', locale=current_locale())} {there:%H:%M}"


def format_until(until: dt.datetime, now: dt.datetime, timezone: str) -> str:
    """`15:00`, or `Sat 22 15:00` if that is another day than today in the time zone."""
    is_today = to_local_time(until, timezone).date() == to_local_time(now, timezone).date()
    return format_time(until, timezone) if is_today else format_day_and_time(until, timezone)


def format_long_date(date: dt.date) -> str:
    """`Tuesday 22 November`."""
    return str(format_date(date, translate_in_context("a date in Babel's letters", "EEEE d MMMM"), locale=current_locale()))


def format_short_date(date: dt.date) -> str:
    """`22 November`."""
    return str(format_date(date, translate_in_context("a date in Babel's letters", "d MMMM"), locale=current_locale()))
