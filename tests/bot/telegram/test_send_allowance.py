"""The allowance in both databases."""

from __future__ import annotations

from bot.storage.database import Database
from bot.telegram.shared_rate_limits import SendAllowance

HOUR = 3600.0
"""So far apart that the seconds between two calls do not count."""


async def test_what_one_sender_reserves_the_next_finds_taken(db: Database) -> None:
    first, second = SendAllowance(db), SendAllowance(db)

    slots = [await first.reserve(10, HOUR), await second.reserve(5, HOUR), await first.reserve(1, HOUR)]

    assert slots[0].first_in == 0.0
    assert [round(one.first_in / HOUR) for one in slots] == [0, 10, 15]


async def test_when_it_is_closed_everybody_waits_and_goes_on_at_half_the_rate(db: Database) -> None:
    await SendAllowance(db).pause_all(HOUR)

    slots = await SendAllowance(db).reserve(2, 1.0)

    assert 0.9 * HOUR < slots.first_in <= HOUR and slots.interval == 2.0
