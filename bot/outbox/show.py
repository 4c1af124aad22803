"""How something stands now, such as a match card: it has no history of its own, and the latest is all that counts."""

from __future__ import annotations

import datetime as dt

import msgspec

from bot.outbox import ledger
from bot.outbox.decide import expired
from bot.outbox.entry import News
from bot.outbox.ledger import Spread
from bot.outbox.revise import revise
from bot.store.audience import asking
from bot.store.engine import Transaction
from rules.action import Fixture
from rules.alert import SHOWN, Alert, AlertKey


class Standing(msgspec.Struct, frozen=True):
    """What is kept now; `changed` is false where it stood so already and only chats that were not reached are looked for."""

    news: News
    changed: bool


async def show(tx: Transaction, alert: Alert, now: dt.datetime, *, begin: bool) -> Standing | None:
    """Keep how it stands; None where there is nothing to tell. Its number follows the one that is known, whatever its own.

    With `begin` the walk over those who were not told begins anew, so that a chat that has asked for it since gets it.
    """
    await ledger.reserve(tx, [alert.key.fixture_id])
    known = (await ledger.read_news(tx, [alert.key], write=True)).get(alert.key)
    if known is None and not begin:
        return None
    if known is not None and same(known.candidates[0], alert):
        if not begin:
            return None
        spread = await ledger.read_spread(tx, alert.key)
        await ledger.write_spread(tx, alert.key, msgspec.structs.replace(spread, first=None, first_done=False))
        return Standing(known, changed=False)
    seq = alert.seq if known is None else max(alert.seq, known.seq + 1)
    revised = revise(known, [msgspec.structs.replace(alert, seq=seq)])
    if revised is None or (known is None and expired(revised.news, alert, now)):
        return None
    if known is None:
        await ledger.add_news(tx, revised.news, Spread(told_done=True), now)
    else:
        await ledger.change_news(tx, revised.news, Spread(first_done=not begin), now)
    return Standing(revised.news, changed=True)


async def asked(tx: Transaction, fixture: Fixture) -> bool:
    """Tell whether some chat asks for the card or the pictures of a match, or has one: it is kept true."""
    if await tx.fetch(asking(fixture, None, 1)):
        return True
    return bool(await ledger.stamps(tx, [AlertKey(fixture.id, name) for name in SHOWN]))


def same(one: Alert, other: Alert) -> bool:
    """Tell whether a reader sees no difference."""
    return (one.text, one.texts, one.timeline, one.over) == (other.text, other.texts, other.timeline, other.over)
