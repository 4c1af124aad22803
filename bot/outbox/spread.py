"""Reaches the chats of an alert a page at a time: the first hear at once, however many there are."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from itertools import count

import msgspec
import structlog

from bot.clock import Clock
from bot.metrics import DECISIONS
from bot.outbox import ledger
from bot.outbox.decide import Decision, decide, first_for
from bot.outbox.entry import Entry, News, Reason, Status, Ticket
from bot.outbox.group import group, open_windows
from bot.outbox.hold import hold
from bot.outbox.ledger import Spread
from bot.store.engine import Transaction
from bot.store.model import Chat
from rules.alert import AlertKey, Importance

log = structlog.get_logger()

PAGE = 200
_FAIR = 8
"""Every so many pages go to the match that waited longest, however urgent the others are: none starves."""


class Spreader:
    """Knows which news has chats left to reach, and whose turn it is: by rank, then each match in turn, in order."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left: dict[AlertKey, tuple[News, int]] = {}
        self._served: dict[str, int] = {}
        self._count = count(1)
        self._pages = 0

    @property
    def busy(self) -> bool:
        """Tell whether some news has chats left to reach."""
        return bool(self._left)

    def add(self, news: News) -> None:
        """News, or its revision, that may have chats to reach."""
        _, order = self._left.get(news.key, (news, next(self._count)))
        self._left[news.key] = (news, order)

    async def page(self, tx: Transaction) -> list[Ticket]:
        """Reach the next chats of the most urgent news: first those who were not told, then those who were."""
        news = self._next()
        spread, tickets = await walk(tx, news, self._clock.now())
        if spread.over:
            del self._left[news.key]
        return tickets

    def _next(self) -> News:
        def turn(item: tuple[News, int]) -> tuple[int, int, int]:
            return item[0].rank, self._served.get(item[0].key.fixture_id, 0), item[1]

        def longest(item: tuple[News, int]) -> tuple[int, int, int]:
            return self._served.get(item[0].key.fixture_id, 0), item[0].rank, item[1]

        self._pages += 1
        news, _ = min(self._left.values(), key=longest if self._pages % _FAIR == 0 else turn)
        self._served[news.key.fixture_id] = next(self._count)
        return news


async def walk(tx: Transaction, news: News, now: dt.datetime) -> tuple[Spread, list[Ticket]]:
    """Reach the next chats of some news; how far it has come, and what waits for them."""
    spread = await ledger.read_spread(tx, news.key, walk=True)
    tickets: list[Ticket] = []
    if not spread.first_done:
        spread, tickets = await _first_page(tx, news, spread, now)
    elif not spread.told_done:
        spread, tickets = await _told_page(tx, news, spread, now)
    await ledger.write_spread(tx, news.key, spread)
    return spread, tickets


async def _first_page(tx: Transaction, news: News, spread: Spread, now: dt.datetime) -> tuple[Spread, list[Ticket]]:
    chats, last = await ledger.audience(tx, news, spread.first, PAGE)
    known = await ledger.read_entries(tx, news.key, [chat.ref for chat in chats])
    new = [chat for chat in chats if _new(known.get(chat.ref)) and not _grouped(known.get(chat.ref), news, chat)]
    decided = [(chat, decide(known.get(chat.ref), news, chat, now)) for chat in new]
    made = [entry for entry in (_entry(news, chat, decision, now) for chat, decision in decided) if entry]
    await ledger.add_entries(tx, made)
    reasons = Counter(d.reason.value for _, d in decided if not (news.extra and d.reason is Reason.UNWANTED))
    if reasons[Reason.EXPIRED]:
        await ledger.mark_missed(tx, news.key)
    if reasons or not news.extra:  # those who ask for extras are looked for again and again
        log.info("alert_decided", fixture=news.key.fixture_id, action=news.key.action_id, state=news.state.value, **reasons)
    _count(reasons)
    tickets = [_ticket(news, entry) for entry in made if entry.status is Status.WAITING]
    held = {chat.ref: end for chat, d in decided if d.reason is Reason.HELD and (end := chat.held_until(now))}
    tickets += await hold(tx, news, held, now)
    await open_windows(tx, [chat for chat, d in decided if d.tells and not news.extra], now.timestamp())
    tickets += await group(tx, news, [chat for chat, d in decided if d.reason is Reason.GROUPED], now)
    return msgspec.structs.replace(spread, first=last, first_done=last is None), tickets


async def _told_page(tx: Transaction, news: News, spread: Spread, now: dt.datetime) -> tuple[Spread, list[Ticket]]:
    woken, last = await ledger.wake_told(tx, news.key, spread.told, PAGE, now)
    tickets = [Ticket(news.key, ref, news.rank, news.seq, due) for ref, due in woken]
    return msgspec.structs.replace(spread, told=last, told_done=last is None), tickets


def _count(reasons: Counter[str]) -> None:
    """Those that are told are counted when they are."""
    for reason, times in reasons.items():
        if reason not in (Reason.FIRST, Reason.DELAYED):
            DECISIONS.labels(reason).inc(times)


def _new(entry: Entry | None) -> bool:
    return entry is None or (entry.status is Status.DROPPED and not entry.told)


def _grouped(entry: Entry | None, news: News, chat: Chat) -> bool:
    """Tell whether a burst holds, or told, this very news."""
    if entry is None or entry.reason != Reason.GROUPED:
        return False
    alert = first_for(news, chat)
    return alert is None or alert.rule == entry.rule


def _entry(news: News, chat: Chat, decision: Decision, now: dt.datetime) -> Entry | None:
    """The entry that a decision makes; what is too old or not wanted leaves none."""
    if decision.alert is not None:
        delay = chat.delay if not news.lines else 0
        return Entry(news.key, chat.ref, reason=decision.reason.value, due_at=now.timestamp() + delay, rule=decision.alert.rule)
    if decision.reason is Reason.GROUPED and (alert := first_for(news, chat)):
        entry = Entry(news.key, chat.ref, Status.DROPPED, decision.reason.value, chat.burst_end(now.timestamp()) or 0.0)
        rings = chat.sounds(alert.kind, important=alert.importance is Importance.MAJOR)
        return msgspec.structs.replace(entry, rule=alert.rule, rings=rings)
    if decision.reason in (Reason.MUTED, Reason.HELD, Reason.UNNAMED):
        rule = next((a.rule for a in news.fired if chat.takes(a.kind)), "")
        return Entry(news.key, chat.ref, Status.DROPPED, decision.reason.value, now.timestamp(), rule=rule)
    return None


def _ticket(news: News, entry: Entry) -> Ticket:
    return Ticket(news.key, entry.ref, news.rank, news.seq, entry.due_at)
