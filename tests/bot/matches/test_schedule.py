"""Which fixtures are followed, and from when on."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import msgspec
import pytest
from structlog.testing import capture_logs

from bot.clock import Clock, ManualClock
from bot.config.models import ScheduleSettings
from bot.errors import FeedNotOpen, FeedRefused
from bot.matches.schedule import FOLLOW_RETRY_DELAY, REOPEN_DELAY, MatchScheduler
from bot.storage.fixtures import ListedStatus
from bot.subscribers import Scope, Subscription
from rules.football.action import Fixture, Team
from tests.fakes.feed import LoopClock
from tests.packets import FIXTURE, KICKOFF
from tests.tasks import cancel_tasks
from tests.waiting import until

pytestmark = pytest.mark.virtual_time
SETTINGS = ScheduleSettings(connect_before_kickoff=dt.timedelta(minutes=15), refresh_fixtures_every=dt.timedelta(seconds=1))
SEVERAL_LISTS = 5.0
"""Seconds in which the list of fixtures is read several times."""


class World:
    """Fixtures that change, chats that subscribe, followers that run until the test ends them."""

    def __init__(self, *fixtures: Fixture, clock: Clock | None = None, settings: ScheduleSettings = SETTINGS) -> None:
        self.listed = list(fixtures)
        self.unlisted: list[Fixture] = []
        """Those that the feed knows by their ids alone."""
        self.subscribed: list[Subscription] = [Subscription(Scope.ALL)]
        self.followed: list[str] = []
        self.stopped: list[str] = []
        self.refused: list[str] = []
        self.updates: list[tuple[str, str]] = []
        self.refusal: str | None = None
        self.failures = 0
        self.match_ends = asyncio.Event()
        self.accepted = 0
        self.unfinished_ids: list[str] = []
        self.stored_statuses: dict[str, ListedStatus] = {}
        self.max_matches: int | None = None
        self.runner = MatchScheduler(
            self,
            self.subscriptions,
            self.follow,
            lambda: settings,
            clock or ManualClock(KICKOFF),
            self.on_refused,
            self.on_update,
            self.on_accepted,
            self,
            self.unfinished,
            max_matches=lambda: self.max_matches,
        )

    async def unfinished(self) -> list[str]:
        return self.unfinished_ids

    async def get_all(self) -> dict[str, ListedStatus]:
        return dict(self.stored_statuses)

    async def save(self, fixtures: Iterable[Fixture]) -> None:
        self.stored_statuses |= {f.id: ListedStatus(f.status, f.collection_status) for f in fixtures}

    async def on_accepted(self) -> None:
        self.accepted += 1

    async def fetch_fixtures(self, date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        if self.refusal:
            raise FeedRefused(self.refusal)
        return tuple(self.listed)

    async def subscriptions(self) -> list[Subscription]:
        return self.subscribed

    async def follow(self, fixture: Fixture) -> None:
        self.followed.append(fixture.id)
        if len(self.followed) <= self.failures:
            raise RuntimeError("the database failed")
        try:
            await self.match_ends.wait()
        except asyncio.CancelledError:
            self.stopped.append(fixture.id)
            raise

    async def fetch_fixture(self, fixture_id: str) -> Fixture:
        if found := next((f for f in (*self.listed, *self.unlisted) if f.id == fixture_id), None):
            return found
        raise FeedNotOpen("HTTP 404")

    async def on_update(self, before: Fixture, after: Fixture) -> None:
        self.updates.append((before.status, after.status))

    async def on_refused(self, reason: str) -> None:
        self.refused.append(reason)


@asynccontextmanager
async def running(world: World) -> AsyncIterator[World]:
    task = asyncio.create_task(world.runner.run())
    try:
        yield world
    finally:
        await cancel_tasks(task)


def moved(**changes: object) -> Fixture:
    return msgspec.structs.replace(FIXTURE, **changes)


async def test_a_running_match_is_followed_at_once_and_only_once() -> None:
    async with running(World(FIXTURE)) as world:
        await until(lambda: world.followed)
        world.runner.request_replan()
        await asyncio.sleep(SEVERAL_LISTS)

        assert world.followed == ["f1"]


async def test_nobody_subscribed_means_no_connection_until_somebody_is() -> None:
    world = World(FIXTURE)
    world.subscribed = []
    async with running(world):
        await asyncio.sleep(SEVERAL_LISTS)
        assert world.runner.fixtures.list_by_kickoff() and world.followed == []

        world.subscribed = [Subscription(Scope.TEAM, "h")]
        world.runner.request_replan()
        await until(lambda: world.followed)


async def test_a_connection_moves_with_the_kick_off() -> None:
    clock, day = LoopClock(), dt.timedelta(days=1)
    now = clock.now()
    async with running(World(moved(kickoff=now + day), clock=clock)) as world:
        await until(lambda: world.runner.planned_connections())
        world.listed = [moved(kickoff=now + 2 * day)]

        await until(lambda: world.runner.planned_connections() == {"f1": now + 2 * day - SETTINGS.connect_before_kickoff})


@pytest.mark.parametrize("status", ["Cancelled", "Postponed"])
async def test_a_cancelled_fixture_is_dropped(status: str) -> None:
    async with running(World(FIXTURE)) as world:
        await until(lambda: world.followed)
        world.listed = [moved(status=status)]

        await until(lambda: world.stopped == ["f1"])
        assert world.updates == [("Scheduled", status)]


async def test_a_match_that_is_over_is_not_connected_again() -> None:
    async with running(World(FIXTURE)) as world:
        await until(lambda: world.followed)
        world.match_ends.set()
        await until(lambda: not world.runner.followed_ids())
        world.runner.request_replan()
        await asyncio.sleep(SEVERAL_LISTS)

        assert world.followed == ["f1"]


async def test_a_match_that_was_read_to_its_end_is_followed_again_where_it_is_listed_as_live() -> None:
    clock = ManualClock(KICKOFF)
    async with running(World(moved(status="Live"), clock=clock)) as world:
        await until(lambda: world.followed)
        world.match_ends.set()
        await until(lambda: not world.runner.followed_ids())
        clock.move_to(KICKOFF + dt.timedelta(seconds=REOPEN_DELAY - 1))
        await asyncio.sleep(SEVERAL_LISTS)
        assert world.followed == ["f1"]
        clock.move_to(KICKOFF + dt.timedelta(seconds=REOPEN_DELAY))

        await until(lambda: len(world.followed) == 2)


async def test_an_abandoned_match_is_left_to_its_follower() -> None:
    async with running(World(moved(status="Live"))) as world:
        await until(lambda: world.followed)
        world.listed = [moved(status="Abandoned")]
        await until(lambda: world.updates)
        await asyncio.sleep(SEVERAL_LISTS)

        assert world.stopped == []


async def test_a_dropped_match_whose_coverage_comes_back_is_followed_again() -> None:
    async with running(World(moved(status="Live"))) as world:
        await until(lambda: world.followed)
        world.listed = [moved(status="Unverified")]
        await until(lambda: world.updates)
        world.match_ends.set()
        await until(lambda: not world.runner.followed_ids())
        world.listed = [moved(status="Live")]

        await until(lambda: len(world.followed) == 2)


async def test_a_follower_that_fails_is_started_again_after_a_pause() -> None:
    world = World(FIXTURE)
    world.failures = 2
    async with running(world):
        started = asyncio.get_running_loop().time()
        await until(lambda: len(world.followed) == 3)

    assert asyncio.get_running_loop().time() - started >= 2 * FOLLOW_RETRY_DELAY


@pytest.mark.parametrize("was_unfinished", [True, False])
async def test_a_match_that_ended_while_we_were_away_is_followed_to_its_end_where_it_was_left_in_the_middle(
    was_unfinished: bool,
) -> None:
    world = World(moved(status="Completed"), msgspec.structs.replace(FIXTURE, id="f2"))
    world.unfinished_ids = ["f1"] if was_unfinished else []
    async with running(world):
        await until(lambda: "f2" in world.followed)
        await asyncio.sleep(SEVERAL_LISTS)

        assert ("f1" in world.followed) is was_unfinished


async def test_a_match_that_was_left_in_the_middle_and_is_too_old_for_the_list_is_found_by_its_id() -> None:
    world = World(msgspec.structs.replace(FIXTURE, id="f2"))
    world.unlisted = [moved(status="Completed", kickoff=KICKOFF - dt.timedelta(days=3))]
    world.unfinished_ids = ["f1", "gone"]
    with capture_logs() as lines:
        async with running(world):
            await until(lambda: {"f1", "f2"} <= {*world.followed})
            await until(lambda: sum(make_process["event"] == "fixtures_refreshed" for make_process in lines) > 2)

    assert world.followed.count("f1") == 1
    assert [make_process["fixture"] for make_process in lines if make_process["event"] == "fixture_gone"] == ["gone"]


async def test_a_first_list_of_many_fixtures_is_logged_as_one_number() -> None:
    world = World(*(moved(id=f"f{number}", kickoff=KICKOFF + dt.timedelta(days=1)) for number in range(60)))

    with capture_logs() as lines:
        async with running(world):
            await until(lambda: len(world.runner.planned_connections()) == 60)

    assert [(make_process["event"], make_process["count"]) for make_process in lines if "planned" in make_process["event"]] == [
        ("connections_planned", 60)
    ]


def _fixtures(*names: str, kickoff: dt.datetime = KICKOFF) -> list[Fixture]:
    """Fixtures of teams of their own, whose ids are the names."""
    return [moved(id=name, home=Team(f"h-{name}", name), away=Team(f"a-{name}", f"{name} B"), kickoff=kickoff) for name in names]


async def test_of_more_matches_than_may_be_followed_those_that_chats_have_chosen_come_first() -> None:
    world = World(*_fixtures("a", "b", "c", "d"))
    world.max_matches = 2
    world.subscribed = [Subscription(Scope.ALL), Subscription(Scope.TEAM, "h-d"), Subscription(Scope.TEAM, "h-c")]
    async with running(world):
        await asyncio.sleep(SEVERAL_LISTS)

        assert (sorted(world.followed), sorted(world.runner.held_back)) == (["c", "d"], ["a", "b"])


async def test_what_was_held_back_is_followed_when_a_match_ends_or_the_limit_is_raised() -> None:
    world = World(*_fixtures("a", "b", "c"))
    world.max_matches = 1
    async with running(world):
        await until(lambda: world.followed)
        first = list(world.followed)
        world.match_ends.set()
        await until(lambda: len(world.followed) == 3)
    assert len(first) == 1

    world = World(*_fixtures("a", "b", "c"))
    world.max_matches = 1
    async with running(world):
        await until(lambda: world.followed)
        world.max_matches = None
        world.runner.request_replan()
        await until(lambda: len(world.followed) == 3)

        assert world.runner.held_back == ()


@pytest.mark.parametrize(
    ("begins", "followed", "held_back"), [(dt.timedelta(hours=2), [], ("a",)), (dt.timedelta(days=1), ["a"], ())]
)
async def test_a_place_is_kept_for_a_chosen_match_that_begins_soon_and_none_for_one_tomorrow(
    begins: dt.timedelta, followed: list[str], held_back: tuple[str, ...]
) -> None:
    world = World(*_fixtures("a"), *_fixtures("z", kickoff=KICKOFF + begins))
    world.max_matches = 1
    world.subscribed = [Subscription(Scope.ALL), Subscription(Scope.TEAM, "h-z")]
    async with running(world):
        await asyncio.sleep(SEVERAL_LISTS)

        assert list(world.runner.planned_connections())[-1] == "z"
        assert (world.followed, world.runner.held_back) == (followed, held_back)


async def test_a_match_that_is_followed_is_not_cut_off_for_one_that_a_chat_chooses_now() -> None:
    world = World(*_fixtures("a", "b"))
    world.max_matches, world.subscribed = 1, [Subscription(Scope.TEAM, "h-a")]
    async with running(world):
        await until(lambda: world.followed == ["a"])
        world.subscribed = [Subscription(Scope.TEAM, "h-b")]
        world.runner.request_replan()
        await asyncio.sleep(SEVERAL_LISTS)

        assert world.runner.held_back == ("b",)
        assert (world.followed, world.stopped) == (["a"], [])


async def test_an_error_while_what_is_held_back_is_reported_keeps_no_match_from_being_followed() -> None:
    world = World(*_fixtures("a", "b", "c"))
    world.max_matches, world.subscribed = 1, [Subscription(Scope.TEAM, f"h-{name}") for name in "abc"]

    def fail(_fixtures: object) -> None:
        raise RuntimeError("the notices failed")

    world.runner.on_held_back = fail
    async with running(world):
        await until(lambda: len(world.runner.chosen_held_back) == 2)
        first = list(world.followed)
        world.match_ends.set()
        await until(lambda: len(world.followed) == 3)

    assert len(first) == 1


async def test_of_what_is_held_back_only_what_a_chat_has_chosen_is_reported_and_once() -> None:
    world = World(*_fixtures("a", "b", "c"))
    world.max_matches, world.subscribed = (
        1,
        [Subscription(Scope.ALL), Subscription(Scope.TEAM, "h-a"), Subscription(Scope.MATCH, "b")],
    )
    reported: list[str] = []
    world.runner.on_held_back = lambda fixtures: reported.extend(fixture.id for fixture in fixtures)
    async with running(world):
        await until(lambda: reported)
        first = sorted({*world.followed, *reported})
        world.subscribed.append(Subscription(Scope.MATCH, "c"))
        world.runner.request_replan()
        await until(lambda: "c" in reported)
        world.runner.request_replan()
        await asyncio.sleep(SEVERAL_LISTS)

        assert first == ["a", "b"]
        assert len(reported) == 2 and sorted(world.runner.chosen_held_back) == sorted(reported)
