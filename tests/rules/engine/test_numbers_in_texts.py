"""The numbers that texts can compare: the minute, and the player's goals and cards so far."""

from rules.engine.alert import make_facts
from rules.engine.evaluate import evaluate
from rules.engine.rule import AlertSpec, Rule, RuleSet
from rules.engine.text import AlertText
from tests.packets import Story


def test_the_minute_is_a_number_with_the_added_time_apart() -> None:
    story = Story()
    moments = (story.goal(minute=80), story.add("Corner", side="home", minute=93), story.add("Corner", period=5))

    facts = list(map(make_facts, moments))
    assert [(f.minute, f.minute_number, f.added) for f in facts] == [("80", 80, 0), ("90+3", 90, 3), ("", 0, 0)]


def test_a_goal_says_which_of_the_players_goals_it_is() -> None:
    story = Story()
    moments = [
        story.goal("1", player="Saka", score=(1, 0), minute=10),
        story.goal("2", player="Rice", score=(2, 0), minute=20),
        story.goal("3", player="Saka", score=(2, 1), minute=30, sub="Own Goal", side="away"),
        story.goal("4", "home", "Pending", player="Saka", minute=40),
        story.add("Yellow Card", side="home", player="Saka", minute=41),
        story.goal("1", player="Saka", score=(2, 1), minute=42, send="Updated"),
    ]

    assert [make_facts(moment).player_goals for moment in moments[:2]] == [1, 1]
    assert [make_facts(moment).player_goals for moment in moments[3:5]] == [2, 1]


def test_the_cards_of_the_player_count_this_one() -> None:
    story = Story()
    first = story.add("Yellow Card", "Pending", "y", "home", player="Saka", minute=10)
    other = story.add("Yellow Card", action="z", side="home", player="Rice", minute=11)
    story.add("Yellow Card", "Confirmed", "y", "home", player="Saka", minute=12)
    goal = story.goal(player="Saka", score=(1, 0), minute=20)
    red = story.add("Red Card", action="r", side="home", player="Saka", minute=70)

    assert [make_facts(moment).player_cards for moment in (first, other, goal, red)] == [1, 1, 1, 2]


def test_the_message_of_a_second_goal_is_reworded_when_the_first_turns_out_to_be_anothers() -> None:
    rules = RuleSet([Rule("goals", AlertSpec("goal", AlertText("{{ player }} {{ player_goals }}")))])
    story = Story()
    story.goal("1", player="Saka", score=(1, 0), minute=10)
    second = story.goal("2", player="Saka", score=(2, 0), minute=20)
    assert [alert.text for alert in evaluate(rules, second)] == ["Saka 2"]

    corrected = story.goal("1", player="Rice", score=(2, 0), minute=21, send="Updated")

    texts = {alert.key.action_id: alert.text for alert in evaluate(rules, corrected, {"1": ["goals"], "2": ["goals"]})}
    assert texts == {"1": "Rice 1", "2": "Saka 1"}
