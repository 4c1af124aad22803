"""Five processes on one PostgreSQL database, two feeds, two senders and a chat: killed, and robbed of the database."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.e2e.crew import CHATS, CHATS_PER_MATCH, MATCHES, OTHERS, SEND, SENDERS, Point, crew, reach
from tests.e2e.stage import BOT_TOKEN
from tests.fakes.bot_api import FakeBotApi
from tests.postgres import MISSING, Server, programs
from tests.postgres import running as postgres_running
from tests.waiting import until

pytestmark = pytest.mark.skipif(programs() is None, reason=MISSING)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A server that may be stopped."""
    with postgres_running() as made:
        yield made


async def test_whoever_is_killed_every_chat_ends_in_the_truth(tmp_path: Path, server: Server) -> None:
    rng = random.Random(5)
    of_senders, others = (rng.sample(points, len(points)) for points in (SENDERS, OTHERS))
    points = [point for pair in zip_longest(others, of_senders) for point in pair if point]
    goals = [len(points[number::MATCHES]) + (Point.EVERYWHERE not in points[number::MATCHES]) for number in range(MATCHES)]
    async with FakeBotApi(BOT_TOKEN, strict_limits=True) as telegram, crew(tmp_path, server, telegram, goals) as made:
        for number, point in enumerate(points):
            audience = len(CHATS) if point is Point.EVERYWHERE else CHATS_PER_MATCH
            await reach(made, point, made.matches[number % MATCHES], rng.randint(1, audience), rng)
            await made.until_correct()
            made.killed_at.append(asyncio.get_running_loop().time())
            await made.finish_goals()
        await made.feed.send_rest()
        with suppress(AssertionError):  # what is wrong then is asserted below
            await made.until_correct()
        wrong, doubles, refused = list(made.find_problems()), made.list_repeated(), made.count_refused_by_rate()

    assert wrong == []
    assert len(doubles) == len(set(doubles)), "one kill doubled two messages of a chat"
    assert refused == 0


async def test_a_feed_that_was_killed_is_replaced_and_gets_its_share_back_and_a_database_that_is_stopped_then_loses_nothing(
    tmp_path: Path, server: Server
) -> None:
    rng = random.Random(2)
    async with FakeBotApi(BOT_TOKEN, strict_limits=True) as telegram, crew(tmp_path, server, telegram, [3] * MATCHES) as made:
        killed = await made.feed_of(made.matches[0])
        await killed.end("SIGKILL")
        await made.send(*made.matches)
        await made.until_correct()  # nobody ends its leases but the feed that is left
        new = await made.replace(killed)
        await until(lambda: made.follows_half(new))
        await made.finish_goals()
        await made.send(*made.matches)
        await made.finish_goals()
        after_feed = list(made.find_problems()), made.list_repeated()

        first, second, *others = made.matches
        held = telegram.hold_answer(SEND, rng.randint(1, CHATS_PER_MATCH))
        await made.send(first)
        request = await held.until_reached()
        sender, feed = await made.sender_of(request.chat_id or 0), await made.feed_of(second)
        server.stop()
        held.release()
        await made.send(second, *others)
        for process in made.processes:
            await process.says("database_failed")
        for process in (sender, feed):
            await made.kill(process, lease_ends=False)
        await asyncio.to_thread(server.start)
        await made.until_correct()
        made.killed_at.append(asyncio.get_running_loop().time())
        await made.finish_goals()
        await made.feed.send_rest()
        with suppress(AssertionError):  # what is wrong then is asserted below
            await made.until_correct()
        wrong, doubles, refused = list(made.find_problems()), made.list_repeated(), made.count_refused_by_rate()

    assert after_feed == ([], [])
    assert wrong == []
    assert len(doubles) == len(set(doubles)), "one kill doubled two messages of a chat"
    assert refused == 0
