"""What became of a match card in one chat: its form, its pin, and whether it is sent again after somebody deleted it. Pure."""

from __future__ import annotations

import msgspec

from bot.outbox.delivery import Delivery, PinState, Subject
from bot.subscribers import CardForm
from rules.engine.alert import CARD, Alert

_MAX_CARD_SENDS = 2
"""A card is sent so often to one chat at most: someone who deletes it a second time does not want it."""


def record_card_sent(delivery: Delivery, alert: Alert, *, pins_cards: bool = True) -> Delivery:
    """Return the delivery after a message was sent: the card of a match in play is to be pinned, if the chat pins cards."""
    if alert.kind != CARD:
        return delivery
    # A match that is over needs no place at the top of the chat.
    pin = PinState.TO_PIN if pins_cards and not alert.is_match_over else PinState.NONE
    return msgspec.structs.replace(delivery, pin=pin, times_sent=delivery.times_sent + 1)


def is_picture_card(delivery: Delivery) -> bool:
    """Return True for a card whose message is a photo: an edit of its text would be refused."""
    return delivery.kind == CARD and Subject.parse(delivery.subject).action_type == CardForm.PICTURE


def record_card_form(delivery: Delivery, *, is_picture: bool) -> Delivery:
    """Return the delivery of a card with what its message is, so that it is edited as that after a restart too."""
    if delivery.kind != CARD:
        return delivery
    # As a subject that earlier versions read without harm: theirs of a card is empty, and nothing compares it.
    subject = str(Subject(action_type=CardForm.PICTURE.value)) if is_picture else ""
    return msgspec.structs.replace(delivery, subject=subject)


def record_card_edited(delivery: Delivery, alert: Alert) -> Delivery:
    """Return the delivery after an edit: the card of a match that is over is not to be pinned any more."""
    if not alert.is_match_over or delivery.pin in (PinState.NONE, PinState.TO_UNPIN):
        return delivery
    pin = PinState.TO_UNPIN if delivery.pin is PinState.PINNED else PinState.NONE
    return msgspec.structs.replace(delivery, pin=pin)


def record_message_gone(delivery: Delivery) -> Delivery:
    """Return the delivery after an edit of a message that was deleted: a card is to be sent again, unless it was before."""
    # The number -1 makes the news newer than what the chat has seen, so that the queue plans it once more.
    return msgspec.structs.replace(delivery, seq=-1) if must_resend_card(delivery) else delivery


def must_resend_card(delivery: Delivery) -> bool:
    """Return True for a card that was deleted and may be sent once more."""
    return delivery.kind == CARD and not delivery.message_id and 0 < delivery.times_sent < _MAX_CARD_SENDS


def record_pin_done(delivery: Delivery) -> Delivery:
    """Return the delivery after its message was pinned or unpinned, or the chat did not allow it."""
    after = {PinState.TO_PIN: PinState.PINNED, PinState.TO_UNPIN: PinState.NONE}
    return msgspec.structs.replace(delivery, pin=after.get(delivery.pin, delivery.pin))
