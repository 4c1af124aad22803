"""What an unknown command or a text without a slash most likely means: other words for commands, and the nearest name."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from bot.chat.plain_words import ONLY_WORDS
from bot.chat.texts import parse_kinds
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

_NEVER_FIRST = frozenset({"now", "time", "end", "team", "add", "list", "data", "sound", "mine", "menu", "zone", "basta"})
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


def read_plain_text(text: str, commands: Collection[str], kinds: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return the command and its arguments that a text without a slash means; None if it may be a name."""
    words = tuple(text.split())
    if not words:
        return None
    first = normalise(words[0]).strip("!.,?")
    if first in commands:
        return first, words[1:]
    if first not in _NEVER_FIRST and (name := find_command_meant(first, commands)):
        return name, words[1:]
    # "goals only", "Arsenal only goals": which alerts.
    if any(normalise(word) in ONLY_WORDS for word in words) and any(parse_kinds((word,), kinds) for word in words):
        return "alerts", words
    # "goals" alone may mean more or fewer of them: the screen shows what is on.
    return ("alerts", ()) if parse_kinds(words, kinds) else None
