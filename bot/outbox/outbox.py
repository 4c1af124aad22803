"""The only buffer and the only durable place: alerts go in, tickets for single messages come out."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from itertools import groupby
from typing import TypeVar

import msgspec
import structlog

from bot.clock import Clock
from bot.metrics import STEP
from bot.outbox import ledger
from bot.outbox.account import Account, lines_of, told_by
from bot.outbox.burst import is_burst
from bot.outbox.decide import expired
from bot.outbox.earlier import Earlier
from bot.outbox.entry import Entry, Job, News, Reason, Sight, Status, Ticket, at_once
from bot.outbox.group import burst_job, bursts_of, give_up, heard_there, let_go
from bot.outbox.hold import hold
from bot.outbox.jobs import Found, mark, write_entries
from bot.outbox.known import Known
from bot.outbox.ledger import Spread
from bot.outbox.revise import revise
from bot.outbox.show import asked, show
from bot.outbox.source import OwnSource, Source
from bot.outbox.summary import QUIET, lines_for, renewed, summary_of
from bot.store.engine import Database, Transaction
from bot.store.model import Chat, ChatRef
from bot.store.tastes import heard
from rules.action import Fixture
from rules.alert import Alert, AlertKey

log = structlog.get_logger()

_STEP = STEP.labels("outbox")
Decided = TypeVar("Decided")


def _nobody() -> None:
    """Nobody waits for alerts."""


class Outbox:
    """Keeps what is to be told and what was. `on_put` is called when there may be something to take."""

    def __init__(self, db: Database, clock: Clock, source: Source | None = None) -> None:
        """`source` is where tickets come from; None: of a process that is alone on its database."""
        self.db, self._clock = db, clock
        self._source = source or OwnSource(db, clock)
        self._known = Known()
        self._earlier = Earlier()
        self.on_put: Callable[[], None] = _nobody

    async def put(self, alerts: Sequence[Alert]) -> None:
        """Commit alerts; those of one key are alternatives. Revisions that are not new are left out."""
        now = self._clock.now()
        async with self.db.transaction() as tx:
            await ledger.reserve(tx, {alert.key.fixture_id for alert in alerts})
            known = await ledger.read_news(tx, {alert.key for alert in alerts}, write=True)
            groups = [list(group) for _, group in groupby(alerts, key=lambda alert: alert.key)]
            changed = [news for group in groups for news in await self._put(tx, known.get(group[0].key), group, now)]
            await self._source.announce(tx, [news.key for news in changed])
        self._take_in(changed)

    async def give(self, ref: ChatRef, alert: Alert, delay: int = 0) -> None:
        """Commit an alert for one chat alone, whatever it follows; one that is known is left out. `delay` in seconds."""
        revised, now = revise(None, [alert]), self._clock.now()
        async with self.db.transaction() as tx:
            await ledger.reserve(tx, [alert.key.fixture_id])
            if revised is None or await ledger.read_news(tx, [alert.key]):
                return
            entry = Entry(alert.key, ref, due_at=now.timestamp() + delay, rule=alert.rule)
            await ledger.add_news(tx, revised.news, Spread(first_done=True, told_done=True), now)
            await ledger.add_entries(tx, [entry])
            await self._source.announce_entries(tx)
        self._source.hold([Ticket(alert.key, ref, revised.news.rank, alert.seq, entry.due_at)])
        self.on_put()

    async def show(self, alert: Alert, *, begin: bool = True) -> None:
        """Commit how something stands now, such as a match card. Where it stood so already, only chats that ask for it since are
        looked for; without `begin`, only what was told is put right."""
        now = self._clock.now()
        async with self.db.transaction() as tx:
            standing = await show(tx, alert, now, begin=begin)
            if standing:
                await self._source.announce(tx, [alert.key])
        if standing and standing.changed:
            self._take_in([standing.news])
        elif standing:
            self._source.add(standing.news)
            self.on_put()

    async def asked(self, fixture: Fixture) -> bool:
        """Tell whether some chat asks for the card or the pictures of a match, or has one."""
        async with self.db.transaction() as tx:
            return await asked(tx, fixture)

    async def told(self, fixture_id: str) -> dict[str, set[str]]:
        """By action of a match, the names of the rules that made news of it."""
        async with self.db.transaction() as tx:
            return await ledger.rules_told(tx, fixture_id)

    async def catch_up(self, fixture_id: str, *, joined: bool = False) -> None:
        """Tell once, in one message a chat, what stands and was too old to be told as news.

        `joined`: the match was not followed before, so that nothing was missed by a connection that was down.
        """
        now = self._clock.now()
        async with self.db.transaction() as tx:
            await ledger.reserve(tx, [fixture_id])
            known = await ledger.of_fixture(tx, fixture_id) if await ledger.any_missed(tx, fixture_id) else ()
            summary = summary_of(known, now, joined=joined)
            if summary is None:
                return
            for news in known:
                if news.key.action_id in summary.lines:
                    told = msgspec.structs.replace(news, summary=summary.key.action_id)
                    spread = msgspec.structs.replace(await ledger.read_spread(tx, news.key), first_done=True)
                    await ledger.change_news(tx, told, spread, now)
                    self._known.forget(news.key)
            await ledger.add_news(tx, summary, Spread(told_done=True), now)
            await self._source.announce(tx, [summary.key])
        log.info("old_news_summarised", fixture=fixture_id, count=len(summary.lines))
        self._take_in([summary])

    @property
    def busy(self) -> bool:
        """Tell whether `take` has more to give."""
        return self._source.busy

    @property
    def room(self) -> int:
        """Fewer tickets than this in memory, and further chats are reached."""
        return self._source.room

    async def take(self) -> list[Ticket]:
        """A page of what waits and was not taken before; reaches further chats."""
        tickets = await self._source.take()
        if revised := self._source.revised():  # each revision, for the chats with a delay
            async with self.db.transaction() as tx:
                await self._refresh(tx, revised)
        self._forget_summaries(tickets)
        return tickets

    async def begin(
        self, tickets: Sequence[Ticket], decide: Callable[[Job], Decided], perhaps: Callable[[Decided], Entry | None]
    ) -> list[tuple[Job, Decided] | None]:
        """All that decides what is sent for each ticket now, and what that is; None where nothing waits any more.

        What chats may have seen as soon as it leaves, as `perhaps` tells, is committed before: neither a kill nor an answer that
        is lost makes anybody forget it.
        """
        if not tickets:
            return []
        async with self.db.transaction() as tx:
            await self._refresh(tx, {ticket.key for ticket in tickets})
            found = await self._with_tastes(tx, await self._source.jobs(tx, tickets))
            jobs = [await self._job(tx, *found[place]) if (place := (t.key, t.ref)) in found else None for t in tickets]
            begun = [(job, decide(job)) if job else None for job in jobs]
            await mark(tx, [entry for one in begun if one and (entry := perhaps(one[1]))])
        return begun

    async def never_left(self, before: Entry) -> None:
        """What was begun surely did not arrive: what is known is what was known before."""
        async with self.db.transaction() as tx:
            await mark(tx, [before])

    async def keep(self, seen: Sequence[Sight]) -> list[Ticket | None]:
        """Commit what chats have seen now; for each a ticket where more is to be sent, a revision after the chat's delay."""
        if not seen:
            return []
        async with self.db.transaction() as tx:
            await self._refresh(tx, {sight.entry.key for sight in seen}, hold=True)
            more = [await self._left(tx, sight.entry) for sight in seen]
            dues = [self._due(sight, news) for sight, news in zip(seen, more, strict=True)]
            written = [_left_at(sight.entry, due) for sight, due in zip(seen, dues, strict=True)]
            there = await write_entries(tx, written)
            held = [ticket for sight in seen for ticket in await self._untold(tx, sight.entry)]
        self._source.hold(held)
        return [
            Ticket(entry.key, entry.ref, news.rank, news.seq, entry.due_at) if news and (entry.key, entry.ref) in there else None
            for entry, news in zip(written, more, strict=True)
        ]

    async def why(self, chat_id: int, message_id: int) -> Account | None:
        """What a message of a chat tells, and how that news stands for it; None where it is no alert, or was forgotten."""
        async with self.db.transaction() as tx:
            entry = await told_by(tx, chat_id, message_id)
            await self._refresh(tx, [entry.key] if entry else ())
            news = await self._known.latest(tx, entry.key) if entry else None
            if entry is None or news is None:
                return None
            chat = await ledger.read_chat(tx, entry.ref)
            now = self._earlier.seen(news, chat.delay if chat else 0, self._clock.now().timestamp())
            return Account(entry, now, await lines_of(tx, news, entry), as_reply=entry.message_id != message_id)

    async def waiting(self) -> int:
        """How many entries wait to be sent."""
        async with self.db.transaction() as tx:
            return await ledger.how_many_wait(tx)

    async def prune(self, keep: dt.timedelta) -> int:
        """Erase what is older than `keep`; how many entries."""
        async with self.db.transaction() as tx:
            gone = await ledger.forget_before(tx, self._clock.now() - keep)
        self._known.clear()
        return gone

    def recover(self) -> None:
        """Look through the whole database at the next `take`: chats were resumed or moved."""
        self._source.recover()
        self.on_put()

    async def _put(self, tx: Transaction, known: News | None, group: Sequence[Alert], now: dt.datetime) -> list[News]:
        revised = revise(known, group)
        if revised is None:
            log.debug("alert_not_new", fixture=group[0].key.fixture_id, action=group[0].key.action_id, seq=group[0].seq)
            return []
        news = revised.news
        late = bool(news.fired) and all(expired(news, alert, now) for alert in news.fired)
        news = msgspec.structs.replace(news, missed=news.missed or late)
        if known is None:
            await ledger.add_news(tx, news, Spread(first_done=late, told_done=True), now)
            return [news]
        before = await ledger.read_spread(tx, news.key)
        done = late or not news.fired or bool(news.summary) or (before.first_done and not revised.anew)
        spread = Spread(None if revised.anew else before.first, done)
        await ledger.change_news(tx, news, spread, now)
        return [news, *await self._renew(tx, news, group, now)]

    async def _renew(self, tx: Transaction, news: News, group: Sequence[Alert], now: dt.datetime) -> list[News]:
        """The summaries that told this news show what became of it."""
        changed = []
        for summary in (*await ledger.summaries_of(tx, news.key), *await bursts_of(tx, news.key)):
            again = renewed(summary, group, now)
            before = await ledger.read_spread(tx, summary.key)
            await ledger.change_news(tx, again, msgspec.structs.replace(before, told=None, told_done=False), now)
            changed.append(again)
        return changed

    def _take_in(self, changed: Sequence[News]) -> None:
        now = self._clock.now().timestamp()
        for news in (msgspec.structs.replace(news, put_at=now) for news in changed):
            if received := news.candidates[0].received:
                _STEP.observe(max(0.0, now - received))
            self._earlier.add(news, now)
            self._known.add(news)
            self._source.add(news)
        if changed:
            self.on_put()

    async def _refresh(self, tx: Transaction, keys: Collection[AlertKey], *, hold: bool = False) -> None:
        """Know what other processes have changed. `hold`: what is written of chats now is not passed by a revision."""
        if self._source.shared:
            for news, changed_at in await self._known.refresh(tx, keys, hold=hold):
                self._earlier.add(news, changed_at)

    async def _job(self, tx: Transaction, entry: Entry, chat: Chat) -> Job | None:
        news = await self._known.latest(tx, entry.key)
        if news is None:
            return None
        if is_burst(entry.key):
            now = self._clock.now().timestamp()
            return await burst_job(tx, entry, news, chat, lambda line: self._earlier.seen(line, chat.delay, now))
        lines = await self._lines(tx, news, entry) if news.lines else ()
        news = self._earlier.seen(news, chat.delay, self._clock.now().timestamp())
        return Job(entry, news, chat, not entry.told and await heard_there(tx, news, entry.ref), lines)

    async def _with_tastes(self, tx: Transaction, found: Found) -> Found:
        """The same, with each chat as it hears its match; one query for each piece of news that chats with tastes wait for."""
        tasted: defaultdict[AlertKey, list[Chat]] = defaultdict(list)
        for (key, _), (_, chat) in found.items():
            if chat.tasted and not is_burst(key):
                tasted[key].append(chat)
        for key, chats in tasted.items():
            news = await self._known.latest(tx, key)
            for chat in await heard(tx, news.candidates[0].fixture, chats) if news else ():
                found[key, chat.ref] = found[key, chat.ref][0], chat
        return found

    async def _left(self, tx: Transaction, entry: Entry) -> News | None:
        """The news of which there is more to send; None where all was."""
        news = await self._known.latest(tx, entry.key)
        waits = entry.told or entry.reason == Reason.UNNAMED
        return news if news and (at_once(entry) or (waits and news.seq > entry.seq)) else None

    def _due(self, sight: Sight, more: News | None) -> float | None:
        """When what follows is sent: a reply or a pin at once, a revision after the chat's delay; None where nothing does."""
        now = self._clock.now().timestamp()
        if more is None or at_once(sight.entry):
            return None if more is None else now
        return self._earlier.due(more, sight.entry.seq, sight.delay, now)

    async def _untold(self, tx: Transaction, entry: Entry) -> list[Ticket]:
        """Note what was too old, and what quiet hours hold, for a summary."""
        if is_burst(entry.key) and entry.reason != Reason.EXPIRED:
            await let_go(tx, entry)
        if entry.told and entry.reason not in (Reason.EXPIRED, Reason.HELD):
            return []
        if entry.reason == Reason.EXPIRED:
            if is_burst(entry.key):
                await give_up(tx, entry)
            else:
                await ledger.mark_missed(tx, entry.key)
            self._known.forget(entry.key)
        chat, now = await ledger.read_chat(tx, entry.ref) if entry.reason == Reason.HELD else None, self._clock.now()
        news, end = await self._known.latest(tx, entry.key), chat.held_until(now) if chat else None
        tickets = await hold(tx, news, {entry.ref: end}, now) if news and end else []
        self._forget_summaries(tickets)
        return tickets

    def _forget_summaries(self, tickets: Sequence[Ticket]) -> None:
        """Quiet hours may have held more: their summaries are read anew."""
        for key in {ticket.key for ticket in tickets if ticket.key.action_id.startswith(f"{QUIET}:")}:
            self._known.forget(key)

    async def _lines(self, tx: Transaction, news: News, entry: Entry) -> tuple[News, ...]:
        keys = [AlertKey(news.key.fixture_id, action) for action in news.lines]
        told = await ledger.read_news(tx, keys)
        seen = [e for key in keys for e in (await ledger.read_entries(tx, key, [entry.ref])).values()]
        return lines_for(entry, [told[key] for key in keys if key in told], seen)


def _left_at(entry: Entry, due: float | None) -> Entry:
    """The entry as it is kept, with when more is due."""
    if due is None:
        return msgspec.structs.replace(entry, status=Status.DONE if entry.told else Status.DROPPED)
    return msgspec.structs.replace(entry, status=Status.WAITING, due_at=due)
