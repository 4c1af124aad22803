"""What the editor offers where somebody types. The bar in the texts stands for the cursor."""

from __future__ import annotations

import pytest

from bot.config.json_schema import build_rules_file_schema, build_scenario_schema, build_tests_schema
from bot.console.completion import Completions, complete, find_caret, insert

RULE = "rules:\n  - name: late\n"


def offer(text: str, schema: dict[str, object] | None = None) -> list[str]:
    caret = text.index("|")
    found = complete(text.replace("|", "", 1), caret, schema or build_rules_file_schema(), ("score", "player"))
    return [option.label for option in found.options]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("|", ["extends:", "include:", "texts:", "rules:"]),
        ("ru|", ["rules:"]),
        ("extends: |", ["cards", "default"]),
        ("extends: [goals, de|", ["default"]),
        ("rules:\n  - |", ["name:", "match:", "alert:", "continue:"]),
        ("rules:\n- |", ["name:", "match:", "alert:", "continue:"]),
        (f"{RULE}    |", ["match:", "alert:", "continue:"]),
        (f"{RULE}    match: {{|}}", ["action_type:", "sub_action_type:"]),
        (f"{RULE}    match: {{action_type: Red|}}", ["Red Card"]),
        (f"{RULE}    match: {{action_type: [Goal, Red|]}}", ["Red Card"]),
        (f"{RULE}    match: {{action_type: Goal, mi|}}", ["minute:"]),
        (f"{RULE}    match: {{action_type: Goal,\n      mi|}}", ["minute:"]),
        (f"{RULE}    match: {{minute: {{from: 80}}, si|}}", ["side:"]),
        (f"{RULE}    match: {{minute: {{|}}}}", ["from:", "to:"]),
        (f"{RULE}    match: {{any: [{{action_type: Goal}}, {{si|}}]}}", ["side:"]),
        (f"{RULE}    match:\n      side: |", ["home", "away"]),
        (f"{RULE}    match:\n      action_type:\n        - Goal D|", ["Goal Disallowed"]),
        (f"{RULE}    alert:\n      kind: re|", ["red_card"]),
        (f"{RULE}    alert: {{importance: |", ["major", "minor"]),
        (f"{RULE}    continue: |", ["true", "false"]),
        (f'{RULE}    alert:\n      text: "{{{{ pl|', ["player"]),
        (f"{RULE}    alert:\n      text: |-\n        Goal\n    con|".replace("|-", ">-"), ["continue:"]),
    ],
)
def test_what_may_stand_here_is_offered_the_likeliest_first(text: str, first: list[str]) -> None:
    assert offer(text)[: len(first)] == first


@pytest.mark.parametrize(
    "text",
    [
        "# ru|",
        f"{RULE}    alert:\n      text: >\n        ki|",
        f'{RULE}    alert: {{text: "ki|',
        "anchors: &na|",
        f"{RULE}    match: {{action_type: Goal|}}".replace("Goal|", "Save|"),
    ],
)
def test_nothing_is_offered_in_texts_comments_and_for_what_is_complete(text: str) -> None:
    assert offer(text) == []


def test_keys_that_the_mapping_has_are_not_offered_again() -> None:
    assert offer("rules:\n  - |\n    name: late\n    alert: {}\n") == ["match:", "continue:"]
    assert "side:" not in offer(f"{RULE}    match: {{side: home, |}}")
    assert offer("rules:\n  - name: a\n    match: {}\n    alert: {}\n  - |") == ["name:", "match:", "alert:", "continue:"]


def test_tests_and_scenarios_are_completed_too() -> None:
    assert offer("tests:\n  - match: A v B\n    ev|", build_tests_schema()) == ["events:"]
    assert offer("m|", build_scenario_schema())[0] == "match:"


def test_a_chosen_word_takes_the_place_of_what_was_begun() -> None:
    text = "rules:\n  - na\n"
    found = complete(text, len(text) - 1, build_rules_file_schema())

    assert insert(text, found, found.options[0]) == "rules:\n  - name: \n"
    assert "unique" in found.options[0].help


def test_the_cursor_is_where_the_text_has_changed() -> None:
    assert find_caret("ac", "abc") == 2
    assert find_caret("abc", "ac") == 1
    assert find_caret("", "rules:") == 6
    # The editor closes brackets by itself, and the cursor stays between them.
    assert find_caret("match: ", "match: {}") == 8


@pytest.mark.parametrize("text", ["}]", "a: {b: [", "- - -", ": :", "rules: {]", '"', "\t", "a: {{ {{", "|", "- |"])
def test_whatever_stands_in_the_editor_is_no_reason_to_fail(text: str) -> None:
    for caret in range(len(text) + 1):
        assert isinstance(complete(text, caret, build_rules_file_schema()), Completions)
