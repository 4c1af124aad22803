"""`/why` in reply to an alert."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from bot.chat.features.why import render_details
from bot.outbox.delivery import Reason, add_to_history
from bot.outbox.explanation import MessageExplanation
from bot.outbox.latency import LatencyTrace
from bot.outbox.outbox import make_sample_alert
from bot.subscribers import ChatRef
from rules.engine.alert import Alert, ConditionResult, Facts, State
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import FIXTURES, make_context
from tests.bot.news import NOW, alert, delivered, news, retracted

LATE = {"late <goals>": (ConditionResult("action_type", "Goal", "Goal"), ConditionResult("minute", "from 80", "88"))}
GOAL = alert(1, rule="late <goals>", conditions=LATE)


def explain(explanation: MessageExplanation, **chat: Any) -> list[str]:
    return render_details(explanation, make_context(timezone="Europe/Berlin", **chat), 5).html.splitlines()


def test_why_names_the_rule_what_it_compared_and_every_revision_with_its_steps() -> None:
    delivery = add_to_history(delivered(GOAL), Reason.FIRST, NOW, LatencyTrace(812.4, 0.6, 30_000.0, 3.1, 51.7))
    delivery = add_to_history(delivery, Reason.REVISION, NOW.replace(second=9))

    assert explain(MessageExplanation(delivery, news(GOAL))) == [
        "Sent by the rule <b>late &lt;goals&gt;</b> (goals).",
        "",
        "<b>What the rule compared</b>",
        "✓ <code>action_type</code>: Goal ← Goal",
        "✓ <code>minute</code>: from 80 ← 88",
        "",
        "<b>What this chat saw</b>",
        "<code>16:30:00</code> the rule fired",
        "<code>16:30:00</code> sent <i>(first, confirmed, no. 1)</i>",
        "   feed 812 ms · rules 0.6 ms · intended wait 30 s · sending 3.1 ms · Telegram 52 ms",
        "<code>16:30:09</code> the same news, corrected <i>(revision, confirmed, no. 1)</i>",
    ]


def test_a_condition_that_does_not_hold_any_more_is_marked() -> None:
    gone = {"late <goals>": (ConditionResult("minute", "from 80", "67", holds=False),)}

    assert "✗ <code>minute</code>: from 80 ← 67" in explain(MessageExplanation(delivered(GOAL), news(alert(2, conditions=gone))))


def test_a_retraction_is_explained_in_its_reply_too() -> None:
    fallen = retracted(2, reason="Offside", conditions=LATE)
    delivery = add_to_history(delivered(GOAL, state=State.RETRACTED), Reason.RETRACTION, NOW, reply_id=9)

    lines = explain(MessageExplanation(delivery, news(fallen), is_reply=True))

    assert lines[0] == "This reply belongs to the message that it answers."
    assert "The feed took it back (Offside). No rule decides that: every chat that got it gets the correction." in lines
    assert "✓ <code>minute</code>: from 80 ← 88" in lines
    assert lines[-1] == "<code>16:30:00</code> the reply <i>(retraction, retracted, no. 1)</i>"


def test_other_rules_that_fired_are_named() -> None:
    other = alert(1, rule="all goals", conditions={"all goals": ()})

    assert "Other matching rules: <b>all goals</b>. The first one that your alerts allow is sent." in explain(
        MessageExplanation(delivered(GOAL), news(GOAL, other))
    )


def test_a_summary_names_the_rule_of_each_of_its_lines() -> None:
    facts = Facts(minute="88", action_type="Goal", player="Saka <7>")
    line = news(alert(1, rule="late <goals>", conditions=LATE, facts=facts))
    whole = alert(5, kind="summary", rule="")

    lines = explain(MessageExplanation(delivered(whole, rule="g"), news(whole, line_ids=("g",)), (line,)))

    assert lines[:2] == [
        "This is a summary of what happened while alerts were held back.",
        "• 88' Goal Saka &lt;7&gt;: the rule <b>late &lt;goals&gt;</b>",
    ]


def test_the_sample_says_that_it_was_sent_as_real_alerts_are() -> None:
    sample = make_sample_alert(ChatRef(42), "1", {"en": "🧪"}, NOW)

    assert explain(MessageExplanation(delivered(sample), news(sample)))[0].startswith(
        "This is the test alert of /test. No rule made it;"
    )


def test_a_match_card_says_what_it_is() -> None:
    card = alert(3, kind="card", rule="")

    lines = explain(MessageExplanation(add_to_history(delivered(card), Reason.FIRST, NOW), news(card)))

    assert lines[0].startswith("This is the match card")
    assert "the rule fired" not in "\n".join(lines)


def test_spoilers_hide_the_values_that_were_compared() -> None:
    lines = explain(MessageExplanation(delivered(GOAL), news(GOAL)), spoilers=True)
    whole, facts = alert(5, kind="summary", rule=""), Facts(minute="88", action_type="Goal")
    summed = explain(
        MessageExplanation(delivered(whole), news(whole, line_ids=("g",)), (news(alert(1, facts=facts)),)), spoilers=True
    )

    assert "✓ <code>minute</code>: from 80 ← <tg-spoiler>88</tg-spoiler>" in lines
    assert "• <tg-spoiler>88' Goal</tg-spoiler>: the rule <b>goals</b>" in summed


def test_alerts_of_earlier_versions_still_answer() -> None:
    before: Alert = alert(1)
    delivery = delivered(before, history="1786804200.0 first confirmed 1")

    assert explain(MessageExplanation(delivery, news(before)))[0] == "Sent by the rule <b>goals</b> (goals)."


async def test_why_without_an_alert_says_how_to_ask(world: World) -> None:
    alone = await world.ask(42, 42, "/why")
    about = await world.ask(42, 42, "/why", reply_to=alone.id)

    assert (alone.text, about.text) == (
        "Reply to an alert with /why to see why you got it.",
        "That's not one of my alerts, or it is too old.",
    )


async def test_the_reason_is_a_sentence_and_the_rest_behind_a_button(world: World) -> None:
    await world.ask(42, 42, "/subscribe Arsenal")
    asked = world.api.chat(42).last
    delivery = add_to_history(delivered(GOAL), Reason.FIRST, NOW, LatencyTrace(812.4, 0.6, None, 3.1, 51.7))
    world.explanations[42, asked.id] = MessageExplanation(delivery, news(replace(GOAL, fixture=FIXTURES[0])))

    answer = await world.ask(42, 42, "/why", reply_to=asked.id)
    assert answer.text == "Sent by the rule late <goals> (goals).\nFollowed here: Arsenal."

    await world.tap(42, 42, "🔎 Details")
    assert "✓ minute: from 80 ← 88" in world.api.chat(42).last.text

    await world.tap(42, 42, "◀ Back")
    assert world.api.chat(42).last.text == answer.text


async def test_details_of_a_message_that_is_not_known_any_more(world: World) -> None:
    start = await world.ask(42, 42, "/start")

    for forged in ("wd:7", "wb:9999999999"):
        assert "don't know that message" in await world.press(42, 42, start, forged)
