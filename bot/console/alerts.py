"""Reads alerts for the pages: those of a match, and a search through all of them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import Counter
from collections.abc import Collection, Sequence

import msgspec
from sqlalchemy import ColumnElement, and_, case, func, or_, select

from bot.console.chats import PAGE_SIZE, describe_delivery, read_chat_id
from bot.console.traces import RevisionTrace, TraceSums
from bot.outbox.delivery import DeliveryStatus, parse_history
from bot.outbox.news import NewsItem
from bot.outbox.news_store import read_fixture_news, read_news
from bot.outbox.statements import row_to_delivery, row_to_news
from bot.replay.comparison import to_plain_line
from bot.storage.damage import read_rows
from bot.storage.database import Database
from bot.storage.driver import Transaction
from bot.storage.frames import FrameRepository
from bot.storage.schema import alerts, chats, entries, from_timestamp, to_timestamp
from bot.subscribers import ChatRef
from rules.engine.alert import AlertKey, ConditionResult
from rules.engine.text import visible_text
from rules.football.names import normalise

MAX_COUNTED_CHATS = 500
"""Chats of an alert that a list counts. SQLite is asked in the event loop, and a list has many alerts."""

_SHARED_FOR = 4.0
"""Seconds for which all open pages of a match share one reading of it."""

_TRACE_PAGE = 1000
"""Deliveries of an alert that are read at once for its trace; other work is done between two pages."""

_SEARCH_PAGE, _MAX_SEARCHED = 200, 5000
"""Alerts that are read at once, and in one search."""


_FIRST_FIRED_DECODER = msgspec.json.Decoder(dict[str, float])


class MatchRow(msgspec.Struct, frozen=True):
    """A match of which there are alerts."""

    fixture_id: str
    title: str
    alerts: int
    last_at: dt.datetime


class AlertRow(msgspec.Struct, frozen=True):
    """One alert, and what became of it."""

    key: AlertKey
    match: str
    at: dt.datetime
    """When its latest revision was stored."""
    kind: str
    rules: tuple[str, ...]
    state: str
    text: str
    reached: int
    """Chats that have a message about it; MAX_COUNTED_CHATS stands for that many or more."""
    waiting: int
    conditions: tuple[str, ...]
    """What each rule compared, a line each."""
    in_chat: str = ""
    """What became of it in the chat that was searched for; empty where none was."""


class AlertQuery(msgspec.Struct, frozen=True):
    """What is searched for. What is empty excludes nothing."""

    words: str = ""
    """Words of the teams, the competition, the player or the text."""
    rule: str = ""
    chat: str = ""
    """The id of a chat, or words of its title."""
    since: dt.datetime | None = None
    until: dt.datetime | None = None


class SearchResult(msgspec.Struct, frozen=True):
    """What was found, the latest first. `is_complete` is False if there may be more."""

    rows: tuple[AlertRow, ...]
    is_complete: bool


class AlertReader:
    """Reads alerts for the pages. Every method raises StorageError."""

    def __init__(self, database: Database) -> None:
        self._database, self._frames = database, FrameRepository(database)
        self._readings: dict[str, tuple[float, asyncio.Future[tuple[AlertRow, ...]]]] = {}
        """By fixture, when the latest reading of its alerts began, and its result."""

    async def list_matches(self) -> tuple[MatchRow, ...]:
        """Return the matches with alerts, the latest first."""
        last, some = func.max(alerts.c.updated_at).label("last"), func.min(alerts.c.action_id).label("some")
        query = select(alerts.c.fixture_id, func.count().label("n"), last, some).group_by(alerts.c.fixture_id)
        async with self._database.transaction() as tx:
            rows = await tx.fetch(query.order_by(last.desc()).limit(PAGE_SIZE))
            # One alert of each tells the title: a match may have a hundred of them, in six languages.
            news = await read_news(tx, {AlertKey(row["fixture_id"], row["some"]) for row in rows})
        titles = {key.fixture_id: find_title(item) for key, item in news.items()}
        return tuple(
            MatchRow(row["fixture_id"], titles.get(row["fixture_id"], row["fixture_id"]), row["n"], from_timestamp(row["last"]))
            for row in rows
        )

    async def read_title(self, fixture_id: str) -> str:
        """Return the title of a match of which there are alerts; its id for any other."""
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(alerts).where(alerts.c.fixture_id == fixture_id).limit(1))
        return find_title(row_to_news(rows[0])) if rows else fixture_id

    async def list_alerts(self, fixture_id: str) -> tuple[AlertRow, ...]:
        """Return the alerts of a match in order, with how many chats have each. All pages of a match share one reading."""
        now = asyncio.get_running_loop().time()
        at, reading = self._readings.get(fixture_id, (0.0, None))
        if reading is None or (reading.done() and now - at >= _SHARED_FOR):
            # Matches whose pages are closed are forgotten with the next reading of any other.
            self._readings = {key: one for key, one in self._readings.items() if now - one[0] < _SHARED_FOR or not one[1].done()}
            reading = asyncio.ensure_future(self._list_alerts(fixture_id))
            self._readings[fixture_id] = (now, reading)
        # Shielded: a page that is closed while it waits does not take the reading away from the others.
        return await asyncio.shield(reading)

    async def _list_alerts(self, fixture_id: str) -> tuple[AlertRow, ...]:
        async with self._database.transaction() as tx:
            news = await read_fixture_news(tx, fixture_id)
        return await self._make_rows(sorted(news, key=lambda one: one.stored_at))

    async def _make_rows(self, news: Sequence[NewsItem], chat_ids: Collection[int] = ()) -> tuple[AlertRow, ...]:
        rows = []
        for item in news:
            async with self._database.transaction() as tx:
                rows.append(await _make_row(tx, item, chat_ids))
            # Counting chats takes a millisecond or two on SQLite, in the event loop: alerts go between.
            await asyncio.sleep(0)
        return tuple(rows)

    async def read_trace(self, key: AlertKey) -> tuple[RevisionTrace, ...]:
        """Return each revision of an alert with the times of its way, the first one first."""
        # From below the smallest id that the column can hold; then from the last chat of the page before.
        sums, last = TraceSums(), ChatRef(-(2**63))
        while True:
            after = or_(entries.c.chat_id > last.chat_id, and_(entries.c.chat_id == last.chat_id, entries.c.topic > last.topic))
            query = select(entries.c.chat_id, entries.c.topic, entries.c.history).where(
                _is_of(key), entries.c.message_id.is_not(None)
            )
            async with self._database.transaction() as tx:
                rows = await tx.fetch(query.where(after).order_by(entries.c.chat_id, entries.c.topic).limit(_TRACE_PAGE))
            for row in rows:
                sums.add(parse_history(row["history"]))
            if len(rows) < _TRACE_PAGE:
                break
            last = ChatRef(rows[-1]["chat_id"], rows[-1]["topic"])
            # An alert may have gone to a hundred thousand chats: others get their turn.
            await asyncio.sleep(0)
        return sums.make_traces(await self._frames.get_all(key))

    async def find_alerts(self, query: AlertQuery) -> SearchResult:
        """Return the alerts that a query finds, the latest first."""
        found: list[NewsItem] = []
        is_complete = False
        places = await self._find_chats(query.chat) if query.chat.strip() else None
        rule = query.rule.strip()
        statement = select(alerts)
        if query.since:
            statement = statement.where(alerts.c.updated_at >= to_timestamp(query.since))
        if query.until:
            statement = statement.where(alerts.c.updated_at <= to_timestamp(query.until))
        if rule:
            # JSON by rule: the part in quotes is compared here, and the whole name below.
            statement = statement.where(alerts.c.born.contains(msgspec.json.encode(rule).decode()[1:-1], autoescape=True))
        if places is not None:
            here = and_(entries.c.fixture_id == alerts.c.fixture_id, entries.c.action_id == alerts.c.action_id)
            statement = statement.where(select(entries.c.chat_id).where(here, entries.c.chat_id.in_(places)).exists())
        # By the key too, so that the order is the same for each page: of equal times none is read twice or left out.
        statement = statement.order_by(alerts.c.updated_at.desc(), alerts.c.fixture_id, alerts.c.action_id).limit(_SEARCH_PAGE)
        # The database narrows down by time, rule and chat. The words are within JSON and are compared without accents, so they
        # are looked for here, page by page, until there are enough.
        for start in range(0, _MAX_SEARCHED, _SEARCH_PAGE):
            async with self._database.transaction() as tx:
                rows = await tx.fetch(statement.offset(start))
            for item in map(row_to_news, rows):
                if not item.is_live_message and (not rule or rule in item.first_fired_at) and has_words(item, query.words):
                    found.append(item)
            is_complete = len(rows) < _SEARCH_PAGE
            if is_complete or len(found) > PAGE_SIZE:
                break
            await asyncio.sleep(0)
        made = await self._make_rows(found[:PAGE_SIZE], places or ())
        return SearchResult(made, is_complete and len(found) <= PAGE_SIZE)

    async def count_fired(self, since: dt.datetime) -> Counter[str]:
        """Return how many alerts each rule has fired since then, in all processes."""
        # Digests have lines and no rule. What first fired since then was stored since then, so older rows need not be read.
        query = select(*alerts.primary_key, alerts.c.born).where(alerts.c.updated_at >= to_timestamp(since), alerts.c.lines == "")
        async with self._database.transaction() as tx:
            found = read_rows(tx, alerts, await tx.fetch(query), lambda row: _FIRST_FIRED_DECODER.decode(row["born"]))
        counts: Counter[str] = Counter()
        for fired in found:
            counts.update(rule for rule, at in fired.items() if at >= to_timestamp(since))
        return counts

    async def _find_chats(self, words: str) -> list[int]:
        if (chat_id := read_chat_id(words)) is not None:
            return [chat_id]
        query = select(chats.c.chat_id).where(chats.c.title.icontains(words.strip(), autoescape=True)).distinct().limit(PAGE_SIZE)
        async with self._database.transaction() as tx:
            return [row["chat_id"] for row in await tx.fetch(query)]


def read_query(words: str = "", rule: str = "", chat: str = "", since: str = "", until: str = "") -> AlertQuery:
    """Read the fields of the search. Times are such as `2026-08-15T14:30`, in UTC; one that is half typed excludes nothing."""
    return AlertQuery(words, rule, chat, _read_time(since), _read_time(until))


def _read_time(text: str) -> dt.datetime | None:
    try:
        at = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    # The field of the page has no time zone, and its label says UTC.
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)


def find_title(news: NewsItem) -> str:
    """Return `Arsenal v Chelsea`, or the fixture's id before the teams are known."""
    return news.alternatives[0].fixture.title or news.key.fixture_id


def has_words(news: NewsItem, words: str) -> bool:
    """Return True if each of the words is in the teams, the competition, the player or the text; accents do not matter."""
    if not (wanted := normalise(words).split()):
        return True
    alert = news.alternatives[0]
    fixture = alert.fixture
    parts = (fixture.home.name, fixture.away.name, fixture.competition.name, alert.facts.player, visible_text(alert.text))
    text = normalise(" ".join(parts))
    return all(word in text for word in wanted)


def _is_of(key: AlertKey) -> ColumnElement[bool]:
    return and_(entries.c.fixture_id == key.fixture_id, entries.c.action_id == key.action_id)


async def _make_row(tx: Transaction, news: NewsItem, chat_ids: Collection[int] = ()) -> AlertRow:
    """Return news as a row. `chat_ids` are the chats that were searched for: the row says what became of it there."""
    alert = news.alternatives[0]
    # The limit inside: a count over all would read a hundred thousand deliveries to show "500 or more".
    some = select(entries.c.message_id, entries.c.status).where(_is_of(news.key)).limit(MAX_COUNTED_CHATS).subquery()
    reached = func.sum(case((some.c.message_id.is_not(None), 1), else_=0)).label("reached")
    waiting = func.sum(case((some.c.status == DeliveryStatus.WAITING.value, 1), else_=0)).label("waiting")
    (count,) = await tx.fetch(select(reached, waiting))
    text = alert.text
    if not text:
        # What was taken back has no text of its own any more, so it is shown as it stood in a chat.
        bodies = await tx.fetch(select(entries.c.body).where(_is_of(news.key), entries.c.body != "").limit(1))
        text = bodies[0]["body"] if bodies else ""
    in_chat = ""
    if chat_ids:
        here = (
            select(entries).where(_is_of(news.key), entries.c.chat_id.in_(chat_ids)).order_by(entries.c.chat_id, entries.c.topic)
        )
        in_chat = next((describe_delivery(row_to_delivery(row)) for row in await tx.fetch(here.limit(1))), "")
    return AlertRow(
        news.key,
        find_title(news),
        from_timestamp(news.stored_at),
        alert.kind,
        tuple(sorted({one.rule for one in news.alternatives if one.rule} or news.first_fired_at)),
        news.state.value,
        to_plain_line(text),
        int(count["reached"] or 0),
        int(count["waiting"] or 0),
        tuple(f"{rule}: {', '.join(map(_format_condition, results))}" for rule, results in news.conditions.items()),
        in_chat,
    )


def _format_condition(result: ConditionResult) -> str:
    return f"{result.key} {result.expected} (was {result.actual})" if result.actual else f"{result.key} {result.expected}"
