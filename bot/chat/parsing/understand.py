"""What an unknown command or a text without a slash most likely means: other words for commands, and the nearest name."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from bot.chat.parsing.kinds import parse_kinds, read_kind_switches
from bot.chat.parsing.plain_words import EVERY_WORDS, ONLY_WORDS
from bot.chat.parsing.sentences import (
    drop_article,
    read_alert_request,
    read_phrase,
    read_question,
    read_whole_phrase,
    strip_politeness,
)
from rules.football.names import normalise

MAX_NEAREST = 2
"""Commands that are offered for one that does not exist."""

_OTHER_WORDS = {
    "start": "hi hello hey hallo hola salut bonjour ciao ola begin menu",
    "help": "commands hilfe ayuda aide aiuto ajuda",
    "subscribe": "follow sub add team teams folgen abonnieren seguir suivre ajouter segui seguire",
    "unsubscribe": "unfollow unsub remove delete entfolgen dejar desuscribir",
    "subscriptions": "following list mine abos suscripciones abonnements iscrizioni inscricoes",
    "alerts": "notifications notify kinds benachrichtigungen alertas alertes avvisi avisos",
    "today": "matches fixtures games schedule results heute hoy aujourd'hui oggi hoje spiele partidos matchs partite jogos",
    "live": "score scores now livescore ergebnisse resultados",
    "timeline": "picture image graphic",
    "mute": "silence quieter stumm silenciar silencio sourdine silenzia silenciar",
    "unmute": "sound",
    "quiet": "night dnd",
    "settings": "options config preferences einstellungen ajustes opciones reglages parametres impostazioni configuracoes",
    "timezone": "tz zone time zeitzone",
    "language": "lang sprache idioma langue lingua",
    "spoilers": "spoiler",
    "stop": "cancel end quit stopp basta arreter parar",
    "privacy": "data erase gdpr datenschutz",
    "test": "sample demo",
    "why": "warum",
}
_COMMAND_BY_WORD = {word: name for name, words in _OTHER_WORDS.items() for word in words.split()}

_FOR_WORDS = frozenset({"for", "fur", "para", "pour", "per"})

_QUESTION_COMMANDS = frozenset({"today", "live"})

_MIN_MISSPELT = 5
"""The fewest letters of a word that may be a misspelt command: shorter ones are too often names."""

_NEVER_FIRST = frozenset({"now", "time", "end", "team", "list", "data", "sound", "mine", "menu", "zone", "basta"})
"""Words that mean a command after a slash, but may begin a sentence or a name without one."""


def find_command_meant(word: str, commands: Collection[str]) -> str | None:
    """Return the command that a word is another name of; None if there is none."""
    name = _COMMAND_BY_WORD.get(normalise(word))
    return name if name in commands else None


def find_nearest(word: str, commands: Collection[str]) -> tuple[str, ...]:
    """Return the commands whose names, or other names, are similar to a word."""
    names = {name: name for name in commands} | {other: name for other, name in _COMMAND_BY_WORD.items() if name in commands}
    close = difflib.get_close_matches(normalise(word), names, n=MAX_NEAREST, cutoff=0.7)
    return tuple(dict.fromkeys(names[one] for one in close))


def _find_misspelt(word: str, commands: Collection[str]) -> str | None:
    """Return the command that a word certainly means: stricter than `find_nearest`, because it is run without asking."""
    names = {other: name for other, name in _COMMAND_BY_WORD.items() if name in commands and other not in _NEVER_FIRST}
    names |= {name: name for name in commands}
    close = difflib.get_close_matches(word, [name for name in names if len(name) >= _MIN_MISSPELT], n=1, cutoff=0.85)
    return names[close[0]] if close else None


def _names_kinds(words: Sequence[str], kinds: Sequence[str]) -> bool:
    """Return True for "goals only", "Arsenal only goals" and "goals for Arsenal"."""
    at = next((at for at, word in enumerate(words) if normalise(word) in _FOR_WORDS), 0)
    if parse_kinds(words[:at], kinds) and at + 1 < len(words):
        return True
    has_only = any(normalise(word) in ONLY_WORDS for word in words)
    return has_only and any(parse_kinds((word,), kinds) for word in words)


def read_plain_text(text: str, commands: Collection[str], kinds: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return the command and its arguments that a text without a slash means; None if it may be a name."""
    text = strip_politeness(text)
    words = tuple(text.split())
    if not words:
        return None
    first = normalise(words[0]).strip("!.,?")
    if first == "stop" and len(words) > 1 and all(normalise(word) in EVERY_WORDS for word in words[1:]):
        return first, ()
    # "hide results" hides scores, and switches no kind of alerts off.
    meant = read_whole_phrase(text)
    if meant is None and read_kind_switches(words, kinds):
        return "alerts", words
    # Before the first word alone: "stop following Arsenal" does not stop everything.
    meant = meant or read_alert_request(text) or read_phrase(text)
    # A question may begin with the word of a command: "live scores", "today's games".
    if meant is None and (first not in commands or first in _QUESTION_COMMANDS) and not parse_kinds(words, kinds):
        meant = read_question(text)
    if meant and meant[0] in commands:
        # "add yellow cards"
        return ("alerts", meant[1]) if meant[0] == "subscribe" and parse_kinds(meant[1], kinds) else meant
    if first in commands:
        return first, words[1:]
    if first not in _NEVER_FIRST and (name := find_command_meant(first, commands)):
        # After hello comes no link.
        return name, drop_article(words[1:]) if name != "start" else ()
    # A misspelt "unfolow Liverpool": the word is no part of a name that is known, or the name would have been found.
    if len(words) > 1 and len(first) >= _MIN_MISSPELT and (name := _find_misspelt(first, commands)):
        return name, words[1:]
    # "no cards for Liverpool", "Liverpool no cards"
    parts = [part for at in range(1, len(words)) for part in (words[:at], words[at:])]
    if _names_kinds(words, kinds) or any(read_kind_switches(part, kinds) for part in parts):
        return "alerts", words
    # "goals" alone may mean more or fewer of them: the screen shows what is on.
    return ("alerts", ()) if parse_kinds(words, kinds) else None
