"""Two processes, one database: together they send the feed five requests a second, seen where the requests arrive."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.crew import fixture
from tests.e2e.goals import Match
from tests.e2e.stage import BOT_TOKEN, FEED_TOKEN, configuration, touchline
from tests.fakes.bot_api import FakeBotApi
from tests.fakes.stepped_feed import SteppedFeed
from tests.postgres import MISSING, Server, programs
from tests.rates import count_busiest

MATCHES = 12
pytestmark = pytest.mark.skipif(programs() is None, reason=MISSING)


async def test_two_processes_send_five_requests_in_any_second_together(tmp_path: Path, postgres: Server) -> None:
    matches = [Match([False], fixture(number)) for number in range(MATCHES)]
    with postgres.database() as url:
        async with (
            SteppedFeed([match.script for match in matches], FEED_TOKEN) as feed,
            FakeBotApi(BOT_TOKEN) as telegram,
        ):
            chats = 'chats: [{chat: 5, subscribe: [{competition: "Premier League"}]}]'
            config = configuration(tmp_path, feed.urls.stream, feed.urls.api, telegram, chats)
            config.write_text(config.read_text().replace(f"sqlite:///{tmp_path}/touchline.db", url))
            await feed.go_away()  # until both are there: the first one would take all matches
            processes = [await touchline("run", "--config", config, "--role", "feed", folder=tmp_path) for _ in range(2)]
            try:
                await asyncio.gather(*(process.says('"started"') for process in processes))
                feed.come_back()
                await _until_all_connected(feed)
                await feed.go_away()
                feed.come_back()
                await _until_all_connected(feed)
                connected = [process.output.count('"feed_connected"') for process in processes]
            finally:
                await asyncio.gather(*(process.end() for process in processes))

    assert count_busiest(feed.requested_at) <= 5
    assert len(feed.requested_at) >= 2 + 2 * MATCHES
    assert all(connected)


async def _until_all_connected(feed: SteppedFeed) -> None:
    for fixture_id in feed.fixture_ids:
        await feed.until_connected(fixture=fixture_id)
