"""A process that follows matches, from the feed to a chat, with everything real but Telegram; it can be killed and restarted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from bot.clock import Clock
from bot.config.models import FeedSettings
from bot.matches.follower import MatchFollower
from bot.matches.pipeline import Pipeline
from bot.matches.snapshots import SnapshotStore
from bot.outbox.delivery import DeliveryResult
from bot.outbox.outbox import Outbox
from bot.replay.replay import RecordingMessenger
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.fixtures import FeedPositionRepository
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import RateLimitPolicy, Unlimited
from bot.telegram.messenger import Messenger
from bot.telegram.plan import MessagePlan
from bot.telegram.sender import Sender
from rules.engine.rule import RuleSet
from rules.football.action import Fixture, Packet
from rules.football.catalogue import load_catalogue
from rules.football.lineups import Lineups
from tests.tasks import cancel_tasks

CHAT = ChatRef(1)


class MatchProcess:
    """Follows fixtures and keeps every delivery as a row of `replay --json`."""

    def __init__(
        self,
        rules: RuleSet,
        settings: FeedSettings,
        clock: Clock,
        url: str = "sqlite://",
        *,
        messenger: Messenger | None = None,
        rate_limiter: RateLimitPolicy | None = None,
        on_delivered: Callable[[MessagePlan, DeliveryResult], None] | None = None,
    ) -> None:
        """Without a messenger messages are only kept, and without a limiter they wait for nothing. `on_delivered` replaces the
        rows and texts.
        """
        self.rules, self.settings, self.clock, self.url = rules, settings, clock, url
        self._messenger, self._rate_limiter = messenger or RecordingMessenger(), rate_limiter or Unlimited()
        self._on_delivered = on_delivered or self._keep
        self.database: Database
        self.outbox: Outbox
        self.rows: list[dict[str, Any]] = []
        self.texts: list[str] = []
        self.fetch_actions: Callable[[str], Awaitable[Sequence[Packet]]] | None = None
        self.fetch_lineups: Callable[[str], Awaitable[Lineups]] | None = None
        self.pipeline: Pipeline
        self.follower: MatchFollower

    @asynccontextmanager
    async def open(self) -> AsyncIterator[MatchProcess]:
        """Open the database and start the sender; leaving is as sudden as a kill."""
        database = self.database = await Database.open(self.url)
        chats = ChatRepository(database)
        await chats.save(Chat(CHAT, filter=AlertFilter(all_kinds=True)))
        await SubscriptionRepository(database).add(CHAT, Subscription(Scope.ALL))
        outbox = self.outbox = Outbox(database, self.clock)
        sender = Sender(outbox.queue, self._messenger, self._rate_limiter, self.clock, self._on_delivered, chats)
        self.pipeline, self.follower = self.make_feed()
        working = [asyncio.create_task(work) for work in (sender.run(), self.follower.silence.run())]
        try:
            yield self
        finally:
            await cancel_tasks(*working)
            await database.close()

    def make_feed(self) -> tuple[Pipeline, MatchFollower]:
        """Make what follows matches; several may share the outbox, as those of several processes do."""
        pipeline = Pipeline(
            self.rules, load_catalogue(), self.outbox, SnapshotStore(FeedPositionRepository(self.database, self.clock))
        )
        follower = MatchFollower(
            pipeline,
            lambda: self.settings,
            self.clock,
            _ignore,
            fetch_actions=self.fetch_actions,
            fetch_lineups=self.fetch_lineups,
        )
        return pipeline, follower

    async def follow(self, fixture: Fixture, seconds: float | None = None) -> bool:
        """Follow a fixture; return True if its match ended by then. What is left then is sent."""
        try:
            async with asyncio.timeout(seconds):
                await self.follower.follow(fixture)
            ended = True
        except TimeoutError:
            ended = False
        await asyncio.sleep(1)
        return ended

    def find_actions_sent_twice(self) -> list[str]:
        """Return the actions that were sent to the chat more than once."""
        sends = Counter(row["action_id"] for row in self.rows if row["op"] == "send")
        return [action for action, times in sends.items() if times > 1]

    def _keep(self, plan: MessagePlan, _: DeliveryResult) -> None:
        alert = plan.alert
        self.texts.append(plan.html)
        row: dict[str, Any] = {"op": plan.operation, "state": plan.alert.state.value, "kind": alert.kind, "rule": alert.rule}
        row |= {"action_id": alert.key.action_id, "home": alert.home_score, "away": alert.away_score, "text": plan.html}
        self.rows.append(row | {"minute": alert.facts.minute or None, "player": alert.facts.player or None})


async def _ignore(_reason: str) -> None:
    return None
