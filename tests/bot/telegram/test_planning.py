import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.outbox.delivery import Delivery, DeliveryContext, PinState, Reason
from bot.outbox.news import NewsItem, revise
from bot.quiet_hours import QuietHours
from bot.subscribers import AlertFilter, Recipient
from bot.telegram.plan import Edit, Pin, Plan, Reply, Send, Skip, make_uncertain_delivery
from bot.telegram.planning import attribute_to_rule, plan_delivery
from bot.telegram.render import render_message
from rules.engine.alert import CARD, Alert, Importance, State
from tests.bot.news import CHAT, KEY, NOW, REF, alert, delivered, minor, news, pending, retracted

RED = alert(2, "red", rule="reds", kind="red_card", severity=2)


def plan(delivery: Delivery, *alerts: Alert, now: dt.datetime = NOW, **more: Any) -> Plan:
    return plan_delivery(DeliveryContext(delivery, news(*alerts), Recipient(CHAT), **more), now)


def test_news_is_sent_and_major_news_is_loud() -> None:
    sent = [plan(Delivery(KEY, REF), a) for a in (alert(), minor())]

    assert [(s.html, s.is_silent) for s in sent if isinstance(s, Send)] == [("goal", False), ("yellow", True)]


def test_a_chat_may_make_a_kind_loud_or_silent_whatever_the_rule_says() -> None:
    chat = replace(CHAT, filter=replace(CHAT.filter, loud=frozenset({"yellow_card"}), silent=frozenset({"goal"})))

    sent = [plan_delivery(DeliveryContext(Delivery(KEY, REF), news(a), Recipient(chat)), NOW) for a in (alert(), minor())]

    assert [(s.is_silent, s.delivery.is_loud) for s in sent if isinstance(s, Send)] == [(True, False), (False, True)]


LOUD_CHAT = replace(CHAT, filter=replace(CHAT.filter, loud=frozenset({"goal", "red_card"})))


def test_what_the_feed_collected_offline_is_silent_and_marked_whatever_the_chat_says() -> None:
    late = replace(alert(), is_delayed=True, importance=Importance.MINOR)

    found = plan_delivery(DeliveryContext(Delivery(KEY, REF), news(late), Recipient(LOUD_CHAT)), NOW)

    assert isinstance(found, Send)
    assert (found.html, found.is_silent) == ("goal\n🕓 <i>reported late</i>", True)


def test_a_late_correction_leaves_the_sound_of_the_message_to_its_retraction() -> None:
    loud = replace(delivered(alert(1)), is_loud=True)
    late = replace(alert(2, "goal by Kane"), is_delayed=True, importance=Importance.MINOR)

    found = plan_delivery(DeliveryContext(loud, news(late), Recipient(LOUD_CHAT)), NOW)

    assert isinstance(found, Edit)
    assert found.delivery.is_loud


def test_a_late_upgrade_is_silent() -> None:
    late = replace(RED, is_delayed=True)

    found = plan_delivery(DeliveryContext(delivered(minor(1)), news(late), Recipient(LOUD_CHAT)), NOW)

    assert isinstance(found, Edit)
    assert not found.delivery.reply_is_loud


def test_an_upgrade_of_a_kind_that_is_silent_here_is_silent() -> None:
    found = plan_delivery(
        DeliveryContext(
            delivered(minor(1)), news(RED), Recipient(replace(CHAT, filter=replace(CHAT.filter, silent=frozenset({"red_card"}))))
        ),
        NOW,
    )

    assert isinstance(found, Edit)
    assert (found.delivery.pending_reply, found.delivery.reply_is_loud) == ("red", False)


def test_the_same_text_needs_no_edit() -> None:
    assert isinstance(plan(delivered(alert(1)), alert(2)), Skip)


def test_a_correction_is_an_edit_without_a_reply() -> None:
    found = plan(delivered(pending(1)), alert(2, "goal by Kane"))

    assert isinstance(found, Edit)
    assert (found.html, found.delivery.pending_reply) == ("goal by Kane", None)


def test_a_yellow_card_that_turns_red_is_edited_and_followed_by_a_loud_reply() -> None:
    found = plan(delivered(minor(1)), RED)

    assert isinstance(found, Edit)
    assert (found.html, found.delivery.pending_reply, found.delivery.reply_is_loud) == ("red", "red", True)


def test_a_retraction_is_struck_through_and_replied_to_as_loudly_as_it_was_sent() -> None:
    found = [plan(delivered(a), retracted(2)) for a in (alert(1), minor(1))]

    assert [f.html for f in found if isinstance(f, Edit)] == ["<s>goal</s>", "<s>yellow</s>"]
    assert [f.delivery.reply_is_loud for f in found] == [True, False]


def test_a_retraction_counts_for_the_rule_that_was_sent() -> None:
    found = plan(delivered(alert(1)), retracted(2))

    assert isinstance(found, Edit)
    assert (found.alert.rule, found.alert.kind) == ("goals", "goal")


def test_a_reply_that_is_due_follows_its_edit_once() -> None:
    edited = plan(delivered(alert(1)), retracted(2))
    assert isinstance(edited, Edit)

    reply = plan(edited.delivery, retracted(2))

    assert isinstance(reply, Reply)
    assert isinstance(plan(reply.delivery, retracted(2)), Skip)


def test_news_retracted_before_it_was_sent_is_never_sent() -> None:
    found = plan(Delivery(KEY, REF), retracted(2))

    assert isinstance(found, Skip)
    assert found.reason is Reason.SUPERSEDED


def test_a_follow_up_keeps_what_its_rule_sent() -> None:
    gone = alert(2, "", rule="goals", is_follow_up=True, severity=0, importance=Importance.MAJOR)

    found = plan(delivered(pending(1)), gone)

    assert isinstance(found, Edit)
    assert found.html == "goal"


def test_a_chat_gets_the_news_in_its_language_or_else_as_the_rule_wrote_it() -> None:
    goal = replace(alert(1), texts={"es": "gol"})

    plans = [
        plan_delivery(DeliveryContext(Delivery(KEY, REF), news(goal), Recipient(replace(CHAT, language=code))), NOW)
        for code in ("", "es", "it")
    ]

    assert [plan.html for plan in plans if isinstance(plan, Send)] == ["goal", "gol", "goal"]


@pytest.mark.parametrize(
    ("settings", "bell"),
    [
        ({}, True),
        ({"mute_button": False}, False),
        ({"is_configured": True}, False),
        ({"type": "channel"}, False),
        ({"type": "group"}, True),
    ],
)
def test_an_alert_and_its_edits_have_a_button_where_it_may_be_pressed(settings: dict[str, Any], bell: bool) -> None:
    chat = replace(CHAT, **settings)

    contexts = [
        DeliveryContext(Delivery(KEY, REF), news(alert()), Recipient(chat)),
        DeliveryContext(delivered(alert()), news(RED), Recipient(chat)),
    ]
    found = [plan_delivery(context, NOW) for context in contexts]

    assert [plan.has_mute_button for plan in found if isinstance(plan, Send | Edit)] == [bell, bell]


def test_where_scores_are_hidden_only_the_match_is_visible() -> None:
    chat = replace(CHAT, spoilers=True)
    sent = plan_delivery(DeliveryContext(Delivery(KEY, REF), news(alert(1, "<b>1–0</b>")), Recipient(chat)), NOW)
    struck = plan_delivery(DeliveryContext(delivered(alert(1, "<code>1–0</code>")), news(retracted(2)), Recipient(chat)), NOW)
    assert isinstance(sent, Send) and isinstance(struck, Edit)
    reply = plan_delivery(DeliveryContext(struck.delivery, news(retracted(2)), Recipient(chat)), NOW)

    assert sent.html == "🔔 Arsenal v Chelsea\n<tg-spoiler><b>1–0</b></tg-spoiler>"
    assert struck.html == "🔔 Arsenal v Chelsea\n<tg-spoiler><s>1–0</s></tg-spoiler>"
    assert isinstance(reply, Reply) and reply.html.startswith("🔔 Arsenal v Chelsea\n<tg-spoiler>❌")


def test_where_scores_are_hidden_nothing_is_loud() -> None:
    loud = AlertFilter(loud=frozenset({"goal", "red_card"}))
    chats = [replace(CHAT, filter=loud, spoilers=spoilers) for spoilers in (False, True)]
    first = [plan_delivery(DeliveryContext(Delivery(KEY, REF), news(alert()), Recipient(chat)), NOW) for chat in chats]
    waiting = replace(delivered(alert()), pending_reply="❌ no goal", reply_is_loud=True)
    replies = [plan_delivery(DeliveryContext(waiting, news(alert()), Recipient(chat)), NOW) for chat in chats]

    assert [plan.is_silent for plan in (*first, *replies) if isinstance(plan, Send | Reply)] == [False, True, False, True]


def test_a_digest_leaves_out_what_the_chat_does_not_take() -> None:
    old = news(alert(kind="", rule="", text=""), line_ids=("g", "y"))
    context = DeliveryContext(
        Delivery(KEY, REF),
        old,
        Recipient(replace(CHAT, filter=replace(CHAT.filter, all_kinds=False))),
        lines=(news(alert()), news(minor(action="y"))),
    )

    found = plan_delivery(context, NOW)

    assert isinstance(found, Send)
    assert (found.delivery.rule, "yellow" in found.html) == ("g", False)


def test_what_is_not_sent_is_stored_with_its_reason_and_its_rule() -> None:
    muted = Recipient(replace(CHAT, muted_until=NOW + dt.timedelta(hours=1)))

    skipped = plan_delivery(DeliveryContext(Delivery(KEY, REF), news(alert(5)), muted), NOW).delivery
    gone = plan(Delivery(KEY, REF, rule="goals"), retracted(5)).delivery

    assert (skipped.reason, skipped.rule, skipped.seq) == ("muted", "goals", -1)
    assert (gone.reason, gone.rule, gone.seq) == ("superseded", "", 5)


def test_a_goal_that_waits_for_its_scorer_is_asked_again_at_its_next_revision_alone() -> None:
    scorers = Recipient(replace(CHAT, filter=replace(CHAT.filter, scorers_only=True)))

    waiting = plan_delivery(DeliveryContext(Delivery(KEY, REF), news(alert(5)), scorers), NOW).delivery

    assert (waiting.reason, waiting.seq) == ("unnamed", 5)


def test_a_restoration_of_a_message_that_cannot_be_reached_is_the_whole_alert_and_certain() -> None:
    fallen = delivered(alert(1), state=State.RETRACTED, message_id=0, is_uncertain=True)

    found = plan(fallen, alert(2))

    assert isinstance(found, Send)
    assert (found.html, found.is_silent, found.reason) == ("goal\n✅ <i>stands after all</i>", False, Reason.RESTORATION)
    assert (found.delivery.is_uncertain, found.delivery.is_restored) == (False, True)


def test_a_correction_of_a_message_that_cannot_be_reached_is_noted_and_not_sent() -> None:
    found = plan(delivered(pending(1), message_id=0, reason="first"), alert(2, "goal by Kane"))

    assert isinstance(found, Skip)
    assert (found.delivery.seq, found.delivery.body, found.delivery.reason) == (2, "goal by Kane", "first")


@pytest.mark.parametrize(("is_loud", "is_quiet", "is_silent"), [(True, False, False), (False, False, True), (True, True, True)])
def test_a_reply_is_silent_in_quiet_hours_and_where_it_was_planned_so(is_loud: bool, is_quiet: bool, is_silent: bool) -> None:
    chat = replace(CHAT, quiet_hours=QuietHours(14 * 60, 15 * 60) if is_quiet else None)
    waiting = delivered(alert(2), pending_reply="the reply", reply_is_loud=is_loud, reason="graver")

    found = plan_delivery(DeliveryContext(waiting, news(alert(2)), Recipient(chat)), NOW)

    assert isinstance(found, Reply)
    assert (found.html, found.is_silent, found.reason) == ("the reply", is_silent, Reason("graver"))
    assert (found.delivery.pending_reply, found.alert.rule) == (None, "goals")


def test_a_first_message_is_silent_in_quiet_hours_that_hold_nothing() -> None:
    chat = replace(CHAT, quiet_hours=QuietHours(14 * 60, 15 * 60))

    found = plan_delivery(DeliveryContext(Delivery(KEY, REF), news(alert()), Recipient(chat)), NOW)

    assert isinstance(found, Send) and found.is_silent and found.delivery.is_loud


@pytest.mark.parametrize("pin", [PinState.TO_PIN, PinState.TO_UNPIN])
def test_a_pin_comes_before_a_reply_and_alone(pin: PinState) -> None:
    found = plan(delivered(alert(2), pin=pin, pending_reply="later"), alert(2))

    assert isinstance(found, Pin)
    assert (found.is_pinned, found.delivery.pending_reply) == (pin is PinState.TO_PIN, "later")


def test_only_a_message_that_may_have_to_be_retracted_is_noted_before_it_leaves() -> None:
    sent = plan(Delivery(KEY, REF, message_id=None), alert())
    card = plan(Delivery(KEY, REF), alert(kind=CARD, rule=CARD))

    noted = make_uncertain_delivery(sent)
    assert noted and (noted.is_uncertain, noted.message_id, noted.body) == (True, None, "goal")
    assert make_uncertain_delivery(card) is None
    assert make_uncertain_delivery(plan(delivered(alert(1)), retracted(2))) is None


def test_a_retraction_is_attributed_to_the_rule_kind_and_severity_that_were_sent() -> None:
    before = delivered(RED)
    named = alert(3, rule="goals", kind="goal", severity=1)

    found = attribute_to_rule(retracted(3), before)

    assert (found.rule, found.kind, found.severity) == ("reds", "red_card", 2)
    assert attribute_to_rule(named, before) is named
    assert attribute_to_rule(replace(named, kind=""), before).rule == "goals"


REVISIONS = st.lists(
    st.tuples(
        st.sampled_from(["pending", "confirmed", "graver", "retracted"]), st.sampled_from(["goal", "goal by Kane"]), st.booleans()
    )
)


def _alert(seq: int, what: str, text: str) -> Alert:
    made = {"pending": pending, "confirmed": alert, "retracted": lambda seq, _: retracted(seq)}
    return made[what](seq, text) if what in made else alert(seq, text, severity=3, rule="graver")


@given(REVISIONS)
def test_whatever_the_revisions_and_however_few_of_them_are_seen_the_chat_ends_with_the_last(
    story: list[tuple[str, str, bool]],
) -> None:
    known: NewsItem | None = None
    delivery, shown, replies = Delivery(KEY, REF), "", 0
    for seq, (what, text, looked) in enumerate([*story, ("confirmed", "end", True)], start=1):
        revised = revise(known, [_alert(seq, what, text)])
        known = revised.news if revised else known
        while looked and known:
            found = plan_delivery(DeliveryContext(delivery, known, Recipient(CHAT)), NOW)
            delivery = found.delivery
            if isinstance(found, Skip):
                break
            delivery = replace(delivery, message_id=1)
            replies += isinstance(found, Reply)
            shown = shown if isinstance(found, Reply) else found.html

    assert shown == render_message("end", State.CONFIRMED, is_restored=delivery.is_restored)
    assert (delivery.pending_reply, delivery.state) == (None, State.CONFIRMED)
    assert replies <= len(story)
