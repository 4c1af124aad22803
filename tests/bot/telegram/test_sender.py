"""The sender on a virtual clock, between a real outbox and a fake Telegram."""

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.clock import ManualClock
from bot.errors import (
    ChatGone,
    ChatMigrated,
    DeliveryError,
    MessageGone,
    RetryAfter,
    TelegramUnreachable,
    TextRefused,
    TokenRefused,
    TopicClosed,
    TopicGone,
)
from bot.fake_telegram import state as fake_telegram
from bot.outbox.delivery import DeliveryResult, QueueItem, Reason
from bot.outbox.outbox import Outbox, make_sample_alert
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.limits.rate_limits import RateLimiter, Unlimited
from bot.telegram.sender import Sender
from tests.bot.news import NOW, alert, minor, pending, retracted
from tests.bot.telegram.conftest import World
from tests.packets import FIXTURE
from tests.waiting import until

pytestmark = pytest.mark.virtual_time


async def test_a_chat_that_wants_confirmed_goals_gets_a_goal_when_it_is_confirmed_and_never_one_that_is_not(world: World) -> None:
    await world.follow(1, confirmed_only=True)
    await world.follow(2)
    await world.send(pending(1, "maybe"), alert(2, "goal"), pending(1, "never", action="h"), retracted(2, action="h"))

    assert [shown.versions for shown in world.shown(1)] == [["goal"]]
    assert len(world.shown(2)) == 3


async def test_a_sample_reaches_its_chat_alone_once_and_after_a_restart_too(world: World) -> None:
    await world.follow(1, 2)
    sample = make_sample_alert(ChatRef(1), "42:7", {"en": "🧪 sample"}, NOW)
    await world.outbox.put_for_chat(ChatRef(1), sample)
    await world.restart()
    await world.outbox.put_for_chat(ChatRef(1), sample)
    await world.send(seconds=2)

    assert [shown.html for shown in world.shown(1)] == ["🧪 sample"] and not world.shown(2)


async def test_a_goal_is_sent_edited_retracted_and_restored(world: World) -> None:
    await world.follow(1)

    await world.send(pending(1), alert(2), retracted(3), alert(4))

    goal, *replies = world.shown()
    assert [v.split("\n")[-1] for v in goal.versions] == [
        "⏳ <i>unconfirmed</i>",
        "goal",
        "<s>goal</s>",
        "✅ <i>stands after all</i>",
    ]
    assert [(r.text[0], r.reply_to, r.silent) for r in replies] == [("❌", goal.id, False), ("✅", goal.id, False)]
    assert [plan.operation for plan, _ in world.delivered] == ["send", "edit", "edit", "reply", "edit", "reply"]


async def test_edits_and_replies_still_work_after_a_restart(world: World) -> None:
    await world.follow(1)
    await world.send(alert(1))
    await world.restart()

    await world.send(retracted(2))

    goal, reply = world.shown()
    assert (goal.html, reply.reply_to) == ("<s>goal</s>", goal.id)


async def test_a_reply_that_was_due_when_the_process_died_is_sent_after_the_restart(world: World) -> None:
    await world.follow(1)
    await world.send(alert(1))
    await world.outbox.put([retracted(2)])
    (edit,) = await world.sender._start_next(1)
    await edit
    await world.sender._commit_completed()
    assert len(world.shown()) == 1
    await world.restart()

    await world.sender.send_all_due()

    assert [m.text[:1] for m in world.shown()] == ["g", "❌"]


async def test_send_all_due_sends_what_is_due_and_returns(world: World) -> None:
    await world.follow(1, 2)
    await world.outbox.put([alert()])

    await world.sender.send_all_due()

    assert (len(world.shown(1)), len(world.shown(2)), await world.outbox.count_waiting()) == (1, 1, 0)


async def test_a_retraction_that_overtakes_its_alert_cancels_it_silently(world: World) -> None:
    await world.follow(1)
    await world.outbox.put([alert(1)])
    await world.outbox.put([retracted(2)])

    await world.sender.send_all_due()

    assert world.telegram.requests == []


async def test_revisions_that_wait_are_merged_into_the_latest(world: World) -> None:
    await world.follow(1)
    await world.outbox.put([pending(1)])
    await world.sender.send_all_due()
    for seq in range(2, 9):
        await world.outbox.put([alert(seq, f"goal {seq}")])

    await world.sender.send_all_due()

    assert world.shown()[0].versions[1:] == ["goal 8"]


@pytest.mark.parametrize(
    ("error", "requests"),
    [
        (RetryAfter(7), 2),
        (TelegramUnreachable("502", maybe_sent=False), 2),
        (TelegramUnreachable("timeout", maybe_sent=True), 2),
        (TokenRefused("401"), 2),
        (TextRefused("entities"), 2),
        (TopicClosed("closed"), 2),
        (MessageGone("to be replied"), 2),
        (ChatGone("blocked"), 2),
    ],
)
async def test_after_every_answer_the_message_arrives_once_or_the_chat_is_suspended(
    world: World, error: DeliveryError, requests: int
) -> None:
    await world.follow(1)
    # A chat is suspended once it was refused twice.
    world.telegram.fail(1, *[error] * (2 if isinstance(error, ChatGone) else 1))

    await world.send(alert(text="<b>goal</b>"))

    chat = await world.chats.get(ChatRef(1))
    assert chat is not None
    assert len(world.telegram.requests) == requests
    assert (len(world.shown()), chat.is_active) == ((0, False) if isinstance(error, ChatGone) else (1, True))


async def test_a_text_that_is_refused_even_without_formatting_is_reported_and_keeps_nobody_waiting(world: World) -> None:
    refused: list[tuple[str, str]] = []
    world.sender.failures.on_text_refused = lambda rule, reason: refused.append((rule, reason))
    await world.follow(1)
    world.telegram.fail(1, TextRefused("can't parse entities"), TextRefused("message text is empty"))

    await world.send(alert(1), minor(2, action="card"))

    assert refused == [("goals", "message text is empty")]
    assert [message.html for message in world.shown()] == ["yellow"]


async def test_what_a_deleted_topic_followed_goes_to_the_general_one_and_comes_there_from_then_on(world: World) -> None:
    topic, general = ChatRef(-5, 9), ChatRef(-5)
    await world.chats.save(Chat(topic, "supergroup", filter=AlertFilter(all_kinds=True), delay=1))
    await world.subscriptions.add(topic, Subscription(Scope.ALL))
    await world.send(alert(1), seconds=5)
    world.telegram.fail(-5, TopicGone("message thread not found"))

    await world.send(alert(2, action="other"), retracted(3), minor(4, action="card"), seconds=20)

    (moved,) = await world.chats.get_all()
    assert (moved.ref, moved.delay, await world.subscriptions.get_all(general)) == (general, 1, (Subscription(Scope.ALL),))
    assert [message.topic for message in world.shown(-5)] == [9, 0, 0, 0]
    assert "❌" in "".join(message.html for message in world.shown(-5)[1:])


async def test_one_chats_trouble_never_delays_another(world: World) -> None:
    await world.follow(1, 2, 3, 4)
    world.telegram.fail(1, *[RetryAfter(1000)] * 5)
    world.telegram.fail(2, *[TelegramUnreachable("502", maybe_sent=True)] * 99)
    world.telegram.fail(3, ChatGone("blocked"))

    await world.send(alert(), seconds=1.0)

    assert [len(world.shown(chat_id)) for chat_id in (1, 2, 3, 4)] == [0, 0, 0, 1]


async def test_a_chat_that_asks_to_wait_gets_its_messages_later_in_order_and_loud_ones_first(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, RetryAfter(7))

    await world.send(alert(1), minor(2, action="card"), alert(3, "second goal", action="g2"))

    assert [m.html for m in world.shown()] == ["goal", "second goal", "yellow"]
    assert world.shown()[0].at >= 7


async def test_a_group_that_moved_gets_its_message_at_its_new_id(world: World) -> None:
    await world.follow(-5)
    world.telegram.fail(-5, ChatMigrated(-1005))

    await world.send(alert(1), retracted(2))

    assert [m.html[:3] for m in world.shown(-1005)] == ["<s>", "❌ <"]
    assert world.shown(-5) == []


async def test_a_message_that_was_deleted_is_answered_all_the_same(world: World) -> None:
    await world.follow(1)
    await world.send(alert(1))
    world.telegram.chats[1].clear()

    await world.send(retracted(2))

    assert [(m.text[0], m.reply_to) for m in world.shown()] == [("❌", None)]


async def test_while_telegram_is_away_few_requests_are_made_and_none_is_lost(world: World) -> None:
    await world.follow(*range(1, 21))
    world.telegram.failure = TelegramUnreachable("no connection", maybe_sent=False)
    await world.send(alert(), seconds=60)
    world.telegram.failure = None
    tried = len(world.telegram.requests)

    await world.send(seconds=30)

    assert all(len(world.shown(chat_id)) == 1 for chat_id in range(1, 21))
    assert tried < 60


async def test_what_is_too_old_when_it_could_be_sent_is_left_out_and_counted(world: World) -> None:
    await world.follow(1)
    world.telegram.fail(1, RetryAfter(400))

    await world.send(alert(), seconds=500)

    assert (len(world.shown()), world.sender.skipped[Reason.EXPIRED]) == (0, 1)


async def test_a_chat_with_a_delay_gets_alerts_later_and_corrections_as_late(world: World) -> None:
    await world.follow(1, delay=30)

    await world.send(alert(1), seconds=40)
    await world.send(retracted(2), seconds=20)
    assert [m.html for m in world.shown()] == ["goal"]
    assert world.shown()[0].at >= 30

    await world.send(seconds=20)
    assert world.shown()[0].html == "<s>goal</s>"


async def test_a_chat_with_a_delay_sees_an_alert_retracted_within_its_delay_stand_first_and_then_retracted(world: World) -> None:
    await world.follow(1, delay=30)

    await world.send(alert(1), seconds=9.9)
    await world.send(retracted(2), seconds=21)
    assert [m.html for m in world.shown()] == ["goal"]
    await world.restart()
    await world.send(seconds=5)
    assert [m.html for m in world.shown()] == ["goal"]
    await world.send(seconds=6)

    assert [m.html[:3] for m in world.shown()] == ["<s>", "❌ <"]


async def test_a_chat_with_a_delay_is_not_asked_for_again_and_again_until_a_later_revision_is_due(world: World) -> None:
    await world.follow(1, delay=30)
    queue, rounds = world.outbox.queue, 0
    complete = queue.complete

    async def count_and_complete(results: Sequence[DeliveryResult]) -> list[QueueItem | None]:
        nonlocal rounds
        rounds += bool(results)
        # Without a pause between the rounds the virtual time would stand still, and the test would not end.
        assert rounds < 20
        return await complete(results)

    queue.complete = count_and_complete  # type: ignore[method-assign]
    async with world.sending():
        # The second says nothing new, so that nothing is sent for it; the third is due five seconds after it.
        for one in (alert(1), alert(2), alert(3, "goal by Saka")):
            await world.outbox.put([one])
            await asyncio.sleep(5)
        await asyncio.sleep(25.5)

    assert [shown.versions for shown in world.shown()] == [["goal", "goal by Saka"]]


@pytest.mark.slow
async def test_a_strict_telegram_never_has_to_refuse_anything(world: World) -> None:
    world.telegram.limits = fake_telegram.Limits()
    world.limits = RateLimiter()
    await world.restart()
    await world.follow(*range(1, 100), *range(-20, 0))

    await world.send(*(alert(n, f"goal {n}", action=f"g{n}", at=NOW) for n in range(1, 25)), seconds=250)

    assert world.telegram.refusals == 0
    assert all([m.html for m in world.shown(chat)] == [f"goal {n}" for n in range(1, 25)] for chat in range(1, 100))


async def test_a_stop_finishes_what_is_in_flight_and_leaves_the_rest_for_the_next_start(world: World) -> None:
    world.telegram.latency = 1.0
    await world.follow(1)
    task = asyncio.create_task(world.sender.run())
    await world.outbox.put([alert(1)])
    await world.outbox.put([minor(2, action="card")])
    await asyncio.sleep(0.5)

    await world.sender.stop()
    await task

    assert [m.html for m in world.shown()] == ["goal"]
    await world.restart()
    await world.send()
    assert [m.html for m in world.shown()] == ["goal", "yellow"]


async def test_a_stop_that_cancels_a_commit_keeps_the_results(world: World) -> None:
    world.telegram.latency = 1.0
    await world.follow(1)
    task = asyncio.create_task(world.sender.run())
    await world.outbox.put([alert(1)])
    await asyncio.sleep(0.5)
    async with world.db.transaction():  # somebody else writes while the sender is to keep what landed
        await asyncio.sleep(1.0)
        task.cancel()
        await asyncio.sleep(0)
    await asyncio.gather(task, return_exceptions=True)
    await world.restart()
    await world.send()

    assert [m.html for m in world.shown()] == ["goal"]


async def test_missed_news_comes_as_one_digest_that_shows_what_becomes_of_it(world: World) -> None:
    await world.follow(1)
    old = NOW - dt.timedelta(hours=1)
    await world.outbox.put([alert(1, "early goal", at=old)])
    await world.outbox.put([minor(2, "early card", action="card", at=old)])
    await world.outbox.summarise_missed(FIXTURE.id)
    await world.sender.send_all_due()

    await world.send(retracted(3))

    (digest,) = world.shown()
    assert digest.versions[0].split("\n")[1:] == ["• early goal", "• early card"]
    assert digest.versions[1].split("\n")[1:] == ["• <s>Goal</s>", "• early card"]
    assert digest.silent


async def test_fresh_news_is_not_in_the_digest_of_missed_news(world: World) -> None:
    await world.follow(1)
    await world.send(alert(1))

    await world.outbox.summarise_missed(FIXTURE.id)
    await world.sender.send_all_due()

    assert len(world.shown()) == 1


async def test_a_replay_needs_no_running_clock(tmp_path: Path) -> None:
    world = World("sqlite://")
    clock = ManualClock(NOW)
    db = await Database.open(world.url)
    outbox = Outbox(db, clock)
    sender = Sender(outbox.queue, world.telegram, Unlimited(), clock)
    world.db, world.chats, world.subscriptions = db, ChatRepository(db), SubscriptionRepository(db)
    await world.follow(1)
    for seq in range(1, 50):
        clock.move_to(NOW + dt.timedelta(seconds=seq * 0.123456))
        await outbox.put([replace(alert(seq, f"goal {seq}"), at=clock.now())])
        await sender.send_all_due()

    assert len(world.shown()[0].versions) == 49
    await db.close()


async def test_a_restart_in_the_middle_of_a_burst_goes_over_no_limit(world: World) -> None:
    world.telegram.limits = fake_telegram.Limits()
    world.limits = RateLimiter()
    await world.restart()
    await world.follow(-1)
    await world.send(*[alert(number, f"goal {number}", action=f"g{number}") for number in range(1, 19)], seconds=30)
    world.limits = RateLimiter()
    await world.restart()

    await world.send(*[alert(number, f"goal {number}", action=f"g{number}") for number in range(21, 40)], seconds=200)

    assert len(world.shown(-1)) == 37 and world.telegram.refusals == 0


async def test_a_request_that_was_on_its_way_when_the_process_died_counts_too(world: World) -> None:
    await world.follow(-1)
    await world.outbox.put([alert(1)])
    (request,) = await world.sender._start_next(1)
    await request  # its id is never committed

    assert await world.outbox.queue.read_recent_sends(60.0) == [(-1, NOW.timestamp())]


async def test_news_that_comes_while_answers_are_collected_leaves_at_once(world: World) -> None:
    await world.follow(7, 8)
    world.telegram.latency = 1.0
    async with world.sending():
        await world.outbox.put([alert()])
        # Just after the round that began these requests, in which their answers are waited for.
        while len(world.telegram.requests) < 2:
            await asyncio.sleep(0)
        await world.follow(9)
        at = asyncio.get_running_loop().time()
        await world.outbox.put([alert(action="g2")])
        await until(lambda: any(chat_id == 9 for _, _, chat_id in world.telegram.requests))

    assert next(when for when, _, chat_id in world.telegram.requests if chat_id == 9) == at
