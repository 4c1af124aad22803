"""Reads which kinds of alerts people name, and whether they switch them on or off: `red cards`, `everything but goals`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from bot.chat.parsing.plain_words import EVERY_WORDS, JOINING_WORDS
from bot.chat.search.nicknames import to_search_words
from bot.i18n.football import kind_name
from bot.i18n.language import CHOICES, use_language
from rules.engine.alert import LIVE_MESSAGE_KINDS
from rules.football.names import normalise

KIND_SIGNS = "+-−–"
"""What may stand before a kind to switch it on or off. The last two are a minus sign and a dash."""


def parse_kind(typed: str, offered: Sequence[str]) -> str | None:
    """Read a kind by its name or its words, in any letter case, singular or plural. Return None if there is none."""
    # Plural or singular, since the menu says "Goals" and people type "goal".
    wanted = _normalise_kind(typed)
    names = _load_kind_words(tuple(offered))
    return names.get(wanted) or names.get(f"{wanted}s") or names.get(wanted.removesuffix("s"))


def parse_kinds(words: Sequence[str], offered: Sequence[str]) -> tuple[str, ...]:
    """Read several kinds, of one or more words each: `goals and red cards`. Return none at all if any word is left over."""
    found, at = list[str](), 0
    typed = [word.strip(",;.") for word in words]
    while at < len(typed):
        # The longest phrase first: "full time" is one kind, and so is "red cards".
        for end in range(min(at + _MAX_KIND_WORDS, len(typed)), at, -1):
            phrase = " ".join(typed[at:end])
            group = [kind for kind in _CARD_KINDS if kind in offered] if normalise(phrase) in _CARDS else []
            kind = parse_kind(phrase, offered)
            if kind or group:
                found += [kind] if kind else group
                at = end
                break
        else:
            if typed[at] and normalise(typed[at]) not in JOINING_WORDS:
                return ()
            at += 1
    return tuple(dict.fromkeys(found))


def read_kind_switches(words: Sequence[str], offered: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """Read `no cards`, `turn off VAR`, `cards off`, `don't send me corners`, `everything but goals`: kinds to switch on or off.

    Returns none at all if the words say something else.
    """
    typed = [normalise(word).replace("’", "'").strip("!.,?") for word in words]
    kept = [word for word in typed if word not in SWITCH_FILLERS]
    off, on = [word for word in kept if word in _SWITCH_OFF], [word for word in kept if word in _SWITCH_ON]
    if not (off or on) or (off and on):
        return ()
    rest = [word for word in kept if word not in _SWITCH_OFF | _SWITCH_ON]
    if any(word in EVERY_WORDS for word in rest):
        named = [word for word in rest if word not in EVERY_WORDS]
        excepted, every = parse_kinds(named, offered), [kind for kind in offered if kind not in LIVE_MESSAGE_KINDS]
        if named:
            # "everything but goals": all the others, so it is a switch of each.
            return tuple((kind, kind not in excepted) for kind in every) if excepted else ()
        return tuple((kind, bool(on)) for kind in every)
    kinds = parse_kinds(rest, offered)
    return tuple((kind, bool(on)) for kind in kinds)


_SWITCH_OFF = frozenset(
    {
        "no", "not", "off", "without", "stop", "don't", "dont", "disable", "hide", "remove", "except", "but", "kein", "keine",
        "keinen", "ohne", "aus", "ausschalten", "ausser", "sin", "desactiva", "desactivar", "excepto", "menos", "quita", "sans",
        "pas", "aucun", "desactive", "desactiver", "sauf", "niente", "senza", "nessun", "nessuna", "disattiva", "tranne", "sem",
        "desliga", "desligar", "exceto",
    }
)  # fmt: skip
"""Words that switch off what stands beside them, in each language."""

_SWITCH_ON = frozenset(
    {
        "on", "enable", "ein", "an", "einschalten", "activa", "activar", "active", "activer", "attiva", "attivare", "liga",
        "ligar", "ativar",
    }
)  # fmt: skip

SWITCH_FILLERS = frozenset(
    {
        "please", "pls", "bitte", "por", "favor", "more", "any", "the", "turn", "switch", "send", "sending", "me", "mehr",
        "mas", "plus", "piu", "mais", "alerts", "about", "for", "want", "tell", "notify", "avises", "avisa", "avisar",
        "previens", "avvisarmi", "avise", "voglio", "quiero", "quero", "veux", "will", "ich", "i", "do", "show", "showing",
        "meldungen", "schicken", "de", "d", "les", "las", "los", "die", "der", "das", "gli", "le", "os", "as", "per",
        "favore", "with", "get", "to", "envies", "envie", "enviar", "si", "anymore", "dei", "delle",
    }
)  # fmt: skip
"""Words in such a request that do not change its meaning."""

_MAX_KIND_WORDS = 4

_CARD_KINDS = ("red_card", "yellow_card")

_CARDS = frozenset({"cards", "karten", "tarjetas", "cartons", "cartellini", "cartoes"})
"""Both colours, in each language."""

_OTHER_KIND_WORDS = {
    "gelben karten": "yellow_card", "roten karten": "red_card", "corners": "play", "shots": "play", "offsides": "play",
    "ecken": "play", "corners y tiros": "play", "subs": "substitution", "reds": "red_card", "yellows": "yellow_card",
    "pens": "penalty", "results": "full_time", "kickoffs": "kick_off", "video checks": "var",
    "injuries and breaks": "injury", "videobeweise": "var", "tarjetas rojas": "red_card", "cartellini rossi": "red_card",
    "cartões vermelhos": "red_card", "tarjetas amarillas": "yellow_card", "cartellini gialli": "yellow_card",
    "cartões amarelos": "yellow_card", "tandas de penaltis": "shootout", "tiri di rigore": "shootout",
    "disputas de pênaltis": "shootout",
}  # fmt: skip
"""Names of kinds that people type and that are no button's label, where a shorter word is."""


@cache
def _load_kind_words(offered: tuple[str, ...]) -> dict[str, str]:
    """Return the kinds by their names in the YAML and by their words in every language: people copy either."""
    words = {_normalise_kind(word): kind for word, kind in _OTHER_KIND_WORDS.items() if kind in offered}
    for language in CHOICES:
        with use_language(language):
            words |= {_normalise_kind(kind_name(kind)): kind for kind in offered}
    return words | {_normalise_kind(kind): kind for kind in offered}


def _normalise_kind(word: str) -> str:
    return to_search_words(word).replace("_", "").replace(" ", "")
