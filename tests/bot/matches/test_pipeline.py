"""Packets in, outbox entries out: the straight line, with a real outbox."""

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
from bot.telegram.plan import MessagePlan
from bot.telegram.rate_limits import Unlimited
from bot.telegram.sender import Sender
from rules.engine.rule import RuleSet
from rules.football.action import PeriodScore, Summary
from rules.football.catalogue import load_catalogue
from rules.loading.loader import load_rules
from tests.fakes.counts import Counts
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


class Line:
    """A pipeline between a story of packets and a chat."""

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

    async def take(self, *, first: int = 0) -> list[tuple[str, str]]:
        """Process the packets of the story from the one at `first` on; return what the chat got by that."""
        before = len(self.sent)
        for packet in self.story.packets[first:]:
            self.clock.move_to(packet.at)
            await self.pipeline.process(packet)
            await self.sender.send_all_due()
        return self.sent[before:]


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    database = await Database.open(new_sqlite(tmp_path))
    made = Line(database)
    await made.chats.save(Chat(ChatRef(1), filter=AlertFilter(all_kinds=True)))
    await SubscriptionRepository(database).add(ChatRef(1), Subscription(Scope.ALL))
    await made.pipeline.open(FIXTURE)
    yield made
    await database.close()


async def test_a_goal_is_sent_revised_and_taken_back(line: Line) -> None:
    line.story.goal("g", score=(1, 0))
    line.story.goal("g", send="Deleted", score=(0, 0))

    sent = await line.take()
    assert sent[0] == ("send", "Goal 1–0")
    assert [op for op, _ in sent[1:]] == ["edit", "reply"]


async def test_packets_that_come_twice_tell_nothing_twice(line: Line) -> None:
    line.story.goal("g", score=(1, 0))

    assert [len(await line.take()), len(await line.take())] == [1, 0]


async def test_a_restart_knows_what_was_sent(line: Line) -> None:
    line.story.goal("g", score=(1, 0))
    await line.take()
    line.pipeline = Pipeline(rules(), load_catalogue(), line.outbox)
    await line.pipeline.open(FIXTURE)

    assert await line.take() == []


async def test_other_rules_hold_from_the_next_packet_on_and_old_alerts_are_still_corrected(line: Line) -> None:
    line.story.goal("g", score=(1, 0))
    await line.take()
    line.pipeline.set_rules(rules(RULES.replace("Goal {{", "Tor {{")), load_catalogue())
    line.story.goal("h", score=(2, 0))
    line.story.goal("g", send="Deleted", score=(1, 0))

    sent = await line.take(first=1)
    assert sent[0] == ("send", "Tor 2–0")
    assert {op for op, _ in sent[1:]} == {"edit", "reply"}


async def test_a_match_without_an_end_is_over_once_it_is_completed(line: Line) -> None:
    line.story.goal("g", score=(1, 0))
    line.story.tell("Corner", minute=94, status="Completed")
    await line.take()
    for _ in range(2):
        await line.pipeline.close(FIXTURE.id, line.clock.now())
        await line.sender.send_all_due()

    assert line.sent == [("send", "Goal 1–0"), ("send", "Full time 1–0")]


async def test_full_time_that_the_feed_sent_is_not_sent_again_at_the_close(line: Line) -> None:
    line.story.tell("End Match", minute=94, status="Completed")
    await line.take()
    await line.pipeline.close(FIXTURE.id, line.clock.now())
    await line.sender.send_all_due()

    assert line.sent == [("send", "Full time 0–0")]


async def test_a_match_that_was_left_in_the_middle_has_no_full_time(line: Line) -> None:
    line.story.goal("g", score=(1, 0))
    await line.take()
    await line.pipeline.close(FIXTURE.id, line.clock.now() + dt.timedelta(hours=3))
    await line.sender.send_all_due()

    assert line.sent == [("send", "Goal 1–0")]


async def test_unknown_values_stop_nothing_and_are_counted_by_name_and_logged_once(line: Line) -> None:
    counts = Counts()
    periods = (PeriodScore(7, "golden goal", "SuddenDeath", 0, 0, 0, 0),)
    summary = Summary(0, 0, 7, "Interrupted", "CollectingByCarrierPigeon", 60, periods)
    for _ in range(2):
        line.story.tell("Pitch Invasion By Cat", sub="Black Cat", summary=summary, trace_id="t1")
    line.story.tell("Corner", send="Reconsidered")
    line.story.goal("h", score=(1, 0))

    with capture_logs() as logs:
        assert (await line.take())[-1] == ("send", "Goal 1–0")

    unknown = {
        "action type": "Pitch Invasion By Cat",
        "sub action type": "Black Cat",
        "status": "Interrupted",
        "collection status": "CollectingByCarrierPigeon",
        "period": "7 SuddenDeath golden goal",
    }
    assert {field: counts("touchline_unknown_names_total", field=field, name=name) for field, name in unknown.items()} == (
        dict.fromkeys(unknown, 2.0)
    )
    assert counts("touchline_unknown_names_total", field="send type", name="Reconsidered") == 1
    found = [(entry["field"], entry["name"]) for entry in logs if entry["event"] == "unknown_name"]
    assert sorted(found) == sorted([*unknown.items(), ("send type", "Reconsidered")])
    assert {entry["feed_trace_id"] for entry in logs if entry.get("field") == "status"} == {"t1"}


async def test_a_goal_that_is_never_confirmed_is_struck_at_half_time_and_stands_again_once_it_is(line: Line) -> None:
    line.story.goal("g", "away", send="Pending", minute=20)
    await line.take()
    line.story.tell("End Period", minute=46, period=1)
    struck = await line.take(first=1)
    # A restart without a snapshot reads the match from its start.
    line.pipeline = Pipeline(rules(), load_catalogue(), line.outbox)
    await line.pipeline.open(FIXTURE)
    again = await line.take()
    line.story.goal("g", "away", score=(0, 1), minute=20, seq=2, period=2)
    restored = await line.take(first=2)

    assert struck == [("edit", "<s>Goal 0–1</s>"), ("reply", "❌ <b>Chelsea: goal was not confirmed</b>, 0–0")]
    assert again == []
    assert restored == [("edit", "Goal 0–1"), ("reply", "✅ <b>Chelsea: goal stands</b>, 0–1")]


async def test_many_trifles_are_struck_by_an_edit_alone(line: Line) -> None:
    trifles = "rules: [{name: all, match: {action_type: Corner}, alert: {kind: play, importance: minor, text: Corner}}]"
    line.pipeline.set_rules(rules(trifles), load_catalogue())
    for number in range(3):
        line.story.tell("Corner", "Pending", f"c{number}", "home", minute=20 + number)
    await line.take()
    line.story.tell("End Period", minute=46, period=1)

    assert await line.take(first=3) == [("edit", "<s>Corner</s>")] * 3


async def test_names_without_end_are_counted_together(line: Line) -> None:
    counts = Counts()
    for number in range(205):
        line.story.tell(f"New Type {number}")

    await line.take()

    assert counts("touchline_unknown_names_total", field="action type", name="New Type 199") == 1
    assert counts("touchline_unknown_names_total", field="action type", name="New Type 200") == 0
    assert counts("touchline_unknown_names_total", field="action type", name="(more)") == 5


async def test_only_matches_that_are_open_are_known(line: Line) -> None:
    assert line.pipeline.match("other") is None
    line.pipeline.drop(FIXTURE.id)
    line.pipeline.drop(FIXTURE.id)

    assert line.pipeline.match(FIXTURE.id) is None


async def test_alerts_are_counted_by_kind_and_state_and_by_rule(line: Line) -> None:
    counts = Counts()
    line.story.goal("g", score=(1, 0))
    await line.take()

    assert counts("touchline_alerts_total", kind="goal", state="confirmed") == 1
    assert counts("touchline_rule_fired_total", rule="goals") == 1


async def test_the_fixtures_are_not_believed_about_a_match_in_play(line: Line) -> None:
    line.story.goal("g", score=(1, 0))
    await line.take()
    before = line.pipeline.match(FIXTURE.id)
    await line.pipeline.apply_fixture_change(FIXTURE, replace(FIXTURE, status="Scheduled"), line.clock.now())

    assert line.pipeline.match(FIXTURE.id) == before


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
async def test_news_that_came_late_is_told_of_a_connection_only_if_one_was_down(line: Line, was_down: bool, title: str) -> None:
    await line.pipeline.on_caught_up(FIXTURE.id, was_down=was_down)
    line.story.goal("g", score=(1, 0))
    (packet,) = line.story.packets
    line.clock.move_to(packet.at + dt.timedelta(hours=1))
    await line.pipeline.process(packet)
    await line.pipeline.on_caught_up(FIXTURE.id, was_down=was_down)
    await line.sender.send_all_due()

    assert len(line.sent) == 1 and title in line.sent[0][1]


async def test_a_retraction_that_comes_late_is_told_though_a_later_packet_has_reworded_the_message(line: Line) -> None:
    line.pipeline.set_rules(load_rules("extends: default\nrules: []", "rules.yaml"), load_catalogue())
    line.story.tell("Substitution Out", action="out", side="home", player="Rice", minute=60)
    line.story.tell("Substitution In", action="in", side="home", player="Saka")
    late = line.story.packet("Substitution In", "Deleted", "in", "home", player="Saka")
    line.story.tell("Substitution Out", "Deleted", "out", "home", player="Rice")
    line.story.packets.append(late)

    sent = await line.take()
    assert ("edit", "<s>🔁 <b>Arsenal</b>: Saka on (60')") in sent


async def test_a_goal_that_a_break_struck_stands_again_with_the_very_next_packet(line: Line) -> None:
    line.story.goal("g", score=(1, 0), minute=44)
    line.story.tell("Corner", score=(0, 0), minute=46, period=1)
    line.story.tell("End Period", period=1, minute=46)
    await line.take()
    before = len(line.sent)
    await line.pipeline.review_score(FIXTURE.id, line.clock.now() + dt.timedelta(minutes=5))
    await line.sender.send_all_due()
    struck = line.sent[before]
    line.story.tell("Start Period", score=(1, 0), minute=46)

    assert struck == ("edit", "<s>Goal 1–0</s>")
    assert ("edit", "Goal 1–0") in await line.take(first=3)


async def test_full_time_that_touchline_made_is_corrected_by_the_very_next_packet(line: Line) -> None:
    line.story.goal("g", score=(1, 0))
    line.story.tell("Corner", minute=94, status="Completed")
    await line.take()
    await line.pipeline.end(FIXTURE.id, line.clock.now())
    await line.sender.send_all_due()
    line.story.goal("g", send="Deleted", score=(0, 0), status="Completed")

    assert ("edit", "Full time 0–0") in await line.take(first=2)
