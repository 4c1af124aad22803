"""Carries out one plan with its fallbacks, and says what came of it."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

import msgspec
import structlog

from bot.errors import (
    DeliveryError,
    MessageGone,
    MessageLocked,
    PictureRefused,
    StorageError,
    TelegramUnreachable,
    TextRefused,
    TopicClosed,
    TopicGone,
)
from bot.i18n.language import use_language
from bot.media.renderer import PictureAttachment
from bot.outbox.delivery import UNREACHABLE_MESSAGE_ID, Delivery, DeliveryResult, QueueItem, add_to_history, record_copy
from bot.outbox.latency import Timestamps, measure_latency
from bot.outbox.match_cards import record_message_gone
from bot.outbox.queue import DeliveryQueue
from bot.subscribers import ChatRef
from bot.telegram.html import CAPTION_LIMIT, cut, to_plain
from bot.telegram.plan import (
    KINDS_WITHOUT_COPIES,
    Edit,
    MessagePlan,
    Pin,
    Reply,
    RequestPlan,
    Send,
    make_uncertain_delivery,
)

if TYPE_CHECKING:  # it imports python-telegram-bot, which a replay does without
    from bot.telegram.messenger import Messenger

log = structlog.get_logger()

MAX_IN_FLIGHT = 400
"""Requests at once. The pool has 500 connections, so that an answer to a command never waits behind a broadcast.

Telegram's own server refuses more than 1,000.
"""


class Attempt(msgspec.Struct, frozen=True):
    """A request that is about to be made, and what is needed once its answer is there.

    `started_at` is when its turn came, by the monotonic clock. `delay` (in seconds) and `language` are the chat's.
    `delivery_before` is what was known of the chat until then. `is_paid`: Telegram is paid for it.
    """

    item: QueueItem
    plan: RequestPlan
    started_at: float
    delay: int
    language: str
    timestamps: Timestamps
    delivery_before: Delivery
    is_paid: bool = False

    @property
    def is_repeat(self) -> bool:
        """Return True for a message that was sent before and may have arrived then."""
        return isinstance(self.plan, Send) and self.delivery_before.is_uncertain

    @property
    def leaves_a_message(self) -> bool:
        """Return True if giving this request up leaves a message in the chat as it was, which another one has to explain."""
        return isinstance(self.plan, Edit) and self.plan.alert.kind not in KINDS_WITHOUT_COPIES

    def complete(self, message_id: int, sent_at: float, now: dt.datetime) -> DeliveryResult:
        """Return what the chat has seen now that Telegram has answered. `sent_at` is in seconds since 1970."""
        plan, delivery = self.plan, self.plan.delivery
        latency = measure_latency(self.timestamps, sent_at, now.timestamp())
        if isinstance(plan, Reply):
            # The delivery keeps the id of the message itself: later revisions edit that one. The reply's id goes to the history.
            reply_id = message_id if message_id != delivery.message_id else UNREACHABLE_MESSAGE_ID
            delivery = add_to_history(delivery, plan.reason, now, latency, reply_id=reply_id)
        elif not isinstance(plan, Pin):
            delivery = add_to_history(delivery, plan.reason, now, latency, message_id=message_id)
            delivery = record_message_gone(delivery) if isinstance(plan, Edit) else delivery
        return DeliveryResult(self.item, delivery, message_id, self.delay, latency)

    def leave_as_it_is(self) -> DeliveryResult:
        """Return what counts as seen if the message stands and cannot be edited: it is a copy, which a later message explains."""
        with use_language(self.language):
            delivery = record_copy(self.delivery_before)
        # The number -1 makes the news newer than what the chat has seen, so that the queue plans it once more.
        delivery = msgspec.structs.replace(delivery, message_id=UNREACHABLE_MESSAGE_ID, seq=-1)
        return DeliveryResult(self.item, delivery, UNREACHABLE_MESSAGE_ID, self.delay)

    def count_as_sent(self) -> DeliveryResult:
        """Return what counts as seen although no answer came: nobody can edit it, and corrections name what it shows."""
        delivery = self.plan.delivery
        if isinstance(self.plan, Send):
            with use_language(self.language):
                delivery = msgspec.structs.replace(record_copy(delivery), message_id=UNREACHABLE_MESSAGE_ID)
        return DeliveryResult(self.item, delivery, UNREACHABLE_MESSAGE_ID, self.delay)


async def execute(
    messenger: Messenger, chat: ChatRef, plan: RequestPlan, *, is_plain: bool = False, is_paid: bool = False
) -> int:
    """Make the request of a plan. Return the id of the message that it made or changed, 0 if that cannot be reached any more.

    `is_plain`: the text goes without its formatting. `is_paid`: a new message is paid for.
    """
    if isinstance(plan, Pin):
        message_id = plan.delivery.message_id or UNREACHABLE_MESSAGE_ID
        if message_id != UNREACHABLE_MESSAGE_ID:
            await messenger.pin(chat, message_id, is_pinned=plan.is_pinned)
        return message_id
    if is_plain:
        return await _send_or_edit(messenger, chat, plan, is_plain=True, is_paid=is_paid)
    try:
        return await _send_or_edit(messenger, chat, plan, is_plain=False, is_paid=is_paid)
    except PictureRefused:
        raise  # The text is not to blame: the sender knows what to send instead.
    except TextRefused:
        # An operator's rule may have HTML that Telegram does not take. Without its formatting it arrives all the same.
        return await _send_or_edit(messenger, chat, plan, is_plain=True, is_paid=is_paid)


async def _send_or_edit(messenger: Messenger, chat: ChatRef, plan: MessagePlan, *, is_plain: bool, is_paid: bool) -> int:
    html = plan.html
    # A reply has neither button nor picture: those belong to the message that it answers.
    if isinstance(plan, Reply):
        html = to_plain(html) if is_plain else html
        reply_to = plan.delivery.message_id or None
        return await _send(messenger, chat, html, silent=plan.is_silent, reply_to=reply_to, is_paid=is_paid)
    picture = plan.picture if plan.picture and plan.picture.png else None
    # An edit without the keyboard would remove the button.
    keyboard = plan.keyboard if not picture else None
    html, rich = (picture.caption or html) if picture else html, plan.rich
    if is_plain:
        # Whatever it was that Telegram did not take: the text, a caption or the rich form.
        html, rich = to_plain(html), ""
    # A caption takes a quarter of what a message takes.
    html = cut(html, CAPTION_LIMIT) if picture else html
    if isinstance(plan, Send):
        return await _send(
            messenger, chat, html, silent=plan.is_silent, keyboard=keyboard, picture=picture, rich=rich, is_paid=is_paid
        )
    message_id = plan.delivery.message_id or UNREACHABLE_MESSAGE_ID
    if message_id == UNREACHABLE_MESSAGE_ID:
        return UNREACHABLE_MESSAGE_ID
    try:
        await messenger.edit(chat, message_id, html, keyboard=keyboard, picture=picture, rich=rich)
    except (MessageLocked, TopicClosed) as error:
        if plan.alert.kind in KINDS_WITHOUT_COPIES:
            return UNREACHABLE_MESSAGE_ID
        # The message keeps what it shows, so the sender sends another one that says what counts now.
        raise MessageLocked(str(error)) from None
    except (MessageGone, TopicGone):
        return UNREACHABLE_MESSAGE_ID
    return message_id


async def _send(
    messenger: Messenger,
    chat: ChatRef,
    html: str,
    *,
    silent: bool,
    reply_to: int | None = None,
    keyboard: bytes | None = None,
    picture: PictureAttachment | None = None,
    rich: str = "",
    is_paid: bool,
) -> int:
    send = partial(messenger.send, html=html, silent=silent, keyboard=keyboard, picture=picture, rich=rich, is_paid=is_paid)
    try:
        return await send(chat, reply_to=reply_to)
    except TopicGone as gone:
        # A deleted topic is handled by the sender, which moves what waits for it. A closed one may be opened again: until
        # then its alerts go to the group's main topic.
        if chat.topic and not isinstance(gone, TopicClosed):
            raise
        return await send(ChatRef(chat.chat_id))
    # Somebody has deleted the message that this one answers: it is sent without the reference.
    except MessageGone:
        return await send(chat)


async def undo_uncertain(queue: DeliveryQueue, attempt: Attempt, error: DeliveryError) -> None:
    """Restore what was known before a message left, if the error says that it did not arrive. Else it stays uncertain."""
    # After a timeout nobody knows: the delivery stays uncertain, and a retraction is sent even if the goal never arrived.
    if make_uncertain_delivery(attempt.plan) is None or (isinstance(error, TelegramUnreachable) and error.maybe_sent):
        return
    try:
        await queue.restore(attempt.delivery_before)
    except StorageError as failure:
        # The delivery stays uncertain. At worst the alert is sent twice, or a retraction is sent for one that never arrived.
        log.warning("uncertain_delivery_kept", chat=attempt.item.chat.chat_id, reason=str(failure))
        queue.rescan()
