"""Rules put to the test: the shipped packs by files as users write them, and the reading of such files."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings

from rules.engine.rule import RuleSet
from rules.loading.loader import list_packs, load_pack, load_rules
from rules.scenarios.expectations import MessageLine, RuleTest, RuleTestResult, RuleTestsInvalid, read_tests, run_test
from tests.slips import mutated

FOLDER = Path(__file__).parents[1] / "packs"
FILES = sorted(FOLDER.glob("*.test.yaml"))
TESTS = [(file, test) for file in FILES for test in read_tests(file.read_text(encoding="utf-8"), file.name).tests]
MATCH = "tests:\n- match: Arsenal v Chelsea\n  events: [10' goal Saka (Arsenal), 20' yellow card Rice (Arsenal)]\n"


def outcome(expect: str, rules: RuleSet | None = None) -> RuleTestResult:
    (test,) = read_tests(f"kinds: [goal, yellow_card]\n{MATCH}  expect: {expect}\n").tests
    return run_test(test, rules or load_pack())


def test_every_pack_has_its_tests() -> None:
    assert [file.name.removesuffix(".test.yaml") for file in FILES] == sorted(list_packs())


@pytest.mark.parametrize(("file", "test"), TESTS, ids=[f"{file.name} {test.name}" for file, test in TESTS])
def test_a_pack_sends_what_its_tests_expect(file: Path, test: RuleTest) -> None:
    assert "\n".join(run_test(test, load_pack(file.name.removesuffix(".test.yaml"))).diff) == ""


@pytest.mark.parametrize(
    "expect",
    [
        "[10' goal, 20' yellow_card]",
        "[goal, yellow_card]",
        "[\"10' goal: Saka\", 20' yellow_card]",
        "[10' goal (goals) confirmed: Saka, 20' yellow_card: 'Arsenal: Rice']",
    ],
)
def test_as_much_is_compared_as_is_written(expect: str) -> None:
    assert outcome(expect).is_passed


def test_what_is_missing_and_what_is_too_much_is_shown_in_its_place() -> None:
    diff = outcome("[10' goal: Havertz, 20' yellow_card, 30' goal]").diff

    assert [line[:14] for line in diff] == ["- 10' goal: Ha", "+ 10' goal (go", "  20' yellow_c", "- 30' goal"]


@pytest.mark.parametrize(
    "expect",
    ["[]", "[10' goal]", "[20' yellow_card, 10' goal]", "[10' goal retracted, 20' yellow_card]", "[11' goal, 20' yellow_card]"],
)
def test_anything_but_the_alerts_expected_fails(expect: str) -> None:
    assert not outcome(expect).is_passed


def test_the_same_test_has_the_same_outcome() -> None:
    assert outcome("[]").messages == outcome("[]").messages


def test_a_message_is_what_its_last_revision_says() -> None:
    rules = load_rules(
        "- {name: g, match: {side: home, send_type: [Pending, Confirmed]}, alert: {kind: goal, text: '{{ player }}!'}}"
    )

    assert outcome("[]", rules).messages[0] == MessageLine("10", "goal", "g", "confirmed", "Saka!")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "t.yaml:1:1: there are no tests here"),
        ("tests: 3", "t.yaml:1:8: tests must be a list"),
        ("test: []", 't.yaml:1:1: unknown key "test", did you mean "tests"?'),
        ("pack: a\nrules: b\ntests: []", "t.yaml:1:7: write rules or pack, not both"),
        ("tests:\n- match: A v B\n  expect: [10 goal]", 't.yaml:3:12: "10 goal" is not of the form 27\' goal'),
        ("tests:\n- match: A v B\n  expect: [1+2+3' goal]", "t.yaml:3:12: \"1+2+3' goal\" is not of the form 27' goal"),
        ("tests:\n- match: A v B\n  expect: [{a: b, c: d}]", "t.yaml:3:12: an expected alert is of the form 27' goal"),
        ("tests:\n- match: A v B", "t.yaml:2:3: a test needs expect: the expected messages, [] for none"),
        ("tests:\n- {match: A v B, expect: [], events: [gaol]}", "t.yaml:2:39: 'gaol' is not of the form: 10' goal"),
        ("tests:\n- {expect: []}", "t.yaml:2:3: a scenario needs `match: HOME v AWAY`"),
        ("tests: [", "t.yaml:1:9: this is not YAML"),
    ],
)
def test_a_mistake_has_its_place(text: str, sentence: str) -> None:
    with pytest.raises(RuleTestsInvalid) as refused:
        read_tests(text, "t.yaml")

    assert any(line.startswith(sentence) for line in refused.value.mistakes), refused.value.mistakes


@settings(max_examples=200, deadline=None)
@given(text=mutated((FOLDER / "goals.test.yaml").read_text(encoding="utf-8")))
def test_a_mutated_file_is_refused_at_places_or_played(text: str) -> None:
    try:
        for test in read_tests(text, "t.yaml").tests:
            run_test(test, load_pack())
    except RuleTestsInvalid as error:
        assert all(re.match(r"t\.yaml:\d+:\d+: .", line) for line in error.mistakes)
