"""The current language, and translation, plurals, lists, dates and times in it.

The language is a context variable: each asyncio task has its own, and a thread has none.
"""

from __future__ import annotations

import datetime as dt
import gettext as catalogues
from collections.abc import Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from functools import cache, lru_cache
from pathlib import Path

from bot.i18n.typography import set_french_typography
from bot.time_zones import find_zone
from rules.engine.text import LANGUAGES

ENGLISH = "en"

REGIONAL_LANGUAGES = {"es-419": "Español latino", "pt-PT": "Português europeu"}
"""Regional forms of a language: by tag, what each calls itself. Their catalogues have only the texts that differ."""

CHOICES = LANGUAGES | REGIONAL_LANGUAGES
"""Every language that a chat may choose. Rules' own texts and Telegram's menus have no regional forms: they use `LANGUAGES`."""

# Babel's plain "en" writes dates as in the United States: Nov 22, 2026.
LOCALES = {"en": "en_GB", "pt": "pt_BR", "es-419": "es_419", "pt-PT": "pt_PT"}
"""Babel's locale where it is not the language code: the variant that the catalogue is written in."""

_SPANISH_OF_SPAIN = frozenset({"es", "gq", "ph", "ea", "ic"})
"""Regions whose Spanish is that of Spain; every other is a country of America, or 419 for all of them."""

_PORTUGUESE_OF_BRAZIL = frozenset({"br"})

DOMAIN = "touchline"

CATALOGUE_FOLDER = Path(__file__).with_name("catalogues")

_current_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


class use_language:  # noqa: N801  # it is called like a function
    """Make this the current language while the block runs. An unsupported language becomes English."""

    # A class, since a generator takes several times as long, and this runs for every message.
    __slots__ = ("_language", "_token")

    def __init__(self, language: str) -> None:
        self._language = find_language(language)

    def __enter__(self) -> None:
        # A token restores the language from before: blocks may be nested, as when an alert is rendered in every language.
        self._token = _current_language.set(self._language)

    def __exit__(self, *_: object) -> None:
        _current_language.reset(self._token)


def current_language() -> str:
    """Return the code of the current language."""
    return _current_language.get()


def current_locale() -> str:
    """Return Babel's locale for the current language, for dates, numbers and lists."""
    return LOCALES.get(_current_language.get(), _current_language.get())


def base_language(code: str) -> str:
    """Return the language that a regional form belongs to: `es` for `es-419`, and `es` for itself."""
    return code.partition("-")[0]


@lru_cache(maxsize=1024)
def find_language(tag: str) -> str:
    """Return the supported language for a tag such as `de-AT` or `pt-PT`, otherwise English."""
    code, _hyphen, region = tag.replace("_", "-").casefold().partition("-")
    if code == "es" and region and region not in _SPANISH_OF_SPAIN:
        return "es-419"
    if code == "pt" and region and region not in _PORTUGUESE_OF_BRAZIL:
        return "pt-PT"
    return code if code in LANGUAGES else ENGLISH


def choose_text(texts: Mapping[str, str]) -> str:
    """Return the text for the current language, or for the language that it is a regional form of; empty if there is none."""
    language = _current_language.get()
    return texts.get(language) or texts.get(base_language(language)) or ""


def translate(text: str) -> str:
    """Translate a text into the current language. Imported as `_`."""
    return _set_typography(_load_catalogue(_current_language.get()).gettext(text))


def translate_plural(one: str, many: str, number: int) -> str:
    """Translate a text into the plural form for a number. Imported as `ngettext`."""
    return _set_typography(_load_catalogue(_current_language.get()).ngettext(one, many, number))


def translate_in_context(context: str, text: str) -> str:
    """Translate a text that has several meanings; `context` says which. Imported as `pgettext`."""
    return _set_typography(_load_catalogue(_current_language.get()).pgettext(context, text))


def _set_typography(text: str) -> str:
    # Here and not in the catalogue, where nobody sees which space or apostrophe a translator typed.
    return set_french_typography(text) if _current_language.get() == "fr" else text


def mark_for_translation(text: str) -> str:
    """Return the text itself. Marks it for extraction; it is translated where it is used. Imported as `N_`."""
    return text


def in_each_language(render: Callable[[], str], languages: Collection[str] = CHOICES) -> dict[str, str]:
    """Call `render` once in each language, and return the results by language: for readers who are not known yet.

    `languages` are those of the readers, where they are known.
    """
    texts: dict[str, str] = {}
    for language in filter(languages.__contains__, CHOICES):
        with use_language(language):
            text = render()
        # Most texts of a region are those of its language, and are found under it.
        if text != texts.get(base_language(language)):
            texts[language] = text
    return texts


# Read once: a catalogue is looked at for every text of every message. Without a compiled file, texts stay English.
@cache
def _load_catalogue(language: str) -> catalogues.NullTranslations:
    base = base_language(language)
    file = CATALOGUE_FOLDER / language.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.mo"
    if not file.exists():
        return _load_catalogue(base) if base != language else catalogues.NullTranslations()
    # By the file, since gettext looks for "pt" in pt_PT first.
    with file.open("rb") as compiled:
        catalogue = catalogues.GNUTranslations(compiled)
    if base != language:
        # A regional form has only the texts that differ.
        catalogue.add_fallback(_load_catalogue(base))
    return catalogue


_LANGUAGES_WITH_CAPITALISED_NOUNS = frozenset({"de"})


def lower_first(label: str) -> str:
    """Return a label in the form for the middle of a sentence: `goals`, but `VAR checks`, and German nouns, as they are."""
    # A second capital letter marks an abbreviation, such as VAR.
    if current_language() in _LANGUAGES_WITH_CAPITALISED_NOUNS or label[1:2].isupper():
        return label
    return label[:1].lower() + label[1:]


def join_with_commas(items: Sequence[str]) -> str:
    """Join items with commas only, such as after a colon."""
    return ", ".join(items)


def join_sentence_list(items: Sequence[str]) -> str:
    """Join items as in a sentence, with "and" before the last one."""
    # Babel is imported by those who write a list, a number or a date: `check` and the start of a bot do without.
    from babel.lists import format_list

    return format_list(items, locale=current_locale())


def format_hours(number: int) -> str:
    """Return `3 hours`."""
    from babel.units import format_unit

    return format_unit(number, "duration-hour", locale=current_locale())


def to_local_time(instant: dt.datetime, timezone: str) -> dt.datetime:
    """Convert an instant to a time zone, named as in `Europe/Berlin`."""
    return instant.astimezone(find_zone(timezone))


def format_time(instant: dt.datetime, timezone: str) -> str:
    """Return `15:00`."""
    return f"{to_local_time(instant, timezone):%H:%M}"


def format_day_and_time(instant: dt.datetime, timezone: str) -> str:
    """Return `Sat 22 15:00`."""
    local = to_local_time(instant, timezone)
    return f"{_format_date(local.date(), 'EEE d')} {local:%H:%M}"


def format_until(until: dt.datetime, now: dt.datetime, timezone: str) -> str:
    """Return `until 15:00`, or `until Sat 22, 15:00` if that is another day than today in the time zone."""
    day, time = to_local_time(until, timezone).date(), format_time(until, timezone)
    # With the preposition, since some languages have another one before a day than before a time: hasta las, hasta el.
    if day == to_local_time(now, timezone).date():
        return translate("until {time}").format(time=time)
    return translate("until {day}, {time}").format(day=_format_date(day, "EEE d"), time=time)


def format_long_date(date: dt.date) -> str:
    """Return `Tuesday 22 November`."""
    return _format_date(date, translate_in_context("a date in Babel's letters", "EEEE d MMMM"))


def format_short_date(date: dt.date) -> str:
    """Return `22 November`."""
    return _format_date(date, translate_in_context("a date in Babel's letters", "d MMMM"))


def _format_date(date: dt.date, pattern: str) -> str:
    from babel.dates import format_date

    return str(format_date(date, pattern, locale=current_locale()))
