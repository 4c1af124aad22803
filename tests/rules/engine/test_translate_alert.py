"""Alerts in several languages."""

from __future__ import annotations

import datetime as dt
import json

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
