"""What is to be done for one delivery, as values: what `planning` decides, and `execute` carries out."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from msgspec.structs import replace

from bot.media.renderer import PictureAttachment
from bot.outbox.delivery import Delivery, Reason
from bot.outbox.match_cards import record_card_form
from bot.subscribers import MuteOffer
from rules.engine.alert import LIVE_MESSAGE_KINDS, Alert


class Send(msgspec.Struct, frozen=True):
    """A new message. In every plan, `delivery` is what the chat has seen once it is carried out, but for the message's id."""

    operation: ClassVar[str] = "send"
    delivery: Delivery
    alert: Alert
    html: str
    is_silent: bool
    reason: Reason
    has_mute_button: bool = False
    mute_offer: MuteOffer | None = None
    """The mute options stand open under it, instead of the button that opens them."""
    keyboard: bytes | None = None
    """The button or the open options; None where there is neither."""
    picture: PictureAttachment | None = None
    """None for text alone."""
    rich: str = ""
    """The message as a rich message's HTML, for servers that have these; empty: it is none."""


class Edit(msgspec.Struct, frozen=True):
    """A change of the message. If a reply follows, it is in `delivery.pending_reply`."""

    operation: ClassVar[str] = "edit"
    delivery: Delivery
    alert: Alert
    html: str
    reason: Reason
    has_mute_button: bool = False
    mute_offer: MuteOffer | None = None
    keyboard: bytes | None = None
    picture: PictureAttachment | None = None
    rich: str = ""


class Reply(msgspec.Struct, frozen=True):
    """A reply to the message."""

    operation: ClassVar[str] = "reply"
    delivery: Delivery
    alert: Alert
    html: str
    is_silent: bool
    reason: Reason


class Pin(msgspec.Struct, frozen=True):
    """The message is to be pinned, or unpinned."""

    delivery: Delivery
    alert: Alert
    is_pinned: bool
    reason: Reason = Reason.REVISION


class Skip(msgspec.Struct, frozen=True):
    """Nothing is sent."""

    delivery: Delivery
    reason: Reason


KINDS_WITHOUT_COPIES = LIVE_MESSAGE_KINDS
"""Kinds whose messages are not explained if they can no longer be edited: the next card or picture shows how the match stands."""

MessagePlan = Send | Edit | Reply
"""What a chat gets to read."""

RequestPlan = MessagePlan | Pin
"""What is asked of Telegram."""

Plan = RequestPlan | Skip


def drop_picture(plan: Send | Edit) -> Send | Edit:
    """Return the plan as text, for a picture that cannot be drawn or that the chat does not take."""
    return replace(plan, picture=None, delivery=record_card_form(plan.delivery, is_picture=False))


def find_new_mute_offer(plan: Plan) -> MuteOffer | None:
    """Return the offer to mute that a new message makes, to be stored before it leaves."""
    return plan.mute_offer if isinstance(plan, Send) else None


def make_uncertain_delivery(plan: Plan) -> Delivery | None:
    """Return what is committed before a message leaves: what the chat has seen if it arrives. None if that need not be known.

    A card or a picture is sent again until one is known to have arrived, and what it shows is never retracted.
    """
    if not isinstance(plan, Send) or plan.alert.kind in LIVE_MESSAGE_KINDS:
        return None
    # A delivery that counts as sent because its answer did not come stays so: see `DeliveryQueue.park`.
    return replace(plan.delivery, is_uncertain=True)
