"""Carries out one plan with its fallbacks and says what came of it."""

from __future__ import annotations

import datetime as dt

import msgspec
import structlog

from bot.errors import DeliveryError, MessageGone, StorageError, TelegramUnreachable, TextRefused, TopicClosed, TopicGone
from bot.media.renderer import PictureAttachment
from bot.outbox.delivery import (
    UNREACHABLE_MESSAGE_ID,
    Delivery,
    LatencyTrace,
    QueueItem,
    Reason,
    Timestamps,
    add_to_history,
    record_message_gone,
)
from bot.outbox.outbox import Outbox
from bot.subscribers import ChatRef
from bot.telegram.html import CAPTION_LIMIT, cut, to_plain
from bot.telegram.messenger import Messenger, TextMessenger
from bot.telegram.plan import MUTE_BUTTON, Edit, Pin, Plan, Reply, RequestPlan, Send, make_uncertain_delivery
from rules.engine.alert import Alert, State


def choose_messenger(messenger: Messenger, picture: PictureAttachment | None) -> TextMessenger:
    """What sends and edits news as it is to be shown: the messenger itself, or one that puts the picture above the words."""
    return PictureMessenger(messenger, picture) if picture and picture.png else messenger


class PictureMessenger:
    """Speaks in photos with a caption."""

    def __init__(self, messenger: Messenger, picture: PictureAttachment) -> None:
        self._messenger, self._png, self._veiled = messenger, picture.png, picture.is_spoiler

    async def send(
        self, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None = None, keyboard: bytes | None = None
    ) -> int:
        """Send the picture; its message's id."""
        del keyboard
        caption = cut(html, CAPTION_LIMIT)
        return await self._messenger.photo(chat, self._png, caption, silent=silent, reply_to=reply_to, veiled=self._veiled)

    async def edit(self, chat: ChatRef, message_id: int, html: str, *, keyboard: bytes | None = None) -> None:
        """Put the picture and its words in the place of those before."""
        del keyboard
        await self._messenger.repaint(chat, message_id, self._png, cut(html, CAPTION_LIMIT), veiled=self._veiled)


async def execute(messenger: Messenger, chat: ChatRef, plan: RequestPlan) -> int:
    """Make the request; the id of the message it made or changed. Refused entities go as plain text, once."""
    if isinstance(plan, Pin):
        return await _pin_message(messenger, chat, plan)
    speaker = choose_messenger(messenger, None if isinstance(plan, Reply) else plan.picture)
    try:
        return await _make_request(speaker, chat, plan, plan.html)
    except TextRefused:
        return await _make_request(speaker, chat, plan, to_plain(plan.html))


async def _pin_message(messenger: Messenger, chat: ChatRef, plan: Pin) -> int:
    message_id = plan.delivery.message_id or UNREACHABLE_MESSAGE_ID
    if message_id != UNREACHABLE_MESSAGE_ID:
        await messenger.pin(chat, message_id, on=plan.is_pinned)
    return message_id


async def _make_request(messenger: TextMessenger, chat: ChatRef, plan: Send | Edit | Reply, html: str) -> int:
    keyboard = MUTE_BUTTON if not isinstance(plan, Reply) and plan.has_mute_button else None
    if isinstance(plan, Edit):
        return await _edit_message(messenger, chat, plan.delivery.message_id or UNREACHABLE_MESSAGE_ID, html, keyboard)
    answered = (plan.delivery.message_id or None) if isinstance(plan, Reply) else None
    return await _send_message(messenger, chat, html, silent=plan.is_silent, reply_to=answered, keyboard=keyboard)


async def _send_message(
    messenger: TextMessenger, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None, keyboard: bytes | None
) -> int:
    try:
        return await messenger.send(chat, html, silent=silent, reply_to=reply_to, keyboard=keyboard)
    except TopicGone as gone:
        if chat.topic and not isinstance(gone, TopicClosed):
            raise
        return await messenger.send(ChatRef(chat.chat_id), html, silent=silent, keyboard=keyboard)
    except MessageGone:
        return await messenger.send(chat, html, silent=silent, keyboard=keyboard)


async def _edit_message(messenger: TextMessenger, chat: ChatRef, message_id: int, html: str, keyboard: bytes | None) -> int:
    """A message that is gone needs no edit; the reply that may follow is sent without it."""
    if message_id == UNREACHABLE_MESSAGE_ID:
        return UNREACHABLE_MESSAGE_ID
    try:
        await messenger.edit(chat, message_id, html, keyboard=keyboard)
    except (MessageGone, TopicGone):
        return UNREACHABLE_MESSAGE_ID
    return message_id


class CompletedAttempt(msgspec.Struct, frozen=True):
    """What came of a ticket, to be committed: what its chat has seen now. `message_id` is 0 where nothing was sent."""

    item: QueueItem
    plan: Plan
    delivery: Delivery
    message_id: int = UNREACHABLE_MESSAGE_ID
    delay: int = 0
    latency: LatencyTrace = LatencyTrace()


class DeliveredMessage(msgspec.Struct, frozen=True):
    """Something that Telegram took. `op` is send, edit or reply; `message_id` is the new message's, or the edited one's."""

    op: str
    chat: ChatRef
    alert: Alert
    state: State
    html: str
    message_id: int
    reason: Reason
    latency: LatencyTrace = LatencyTrace()


class Attempt(msgspec.Struct, frozen=True):
    """What is noted of a message that is about to leave: when its turn came, in the loop's seconds, and the chat's delay.

    `before` is what was known of the chat until then.
    """

    started_at: float
    delay: int
    timestamps: Timestamps
    delivery_before: Delivery


def apply_response(plan: RequestPlan, message_id: int, now: dt.datetime, latency: LatencyTrace) -> Delivery:
    """What the chat has seen now. A reply leaves the message's own id as it is."""
    if isinstance(plan, Reply):
        own = message_id if message_id != plan.delivery.message_id else UNREACHABLE_MESSAGE_ID
        return add_to_history(plan.delivery, plan.reason, now, latency, reply_id=own)
    if isinstance(plan, Pin):
        return plan.delivery
    delivery = add_to_history(msgspec.structs.replace(plan.delivery, message_id=message_id), plan.reason, now, latency)
    return record_message_gone(delivery) if isinstance(plan, Edit) else delivery


log = structlog.get_logger()


async def undo_uncertain(outbox: Outbox, plan: RequestPlan, delivery_before: Delivery, error: DeliveryError) -> None:
    """Put back what was known before a message left, where its answer says that it did not arrive; else it stays in doubt."""
    if make_uncertain_delivery(plan) is None or (isinstance(error, TelegramUnreachable) and error.maybe_sent):
        return
    try:
        await outbox.restore(delivery_before)
    except StorageError as trouble:  # what is not sure is told once more, or taken back though it was not seen
        log.warning("doubt_stays", chat=delivery_before.chat.chat_id, reason=str(trouble))
        outbox.rescan()
