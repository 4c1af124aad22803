"""Translates football terms of the rules and the feed, scorelines, and the texts of the shipped rules."""

from __future__ import annotations

from functools import cache

from bot.i18n.language import ENGLISH, current_language, use_language
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from rules.engine.alert import Facts
from rules.engine.evaluate import Wording
from rules.engine.text import LANGUAGES, translate_word
from rules.loading.loader import list_packs, load_pack

TERMS = (
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
"""In the form for the middle of a sentence. A word of the feed that is not listed is shown in English."""


def load_terms() -> dict[str, str]:
    """Return the translations of `TERMS` into the current language, by the English term in lower case. Empty for English."""
    return _load_terms(current_language())


@cache
def _load_terms(language: str) -> dict[str, str]:
    with use_language(language):
        return {} if language == ENGLISH else {word.casefold(): _(word) for word in TERMS}


def translate_term(word: str) -> str:
    """Translate a word of the rules or the feed into the current language. It keeps an initial capital."""
    return translate_word(word, load_terms())


@cache
def load_wordings() -> tuple[Wording, ...]:
    """Return the translations of the shipped rules' texts into every language but English."""
    # Stripped, because gettext keys are: a YAML block ends with a line break.
    sources = {rule.alert.text.source.strip() for name in list_packs() for rule in load_pack(name).rules}
    wordings = []
    for language in LANGUAGES:
        if language != ENGLISH:
            with use_language(language):
                texts = {source: _(source) for source in sources}
                wordings.append(Wording(language, texts, load_terms(), _("{score} pens")))
    return tuple(wordings)


def shootout_text(score: str) -> str:
    """Return the score of a shootout as it is shown in brackets: `6–5 pens`."""
    return _("{score} pens").format(score=score)


def translate_scoreline(facts: Facts) -> str:
    """Return `Germany 1–1 (6–5 pens) Italy` in the current language. The facts contain the line in English."""
    if not facts.shootout:
        return facts.match
    return facts.match.replace(f"({facts.shootout} pens)", f"({shootout_text(facts.shootout)})")
