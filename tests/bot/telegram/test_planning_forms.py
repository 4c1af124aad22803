"""In which form a message leaves: picture, rich message or text, its buttons, and what follows one that cannot be reached."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from msgspec.structs import replace

from bot.media.renderer import PictureAttachment
from bot.outbox.delivery import Delivery, DeliveryContext, PinState, Reason, add_copy, record_copy
from bot.outbox.match_cards import is_picture_card, record_card_form
from bot.quiet_hours import QuietHours
from bot.subscribers import AlertFilter, CardForm, Chat, MuteOffer, Recipient
from bot.telegram.plan import Edit, Plan, Send, Skip, drop_picture, find_new_mute_offer
from bot.telegram.planning import plan_delivery
from rules.engine.alert import CARD, PICTURE, Alert, State
from tests.bot.media.timelines import full
from tests.bot.news import CHAT, KEY, NOW, REF, alert, delivered, match_card, minor, news, pending, retracted

QUIET = QuietHours(14 * 60, 15 * 60)
"""`NOW` is in them."""
NOTE = "\n↩️ <i>An earlier copy of this message no longer counts, if you got one.</i>"


def plan(delivery: Delivery, one: Alert, chat: Chat = CHAT, *, is_shown_uncertain: bool = False, **more: Any) -> Plan:
    context = DeliveryContext(delivery, news(one), Recipient(chat), **more)
    return plan_delivery(context, NOW, is_shown_uncertain=is_shown_uncertain)


def send(one: Alert, chat: Chat = CHAT, **more: Any) -> Send:
    found = plan(Delivery(one.key, REF), one, chat, **more)
    assert isinstance(found, Send)
    return found


def edit(delivery: Delivery, one: Alert, chat: Chat = CHAT, **more: Any) -> Edit:
    found = plan(delivery, one, chat, **more)
    assert isinstance(found, Edit)
    return found


CARD_ALERT = match_card("<b>0–0</b>", timeline=full(), rich_texts={"en": "<table>0–0</table>", "de": "<table>0:0</table>"})
"""A card, in every form that a chat may choose."""


def with_live(**settings: Any) -> Chat:
    """A chat that takes cards and pictures."""
    return replace(CHAT, filter=replace(CHAT.filter, kinds_on=frozenset({CARD, PICTURE})), **settings)


@pytest.mark.parametrize("spoilers", [False, True])
def test_a_picture_is_drawn_in_the_chats_language_and_hidden_where_scores_are(spoilers: bool) -> None:
    pictured = minor(1, "half time", action="picture:half_time", rule=PICTURE, kind=PICTURE, timeline=full())

    assert send(pictured, with_live(language="de", spoilers=spoilers)).picture == PictureAttachment(full(), "de", spoilers)


@pytest.mark.parametrize(("spoilers", "caption"), [(False, "<b>0–0</b>"), (True, "<tg-spoiler><b>0–0</b></tg-spoiler>")])
def test_a_card_as_a_picture_has_its_text_below_it_and_is_known_as_one(spoilers: bool, caption: str) -> None:
    found = send(CARD_ALERT, with_live(language="de", spoilers=spoilers, card_form=CardForm.PICTURE))

    assert found.picture and found.picture == PictureAttachment(full(), "de", spoilers, caption=found.picture.caption)
    assert found.picture.caption.endswith(caption)
    assert is_picture_card(found.delivery) and found.rich == "" and found.html.endswith(caption)


@pytest.mark.parametrize(
    ("language", "spoilers", "form", "rich"),
    [
        ("de", False, CardForm.RICH, "<table>0:0</table>"),
        ("it", False, CardForm.RICH, "<table>0–0</table>"),
        ("de", True, CardForm.RICH, ""),
        ("de", False, CardForm.TEXT, ""),
    ],
)
def test_a_rich_card_is_in_the_chats_language_and_is_text_where_scores_are_hidden(
    language: str, spoilers: bool, form: CardForm, rich: str
) -> None:
    found = send(CARD_ALERT, with_live(language=language, spoilers=spoilers, card_form=form))

    assert (found.rich, found.picture, is_picture_card(found.delivery)) == (rich, None, False)


@pytest.mark.parametrize(
    ("is_photo", "form", "has_picture"),
    [(True, CardForm.TEXT, True), (False, CardForm.PICTURE, False), (True, CardForm.RICH, True)],
)
def test_an_edit_leaves_a_photo_a_photo_and_a_text_a_text(is_photo: bool, form: CardForm, has_picture: bool) -> None:
    before = record_card_form(delivered(CARD_ALERT), is_picture=is_photo)

    found = edit(before, replace(CARD_ALERT, seq=2, text="1–0"), with_live(card_form=form))

    assert (found.picture is not None, is_picture_card(found.delivery), found.rich) == (has_picture, has_picture, "")


def test_a_card_as_a_picture_that_has_nothing_to_draw_is_text() -> None:
    found = send(replace(CARD_ALERT, timeline=None), with_live(card_form=CardForm.PICTURE))

    assert (found.picture, is_picture_card(found.delivery)) == (None, False)


def test_a_photo_that_was_deleted_is_sent_again_as_the_chat_has_it_now() -> None:
    photo = record_card_form(delivered(CARD_ALERT), is_picture=True)
    deleted = replace(photo, message_id=None, times_sent=1, seq=-1)

    found = plan(deleted, CARD_ALERT, with_live(card_form=CardForm.TEXT))

    assert isinstance(found, Send)
    assert (found.picture, is_picture_card(found.delivery), found.delivery.times_sent) == (None, False, 2)


def test_a_picture_that_cannot_be_drawn_leaves_the_text_which_is_known_as_text() -> None:
    found = send(CARD_ALERT, with_live(card_form=CardForm.PICTURE))
    dropped = drop_picture(found)

    assert dropped == replace(found, picture=None, delivery=record_card_form(found.delivery, is_picture=False))
    assert not is_picture_card(dropped.delivery)


@pytest.mark.parametrize(
    ("one", "form", "is_edited"),
    [
        (CARD_ALERT, CardForm.TEXT, False),
        (CARD_ALERT, CardForm.RICH, True),
        (minor(1, "x", rule=PICTURE, kind=PICTURE, timeline=full()), CardForm.TEXT, True),
        (minor(1, "x", rule=PICTURE, kind=PICTURE), CardForm.TEXT, False),
    ],
    ids=["card", "rich card", "picture", "picture without a timeline"],
)
def test_what_shows_more_than_its_text_is_edited_though_the_text_is_the_same(one: Alert, form: CardForm, is_edited: bool) -> None:
    found = plan(delivered(one), replace(one, seq=2), with_live(card_form=form))

    assert isinstance(found, Edit if is_edited else Skip)


def test_a_photo_card_is_edited_though_its_text_is_the_same() -> None:
    before = record_card_form(delivered(CARD_ALERT), is_picture=True)

    assert isinstance(plan(before, replace(CARD_ALERT, seq=2), with_live()), Edit)


def test_the_same_text_is_edited_where_the_chat_may_see_another() -> None:
    assert isinstance(plan(delivered(alert(1)), alert(2), is_shown_uncertain=True), Edit)


def test_the_options_to_mute_are_in_the_chats_language_and_made_for_a_new_message_alone() -> None:
    found = send(alert(), replace(CHAT, language="de"), recent_kinds=("var", "goal"))

    assert found.mute_offer == find_new_mute_offer(found) == MuteOffer("f1", "g", ("goal", "var"))
    assert "Dieses Spiel" in (found.keyboard or b"").decode() and "Tore" in (found.keyboard or b"").decode()
    assert find_new_mute_offer(edit(delivered(alert(1)), alert(2, "x"), recent_kinds=("var", "goal"))) is None


def test_a_chat_without_the_button_is_offered_nothing() -> None:
    found = send(alert(), replace(CHAT, mute_button=False), recent_kinds=("var", "goal"))

    assert (found.mute_offer, found.keyboard, found.has_mute_button) == (None, None, False)


def unreachable(one: Alert, **more: Any) -> Delivery:
    """A message that counts as sent and cannot be edited, with a copy of what it shows."""
    return replace(add_copy(delivered(one)), message_id=0, **more)


def test_a_correction_of_a_copy_is_one_silent_message_that_explains_it() -> None:
    found = plan(unreachable(pending(1)), alert(2))

    assert isinstance(found, Send)
    assert (found.html, found.is_silent, found.reason) == (f"goal{NOTE}", True, Reason.REVISION)
    assert (found.delivery.is_uncertain, found.delivery.seq, found.delivery.state) == (False, 2, State.CONFIRMED)


def test_a_retraction_of_a_copy_is_the_reply_that_names_it() -> None:
    found = edit(unreachable(alert(1)), retracted(2))

    assert found.delivery.pending_reply and "❌ <b>No goal</b>" in found.delivery.pending_reply
    assert found.delivery.pending_reply.endswith("\n<s>goal</s>") and found.delivery.reply_is_loud
    assert found.html == "<s>goal</s>", "the reply has the note"


def test_a_reply_of_an_earlier_revision_does_not_explain_a_copy() -> None:
    before = unreachable(pending(1), pending_reply="an earlier one")

    assert isinstance(plan(before, alert(2)), Send)
    assert isinstance(plan(replace(before, earlier_copies=""), alert(2)), Edit)


@pytest.mark.parametrize(("is_loud", "quiet_hours", "is_silent"), [(True, None, False), (False, None, True), (True, QUIET, True)])
def test_a_restoration_of_what_cannot_be_reached_is_as_loud_as_the_alert_and_drops_the_reply(
    is_loud: bool, quiet_hours: QuietHours | None, is_silent: bool
) -> None:
    fallen = unreachable(alert(1), state=State.RETRACTED, pending_reply="❌ no goal")
    again = alert(2) if is_loud else minor(2, "goal", severity=2)

    found = plan(fallen, again, replace(CHAT, quiet_hours=quiet_hours))

    assert isinstance(found, Send)
    assert (found.is_silent, found.delivery.pending_reply, found.reason) == (is_silent, None, Reason.RESTORATION)


@pytest.mark.parametrize(("kind", "text", "copies"), [("goal", "goal", 1), (CARD, "0–0", 0), (PICTURE, "x", 0), ("goal", "", 0)])
def test_a_card_a_picture_and_a_message_without_text_leave_no_copy_to_explain(kind: str, text: str, copies: int) -> None:
    assert (record_copy(delivered(alert(text=text, kind=kind))).earlier_copies != "") is bool(copies)


def test_a_message_that_is_sent_again_explains_a_copy_that_shows_something_else() -> None:
    before = replace(delivered(pending(1)), message_id=None, is_uncertain=True)

    found = plan(before, alert(2))

    assert isinstance(found, Send)
    assert (found.html, found.delivery.is_uncertain) == (f"goal{NOTE}", False)


def test_a_repeat_of_what_was_restored_shows_that_it_was() -> None:
    before = replace(delivered(alert(1)), message_id=None, is_uncertain=True, is_restored=True)

    found = plan(before, alert(2))

    assert isinstance(found, Send)
    assert (found.html, found.delivery.is_restored) == ("goal\n✅ <i>stands after all</i>", True)


def test_an_uncertain_message_that_is_muted_now_counts_as_sent_without_a_message() -> None:
    before = replace(delivered(alert(1)), message_id=None, is_uncertain=True)

    found = plan(before, alert(3), replace(CHAT, muted_until=NOW + dt.timedelta(hours=1)))

    assert isinstance(found, Skip)
    assert (found.delivery.message_id, found.delivery.is_uncertain, found.delivery.seq) == (0, False, 3)
    assert found.reason is Reason.MUTED and found.delivery.reason == "muted"


@pytest.mark.parametrize(
    ("pins", "is_over", "pin"), [(True, False, PinState.TO_PIN), (False, False, PinState.NONE), (True, True, PinState.NONE)]
)
def test_a_card_of_a_match_in_play_is_to_be_pinned_where_the_chat_pins_cards(pins: bool, is_over: bool, pin: PinState) -> None:
    found = send(replace(CARD_ALERT, is_match_over=is_over), with_live(pins_cards=pins))

    assert (found.delivery.pin, found.delivery.times_sent) == (pin, 1)


def test_a_message_is_stored_as_the_chat_sees_it() -> None:
    found = send(alert(3, "<b>goal</b>", rule="goals", severity=2)).delivery

    assert found == Delivery(
        KEY, REF, rule="goals", kind="goal", is_loud=True, severity=2, seq=3, body="<b>goal</b>", subject="2//Goal"
    )


def test_what_was_never_confirmed_is_struck_through_with_the_reason_below_it() -> None:
    found = edit(delivered(minor(1, severity=0)), retracted(2, reason="Was not confirmed"))

    assert (found.html, found.delivery.pending_reply) == ("<s>yellow</s>\n⏳ <i>was not confirmed</i>", None)


def test_an_uncertain_digest_that_is_too_old_counts_as_sent_and_stays_uncertain() -> None:
    digest = alert(4, "", rule="", kind="summary", max_age=60.0)
    before = Delivery(digest.key, REF, rule="g", seq=3, body="x", is_uncertain=True)
    context = DeliveryContext(before, news(digest, line_ids=("g",)), Recipient(CHAT), lines=(news(alert()),))

    found = plan_delivery(context, NOW + dt.timedelta(hours=1))

    assert isinstance(found, Skip)
    assert (found.delivery.message_id, found.delivery.is_uncertain, found.delivery.seq) == (0, True, 4)
    assert found.reason is Reason.EXPIRED


def test_a_digest_none_of_whose_lines_the_chat_takes_is_not_sent() -> None:
    digest = alert(4, "", rule="", kind="summary")
    picky = replace(CHAT, filter=AlertFilter(kinds_off=frozenset({"goal"})))
    context = DeliveryContext(Delivery(digest.key, REF), news(digest, line_ids=("g",)), Recipient(picky), lines=(news(alert()),))

    found = plan_delivery(context, NOW)

    assert isinstance(found, Skip)
    assert (found.reason, found.delivery.reason) == (Reason.NOT_WANTED, "unwanted")
