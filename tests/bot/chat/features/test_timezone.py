"""The time zone of a chat."""

from __future__ import annotations

import pytest

from bot.chat.features.timezone import ZoneSearchResult, find_zones, is_zone, zone_label
from bot.chat.parsing.zone_names import CITIES_BY_ZONE, REGION_NAMES, TIME_NAMES
from bot.i18n.language import use_language
from tests.bot.chat.conftest import World


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("madrid", "Europe/Madrid"),
        ("MÜNCHEN", "Europe/Berlin"),
        ("sao paulo", "America/Sao_Paulo"),
        ("calcutta", "Asia/Kolkata"),
        ("kiev", "Europe/Kyiv"),
        ("United Kingdom", "Europe/London"),
        ("Vereinigtes Königreich", "Europe/London"),
        ("Suiza", "Europe/Zurich"),
        ("Japão", "Asia/Tokyo"),
        ("buenos", "America/Argentina/Buenos_Aires"),
        ("europe paris", "Europe/Paris"),
        ("utc", "Etc/UTC"),
        ("England", "Europe/London"),
        ("Inghilterra", "Europe/London"),
        ("Schottland", "Europe/London"),
        ("Gales", "Europe/London"),
        ("UK", "Europe/London"),
        ("Gran Bretaña", "Europe/London"),
        ("Londres", "Europe/London"),
        ("Londra", "Europe/London"),
        ("Genf", "Europe/Zurich"),
        ("Ginevra", "Europe/Zurich"),
        ("Rom", "Europe/Rome"),
        ("Mailand", "Europe/Rome"),
        ("Kalkutta", "Asia/Kolkata"),
        ("Tóquio", "Asia/Tokyo"),
        ("Holland", "Europe/Amsterdam"),
        ("Deutschland", "Europe/Berlin"),
        ("Argentina", "America/Argentina/Buenos_Aires"),
        ("Rio de Janeiro", "America/Sao_Paulo"),
        ("California", "America/Los_Angeles"),
        ("emirates", "Asia/Dubai"),
        ("Bavaria", "Europe/Berlin"),
        ("Bayern", "Europe/Berlin"),
        ("Baviera", "Europe/Berlin"),
        ("Kalifornien", "America/Los_Angeles"),
        ("Californie", "America/Los_Angeles"),
        ("Katalonien", "Europe/Madrid"),
        ("Catalunha", "Europe/Madrid"),
        ("Bretagne", "Europe/Paris"),
        ("Bretanha", "Europe/Paris"),
        ("Sicilia", "Europe/Rome"),
        ("Sizilien", "Europe/Rome"),
        ("Escócia", "Europe/London"),
        ("Îles Canaries", "Atlantic/Canary"),
        ("Azoren", "Atlantic/Azores"),
        ("Minas Gerais", "America/Sao_Paulo"),
        ("Nouvelle-Écosse", "America/Halifax"),
        ("Neusüdwales", "Australia/Sydney"),
        ("EST", "America/New_York"),
        ("pacific time", "America/Los_Angeles"),
        ("MEZ", "Europe/Berlin"),
    ],
)
def test_a_zone_is_found_by_its_name_a_city_or_a_country(typed: str, zone: str) -> None:
    assert find_zones(typed).exact == zone


def test_a_country_with_several_times_asks_and_the_usual_ones_come_first() -> None:
    for typed in ("united states", "US", "usa", "Vereinigte Staaten", "EEUU"):
        assert find_zones(typed).zones[:2] == ("America/New_York", "America/Chicago"), typed
    assert find_zones("Spain").zones == ("Europe/Madrid", "Atlantic/Canary")


@pytest.mark.parametrize(
    ("typed", "zones"),
    [
        ("Texas", ("America/Chicago", "America/Denver")),
        ("Florida", ("America/New_York", "America/Chicago")),
        ("Tennessee", ("America/Chicago", "America/New_York")),
        ("Pernambuco", ("America/Recife", "America/Noronha")),
        ("Georgia", ("Asia/Tbilisi", "America/New_York")),
        ("Punjab", ("Asia/Kolkata", "Asia/Karachi")),
        ("Patagonia", ("America/Argentina/Buenos_Aires", "America/Punta_Arenas")),
    ],
)
def test_a_region_with_several_times_asks_the_likeliest_first(typed: str, zones: tuple[str, ...]) -> None:
    assert (find_zones(typed).exact, find_zones(typed).zones) == ("", zones)


def test_every_place_has_a_zone_that_exists() -> None:
    for table in (CITIES_BY_ZONE, REGION_NAMES, TIME_NAMES):
        assert not [zone for zones in table for zone in zones.split() if not is_zone(zone)]


async def test_a_region_with_several_times_shows_each_with_its_time(world: World) -> None:
    asked = await world.ask(42, 42, "I live in Texas")
    assert asked.text == "Which “Texas” do you mean?"
    assert asked.labels == ["Chicago (08:00)", "Denver (07:00)", "🕑 All time zones", "✔ Done"]

    await world.tap(42, 42, "Chicago")
    assert (await world.load_chat(42)).timezone == "America/Chicago"


async def test_a_zone_without_summer_time_is_the_city_that_has_it(world: World) -> None:
    await world.ask(42, 42, "/timezone EST")

    assert (await world.load_chat(42)).timezone == "America/New_York"


def test_two_letters_inside_of_a_name_are_no_answer() -> None:
    assert find_zones("UK") == ZoneSearchResult("Europe/London")
    assert find_zones("zq").zones == ()


@pytest.mark.parametrize(
    ("language", "rome", "calcutta"),
    [("en", "Rome", "Kolkata"), ("de", "Rom", "Kalkutta"), ("fr", "Rome", "Calcutta"), ("pt", "Roma", "Calcutá")],
)
def test_cities_are_shown_in_the_chats_language(language: str, rome: str, calcutta: str) -> None:
    with use_language(language):
        assert (zone_label("Europe/Rome"), zone_label("Asia/Kolkata")) == (rome, calcutta)
        assert (zone_label("America/Argentina/Buenos_Aires"), zone_label("Etc/UTC")) == ("Buenos Aires", "UTC")


def test_a_typing_mistake_finds_similar_places_and_nonsense_finds_nothing() -> None:
    assert find_zones("londn").zones == ("Europe/London",) and find_zones("londn").are_suggestions
    assert find_zones("xyzzy").zones == ()


async def test_the_day_and_the_kick_offs_follow_the_chats_time(world: World) -> None:
    answer = await world.ask(42, 42, "/timezone Tokyo")
    today = await world.ask(42, 42, "/today")

    assert answer.text == "🕑 Time zone: Tokyo (now 23:00)."
    assert (await world.load_chat(42)).timezone == "Asia/Tokyo" and "22:00 Fenerbahçe v Galatasaray" in today.text


async def test_without_arguments_there_are_buttons_and_a_forged_zone_is_refused(world: World) -> None:
    message = await world.ask(42, 42, "/timezone")
    await world.tap(42, 42, "Buenos Aires")
    kept = (await world.load_chat(42)).timezone
    stale = await world.press(42, 42, message, "o:Mars/Base")

    assert kept == (await world.load_chat(42)).timezone == "America/Argentina/Buenos_Aires" and "outdated" in stale


async def test_a_place_that_fits_nothing_changes_nothing(world: World) -> None:
    unknown = await world.ask(42, 42, "/timezone <b>xyzzy")
    near = await world.ask(42, 42, "/timezone londn")

    assert "I can't find “<b>xyzzy”." in unknown.text and near.labels[0] == "London (14:00)"
    assert (await world.load_chat(42)).timezone == "UTC"


@pytest.mark.parametrize(
    ("typed", "zone", "time"),
    [
        ("GMT+2", "UTC+2", "16:00"),
        ("utc+2", "UTC+2", "16:00"),
        ("UTC +5:30", "UTC+5:30", "19:30"),
        ("+0530", "UTC+5:30", "19:30"),
        ("GMT-03:00", "UTC-3", "11:00"),
        ("UTC\u22123", "UTC-3", "11:00"),
        ("UTC+0", "UTC", "14:00"),
    ],
)
async def test_a_distance_from_utc_is_meant_as_people_write_it(world: World, typed: str, zone: str, time: str) -> None:
    answer = await world.ask(42, 42, f"/timezone {typed}")

    assert answer.text == f"🕑 Time zone: {zone} (now {time})."
    assert (await world.load_chat(42)).timezone == ("Etc/UTC" if zone == "UTC" else zone)


@pytest.mark.parametrize("typed", ["UTC+15", "GMT+99", "UTC+5:75"])
async def test_a_distance_that_no_place_has_changes_nothing(world: World, typed: str) -> None:
    await world.ask(42, 42, f"/timezone {typed}")

    assert (await world.load_chat(42)).timezone == "UTC"
