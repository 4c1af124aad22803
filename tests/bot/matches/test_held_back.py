"""Which chats are told, once, that a match is not followed for now."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest
from msgspec.structs import replace

from bot.matches import held_back
from bot.matches.held_back import HeldBackNotices, held_back_text
from bot.outbox.outbox import Outbox
from bot.sharing import share_event_loop
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.sender import Sender
from tests.chats import make_chat
from tests.fakes.feed import LoopClock
from tests.fakes.messenger import FakeMessenger
from tests.packets import FIXTURE
from tests.rows import open_database
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time

BY_MATCH, BY_TEAM, BY_COMPETITION, EVERYTHING, SCORERS_ONLY = range(1, 6)


class World:
    """Chats, notices and a sender; `restart` makes the latter two anew."""

    def __init__(self, db: Database) -> None:
        self.db, self.clock, self.telegram = db, LoopClock(), FakeMessenger()
        self.chats, self.subscriptions = ChatRepository(db), SubscriptionRepository(db)
        self.restart()

    def restart(self) -> None:
        self.outbox = Outbox(self.db, self.clock)
        self.notices = HeldBackNotices(self.outbox, self.subscriptions, self.clock)
        self.sender = Sender(self.outbox.queue, self.telegram, Unlimited(), self.clock)

    async def follow(self, chat: int, subscription: Subscription, **settings: object) -> None:
        await self.chats.save(make_chat(ChatRef(chat), **settings))
        await self.subscriptions.add(ChatRef(chat), subscription)

    async def report(self) -> None:
        """Let the match be held back."""
        tasks = [asyncio.create_task(self.notices.run()), asyncio.create_task(self.sender.run())]
        self.notices.request([FIXTURE])
        await asyncio.sleep(5.0)
        await cancel_tasks(*tasks)

    def texts(self, chat: int) -> list[str]:
        return [shown.html for shown in self.telegram.chats[chat]]


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    async with open_database("sqlite://") as db:
        yield World(db)


async def test_who_chose_the_match_or_a_team_of_it_is_told_once_silently_and_in_its_language_also_after_a_restart() -> None:
    async with open_world() as world:
        await world.follow(BY_MATCH, Subscription(Scope.MATCH, FIXTURE.id), language="de")
        await world.follow(BY_TEAM, Subscription(Scope.TEAM, FIXTURE.home.id))
        await world.subscriptions.add(ChatRef(BY_TEAM), Subscription(Scope.MATCH, FIXTURE.id))
        await world.follow(BY_COMPETITION, Subscription(Scope.COMPETITION, FIXTURE.competition.id))
        await world.follow(EVERYTHING, Subscription(Scope.ALL))
        await world.follow(SCORERS_ONLY, Subscription(Scope.MATCH, FIXTURE.id), scorers_only=True)
        await world.report()
        await world.report()
        world.restart()
        await world.report()

    german, english = world.texts(BY_MATCH), world.texts(BY_TEAM)
    assert [text.split("<b>")[0] for text in german] == ["⏳ Noch keine Meldungen zu "]
    assert english == [held_back_text(FIXTURE)]
    assert not any(shown.silent is False for chat in (BY_MATCH, BY_TEAM) for shown in world.telegram.chats[chat])
    assert (world.texts(BY_COMPETITION), world.texts(EVERYTHING)) == ([], [])
    assert len(world.texts(SCORERS_ONLY)) == 1


async def test_who_was_told_in_the_answer_to_its_command_is_not_told_again_and_another_match_is_told() -> None:
    async with open_world() as world:
        await world.follow(BY_MATCH, Subscription(Scope.MATCH, FIXTURE.id))
        await world.notices.mark_as_known(ChatRef(BY_MATCH), FIXTURE)
        await world.report()
        world.restart()
        await world.report()
        known = world.texts(BY_MATCH)
        other = replace(FIXTURE, id="f2")
        await world.subscriptions.add(ChatRef(BY_MATCH), Subscription(Scope.MATCH, "f2"))
        world.notices.request([other])
        await world.report()

    assert known == []
    assert len(world.texts(BY_MATCH)) == 1


async def test_a_chat_that_is_gone_is_left_alone() -> None:
    async with open_world() as world:
        await world.follow(BY_MATCH, Subscription(Scope.MATCH, FIXTURE.id))
        await world.chats.suspend(BY_MATCH, "blocked")
        await world.report()

    assert world.texts(BY_MATCH) == []


@pytest.mark.slow
async def test_other_work_has_its_turn_while_many_chats_are_notified(monkeypatch: pytest.MonkeyPatch) -> None:
    # After each chat instead of after two milliseconds, in which a fast machine may reach them all.
    monkeypatch.setattr(held_back, "share_event_loop", partial(share_event_loop, turn=0.0))
    async with open_world() as world:
        for chat in range(1, 101):
            await world.follow(chat, Subscription(Scope.MATCH, FIXTURE.id))
        world.notices.request([FIXTURE])
        notifying = asyncio.create_task(world.notices.run())
        seen = {0}
        while max(seen) < 100:
            assert not notifying.done()
            await asyncio.sleep(0)
            seen.add(await world.outbox.count_waiting())
        await cancel_tasks(notifying)

    assert seen - {0, 100}, "all chats were notified without a break"
