"""Mutes of single matches: each ends by itself once its match is over, and not before."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.clock import ManualClock
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.fixtures import FixtureStatusRepository
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import Chat, ChatRef, MatchMute, Scope, Subscription
from tests.bot.news import NOW
from tests.packets import FIXTURE

REF = ChatRef(5)
OVER = frozenset({"completed"})


async def test_the_mute_of_a_match_is_let_go_an_hour_after_its_end_and_other_mutes_stay(db: Database) -> None:
    clock = ManualClock(NOW)
    chats, standings = ChatRepository(db), FixtureStatusRepository(db, clock)
    await chats.save(Chat(REF, muted_matches=frozenset({"over", "live", "unknown"})))
    await chats.save(Chat(ChatRef(6)))
    await standings.save([replace(FIXTURE, id="over", status="Completed"), replace(FIXTURE, id="live", status="Live")])

    early = await chats.clear_finished_mutes(OVER, NOW)
    kept = await chats.get(REF)
    late = await chats.clear_finished_mutes(OVER, NOW + dt.timedelta(seconds=1))
    left = await chats.get(REF)

    assert kept and kept.muted_matches == {"over", "live"}
    assert left and left.muted_matches == {"live"}
    assert (early, late) == (1, 1)


async def test_a_muted_match_stays_muted_under_its_new_id(db: Database) -> None:
    chats, subscriptions = ChatRepository(db), SubscriptionRepository(db)
    muting, other = Chat(ChatRef(1), muted_matches=frozenset({"f1", "f9"})), Chat(ChatRef(2), muted_matches=frozenset({"f9"}))
    for chat in (muting, other):
        await chats.save(chat)

    await subscriptions.move(Scope.TEAM, ["f1"], Subscription(Scope.TEAM, "t2", "Arsenal"))
    unmoved = [chat.muted_matches for chat in await chats.get_all()]
    await subscriptions.move(Scope.MATCH, ["f1"], Subscription(Scope.MATCH, "f2", "Arsenal v Chelsea"))
    moved = [chat.muted_matches for chat in await chats.get_all()]

    assert unmoved == [{"f1", "f9"}, {"f9"}]
    assert moved == [{"f2", "f9"}, {"f9"}]


async def test_a_mute_for_a_while_is_stored_with_its_end_and_let_go_after_it(db: Database) -> None:
    chats, subscriptions = ChatRepository(db), SubscriptionRepository(db)
    await chats.save(Chat(REF).with_muted_match("f1", NOW).with_muted_match("f2"))
    stored = await chats.get(REF)

    await subscriptions.move(Scope.MATCH, ["f1"], Subscription(Scope.MATCH, "f3", "Arsenal v Chelsea"))
    moved = await chats.get(REF)
    early = await chats.clear_finished_mutes(OVER, NOW)
    late = await chats.clear_finished_mutes(OVER, NOW + dt.timedelta(seconds=1))
    left = await chats.get(REF)

    assert stored and (stored.muted_matches, stored.match_mutes) == ({"f2"}, (MatchMute("f1", NOW),))
    assert moved and (moved.muted_matches, moved.match_mutes) == ({"f2"}, (MatchMute("f3", NOW),))
    assert left and (left.muted_matches, left.match_mutes) == (frozenset(), ())
    assert (early, late) == (1, 1)
