"""The allowance in both databases."""

from __future__ import annotations

from bot.storage.database import Database
from bot.telegram.shared_rate_limits import SendAllowance


async def test_what_one_sender_reserves_the_next_finds_taken(db: Database) -> None:
    first, second = SendAllowance(db), SendAllowance(db)

    slots = [await first.reserve(10, 1.0), await second.reserve(5, 1.0), await first.reserve(1, 1.0)]

    assert slots[0].first_in == 0.0
    assert [round(one.first_in) for one in slots] == [0, 10, 15]


async def test_when_it_is_closed_everybody_waits_and_goes_on_at_half_the_rate(db: Database) -> None:
    await SendAllowance(db).pause_all(30.0)

    slots = await SendAllowance(db).reserve(2, 1.0)

    assert 29.0 < slots.first_in <= 30.0 and slots.interval == 2.0
