"""Each condition, evaluated for moments that really come about, packet by packet."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.engine.rule import Rule
from rules.football.match import Moment
from rules.football.minute import Minute
from rules.loading.conditions import CONDITION_DESCRIPTIONS, CONDITIONS
from rules.loading.loader import RulesInvalid, load_rules
from rules.loading.ranges import Range
from tests.packets import FIXTURE, Story


def rule(match: str) -> Rule:
    """The rule that asks for this."""
    (read,) = load_rules(f"- name: r\n  match: {match}\n  alert: {{kind: goal, text: x}}").rules
    return read


def fires(match: str, moment: Moment) -> bool:
    asked = rule(match)
    return asked.may_match_type(moment.action.type) and asked.matches(moment)


def goal() -> Moment:
    """Arsenal, at home, go 2–1 up in the 67th minute."""
    story = Story()
    story.add("Foul", minute=60, score=(1, 1))
    return story.goal(minute=67, player="Bukayo Saka", sub="Header", score=(2, 1))


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("{action_type: Goal}", True),
        ("{action_type: goal}", True),
        ("{action_type: [Red Card, Goal]}", True),
        ("{action_type: Red Card}", False),
        ("{action_type: {not: Goal}}", False),
        ("{action_type: {not: [Red Card, Yellow Card]}}", True),
        ("{action_type: Own Goal}", False),
        ("{action_type: {not: Own Goal}}", True),
        ("{sub_action_type: header}", True),
        ("{sub_action_type: {not: Own Goal}}", True),
        ("{send_type: confirmed}", True),
        ("{send_type: {not: Confirmed}}", False),
        ("{team: ARSENAL}", True),
        ("{team: h}", True),
        ("{team: Chelsea}", False),
        ("{team: {not: Chelsea}}", True),
        ("{side: home}", True),
        ("{side: {not: [away]}}", True),
        ("{player: bukayo säka}", True),
        ("{player: Saka}", True),
        ("{player: Bukayo}", False),
        ("{player: id-Bukayo Saka}", True),
        ("{competition: premier league}", True),
        ("{competition: [La Liga, c]}", True),
        ("{competition: La Liga}", False),
        ("{competition: {id: c}}", True),
        ("{competition: {id: [b, c]}}", True),
        ("{competition: {id: b}}", False),
        ("{competition: {not: {id: c}}}", False),
        ("{competition: {not: {id: [a, b]}}}", True),
        ("{team: {id: h}}", True),
        ("{fixture: {id: f1}}", True),
        ("{fixture: f1}", True),
        ("{fixture: Arsenal v Chelsea}", True),
        ("{fixture: Chelsea v Arsenal}", False),
        ("{period: second half}", True),
        ("{period: [first half, extra time, shootout]}", False),
        ("{period: {not: first half}}", True),
        ("{minute: 67}", True),
        ("{minute: {from: 67, to: 67}}", True),
        ("{minute: {to: 66}}", False),
        ("{minute: {from: 68}}", False),
        ("{score: {home: 2, away: 1}}", True),
        ("{score: {home: 2, away: 0}}", False),
        ("{score: {own: 2, other: 1, total: 3, margin: 1}}", True),
        ("{score: {margin: {from: 2}}}", False),
        ("{score: {total: {from: 2, to: 3}}}", True),
        ("{first: true}", True),
        ("{first: false}", False),
        ("{hat_trick: true}", False),
        ("{any: [{team: Chelsea}, {player: Saka, side: home}]}", True),
        ("{any: [{team: Chelsea}, {player: Saka, side: away}]}", False),
        ("{all: [{team: Arsenal}, {minute: {from: 60}}]}", True),
        ("{all: {team: Arsenal}}", True),
        ("{not: {team: Arsenal, minute: {from: 60}}}", False),
        ("{not: {team: Arsenal, minute: {from: 80}}}", True),
        ("{any: [{not: {any: [{side: home}]}}]}", False),
        ("{team: Arsenal, minute: 1}", False),
    ],
)
def test_a_condition_holds_or_not(match: str, expected: bool) -> None:
    assert fires(match, goal()) is expected


@pytest.mark.parametrize(
    "match",
    ["{team: Arsenal}", "{side: home}", "{player: Saka}", "{score: {own: 0}}", "{minute: 1}", "{sub_action_type: Header}"],
)
def test_what_the_feed_has_not_given_satisfies_no_name(match: str) -> None:
    assert not fires(match, Story().add("Start Match", period=0))


@pytest.mark.parametrize(
    ("period", "name"),
    [
        (0, "before kick-off"),
        (1, "first half"),
        (2, "second half"),
        (3, "extra time"),
        (4, "extra time"),
        (4, "second half of extra time"),
        (5, "shootout"),
    ],
)
def test_every_period_has_its_name(period: int, name: str) -> None:
    minute = {3: 95, 4: 110}.get(period, 50 if period == 2 else 1)

    assert fires(f"{{period: {name}}}", Story().add("Foul", period=period, minute=minute))


@pytest.mark.parametrize(
    ("match", "expected"),
    [("{from: 45+1, to: 45+3}", True), ("{from: 46}", False), ("{to: 45}", False), ("{from: 45}", True), ("45+2", True)],
)
def test_stoppage_time_comes_after_the_last_minute_and_before_the_next(match: str, expected: bool) -> None:
    assert fires(f"{{minute: {match}}}", Story().add("Foul", period=1, minute=47)) is expected


def test_a_shootout_has_no_minute() -> None:
    assert not fires("{minute: {from: 0}}", Story().add("Penalty Missed", period=5, minute=1))


@pytest.mark.parametrize(("alias", "sub"), [("Own Goal", ""), ("Goal", "Own Goal")])
def test_an_alias_means_its_pair_in_every_dialect(alias: str, sub: str) -> None:
    moment = Story().add(alias, sub=sub, side="home", score=(1, 0))

    assert fires("{action_type: Own Goal}", moment)
    assert not fires("{action_type: Second Yellow Card}", moment)


def test_a_rule_is_found_by_the_action_types_that_it_names() -> None:
    assert rule("{action_type: [Own Goal, Line-ups]}").action_types == {"goal", "lineups"}
    assert rule("{action_type: {not: Goal}}").action_types is None
    assert rule("{hat_trick: true}").action_types == {"goal"}


@pytest.mark.parametrize(
    ("match", "send_types"),
    [
        ("{side: home}", "Confirmed Pending Updated"),
        ("{send_type: Confirmed}", "Confirmed"),
        ("{send_type: [Pending]}", "Pending"),
        ("{send_type: {not: Pending}}", "Confirmed Updated"),
        ("{any: [{send_type: Pending}, {side: home}]}", "Confirmed Pending Updated"),
    ],
)
def test_a_rule_is_evaluated_for_the_send_types_that_it_names(match: str, send_types: str) -> None:
    assert " ".join(sorted(rule(match).send_types)) == send_types


def test_the_first_goal_is_the_first_that_stands() -> None:
    story = Story()
    pending = story.goal("one", send="Pending", minute=10)
    story.goal("one", send="Cancelled", minute=10)
    second = story.goal("two", minute=20, score=(1, 0))
    third = story.goal("three", minute=30, score=(2, 0))

    assert [fires("{first: true, send_type: [Pending, Confirmed]}", m) for m in (pending, second, third)] == [True, True, False]


def test_the_first_goal_stays_the_first_when_it_is_revised_late() -> None:
    story = Story()
    story.goal("one", minute=10, score=(1, 0))
    story.goal("two", minute=20, score=(2, 0))

    assert fires("{first: true}", story.goal("one", send="Updated", seq=9, minute=10))
    assert not fires("{first: true}", story.goal("two", send="Updated", minute=20))


def test_a_third_goal_is_a_hat_trick_and_own_goals_do_not_count() -> None:
    story = Story()
    story.goal("one", player="Saka", minute=10, score=(1, 0))
    story.goal("own", player="Saka", sub="Own Goal", side="away", minute=15, score=(1, 1))
    second = story.goal("two", player="Saka", minute=20, score=(2, 1))
    third = story.goal("three", player="Saka", minute=30, score=(3, 1))
    fourth = story.goal("four", player="Saka", minute=40, score=(4, 1))

    assert [fires("{hat_trick: true}", moment) for moment in (second, third, fourth)] == [False, True, False]


def test_a_condition_says_what_it_saw() -> None:
    asked = rule(
        "{action_type: Goal, team: {not: [Chelsea, Spurs]}, player: Kane,"
        " minute: {from: 80, to: 90+5}, score: {own: 3}, any: [{side: away}]}"
    )

    seen = [(c.key, c.expected, c.describe_actual(goal())) for c in asked.conditions]

    assert seen == [
        ("action_type", "Goal", "Goal (Header)"),
        ("team", "not Chelsea, Spurs", "Arsenal"),
        ("player", "Kane", "Bukayo Saka"),
        ("minute", "from 80 to 90+5", "67"),
        ("score", "own 3", "2–1, home acts"),
        ("any", "(side: away)", "side: home"),
    ]


def test_a_condition_that_sees_nothing_says_so() -> None:
    asked = rule("{team: Arsenal, player: Saka, side: home, sub_action_type: Header}")

    assert {c.describe_actual(Story().add("Start Match")) for c in asked.conditions} == {"nothing"}


@given(st.integers(0, 130), st.integers(0, 130), st.integers(0, 130))
def test_a_range_holds_both_its_ends_and_what_lies_between(low: int, high: int, value: int) -> None:
    asked = Range(Minute(low), Minute(high))

    assert asked.contains(Minute(value)) is (low <= value <= high)
    assert not asked.contains(None)


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("action_type", "Goal"),
        ("sub_action_type", "Header"),
        ("send_type", "Confirmed"),
        ("team", "Arsenal"),
        ("side", "home"),
        ("player", "Saka"),
        ("competition", "Premier League"),
        ("fixture", "f1"),
        ("period", "second half"),
        ("minute", "67"),
        ("score", "{own: 2}"),
        ("first", "true"),
        ("hat_trick", "false"),
        ("comeback", "true"),
    ],
)
def test_an_explanation_names_each_condition_by_the_key_it_is_written_under(key: str, written: str) -> None:
    assert {key} <= {condition.key for condition in rule(f"{{{key}: {written}}}").conditions}
    assert set(CONDITIONS) == set(CONDITION_DESCRIPTIONS)


def test_the_score_says_who_acts_where_somebody_does() -> None:
    (asked,) = rule("{score: {home: 0}}").conditions

    assert asked.describe_actual(Story().add("Start Match")) == "0–0"
    assert asked.describe_actual(Story().add("Foul", side="away")) == "0–0, away acts"


def covered(level: str) -> Moment:
    """A goal of a match that the feed covers in this way."""
    return Story(msgspec.structs.replace(FIXTURE, coverage_level=level)).goal()


@pytest.mark.parametrize(
    ("match", "level", "expected"),
    [
        ("{coverage: In Venue}", "In Venue", True),
        ("{coverage: [standard stream, in venue]}", "Standard Stream", True),
        ("{coverage: In Venue}", "Standard Stream", False),
        ("{coverage: In Venue}", "", False),
        ("{coverage: {not: No Coverage}}", "", True),
        ("{coverage: {not: No Coverage}}", "No Coverage", False),
    ],
)
def test_a_rule_may_ask_how_the_feed_covers_the_match(match: str, level: str, expected: bool) -> None:
    assert fires(match, covered(level)) is expected


def test_a_misspelt_coverage_level_is_a_mistake() -> None:
    with pytest.raises(RulesInvalid, match='unknown coverage level "In Venu", did you mean "In Venue"'):
        rule("{coverage: In Venu}")


@pytest.mark.parametrize("value", ["", "{}", "[]", "{not: {}}", "{not: []}"])
@pytest.mark.parametrize("key", [*CONDITIONS, "any", "all", "not"])
def test_no_condition_is_dropped_silently_because_it_asks_for_nothing(key: str, value: str) -> None:
    with pytest.raises(RulesInvalid, match=r"rules\.yaml:2:"):
        rule(f"{{{key}: {value}}}")


@pytest.mark.parametrize(
    ("match", "sentence"),
    [
        ("{team: {}}", "team needs a name or an id"),
        ("{team: {not: {}}}", "team needs a name or an id"),
        ("{action_type: {}}", r"action_type needs a name$"),
        ("{coverage: {not: {}}}", "coverage: a name is expected here"),
    ],
)
def test_a_condition_without_a_name_says_what_it_needs(match: str, sentence: str) -> None:
    with pytest.raises(RulesInvalid, match=sentence):
        rule(match)


@pytest.mark.parametrize(("match", "expected"), [("{delayed: true}", True), ("{delayed: false}", False)])
def test_a_rule_may_ask_for_what_was_sent_late(match: str, expected: bool) -> None:
    assert fires(match, Story().goal(is_delayed=True)) is expected
    assert fires(match, Story().goal()) is not expected


def test_two_of_one_name_are_told_apart_by_the_qualified_name() -> None:
    england = msgspec.structs.replace(FIXTURE.competition, detail="England")
    women = msgspec.structs.replace(FIXTURE.home, detail="Women")
    moment = Story(msgspec.structs.replace(FIXTURE, competition=england, home=women)).goal(score=(1, 0))

    assert fires("{competition: Premier League (England), team: arsenal (women)}", moment)
    assert fires("{competition: Premier League, team: Arsenal}", moment)
    assert not fires("{competition: Premier League (Nigeria)}", moment)
    assert not fires("{team: Arsenal (U21)}", moment)


@pytest.mark.parametrize(
    "match",
    [
        "{action_type: {id: 7}}",
        "{competition: {id: c, not: d}}",
        "{competition: {id: {not: c}}}",
        "{competition: {not: {not: c}}}",
        "{side: {id: home}}",
        "{competition: {id: }}",
    ],
)
def test_an_id_stands_alone_or_in_not_and_only_where_something_has_one(match: str) -> None:
    with pytest.raises(RulesInvalid):
        rule(match)
