"""What the pages show of a bot at work, as values, and what they may change: rules, and chats."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from prometheus_client import Counter
from sqlalchemy import ColumnElement, and_, case, func, or_, select

from bot.clock import Clock
from bot.config.rule_versions import ActiveRules, RuleOrigin, RuleVersion, RuleVersions
from bot.metrics import BOT_API_REQUESTS, DELIVERIES, RULES_FIRED
from bot.monitoring.incidents import Incident
from bot.monitoring.monitor import Monitor
from bot.outbox.delivery import DeliveryStatus
from bot.outbox.repository import measure_depth, read_fixture_news
from bot.storage.chats import ChatRepository, row_to_chat
from bot.storage.database import Database
from bot.storage.schema import alerts, chats, entries, from_timestamp, subscriptions
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import Chat, ChatRef, Subscription
from rules.engine.alert import ConditionResult
from rules.engine.text import visible_text
from rules.football.match import Match

SAMPLE_INTERVAL = 10.0
"""Seconds between two points of the charts."""

_SAMPLES = 360
"""An hour."""

_PAGE = 100
"""Rows of a list: more are found by the search."""

_CONSOLE_USER = 0
"""The user id of changes that were made here; people in Telegram have ids above it."""


class ConnectionRow(msgspec.Struct, frozen=True):
    """One match that is followed."""

    fixture_id: str
    title: str
    score: str
    minute: str
    state: str
    seconds_since_frame: int | None
    reconnects: int
    lag_ms: int | None


class Sample(msgspec.Struct, frozen=True):
    """One point of the charts. Rates are of the seconds since the point before."""

    at: dt.datetime
    messages_per_second: float
    waiting: int


class Overview(msgspec.Struct, frozen=True):
    """The page "Now"."""

    connections: tuple[ConnectionRow, ...]
    planned: int
    waiting: int
    due: int
    oldest_seconds: float
    allowance: float
    messages_per_second: float
    too_many_requests: int
    incidents: tuple[tuple[str, Incident], ...]
    not_ready: tuple[str, ...]
    samples: tuple[Sample, ...]


class AlertRow(msgspec.Struct, frozen=True):
    """One alert, and what became of it."""

    action_id: str
    at: dt.datetime
    kind: str
    rules: str
    state: str
    text: str
    revisions: int
    told: int
    """Chats that have a message about it."""
    waiting: int
    conditions: tuple[str, ...]
    """What each rule compared, a line each."""


class MatchRow(msgspec.Struct, frozen=True):
    """A match of which there are alerts."""

    fixture_id: str
    title: str
    alerts: int
    last_at: dt.datetime


class ChatRow(msgspec.Struct, frozen=True):
    """A chat in the list."""

    chat: Chat
    suspended_because: str
    follows: int


class DeliveryRow(msgspec.Struct, frozen=True):
    """A message that a chat got lately."""

    at: dt.datetime
    fixture_id: str
    rule: str
    status: str
    reason: str
    text: str


class LiveConsole:
    """Reads a running process for the pages, and changes what they may change."""

    def __init__(
        self,
        clock: Clock,
        database: Database,
        monitor: Monitor,
        rule_versions: RuleVersions,
        repositories: tuple[ChatRepository, SubscriptionRepository],
        find_match: Callable[[str], Match | None],
        allowance: Callable[[], float],
        list_recordings: Callable[[], Sequence[str]],
        send_sample: Callable[[ChatRef, str], Awaitable[None]],
    ) -> None:
        """`find_match` knows the matches that this process follows; `allowance` is how many messages may leave in a second."""
        self._clock, self._database, self._monitor = clock, database, monitor
        self._rule_versions, self._find_match = rule_versions, find_match
        self._chats, self._subscriptions = repositories
        self._allowance, self.list_recordings, self._send_sample = allowance, list_recordings, send_sample
        self._samples: deque[Sample] = deque(maxlen=_SAMPLES)
        self._sent_before = (0.0, 0.0)
        self._sample_tests = 0

    @property
    def config_path(self) -> str:
        """The configuration, against whose catalogue rules are checked."""
        return str(self._rule_versions.config.path)

    async def take_sample(self) -> None:
        """Add a point to the charts; called every SAMPLE_INTERVAL seconds. Raises StorageError."""
        depth = await measure_depth(self._database, self._clock.now())
        before, sent = self._sent_before, sum_totals(DELIVERIES)
        now = self._clock.monotonic()
        rate = (sent - before[1]) / (now - before[0]) if before[0] and now > before[0] else 0.0
        self._sent_before = (now, sent)
        self._samples.append(Sample(self._clock.now(), round(rate, 2), depth.waiting))

    async def read_overview(self) -> Overview:
        """Return what happens now. Raises StorageError."""
        now = self._clock.now()
        depth = await measure_depth(self._database, now)
        health = self._monitor.health()
        statuses = health.feed.connections if health.feed else ()
        rows = []
        for status in statuses:
            match = self._find_match(status.fixture_id)
            age = (now - status.last_frame_at).total_seconds() if status.last_frame_at else None
            titles = health.feed.titles if health.feed else {}
            title = (match.fixture.title if match else "") or titles.get(status.fixture_id, "") or status.fixture_id
            rows.append(
                ConnectionRow(
                    status.fixture_id,
                    title,
                    str(match.score) if match else "",
                    describe_minute(match),
                    status.state.value,
                    None if age is None else round(age),
                    status.reconnects,
                    None if status.lag_median is None else round(status.lag_median * 1000),
                )
            )
        return Overview(
            tuple(rows),
            health.feed.planned_connections if health.feed else 0,
            depth.waiting,
            depth.due,
            depth.oldest_seconds,
            self._allowance(),
            self._samples[-1].messages_per_second if self._samples else 0.0,
            int(sum_totals(BOT_API_REQUESTS, answer="429")),
            self._monitor.open_incidents(),
            self._monitor.reasons_not_ready(),
            tuple(self._samples),
        )

    async def list_matches(self) -> tuple[MatchRow, ...]:
        """Return the matches with alerts, the latest first. Raises StorageError."""
        last = func.max(alerts.c.updated_at).label("last")
        query = select(alerts.c.fixture_id, func.count().label("n"), last).group_by(alerts.c.fixture_id)
        async with self._database.transaction() as tx:
            rows = await tx.fetch(query.order_by(last.desc()).limit(_PAGE))
            found = []
            for row in rows:
                news = await read_fixture_news(tx, row["fixture_id"])
                title = next((item.alternatives[0].fixture.title for item in news), row["fixture_id"])
                found.append(MatchRow(row["fixture_id"], title, row["n"], from_timestamp(row["last"])))
        return tuple(found)

    async def list_alerts(self, fixture_id: str) -> tuple[AlertRow, ...]:
        """Return the alerts of a match in order, with how many chats have each. Raises StorageError."""
        told = func.sum(case((entries.c.message_id.is_not(None), 1), else_=0)).label("told")
        waiting = func.sum(case((entries.c.status == DeliveryStatus.WAITING.value, 1), else_=0)).label("waiting")
        # What was taken back has no text of its own any more: then as it stood in a chat.
        counts = select(entries.c.action_id, told, waiting, func.max(entries.c.body).label("body")).where(
            entries.c.fixture_id == fixture_id
        )
        async with self._database.transaction() as tx:
            news = await read_fixture_news(tx, fixture_id)
            found = {row["action_id"]: row for row in await tx.fetch(counts.group_by(entries.c.action_id))}
        rows = []
        for item in sorted(news, key=lambda one: one.stored_at):
            alert = item.alternatives[0]
            count = found.get(item.key.action_id)
            rows.append(
                AlertRow(
                    item.key.action_id,
                    from_timestamp(item.stored_at),
                    alert.kind,
                    ", ".join(sorted({one.rule for one in item.alternatives})),
                    item.state.value,
                    " ".join(visible_text(alert.text or (count["body"] if count else "")).split()),
                    item.seq,
                    int(count["told"] or 0) if count else 0,
                    int(count["waiting"] or 0) if count else 0,
                    tuple(f"{rule}: {', '.join(map(_format_condition, results))}" for rule, results in item.conditions.items()),
                )
            )
        return tuple(rows)

    async def find_chats(self, words: str) -> tuple[ChatRow, ...]:
        """Return the chats whose title, id or subscriptions have these words. Raises StorageError."""
        query = select(chats).order_by(chats.c.title, chats.c.chat_id, chats.c.topic).limit(_PAGE)
        if words.strip():
            pattern = f"%{words.strip().replace('%', '').replace('_', '')}%"
            following = select(subscriptions.c.chat_id).where(subscriptions.c.name.ilike(pattern))
            conditions: list[ColumnElement[bool]] = [chats.c.title.ilike(pattern), chats.c.chat_id.in_(following)]
            if words.strip().lstrip("-").isdecimal() and len(words.strip()) < 19:
                conditions.append(chats.c.chat_id == int(words))
            query = query.where(or_(*conditions))
        counts = select(subscriptions.c.chat_id, subscriptions.c.topic, func.count().label("n"))
        async with self._database.transaction() as tx:
            rows = await tx.fetch(query)
            ids = [row["chat_id"] for row in rows]
            grouped = counts.where(subscriptions.c.chat_id.in_(ids)).group_by(subscriptions.c.chat_id, subscriptions.c.topic)
            follows = {(row["chat_id"], row["topic"]): row["n"] for row in await tx.fetch(grouped)}
        return tuple(
            ChatRow(chat, row["suspended_why"], follows.get((chat.ref.chat_id, chat.ref.topic), 0))
            for row in rows
            for chat in [row_to_chat(row)]
        )

    async def read_subscriptions(self, ref: ChatRef) -> tuple[Subscription, ...]:
        """Return what a chat follows. Raises StorageError."""
        return await self._subscriptions.get_all(ref)

    async def read_deliveries(self, ref: ChatRef, limit: int = 20) -> tuple[DeliveryRow, ...]:
        """Return what a chat was told lately, the latest first. Raises StorageError."""
        here = and_(entries.c.chat_id == ref.chat_id, entries.c.topic == ref.topic)
        async with self._database.transaction() as tx:
            rows = await tx.fetch(select(entries).where(here).order_by(entries.c.due_at.desc()).limit(limit))
        return tuple(
            DeliveryRow(
                from_timestamp(row["due_at"]),
                row["fixture_id"],
                row["rule"],
                row["status"],
                row["reason"],
                " ".join(visible_text(row["body"]).split()),
            )
            for row in rows
        )

    async def resume_chat(self, chat_id: int) -> None:
        """Let a suspended chat be written to again. Raises StorageError."""
        await self._chats.resume(chat_id)

    async def erase_chat(self, ref: ChatRef) -> None:
        """Forget a chat with all that it follows. Raises StorageError."""
        await self._chats.erase(ref)

    async def send_test(self, ref: ChatRef) -> None:
        """Send a chat a sample alert, as `/test` does. Raises StorageError."""
        self._sample_tests += 1
        await self._send_sample(ref, f"console-{self._clock.now().timestamp():.0f}-{self._sample_tests}")

    @property
    def active_rules(self) -> ActiveRules:
        """The rules in effect."""
        return self._rule_versions.active

    def active_text(self) -> str:
        """Return the YAML of the rules in effect; empty for those of the files."""
        version = self._rule_versions.active.version
        return version.text if version else ""

    def count_fired(self) -> dict[str, int]:
        """Return how often each rule has fired since this process started."""
        return {
            sample.labels["rule"]: int(sample.value)
            for metric in RULES_FIRED.collect()
            for sample in metric.samples
            if sample.name.endswith("_total")
        }

    async def list_versions(self) -> tuple[RuleVersion, ...]:
        """Return the versions of the rules, the one in effect first. Raises StorageError."""
        return await self._rule_versions.repository.recent(20)

    async def apply_rules(self, text: str, fingerprint: str) -> None:
        """Put rules into effect: the same record as `/rules` in Telegram. Raises RulesOutdated, RulesInvalid or StorageError."""
        await self._rule_versions.apply(text, "rules.yaml", RuleOrigin.SENT, fingerprint, (_CONSOLE_USER, "console"))

    async def roll_back(self) -> str:
        """Put the rules before the last change into effect again; return their name. Raises as `apply_rules`."""
        active = self._rule_versions.active
        previous = await self._rule_versions.find_previous(active.version.id if active.version else 0)
        await self._rule_versions.apply(
            previous.text, previous.name, RuleOrigin.ROLLED_BACK, active.fingerprint, (_CONSOLE_USER, "console")
        )
        return previous.name


def describe_minute(match: Match | None) -> str:
    """Return `63'`, or the period where there is no minute."""
    if match is None:
        return ""
    if match.ended_by:
        return "FT"
    return f"{match.minute}'" if match.minute else match.period.value


def sum_totals(counter: Counter, **labels: str) -> float:
    """Return the sum of a counter over its labels, or over those that have these values."""
    samples = (sample for metric in counter.collect() for sample in metric.samples if sample.name.endswith("_total"))
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def _format_condition(result: ConditionResult) -> str:
    return f"{result.key} {result.expected} (was {result.actual})" if result.actual else f"{result.key} {result.expected}"
