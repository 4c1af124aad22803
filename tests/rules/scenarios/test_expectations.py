"""Rules put to the test: the shipped packs by files as users write them, and the reading of such files."""

import re
from pathlib import Path

import pytest
from hypothesis import given

from rules.engine.rule import RuleSet
from rules.football.catalogue import load_catalogue
from rules.loading.loader import list_packs, load_pack, load_rules
from rules.scenarios.expectations import RuleTest, RuleTestResult, RuleTestsInvalid, read_tests, run_test
from rules.scenarios.messages import MessageLine
from tests.laws import try_examples
from tests.mutated_text import mutated

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
        "[10' goal loud, 20' yellow_card silent]",
        '["10\' goal (goals) confirmed loud: Saka", "20\' yellow_card confirmed, silent"]',
    ],
)
def test_as_much_is_compared_as_is_written(expect: str) -> None:
    assert outcome(expect).is_passed


def test_what_is_missing_and_what_is_too_much_is_shown_in_its_place() -> None:
    diff = outcome("[10' goal: Havertz, 20' yellow_card, 30' goal]").diff

    assert [line[:14] for line in diff] == ["- 10' goal: Ha", "+ 10' goal (go", "  20' yellow_c", "- 30' goal"]


@pytest.mark.parametrize(
    "expect",
    [
        "[]",
        "[10' goal]",
        "[20' yellow_card, 10' goal]",
        "[10' goal retracted, 20' yellow_card]",
        "[11' goal, 20' yellow_card]",
        "[10' goal silent, 20' yellow_card]",
    ],
)
def test_anything_but_the_alerts_expected_fails(expect: str) -> None:
    assert not outcome(expect).is_passed


def test_the_same_test_has_the_same_outcome() -> None:
    assert outcome("[]").messages == outcome("[]").messages


def test_a_message_is_what_its_last_revision_says() -> None:
    rules = load_rules(
        "- {name: g, match: {side: home, send_type: [Pending, Confirmed]}, alert: {kind: goal, text: '{{ player }}!'}}"
    )

    assert outcome("[]", rules).messages[0] == MessageLine("10", "goal", "g", "confirmed", "Saka!", "loud")


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
        ("tests:\n- match: A v B\n  expect: [{goal: [1]}]", "t.yaml:3:19: the words expected must be one text, not a list"),
        ("tests:\n- match: A v B", "t.yaml:2:3: a test needs expect: the expected messages, [] for none"),
        ("tests:\n- {match: A v B, expect: [], events: [gaol]}", "t.yaml:2:39: 'gaol' is not of the form: 10' goal"),
        ("tests:\n- {expect: []}", "t.yaml:2:3: a scenario needs `match: HOME v AWAY`"),
        ("tests: [", "t.yaml:1:8: the [ that is opened here"),
    ],
)
def test_a_mistake_has_its_place(text: str, sentence: str) -> None:
    with pytest.raises(RuleTestsInvalid) as refused:
        read_tests(text, "t.yaml")

    assert any(line.startswith(sentence) for line in refused.value.mistakes), refused.value.mistakes


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (MessageLine(), ""),
        (MessageLine("10", "goal"), "10' goal"),
        (MessageLine("10", "goal", "goals", "retracted", "<b>Goal</b>\n1–0"), "10' goal (goals) retracted: Goal 1–0"),
        (MessageLine(kind="goal", state="pending"), "goal pending"),
    ],
)
def test_a_message_is_shown_in_one_line(message: MessageLine, shown: str) -> None:
    assert str(message) == shown


def test_a_file_names_what_it_tests_and_a_test_itself_and_its_kinds() -> None:
    named = read_tests(
        "rules: my.yaml\nkinds: goal\ntests:\n"
        "- {match: A v B, expect: [], name: mine, kinds: [red_card, var]}\n"
        "- {match: A v B, expect: []}"
    )
    packed = read_tests("pack: goals\ntests: []")

    assert (named.rules, named.pack, packed.rules, packed.pack, packed.tests) == ("my.yaml", "", "", "goals", ())
    assert [(test.name, test.kinds) for test in named.tests] == [
        ("mine", frozenset({"red_card", "var"})),
        ("A v B", frozenset({"goal"})),
    ]
    assert [str(test.location) for test in named.tests] == ["rules.test.yaml:4:3", "rules.test.yaml:5:3"]


def test_without_kinds_every_message_counts() -> None:
    (test,) = read_tests(f"{MATCH}  expect: []").tests

    assert test.kinds is None
    assert {message.kind for message in run_test(test, load_pack()).messages} >= {"goal", "yellow_card", "full_time"}


def test_a_file_that_has_no_tests_says_where_they_belong() -> None:
    with pytest.raises(RuleTestsInvalid) as refused:
        read_tests("pack: goals", "t.yaml")

    assert refused.value.mistakes == ("t.yaml:1:1: there are no tests here: write them under tests:",)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("10' goal", MessageLine("10", "goal")),
        ("45+2' goal (late goals)", MessageLine("45+2", "goal", "late goals")),
        ("10' goal retracted", MessageLine("10", "goal", "", "retracted")),
        ("goal (a), pending", MessageLine("", "goal", "a", "pending")),
        ("10' goal: Saka", MessageLine("10", "goal", text="Saka")),
        ('"10\' goal (goals) confirmed: Saka: 1–0"', MessageLine("10", "goal", "goals", "confirmed", "Saka: 1–0")),
    ],
)
def test_an_expected_message_is_read_part_by_part(written: str, expected: MessageLine) -> None:
    (test,) = read_tests(f"{MATCH}  expect:\n  - {written}\n").tests

    assert test.expected == (expected,)


def test_a_message_is_revised_by_the_rule_that_sent_it_and_by_an_operators_catalogue() -> None:
    rules = load_rules(
        "- {name: g, match: {action_type: Goal, player: Saka}, alert: {kind: goal, text: '{{ player }}'}}\n"
        "- {name: r, match: {action_type: Goal Annulled}, alert: {kind: var, text: 'annulled'}}",
        catalogue=load_catalogue().extend("action_types: [{name: Goal Annulled, is: [Goal Disallowed, '']}]"),
    )
    (corrected, disallowed) = read_tests(
        "tests:\n"
        '- {match: A v B, expect: [], events: ["10\' goal Saka (A), corrected to Rice after 40s"]}\n'
        '- {match: A v B, expect: [], events: ["10\' goal Saka (A), disallowed for offside after 60s"]}'
    ).tests

    assert [str(m) for m in run_test(corrected, rules).messages] == ["10' goal (g) confirmed loud: Rice"]
    assert [str(m) for m in run_test(disallowed, rules).messages] == ["10' goal (g) retracted loud: Saka"]


@pytest.mark.slow
@try_examples(200)
@given(text=mutated((FOLDER / "goals.test.yaml").read_text(encoding="utf-8")))
def test_a_mutated_file_is_refused_at_places_or_played(text: str) -> None:
    try:
        for test in read_tests(text, "t.yaml").tests:
            run_test(test, load_pack())
    except RuleTestsInvalid as error:
        assert error.mistakes
        assert all(re.match(r"t\.yaml:\d+:\d+: .", line) for line in error.mistakes)


SOUNDS = """
tests:
- match: Arsenal v Chelsea
  events:
    - 10' goal Palmer (Chelsea), disallowed for offside after a video check
    - 20' yellow card Rice (Arsenal), red after 60s
    - 60' goal Palmer (Chelsea)
    - 88' goal Saka (Arsenal)
  expect: []
"""

EXCHANGED = {"major": "minor", "minor": "major"}


def _late_goals(late: str) -> RuleSet:
    return load_rules(
        f"""
- name: late
  match: {{action_type: Goal, minute: {{from: 80}}}}
  alert: {{kind: goal, importance: {late}, text: x}}
- name: others
  match: {{action_type: Goal}}
  alert: {{kind: goal, importance: {EXCHANGED[late]}, text: x}}
- name: cards
  match: {{action_type: [Yellow Card, Red Card]}}
  alert: {{kind: yellow_card, importance: minor, text: x}}
"""
    )


@pytest.mark.parametrize("late", ["major", "minor"])
def test_the_sound_is_that_of_the_first_message_or_of_a_card_that_became_graver(late: str) -> None:
    (test,) = read_tests(SOUNDS).tests
    found = [(message.minute, message.sound) for message in run_test(test, _late_goals(late)).messages]
    major, minor = ("loud", "silent") if late == "major" else ("silent", "loud")

    assert found == [("10", minor), ("20", "loud"), ("60", minor), ("88", major)]


@pytest.mark.parametrize(("gravity", "sound"), [(0, "silent"), (1, "loud")])
def test_a_card_that_turns_red_is_loud_only_where_the_catalogue_gives_cards_a_gravity(gravity: int, sound: str) -> None:
    catalogue = load_catalogue().extend(
        f"action_types: [{{name: Yellow Card, gravity: {gravity}}}, {{name: Red Card, gravity: {gravity}}}]"
    )
    rules = load_rules(
        """
- name: red
  match: {action_type: Red Card}
  alert: {kind: red_card, importance: major, text: red}
- name: yellow
  match: {action_type: Yellow Card}
  alert: {kind: yellow_card, importance: minor, text: yellow}
"""
    )
    (test,) = read_tests(SOUNDS).tests

    assert [message.sound for message in run_test(test, rules, catalogue).messages] == [sound]


def test_a_rule_that_only_rewords_what_another_one_began_changes_no_sound() -> None:
    rules = load_rules(
        """
- name: confirmed
  match: {action_type: Goal, send_type: Confirmed}
  alert: {kind: goal, importance: major, text: sure}
- name: pending
  match: {action_type: Goal}
  alert: {kind: goal, importance: minor, text: perhaps}
"""
    )

    assert [str(message) for message in outcome("[]", rules).messages] == ["10' goal (confirmed) confirmed silent: sure"]
