import datetime as dt

import pytest

from bot.outbox.news import NewsItem, priority_of, revise
from rules.engine.alert import Alert, ConditionResult, State
from tests.bot.news import NOW, alert, minor, news, pending, retracted

LATER = NOW + dt.timedelta(minutes=4)


def revised(known: NewsItem | None, *alerts: Alert) -> NewsItem:
    found = revise(known, alerts)
    assert found is not None
    return found.news


@pytest.mark.parametrize("known", [news(alert(2)), None])
def test_what_is_not_new_or_was_never_made_changes_nothing(known: NewsItem | None) -> None:
    assert revise(known, [alert(2) if known else retracted()]) is None


def test_a_small_correction_does_not_make_old_news_new() -> None:
    known = revised(None, alert(1))

    assert revised(known, alert(2, at=LATER)).first_fired_at == {"goals": NOW.timestamp()}


def test_news_is_new_again_when_it_becomes_official() -> None:
    known = revised(None, pending(1))

    assert revised(known, alert(2, at=LATER)).first_fired_at == {"goals": LATER.timestamp()}


def test_another_rule_that_fires_makes_news_of_its_own() -> None:
    found = revise(revised(None, minor(1)), [alert(2, rule="reds", kind="red_card", at=LATER)])

    assert found is not None
    assert found.restarts_fanout
    assert found.news.first_fired_at == {"yellows": NOW.timestamp(), "reds": LATER.timestamp()}


def test_a_correction_of_the_same_news_reaches_only_who_was_told() -> None:
    found = revise(revised(None, alert(1)), [alert(2, "goal by Kane")])

    assert found is not None
    assert not found.restarts_fanout


def test_what_is_taken_back_is_remembered_as_such() -> None:
    assert revised(revised(None, alert(1)), retracted(2)).state is State.RETRACTED


def test_goals_come_before_other_major_news_and_that_before_minor_news() -> None:
    assert [priority_of([a]) for a in (alert(), alert(kind="red_card"), retracted(), minor())] == [0, 1, 1, 2]


def test_what_the_rules_compared_stays_known_when_the_news_is_taken_back() -> None:
    late, any_goal = ((ConditionResult("minute", "from 80", "88"),), (ConditionResult("action_type", "Goal", "Goal"),))
    known = revised(None, alert(1, conditions={"goals": late}), alert(1, rule="others", conditions={"others": any_goal}))

    assert revised(known, retracted(2)).conditions == {"goals": late, "others": any_goal}


def test_what_a_rule_that_is_gone_compared_stays_known() -> None:
    known = revised(None, alert(1, conditions={"goals": (ConditionResult("minute", "from 80", "88"),)}))

    assert revised(known, alert(2, is_follow_up=True)).conditions == known.conditions
