"""`/timezone`, by zone, city or country."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from zoneinfo import available_timezones

import msgspec
from babel import Locale
from babel.core import get_global
from msgspec.structs import replace

from bot.chat.catalogue import MAX_SUGGESTIONS, Fit, measure_fit
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
from bot.chat.nicknames import to_search_words
from bot.chat.routing import Command, Feature
from bot.chat.texts import done_label, escape_text, which_one_text
from bot.clock import parse_utc_offset
from bot.i18n.language import current_language, format_time
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from rules.engine.text import LANGUAGES

MAX_OFFERED_ZONES = 10
"""Buttons for one search."""

CHOSEN_UTC = "Etc/UTC"
"""UTC itself, chosen. `UTC` is what a chat has in which nobody has chosen a time zone."""

LIKELY_ZONES = {
    "en": ("Europe/London", "America/New_York", "America/Los_Angeles", "Africa/Lagos"),
    "es": ("Europe/Madrid", "America/Mexico_City", "America/Bogota", "America/Argentina/Buenos_Aires"),
    "de": ("Europe/Berlin", "Europe/Vienna"),
    "fr": ("Europe/Paris", "America/Toronto"),
    "pt": ("America/Sao_Paulo", "Europe/Lisbon"),
    "it": ("Europe/Rome",),
}
"""By language, where most of those who speak it live, the likeliest first."""

COMMON_ZONES = (
    "Europe/London", "Europe/Lisbon", "Europe/Madrid", "Europe/Paris", "Europe/Berlin", "Europe/Rome",
    "Europe/Istanbul", "America/New_York", "America/Los_Angeles", "America/Mexico_City", "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires", "Africa/Lagos", "Asia/Dubai", "Asia/Kolkata", "Asia/Tokyo",
)  # fmt: skip
"""Offered without a search, and first if many fit."""

CITIES_BY_ZONE = {
    "Europe/London": "Manchester Liverpool Birmingham Leeds Newcastle Nottingham Glasgow Edinburgh Cardiff Wales Scotland",
    "Europe/Madrid": "Barcelona Seville Sevilla Valencia Bilbao",
    "Europe/Paris": "Marseille Lyon Lille Bordeaux Nice Nantes",
    "Europe/Berlin": "Munich München Dortmund Hamburg Cologne Köln Frankfurt Stuttgart Leipzig Bremen",
    "Europe/Rome": "Milan Milano Naples Napoli Turin Torino Bologna Genoa Genova Roma",
    "Europe/Lisbon": "Porto Braga Lisboa",
    "Europe/Amsterdam": "Rotterdam Eindhoven",
    "Europe/Istanbul": "Ankara Izmir Trabzon",
    "Europe/Vienna": "Salzburg Graz Wien",
    "Europe/Zurich": "Geneva Basel Bern",
    "America/New_York": "USA Boston Miami Atlanta Washington Philadelphia",
    "America/Chicago": "Dallas Houston Austin",
    "America/Los_Angeles": "Seattle Portland",
    "America/Toronto": "Montreal Ottawa",
    "America/Mexico_City": "Guadalajara",
    "America/Sao_Paulo": "Rio Brasília Salvador",
    "America/Argentina/Buenos_Aires": "Rosario",
    "Asia/Kolkata": "Mumbai Delhi Chennai Bangalore",
    "Asia/Riyadh": "Jeddah Mecca",
    "Asia/Dubai": "Sharjah",
    "Asia/Tokyo": "Osaka Yokohama",
    "Asia/Shanghai": "Beijing Guangzhou",
    "Africa/Johannesburg": "Durban Pretoria",
    "Africa/Lagos": "Abuja",
}
"""Cities and countries of football that no zone is named after."""


def set_timezone(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/timezone [city | country | zone]`: act if there is no doubt, else ask."""
    typed, zone = " ".join(args), context.chat.timezone
    if not typed:
        return DialogueResult(show_timezones(context))
    # Before names: the zone database calls UTC+2 `Etc/GMT-2`, and `GMT+2` would be found there as the opposite.
    if offset := parse_utc_offset(typed):
        return _save_timezone(context, offset)
    # Letter for letter first: a zone's own name means that zone, whatever else begins like it.
    if is_zone(typed):
        return _save_timezone(context, typed)
    found = find_zones(typed)
    if found.exact:
        return _save_timezone(context, found.exact)
    if not found.zones:
        html = _("I can't find “{name}”. Send a city or a country: <code>/timezone Madrid</code>.")
        return DialogueResult(replace(show_timezones(context), html=html.format(name=escape_text(typed))))
    if found.are_suggestions:
        html = _("I can't find “{name}”. Did you mean:").format(name=escape_text(typed))
    else:
        html = which_one_text(typed)
    return DialogueResult(Screen(html, (*_make_zone_buttons(found.zones, zone), (Button(_("🕑 All time zones"), "os:"),))))


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
    """Return the city of a time zone: `Buenos Aires` for `America/Argentina/Buenos_Aires`, as a button has no room for more."""
    return "UTC" if zone == CHOSEN_UTC else zone.rpartition("/")[2].replace("_", " ")


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


def _make_zone_buttons(zones: tuple[str, ...], current: str) -> tuple[ButtonRow, ...]:
    return arrange_rows([make_button(zone_label(zone), f"o:{zone}", is_chosen=zone == current) for zone in zones], 2)


class ZoneSearchResult(msgspec.Struct, frozen=True):
    """The zone that is meant without doubt, or several that may be meant."""

    exact: str = ""
    zones: tuple[str, ...] = ()
    are_suggestions: bool = False
    """True: nothing fits, and the zones have similar names."""


def find_zones(typed: str) -> ZoneSearchResult:
    """Find the zone that a person means by the name of a zone, a city or a country, in any language of the bot's."""
    # A zone has many names: the one that fits best counts.
    best: dict[str, Fit] = {}
    for name, zone in _load_names():
        fit = measure_fit(typed, name)
        if fit is not None and fit < best.get(zone, len(Fit)):
            best[zone] = fit
    if not best:
        by_name = {name: zone for name, zone in _load_names() if "/" not in name}
        close = difflib.get_close_matches(to_search_words(typed), by_name, n=MAX_SUGGESTIONS, cutoff=0.7)
        return ZoneSearchResult(zones=tuple(dict.fromkeys(by_name[name] for name in close)), are_suggestions=True)
    # A country with one zone is an answer, one with several a question.
    top = [zone for zone, fit in best.items() if fit is min(best.values())]
    if len(top) == 1 and best[top[0]] < Fit.SUBSTRING:
        return ZoneSearchResult(top[0])
    # Zones of big cities before others of the same fit: who types "US" wants New York, not Indiana.
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
    names_from_cities = ((city, zone) for zone, cities in CITIES_BY_ZONE.items() for city in cities.split())
    names = (*_names_from_zones(), *_names_from_countries(), *names_from_cities)
    return tuple(dict.fromkeys((to_search_words(name), zone) for name, zone in names))


def _names_from_zones() -> Iterator[tuple[str, str]]:
    """Yield zones by their city, by older names of it, and in full; and UTC."""
    yield "UTC", CHOSEN_UTC
    yield "GMT", CHOSEN_UTC
    for zone in sorted({zone for zones in _zones_by_territory().values() for zone in zones if is_zone(zone)} - {"Etc/UTC"}):
        yield zone.replace("_", " "), zone
        yield zone.rpartition("/")[2].replace("_", " "), zone
    for alias, zone in get_global("zone_aliases").items():
        if is_zone(zone) and not zone.startswith("Etc/"):
            yield alias.rpartition("/")[2].replace("_", " "), zone


def _names_from_countries() -> Iterator[tuple[str, str]]:
    """Yield zones by their countries, in every language that the bot speaks."""
    for names in (Locale(language).territories for language in LANGUAGES):
        for territory, zones in _zones_by_territory().items():
            yield from ((names[territory], zone) for zone in zones if territory in names and is_zone(zone))


def _zones_by_territory() -> Mapping[str, list[str]]:
    territories: Mapping[str, list[str]] = get_global("territory_zones")
    return territories


FEATURE = Feature(
    commands={"timezone": Command(set_timezone, N_("Set your time zone"), changes_settings=True)},
    buttons={"o": set_picked_timezone},
    screens={"os": lambda context, _: show_timezones(context)},
)
