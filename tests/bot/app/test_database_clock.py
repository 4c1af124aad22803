"""Processes whose machines' clocks are apart work by the clock of their database."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import aiohttp
import pytest

from bot.app.services import Services
from bot.clock import CorrectedClock, SystemClock
from bot.config.load import load_config
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.http import ApiHealth
from bot.telegram.limits.rate_limits import RateLimiter
from bot.telegram.messenger import build_bot
from tests.bot.news import alert


class WrongClock(SystemClock):
    """A machine's clock that is so many seconds ahead."""

    def __init__(self, ahead: float) -> None:
        self._ahead = dt.timedelta(seconds=ahead)

    def now(self) -> dt.datetime:
        return super().now() + self._ahead


@pytest.mark.parametrize("ahead", [400.0, -400.0])
async def test_a_sender_whose_clock_is_apart_delays_nobodys_news(tmp_path: Path, postgres_url: str, ahead: float) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("rules: [{name: goals, match: {action_type: Goal}, alert: {kind: goal, text: Goal}}]\n")
    config, ref = load_config(path, {}), ChatRef(5)
    async with aiohttp.ClientSession() as http:
        feed, sender = [
            Services(
                config,
                CorrectedClock(machine, lambda: None),
                await Database.open(postgres_url),
                name,
                build_bot("1:test", "http://127.0.0.1:1"),
                RateLimiter(30),
                http,
                ApiHealth(machine),
            )
            for name, machine in (("feed", WrongClock(30.0)), ("sender", WrongClock(ahead)))
        ]
        for services in (feed, sender):
            await services.read_database_clock()
        await ChatRepository(feed.database).save(Chat(ref, filter=AlertFilter(all_kinds=True)))
        await SubscriptionRepository(feed.database).add(ref, Subscription(Scope.ALL))
        await feed.outbox.put([alert(at=feed.clock.now())])
        assert sender.lease_manager is not None
        await sender.lease_manager._renew(0.0)
        sender.outbox.queue.rescan()
        # A scan of what is due, the news that is to be spread, and a scan of what that has made due.
        items = [item for _ in range(3) for item in await sender.outbox.queue.take()]
        apart = abs((feed.clock.now() - sender.clock.now()).total_seconds())
        due_in = items[0].due_at - sender.clock.now().timestamp()
        if sender.lease_manager._expiry_timer:
            sender.lease_manager._expiry_timer.cancel()
        for services in (feed, sender):
            await services.database.close()

    # A minute: no time of the machine's, and far less than their clocks are apart.
    assert apart < 60 and abs(due_in) < 60 and len(items) == 1
