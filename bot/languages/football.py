"""Football's own words, as the rules and the feed name things in English, in the language that is spoken."""

from __future__ import annotations

from functools import cache

from bot.languages.speaking import ENGLISH, LANGUAGES, speaking, spoken
from bot.languages.speaking import marked as N_
from bot.languages.speaking import translated as _
from rules.alert import Facts
from rules.load import pack, packs
from rules.template import said as said_by
from rules.wording import Wording

WORDS = (
    # parts of the game
    N_("first half"), N_("second half"), N_("first half of extra time"), N_("second half of extra time"), N_("shootout"),
    # where a match stands
    N_("full time"), N_("half time"), N_("postponed"), N_("cancelled"), N_("abandoned"), N_("suspended"), N_("delayed"),
    # what happens
    N_("goal"), N_("goal disallowed"), N_("penalty awarded"), N_("penalty missed"), N_("yellow card"), N_("red card"),
    N_("substitution"), N_("temporary dismissal"), N_("shot"), N_("corner"), N_("offside"), N_("free kick"), N_("throw in"),
    N_("goal kick"), N_("attack"), N_("dangerous attack"), N_("video check"), N_("injury"),
    # Translators: the goalkeeper's
    N_("save"),
    # how, and why
    N_("own goal"), N_("penalty"), N_("header"), N_("straight red"), N_("second yellow"), N_("foul"), N_("handball"),
    N_("inside the box"), N_("outside the box"), N_("potential goal"), N_("potential penalty"), N_("potential red card"),
    N_("mistaken identity"), N_("potential offside"), N_("goal awarded"), N_("no goal"), N_("no penalty"), N_("VAR"),
    # Translators: the side that plays at home, and its guests
    N_("home"), N_("away"),
)  # fmt: skip
"""Inside of a sentence. What the feed says beyond them stays as it is."""


def vocabulary() -> dict[str, str]:
    """The words that are said otherwise in the language that is spoken, by the English ones in lower case."""
    return _vocabulary(spoken())


@cache
def _vocabulary(language: str) -> dict[str, str]:
    with speaking(language):
        return {} if language == ENGLISH else {word.casefold(): _(word) for word in WORDS}


def said(word: str) -> str:
    """A word of the rules or of the feed, beginning with a capital where it does there."""
    return said_by(word, vocabulary())


@cache
def wordings() -> tuple[Wording, ...]:
    """What every other language has for the texts of rules that ship in English."""
    return tuple(_wording(language) for language in LANGUAGES if language != ENGLISH)


def _wording(language: str) -> Wording:
    sources = {rule.alert.text.source.strip() for name in packs() for rule in pack(name).rules}
    with speaking(language):
        texts = {source: _(source) for source in sources}
        return Wording(language, texts, vocabulary(), _("{score} pens"))


def kicks(score: str) -> str:
    """The score of a shootout, as it stands in brackets."""
    return _("{score} pens").format(score=score)


def scoreline(facts: Facts) -> str:
    """`Germany 1–1 (6–5 pens) Italy`."""
    return facts.match.replace(f"({facts.shootout} pens)", f"({kicks(facts.shootout)})") if facts.shootout else facts.match
