"""Packets in, messages out: the pipeline with a real outbox and sender."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from structlog.testing import capture_logs

from bot.clock import ManualClock
from bot.matches.pipeline import Pipeline
from bot.matches.snapshots import SnapshotStore
from bot.outbox.delivery import DeliveryResult
from bot.outbox.outbox import Outbox
from bot.replay.replay import RecordingMessenger
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.fixtures import FeedPositionRepository
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.plan import MessagePlan
from bot.telegram.sender import Sender
from rules.engine.rule import RuleSet
from rules.football.action import PeriodScore, Summary
from rules.football.catalogue import load_catalogue
from rules.loading.loader import load_rules
from tests.fakes.metric_changes import MetricChanges
from tests.packets import FIXTURE, KICKOFF, Story
from tests.sqlite import new_sqlite

RULES = """
rules:
  - name: goals
    match: {action_type: Goal, send_type: [Pending, Confirmed, Updated]}
    alert: {kind: goal, text: "Goal {{ score }}"}
  - name: full time
    match: {action_type: End Match}
    alert: {kind: full_time, text: "Full time {{ score }}"}
"""


def rules(text: str = RULES) -> RuleSet:
    return load_rules(text, "rules.yaml")


class World:
    """A pipeline with a real outbox and sender between the packets of a match and a chat."""

    def __init__(self, database: Database) -> None:
        self.clock = ManualClock(KICKOFF)
        self.sent: list[tuple[str, str]] = []
        self.outbox = Outbox(database, self.clock)
        self.chats = ChatRepository(database)
        self.sender = Sender(self.outbox.queue, RecordingMessenger(), Unlimited(), self.clock, self._keep, self.chats)
        self.pipeline = Pipeline(rules(), load_catalogue(), self.outbox)
        self.story = Story()

    def _keep(self, plan: MessagePlan, _: DeliveryResult) -> None:
        self.sent.append((plan.operation, plan.html.splitlines()[0]))

    async def process_packets(self, *, first: int = 0) -> list[tuple[str, str]]:
        """Process the packets of the story from the one at `first` on; return what the chat got by that."""
        before = len(self.sent)
        for packet in self.story.packets[first:]:
            self.clock.move_to(packet.at)
            await self.pipeline.process(packet)
            await self.sender.send_all_due()
        return self.sent[before:]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = await Database.open(new_sqlite(tmp_path))
    made = World(database)
    await made.chats.save(Chat(ChatRef(1), filter=AlertFilter(all_kinds=True)))
    await SubscriptionRepository(database).add(ChatRef(1), Subscription(Scope.ALL))
    await made.pipeline.open(FIXTURE)
    yield made
    await database.close()


async def test_a_goal_is_sent_revised_and_taken_back(world: World) -> None:
    world.story.goal("g", score=(1, 0))
    world.story.goal("g", send="Deleted", score=(0, 0))

    sent = await world.process_packets()
    assert sent[0] == ("send", "Goal 1–0")
    assert [op for op, _ in sent[1:]] == ["edit", "reply"]


async def test_packets_that_come_twice_tell_nothing_twice(world: World) -> None:
    world.story.goal("g", score=(1, 0))

    assert [len(await world.process_packets()), len(await world.process_packets())] == [1, 0]


async def test_a_restart_knows_what_was_sent(world: World) -> None:
    world.story.goal("g", score=(1, 0))
    await world.process_packets()
    world.pipeline = Pipeline(rules(), load_catalogue(), world.outbox)
    await world.pipeline.open(FIXTURE)

    assert await world.process_packets() == []


async def test_other_rules_hold_from_the_next_packet_on_and_old_alerts_are_still_corrected(world: World) -> None:
    world.story.goal("g", score=(1, 0))
    await world.process_packets()
    world.pipeline.set_rules(rules(RULES.replace("Goal {{", "Tor {{")), load_catalogue())
    world.story.goal("h", score=(2, 0))
    world.story.goal("g", send="Deleted", score=(1, 0))

    sent = await world.process_packets(first=1)
    assert sent[0] == ("send", "Tor 2–0")
    assert {op for op, _ in sent[1:]} == {"edit", "reply"}


async def test_a_match_without_an_end_is_over_once_it_is_completed(world: World) -> None:
    world.story.goal("g", score=(1, 0))
    world.story.add("Corner", minute=94, status="Completed")
    await world.process_packets()
    for _ in range(2):
        await world.pipeline.close(FIXTURE.id, world.clock.now())
        await world.sender.send_all_due()

    assert world.sent == [("send", "Goal 1–0"), ("send", "Full time 1–0")]


async def test_full_time_that_the_feed_sent_is_not_sent_again_at_the_close(world: World) -> None:
    world.story.add("End Match", minute=94, status="Completed")
    await world.process_packets()
    await world.pipeline.close(FIXTURE.id, world.clock.now())
    await world.sender.send_all_due()

    assert world.sent == [("send", "Full time 0–0")]


async def test_a_match_that_was_left_in_the_middle_has_no_full_time(world: World) -> None:
    world.story.goal("g", score=(1, 0))
    await world.process_packets()
    await world.pipeline.close(FIXTURE.id, world.clock.now() + dt.timedelta(hours=3))
    await world.sender.send_all_due()

    assert world.sent == [("send", "Goal 1–0")]


async def test_unknown_values_stop_nothing_and_are_counted_by_name_and_logged_once(world: World) -> None:
    changes = MetricChanges()
    periods = (PeriodScore(7, "golden goal", "SuddenDeath", 0, 0, 0, 0),)
    summary = Summary(0, 0, 7, "Interrupted", "CollectingByCarrierPigeon", 60, periods)
    for _ in range(2):
        world.story.add("Pitch Invasion By Cat", sub="Black Cat", summary=summary, trace_id="t1")
    world.story.add("Corner", send="Reconsidered")
    world.story.goal("h", score=(1, 0))

    with capture_logs() as logs:
        assert (await world.process_packets())[-1] == ("send", "Goal 1–0")

    unknown = {
        "action type": "Pitch Invasion By Cat",
        "sub action type": "Black Cat",
        "status": "Interrupted",
        "collection status": "CollectingByCarrierPigeon",
        "period": "7 SuddenDeath golden goal",
    }
    assert {field: changes("touchline_unknown_names_total", field=field, name=name) for field, name in unknown.items()} == (
        dict.fromkeys(unknown, 2.0)
    )
    assert changes("touchline_unknown_names_total", field="send type", name="Reconsidered") == 1
    found = [(entry["field"], entry["name"]) for entry in logs if entry["event"] == "unknown_name"]
    assert sorted(found) == sorted([*unknown.items(), ("send type", "Reconsidered")])
    assert {entry["feed_trace_id"] for entry in logs if entry.get("field") == "status"} == {"t1"}


async def test_a_goal_that_is_never_confirmed_is_struck_at_half_time_and_stands_again_once_it_is(world: World) -> None:
    world.story.goal("g", "away", send="Pending", minute=20)
    await world.process_packets()
    world.story.add("End Period", minute=46, period=1)
    struck = await world.process_packets(first=1)
    # A restart without a snapshot reads the match from its start.
    world.pipeline = Pipeline(rules(), load_catalogue(), world.outbox)
    await world.pipeline.open(FIXTURE)
    again = await world.process_packets()
    world.story.goal("g", "away", score=(0, 1), minute=20, seq=2, period=2)
    restored = await world.process_packets(first=2)

    assert struck == [("edit", "<s>Goal 0–1</s>"), ("reply", "❌ <b>Chelsea: goal was not confirmed</b>, 0–0")]
    assert again == []
    assert restored == [("edit", "Goal 0–1"), ("reply", "✅ <b>Chelsea: goal stands</b>, 0–1")]


async def test_many_trifles_are_struck_by_an_edit_alone(world: World) -> None:
    trifles = "rules: [{name: all, match: {action_type: Corner}, alert: {kind: play, importance: minor, text: Corner}}]"
    world.pipeline.set_rules(rules(trifles), load_catalogue())
    for number in range(3):
        world.story.add("Corner", "Pending", f"c{number}", "home", minute=20 + number)
    await world.process_packets()
    world.story.add("End Period", minute=46, period=1)

    assert await world.process_packets(first=3) == [("edit", "<s>Corner</s>")] * 3


async def test_names_without_end_are_counted_together(world: World) -> None:
    changes = MetricChanges()
    for number in range(205):
        world.story.add(f"New Type {number}")

    await world.process_packets()

    assert changes("touchline_unknown_names_total", field="action type", name="New Type 199") == 1
    assert changes("touchline_unknown_names_total", field="action type", name="New Type 200") == 0
    assert changes("touchline_unknown_names_total", field="action type", name="(more)") == 5


async def test_only_matches_that_are_open_are_known(world: World) -> None:
    assert world.pipeline.match("other") is None
    world.pipeline.drop(FIXTURE.id)
    world.pipeline.drop(FIXTURE.id)

    assert world.pipeline.match(FIXTURE.id) is None


async def test_alerts_are_counted_by_kind_and_state_and_by_rule(world: World) -> None:
    changes = MetricChanges()
    world.story.goal("g", score=(1, 0))
    await world.process_packets()

    assert changes("touchline_alerts_total", kind="goal", state="confirmed") == 1
    assert changes("touchline_rule_fired_total", rule="goals") == 1


async def test_the_fixtures_are_not_believed_about_a_match_in_play(world: World) -> None:
    world.story.goal("g", score=(1, 0))
    await world.process_packets()
    before = world.pipeline.match(FIXTURE.id)
    await world.pipeline.apply_fixture_change(FIXTURE, replace(FIXTURE, status="Scheduled"), world.clock.now())

    assert world.pipeline.match(FIXTURE.id) == before


async def test_a_match_that_was_begun_is_known_as_unfinished_before_its_first_packet_and_still_read_from_its_beginning() -> None:
    database, clock = await Database.open("sqlite://"), ManualClock(KICKOFF)
    positions = FeedPositionRepository(database, clock)
    places = [
        await Pipeline(rules(), load_catalogue(), Outbox(database, clock), SnapshotStore(positions)).open(FIXTURE)
        for _process in range(2)
    ]
    unfinished = await positions.get_unfinished(KICKOFF - dt.timedelta(days=1))
    await database.close()

    assert (places, unfinished) == ([None, None], {FIXTURE.id})


@pytest.mark.parametrize(("was_down", "title"), [(True, "While the connection was down"), (False, "Earlier in this match")])
async def test_news_that_came_late_is_told_of_a_connection_only_if_one_was_down(world: World, was_down: bool, title: str) -> None:
    await world.pipeline.on_caught_up(FIXTURE.id, was_down=was_down)
    world.story.goal("g", score=(1, 0))
    (packet,) = world.story.packets
    world.clock.move_to(packet.at + dt.timedelta(hours=1))
    await world.pipeline.process(packet)
    await world.pipeline.on_caught_up(FIXTURE.id, was_down=was_down)
    await world.sender.send_all_due()

    assert len(world.sent) == 1 and title in world.sent[0][1]


async def test_a_retraction_that_comes_late_is_told_though_a_later_packet_has_reworded_the_message(world: World) -> None:
    world.pipeline.set_rules(load_rules("extends: default\nrules: []", "rules.yaml"), load_catalogue())
    world.story.add("Substitution Out", action="out", side="home", player="Rice", minute=60)
    world.story.add("Substitution In", action="in", side="home", player="Saka")
    late = world.story.packet("Substitution In", "Deleted", "in", "home", player="Saka")
    world.story.add("Substitution Out", "Deleted", "out", "home", player="Rice")
    world.story.packets.append(late)

    sent = await world.process_packets()
    assert ("edit", "<s>🔁 <b>Arsenal</b>: Saka on (60')") in sent


async def test_a_goal_that_a_break_struck_stands_again_with_the_very_next_packet(world: World) -> None:
    world.story.goal("g", score=(1, 0), minute=44)
    world.story.add("Corner", score=(0, 0), minute=46, period=1)
    world.story.add("End Period", period=1, minute=46)
    await world.process_packets()
    before = len(world.sent)
    await world.pipeline.review_score(FIXTURE.id, world.clock.now() + dt.timedelta(minutes=5))
    await world.sender.send_all_due()
    struck = world.sent[before]
    world.story.add("Start Period", score=(1, 0), minute=46)

    assert struck == ("edit", "<s>Goal 1–0</s>")
    assert ("edit", "Goal 1–0") in await world.process_packets(first=3)


async def test_full_time_that_touchline_made_is_corrected_by_the_very_next_packet(world: World) -> None:
    world.story.goal("g", score=(1, 0))
    world.story.add("Corner", minute=94, status="Completed")
    await world.process_packets()
    await world.pipeline.end(FIXTURE.id, world.clock.now())
    await world.sender.send_all_due()
    world.story.goal("g", send="Deleted", score=(0, 0), status="Completed")

    assert ("edit", "Full time 0–0") in await world.process_packets(first=2)


async def test_an_action_without_a_record_that_comes_again_late_leaves_its_message_as_it_is(world: World) -> None:
    text = 'rules: [{name: all, match: {action_type: Corner}, alert: {kind: play, text: "Corner {{ score }}"}}]'
    world.pipeline.set_rules(rules(text), load_catalogue())
    world.story.add("Corner", "Confirmed", "c", "home", minute=5)
    world.story.add("Goal", "Confirmed", "g1", "home", score=(1, 0), minute=10)
    world.story.add("Goal", "Confirmed", "g2", "home", score=(2, 0), minute=20)
    first = await world.process_packets()

    await world.pipeline.process(world.story.packets[0])
    await world.sender.send_all_due()
    assert world.sent == first and len(first) == 1
