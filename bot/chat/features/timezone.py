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
from bot.chat.name_index import MAX_SUGGESTIONS, Fit, measure_words_fit
from bot.chat.nicknames import to_search_words
from bot.chat.routing import Command, Feature
from bot.chat.texts import done_label, escape_text, which_one_text
from bot.clock import parse_utc_offset
from bot.i18n.football import HOME_NATIONS, OTHER_COUNTRY_NAMES
from bot.i18n.language import current_language, current_locale, format_time, translate, use_language
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from rules.engine.text import LANGUAGES

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

CITIES_BY_ZONE = {
    "Europe/London": "Manchester, Liverpool, Birmingham, Leeds, Newcastle, Nottingham, Glasgow, Edinburgh, Cardiff, Belfast",
    "Europe/Madrid": "Barcelona, Seville, Sevilla, Valencia, Bilbao, Zaragoza, Málaga",
    "Europe/Paris": "Marseille, Lyon, Lille, Bordeaux, Nice, Nantes, Toulouse, Strasbourg, Straßburg",
    "Europe/Berlin": "Munich, München, Múnich, Monaco di Baviera, Dortmund, Hamburg, Hambourg, Amburgo, Cologne, Köln, Colonia, "
    "Frankfurt, Francfort, Francoforte, Stuttgart, Leipzig, Bremen, Düsseldorf",
    "Europe/Rome": "Milan, Milano, Mailand, Milán, Milão, Naples, Napoli, Neapel, Nápoles, Turin, Torino, Turín, Turim, Bologna, "
    "Genoa, Genova, Genua, Florence, Firenze, Florenz, Florencia, Florença, Venice, Venezia",
    "Europe/Lisbon": "Porto, Oporto, Braga, Lisboa",
    "Europe/Amsterdam": "Rotterdam, Eindhoven, The Hague, Den Haag",
    "Europe/Brussels": "Antwerp, Antwerpen, Bruges, Brugge, Gent, Liège",
    "Europe/Istanbul": "Ankara, Izmir, Trabzon",
    "Europe/Vienna": "Salzburg, Graz, Wien, Linz, Innsbruck",
    "Europe/Zurich": "Geneva, Genf, Genève, Ginebra, Ginevra, Genebra, Basel, Bâle, Bern, Lausanne",
    "America/New_York": "NYC, Boston, Miami, Atlanta, Washington, Philadelphia, Orlando, Florida, Nueva York, East Coast",
    "America/Chicago": "Dallas, Houston, Austin, Texas, Minneapolis, Nashville, New Orleans",
    "America/Denver": "Salt Lake City, Colorado",
    "America/Los_Angeles": "Seattle, Portland, San Francisco, San Diego, Las Vegas, California, West Coast",
    "America/Toronto": "Montreal, Ottawa, Québec",
    "America/Mexico_City": "Guadalajara, Puebla",
    "America/Sao_Paulo": "Rio, Rio de Janeiro, Brasília, Belo Horizonte, Porto Alegre, Curitiba",
    "America/Bahia": "Salvador",
    "America/Bogota": "Medellín, Cali, Barranquilla",
    "America/Argentina/Buenos_Aires": "Rosario, La Plata",
    "America/Guayaquil": "Quito",
    "Asia/Kolkata": "Mumbai, Delhi, New Delhi, Chennai, Bangalore, Goa",
    "Asia/Riyadh": "Jeddah, Mecca",
    "Asia/Dubai": "Sharjah, Abu Dhabi",
    "Asia/Tokyo": "Osaka, Yokohama, Kobe",
    "Asia/Shanghai": "Beijing, Peking, Guangzhou, Shenzhen",
    "Asia/Ho_Chi_Minh": "Hanoi, Saigon",
    "Africa/Johannesburg": "Durban, Pretoria, Cape Town, Kapstadt, Ciudad del Cabo, Le Cap, Città del Capo, Cidade do Cabo",
    "Africa/Lagos": "Abuja",
    "Africa/Casablanca": "Rabat, Marrakesh",
}
"""By zone, cities and regions known from football that no zone is named after."""

MAIN_ZONES = {
    "US": "America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Anchorage "
    "Pacific/Honolulu",
    "CA": "America/Toronto America/Vancouver America/Edmonton America/Winnipeg America/Halifax America/St_Johns",
    "MX": "America/Mexico_City America/Cancun America/Tijuana America/Hermosillo America/Mazatlan",
    "BR": "America/Sao_Paulo America/Manaus America/Rio_Branco America/Noronha",
    "AR": "America/Argentina/Buenos_Aires",
    "CL": "America/Santiago",
    "EC": "America/Guayaquil",
    "AU": "Australia/Sydney Australia/Brisbane Australia/Adelaide Australia/Darwin Australia/Perth",
    "NZ": "Pacific/Auckland",
    "RU": "Europe/Moscow Europe/Kaliningrad Europe/Samara Asia/Yekaterinburg Asia/Novosibirsk Asia/Krasnoyarsk Asia/Irkutsk "
    "Asia/Vladivostok Asia/Kamchatka",
    "DE": "Europe/Berlin",
    "ES": "Europe/Madrid Atlantic/Canary",
    "PT": "Europe/Lisbon Atlantic/Azores Atlantic/Madeira",
    "UA": "Europe/Kyiv",
    "CN": "Asia/Shanghai",
    "KZ": "Asia/Almaty",
    "UZ": "Asia/Tashkent",
    "MY": "Asia/Kuala_Lumpur",
    "CY": "Asia/Nicosia",
    "MN": "Asia/Ulaanbaatar",
}
"""By territory, the zones to offer if its other zones differ from these only in the past."""

TERRITORY_NAMES = {
    "GB": "UK, U.K., Great Britain, Britain, Großbritannien, Gran Bretaña, Grande-Bretagne, Gran Bretagna, Grã-Bretanha",
    "US": "US, U.S., USA, U.S.A., America, EEUU, EE. UU., EUA, Amerika",
    "AE": "UAE, Emirates, Emirate, Emiratos",
    "NL": "Holland, Holanda, Hollande, Olanda",
    "CZ": "Czech Republic, Tschechische Republik, República Checa, République tchèque, Repubblica Ceca, República Tcheca",
    "SA": "KSA",
    "ZA": "RSA",
}
"""Names of countries that people use and CLDR does not have."""


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


def _make_zone_buttons(zones: tuple[str, ...], current: str) -> tuple[ButtonRow, ...]:
    return arrange_rows([make_button(zone_label(zone), f"o:{zone}", is_chosen=zone == current) for zone in zones], 2)


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
        # Of a country that was named in full only its own zones, in the order in which they are known here.
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
    names_from_cities = ((city, zone) for zone, cities in CITIES_BY_ZONE.items() for city in cities.split(","))
    names = (*_names_from_territories(), *_names_from_zones(), *names_from_cities)
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
        if not zone.startswith("Etc/"):
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
