"""Reads what people write in plain words, alike for every command: on and off, lengths of time, hours of the day, days.

The words of all six languages are read in every chat: who writes German in an English chat is understood.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache

from babel import Locale

from bot.i18n.language import to_local_time
from bot.subscribers import QuietHours
from rules.engine.text import LANGUAGES
from rules.football.names import normalise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ON = _words("on yes start enable ein an ja si activar encender oui activer acceso attiva sim ligar ativar")

_OFF = _words(
    "off no none never stop disable aus nein keine nie apagar desactivar nunca non desactiver jamais aucun spento "
    "disattiva mai nao desligar desativar zero"
)

_UNITS = {
    "d": "d day days tag tage tagen dia dias jour jours j giorno giorni g",
    "h": "h hr hrs hour hours stunde stunden std hora horas heure heures ora ore uur",
    "m": "m min mins minute minutes minuten minuto minutos minuti",
    "s": "s sec secs second seconds sek sekunde sekunden seg segundo segundos seconde secondes secondo secondi",
}
_UNIT_BY_WORD = {word: unit for unit, words in _UNITS.items() for word in words.split()}

_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}

_NUMBER_WORDS = dict.fromkeys(["a", "an", "one", "eine", "einer", "ein", "una", "un", "une", "uma", "um", "eins"], 1)

JOINING_WORDS = _words("and und y et e for fur por pour per & + with mit con avec com")
"""Words between the parts of what is typed, which mean nothing."""

ONLY_WORDS = _words("only just nur solo solamente seulement uniquement soltanto solamente so somente apenas")

EVERY_WORDS = _words("everything all every alles alle todo todos tout tous tutto tutti tudo notifications alerts")

_TONIGHT = frozenset(
    {
        "tonight", "until morning", "until tomorrow", "overnight", "heute nacht", "heute abend", "bis morgen", "esta noche",
        "hasta manana", "ce soir", "cette nuit", "jusqu'a demain", "stanotte", "stasera", "fino a domani", "esta noite",
        "hoje a noite", "ate amanha",
    }
)  # fmt: skip

MORNING = dt.time(7)
"""The end of "tonight"."""

_NIGHT = _words("night nights nacht nachts noche noches nuit notte noite")

DEFAULT_QUIET_HOURS = QuietHours(23 * 60, 7 * 60)
"""What "on" and "night" mean for quiet hours."""

_HOLD = _words("hold summary later collect zusammenfassung gesammelt resumen resume riepilogo resumo")

_SILENT = _words("silent silently quiet mute stumm lautlos leise silencio silencioso silence silencieux silenzio muto")

_CLOCK = r"(\d{1,2})(?:[:.h](\d{2}))?\s*(a\.?m\.?|p\.?m\.?|uhr|h)?"
_SPAN = re.compile(
    rf"(?:from |von |de |desde |dalle |das |between )?(?:las )?{_CLOCK}"
    rf"(?:\s*[-–—−]\s*|\s+(?:to|till|until|bis|a|hasta|alle|as|ate|and)\s+(?:las )?|\s+){_CLOCK}(?:\s+(.+))?"
)

_DAYS = {
    -1: "yesterday gestern ayer hier ieri ontem",
    0: "today tonight heute hoy aujourd'hui oggi hoje",
    1: "tomorrow tmrw morgen manana demain domani amanha",
}
_DAY_BY_WORD = {word: distance for distance, words in _DAYS.items() for word in words.split()}


def parse_on_off(text: str) -> bool | None:
    """Return True for a word for on, False for one for off, None for anything else."""
    word = normalise(text)
    return True if word in _ON else False if word in _OFF else None


def parse_length(text: str, default_unit: str = "") -> dt.timedelta | None:
    """Read `1 hour`, `90 min`, `1h30m`, `2 Stunden`; None if it is no length of time.

    A number alone is counted in `default_unit` (one of d h m s); without one it is none.
    """
    total, number, unit = 0, None, ""
    for part in re.findall(r"\d+|[^\W\d_]+|[^\w\s]", normalise(text)):
        if part.isascii() and part.isdecimal():
            if number is not None or len(part) > 6:
                return None
            number = int(part)
        elif part in _UNIT_BY_WORD and (number is not None):
            unit = _UNIT_BY_WORD[part]
            total, number = total + number * _SECONDS[unit], None
        elif part in _NUMBER_WORDS and number is None:
            number = _NUMBER_WORDS[part]
        elif part not in JOINING_WORDS:
            return None
    if number is not None:
        # `1 h 30`: the number at the end is of the unit below.
        unit = {"d": "h", "h": "m", "m": "s"}.get(unit, default_unit)
        if not unit:
            return None
        total += number * _SECONDS[unit]
    return dt.timedelta(seconds=total) if total or re.search(r"\d", text) else None


def parse_tonight(text: str, now: dt.datetime, timezone: str) -> dt.datetime | None:
    """Return the next morning in the time zone for words such as "tonight"; None for anything else."""
    if normalise(text) not in _TONIGHT:
        return None
    here = to_local_time(now, timezone)
    # At one in the morning "tonight" still means the night that is on.
    day = here.date() if here.time() < MORNING else here.date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, MORNING, here.tzinfo).astimezone(dt.UTC)


def parse_hours(text: str) -> QuietHours | None:
    """Read `23-7`, `11pm-7am`, `23:00 07:00 hold`, `von 23 bis 7 Uhr`, `night`; None if it is no span of a day."""
    typed = normalise(text)
    if parse_on_off(typed) is True or typed in _NIGHT:
        return DEFAULT_QUIET_HOURS
    if typed in _HOLD:
        return QuietHours(DEFAULT_QUIET_HOURS.start, DEFAULT_QUIET_HOURS.end, holds_alerts=True)
    found = _SPAN.fullmatch(typed)
    if found is None:
        return None
    words = (found[7] or "").split()
    if any(word not in _HOLD | _SILENT for word in words):
        return None
    start, end = _read_clock(found[1], found[2], found[3]), _read_clock(found[4], found[5], found[6])
    if start is None or end is None or start == end:
        return None
    return QuietHours(start, end, holds_alerts=any(word in _HOLD for word in words))


def _read_clock(hour: str, minute: str | None, half: str | None) -> int | None:
    """Return minutes after midnight; None if there is no such time."""
    hours, minutes = int(hour), int(minute or 0)
    if half and half[0] in "ap":
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half[0] == "p" else 0)
    # 24:00 is how people write the end of the day.
    hours = 0 if hours == 24 and not minutes else hours
    return hours * 60 + minutes if hours < 24 and minutes < 60 else None


def parse_day(text: str, today: dt.date) -> dt.date | None:
    """Return the day that "tomorrow", "Saturday" or "22.11." means; None if it is none."""
    word = normalise(text)
    if word in _DAY_BY_WORD:
        return today + dt.timedelta(days=_DAY_BY_WORD[word])
    if word in _weekdays():
        # The next one, and today if it is that day.
        return today + dt.timedelta(days=(_weekdays()[word] - today.weekday()) % 7)
    found = re.fullmatch(r"(?:(\d{4})-(\d{2})-(\d{2}))|(?:(\d{1,2})[./](\d{1,2})\.?)", word)
    if found is None:
        return None
    year, month, day = (int(found[at]) for at in (1, 2, 3)) if found[1] else (today.year, int(found[5]), int(found[4]))
    try:
        date = dt.date(year, month, day)
        # Without a year, one that is long over is of the next year.
        return date if found[1] or date > today - dt.timedelta(days=180) else date.replace(year=year + 1)
    except ValueError:
        return None


@cache
def _weekdays() -> dict[str, int]:
    """Return the weekdays by name and by three letters, in every language; Monday is 0."""
    days = {}
    for language in LANGUAGES:
        for width in ("abbreviated", "wide"):
            for number, name in Locale(language).days["format"][width].items():
                days[normalise(name).rstrip(".")] = number
    return days
