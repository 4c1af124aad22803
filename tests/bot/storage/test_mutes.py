"""Mutes of single matches: each is let go by itself once its match is over, and not before."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.clock import ManualClock
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.fixtures import FixtureStatusRepository
from bot.subscribers import Chat, ChatRef
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
