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

from bot.chat.catalogue import MAX_SUGGESTIONS, Fit, measure_fit, to_search_words
from bot.chat.dialogue import (
    Button,
    ButtonRow,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    UpdateChat,
    arrange_rows,
    make_button,
)
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text
from bot.i18n.language import format_time
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from rules.engine.text import LANGUAGES


def set_timezone(context: ChatContext, said: tuple[str, ...]) -> DialogueResult:
    """`/timezone [city | country | zone]`: act where there is no doubt, else ask."""
    wanted = " ".join(said)
    if not wanted:
        zone = context.chat.timezone
        return DialogueResult(
            Screen(current_timezone_text(zone, format_time(context.now, zone)), _make_zone_buttons(COMMON_ZONES, zone))
        )
    if is_zone(wanted):
        return _save_timezone(context, wanted)
    places = find_zones(wanted)
    if places.sure:
        return _save_timezone(context, places.sure)
    if not places.zones:
        return DialogueResult(Screen(unknown_place_text(wanted)))
    html = similar_timezone_text(wanted) if places.near else which_timezone_text(wanted)
    return DialogueResult(Screen(html, _make_zone_buttons(places.zones, context.chat.timezone)))


def set_picked_timezone(context: ChatContext, zone: str) -> DialogueResult:
    """A zone was tapped."""
    if not is_zone(zone):
        raise OutdatedButton
    return _save_timezone(context, zone)


def zone_label(zone: str) -> str:
    """`Buenos Aires` for `America/Argentina/Buenos_Aires`."""
    return zone.rpartition("/")[2].replace("_", " ")


def _save_timezone(context: ChatContext, zone: str) -> DialogueResult:
    html = timezone_set_text(zone, format_time(context.now, zone))
    return DialogueResult(Screen(html), (UpdateChat(replace(context.chat, timezone=zone)),))


def _make_zone_buttons(zones: tuple[str, ...], now: str) -> tuple[ButtonRow, ...]:
    buttons: list[Button] = [make_button(zone_label(zone), f"o:{zone}", is_chosen=zone == now) for zone in zones]
    return arrange_rows(buttons, 2)


MAX_OFFERED_ZONES = 10
"""How many places are offered."""

COMMON_ZONES = (
    "Europe/London", "Europe/Lisbon", "Europe/Madrid", "Europe/Paris", "Europe/Berlin", "Europe/Rome",
    "Europe/Istanbul", "America/New_York", "America/Los_Angeles", "America/Mexico_City", "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires", "Africa/Lagos", "Asia/Dubai", "Asia/Kolkata", "Asia/Tokyo",
)  # fmt: skip
"""Offered without being asked for, and first where many fit."""

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
"""Places of football that no zone is named after."""


class ZoneSearchResult(msgspec.Struct, frozen=True):
    """`sure` where there is no doubt; else zones that fit, or that are `near`."""

    sure: str = ""
    zones: tuple[str, ...] = ()
    near: bool = False


def find_zones(wanted: str) -> ZoneSearchResult:
    """Find the zone that a person means."""
    best: dict[str, Fit] = {}
    for name, zone in _load_names():
        how = measure_fit(wanted, name)
        if how is not None and how < best.get(zone, len(Fit)):
            best[zone] = how
    if not best:
        return ZoneSearchResult(zones=_find_similar_zones(wanted), near=True)
    top = [zone for zone, how in best.items() if how is min(best.values())]
    if len(top) == 1 and best[top[0]] < Fit.SUBSTRING:
        return ZoneSearchResult(top[0])
    order = sorted(best, key=lambda zone: (best[zone], zone not in COMMON_ZONES, zone))
    return ZoneSearchResult(zones=tuple(order[:MAX_OFFERED_ZONES]))


def is_zone(zone: str) -> bool:
    """Tell whether there is a zone of this name."""
    return zone in _load_zones()


@cache
def _load_zones() -> frozenset[str]:
    """Every zone by its name, but for the copies that only machines ask for."""
    return frozenset(z for z in available_timezones() if not z.startswith(("posix/", "right/", "SystemV/")))


@cache
def _load_names() -> tuple[tuple[str, str], ...]:
    """Every name that is looked through, with its zone."""
    return tuple(
        dict.fromkeys(
            (to_search_words(name), zone)
            for name, zone in (*_names_from_zones(), *_names_from_countries(), *_names_from_cities())
        )
    )


def _names_from_zones() -> Iterator[tuple[str, str]]:
    """What is named after a city, by the city, its older names, and in full; and UTC."""
    yield "UTC", "UTC"
    yield "GMT", "UTC"
    for zone in sorted({zone for zones in _zones_by_territory().values() for zone in zones if is_zone(zone)} - {"Etc/UTC"}):
        yield zone.replace("_", " "), zone
        yield zone.rpartition("/")[2].replace("_", " "), zone
    for other, zone in get_global("zone_aliases").items():
        if is_zone(zone) and not zone.startswith("Etc/"):
            yield other.rpartition("/")[2].replace("_", " "), zone


def _names_from_countries() -> Iterator[tuple[str, str]]:
    """By their names in every language that the bot speaks."""
    for names in (Locale(language).territories for language in LANGUAGES):
        for territory, zones in _zones_by_territory().items():
            yield from ((names[territory], zone) for zone in zones if territory in names and is_zone(zone))


def _names_from_cities() -> Iterator[tuple[str, str]]:
    return ((city, zone) for zone, cities in CITIES_BY_ZONE.items() for city in cities.split())


def _zones_by_territory() -> Mapping[str, list[str]]:
    territories: Mapping[str, list[str]] = get_global("territory_zones")
    return territories


def _find_similar_zones(wanted: str) -> tuple[str, ...]:
    by_name = {name: zone for name, zone in _load_names() if "/" not in name}
    close = difflib.get_close_matches(to_search_words(wanted), by_name, n=MAX_SUGGESTIONS, cutoff=0.7)
    return tuple(dict.fromkeys(by_name[name] for name in close))


def timezone_examples_text() -> str:
    return _("Send a city or a country: <code>/timezone Madrid</code>.")


def current_timezone_text(zone: str, time: str) -> str:
    text = _("<b>Times of this chat</b>\nNow: {zone}, where it is {time}.")
    return f"{text.format(zone=escape_text(zone), time=time)}\n{timezone_examples_text()}"


def timezone_set_text(zone: str, time: str) -> str:
    text = _("🕑 The times of this chat are those of <b>{zone}</b> now, where it is {time}.")
    return text.format(zone=escape_text(zone), time=time)


def which_timezone_text(wanted: str) -> str:
    return _("Which one do you mean by “{name}”?").format(name=escape_text(wanted))


def similar_timezone_text(wanted: str) -> str:
    return _("I know no place called “{name}”. Did you mean one of these?").format(name=escape_text(wanted))


def unknown_place_text(wanted: str) -> str:
    text = _("I know no place called “{name}”. Send a city or a country: <code>/timezone Madrid</code>.")
    return text.format(name=escape_text(wanted))


FEATURE = Feature(
    commands={"timezone": Command(set_timezone, N_("In whose time you read kick-offs"), changes_settings=True)},
    buttons={"o": set_picked_timezone},
)
