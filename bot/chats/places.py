"""Which time zone a person means: by its name, a city in it, or a country. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from zoneinfo import available_timezones

import msgspec
from babel import Locale
from babel.core import get_global

from bot.chats.search import NEAR, Fit, fit, plain
from bot.languages.speaking import LANGUAGES

MOST = 10
"""How many places are offered."""

COMMON = (
    "Europe/London", "Europe/Lisbon", "Europe/Madrid", "Europe/Paris", "Europe/Berlin", "Europe/Rome",
    "Europe/Istanbul", "America/New_York", "America/Los_Angeles", "America/Mexico_City", "America/Sao_Paulo",
    "America/Argentina/Buenos_Aires", "Africa/Lagos", "Asia/Dubai", "Asia/Kolkata", "Asia/Tokyo",
)  # fmt: skip
"""Offered without being asked for, and first where many fit."""

CITIES = {
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


class Places(msgspec.Struct, frozen=True):
    """`sure` where there is no doubt; else zones that fit, or that are `near`."""

    sure: str = ""
    zones: tuple[str, ...] = ()
    near: bool = False


def look_up(wanted: str) -> Places:
    """Find the zone that a person means."""
    best: dict[str, Fit] = {}
    for name, zone in _names():
        how = fit(wanted, name)
        if how is not None and how < best.get(zone, len(Fit)):
            best[zone] = how
    if not best:
        return Places(zones=_near(wanted), near=True)
    top = [zone for zone, how in best.items() if how is min(best.values())]
    if len(top) == 1 and best[top[0]] < Fit.INSIDE:
        return Places(top[0])
    order = sorted(best, key=lambda zone: (best[zone], zone not in COMMON, zone))
    return Places(zones=tuple(order[:MOST]))


def known(zone: str) -> bool:
    """Tell whether there is a zone of this name."""
    return zone in _zones()


@cache
def _zones() -> frozenset[str]:
    """Every zone by its name, but for the copies that only machines ask for."""
    return frozenset(z for z in available_timezones() if not z.startswith(("posix/", "right/", "SystemV/")))


@cache
def _names() -> tuple[tuple[str, str], ...]:
    """Every name that is looked through, with its zone."""
    return tuple(dict.fromkeys((plain(name), zone) for name, zone in (*_of_zones(), *_of_countries(), *_of_cities())))


def _of_zones() -> Iterator[tuple[str, str]]:
    """What is named after a city, by the city, its older names, and in full; and UTC."""
    yield "UTC", "UTC"
    yield "GMT", "UTC"
    for zone in sorted({zone for zones in _territories().values() for zone in zones if known(zone)} - {"Etc/UTC"}):
        yield zone.replace("_", " "), zone
        yield zone.rpartition("/")[2].replace("_", " "), zone
    for other, zone in get_global("zone_aliases").items():
        if known(zone) and not zone.startswith("Etc/"):
            yield other.rpartition("/")[2].replace("_", " "), zone


def _of_countries() -> Iterator[tuple[str, str]]:
    """By their names in every language that the bot speaks."""
    for names in (Locale(language).territories for language in LANGUAGES):
        for territory, zones in _territories().items():
            yield from ((names[territory], zone) for zone in zones if territory in names and known(zone))


def _of_cities() -> Iterator[tuple[str, str]]:
    return ((city, zone) for zone, cities in CITIES.items() for city in cities.split())


def _territories() -> Mapping[str, list[str]]:
    territories: Mapping[str, list[str]] = get_global("territory_zones")
    return territories


def _near(wanted: str) -> tuple[str, ...]:
    by_name = {name: zone for name, zone in _names() if "/" not in name}
    close = difflib.get_close_matches(plain(wanted), by_name, n=NEAR, cutoff=0.7)
    return tuple(dict.fromkeys(by_name[name] for name in close))
