"""Translates football terms of the rules and the feed, scorelines, and the texts of the shipped rules."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from bot.i18n.language import CHOICES, ENGLISH, base_language, current_language, use_language
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.language import translate_in_context as pgettext
from rules.engine.alert import Facts
from rules.engine.text import Wording, translate_word
from rules.football.action import Fixture
from rules.football.names import isolate

TERMS = (
    # parts of the game
    N_("first half"), N_("second half"), N_("first half of extra time"), N_("second half of extra time"), N_("shootout"),
    # where a match stands
    N_("full time"), N_("half time"), N_("postponed"), N_("cancelled"), N_("abandoned"), N_("suspended"), N_("delayed"),
    # what happens
    N_("goal"), N_("goal disallowed"), N_("penalty awarded"), N_("penalty missed"), N_("yellow card"), N_("red card"),
    N_("substitution"), N_("temporary dismissal"), N_("shot"), N_("corner"), N_("offside"), N_("free kick"), N_("throw in"),
    N_("goal kick"), N_("attack"), N_("dangerous attack"), N_("video check"), N_("injury"),
    N_("line-ups"), N_("stoppage time"), N_("substitution in"),
    # how the feed covers a match
    N_("no coverage"), N_("in venue"), N_("low latency stream"), N_("standard stream"), N_("video"),
    # why play stops
    N_("serious injury"), N_("crowd trouble"), N_("pitch invasion"), N_("water break"), N_("weather"),
    # Translators: the goalkeeper's
    N_("save"),
    # how, and why
    N_("own goal"), N_("penalty"), N_("header"), N_("straight red"), N_("second yellow"), N_("foul"), N_("handball"),
    N_("inside the box"), N_("outside the box"), N_("potential goal"), N_("potential penalty"), N_("potential red card"),
    N_("mistaken identity"), N_("potential offside"), N_("goal awarded"), N_("no goal"), N_("no penalty"), N_("VAR"),
    N_("goal stands"), N_("no red card"),
    # Translators: short for own goal and penalty, in brackets behind a scorer's minute
    N_("o.g."), N_("pen."),
    # why there is no live data
    N_("no signal"), N_("no connection to the feed"), N_("the feed refuses the connection"),
    N_("the feed has no stream of this match"), N_("no live coverage"),
    # Translators: the side that plays at home, and its guests
    N_("home"), N_("away"),
)  # fmt: skip
"""In the form for the middle of a sentence. A word of the feed that is not listed is shown in English."""


KIND_NAMES = {
    "goal": N_("Goals"),
    "red_card": N_("Red cards"),
    "yellow_card": N_("Yellow cards"),
    "penalty": N_("Penalties"),
    "shootout": N_("Shootouts"),
    "var": N_("VAR checks"),
    "kick_off": N_("Kick-off"),
    "half_time": N_("Half time"),
    "full_time": N_("Full time"),
    "substitution": N_("Substitutions"),
    "lineups": N_("Line-ups"),
    "status": N_("Match disruptions"),
    "fixture": N_("Date and venue"),
    "injury": N_("Injuries"),
    "play": N_("Shots and corners"),
    "card": N_("Match card"),
    "picture": N_("Pictures"),
}
"""The shipped kinds of alerts, and those of match cards and pictures, as buttons name them."""

HOME_NATIONS = (N_("England"), N_("Scotland"), N_("Wales"), N_("Northern Ireland"))
"""National teams that are no territories of CLDR."""

SHIPPED_TEXTS_FILE = Path(__file__).with_name("shipped_texts.json")
"""The texts of all shipped rules. `make words` writes it, so that a bot loads no pack that its configuration does not name."""

COUNTRY_NAMES_FILE = Path(__file__).with_name("country_names.json")
"""The names of territories in every language, by the language and the code, as Babel has them. `make words` writes it: a bot that
read them from Babel itself would hold 9 MB of other things that Babel knows of each language."""

OTHER_COUNTRY_NAMES = {
    "Bosnia and Herzegovina": "BA", "Cape Verde Islands": "CV", "China PR": "CN", "Czech Republic": "CZ", "Congo DR": "CD",
    "DR Congo": "CD", "Congo": "CG", "IR Iran": "IR", "Ivory Coast": "CI", "Korea Republic": "KR", "Korea DPR": "KP",
    "Republic of Ireland": "IE", "Turkey": "TR", "Trinidad and Tobago": "TT", "USA": "US", "United States of America": "US",
    "UAE": "AE", "Holland": "NL", "Macedonia": "MK", "Swaziland": "SZ",
}  # fmt: skip
"""National teams whose usual English name is another than CLDR's, by territory."""

_SHORT_NAMES = {
    "de": {"CD": "DR Kongo", "CI": "Elfenbeinküste", "CV": "Kap Verde", "US": "USA"},
    "es": {"CD": "RD Congo", "CI": "Costa de Marfil"},
    "fr": {"CD": "RD Congo"},
    "it": {"CD": "RD Congo", "NL": "Olanda", "US": "USA"},
    "pt": {"CD": "RD Congo", "NL": "Holanda"},
}
"""What the football of a language calls a country where CLDR's name is the official one."""


@cache
def load_team_names(language: str) -> dict[str, str]:
    """Return the names of national teams in a language, by the English name. Empty for English."""
    if language == ENGLISH:
        return {}
    with use_language(language):
        in_languages = msgspec.json.decode(COUNTRY_NAMES_FILE.read_bytes(), type=dict[str, dict[str, str]])
        names = in_languages[language] | _SHORT_NAMES.get(base_language(language), {})
        countries = {name: code for code, name in in_languages[ENGLISH].items()} | OTHER_COUNTRY_NAMES
        # A name that needs a comma or brackets, such as that of Hong Kong, is no name of a team.
        teams = {name: names[code] for name, code in countries.items() if code in names and not set(",(.") & set(names[code])}
        return teams | {name: _(name) for name in HOME_NATIONS}


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
    sources = msgspec.json.decode(SHIPPED_TEXTS_FILE.read_bytes(), type=list[str])
    wordings = []
    for language in CHOICES:
        if language != ENGLISH:
            with use_language(language):
                texts = {source: _(source) for source in sources}
                wordings.append(msgspec.structs.replace(current_wording(), texts=texts))
    return tuple(wordings)


def current_wording() -> Wording:
    """Return terms, names and score signs of the current language, without the texts of rules."""
    return _load_wording(current_language())


@cache
def _load_wording(language: str) -> Wording:
    with use_language(language):
        # Translators: how a score is written: 2–1, 2:1, 2 x 1
        sign = pgettext("score", "{home}–{away}").format(home="", away="")
        base = "" if base_language(language) == language else base_language(language)
        return Wording(language, {}, load_terms(), _("{score} pens"), sign, load_team_names(language), base)


def kind_name(name: str) -> str:
    """Return a kind of alert in words."""
    # Rules may use kinds of their own, which have no translation.
    return _(KIND_NAMES[name]) if name in KIND_NAMES else name.replace("_", " ").capitalize()


def translate_team(name: str) -> str:
    """Return a team's name in the current language: national teams have one in each."""
    return current_wording().translate_team(name)


def format_score(score: object) -> str:
    """Return a score as the current language writes it: `2–1`, `2:1`."""
    return current_wording().format_score(str(score))


def format_title(fixture: Fixture) -> str:
    """Return `Arsenal v Chelsea` as the current language writes it; the feed's own name while a team is unknown."""
    if not (fixture.home.name and fixture.away.name):
        return isolate(fixture.name)
    home, away = isolate(translate_team(fixture.home.name)), isolate(translate_team(fixture.away.name))
    return _("{home} v {away}").format(home=home, away=away)


def title_names(fixture: Fixture) -> tuple[str, ...]:
    """Return the names in a fixture's title, for `shorten_names`; none while a team is unknown."""
    return tuple(filter(None, (translate_team(fixture.home.name), translate_team(fixture.away.name))))


def shootout_text(score: str) -> str:
    """Return the score of a shootout as it is shown in brackets: `6–5 pens`."""
    return _("{score} pens").format(score=format_score(score))


def translate_scoreline(facts: Facts) -> str:
    """Return `Germany 1–1 (6–5 pens) Italy` in the current language. The facts contain the line in English."""
    return current_wording().format_match(facts)
