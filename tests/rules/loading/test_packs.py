"""The rules that ship: the alerts that they make of a match."""

from typing import Any

import msgspec
import pytest

from rules.engine.alert import SHIPPED_KINDS, Alert, Facts, Importance, State
from rules.engine.evaluate import evaluate
from rules.engine.rule import Rule
from rules.engine.unreachable import find_shadowed
from rules.football.action import Summary
from rules.football.match import Moment
from rules.loading.loader import list_packs, load_pack, load_rules, read_pack
from rules.loading.texts import SAMPLE_FACTS, find_markup_error
from tests.packets import Story


def alerts_of(moment: Moment) -> list[Alert]:
    return list(evaluate(load_pack(), moment))


def kinds(moment: Moment) -> list[str]:
    return [alert.kind for alert in alerts_of(moment)]


def test_the_shipped_rules_use_every_kind() -> None:
    assert set(load_pack("everything").list_kinds()) == set(SHIPPED_KINDS)
    assert {kind for name in list_packs() for kind in load_pack(name).list_kinds()} == set(SHIPPED_KINDS)


@pytest.mark.parametrize("name", list_packs())
def test_no_shipped_rule_is_shadowed(name: str) -> None:
    assert find_shadowed(load_pack(name).rules) == []


@pytest.mark.parametrize("name", list_packs())
def test_a_shipped_text_stands_the_examination_that_loading_a_pack_leaves_out(name: str) -> None:
    examined = load_rules(read_pack(name))

    assert [rule.name for rule in examined.rules] == [rule.name for rule in load_pack(name).rules]


EVERY_RULE = {rule.alert.text.source: rule for name in list_packs() for rule in load_pack(name).rules}


MISSING = ("", "player", "minute", "sub_action_type", "team", "player team opponent minute", "home away competition kickoff")
LITTLE_KNOWN = [msgspec.structs.replace(SAMPLE_FACTS, **dict.fromkeys(missing.split(), "")) for missing in MISSING]
DEBRIS = ("  ", " '", "()", " !", " :", "\n\n", " ,", "None", " v \n")


@pytest.mark.parametrize("rule", EVERY_RULE.values(), ids=lambda rule: rule.name)
def test_a_text_reads_well_whatever_the_feed_left_out(rule: Rule) -> None:
    texts = [rule.alert.text.render(facts) for facts in (*LITTLE_KNOWN, Facts(score="1–0", match="1–0"))]

    assert all(texts) and [text for text in texts if find_markup_error(text)] == []
    assert [text for text in texts if any(debris in text for debris in DEBRIS)] == []


@pytest.mark.parametrize(
    ("feed_name", "more", "kind"),
    [
        ("Goal", {"side": "home", "score": (1, 0)}, "goal"),
        ("Own Goal", {"side": "home", "score": (1, 0)}, "goal"),
        ("Goal", {"sub": "Penalty", "side": "home"}, "goal"),
        ("Goal", {"sub": "Penalty", "side": "home", "period": 5}, "shootout"),
        ("Penalty Missed", {"side": "home", "period": 5}, "shootout"),
        ("Penalty Missed", {"side": "home"}, "penalty"),
        ("Penalty Awarded", {"side": "home", "send": "Pending"}, "penalty"),
        ("Red Card", {"side": "home"}, "red_card"),
        ("Second Yellow Card", {"side": "home"}, "red_card"),
        ("Yellow Card", {"side": "home"}, "yellow_card"),
        ("Video Check Started", {}, "var"),
        ("Video Check Result", {}, "var"),
        ("Goal Disallowed", {"side": "home", "sub": "Offside"}, "var"),
        ("Start Match", {}, "kick_off"),
        ("Start Period", {"minute": 46}, "kick_off"),
        ("Start Period", {"minute": 91, "period": 3}, "full_time"),
        ("Start Period", {"minute": 106, "period": 4}, "kick_off"),
        ("Start Period", {"period": 5}, "shootout"),
        ("End Period", {"minute": 46, "period": 1}, "half_time"),
        ("End Period", {"minute": 106, "period": 3}, "half_time"),
        ("End Match", {"minute": 94, "status": "Completed"}, "full_time"),
        ("Substitution In", {"side": "home", "minute": 60}, "substitution"),
        ("Lineups", {"period": 0}, "lineups"),
        ("Status Updated", {"status": "Abandoned"}, "status"),
        ("Status Updated", {"status": "Suspended"}, "status"),
    ],
)
def test_what_happens_is_sent_as_its_kind(feed_name: str, more: dict[str, Any], kind: str) -> None:
    story = Story()
    story.add("Foul")

    assert kinds(story.add(feed_name, **more)) == [kind]


@pytest.mark.parametrize(
    ("feed_name", "more"),
    [
        ("Yellow Card", {"send": "Pending"}),
        ("Substitution Out", {}),
        ("Start Period", {}),
        ("End Period", {"minute": 93}),
        ("Status Updated", {}),
        ("Foul", {}),
        ("Beach Ball", {}),
    ],
)
def test_the_rest_is_not_sent(feed_name: str, more: dict[str, Any]) -> None:
    story = Story()
    story.add("Foul")

    assert kinds(story.add(feed_name, **more)) == []


def test_an_abandoned_match_is_sent_as_that_and_not_as_full_time() -> None:
    story = Story()
    story.add("Foul")

    assert kinds(story.add("End Match", status="Abandoned")) == ["status"]


def test_goals_red_cards_shootouts_and_full_time_are_loud_and_lesser_news_is_silent() -> None:
    ringing = {rule.alert.kind for rule in load_pack().rules if rule.alert.importance is Importance.MAJOR}

    assert {"goal", "red_card", "shootout", "full_time"} <= ringing
    assert not ringing & {"yellow_card", "substitution", "kick_off", "half_time", "lineups"}


def test_a_goal_is_sent_while_it_is_pending_and_in_few_words() -> None:
    story = Story()

    (pending,) = alerts_of(story.goal(send="Pending", minute=12))
    (goal,) = alerts_of(story.goal(player="B. Saka", minute=12, score=(1, 0)))

    assert (pending.state, pending.text) == (State.PENDING, "⚽ <b>Arsenal [1]–0 Chelsea</b>\n12' Arsenal")
    assert goal.text == "⚽ <b>Arsenal [1]–0 Chelsea</b>\n12' B. Saka"


@pytest.mark.parametrize(
    ("feed_name", "sub", "text"),
    [
        ("Goal", "Penalty", "⚽ <b>Arsenal [1]–0 Chelsea</b>\n12' J. Doe (pen.)"),
        ("Red Card", "", "🟥 <b>Arsenal: J. Doe sent off</b> 12'\nArsenal 1–0 Chelsea"),
        ("Second Yellow Card", "", "🟨🟥 <b>Arsenal: J. Doe sent off</b> 12' (2nd yellow)\nArsenal 1–0 Chelsea"),
    ],
)
def test_the_words_follow_the_sub_type(feed_name: str, sub: str, text: str) -> None:
    (alert,) = alerts_of(Story().add(feed_name, sub=sub, side="home", player="J. Doe", minute=12, score=(1, 0)))

    assert alert.text == text


def test_a_goal_that_turns_out_a_penalty_stays_the_news_of_one_rule() -> None:
    story = Story()
    (first,) = alerts_of(story.goal(send="Pending"))

    alerts = evaluate(load_pack(), story.goal(sub="Penalty", score=(1, 0)), {"g": {first.rule}})

    assert [alert.rule for alert in alerts] == [first.rule]


def test_an_own_goal_shows_who_gets_it_and_whose_it_was() -> None:
    (alert,) = alerts_of(Story().goal(sub="Own Goal", player="T. Silva", minute=12, score=(1, 0)))

    assert alert.text == "⚽ <b>Arsenal [1]–0 Chelsea</b>\n12' T. Silva (own goal)"


def change_coverage(story: Story, collection: str, score: tuple[int, int], minute: int) -> list[tuple[str, str, Importance]]:
    """Change how live data is collected; return the alerts of that."""
    summary = Summary(*score, 2, "Live", collection, (minute - 1) * 60 + 30)
    moment = story.add("Status Updated", period=0, clock=0, minute=minute, summary=summary)
    return [(alert.rule, alert.text, alert.importance) for alert in alerts_of(moment)]


@pytest.mark.parametrize(
    ("score", "text"),
    [
        ((1, 0), "📡 <b>Live data is back</b> (1–0)\nArsenal 1–0 Chelsea\nNothing missed (67')"),
        ((2, 1), "📡 <b>Live data is back</b> (2–1)\nArsenal 2–1 Chelsea\nMeanwhile 1–0 → 2–1 (67')"),
    ],
)
def test_lost_coverage_is_sent_with_what_was_missed(score: tuple[int, int], text: str) -> None:
    story = Story()
    story.goal(score=(1, 0), minute=61)

    lost = change_coverage(story, "CollectionSuspended", (1, 0), 63)
    back = change_coverage(story, "CollectingLive", score, 67)

    assert lost == [
        (
            "coverage lost",
            "📡 <b>No live data since 63'</b> (1–0)\nArsenal 1–0 Chelsea\nGoals may be late.",
            Importance.MINOR,
        )
    ]
    assert back == [("coverage back", text, Importance.MINOR)]


@pytest.mark.parametrize("status", ["Abandoned", "Postponed", "Cancelled"])
def test_a_match_that_will_not_be_finished_is_sent_once_and_with_sound(status: str) -> None:
    story = Story()
    story.add("Foul", minute=63)

    (alert,) = alerts_of(story.add("Status Updated", status=status))

    assert (alert.rule, alert.importance) == (f"match {status.lower()}", Importance.MAJOR)
    assert alerts_of(story.add("Status Updated", status=status)) == []


def test_packs_are_chosen_together_and_overridden_by_name() -> None:
    rules = load_rules(
        "extends: [drama, cards]\nrules:\n- {name: red cards, match: {action_type: Red Card}, alert: {kind: red_card, text: own}}"
    )

    assert rules.by_name["red cards"].alert.text.source == "own"
    assert {*load_pack("drama").by_name, *load_pack("cards").by_name} == set(rules.by_name)
    assert len(rules.rules) == len(rules.by_name)


def test_a_red_card_reads_the_same_as_drama_and_as_a_card() -> None:
    drama, cards = (load_pack(name).by_name["red cards"].alert for name in ("drama", "cards"))

    assert (drama.kind, drama.text.source) == (cards.kind, cards.text.source)


def test_the_default_pack_sends_what_its_parts_send() -> None:
    parts = {name for part in ("shootout", "goals", "cards", "quiet") for name in load_pack(part).by_name}

    assert parts < set(load_pack().by_name) < set(load_pack("everything").by_name)


def test_everything_sends_the_play_itself_silently() -> None:
    (alert,) = evaluate(load_pack("everything"), Story().add("Corner", side="home", minute=12))

    assert (alert.kind, alert.importance, alert.text) == (
        "play",
        Importance.MINOR,
        "▫️ <b>Arsenal: corner</b> 12'\nArsenal 0–0 Chelsea",
    )
