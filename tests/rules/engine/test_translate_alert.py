"""Alerts in several languages."""

from __future__ import annotations

import datetime as dt
import json

import msgspec
import pytest
from msgspec.structs import replace

from rules.engine import text
from rules.engine.alert import Alert, AlertKey, Facts, State
from rules.engine.evaluate import translate_alert
from rules.engine.rule import RuleSet
from rules.engine.text import LANGUAGE_CODES, AlertText, Wording
from rules.football.action import Fixture
from rules.loading.loader import RulesInvalid, load_rules

FACTS = Facts(match="A 1–1 (6–5 pens) B", shootout="6–5", player="Kane", period="second half", sub_action_type="Own Goal")
GOAL = "{{ player }}, {{ period }}{% if sub_action_type == 'Own Goal' %}: {{ sub_action_type | lower }}{% endif %}\n{{ match }}"
SPANISH = Wording("es", {GOAL: f"¡Gol! {GOAL}"}, {"second half": "segunda parte", "own goal": "gol en contra"}, "{score} pen.")


def rules(text: str) -> RuleSet:
    return load_rules(f"- name: goals\n  match: {{action_type: Goal}}\n  alert:\n    kind: goal\n    text: {text}")


def alert(text: str = "said", **more: object) -> Alert:
    key = AlertKey("f", "a")
    made = Alert(key, 1, State.CONFIRMED, dt.datetime(2026, 11, 22, tzinfo=dt.UTC), Fixture("f"), FACTS, rule="goals", text=text)
    return replace(made, **more)


def test_a_shipped_text_is_said_in_every_language_that_has_it_and_its_words_too() -> None:
    translated = translate_alert(alert(), rules(json.dumps(GOAL)), (SPANISH, Wording("it")))

    assert translated.texts == {"es": "¡Gol! Kane, segunda parte: gol en contra\nA 1–1 (6–5 pen.) B"}


def test_an_operators_own_text_is_said_as_it_is_written() -> None:
    assert translate_alert(alert(), rules("'{{ player }} scores'"), (SPANISH,)).texts == {}


def test_a_rule_may_give_its_text_in_several_languages() -> None:
    translated = translate_alert(alert(), rules("{en: 'Goal, {{ period }}', es: 'Gol, {{ period }}'}"), (SPANISH,))

    assert translated.texts == {"en": "Goal, second half", "es": "Gol, segunda parte"}


def test_a_chat_in_another_language_reads_english_or_else_the_first() -> None:
    sources = [rules(text).rules[0].alert.text.source for text in ("{es: Gol, en: Goal}", "{es: Gol, de: Tor}")]

    assert sources == ["Goal", "Gol"]


def test_a_text_that_several_rules_use_may_be_in_several_languages() -> None:
    (rule,) = load_rules("""
texts: {goal: {en: Goal, de: Tor}}
rules: [{name: goals, match: {action_type: Goal}, alert: {kind: goal, text: {use: goal}}}]
""").rules

    assert {code: text.source for code, text in rule.alert.texts.items()} == {"en": "Goal", "de": "Tor"}


@pytest.mark.parametrize("translated", [alert("", state=State.RETRACTED), alert("bare", text_error="broken"), alert(rule="gone")])
def test_what_no_rule_has_worded_stays_as_it_is(translated: Alert) -> None:
    assert translate_alert(translated, rules("{en: Goal, es: Gol}"), (SPANISH,)) is translated


def test_a_translation_that_cannot_be_filled_leaves_the_others() -> None:
    broken = rules("{en: Goal, es: '{{ 1 // 0 if minute == ''7'' else player }}'}")

    assert translate_alert(alert(facts=replace(FACTS, minute="7")), broken, ()).texts == {"en": "Goal"}


def test_conditions_compare_english_and_filters_write_the_other_language() -> None:
    text = AlertText("{{ period | capitalize or 'x' }} / {{ side }}{{ '!' if side == 'home' }}")

    translated = text.render(
        Facts(period="second half", side="home"), Wording("es", terms={"second half": "segunda parte", "home": "local"})
    )

    assert translated == "Segunda parte / local!"


def test_names_from_the_right_are_kept_to_themselves_and_no_others() -> None:
    text = AlertText("{{ player }} ({{ team }}){{ ' at home' if team == 'מכבי' }}")

    assert text.render(Facts(player="Zahavi", team="מכבי")) == "Zahavi (\u2068מכבי\u2069) at home"


def test_every_mistake_of_a_language_has_its_place() -> None:
    with pytest.raises(RulesInvalid) as error:
        rules("{esp: Gol}")

    assert [line.partition(": ")[2] for line in error.value.mistakes] == ['rule "goals": unknown key "esp", did you mean "es"?']


def test_the_codes_are_the_languages_of_the_bot() -> None:
    assert tuple(text.LANGUAGES) == LANGUAGE_CODES


def render_one(name: str, value: str, wording: Wording | None = None) -> str:
    """Return what a text shows of one variable."""
    return AlertText(f"{{{{ {name} }}}}").render(replace(Facts(), **{name: value}), wording)


TEAM_NAMES = {"Germany": "Alemania", "Ivory Coast": "Costa de Marfil"}
OTHER = Wording("xx", terms={"offside": "Abseits"}, score_sign=":", team_names=TEAM_NAMES)
TERMS = ("period", "action_type", "sub_action_type", "side", "reason", "status_reason", "outcome", "coverage", "coverage_before")
TEAMS = ("home", "away", "team", "opponent", "winner")
SCORES = ("score", "goal_score", "shootout", "score_before", "winner_score")
NAMES = (*TEAMS, "player", "player_off", "competition", "venue", "venue_before")


@pytest.mark.parametrize(
    ("value", "shown", "names"),
    [("Offside", "Abseits", TERMS), ("Germany", "Alemania", TEAMS), ("[2]–1", "[2]:1", SCORES)],
    ids=["terms", "teams", "scores"],
)
def test_another_language_writes_terms_teams_and_scores_in_its_own_way_and_nothing_else(
    value: str, shown: str, names: tuple[str, ...]
) -> None:
    texts = [name for name, default in msgspec.structs.asdict(Facts()).items() if default == ""]
    own = ("match", "scorers")  # They have words of their own: see below.

    assert sorted(name for name in texts if name not in own and render_one(name, value, OTHER) == shown) == sorted(names)
    assert {render_one(name, value, OTHER) for name in texts if name not in (*own, *names)} == {value}


def test_what_may_be_written_from_the_right_is_isolated_in_every_language() -> None:
    texts = [name for name, default in msgspec.structs.asdict(Facts()).items() if default == ""]
    isolated = [name for name in texts if render_one(name, "מכבי") == "\u2068מכבי\u2069"]

    assert sorted(isolated) == sorted(NAMES)
    assert {render_one(name, "מכבי", OTHER) for name in NAMES} == {"\u2068מכבי\u2069"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Germany", "Alemania"),
        ("Germany U21", "Alemania U21"),
        ("Germany U-21", "Alemania U-21"),
        ("Germany Women", "Alemania Women"),
        ("Germany W", "Alemania W"),
        ("Germany Olympic", "Alemania Olympic"),
        ("Ivory Coast U21", "Costa de Marfil U21"),
        ("Germany FC", "Germany FC"),
        ("East Germany", "East Germany"),
        ("U21", "U21"),
    ],
)
def test_a_national_team_of_an_age_or_of_women_is_named_as_its_country(name: str, shown: str) -> None:
    assert OTHER.translate_team(name) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2–1", "2:1"),
        ("2–[1]", "2:[1]"),
        ("A 10–0 B", "A 10:0 B"),
        ("2024–25", "2024–25"),
        ("1–2–1", "1–2–1"),
        ("4-3-3", "4-3-3"),
    ],
)
def test_a_score_is_written_with_the_sign_of_its_language_and_other_numbers_stay(text: str, shown: str) -> None:
    assert (OTHER.format_score(text), Wording("en").format_score(text)) == (shown, text)


def test_a_match_and_its_scorers_are_written_in_the_words_of_a_language() -> None:
    german = replace(OTHER, terms={"o.g.": "ET", "pen.": "Elf."}, shootout_format="{score} i. E.")
    facts = Facts(
        match="Germany 1–1 (6–5 pens) Germany U21",
        home="Germany",
        away="Germany U21",
        shootout="6–5",
        scorers="Kane 23' (o.g.), 59' (pen.)",
    )

    assert german.format_match(facts) == "Alemania 1:1 (6:5 i. E.) Alemania U21"
    assert german.format_scorers(facts) == "Kane 23' (ET), 59' (Elf.)"
    assert OTHER.format_scorers(facts) == facts.scorers
    assert german.format_match(Facts(match="Germany 1–1 Germany U21")) == "Germany 1:1 Germany U21"
    assert AlertText("{{ match }} {{ scorers }}").render(facts, german).startswith("Alemania 1:1 (6:5 i. E.)")


def test_a_name_from_the_right_is_isolated_in_a_match_that_is_translated() -> None:
    facts = Facts(match="\u2068מכבי\u2069 1–0 Germany", home="מכבי", away="Germany")

    assert OTHER.format_match(facts) == "\u2068מכבי\u2069 1:0 Alemania"
