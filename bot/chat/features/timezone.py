"""`/timezone`, by zone, city or country."""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from zoneinfo import available_timezones

import msgspec
from babel import Locale
from babel.core import get_global
from msgspec.structs import replace

from bot.chat.dialogue import (
    Button,
    ButtonRow,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    arrange_rows,
    make_button,
    make_closing_row,
    set_settings,
)
from bot.chat.parsing.zone_names import CITIES_BY_ZONE, MAIN_ZONES, REGION_NAMES, TERRITORY_NAMES, TIME_NAMES
from bot.chat.routing import Command, Feature
from bot.chat.search.name_index import MAX_SUGGESTIONS, Fit, measure_words_fit
from bot.chat.search.nicknames import to_search_words
from bot.chat.texts import done_label, escape_text, which_one_text
from bot.i18n.football import HOME_NATIONS, OTHER_COUNTRY_NAMES
from bot.i18n.language import current_language, current_locale, format_time, translate, use_language
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.time_zones import parse_utc_offset
from rules.engine.text import LANGUAGES
from rules.football.names import normalise

MAX_OFFERED_ZONES = 10
"""Buttons for one search."""

_MIN_SUBSTRING = 4
"""The fewest typed letters that may match in the middle of a name."""

CHOSEN_UTC = "Etc/UTC"
"""What is stored when somebody chooses UTC. `UTC` means that nobody has chosen a time zone yet."""

LIKELY_ZONES = {
    "en": ("Europe/London", "America/New_York", "America/Los_Angeles", "Africa/Lagos"),
    "es": ("Europe/Madrid", "America/Mexico_City", "America/Bogota", "America/Argentina/Buenos_Aires"),
    "de": ("Europe/Berlin", "Europe/Vienna"),
    "fr": ("Europe/Paris", "America/Toronto"),
    "pt": ("America/Sao_Paulo", "Europe/Lisbon"),
    "es-419": ("America/Mexico_City", "America/Argentina/Buenos_Aires"),
    "pt-PT": ("Europe/Lisbon", "Atlantic/Azores"),
    "it": ("Europe/Rome",),
}
"""By language, the zones where most of its speakers live, the likeliest first."""

COMMON_ZONES = (
    "Europe/London", "Europe/Lisbon", "Europe/Madrid", "Europe/Paris", "Europe/Berlin", "Europe/Rome",
    "Europe/Istanbul", "America/New_York", "America/Los_Angeles", "America/Mexico_City", "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires", "Africa/Lagos", "Asia/Dubai", "Asia/Kolkata", "Asia/Tokyo",
)  # fmt: skip
"""Offered without a search, and first if many fit."""

_TIME_WORDS = frozenset({"time", "timezone", "zone", "zeit"})

_WITHOUT_SUMMER_TIME = frozenset({"EST", "MST", "HST"})
"""Zones of the database that stay at winter time. Who types one of them means the time of a city: see `TIME_NAMES`."""


def set_timezone(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/timezone [city | country | zone]`: act if there is no doubt, else ask."""
    typed, zone = " ".join(args), context.chat.timezone
    if not typed:
        return DialogueResult(show_timezones(context))
    # Before names: the zone database calls UTC+2 `Etc/GMT-2`, and `GMT+2` would be found there as the opposite.
    if offset := parse_utc_offset(typed):
        return _save_timezone(context, offset)
    # Letter for letter first: a zone's own name means that zone, whatever else begins like it.
    if is_zone(typed) and typed not in _WITHOUT_SUMMER_TIME:
        return _save_timezone(context, typed)
    found = find_zones(typed)
    if (found.are_suggestions or not found.zones) and not found.exact and normalise(args[-1]) in _TIME_WORDS:
        # "London time"
        found = find_zones(" ".join(args[:-1]))
    if found.exact:
        return _save_timezone(context, found.exact)
    if not found.zones:
        html = _("I can't find “{name}”. Send a city or a country: <code>/timezone Madrid</code>.")
        return DialogueResult(replace(show_timezones(context), html=html.format(name=escape_text(typed))))
    if found.are_suggestions:
        html = _("I can't find “{name}”. Did you mean:").format(name=escape_text(typed))
    else:
        html = which_one_text(typed)
    # The hour tells which of them is meant: few people know by heart how far east they live.
    buttons = _make_zone_buttons(found.zones, zone, context.now)
    return DialogueResult(Screen(html, (*buttons, (Button(_("🕑 All time zones"), "os:"), Button(done_label(), "sd:")))))


def show_timezones(context: ChatContext) -> Screen:
    """Show the time zone of the chat, and common ones as buttons."""
    zone = context.chat.timezone
    html = _("🕑 Time zone: <b>{zone}</b> (now {time}).").format(
        zone=escape_text(zone_label(zone)), time=format_time(context.now, zone)
    )
    examples = _("Send a city or a country: <code>/timezone Madrid</code>.")
    return Screen(f"{html}\n{examples}", (*_make_zone_buttons(COMMON_ZONES, zone), make_closing_row()))


def ask_timezone(context: ChatContext) -> Screen:
    """Ask for the time zone, with a guess from the language of the chat: Telegram tells a bot no zone."""
    html = _("🕑 <b>What time is it where you are?</b>\nKick-offs and quiet hours go by your time zone. Until you choose: UTC.")
    return Screen(html, (*make_zone_guesses(context), (Button(done_label(), "done"),)))


def make_zone_guesses(context: ChatContext) -> tuple[ButtonRow, ...]:
    """Make buttons of the likeliest time zones, with the way to all others and UTC."""
    # The time in the label is what confirms the guess.
    guesses = [
        make_button(f"{zone_label(zone)} ({format_time(context.now, zone)})", f"o:{zone}")
        for zone in LIKELY_ZONES[current_language()]
    ]
    last = (Button(_("🔎 Another city"), "os:"), Button(f"UTC ({format_time(context.now, 'UTC')})", f"o:{CHOSEN_UTC}"))
    return (*arrange_rows(guesses, 2), last)


def zone_label(zone: str) -> str:
    """Return the city of a time zone in the current language: `Rom` for `Europe/Rome`, as a button has no room for more."""
    if zone == CHOSEN_UTC:
        return "UTC"
    return _city_name(zone, current_locale()) if "/" in zone else zone


@cache
def _load_cities(locale: str) -> dict[str, str]:
    """Return the cities that zones are named after, in one language."""
    # CLDR keeps a zone under the first name that it had, such as Asia/Calcutta.
    aliases: Mapping[str, str] = get_global("zone_aliases")
    known = Locale.parse(locale).time_zones
    cities = {aliases.get(zone, zone): str(info["city"]) for zone, info in known.items() if "city" in info}
    return cities | {zone: str(info["city"]) for zone, info in known.items() if "city" in info}


def _city_name(zone: str, locale: str) -> str:
    return _load_cities(locale).get(zone) or zone.rpartition("/")[2].replace("_", " ")


def set_picked_timezone(context: ChatContext, zone: str) -> DialogueResult:
    """Set the time zone that was tapped."""
    if not is_zone(zone):
        raise OutdatedButton
    return _save_timezone(context, zone)


def _save_timezone(context: ChatContext, zone: str) -> DialogueResult:
    # UTC as it is stored at first would say that nobody has chosen.
    zone, before = CHOSEN_UTC if zone == "UTC" else zone, context.chat.timezone
    html = _("🕑 Time zone: <b>{zone}</b> (now {time}).")
    html = html.format(zone=escape_text(zone_label(zone)), time=format_time(context.now, zone))
    undo = (Button(_("↩ Undo"), f"o:{before}"),) if context.chat.has_timezone and before != zone else ()
    buttons = ((*undo, Button(_("🔎 Another city"), "os:")), make_closing_row())
    return DialogueResult(Screen(html, buttons), (set_settings(timezone=zone),))


def _make_zone_buttons(zones: tuple[str, ...], current: str, now: dt.datetime | None = None) -> tuple[ButtonRow, ...]:
    """Make a button for each zone, with its time if `now` is given."""
    labels = {zone: f"{zone_label(zone)} ({format_time(now, zone)})" if now else zone_label(zone) for zone in zones}
    return arrange_rows([make_button(label, f"o:{zone}", is_chosen=zone == current) for zone, label in labels.items()], 2)


class ZoneSearchResult(msgspec.Struct, frozen=True):
    """The zone that is meant without doubt, or several that may be meant."""

    exact: str = ""
    zones: tuple[str, ...] = ()
    are_suggestions: bool = False
    """True: nothing fits, and the zones have similar names."""


def find_zones(typed: str) -> ZoneSearchResult:
    """Find the zone that a person means by the name of a zone, a city, a country or a nation, in any language of the bot's."""
    # A zone has many names: the one that fits best counts.
    best: dict[str, Fit] = {}
    words = to_search_words(typed)
    first = words.partition(" ")[0]
    for name, zone in _load_names():
        # Whatever fits contains the first word. That leaves a few of thousands of names to measure.
        fit = measure_words_fit(words, name) if first in name else None
        # Two letters are inside of many names: "UK" is not Paducah.
        if fit is Fit.SUBSTRING and len(words) < _MIN_SUBSTRING:
            continue
        if fit is not None and fit < best.get(zone, len(Fit)):
            best[zone] = fit
    if not best:
        by_name = {name: zone for name, zone in _load_names() if "/" not in name}
        close = difflib.get_close_matches(words, by_name, n=MAX_SUGGESTIONS, cutoff=0.7)
        return ZoneSearchResult(zones=tuple(dict.fromkeys(by_name[name] for name in close)), are_suggestions=True)
    # A country with one zone is an answer, one with several a question.
    top = [zone for zone, fit in best.items() if fit is min(best.values())]
    if len(top) == 1 and best[top[0]] < Fit.SUBSTRING:
        return ZoneSearchResult(top[0])
    if best[top[0]] is Fit.EXACT:
        # A country was named in full: only its own zones, in the order of the tables.
        return ZoneSearchResult(zones=tuple(top[:MAX_OFFERED_ZONES]))
    # Zones of big cities before others of the same fit.
    order = sorted(best, key=lambda zone: (best[zone], zone not in COMMON_ZONES, zone))
    return ZoneSearchResult(zones=tuple(order[:MAX_OFFERED_ZONES]))


def is_zone(zone: str) -> bool:
    """Return True if there is a zone of this name."""
    return zone in _load_zones()


@cache
def _load_zones() -> frozenset[str]:
    # Some systems list each zone three times more in folders that only programs ask for.
    return frozenset(z for z in available_timezones() if not z.startswith(("posix/", "right/", "SystemV/")))


@cache
def _load_names() -> tuple[tuple[str, str], ...]:
    """Return every name that is searched, in search words, with its zone. Cached: there are thousands in six languages."""
    tables = (CITIES_BY_ZONE, REGION_NAMES, TIME_NAMES)
    others = (
        (name, zone) for table in tables for zones, names in table.items() for name in names.split(",") for zone in zones.split()
    )
    names = (*_names_from_territories(), *_names_from_zones(), *others)
    return tuple(dict.fromkeys((to_search_words(name), zone) for name, zone in names if is_zone(zone)))


def _names_from_zones() -> Iterator[tuple[str, str]]:
    """Yield zones by their city in every language, by older names of it, and in full; and UTC."""
    yield "UTC", CHOSEN_UTC
    yield "GMT", CHOSEN_UTC
    for zone in sorted({zone for zones in _zones_by_territory().values() for zone in zones if is_zone(zone)} - {CHOSEN_UTC}):
        yield zone.replace("_", " "), zone
        yield zone.rpartition("/")[2].replace("_", " "), zone
        for language in LANGUAGES:
            yield _city_name(zone, language), zone
    for alias, zone in get_global("zone_aliases").items():
        if not zone.startswith("Etc/") and alias not in _WITHOUT_SUMMER_TIME:
            yield alias.rpartition("/")[2].replace("_", " "), zone


def _names_from_territories() -> Iterator[tuple[str, str]]:
    """Yield zones by their countries, by other names of these, and by the nations of Great Britain, in every language."""
    zones = {code: MAIN_ZONES[code].split() if code in MAIN_ZONES else own for code, own in _zones_by_territory().items()}
    for language in LANGUAGES:
        names = Locale(language).territories
        for code, own in zones.items():
            yield from ((names[code], zone) for zone in own if code in names)
        with use_language(language):
            yield from ((translate(nation), "Europe/London") for nation in HOME_NATIONS)
    for code, others in (*TERRITORY_NAMES.items(), *((code, name) for name, code in OTHER_COUNTRY_NAMES.items())):
        yield from ((name, zone) for name in others.split(",") for zone in zones.get(code, ()))


def _zones_by_territory() -> Mapping[str, list[str]]:
    territories: Mapping[str, list[str]] = get_global("territory_zones")
    return territories


FEATURE = Feature(
    commands={"timezone": Command(set_timezone, N_("Set your time zone"), changes_settings=True)},
    buttons={"o": set_picked_timezone},
    screens={"os": lambda context, _: show_timezones(context)},
)
