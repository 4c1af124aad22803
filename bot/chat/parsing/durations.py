"""Reads how long something is to last: `half an hour`, `90 min`, `tonight`, `until 9pm`. Words of all six languages are read."""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from bot.chat.parsing.plain_words import JOINING_WORDS, is_weekday, parse_clock, parse_day
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

_ONE_AFTER_TENS = _words("un una une um uma")
"""The articles that are also a number: "vingt et un", "trinta e uma"."""

_NUMBERS = {
    1: "one eins uno",
    1.5: "anderthalb eineinhalb",
    2: "two zwei dos deux due dois duas",
    2.5: "zweieinhalb",
    3: "three drei tres trois tre",
    4: "four vier cuatro quatre quattro quatro",
    5: "five funf cinco cinq cinque",
    6: "six sechs seis sei",
    7: "seven sieben siete sept sette sete",
    8: "eight acht ocho huit otto oito",
    9: "nine neun nueve neuf nove",
    10: "ten zehn diez dix dieci dez",
    11: "eleven elf once onze undici",
    12: "twelve zwolf doce douze dodici doze",
    13: "thirteen dreizehn trece treize tredici treze",
    14: "fourteen vierzehn catorce quatorze quattordici catorze",
    15: "fifteen funfzehn quince quinze quindici",
    16: "sixteen sechzehn dieciseis seize sedici dezesseis dezasseis",
    17: "seventeen siebzehn diecisiete diciassette dezessete dezassete",
    18: "eighteen achtzehn dieciocho diciotto dezoito",
    19: "nineteen neunzehn diecinueve diciannove dezenove dezanove",
    20: "twenty zwanzig veinte vingt vingts venti vinte",
    21: "veintiun veintiuna",
    30: "thirty dreissig treinta trente trenta trinta",
    40: "forty vierzig cuarenta quarante quaranta quarenta",
    50: "fifty funfzig cincuenta cinquante cinquanta cinquenta",
    60: "sixty sechzig sesenta soixante sessanta sessenta",
    70: "seventy siebzig setenta septante settanta",
    80: "eighty achtzig ochenta huitante octante ottanta oitenta",
    90: "ninety neunzig noventa nonante novanta",
    100: "hundred hundert einhundert cien ciento cent cento cem",
    120: "hundertzwanzig centoventi",
}

_ONES_IN_ONE_WORD = (
    ("ein", "uno", "uno"),
    ("zwei", "dos", "due"),
    ("drei", "tres", "tre"),
    ("vier", "cuatro", "quattro"),
    ("funf", "cinco", "cinque"),
    ("sechs", "seis", "sei"),
    ("sieben", "siete", "sette"),
    ("acht", "ocho", "otto"),
    ("neun", "nueve", "nove"),
)
"""1 to 9 in German, Spanish and Italian, which write 21 as one word."""


def _list_number_words() -> dict[str, float]:
    """Return every number that is a word of its own, with the compounds of German, Spanish and Italian."""
    numbers = {word: float(number) for number, words in _NUMBERS.items() for word in words.split()}
    for one, (german, spanish, italian) in enumerate(_ONES_IN_ONE_WORD, start=1):
        numbers[f"veinti{spanish}"] = 20.0 + one
        for tens in ("zwanzig", "dreissig", "vierzig", "funfzig", "sechzig", "siebzig", "achtzig", "neunzig"):
            numbers[f"{german}und{tens}"] = numbers[tens] + one
        for tens in ("venti", "trenta", "quaranta", "cinquanta", "sessanta", "settanta", "ottanta", "novanta"):
            # The tens lose their last letter before a vowel, and "uno" its own before a noun: ventotto, trentun minuti.
            word = f"{tens[:-1] if italian[0] in 'uo' else tens}{italian}"
            numbers[word] = numbers[word.removesuffix("o") if one == 1 else word] = numbers[tens] + one
    return numbers


_NUMBER_BY_WORD = _list_number_words()

_FRENCH_TEENS = _words("dix onze douze treize quatorze quinze seize")
"""What follows 60 and 80 in French: "soixante-dix", "quatre-vingt-onze"."""

_FEW = {
    **dict.fromkeys(("couple", "par", "coppia", "paio"), 2.0),
    **dict.fromkeys(("few", "paar", "quelques", "qualche", "algumas", "alguns"), 3.0),
}

_ABOUT = _words("unos unas uns umas")
"""Some; before a number they mean about: "unas dos horas"."""

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

_MORNING, _FIVE, _HALF_DAY, _ONE_PM = MORNING.hour * 60, 5 * 60, 12 * 60, 13 * 60
"""In minutes after midnight."""

_MAX_DIGITS = 6

_TONIGHT = _phrases(
    "tonight,this evening,"
    "until morning,until tomorrow,until tomorrow morning,until the morning,till tomorrow,till morning,overnight,today,"
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
    r"(?:until|till|til|bis zum|bis um|bis|hasta las|hasta la|hasta el|hasta|jusqu'au|jusqu'a|fino alle|fino al|fino ad|fino a|"
    r"ate as|ate o|ate a|ate)\s+(.+)"
)

_EVENING = re.compile(
    r"\b(?:this evening|heute abend|heute nacht|(?:de )?esta noche|"
    r"ce soir|cette nuit|(?:de )?esta noite|hoje a noite|stasera|stanotte)\b"
)
"""What "tonight" is called beside an hour: `bis heute Abend um 9`."""

_TODAY = _words("today heute hoy aujourd'hui oggi hoje")

_CLOCK_WORDS = {
    **dict.fromkeys(("noon", "midday", "mittag", "mediodia", "midi", "mezzogiorno", "meio-dia"), 12 * 60),
    **dict.fromkeys(("midnight", "mitternacht", "medianoche", "minuit", "mezzanotte", "meia-noite"), 0),
}
"""Hours of the day that have a name, in minutes after midnight."""


class _Number(NamedTuple):
    """A number that is being read, word by word."""

    value: float
    is_article: bool = False
    """True: no more than "a" or "unos" was read yet, which is no number of its own in "a couple of hours"."""
    is_share: bool = False
    """True: it ends with a half or a quarter, whose unit may stand before it: "an hour and a half"."""
    is_digits: bool = False
    before_article: bool = False
    """True: an article stands behind it, as in "two and a quarter hours"; in "three quarters" there is none."""


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
        is_number = word.isascii() and len(word) <= _MAX_DIGITS and known is None
        return _Number(float(word.replace(",", ".")), is_digits=True) if is_number else None
    if word in _ARTICLES:
        return _add_article(word, before)
    if word in _ABOUT:
        return _Number(3.0, is_article=True) if known is None else None
    if before and before.is_share:
        return None
    if word in _HALF:
        # "two and a half hours", but "a half hour"
        return _Number(0.5 + (known or 0), is_share=True)
    if word in _QUARTER:
        # "two and a quarter hours", but "three quarters of an hour"
        is_added = before is not None and before.before_article
        return _Number(0.25 + (known or 0) if is_added else 0.25 * (known or 1), is_share=True)
    if known is None:
        value = _FEW.get(word, _NUMBER_BY_WORD.get(word))
    else:
        value = _add_number_word(known, word) if before and not before.is_digits and not before.before_article else None
    return None if value is None else _Number(value)


def _add_article(word: str, before: _Number | None) -> _Number | None:
    """Return the number with an article behind it, which counts only in "vingt et un"."""
    if before is None:
        return _Number(1.0, is_article=True)
    if word in _ONE_AFTER_TENS and not before.is_digits and not before.is_share and before.value >= 20 and before.value % 10 == 0:
        return _Number(before.value + 1)
    # "half an hour"
    return before._replace(before_article=True)


def _add_number_word(known: float, word: str) -> float | None:
    """Return what a number word makes with the one before it, as in "forty five"; None if the two are no number together."""
    added = _NUMBER_BY_WORD.get(word)
    if added is None or known % 1 or added % 1:
        return None
    if known == 4 and word in ("vingt", "vingts"):
        return 80
    if (known == 100 and added < 100) or (known >= 20 and known % 10 == 0 and added < 10):
        return known + added
    if known in (60, 80, 160, 180) and word in _FRENCH_TEENS:
        return known + added
    # dix-sept
    return known + added if known in (10, 110) and word in ("sept", "huit", "neuf") else None


def parse_end(text: str, now: dt.datetime, timezone: str) -> dt.datetime | None:
    """Return when "tonight", "the weekend", "until 9pm" or "bis Montag" ends in the time zone; None for anything else.

    A day without an hour ends in its morning, "tonight" the next morning.
    """
    typed, here = normalise(text), to_local_time(now, timezone)
    found = _UNTIL.fullmatch(typed)
    try:
        if typed in _TONIGHT or (found and found[1] in _TONIGHT):
            return _find_end_of_tonight(here).astimezone(dt.UTC)
        if typed in _WEEKEND:
            return _at(here, here.date() + dt.timedelta(days=7 - here.weekday()), _MORNING).astimezone(dt.UTC)
        return _parse_until(found[1], here) if found else None
    except OverflowError:  # beyond the last year that Python knows
        return None


def _find_end_of_tonight(here: dt.datetime) -> dt.datetime:
    # At one in the morning "tonight" still means the night that is on.
    day = here.date() if here.time() < MORNING else here.date() + dt.timedelta(days=1)
    return _at(here, day, _MORNING)


def _parse_until(words: str, here: dt.datetime) -> dt.datetime | None:
    """Read what stands after "until": a day, an hour of the day, or both in either order. `here` is the local time.

    None also for what is past, so that the chat is asked what was meant.
    """
    words = _EVENING.sub("tonight", words)
    first, _space, rest = words.partition(" ")
    before, _space, last = words.rpartition(" ")
    for day_word, clock_words in ((words, ""), (first, rest), (last, before), ("", words)):
        day = parse_day(day_word, here.date()) if day_word else None
        minutes = _parse_hour(clock_words) if clock_words else _MORNING
        if minutes is None or (day_word and day is None):
            continue
        if day is None or day_word in _TODAY or day_word == "tonight":
            end = _find_next(here, minutes, clock_words, is_tonight=day_word == "tonight")
            # "until midnight tonight" is tomorrow by the calendar; "until today 9am" is past at ten.
            if day and end.date() > here.date() and end > _find_end_of_tonight(here):
                continue
        else:
            end = _at(here, day, minutes)
            if end <= here and is_weekday(day_word):
                end = _at(here, day + dt.timedelta(days=7), minutes)
        # A date that is past may be an hour: 21.10.
        if end > here:
            return end.astimezone(dt.UTC)
    return None


def _find_next(here: dt.datetime, minutes: int, clock_words: str, *, is_tonight: bool) -> dt.datetime:
    """Return when an hour of the day comes next. A plain 9 is whichever of the two comes first, or that of the evening."""
    if is_tonight and minutes < _ONE_PM and not clock_words.rstrip(".").endswith("m"):
        # From five in the evening until five in the morning.
        minutes %= _HALF_DAY
        minutes += _HALF_DAY if minutes >= _FIVE else 0
    elif clock_words.isdecimal() and 1 <= int(clock_words) <= 12:
        minutes = min(minutes % _HALF_DAY, minutes % _HALF_DAY + _HALF_DAY, key=lambda at: _at(here, here.date(), at) <= here)
    end = _at(here, here.date(), minutes)
    return end if end > here else _at(here, here.date() + dt.timedelta(days=1), minutes)


def _parse_hour(words: str) -> int | None:
    """Return minutes after midnight of an hour such as "9pm", "um 21 Uhr" or "midnight"; None if it is none."""
    words = re.sub(r"^(?:at|um|a las|a la|a|alle|as|las)\s+", "", words)
    return _CLOCK_WORDS[words] if words in _CLOCK_WORDS else parse_clock(words)


def _at(here: dt.datetime, day: dt.date, minutes: int) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(minutes // 60, minutes % 60), here.tzinfo)
