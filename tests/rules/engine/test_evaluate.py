import datetime as dt

import msgspec
import pytest

from rules.engine.alert import Alert, Importance, State, make_facts
from rules.engine.evaluate import evaluate
from rules.engine.rule import AlertSpec, Condition, Rule, RuleSet
from rules.engine.text import AlertText
from rules.football.action import SendType
from rules.football.fixture_changes import make_full_time_packet
from rules.football.match import Moment
from tests.packets import FIXTURE, Story

ALL = frozenset({SendType.PENDING, SendType.CONFIRMED, SendType.UPDATED})


def rule(name: str, *types: str, sub: str | None = None, text: str = "{{ player }}", **more: object) -> Rule:
    """A rule named after its kind; `sub` asks for a sub action type."""
    asks = Condition("sub_action_type", sub or "", lambda m: m.action.sub_type == sub, lambda m: m.action.sub_type)
    settings = {"send_types": ALL, "action_types": frozenset(t.casefold() for t in types)} | more
    return Rule(name, AlertSpec(name, AlertText(text)), (asks,) if sub else (), **settings)  # type: ignore[arg-type]


RULES = RuleSet(
    [
        rule("own_goal", "Goal", sub="Own Goal"),
        rule("goal", "Goal"),
        rule("yellow", "Yellow Card"),
        rule("full_time", "End Match"),
    ]
)


def summarise(alerts: tuple[Alert, ...]) -> list[tuple[str, str, str]]:
    return [(a.key.action_id, a.rule, a.state.value) for a in alerts]


def evaluate_moment(
    moment: Moment, notified: dict[str, set[str]] | None = None, rules: RuleSet = RULES
) -> list[tuple[str, str, str]]:
    return summarise(evaluate(rules, moment, notified))


def test_the_first_rule_that_fires_ends_the_walk() -> None:
    assert evaluate_moment(Story().goal(sub="Own Goal", score=(1, 0))) == [("g", "own_goal", "confirmed")]


def test_continue_offers_the_next_rules_alert_too() -> None:
    rules = RuleSet([rule("drama", "Goal", continues=True), rule("goal", "Goal")])

    assert [a[1] for a in evaluate_moment(Story().goal(), rules=rules)] == ["drama", "goal"]


def test_a_pending_revision_makes_a_pending_alert_where_a_rule_asks_for_it() -> None:
    story = Story()

    assert evaluate_moment(story.goal(send="Pending")) == [("g", "goal", "pending")]
    assert (
        evaluate_moment(
            story.goal(send="Pending"), rules=RuleSet([rule("goal", "Goal", send_types=frozenset({SendType.CONFIRMED}))])
        )
        == []
    )


def test_taking_back_needs_no_rule() -> None:
    story = Story()
    story.goal(score=(1, 0))

    assert evaluate_moment(story.goal(send="Deleted", score=(0, 0)), {"g": {"goal"}}, RuleSet()) == [("g", "", "retracted")]


def test_a_disallowance_takes_back_the_goal_it_names_and_says_why() -> None:
    story = Story()
    story.goal(score=(1, 0))

    alerts = evaluate(
        RULES, story.add("Goal Disallowed", sub="Offside", side="home", related=("g",), score=(0, 0)), {"g": {"goal"}}
    )

    assert summarise(alerts) == [("g", "", "retracted")]
    assert (alerts[0].facts.reason, alerts[0].home_score) == ("Offside", 0)


def test_a_goal_that_turns_own_goal_is_sent_anew_and_to_those_who_got_it_before() -> None:
    story = Story()
    story.goal(score=(1, 0))

    moment = story.goal(send="Updated", sub="Own Goal")

    assert evaluate_moment(moment, {"g": {"goal"}}) == [("g", "own_goal", "confirmed"), ("g", "goal", "confirmed")]


def test_an_action_that_becomes_one_that_no_rule_matches_is_retracted() -> None:
    story = Story()
    story.goal(score=(1, 0))

    moment = story.add("Shot", "Updated", "g", "home", score=(0, 0))

    assert evaluate_moment(moment, {"g": {"goal"}}) == [("g", "goal", "retracted")]


def test_a_rule_that_is_gone_leaves_the_text_that_was_sent() -> None:
    story = Story()
    story.goal(score=(1, 0))

    alerts = evaluate(RuleSet(), story.goal(send="Updated"), {"g": {"goal"}})

    assert [(a.state, a.text, a.is_follow_up) for a in alerts] == [(State.CONFIRMED, "", True)]


def test_a_text_that_fails_falls_back_to_the_plain_facts() -> None:
    alerts = evaluate(RuleSet([rule("goal", "Goal", text="{{ 1 // 0 }}")]), Story().goal(player="H. Kane", score=(1, 0)))

    assert (alerts[0].text, "zero" in alerts[0].text_error) == ("Goal 1' H. Kane, Arsenal\nArsenal 1–0 Chelsea", True)


def test_the_same_packet_again_sends_nothing() -> None:
    story = Story()
    first = story.goal()

    assert evaluate_moment(first) and not evaluate_moment(story.add_packet(story.packets[0]))


def test_an_abandoned_match_has_no_full_time() -> None:
    assert evaluate_moment(Story().add("End Match", status="Abandoned")) == []


def test_full_time_can_be_sent_without_the_feeds_own_end() -> None:
    story = Story()
    story.goal(score=(1, 0))
    story.add("End Period", minute=93, status="Completed")

    alerts = evaluate(RULES, story.add_packet(make_full_time_packet(story.match, story.packets[-1].at)))

    assert [(a.kind, a.home_score, a.away_score, a.facts.match) for a in alerts] == [("full_time", 1, 0, "Arsenal 1–0 Chelsea")]


def test_an_unknown_send_type_is_pending_news_unless_the_score_shows_the_goal() -> None:
    assert evaluate_moment(Story().goal(send="Reconsidered")) == [("g", "goal", "pending")]
    assert evaluate_moment(Story().goal(send="Reconsidered", score=(1, 0))) == [("g", "goal", "confirmed")]


DISALLOWED = RuleSet([rule("disallowed", "Goal Disallowed"), rule("goal", "Goal")])


def disallowed_by(story: Story, **packet: object) -> str:
    """Disallow a goal, and return which goal the alert of that means."""
    first = evaluate(DISALLOWED, story.add("Goal Disallowed", **packet))[0]  # type: ignore[arg-type]
    assert first.kind == "disallowed"
    return first.disallows_action


def test_a_disallowance_means_the_goal_that_it_names_also_when_that_was_retracted_before() -> None:
    story = Story()
    story.goal("g1", score=(1, 0))
    story.goal("g2", score=(2, 0))

    assert disallowed_by(story, action="d", side="home", related=("g1",), score=(1, 0)) == "g1"
    assert disallowed_by(story, action="d", side="home", send="Updated", related=("g1",)) == "g1"


def test_a_disallowance_without_a_link_means_the_goal_that_it_retracts() -> None:
    story = Story()
    story.goal("g1", "away", score=(0, 1))

    assert disallowed_by(story, side="away", score=(0, 0)) == "g1"


@pytest.mark.parametrize(
    ("minute", "side", "meant"),
    [
        (30, "home", "g"),
        (31, "home", "g"),
        (40, "home", "g"),
        (41, "home", ""),
        (29, "home", ""),
        (31, "away", ""),
        (46, "home", ""),
    ],
)
def test_a_disallowance_without_a_link_means_a_deleted_goal_of_its_side_and_period_up_to_ten_minutes_before(
    minute: int, side: str, meant: str
) -> None:
    story = Story()
    story.goal(minute=30, score=(1, 0))
    story.goal(send="Deleted", score=(0, 0))

    assert disallowed_by(story, minute=minute, side=side) == meant


def test_added_time_counts_for_how_near_a_disallowance_is_to_its_goal() -> None:
    story = Story()
    story.goal(minute=44, period=1, score=(1, 0))
    story.goal(send="Deleted", period=1, score=(0, 0))

    assert disallowed_by(story, minute=55, period=1, side="home") == ""
    assert disallowed_by(story, minute=54, period=1, side="home") == "g"


def test_no_other_alert_disallows_an_action() -> None:
    story = Story()
    story.goal("g1", score=(1, 0))
    story.goal("g1", send="Deleted", score=(0, 0))

    assert evaluate(RULES, story.goal("g2", related=("g1",), score=(1, 0)))[0].disallows_action == ""


def test_an_alert_has_all_that_its_rule_and_its_action_say() -> None:
    story = Story()
    spec = AlertSpec("goal", AlertText("{{ player }}"), Importance.MINOR, dt.timedelta(seconds=90))

    (made,) = evaluate(RuleSet([Rule("mine", spec)]), story.goal(side="away", player="Palmer", score=(0, 1)))

    assert (made.rule, made.kind, made.importance, made.max_age, made.text) == ("mine", "goal", Importance.MINOR, 90.0, "Palmer")
    assert (made.home_score, made.away_score, made.severity, made.text_error) == (0, 1, 2, "")
    assert (made.key.fixture_id, made.key.action_id, made.seq, made.at) == ("f1", "g", 1, story.packets[0].at)
    assert (made.fixture, made.is_follow_up, made.conditions) == (story.match.fixture, False, {"mine": ()})


def test_a_red_card_is_more_severe_than_a_yellow_one() -> None:
    story = Story()
    rules = RuleSet([rule("card", "Yellow Card", "Red Card")])

    yellow, red = (evaluate(rules, story.add(kind, side="home"))[0].severity for kind in ("Yellow Card", "Red Card"))

    assert yellow < red


def test_what_the_feed_collected_offline_is_minor_news_and_says_so() -> None:
    (alert,) = evaluate(RULES, Story().goal(is_delayed=True))
    (live,) = evaluate(RULES, Story().goal())

    assert (alert.importance, alert.is_delayed) == (Importance.MINOR, True)
    assert (live.importance, live.is_delayed) == (Importance.MAJOR, False)


def test_a_text_may_name_the_venue() -> None:
    story = Story(msgspec.structs.replace(FIXTURE, venue="Emirates Stadium"))

    assert make_facts(story.goal()).venue == "Emirates Stadium"


def test_a_status_packet_says_how_the_match_is_covered() -> None:
    story = Story()
    story.add("Status Updated", metadata={"coverageLevel": 3, "fixtureStatus": 1})

    assert story.match.coverage_level == "Standard Stream"
    assert story.add("Status Updated", metadata={"coverageLevel": 99}).after.coverage_level == "Standard Stream"
    assert story.add("Status Updated", metadata={"coverageLevel": 0}).after.coverage_level == "No Coverage"
