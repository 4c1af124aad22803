"""The only buffer and the only durable place: alerts go in, tickets for single messages come out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import groupby

import msgspec
import structlog

from bot.clock import Clock
from bot.outbox import ledger
from bot.outbox.decide import expired
from bot.outbox.entry import Entry, Job, News, Reason, Status, Ticket
from bot.outbox.ledger import Spread
from bot.outbox.revise import revise
from bot.outbox.spread import Spreader
from bot.outbox.summary import lines_for, renewed, summary_of
from bot.store.engine import Database, Transaction
from bot.store.model import ChatRef
from rules.alert import Alert, AlertKey

log = structlog.get_logger()

_KNOWN = 512


def _nobody() -> None:
    """Nobody waits for alerts."""


class Outbox:
    """Keeps what is to be told and what was. `on_put` is called when there may be something to take."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self.db, self._clock = db, clock
        self._news: dict[AlertKey, News] = {}
        self._spreader = Spreader(clock)
        self._recovered = False
        self.on_put: Callable[[], None] = _nobody

    async def put(self, alerts: Sequence[Alert]) -> None:
        """Commit alerts; those of one key are alternatives. Revisions that are not new are left out."""
        now = self._clock.now()
        async with self.db.transaction() as tx:
            known = await ledger.read_news(tx, {alert.key for alert in alerts})
            groups = [list(group) for _, group in groupby(alerts, key=lambda alert: alert.key)]
            changed = [news for group in groups for news in await self._put(tx, known.get(group[0].key), group, now)]
        self._take_in(changed)

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
            known = await ledger.of_fixture(tx, fixture_id) if await ledger.any_missed(tx, fixture_id) else ()
            summary = summary_of(known, now, joined=joined)
            if summary is None:
                return
            for news in known:
                if news.key.action_id in summary.lines:
                    told = msgspec.structs.replace(news, summary=summary.key.action_id)
                    spread = msgspec.structs.replace(await ledger.read_spread(tx, news.key), first_done=True)
                    await ledger.change_news(tx, told, spread, now)
                    self._news.pop(news.key, None)
            await ledger.add_news(tx, summary, Spread(told_done=True), now)
        log.info("old_news_summarised", fixture=fixture_id, count=len(summary.lines))
        self._take_in([summary])

    @property
    def busy(self) -> bool:
        """Tell whether `take` has more to give: the database was not looked through yet, or some news has chats left to reach."""
        return not self._recovered or self._spreader.busy

    async def take(self) -> list[Ticket]:
        """A page of what waits and was not taken before; reaches further chats."""
        if not self._recovered:
            return await self._recover()
        if not self._spreader.busy:
            return []
        async with self.db.transaction() as tx:
            return await self._spreader.page(tx)

    async def job(self, ticket: Ticket) -> Job | None:
        """All that decides what is sent for a ticket now; None where nothing waits any more."""
        async with self.db.transaction() as tx:
            found = await ledger.read_job(tx, ticket.key, ticket.ref)
            news = await self._latest(tx, ticket.key) if found else None
            if found is None or news is None:
                return None
            entry, chat = found
            lines = await self._lines(tx, news, entry) if news.lines else ()
            return Job(entry, news, chat, await self._superseded(tx, news, entry), lines)

    async def keep(self, entry: Entry, delay: int = 0) -> Ticket | None:
        """Commit what a chat has seen now; a ticket where more is to be sent to it, a revision after the chat's delay."""
        async with self.db.transaction() as tx:
            news = await self._latest(tx, entry.key)
            more = entry.reply is not None or (entry.told and news is not None and news.seq > entry.seq)
            status = Status.WAITING if more else Status.DROPPED if not entry.told else Status.DONE
            kept = await ledger.write_entry(tx, msgspec.structs.replace(entry, status=status))
            if not entry.told and entry.reason == Reason.EXPIRED:
                await ledger.mark_missed(tx, entry.key)
                self._news.pop(entry.key, None)
        if not (more and kept and news):
            return None
        due = self._clock.now().timestamp() + (delay if entry.reply is None else 0)
        return Ticket(entry.key, entry.ref, news.rank, news.seq, due)

    async def waiting(self) -> int:
        """How many entries wait to be sent."""
        async with self.db.transaction() as tx:
            return await ledger.how_many_wait(tx)

    async def prune(self, keep: dt.timedelta) -> int:
        """Erase what is older than `keep`; how many entries."""
        async with self.db.transaction() as tx:
            gone = await ledger.forget_before(tx, self._clock.now() - keep)
        self._news.clear()
        return gone

    def recover(self) -> None:
        """Look through the whole database at the next `take`: chats were resumed or moved."""
        self._recovered = False
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
        """The summary that told this news shows what became of it."""
        key = AlertKey(news.key.fixture_id, news.summary)
        summaries = await ledger.read_news(tx, [key]) if news.summary else {}
        for summary in summaries.values():
            again = renewed(summary, group, now)
            await ledger.change_news(
                tx, again, msgspec.structs.replace(await ledger.read_spread(tx, key), told=None, told_done=False), now
            )
            return [again]
        return []

    def _take_in(self, changed: Sequence[News]) -> None:
        for news in changed:
            self._remember(news)
            self._spreader.add(news)
        if changed:
            self.on_put()

    def _remember(self, news: News) -> None:
        self._news.pop(news.key, None)
        self._news[news.key] = news
        if len(self._news) > _KNOWN:
            del self._news[next(iter(self._news))]

    async def _latest(self, tx: Transaction, key: AlertKey) -> News | None:
        if key not in self._news:
            for news in (await ledger.read_news(tx, [key])).values():
                self._remember(news)
        return self._news.get(key)

    async def _recover(self) -> list[Ticket]:
        self._recovered = True
        async with self.db.transaction() as tx:
            for news in await ledger.spreading(tx):
                self._spreader.add(news)
            rows = await ledger.waiting(tx)
        return [
            Ticket(AlertKey(r["fixture_id"], r["action_id"]), ChatRef(r["chat_id"], r["topic"]), r["rank"], r["seq"], r["due_at"])
            for r in rows
        ]

    async def _superseded(self, tx: Transaction, news: News, entry: Entry) -> bool:
        other = next((a.takes_back for a in news.fired if a.takes_back), "")
        if entry.told or not other:
            return False
        seen = await ledger.read_entries(tx, AlertKey(news.key.fixture_id, other), [entry.ref])
        return any(e.told for e in seen.values())

    async def _lines(self, tx: Transaction, news: News, entry: Entry) -> tuple[News, ...]:
        keys = [AlertKey(news.key.fixture_id, action) for action in news.lines]
        told = await ledger.read_news(tx, keys)
        seen = [e for key in keys for e in (await ledger.read_entries(tx, key, [entry.ref])).values()]
        return lines_for(entry, [told[key] for key in keys if key in told], seen)
