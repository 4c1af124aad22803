"""The page "Now" shows what all processes are doing."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Mapping

import pytest

from bot.clock import ManualClock
from bot.cluster.processes import ConnectionInfo, ProcessInfo
from bot.console.now import NowReader, count_new_deliveries, find_advice, list_connections, read_handbook
from bot.monitoring.incidents import INCIDENT_POLICIES
from bot.storage.database import Database
from tests.bot.news import NOW

FEED = ProcessInfo(
    ("feed",),
    planned=3,
    connections=(
        ConnectionInfo("f2", "Leeds v Fulham", "0–0", "12'", "live", NOW.timestamp() - 4, 1, 80),
        ConnectionInfo("f1", "Arsenal v Chelsea"),
    ),
    delivered=0,
)
SEND = ProcessInfo(("send",), delivered=100, throttled=2)


class ProcessReads:
    """The processes, and how often they were read."""

    def __init__(self, **processes: ProcessInfo) -> None:
        self.processes, self.count = processes, 0

    async def list(self) -> Mapping[str, ProcessInfo]:
        self.count += 1
        return self.processes


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await Database.open("sqlite://")
    yield opened
    await opened.close()


def make_reader(reads: ProcessReads, database: Database, clock: ManualClock) -> NowReader:
    return NowReader(clock, database, reads.list, tuple, lambda: ("feed: silent",), lambda: 30.0)


async def test_connections_of_every_process_are_shown_with_the_process(database: Database) -> None:
    overview = await make_reader(ProcessReads(a=FEED, b=SEND), database, ManualClock(NOW)).read()

    assert [(row.title, row.process, row.seconds_since_frame) for row in overview.connections] == [
        ("Arsenal v Chelsea", "a", None),
        ("Leeds v Fulham", "a", 4),
    ]
    assert [(row.name, row.roles) for row in overview.processes] == [("a", "feed"), ("b", "send")]
    assert (overview.planned, overview.too_many_requests, overview.allowance, overview.not_ready) == (
        3,
        2,
        30.0,
        ("feed: silent",),
    )


async def test_all_open_pages_share_one_read_a_second(database: Database) -> None:
    reads, clock = ProcessReads(a=FEED), ManualClock(NOW)
    reader = make_reader(reads, database, clock)

    first = await reader.read()
    second = await reader.read()
    clock.move_to(NOW + dt.timedelta(seconds=1))
    await reader.read()

    assert first is second
    assert reads.count == 2


async def test_messages_a_second_are_those_of_all_processes(database: Database) -> None:
    reads, clock = ProcessReads(a=FEED, b=SEND), ManualClock(NOW)
    reader = make_reader(reads, database, clock)

    await reader.take_sample()
    clock.move_to(NOW + dt.timedelta(seconds=10))
    reads.processes = {"b": ProcessInfo(("send",), delivered=150), "c": ProcessInfo(("send",), delivered=30)}
    await reader.take_sample()

    overview = await reader.read()
    assert overview.messages_per_second == 8.0
    assert [sample.messages_per_second for sample in overview.samples] == [0.0, 8.0]


def test_a_process_that_is_gone_or_began_again_takes_nothing_away() -> None:
    assert count_new_deliveries({"a": 50, "b": 10}, {"b": 15, "c": 4}) == 9
    assert count_new_deliveries({}, {"a": 500}) == 0


def test_a_frame_of_a_clock_that_is_ahead_arrived_just_now() -> None:
    ahead = ProcessInfo(connections=(ConnectionInfo("f1", last_frame_at=NOW.timestamp() + 3),))

    assert list_connections({"a": ahead}, NOW)[0].seconds_since_frame == 0
    assert list_connections({}, NOW + dt.timedelta(seconds=1)) == ()


@pytest.mark.parametrize("name", INCIDENT_POLICIES)
def test_an_incident_comes_with_what_the_handbook_says_to_do(name: str) -> None:
    advice = find_advice(read_handbook(), name)

    assert len(advice) > 20
    assert not set("`*[]") & set(advice)


def test_without_the_handbook_it_says_where_to_look() -> None:
    assert find_advice("", "feed-down") == "see docs/operate/messages.md, under feed-down"
    assert (
        find_advice("## `feed-down`\n\nIt is.\n*What\nto do:* look at\n[the log](x.md).\n\n## `other`\n", "feed-down")
        == "look at the log."
    )
