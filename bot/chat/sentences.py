"""Reads whole sentences without a slash as commands: "stop following Arsenal", "no cards please", "what's on tomorrow".

The words of all six languages are read in every chat. Any other text is left to the search for names.
"""

from __future__ import annotations

import datetime as dt

from bot.chat.plain_words import EVERY_WORDS, JOINING_WORDS, parse_day, parse_hours, parse_length
from bot.i18n.language import CHOICES
from rules.football.names import normalise

_ANY_DAY = dt.date(2026, 1, 1)

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
    "quiero,puedes,je veux,peux-tu,tu peux,voglio,puoi,vorrei,quero,pode,voce pode,me,mir,for me"
)
"""Polite words at either end of a request, which do not change its meaning."""

_PHRASES: dict[tuple[str, str], str] = {
    ("unsubscribe", ""): (
        "unsubscribe from,stop following,don't follow,dont follow,do not follow,no longer follow,unfollow,dejar de seguir,"
        "deja de seguir,no seguir,ne plus suivre,arreter de suivre,arrete de suivre,ne suis plus,non seguire piu,"
        "smetti di seguire,smettere di seguire,deixar de seguir,parar de seguir,nao seguir,nicht mehr folgen,nicht folgen,"
        "nicht mehr abonnieren,abbestellen,entfolgen,togli,rimuovi,quitar,retirer,remover"
    ),
    ("subscribe", ""): (
        "subscribe to,add,start following,keep me posted on,keep me updated on,fuge hinzu,hinzufugen,anade,agrega,aggiungi,"
        "adiciona,adicionar,ajoute"
    ),
    ("mute", ""): (
        "shut up,silence,be silent,silencia,mutea,silencie,mets en sourdine,en sourdine,stummschalten,stumm schalten,stumm,"
        "zitto,silenzio"
    ),
    ("mute", "tonight"): "be quiet tonight,quiet tonight,silence tonight,ruhe heute nacht",
    ("quiet", ""): (
        "do not disturb,don't disturb,dnd,no molestar,ne pas deranger,non disturbare,nao perturbe,nicht storen,quiet hours,"
        "ruhezeit,ruhezeiten,heures calmes,ore di silenzio,horas de silencio"
    ),
    ("quiet", "night"): (
        "quiet at night,be quiet at night,night mode,nachts ruhe,nachtmodus,modo noche,mode nuit,modalita notte,"
        "modo noturno"
    ),
    ("delay", ""): (
        "wait,delay by,delay alerts by,verzogerung,verzogere um,retraso,retrasa,decalage,retarde de,ritardo,ritarda di,"
        "atraso,atrasar"
    ),
    ("spoilers", "on"): (
        "hide scores,hide the scores,hide results,no spoilers,without spoilers,keine spoiler,ohne spoiler,"
        "ergebnisse verbergen,sin spoilers,ocultar resultados,sans spoilers,sans spoiler,pas de spoilers,cacher les scores,"
        "senza spoiler,niente spoiler,nascondi i risultati,sem spoilers,sem spoiler,ocultar placares"
    ),
    ("spoilers", "off"): (
        "show scores,show the scores,show results,ergebnisse zeigen,mostrar resultados,montrer les scores,"
        "mostra i risultati,mostrar placares"
    ),
    ("subscriptions", ""): (
        "my teams,my subscriptions,what am i following,what do i follow,who do i follow,meine teams,meine abos,mis equipos,"
        "que sigo,mes equipes,que suis-je,le mie squadre,cosa seguo,meus times,minhas equipas,o que sigo"
    ),
    ("language", ""): (
        "change language,set language to,language to,speak,sprich,habla,parle,parla,fala,sprache andern,cambiar idioma,"
        "changer de langue,cambia lingua,mudar idioma"
    ),
    ("timezone", ""): (
        "time zone,set timezone to,set time zone to,timezone to,my time zone is,i live in,i am in,i'm in,im in,zeitzone,"
        "ich wohne in,ich lebe in,ich bin in,zona horaria,vivo en,estoy en,fuseau horaire,j'habite a,je suis a,fuso orario,"
        "vivo a,abito a,fuso horario,moro em,estou em"
    ),
    ("settings", ""): "show settings,all settings,alle einstellungen",
    ("alerts", "all"): (
        "all alerts,every alert,everything on,alle meldungen,todos los avisos,toutes les alertes,tutti gli avvisi,"
        "todos os alertas"
    ),
    ("alerts", "none"): "no alerts,all alerts off,keine meldungen,sin avisos,aucune alerte,nessun avviso,sem alertas",
    ("live", ""): (
        "what's the score,whats the score,what is the score,wie steht es,wie steht's,como van,quel score,quanto stanno,"
        "quanto esta"
    ),
    ("today", ""): (
        "today's games,today's matches,today's fixtures,todays games,todays matches,heutige spiele,"
        "what's on,whats on,what is on,who plays,who is playing,welche spiele,que partidos hay,quels matchs,"
        "che partite ci sono,que jogos tem"
    ),
}  # fmt: skip
"""By command and its first argument, the phrases that begin or end a request. The rest of the request is the other arguments."""

_PHRASE_TABLE = sorted(
    ((phrase, command, argument) for (command, argument), text in _PHRASES.items() for phrase in _phrases(text)),
    key=lambda row: len(row[0]),
    reverse=True,
)

_NEVER_LAST = frozenset({("add",), ("wait",), ("speak",), ("habla",), ("silence",), ("stumm",), ("language", "to")})
"""Phrases that mean something only where a request begins."""

_THANKS = frozenset({"thanks", "thank you", "thx", "ok", "okay", "danke", "gracias", "merci", "grazie", "obrigado", "obrigada"})

_SCHEDULE_WORDS = _words(
    "what what's whats is are on who plays play playing when does do the next any there a match matches game games fixture "
    "fixtures kick-off kickoff show wann spielt spielen nachstes nachste spiel cuando juega juegan proximo partido quand "
    "joue jouent prochain match quando gioca giocano prossima partita joga jogam jogo this spiele partidos matchs partite "
    "jogos tell give us today's todays weekend's show me of for at von de du di da"
)
"""Words of a question about matches; a name or a day is what is left."""

_SCHEDULE_SIGNS = _words(
    "when next plays play playing who wann spielt cuando juega quand joue quando gioca joga proximo prochain prossima "
    "nachstes match game"
)

_ARTICLES = _words("the el la al le los les las il lo o a to from of der die das den dem aux au du")
"""Articles and prepositions that may stand before a name. A name of one word is kept, since it may be one of them."""

_WEEKEND = _words("weekend wochenende week-end finde")

_SCORE_SIGNS = _words("score scores result livescore spielstand ergebnis resultado marcador resultat risultato placar live")


def strip_politeness(text: str) -> str:
    """Return a request without "please", "can you", "I want to" and the like at its ends."""
    return " ".join(typed for _, typed in _strip_polite_words(_pair_words(text)))


def read_phrase(text: str) -> ParsedCommand | None:
    """Return the command and its arguments that a request begins or ends with; None if it has no known phrase."""
    pairs = _pair_words(text)
    words = tuple(word for word, _ in pairs)
    for phrase, command, argument in _PHRASE_TABLE:
        if words[: len(phrase)] == phrase:
            return command, _make_arguments(argument, pairs[len(phrase) :])
        if words[-len(phrase) :] == phrase and len(words) > len(phrase) and phrase not in _NEVER_LAST:
            return command, _make_arguments(argument, pairs[: -len(phrase)])
    return _read_bare_value(words) if words else None


def _pair_words(text: str) -> list[tuple[str, str]]:
    """Return each word as it is compared, and as it was typed: the arguments of a command are names as they were typed."""
    typed = [word.strip("!.?¿¡") for word in text.split()]
    return [(normalise(word).replace("’", "'").strip(","), word) for word in typed if word.strip(",")]


def drop_article(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return a name without the article before it: `al Barcelona`."""
    return words[1:] if len(words) > 1 and normalise(words[0]) in _ARTICLES else words


def _make_arguments(first: str, pairs: list[tuple[str, str]]) -> tuple[str, ...]:
    rest = _strip_polite_words(pairs)
    while rest and (rest[0][0] in JOINING_WORDS or rest[0][0] == "at" or (len(rest) > 1 and rest[0][0] in _ARTICLES)):
        rest = rest[1:]
    return (*((first,) if first else ()), *(typed for _, typed in rest))


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
    if words & _SCORE_SIGNS:
        return "live", rest
    if (days and len(rest) < len(pairs)) or words & _SCHEDULE_SIGNS:
        return "today", (*rest, *days[:1])
    return None


def _is_day(word: str) -> bool:
    # Not a number such as 23.7, which is an hour as well. Only whether it is a day matters here, and not which.
    return word[:1].isalpha() and len(word) > 3 and parse_day(word, _ANY_DAY) is not None


def _read_bare_value(words: tuple[str, ...]) -> ParsedCommand | None:
    """Read a text that is nothing but a language, a length of time, hours of the day or thanks; None for any other."""
    text = " ".join(words)
    if text in EVERY_WORDS:
        return "alerts", ("all",)
    if text in {normalise(name.partition(" (")[0]) for name in CHOICES.values()}:
        return "language", (text,)
    if words[-1] in ("later", "spater", "tarde", "tard", "dopo", "depois") and parse_length(" ".join(words[:-1])):
        return "delay", words[:-1]
    if len(words) > 1 and any(char.isdigit() for char in text) and parse_hours(text):
        return "quiet", words
    # Thanks is the name of no team: the answer shows what the chat follows.
    return ("subscriptions", ()) if text in _THANKS else None
