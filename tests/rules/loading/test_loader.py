import datetime as dt

import pytest
import yaml

from rules.engine.alert import Importance
from rules.engine.rule import RuleSet
from rules.football.catalogue import load_catalogue
from rules.loading.document import Report, compose
from rules.loading.loader import RulesInvalid, load_pack, load_rules, read_rules_document

GOALS = '- {name: goals, match: {action_type: Goal}, alert: {kind: goal, text: "{{ match }}"}}\n'


def with_files(text: str, **files: str) -> tuple[RuleSet, Report]:
    """The rules of a text that may include these files."""
    report = Report()

    def include(pattern: str) -> list[yaml.Node]:
        return [root for name, content in files.items() if (root := compose(content, f"{name}.yaml", report))]

    root = compose(text, "main.yaml", report)
    assert root is not None
    return read_rules_document(root, report, load_catalogue(), include), report


def test_a_rule_is_read_with_all_that_it_says() -> None:
    alert = "{kind: drama, importance: minor, max_age: 1h30m, text: 'a'}"
    text = f"rules:\n  - name: late\n    match: {{action_type: Goal}}\n    alert: {alert}\n    continue: true"

    (rule,) = load_rules(text, "r.yaml").rules

    assert (rule.name, rule.continues, str(rule.location)) == ("late", True, "r.yaml:2:5")
    assert (rule.alert.kind, rule.alert.importance, rule.alert.max_age) == ("drama", Importance.MINOR, dt.timedelta(minutes=90))


def test_what_is_left_out_has_its_usual_value() -> None:
    (rule,) = load_rules(GOALS).rules

    assert (rule.continues, rule.alert.importance, rule.alert.max_age) == (False, Importance.MAJOR, dt.timedelta(minutes=5))


def test_words_that_look_like_something_else_are_text() -> None:
    (rule,) = load_rules("- {name: 12:30, match: {team: NO}, alert: {kind: on, text: 045}}").rules

    assert (rule.name, rule.conditions[0].expected, rule.alert.kind, rule.alert.text.source) == ("12:30", "NO", "on", "045")


def test_a_text_is_used_by_its_name() -> None:
    rules = load_rules(
        "texts: {scored: 'Goal {{ minute }}'}\nrules:\n- {name: a, match: {side: home}, alert: {kind: g, text: {use: scored}}}"
    )

    assert rules.rules[0].alert.text.source == "Goal {{ minute }}"


def test_every_mistake_is_reported_at_once_in_the_order_of_the_file() -> None:
    first = "- name: a\n  match: {side: hmoe}\n  alert: {kind: g, text: '{{ plyer }}'}\n"
    text = first + "- name: a\n  match: {team: x}\n  alert: {kind: g}"

    with pytest.raises(RulesInvalid) as refused:
        load_rules(text, "r.yaml")

    assert [line.split(":")[1] for line in refused.value.mistakes] == ["2", "3", "4", "6"]
    assert str(refused.value).splitlines() == list(refused.value.mistakes)


def test_included_rules_come_after_the_files_own_and_share_its_texts() -> None:
    rules, report = with_files(
        "include: rules.d/*.yaml\ntexts: {scored: a}\nrules:\n" + GOALS,
        one="- {name: one, match: {side: home}, alert: {kind: g, text: {use: scored}}}",
        two="rules:\n- {name: two, match: {side: away}, alert: {kind: g, text: b}}",
    )

    assert ([rule.name for rule in rules.rules], report.mistakes) == (["goals", "one", "two"], ())
    assert str(rules.rules[2].location) == "two.yaml:2:3"


def test_a_name_that_another_file_has_taken_is_reported_with_both_places() -> None:
    _, report = with_files("include: more.yaml\nrules:\n" + GOALS, more=GOALS)

    assert report.mistakes == ('more.yaml:1:10: rule "goals": there is already a rule of this name, at main.yaml:3:10',)


def test_an_included_file_includes_none_itself() -> None:
    _, report = with_files("include: more.yaml", more="include: x")

    assert report.mistakes == ('more.yaml:1:1: unknown key "include"; known: rules, texts',)


def test_own_rules_come_before_a_pack_and_replace_its_rules_by_name() -> None:
    rules = load_rules("extends: default\nrules:\n" + GOALS)

    names = [rule.name for rule in rules.rules]
    assert (names[0], names.count("goals"), len(names)) == ("goals", 1, len(load_pack().rules))


@pytest.mark.parametrize(
    ("first", "second", "shadowed"),
    [
        ("{action_type: Goal}", "{action_type: Goal, team: Arsenal}", True),
        ("{action_type: [Goal, Red Card]}", "{action_type: Own Goal}", True),
        ("{side: home}", "{side: home, action_type: Goal}", True),
        ("{team: Arsenal}", "{team: arsenal}", True),
        ("{action_type: Own Goal}", "{action_type: Goal}", False),
        ("{action_type: Own Goal}", "{action_type: Goal, sub_action_type: Header}", False),
        ("{action_type: Goal}", "{action_type: Goal, send_type: [Pending, Confirmed]}", True),
        ("{action_type: Goal, send_type: Confirmed}", "{action_type: Goal}", False),
        ("{action_type: Goal, team: Arsenal}", "{action_type: Goal}", False),
        ("{action_type: Goal}", "{team: Arsenal}", False),
    ],
)
def test_a_rule_that_an_earlier_one_shadows_is_warned_of(first: str, second: str, shadowed: bool) -> None:
    rules = [f"- {{name: {name}, match: {match}, alert: {{kind: g, text: x}}}}" for name, match in (("a", first), ("b", second))]

    _, report = with_files("\n".join(rules))

    assert [line.split('"')[1] for line in report.warnings if "never fires" in line] == (["b"] if shadowed else [])


def test_rules_that_fire_while_an_action_is_pending_are_noted_in_one_line() -> None:
    matches = ["{action_type: Goal}", "{action_type: Goal, send_type: Confirmed}", "{action_type: End Match}", "{team: Arsenal}"]
    rules = [f"- {{name: rule {number}, match: {match}, alert: {{kind: g, text: x}}}}" for number, match in enumerate(matches)]

    _, report = with_files("\n".join(rules))

    (note,) = report.notes
    assert note.endswith("send_type: Confirmed waits: rule 0, rule 3")


def test_a_rule_that_says_continue_shadows_nothing() -> None:
    rule = "- {name: %s, match: {side: home}, continue: %s, alert: {kind: g, text: x}}\n"

    _, report = with_files(rule % ("a", "true") + rule % ("b", "false"))

    assert report.warnings == ()


def test_a_text_that_would_be_refused_by_telegram_is_found() -> None:
    for text in ("<b>{{ player }}", "a < b", "<br>", "<b><i>x</b></i>", "<a>x</a>", "<!-- x -->", "<br/>", "x" * 5000):
        with pytest.raises(RulesInvalid):
            load_rules(f'- {{name: a, match: {{side: home}}, alert: {{kind: g, text: "{text}"}}}}')


def test_telegrams_own_markup_is_allowed() -> None:
    text = "<b>{{ home }}</b> &lt;3 <a href='https://example.org'>x</a> <tg-spoiler>{{ score }}</tg-spoiler>"

    assert load_rules(f'- {{name: a, match: {{side: home}}, alert: {{kind: g, text: "{text}"}}}}').rules


@pytest.mark.slow
def test_a_thousand_rules_are_read() -> None:
    text = "".join(
        f"- {{name: r{n}, match: {{action_type: Goal, team: T{n}}}, alert: {{kind: g, text: '{{{{ match }}}}'}}}}\n"
        for n in range(1000)
    )

    assert len(load_rules(text).rules) == 1000


@pytest.mark.parametrize(
    ("period", "minute", "is_played"),
    [
        ("first half", "{to: 1}", True),
        ("first half", "45+9", True),
        ("first half", "46", False),
        ("second half", "{to: 45+9}", False),
        ("second half", "{to: 46}", True),
        ("second half", "90+30", True),
        ("second half", "{from: 91}", False),
        ("first half of extra time", "{to: 90}", False),
        ("first half of extra time", "{to: 91}", True),
        ("second half of extra time", "{to: 105}", False),
        ("second half of extra time", "{to: 106}", True),
        ("extra time", "{from: 100}", True),
        ("[first half, extra time]", "46", False),
        ("shootout", "{from: 1}", False),
        ("before kick-off", "{from: 1}", False),
        ("{not: first half}", "46", True),
    ],
)
def test_a_minute_that_its_period_does_not_have_is_found(period: str, minute: str, is_played: bool) -> None:
    _, report = with_files(f"- {{name: a, match: {{period: {period}, minute: {minute}}}, alert: {{kind: g, text: x}}}}")

    assert any("there is no minute" in line for line in (*report.mistakes, *report.warnings)) is not is_played


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("{match: {side: home}, alert: {kind: g, text: x}}", "r.yaml:1:3: a rule needs a name"),
        ("{name: [a], match: {side: home}, alert: {kind: g, text: x}}", "r.yaml:1:10: name must be one text, not a list"),
        ("{name: '', match: {side: home}, alert: {kind: g, text: x}}", "r.yaml:1:10: name is empty"),
    ],
)
def test_a_rule_without_a_name_has_its_place(rule: str, sentence: str) -> None:
    with pytest.raises(RulesInvalid) as refused:
        load_rules(f"- {rule}", "r.yaml")

    assert refused.value.mistakes == (sentence,)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("goals", "1:1: a file of rules must be a mapping with rules, texts, include and extends"),
        (
            "- {name: a, match: {minute: >80}, alert: {kind: g, text: x}}",
            '1:29: a value that begins with > goes in quotes: ">80"',
        ),
        ("- {name: a, match: {team: @a}, alert: {kind: g, text: x}}", '1:27: a text that begins with @ goes in quotes: "@a"'),
        ("- {name: a, match: {}, alert: {kind: g, text: a: b }}", '1:47: a text that holds ": " goes in quotes: "a: b"'),
        *(
            (f"- {{name: a, match: {{}}, alert: {{kind: g, text: '{{{{ a {sign} b }}}}'}}}}", "write and for &&, or for ||")
            for sign in ("&&", "||")
        ),
    ],
)
def test_what_is_written_otherwise_here_is_explained(text: str, mistake: str) -> None:
    with pytest.raises(RulesInvalid) as refused:
        load_rules(text, "r.yaml")

    assert any(found.endswith(mistake) for found in refused.value.mistakes), refused.value.mistakes
