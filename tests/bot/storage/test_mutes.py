"""Mutes of single matches: each ends by itself once its match is over, and not before."""

from __future__ import annotations

import datetime as dt

import pytest
from msgspec.structs import replace
from sqlalchemy import select, update

from bot.clock import ManualClock
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.fixtures import FixtureStatusRepository
from bot.storage.schema import chats as chats_table
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


@pytest.mark.parametrize("until", ["1790000000000", "9" * 17, "9" * 30, "9" * 400], ids=len)
async def test_mutes_that_cannot_be_read_stay_as_they_are_stored_and_those_of_other_chats_end_and_move(
    db: Database, until: str
) -> None:
    damaged, reported = f"f1 f1|{until}", list[str]()
    db.on_damaged = lambda rows: reported.extend(rows)
    chats, subscriptions = ChatRepository(db), SubscriptionRepository(db)
    for ref in (REF, ChatRef(6)):
        await chats.save(Chat(ref).with_muted_match("f1", NOW))
    async with db.transaction() as tx:
        await tx.execute(update(chats_table).where(chats_table.c.chat_id == 5).values(muted_matches=damaged))

    await subscriptions.move(Scope.MATCH, ["f1"], Subscription(Scope.MATCH, "f2", "Arsenal v Chelsea"))
    reported_by_move = list(reported)
    moved = await chats.get(ChatRef(6))
    cleared = await chats.clear_finished_mutes(OVER, NOW + dt.timedelta(seconds=1))
    async with db.transaction() as tx:
        rows = await tx.fetch(select(chats_table.c.muted_matches).order_by(chats_table.c.chat_id))

    assert moved and moved.match_mutes == (MatchMute("f2", NOW),)
    assert cleared == 1 and [row["muted_matches"] for row in rows] == [damaged, ""]
    assert reported_by_move == ["the row of chats with chat_id 5, topic 0"] and reported == reported_by_move * 2
