import datetime as dt

import pytest

from bot.outbox.news import NewsItem, find_priority, find_state, revise
from rules.engine.alert import CARD, PICTURE, Alert, ConditionResult, Importance, State
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
    assert [find_priority([a]) for a in (alert(), alert(kind="red_card"), retracted(), minor())] == [0, 1, 1, 2]


def test_cards_and_pictures_come_after_everything_that_happened() -> None:
    assert [find_priority([minor(kind=kind)]) for kind in (CARD, PICTURE)] == [3, 3]
    assert find_priority([alert(kind="goal", importance=Importance.MINOR)]) == 2
    assert find_priority([minor(), alert()]) == 0


def test_the_state_is_that_of_the_rules_that_fire() -> None:
    follow_up = retracted(is_follow_up=True)

    assert find_state([follow_up, pending()]) is State.PENDING
    assert find_state([follow_up]) is State.RETRACTED


def test_news_is_as_urgent_as_its_latest_revision() -> None:
    known = revised(None, minor(1))

    assert (known.priority, revised(known, alert(2)).priority) == (2, 0)


@pytest.mark.parametrize(
    ("before", "after", "restarts"),
    [
        (pending(1), pending(2), False),
        (pending(1), alert(2), True),
        (alert(1), alert(2, kind="penalty"), True),
        (alert(1), alert(2, rule="others"), True),
        (alert(1), retracted(2), False),
        (retracted(2), alert(3), True),
        (alert(1), alert(2, is_follow_up=True), False),
    ],
)
def test_all_chats_are_asked_again_where_one_may_want_it_now(before: Alert, after: Alert, restarts: bool) -> None:
    found = revise(news(before), [after])

    assert found and found.restarts_fanout is restarts


def test_news_that_is_in_a_digest_is_not_sent_by_itself_again() -> None:
    found = revise(news(pending(1), digest_id="summary:1"), [alert(2)])

    assert found and not found.restarts_fanout


def test_an_older_revision_changes_nothing() -> None:
    assert revise(news(alert(5)), [alert(4)]) is None


def test_a_revision_keeps_the_rest_of_what_is_known() -> None:
    known = news(alert(1), is_missed=True, digest_id="summary:1", line_ids=("a",))

    now = revised(known, alert(2))

    assert (now.seq, now.is_missed, now.digest_id, now.line_ids, now.key) == (2, True, "summary:1", ("a",), known.key)


def test_a_new_alert_has_its_own_conditions() -> None:
    before = revised(None, alert(1, conditions={"goals": (ConditionResult("minute", "from 80", "88"),)}))
    renewed = {"goals": (ConditionResult("minute", "from 80", "89"),)}

    assert revised(before, alert(2, conditions=renewed)).conditions == renewed


def test_a_retraction_by_one_rule_keeps_the_conditions_of_that_rule_alone() -> None:
    late, any_goal = ((ConditionResult("minute", "from 80", "88"),), (ConditionResult("action_type", "Goal", "Goal"),))
    known = revised(None, alert(1, conditions={"goals": late}), alert(1, rule="others", conditions={"others": any_goal}))

    assert revised(known, retracted(2, rule="others", is_follow_up=True)).conditions == {"others": any_goal}


def test_what_the_rules_compared_stays_known_when_the_news_is_taken_back() -> None:
    late, any_goal = ((ConditionResult("minute", "from 80", "88"),), (ConditionResult("action_type", "Goal", "Goal"),))
    known = revised(None, alert(1, conditions={"goals": late}), alert(1, rule="others", conditions={"others": any_goal}))

    assert revised(known, retracted(2)).conditions == {"goals": late, "others": any_goal}


def test_what_a_rule_that_is_gone_compared_stays_known() -> None:
    known = revised(None, alert(1, conditions={"goals": (ConditionResult("minute", "from 80", "88"),)}))

    assert revised(known, alert(2, is_follow_up=True)).conditions == known.conditions
