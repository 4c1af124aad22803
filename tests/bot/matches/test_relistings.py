"""From the list of fixtures to the chats: what changes is told once to those who follow it, on a clock that the test moves."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Collection

import pytest
from msgspec.structs import replace

from bot.clock import ManualClock
from bot.config.models import ScheduleSettings
from bot.errors import FeedNotOpen, FeedUnreachable
from bot.matches.connection_plan import PlannedConnection
from bot.matches.pipeline import Pipeline
from bot.matches.relistings import RelistingTracker
from bot.matches.schedule import MatchScheduler
from bot.outbox.delivery import DeliveryResult
from bot.outbox.outbox import Outbox
from bot.replay.replay import RecordingMessenger
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.fixtures import FixtureListingRepository, FixtureStatusRepository
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import Chat, ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.plan import MessagePlan
from bot.telegram.sender import Sender
from rules.engine.text import visible_text
from rules.football.action import Fixture, Team
from rules.football.catalogue import load_catalogue
from rules.football.relisting import Relisting
from rules.loading.loader import load_pack
from tests.packets import FIXTURE, KICKOFF

TODAY = replace(FIXTURE, venue="Emirates Stadium", coverage_level="In Venue")
FAN, IN_MADRID = ChatRef(1), ChatRef(2)


def move_kickoff(minutes: float, fixture: Fixture = TODAY) -> Fixture:
    """The fixture with its kick-off moved by so many minutes from the first one."""
    return replace(fixture, kickoff=KICKOFF + dt.timedelta(minutes=minutes))


class World:
    """A feed that lists fixtures, a scheduler that reads its list, and two chats in two time zones that follow Arsenal."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, ManualClock(KICKOFF - dt.timedelta(hours=5))
        self.listed: list[Fixture] = [TODAY]
        self.by_id: dict[str, Fixture | Exception] = {}
        self.sent: list[tuple[int, str]] = []
        self.is_elsewhere = False
        self.chats, self.subscriptions = ChatRepository(database), SubscriptionRepository(database)
        self.outbox = Outbox(database, self.clock)
        self.sender = Sender(self.outbox.queue, RecordingMessenger(), Unlimited(), self.clock, self._keep, self.chats)
        self.start()

    def start(self) -> None:
        """Start the process, or a second time: start it again."""
        self.pipeline = Pipeline(load_pack("default"), load_catalogue(), self.outbox)
        self.scheduler = MatchScheduler(
            self,
            self.subscriptions.get_active,
            self._follow,
            lambda: ScheduleSettings(connect_before_kickoff=dt.timedelta(minutes=15)),
            self.clock,
            self._ignore,
            self._on_update,
            fixture_statuses=FixtureStatusRepository(self.database, self.clock),
            relistings=RelistingTracker(
                FixtureListingRepository(self.database, self.clock), self._on_relisted, self._move, self.fetch_fixture
            ),
        )

    async def fetch_fixtures(self, date_from: dt.date, date_to: dt.date) -> tuple[Fixture, ...]:
        return tuple(self.listed)

    async def fetch_fixture(self, fixture_id: str) -> Fixture:
        found = self.by_id.get(fixture_id) or next((f for f in self.listed if f.id == fixture_id), FeedNotOpen("HTTP 404"))
        if isinstance(found, Exception):
            raise found
        return found

    async def _follow(self, fixture: Fixture) -> None:
        return None

    async def _ignore(self, _reason: str) -> None:
        return None

    async def _on_update(self, before: Fixture, after: Fixture) -> None:
        await self.pipeline.apply_fixture_change(before, after, self.clock.now())

    async def _on_relisted(self, before: Fixture, relisting: Relisting, revision: int) -> bool:
        if self.is_elsewhere:
            return False
        await self.pipeline.apply_relisting(before, relisting, revision, self.clock.now())
        return True

    async def _move(self, scope: Scope, old_keys: Collection[str], new: Subscription) -> None:
        await self.subscriptions.move(scope, old_keys, new)

    def _keep(self, plan: MessagePlan, _: DeliveryResult) -> None:
        self.sent.append((plan.delivery.chat.chat_id, visible_text(plan.html)))

    async def read_list(self, *listed: Fixture, minutes: float = 15) -> list[str]:
        """Read the list, some minutes later; return what the first chat is sent for that."""
        if listed:
            self.listed = list(listed)
        before = len(self.sent)
        self.clock.move_to(self.clock.now() + dt.timedelta(minutes=minutes))
        await self.scheduler.fixtures.refresh()
        await self.sender.send_all_due()
        return [text for chat, text in self.sent[before:] if chat == FAN.chat_id]

    async def read_again(self, minutes: float = 15) -> list[str]:
        """Read the same list again."""
        return await self.read_list(minutes=minutes)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    database = await Database.open("sqlite://")
    made = World(database)
    for ref, zone in ((FAN, "UTC"), (IN_MADRID, "Europe/Madrid")):
        await made.chats.save(Chat(ref, timezone=zone))
        await made.subscriptions.add(ref, Subscription(Scope.TEAM, FIXTURE.home.id, "Arsenal"))
    await made.read_list(TODAY)
    yield made
    await database.close()


async def test_a_kick_off_that_moves_twice_on_its_day_is_told_twice_in_the_time_of_each_chat(world: World) -> None:
    first = await world.read_list(move_kickoff(120))
    again = await world.read_again()
    second = await world.read_list(move_kickoff(150), minutes=200)

    assert first == ["🕓 Kick-off 16:00 UTC: Arsenal v Chelsea\n15 August, 16:00 UTC, not 15 August, 14:00 UTC"]
    assert again == []
    assert second == ["🕓 Kick-off 16:30 UTC: Arsenal v Chelsea\n15 August, 16:30 UTC, not 15 August, 16:00 UTC"]
    in_madrid = [text.splitlines()[0] for chat, text in world.sent if chat == IN_MADRID.chat_id]
    assert in_madrid == ["🕓 Kick-off 18:00: Arsenal v Chelsea", "🕓 Kick-off 18:30: Arsenal v Chelsea"]


async def test_a_kick_off_that_moves_back_to_where_it_was_is_told_each_time(world: World) -> None:
    sent_by_each = [await world.read_list(move_kickoff(minutes)) for minutes in (60, 0, 60)]

    assert [len(texts) for texts in sent_by_each] == [1, 1, 1]


async def test_small_moves_are_told_once_they_add_up(world: World) -> None:
    sent_by_each = [await world.read_list(move_kickoff(minutes)) for minutes in (4, 5, 9, 10)]

    assert [len(texts) for texts in sent_by_each] == [0, 0, 1, 0]
    assert sent_by_each[2] == ["🕓 Kick-off 14:09 UTC: Arsenal v Chelsea\n15 August, 14:09 UTC, not 15 August, 14:00 UTC"]


async def test_a_move_in_the_last_hour_is_told_by_the_poll_of_single_fixtures(world: World) -> None:
    world.clock.move_to(KICKOFF - dt.timedelta(minutes=40))
    world.scheduler._planned[FIXTURE.id] = PlannedConnection(KICKOFF, 0.0)
    world.by_id[FIXTURE.id] = move_kickoff(30)
    await world.scheduler.fixtures.poll()
    await world.sender.send_all_due()

    assert [text.splitlines()[0] for _, text in world.sent] == [
        "🕓 Kick-off 14:30 UTC: Arsenal v Chelsea",
        "🕓 Kick-off 16:30: Arsenal v Chelsea",
    ]


async def test_a_new_date_and_a_new_venue_are_told_as_such(world: World) -> None:
    assert await world.read_list(replace(move_kickoff(7 * 24 * 60), venue="Wembley")) == [
        "🗓 New date: Arsenal v Chelsea\n22 August, 14:00 UTC, not 15 August, 14:00 UTC",
        "🏟 Venue: Arsenal v Chelsea\nWembley, not Emirates Stadium",
    ]


async def test_a_match_that_is_postponed_and_on_again_is_told_both_times(world: World) -> None:
    postponed = await world.read_list(replace(TODAY, status="Postponed"))
    on_again = await world.read_list(move_kickoff(24 * 60))

    assert postponed == ["⚠️ Postponed: Arsenal v Chelsea"]
    assert on_again == ["✅ On again: Arsenal v Chelsea\n16 August, 14:00 UTC"]


async def test_coverage_that_falls_by_itself_is_told(world: World) -> None:
    assert await world.read_list(replace(TODAY, coverage_level="Standard Stream")) == [
        "📡 Less coverage: Arsenal v Chelsea\nIn venue → standard stream"
    ]
    assert await world.read_again() == []


async def test_what_changed_while_the_process_was_down_is_told_after_the_start_and_once(world: World) -> None:
    world.start()
    before = await world.read_list(move_kickoff(60))
    world.start()

    assert (len(before), await world.read_again()) == (1, [])


async def test_what_another_process_notifies_of_is_not_sent_here(world: World) -> None:
    world.is_elsewhere = True
    before = await world.read_list(move_kickoff(60))
    # The other process has told and stored it, and is gone now.
    listings = FixtureListingRepository(world.database, world.clock)
    known = await listings.get(FIXTURE.id)
    assert known is not None
    await listings.save([replace(known, fixture=move_kickoff(60), revision=1)])
    world.is_elsewhere = False

    assert (before, await world.read_again()) == ([], [])


async def test_a_fixture_is_withdrawn_after_two_lists_without_it_and_a_404_by_its_id(world: World) -> None:
    other = replace(FIXTURE, id="f2", home=Team("x", "Leeds"), away=Team("y", "Hull"))
    world.by_id[FIXTURE.id] = FeedUnreachable("HTTP 503")
    first, second = await world.read_list(other), await world.read_again()
    del world.by_id[FIXTURE.id]
    third, fourth = await world.read_again(), await world.read_again()

    assert (first, second, fourth) == ([], [], [])
    assert third == ["⚠️ Withdrawn: Arsenal v Chelsea\nThe feed does not list this match any more."]


async def test_a_fixture_that_is_only_missing_in_the_lists_is_looked_up_and_its_new_date_told(world: World) -> None:
    world.by_id[FIXTURE.id] = move_kickoff(60 * 24 * 60)
    world.listed = []
    sent_by_each = [await world.read_again() for _ in range(3)]

    assert sent_by_each == [[], ["🗓 New date: Arsenal v Chelsea\n14 October, 14:00 UTC, not 15 August, 14:00 UTC"], []]


async def test_a_deleted_fixture_is_withdrawn_once(world: World) -> None:
    deleted = replace(TODAY, is_deleted=True)

    assert len(await world.read_list(deleted)) == 1
    assert await world.read_again() == []


async def test_who_follows_a_match_follows_it_under_its_new_id(world: World) -> None:
    reader = ChatRef(3)
    await world.chats.save(Chat(reader))
    await world.subscriptions.add(reader, Subscription(Scope.MATCH, FIXTURE.id, "Arsenal v Chelsea"))
    renamed = move_kickoff(90, replace(TODAY, id="f9"))
    sent_by_each = [await world.read_list(renamed), await world.read_again()]

    assert sent_by_each == [[], ["🕓 Kick-off 15:30 UTC: Arsenal v Chelsea\n15 August, 15:30 UTC, not 15 August, 14:00 UTC"]]
    assert [one.key for one in await world.subscriptions.get_all(reader)] == ["f9"]
    assert [text for chat, text in world.sent if chat == reader.chat_id] == sent_by_each[1]


async def test_who_follows_the_winner_of_a_match_follows_the_team_once_it_is_known(world: World) -> None:
    final = replace(TODAY, id="final", home=Team("w1", "Winner SF1"), away=Team("w2", "Winner SF2"))
    reader = ChatRef(3)
    await world.chats.save(Chat(reader))
    await world.subscriptions.add(reader, Subscription(Scope.TEAM, "w2", "Winner SF2"))
    await world.read_list(TODAY, final)
    known = replace(final, home=Team("l", "Leeds"), away=Team("m", "Millwall"))
    await world.read_list(TODAY, known)
    await world.read_again()

    assert [text for chat, text in world.sent if chat == reader.chat_id] == [
        "🆚 Leeds v Millwall\nPremier League\n15 August, 14:00 UTC"
    ]
    assert [(one.key, one.name) for one in await world.subscriptions.get_all(reader)] == [("m", "Millwall")]


async def test_a_placeholder_of_several_fixtures_is_no_team_to_follow(world: World) -> None:
    first, second = (replace(TODAY, id=f"q{n}", home=Team("tbd", "TBD"), away=Team(f"t{n}", f"Team {n}")) for n in (1, 2))
    reader = ChatRef(3)
    await world.chats.save(Chat(reader))
    await world.subscriptions.add(reader, Subscription(Scope.TEAM, "tbd", "TBD"))
    await world.read_list(TODAY, first, second)
    await world.read_list(TODAY, replace(first, home=Team("l", "Leeds")), second)

    assert [one.key for one in await world.subscriptions.get_all(reader)] == ["tbd"]
