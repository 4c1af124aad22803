"""Reads whole sentences without a slash as commands: "stop following Arsenal", "no cards please", "what's on tomorrow".

The words of all six languages are read in every chat. Any other text is left to the search for names.
"""

from __future__ import annotations

import datetime as dt
import re

from bot.chat.parsing.durations import parse_end, parse_length
from bot.chat.parsing.phrases import PHRASES
from bot.chat.parsing.plain_words import ALERT_WORDS, EVERY_WORDS, JOINING_WORDS, parse_day, parse_hours, parse_language
from bot.i18n.language import CHOICES
from bot.subscribers import MAX_DELAY
from rules.football.names import normalise

_ANY_TIME = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
"""For what is read only to know whether it can be read."""

ParsedCommand = tuple[str, tuple[str, ...]]
"""A command and its arguments."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the phrases of a list with commas, those with the most words first."""
    return tuple(sorted((tuple(phrase.split()) for phrase in text.split(",")), key=len, reverse=True))


_POLITE = _phrases(
    "please,pls,plz,thanks,thank you,bitte,danke,por favor,gracias,porfa,s'il te plait,s'il vous plait,stp,svp,merci,"
    "per favore,any more,anymore,any longer,grazie,obrigado,obrigada,can you,could you,would you,will you,i want to,i want,"
    "i would like to,i'd like to,i'd like,let me,let's,lets,just,hey,hi,kannst du,ich will,ich mochte,ich mochte gern,"
    "set,set my,change,change my,quiero,puedes,je veux,peux-tu,tu peux,voglio,puoi,vorrei,quero,pode,voce pode,me,mir,for me"
)
"""Polite words at either end of a request, which do not change its meaning."""

_PHRASE_TABLE = sorted(
    ((phrase, command, argument) for (command, argument), text in PHRASES.items() for phrase in _phrases(text)),
    key=lambda row: len(row[0]),
    reverse=True,
)

_NEVER_LAST = frozenset(
    {
        ("add",),
        ("wait",),
        ("warte",),
        ("espera",),
        ("aspetta",),
        ("speak",),
        ("habla",),
        ("silence",),
        ("stumm",),
        ("language", "to"),
    }
)
"""Phrases that mean something only where a request begins."""

_IN_WORDS = frozenset({"in", "auf", "en", "em"})
"""Before a language: "auf Deutsch"."""

_UNTIL_WORDS = _words("until till bis hasta jusqu'a jusqu'au fino ate")

_MUTE_NOUNS = frozenset({"stumm", "mute", "muted", "ruhe", "silence", "silencio", "silenzio", "silent"})
"""Behind a length of time: "eine halbe Stunde stumm"."""

_DIVIDED_PHRASES = (
    (_words("mets mettre met mettez passe"), ("en", "sourdine"), "mute"),
    (_words("schalte schalt stelle stell mach setze"), ("stumm",), "mute"),
    (_words("schalte schalt stelle stell"), ("auf", "stumm"), "mute"),
    (_words("folge folg abonniere"), ("nicht", "mehr"), "unsubscribe"),
)
"""The verbs that begin a request, what else belongs to it, and the command."""

_THANKS = frozenset(
    {
        "thanks", "thank you", "thx", "ok", "okay", "danke", "gracias", "merci", "grazie", "obrigado", "obrigada", "bye",
        "goodbye", "tschuss", "adios", "a lot", "so much", "very much", "vielen", "muchas", "beaucoup", "mille", "muito",
    }
)  # fmt: skip
"""What is left of thanks, of which politeness at the ends has been left out."""

_SCHEDULE_WORDS = _words(
    "what what's whats is are on who plays play playing when does do the next any there a match matches game games "
    "fixture fixtures kick-off kickoff show wann spielt spielen nachstes nachste spiel cuando juega juegan proximo "
    "partido quand joue jouent prochain quando gioca giocano prossima partita joga jogam jogo this spiele partidos "
    "matchs partite jogos was lauft laufen wieder again gerade jetzt welche c'est est quel quels que hay cual tem vai "
    "jogar denn eigentlich wer quien qui chi quem est-ce did has hat won win gewonnen gano gagne vinto ganhou time kick "
    "off soir ce abend noche noite tell give us today's todays weekend's me of for at von de du di da"
)
"""Words of a question about matches; a name or a day is what is left."""

_SCHEDULE_SIGNS = _words(
    "when next time kick plays play playing who wann spielt cuando juega quand joue quando gioca joga proximo prochain "
    "prossima nachstes match game"
)

_ARTICLES = _words("bei the el la al le los les las il lo o a to from of der die das den dem aux au du")
"""Articles and prepositions that may stand before a name. A name of one word is kept, since it may be one of them."""

_WEEKEND = _words("weekend wochenende week-end finde")

_SCORE_SIGNS = _words(
    "won win gewonnen gano gagne vinto ganhou score scores result livescore spielstand ergebnis resultado marcador "
    "resultat risultato placar live"
)


_ALERTS_OFF = _words(
    "no off stop disable without don't dont not kein keine keinen aus ohne ausschalten abschalten nicht sin desactiva desactivar "
    "quita quitar deja sans pas plus aucun aucune desactive desactiver arrete arreter coupe couper niente senza disattiva "
    "disattivare basta nessun nessuna nessuno togli sem desliga desligar desative desativar nenhum nenhuma parar nao"
)
"""Words that switch alerts off, where alerts are spoken of."""

_ALERTS_ON = _words(
    "on enable activate einschalten anschalten activa activar active activer attiva attivare liga ligar ligue ativa ativar ative"
)

_ALERTS_ON_AT_THE_END = frozenset({"an", "ein"})
"""At the end only: in English "an" is an article."""

_ALERTS_OFF_AT_THE_END = frozenset({"ab"})
"""At the end only: "ab 22 Uhr" begins a time."""

_AMOUNT_WORDS = _words(
    "many fewer less what which viele weniger welche demasiados menos que cuales trop moins quelles troppi meno quali "
    "muitos quais"
)
"""Beside alerts they ask which there are, or want fewer: the screen shows what is on."""

_ABOUT_WORDS = _words("for about on of from fur uber von vom para sobre de del pour sur per su sul sulla do da")
"""Between "everything" and a name."""

_ALERT_FILLERS = _words(
    "turn switch send sending get getting receive want any more all back again please do show me i mehr alle wieder schick "
    "schalte recibir quiero quero voglio veux mas todos todas toutes recevoir ricevere piu tutti receber mais"
)

_SMALL_WORDS = JOINING_WORDS | _ARTICLES | {"at", "in", "on", "am", "im", "during", "durante", "pendant"}


def read_alert_request(text: str) -> ParsedCommand | None:
    """Read "no alerts for Liverpool", "turn notifications on", "no alerts tonight"; None if it switches no alerts on or off."""
    # `d'alertes`
    pairs = [(word.removeprefix("d'"), typed) for word, typed in _pair_words(text)]
    words = {word for word, _ in pairs}
    if len(pairs) > 2 and pairs[0][0] in EVERY_WORDS and pairs[1][0] in _ABOUT_WORDS:
        return "alerts", ("all", *(typed for _, typed in pairs[2:]))
    last = pairs[-1][0] if pairs else ""
    is_off = bool(words & _ALERTS_OFF) or last in _ALERTS_OFF_AT_THE_END
    is_on = bool(words & _ALERTS_ON) or last in _ALERTS_ON_AT_THE_END
    if words & ALERT_WORDS and words & _AMOUNT_WORDS:
        return "alerts", ()
    if not words & ALERT_WORDS or is_off == is_on:
        return None
    ignored = ALERT_WORDS | _ALERTS_OFF | _ALERTS_ON | _ALERT_FILLERS
    rest = tuple(typed for word, typed in pairs if word not in ignored)
    if rest and normalise(rest[-1]) in _ALERTS_ON_AT_THE_END | _ALERTS_OFF_AT_THE_END:
        rest = rest[:-1]
    if all(normalise(word) in _SMALL_WORDS for word in rest):
        return "alerts", ("none" if is_off else "on",)
    # Without a name it is a time: "no alerts for two hours", "no notifications from 23 to 7", "at night". A small word before it
    # may belong to the time or not, so it is read with and without each of them.
    first = next(at for at, word in enumerate(rest) if normalise(word) not in _SMALL_WORDS)
    for at in range(first + 1 if is_off else 0):
        when = rest[at:]
        typed = " ".join(when)
        if parse_length(typed) or parse_end(typed, _ANY_TIME, "UTC"):
            return "mute", when
        if parse_hours(typed):
            return "quiet", when
    return "alerts", ("off" if is_off else "on", *rest)


def strip_politeness(text: str) -> str:
    """Return a request without "please", "can you", "I want to" and the like at its ends."""
    return " ".join(typed for _, typed in _strip_polite_words(_pair_words(text)))


def read_phrase(text: str) -> ParsedCommand | None:
    """Return the command and its arguments that a request begins or ends with; None if it has no known phrase."""
    pairs = _pair_words(text)
    words = tuple(word for word, _ in pairs)
    if divided := _read_divided_phrase(pairs):
        return divided
    for phrase, command, argument in _PHRASE_TABLE:
        if words[: len(phrase)] == phrase:
            return command, _make_arguments(argument, pairs[len(phrase) :])
        if words[-len(phrase) :] == phrase and len(words) > len(phrase) and phrase not in _NEVER_LAST:
            return command, _make_arguments(argument, pairs[: -len(phrase)])
    return _read_bare_value(words) if words else None


def read_whole_phrase(text: str) -> ParsedCommand | None:
    """Return the command of a request that is a known phrase and nothing else, whatever its words would mean one by one."""
    words = tuple(word for word, _ in _pair_words(text))
    return next(
        ((command, (argument,) if argument else ()) for phrase, command, argument in _PHRASE_TABLE if phrase == words), None
    )


def _read_divided_phrase(pairs: list[tuple[str, str]]) -> ParsedCommand | None:
    """Read a phrase around a name: "mets le PSG en sourdine", "schalte Bayern stumm", "folge Bayern nicht mehr"."""
    words = tuple(word for word, _ in pairs)
    for verbs, phrase, command in _DIVIDED_PHRASES:
        size = len(phrase)
        at = next((at for at in range(1, len(words) - size + 1) if words[at : at + size] == phrase), None)
        if at and words[0] in verbs and (rest := (*pairs[1:at], *pairs[at + size :])):
            return command, _make_arguments("", list(rest))
    return None


def _pair_words(text: str) -> list[tuple[str, str]]:
    """Return each word as it is compared, and as it was typed: the arguments of a command are names as they were typed."""
    typed = [word.strip("!.?¿¡") for word in text.split()]
    return [(normalise(word).replace("’", "'").strip(","), word) for word in typed if word.strip(",")]


def drop_article(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return a name without the article before it: `al Barcelona`, `l'Inter`."""
    words = (re.sub(r"^[dl]['’](?=\w)", "", words[0]), *words[1:]) if words else ()
    return words[1:] if len(words) > 1 and normalise(words[0]) in _ARTICLES else words


def _make_arguments(first: str, pairs: list[tuple[str, str]]) -> tuple[str, ...]:
    rest = _strip_polite_words(pairs)
    while rest and (rest[0][0] in JOINING_WORDS or rest[0][0] == "at" or (len(rest) > 1 and rest[0][0] in _ARTICLES)):
        rest = rest[1:]
    return (*((first,) if first else ()), *drop_article(tuple(typed for _, typed in rest)))


def _strip_polite_words(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    words, begin, end = tuple(word for word, _ in pairs), 0, len(pairs)

    def stands_at(place: int, phrase: tuple[str, ...]) -> bool:
        return len(phrase) < end - begin and words[place : place + len(phrase)] == phrase

    while found := next(((p, at) for p in _POLITE for at in (begin, end - len(p)) if stands_at(at, p)), None):
        phrase, at = found
        begin, end = (begin + len(phrase), end) if at == begin else (begin, at)
    return pairs[begin:end]


def read_question(text: str) -> ParsedCommand | None:
    """Read "when does Arsenal play", "Premier League today", "Arsenal score"; None if it is no question about matches."""
    pairs = _pair_words(text)
    if len(pairs) < 2:
        return None
    words = {word for word, _ in pairs}
    days = [typed for word, typed in pairs if _is_day(word)]
    if not days and words & _WEEKEND:
        days = ["Saturday"]
    ignored = _SCHEDULE_WORDS | _SCORE_SIGNS | _WEEKEND
    rest = drop_article(tuple(typed for word, typed in pairs if word not in ignored and not _is_day(word)))
    if all(normalise(word) in _SMALL_WORDS for word in rest):
        rest = ()
    if words & _SCORE_SIGNS:
        return "live", rest
    if (days and len(rest) < len(pairs)) or words & _SCHEDULE_SIGNS:
        return "today", (*rest, *days[:1])
    return None


def _is_day(word: str) -> bool:
    # Not a number such as 23.7, which is an hour as well. Only whether it is a day matters here, and not which.
    return word[:1].isalpha() and len(word) > 3 and parse_day(word, _ANY_TIME.date()) is not None


def _read_bare_value(words: tuple[str, ...]) -> ParsedCommand | None:
    """Read a text that is nothing but a language, a length of time, hours of the day or thanks; None for any other."""
    text = " ".join(words)
    if text in EVERY_WORDS:
        return "alerts", ("all",)
    if text in {normalise(name.partition(" (")[0]) for name in CHOICES.values()}:
        return "language", (text,)
    if len(words) > 1 and words[0] in _IN_WORDS and parse_language(" ".join(words[1:])):
        return "language", words[1:]
    if len(words) > 1 and words[-1] in _MUTE_NOUNS and parse_length(" ".join(words[:-1])):
        return "mute", words[:-1]
    if words[-1] in ("later", "spater", "tarde", "tard", "dopo", "depois") and parse_length(" ".join(words[:-1])):
        return "delay", words[:-1]
    if any(char.isdigit() for char in text) and parse_hours(text):
        return "quiet", words
    if parse_day(text, _ANY_TIME.date()):
        return "today", words
    # "tonight" alone asks for its matches; only "until" says that something ends.
    if words[0] in _UNTIL_WORDS and parse_end(text, _ANY_TIME, "UTC"):
        return "mute", words
    if length := parse_length(text):
        # Nobody mutes for less than five minutes, and no stream lags by more.
        return ("delay" if length.total_seconds() <= MAX_DELAY else "mute"), words
    # Thanks is the name of no team: the answer shows what the chat follows.
    return ("subscriptions", ()) if text in _THANKS else None
