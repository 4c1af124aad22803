"""Reads how long something is to last: `half an hour`, `90 min`, `tonight`, `until 9pm`. Words of all six languages are read."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from bot.chat.plain_words import JOINING_WORDS, parse_clock, parse_day
from bot.i18n.language import to_local_time
from rules.football.names import normalise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> frozenset[str]:
    return frozenset(text.split(","))


_UNITS = {
    "w": "w week weeks woche wochen semana semanas semaine semaines settimana settimane",
    "d": "d day days tag tage tagen dia dias jour jours j giorno giorni g",
    "h": "h hr hrs hour hours stunde stunden std hora horas heure heures ora ore uur",
    "m": "m min mins minute minutes minuten minuto minutos minuti",
    "s": "s sec secs second seconds sek sekunde sekunden seg segs segundo segundos seconde secondes secondo secondi",
}
_UNIT_BY_WORD = {word: unit for unit, words in _UNITS.items() for word in words.split()}

_SECONDS = {"w": 604_800, "d": 86_400, "h": 3600, "m": 60, "s": 1}

_UNIT_BELOW = {"w": "d", "d": "h", "h": "m", "m": "s"}

_ARTICLES = _words("a an ein eine einen einer una un une uma um")
"""One of something. Before another number they mean nothing: "a couple of hours"."""

_NUMBERS = {
    1: "one eins uno",
    1.5: "anderthalb eineinhalb",
    2: "two zwei dos deux due dois duas couple par coppia paio",
    2.5: "zweieinhalb",
    3: "three drei tres trois tre few paar unas unos quelques qualche algumas alguns",
    4: "four vier cuatro quatre quattro quatro",
    5: "five funf cinco cinq cinque",
    6: "six sechs seis sei",
    7: "seven sieben siete sept sette sete",
    8: "eight acht ocho huit otto oito",
    9: "nine neun nueve neuf nove",
    10: "ten zehn diez dix dieci dez",
    11: "eleven elf once onze undici",
    12: "twelve zwolf doce douze dodici doze",
    15: "fifteen funfzehn quince quinze quindici",
    20: "twenty zwanzig veinte vingt venti vinte",
    24: "vierundzwanzig veinticuatro ventiquattro",
    25: "funfundzwanzig veinticinco venticinque",
    30: "thirty dreissig treinta trente trenta trinta",
    40: "forty vierzig cuarenta quarante quaranta quarenta",
    45: "funfundvierzig quarantacinque",
    50: "fifty funfzig cincuenta cinquante cinquanta cinquenta",
    60: "sixty sechzig sesenta soixante sessanta sessenta",
    90: "ninety neunzig noventa novanta",
}
_NUMBER_BY_WORD = {word: float(number) for number, words in _NUMBERS.items() for word in words.split()}

_HALF = _words("half halb halbe halben halber media medio demi demie mezza mezzo mezz meia meio")

_QUARTER = _words("quarter quarters viertel cuarto cuartos quart quarts quarto quarti quartos")

_QUARTER_HOURS = {"viertelstunde": 15, "dreiviertelstunde": 45}
"""Words that are a number and its unit, in minutes."""

_FILLERS = JOINING_WORDS | _words(
    "of de d di lang long durante pendant the la le les las il lo gli os as los die der den next "
    "nachsten proxima proximas prossima prossime prochaine prochaines about etwa more mehr mas piu mais"
)
"""Words beside a length of time that do not change it."""

MORNING = dt.time(7)
"""The end of "tonight", and of a mute that names only a day."""

_MAX_DIGITS = 6

_TONIGHT = _phrases(
    "tonight,until morning,until tomorrow,until tomorrow morning,until the morning,till tomorrow,till morning,overnight,today,"
    "all day,for today,all night,for the night,the night,rest of the day,for the rest of the day,"
    "heute nacht,heute abend,bis morgen,bis morgen fruh,heute,fur heute,den ganzen tag,die ganze nacht,"
    "esta noche,hasta manana,hoy,por hoy,todo el dia,toda la noche,"
    "ce soir,cette nuit,jusqu'a demain,jusqu'a demain matin,aujourd'hui,pour aujourd'hui,toute la journee,toute la nuit,"
    "stanotte,stasera,fino a domani,fino a domattina,oggi,per oggi,tutto il giorno,tutta la notte,"
    "esta noite,hoje a noite,ate amanha,hoje,por hoje,o dia todo,o dia inteiro,a noite toda"
)
"""Until the next morning."""

_WEEKEND = _phrases(
    "weekend,the weekend,this weekend,all weekend,for the weekend,am wochenende,ubers wochenende,das wochenende,"
    "el fin de semana,este fin de semana,todo el fin de semana,le week-end,ce week-end,tout le week-end,le weekend,ce weekend,"
    "il weekend,nel weekend,questo weekend,il fine settimana,o fim de semana,este fim de semana,neste fim de semana"
)
"""Until Monday morning."""

_UNTIL = re.compile(
    r"(?:until|till|til|bis zum|bis um|bis|hasta las|hasta la|hasta el|hasta|jusqu'au|jusqu'a|fino alle|fino al|fino a|"
    r"ate as|ate o|ate a|ate)\s+(.+)"
)

_CLOCK_WORDS = {
    **dict.fromkeys(("noon", "midday", "mittag", "mediodia", "midi", "mezzogiorno", "meio-dia"), 12 * 60),
    **dict.fromkeys(("midnight", "mitternacht", "medianoche", "minuit", "mezzanotte", "meia-noite"), 0),
}
"""Hours of the day that have a name, in minutes after midnight."""


class _Number(NamedTuple):
    """A number that is being read, word by word."""

    value: float
    is_article: bool = False
    """True: no more than "a" was read yet, which is no number of its own in "a couple of hours"."""
    is_share: bool = False
    """True: it ends with a half or a quarter, whose unit may stand before it: "an hour and a half"."""


def parse_length(text: str, default_unit: str = "") -> dt.timedelta | None:
    """Read `1 hour`, `90 min`, `1h30m`, `half a minute`, `anderthalb Stunden`; None if it is no length of time.

    A number alone is counted in `default_unit` (one of w d h m s); without one it is none.
    """
    total, number, unit = 0.0, None, ""
    for word in _split_words(text):
        if number is not None and word in _UNIT_BY_WORD:
            unit = _UNIT_BY_WORD[word]
            total, number = total + number.value * _SECONDS[unit], None
        elif word in _QUARTER_HOURS:
            total, number, unit = total + _QUARTER_HOURS[word] * 60, None, "m"
        elif word not in _FILLERS:
            number = _read_number(word, number)
            if number is None:
                return None
    if number is not None:
        # "an hour and a half" is of the unit before, `1 h 30` of the unit below it.
        unit = unit if number.is_share else _UNIT_BELOW.get(unit, default_unit)
        if not unit:
            return None
        total += number.value * _SECONDS[unit]
    # Zero has to be typed: "the" is no length of time.
    return dt.timedelta(seconds=round(total)) if total or re.search(r"\d", text) else None


def _split_words(text: str) -> list[str]:
    typed = re.sub(r"\bd'", " ", normalise(text.replace("½", " half ")))
    # Behind letters these join or shorten words: mezz'ora, demi-heure, min.
    typed = re.sub(r"(?<=[^\W\d_])[-'.,]", " ", typed)
    return re.findall(r"\d+(?:[.,]\d{1,2}(?!\d))?|[^\W\d_]+|[^\w\s]", typed)


def _read_number(word: str, before: _Number | None) -> _Number | None:
    """Return the number that a word makes with what was read before it; None if it makes none."""
    known = before.value if before and not before.is_article else None
    if word[0].isdecimal():
        return _Number(float(word.replace(",", "."))) if word.isascii() and len(word) <= _MAX_DIGITS and known is None else None
    if word in _ARTICLES:
        # "half an hour"
        return before or _Number(1.0, is_article=True)
    if word in _HALF:
        # "two and a half hours", but "a half hour"
        return _Number(0.5 + (known or 0), is_share=True)
    if word in _QUARTER:
        # "three quarters of an hour"
        return _Number(0.25 * (known or 1), is_share=True)
    if word not in _NUMBER_BY_WORD:
        return None
    # "forty five"
    ones = _NUMBER_BY_WORD[word]
    return _Number(known + ones if known is not None and known >= 20 and ones < 10 else ones)


def parse_end(text: str, now: dt.datetime, timezone: str) -> dt.datetime | None:
    """Return when "tonight", "the weekend", "until 9pm" or "bis Montag" ends in the time zone; None for anything else.

    A day without an hour ends in its morning, "tonight" the next morning.
    """
    typed, here = normalise(text), to_local_time(now, timezone)
    if typed in _TONIGHT:
        # At one in the morning "tonight" still means the night that is on.
        day = here.date() if here.time() < MORNING else here.date() + dt.timedelta(days=1)
        return dt.datetime.combine(day, MORNING, here.tzinfo).astimezone(dt.UTC)
    if typed in _WEEKEND:
        monday = here.date() + dt.timedelta(days=7 - here.weekday())
        return dt.datetime.combine(monday, MORNING, here.tzinfo).astimezone(dt.UTC)
    found = _UNTIL.fullmatch(typed)
    try:
        return _parse_until(found[1], here) if found else None
    except OverflowError:  # beyond the last year that Python knows
        return None


def _parse_until(words: str, here: dt.datetime) -> dt.datetime | None:
    """Read what stands after "until": a day, an hour of the day, or both in either order. `here` is the local time."""
    first, _space, rest = words.partition(" ")
    before, _space, last = words.rpartition(" ")
    for day_word, clock_words in ((words, ""), (first, rest), (last, before), ("", words)):
        day = parse_day(day_word, here.date()) if day_word else None
        minutes = _parse_hour(clock_words) if clock_words else MORNING.hour * 60
        if minutes is None or (day_word and day is None):
            continue
        if day is None and clock_words.isdecimal() and 1 <= int(clock_words) <= 12:
            # "until 9": whichever of the two comes first.
            minutes = min(minutes % 720, minutes % 720 + 720, key=lambda at: _at(here, here.date(), at) <= here)
        end = _at(here, day or here.date(), minutes)
        if end <= here:
            # The hour has passed, or it is that day of the week.
            end = _at(here, end.date() + dt.timedelta(days=7 if day_word else 1), minutes)
        return end.astimezone(dt.UTC) if end > here else None
    return None


def _parse_hour(words: str) -> int | None:
    """Return minutes after midnight of an hour such as "9pm", "um 21 Uhr" or "midnight"; None if it is none."""
    words = re.sub(r"^(?:at|um|a las|a la|a|alle|as|las)\s+", "", words)
    return _CLOCK_WORDS[words] if words in _CLOCK_WORDS else parse_clock(words)


def _at(here: dt.datetime, day: dt.date, minutes: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(minutes // 60, minutes % 60), here.tzinfo)
