"""Reads what people write in plain words, alike for every command: on and off, hours of the day, days.

The words of all six languages are read in every chat: who writes German in an English chat is understood.
"""

from __future__ import annotations

import datetime as dt
import re
from functools import cache

from babel import Locale

from bot.i18n.language import CHOICES
from bot.quiet_hours import QuietHours
from rules.engine.text import LANGUAGES
from rules.football.names import normalise


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ON = _words("on yes start enable ein an ja si activar encender oui activer acceso attiva sim ligar ativar")

_OFF = _words(
    "off no none never stop disable without aus nein kein keine keinen nie ohne apagar desactivar nunca sin non desactiver "
    "jamais aucun aucune sans spento disattiva mai senza nessun nessuno nao desligar desativar sem nenhum nenhuma zero"
)

JOINING_WORDS = _words("and und y et e for fur por pour per & + with mit con avec com")
"""Words between the parts of what is typed, which mean nothing."""

ONLY_WORDS = _words("only just nur solo solamente seulement uniquement soltanto solamente so somente apenas")

ALERT_WORDS = _words(
    "alert alerts notification notifications meldung meldungen benachrichtigung benachrichtigungen aviso avisos notificacion "
    "notificaciones alerta alertas alerte alertes avviso avvisi notifica notifiche notificacao notificacoes"
)

EVERY_WORDS = _words("everything all every alles alle todo todos tout tous tutto tutti tudo notifications alerts")

_NIGHT = _words("night nights nighttime nacht nachts noche noches nuit notte noite") | {
    "at night", "in der nacht", "por la noche", "por las noches", "de noche", "la nuit", "di notte", "la notte", "a noite",
    "de noite",
}  # fmt: skip

DEFAULT_QUIET_HOURS = QuietHours(23 * 60, 7 * 60)
"""What "on" and "night" mean for quiet hours."""

_NOON, _DAY = 12 * 60, 24 * 60
"""In minutes."""

_HOLD = _words("hold summary later collect zusammenfassung gesammelt resumen resume riepilogo resumo")

_SILENT = _words("silent silently quiet mute stumm lautlos leise silencio silencioso silence silencieux silenzio muto")

_CLOCK = r"(\d{1,2})(?:[:.h](\d{2}))?\s*(a\.?m\.?|p\.?m\.?|uhr|h)?"
_SPAN = re.compile(
    rf"(?:from |von |de |desde |dalle |das |between |zwischen |entre |tra |fra )?(?:las |as |le )?{_CLOCK}"
    rf"(?:\s*[-–—−]\s*|\s+(?:to|till|until|bis|a|hasta|alle|as|ate|and|und|y|et|e)\s+(?:las |as |le )?|\s+){_CLOCK}(?:\s+(.+))?"
)

_HALF_OF_DAY = (
    (re.compile(r"(?<=\d)\s*h?\s+(?:de la noche|de la tarde|da noite|da tarde|di sera|di notte|du soir|abends|nachts)\b"), "pm"),
    (re.compile(r"(?<=\d)\s*h?\s+(?:de la manana|da manha|di mattina|del mattino|du matin|morgens|fruh)\b"), "am"),
)
"""Words behind an hour of twelve, and what English writes for them."""

_FROM_HOUR = re.compile(
    rf"(?:after|from|ab|nach|a partir de las|a partir de|despues de las|des|apres|dopo le|dalle|depois das|a partir das) {_CLOCK}"
    r"(?: on| an| onwards)?"
)
"""`after 11pm`: it lasts until the usual end."""

_DAYS = {
    -1: "yesterday gestern ayer hier ieri ontem",
    0: "today tonight stasera stanotte heute hoy aujourd'hui oggi hoje",
    1: "tomorrow tmrw morgen manana demain domani amanha",
}
_DAY_BY_WORD = {word: distance for distance, words in _DAYS.items() for word in words.split()}


def parse_on_off(text: str) -> bool | None:
    """Return True for a word for on, False for one for off, None for anything else."""
    word = normalise(text)
    return True if word in _ON else False if word in _OFF else None


def parse_hours(text: str) -> QuietHours | None:
    """Read `23-7`, `11pm-7am`, `23:00 07:00 hold`, `von 23 bis 7 Uhr`, `night`; None if it is no span of a day."""
    typed = normalise(text)
    if parse_on_off(typed) is True or typed in _NIGHT:
        return DEFAULT_QUIET_HOURS
    if typed in _HOLD:
        return QuietHours(DEFAULT_QUIET_HOURS.start, DEFAULT_QUIET_HOURS.end, holds_alerts=True)
    for words_of_half, half in _HALF_OF_DAY:
        typed = words_of_half.sub(half, typed)
    if begins := _FROM_HOUR.fullmatch(typed):
        start = _read_clock(begins[1], begins[2], begins[3])
        return None if start is None or start == DEFAULT_QUIET_HOURS.end else QuietHours(start, DEFAULT_QUIET_HOURS.end)
    found = _SPAN.fullmatch(typed)
    if found is None:
        return None
    words = (found[7] or "").split()
    if any(word not in _HOLD | _SILENT for word in words):
        return None
    start, end = _read_clock(found[1], found[2], found[3]), _read_clock(found[4], found[5], found[6])
    if start is None or end is None or start == end:
        return None
    is_plain = not (found[2] or found[3] or found[5] or found[6])
    if is_plain and start <= _NOON and (end - start) % _DAY > _NOON:
        # "11-7" is the night, and not all of the day and half of the night.
        start = (start + _NOON) % _DAY
    return QuietHours(start, end, holds_alerts=any(word in _HOLD for word in words))


def parse_clock(text: str) -> int | None:
    """Return minutes after midnight of `9pm`, `21:30` or `21 Uhr`; None if it is no time of the day."""
    found = re.fullmatch(_CLOCK, text)
    return _read_clock(found[1], found[2], found[3]) if found else None


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
    if word in _load_weekdays():
        # The next one, and today if it is that day.
        return today + dt.timedelta(days=(_load_weekdays()[word] - today.weekday()) % 7)
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


def is_weekday(text: str) -> bool:
    """Return True for the name of a day of the week, which comes again every seven days."""
    return normalise(text) in _load_weekdays()


def parse_language(text: str) -> str:
    """Return the code of a language by its code or its name in any of the languages; empty if the bot does not speak it."""
    return _load_languages_by_name().get(normalise(text), "")


@cache
def _load_languages_by_name() -> dict[str, str]:
    names = dict[str, str]()
    for code, own_name in CHOICES.items():
        locale = Locale.parse(code, sep="-")
        # Also as the other languages call it: `Sprache Französisch`.
        for name in (code, own_name, *(locale.get_display_name(language) or code for language in LANGUAGES)):
            names.setdefault(normalise(name), code)
    return names


@cache
def _load_weekdays() -> dict[str, int]:
    """Return the weekdays by name and by three letters, in every language; Monday is 0."""
    days = {}
    for language in LANGUAGES:
        for width in ("abbreviated", "wide"):
            for number, name in Locale(language).days["format"][width].items():
                days[normalise(name).rstrip(".")] = number
    return days
