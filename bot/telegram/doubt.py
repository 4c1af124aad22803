"""What surely did not arrive is not held to have been seen."""

from __future__ import annotations

import structlog

from bot.errors import DeliveryError, StoreError, TelegramUnreachable
from bot.outbox.entry import Entry
from bot.outbox.outbox import Outbox
from bot.telegram.step import Request, perhaps

log = structlog.get_logger()


async def end_doubt(outbox: Outbox, step: Request, before: Entry, error: DeliveryError) -> None:
    """Put back what was known before a message left, where its answer says that it did not arrive; else it stays in doubt."""
    if perhaps(step) is None or (isinstance(error, TelegramUnreachable) and error.maybe_sent):
        return
    try:
        await outbox.never_left(before)
    except StoreError as trouble:  # what is not sure is told once more, or taken back though it was not seen
        log.warning("doubt_stays", chat=before.ref.chat_id, reason=str(trouble))
        outbox.recover()
