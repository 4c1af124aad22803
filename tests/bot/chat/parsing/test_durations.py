"""How long something is to last, as people say it in six languages."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.parsing.durations import parse_end, parse_length

NOW = dt.datetime(2026, 11, 25, 14, 0, tzinfo=dt.UTC)
"""A Wednesday."""


@pytest.mark.parametrize(
    ("typed", "seconds"),
    [
        ("half a minute", 30),
        ("half minute", 30),
        ("½ minute", 30),
        ("a minute", 60),
        ("one minute", 60),
        ("a minute and a half", 90),
        ("one and a half minutes", 90),
        ("1.5 minutes", 90),
        ("thirty seconds", 30),
        ("forty-five seconds", 45),
        ("a couple of minutes", 120),
        ("a quarter of an hour", 900),
        ("three quarters of an hour", 2700),
        ("an hour and a quarter", 4500),
        ("two and a half hours", 9000),
        ("for the next two hours", 7200),
        ("1 h 30", 5400),
        ("1h30m", 5400),
        ("a week", 604_800),
        ("eine halbe Minute", 30),
        ("eine Minute", 60),
        ("anderthalb Minuten", 90),
        ("eineinhalb Stunden", 5400),
        ("eine Viertelstunde", 900),
        ("dreißig Sekunden", 30),
        ("1,5 Stunden", 5400),
        ("zwei Stunden lang", 7200),
        ("medio minuto", 30),
        ("un minuto y medio", 90),
        ("media hora", 1800),
        ("tres cuartos de hora", 2700),
        ("cuarenta y cinco segundos", 45),
        ("une demi-minute", 30),
        ("une minute et demie", 90),
        ("un quart d'heure", 900),
        ("un quart d’heure", 900),
        ("quarante-cinq secondes", 45),
        ("mezzo minuto", 30),
        ("mezz'ora", 1800),
        ("un'ora e mezza", 5400),
        ("un minuto e mezzo", 90),
        ("meio minuto", 30),
        ("meia hora", 1800),
        ("um minuto e meio", 90),
        ("30 min.", 1800),
        ("twenty-five minutes", 1500),
        ("seventeen minutes", 1020),
        ("seventy minutes", 4200),
        ("ninety five minutes", 5700),
        ("a hundred and twenty minutes", 7200),
        ("two and a quarter hours", 8100),
        ("einundzwanzig Minuten", 1260),
        ("fünfundachtzig Minuten", 5100),
        ("neunundneunzig Minuten", 5940),
        ("veintiuno minutos", 1260),
        ("veintiún minutos", 1260),
        ("veintidós minutos", 1320),
        ("treinta y un minutos", 1860),
        ("ochenta y dos minutos", 4920),
        ("unas dos horas", 7200),
        ("unos veinte minutos", 1200),
        ("unos 20 minutos", 1200),
        ("unos minutos", 180),
        ("vingt et un minutes", 1260),
        ("vingt-et-une minutes", 1260),
        ("dix-sept minutes", 1020),
        ("soixante-dix minutes", 4200),
        ("soixante et onze minutes", 4260),
        ("soixante-dix-neuf minutes", 4740),
        ("septante-cinq minutes", 4500),
        ("quatre-vingt minutes", 4800),
        ("quatre-vingts minutes", 4800),
        ("quatre-vingt-deux minutes", 4920),
        ("quatre-vingt-dix minutes", 5400),
        ("quatre-vingt-quinze minutes", 5700),
        ("quatre-vingt-dix-neuf minutes", 5940),
        ("nonante minutes", 5400),
        ("cent vingt minutes", 7200),
        ("ventuno minuti", 1260),
        ("ventun minuti", 1260),
        ("ventotto minuti", 1680),
        ("trentatré minuti", 1980),
        ("novantacinque minuti", 5700),
        ("vinte e cinco minutos", 1500),
        ("trinta e um minutos", 1860),
        ("oitenta minutos", 4800),
        ("two three hours", None),
        ("two 3 hours", None),
        ("2 three hours", None),
        ("20 five minutes", None),
        ("ten fifteen minutes", None),
        ("twenty four five minutes", None),
        ("half two hours", None),
        ("two and three quarters hours", None),
        ("drei zwei Stunden", None),
        ("dix vingt minutes", None),
        ("0 s", 0),
        ("23-7", None),
        ("-5 s", None),
        ("hour", None),
        ("30", None),
        ("half", None),
        ("once", None),
        ("Arsenal", None),
        ("1.000 s", None),
    ],
)
def test_a_length_of_time_is_read_as_people_say_it(typed: str, seconds: int | None) -> None:
    length = parse_length(typed)

    assert (None if length is None else length.total_seconds()) == seconds


def test_a_number_alone_has_the_unit_of_the_command() -> None:
    assert parse_length("45", "s") == dt.timedelta(seconds=45)
    assert parse_length("thirty", "s") == dt.timedelta(seconds=30)
    assert parse_length("2", "m") == dt.timedelta(minutes=2)


@given(st.text(max_size=30))
def test_no_text_makes_it_fail_and_no_length_is_negative(typed: str) -> None:
    length = parse_length(typed, "s")

    assert length is None or length >= dt.timedelta()
    assert (end := parse_end(typed, NOW, "Europe/Madrid")) is None or end > NOW


@pytest.mark.parametrize(
    ("typed", "end"),
    [
        ("tonight", "26 07:00"),
        ("heute Nacht", "26 07:00"),
        ("until tomorrow morning", "26 07:00"),
        ("todo el día", "26 07:00"),
        ("the weekend", "30 07:00"),
        ("übers Wochenende", "30 07:00"),
        ("until 9pm", "25 21:00"),
        ("until 9", "25 21:00"),
        ("until 4", "25 16:00"),
        ("until 21:30", "25 21:30"),
        ("until 9am", "26 09:00"),
        ("until noon", "26 12:00"),
        ("until midnight", "26 00:00"),
        ("until Monday", "30 07:00"),
        ("until Wednesday", "02 07:00"),
        ("until tomorrow 9am", "26 09:00"),
        ("until 9am tomorrow", "26 09:00"),
        ("bis 21 Uhr", "25 21:00"),
        ("bis Montag um 9 Uhr", "30 09:00"),
        ("hasta las 9", "25 21:00"),
        ("hasta el lunes", "30 07:00"),
        ("jusqu'à 21h", "25 21:00"),
        ("jusqu’à demain", "26 07:00"),
        ("jusqu'à minuit", "26 00:00"),
        ("fino alle 21", "25 21:00"),
        ("fino a lunedì", "30 07:00"),
        ("até as 21h", "25 21:00"),
        ("até amanhã", "26 07:00"),
        ("until Arsenal", None),
        ("9pm", None),
        ("until", None),
    ],
)
def test_an_end_is_read_in_the_time_zone_of_the_chat(typed: str, end: str | None) -> None:
    # An hour ahead of UTC: it is three in the afternoon there.
    found = parse_end(typed, NOW, "Europe/Madrid")

    assert (found and (found + dt.timedelta(hours=1)).strftime("%d %H:%M")) == end


@pytest.mark.parametrize(
    ("typed", "end"),
    [
        *((words, "26 07:00") for words in ("until tonight", "until today", "hasta hoy", "hasta esta noche", "bis heute")),
        *((words, "26 07:00") for words in ("bis heute Abend", "jusqu’à ce soir", "jusqu’à aujourd’hui", "fino a stasera")),
        *((words, "26 07:00") for words in ("fino ad oggi", "fino a oggi", "até hoje", "até hoje à noite", "until this evening")),
        ("until tonight 9pm", "25 21:00"),
        ("until 9 tonight", "25 21:00"),
        ("until 9:30 tonight", "25 21:30"),
        ("bis heute Abend um 9", "25 21:00"),
        ("hasta las 9 de esta noche", "25 21:00"),
        ("jusqu’à 21h ce soir", "25 21:00"),
        ("until midnight tonight", "26 00:00"),
        ("until 12 tonight", "26 00:00"),
        ("until 1am tonight", "26 01:00"),
        ("until today 9", "25 21:00"),
        ("until midnight today", "26 00:00"),
        ("until Wednesday 9am", "02 09:00"),
        ("until Wednesday 9pm", "25 21:00"),
        ("until 26.11.", "26 07:00"),
        ("until 25.11. 21:00", "25 21:00"),
        ("until 21.10", "25 21:10"),
        ("until 5.3.", "05 07:00"),
        ("until today 9am", None),
        ("until 9am today", None),
        ("hasta hoy 9am", None),
        ("until yesterday", None),
        ("until yesterday 9pm", None),
        ("bis gestern", None),
        ("until 25.11.", None),
        ("until 24.11.", None),
        ("until 5.10.", None),
        ("until 2026-11-24", None),
        ("until 2025-12-24", None),
    ],
)
def test_only_a_day_of_the_week_comes_again_after_its_end(typed: str, end: str | None) -> None:
    test_an_end_is_read_in_the_time_zone_of_the_chat(typed, end)


@pytest.mark.parametrize("typed", ["tonight", "until tonight", "until today", "until 7am today"])
def test_before_seven_the_night_that_is_on_ends_the_same_morning(typed: str) -> None:
    found = parse_end(typed, NOW.replace(hour=0, minute=30), "Europe/Madrid")

    assert found == NOW.replace(hour=6)


def test_a_date_that_is_long_over_is_of_the_next_year() -> None:
    assert parse_end("until 5.3.", NOW, "UTC") == dt.datetime(2027, 3, 5, 7, tzinfo=dt.UTC)
    assert parse_end("until 5.3.", dt.datetime(2026, 3, 6, 12, tzinfo=dt.UTC), "UTC") is None
