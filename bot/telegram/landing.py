"""What the courier notes of a message from when it is about to leave until what came of it is committed. Pure."""

from __future__ import annotations

import datetime as dt

import msgspec

from bot.outbox.entry import UNREACHABLE, Entry, Reason, Ticket
from bot.outbox.pins import missed
from bot.outbox.seen import remembered
from bot.outbox.way import Marks, Way
from bot.store.model import ChatRef
from bot.telegram.step import Edit, Pinning, Reply, Request, Step
from rules.alert import Alert, State


class Landing(msgspec.Struct, frozen=True):
    """What came of a ticket, to be committed: what its chat has seen now. `message_id` is 0 where nothing was sent."""

    ticket: Ticket
    step: Step
    entry: Entry
    message_id: int = UNREACHABLE
    delay: int = 0
    way: Way = Way()


class Delivery(msgspec.Struct, frozen=True):
    """Something that Telegram took. `op` is send, edit or reply; `message_id` is the new message's, or the edited one's."""

    op: str
    chat: ChatRef
    alert: Alert
    state: State
    html: str
    message_id: int
    reason: Reason
    way: Way = Way()


class Begun(msgspec.Struct, frozen=True):
    """What is noted of a message that is about to leave: when its turn came, in the loop's seconds, and the chat's delay.

    `before` is what was known of the chat until then.
    """

    at: float
    delay: int
    marks: Marks
    before: Entry


def seen(step: Request, message_id: int, now: dt.datetime, way: Way) -> Entry:
    """What the chat has seen now. A reply leaves the message's own id as it is."""
    if isinstance(step, Reply):
        own = message_id if message_id != step.entry.message_id else UNREACHABLE
        return remembered(step.entry, step.reason, now, way, reply=own)
    if isinstance(step, Pinning):
        return step.entry
    entry = remembered(msgspec.structs.replace(step.entry, message_id=message_id), step.reason, now, way)
    return missed(entry) if isinstance(step, Edit) else entry
