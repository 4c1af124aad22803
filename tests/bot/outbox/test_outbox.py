"""The outbox over a real database: what waits for whom, also after a restart and for many chats."""

import datetime as dt

import pytest
from msgspec.structs import replace
from sqlalchemy import delete, func, select, update

from bot.outbox.delivery import Reason
from bot.outbox.fanout import FIRST_PAGE_SIZE, PAGE_SIZE
from bot.outbox.pruning import delete_batch_before
from bot.storage.fixtures import FixtureListingRepository, StoredListing
from bot.storage.schema import alerts, entries
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from tests.bot.news import NOW, REF, alert, minor, retracted
from tests.bot.outbox.conftest import World
from tests.packets import FIXTURE
from tests.rows import copy_chat


async def test_an_alert_waits_for_every_chat_that_follows_the_match_and_takes_its_kind(world: World) -> None:
    await world.follow(Chat(ChatRef(1)), Chat(ChatRef(2), filter=AlertFilter(kinds_off=frozenset({"goal"}))), Chat(ChatRef(3, 4)))

    await world.outbox.put([alert()])

    assert [item.chat for item in await world.take_all()] == [ChatRef(1), ChatRef(3, 4)]


async def test_what_waits_is_there_after_a_restart(world: World) -> None:
    await world.follow(Chat(REF))
    await world.outbox.put([alert()])
    await world.take_all()
    await world.restart()

    (item,) = await world.take_all()

    context = await world.load_context(item)
    assert context is not None
    assert context.news.alternatives == (alert(),)


@pytest.mark.slow
async def test_an_alert_that_reached_nobody_before_a_crash_reaches_everybody_after_it(world: World) -> None:
    await world.follow(*(Chat(ChatRef(number)) for number in range(1, PAGE_SIZE + 60)))
    await world.outbox.put([alert()])
    await world.outbox.queue.take()
    first = await world.outbox.queue.take()
    second = await world.outbox.queue.take()
    await world.restart()

    again = await world.take_all()

    assert (len(first), len(second)) == (FIRST_PAGE_SIZE, PAGE_SIZE)
    assert [item.chat.chat_id for item in again] == list(range(1, PAGE_SIZE + 60))


@pytest.mark.parametrize("is_rescanned", [False, True])
async def test_news_whose_row_is_lost_during_its_fan_out_is_finished_and_other_news_goes_on(
    world: World, is_rescanned: bool
) -> None:
    await world.follow(Chat(ChatRef(1)))
    await world.take_all()
    await world.outbox.put([alert(action="1")])
    await world.outbox.put([alert(action="2")])
    async with world.db.transaction() as tx:
        await tx.execute(delete(alerts).where(alerts.c.action_id == "1"))
    if is_rescanned:
        world.outbox.queue.rescan()

    items = await world.take_all()

    assert [item.key.action_id for item in items] == ["2"]
    # Its next revision is news again.
    await world.outbox.put([alert(2, action="1")])
    assert [item.key.action_id for item in await world.take_all()] == ["1"]


async def test_what_waits_is_taken_in_the_order_of_chats_after_a_restart(world: World) -> None:
    await world.follow(*(Chat(ChatRef(number)) for number in range(1, 30)))
    await world.outbox.put([alert()])
    await world.take_all()
    async with world.db.transaction() as tx:
        for change in (1, -1):  # due as before, but PostgreSQL has moved the changed rows behind the others
            await tx.execute(update(entries).where(entries.c.chat_id < 4).values(due_at=entries.c.due_at + change))
    await world.restart()

    again = await world.take_all()

    assert [item.chat.chat_id for item in again] == list(range(1, 30))


async def test_a_packet_seen_twice_is_harmless(world: World) -> None:
    await world.follow(Chat(REF))
    for _ in range(2):
        await world.outbox.put([alert()])
    (item,) = await world.take_all()
    await world.record_sent(item)

    await world.outbox.put([alert()])

    assert await world.take_all() == []


async def test_a_revision_waits_for_chats_that_have_the_message_whatever_they_want_now(world: World) -> None:
    await world.follow(Chat(REF))
    await world.outbox.put([alert(1)])
    (item,) = await world.take_all()
    await world.record_sent(item)
    await world.subscriptions.remove(REF, Subscription(Scope.ALL))
    await world.restart()

    await world.outbox.put([retracted(2)])

    assert [item.chat for item in await world.take_all()] == [REF]


async def test_a_revision_that_comes_while_a_message_is_in_flight_follows_it(world: World) -> None:
    await world.follow(Chat(REF))
    await world.outbox.put([alert(1)])
    (item,) = await world.take_all()
    context = await world.load_context(item)
    assert context is not None
    await world.outbox.put([alert(2, "goal by Kane")])

    more = await world.complete(replace(context.delivery, message_id=9, seq=1))

    assert more is not None
    assert more.seq == 2


async def test_a_card_that_turns_red_reaches_chats_that_do_not_care_for_yellow_ones(world: World) -> None:
    await world.follow(Chat(REF))
    await world.outbox.put([minor(1)])
    assert await world.take_all() == []

    await world.outbox.put([alert(2, "red", rule="reds", kind="red_card")])

    assert len(await world.take_all()) == 1


async def test_the_rules_that_fired_are_known_after_a_restart(world: World) -> None:
    await world.outbox.put([minor(1)])
    await world.outbox.put([alert(2, rule="reds", kind="red_card")])
    await world.restart()

    assert await world.outbox.read_fired_rules(FIXTURE.id) == {"g": {"yellows", "reds"}}


async def test_a_chats_delay_holds_its_news_back(world: World) -> None:
    await world.follow(Chat(REF, delay=30))

    await world.outbox.put([alert()])

    (item,) = await world.take_all()
    assert item.due_at == NOW.timestamp() + 30


async def test_missed_news_is_in_one_digest_and_never_sent_by_itself(world: World) -> None:
    await world.follow(Chat(REF))
    world.clock.move_to(NOW + dt.timedelta(hours=1))
    await world.outbox.put([alert(1)])
    await world.outbox.put([alert(2, action="other")])
    await world.outbox.put([retracted(3, action="other")])
    await world.outbox.summarise_missed(FIXTURE.id)
    await world.restart()
    await world.outbox.summarise_missed(FIXTURE.id)

    (item,) = await world.take_all()
    context = await world.load_context(item)

    assert context is not None
    assert (item.key.action_id, [line.key.action_id for line in context.lines]) == ("summary:1", ["g"])


async def test_a_correction_of_missed_news_does_not_make_it_new(world: World) -> None:
    await world.follow(Chat(REF))
    world.clock.move_to(NOW + dt.timedelta(hours=1))
    await world.outbox.put([alert(1)])
    await world.outbox.put([alert(2, "goal by Kane", at=world.clock.now())])

    assert await world.take_all() == []


async def test_nothing_missed_needs_no_digest(world: World) -> None:
    await world.follow(Chat(REF))
    await world.outbox.put([alert()])
    await world.take_all()

    await world.outbox.summarise_missed(FIXTURE.id)

    assert await world.take_all() == []


async def test_what_waited_too_long_is_skipped_and_part_of_a_digest(world: World) -> None:
    await world.follow(Chat(REF))
    await world.outbox.put([alert()])
    (item,) = await world.take_all()
    context = await world.load_context(item)
    assert context is not None
    await world.complete(replace(context.delivery, reason=Reason.EXPIRED.value, rule="goals"))

    await world.outbox.summarise_missed(FIXTURE.id)

    assert [t.key.action_id for t in await world.take_all()] == ["summary:1"]


async def test_a_chat_that_has_the_goal_gets_no_message_of_what_disallows_it(world: World) -> None:
    await world.follow(Chat(REF, filter=AlertFilter(all_kinds=True)))
    await world.outbox.put([alert(1)])
    (item,) = await world.take_all()
    await world.record_sent(item)
    await world.outbox.put([alert(2, action="var", rule="var", kind="var", disallows_action="g")])

    (item,) = await world.take_all()
    context = await world.load_context(item)

    assert context is not None
    assert context.is_superseded


async def test_a_suspended_chats_messages_wait_for_its_return(world: World) -> None:
    await world.follow(Chat(REF))
    await world.outbox.put([alert()])
    (item,) = await world.take_all()
    await world.chats.suspend(REF.chat_id, "blocked")
    assert await world.load_context(item) is None

    await world.chats.resume(REF.chat_id)
    world.outbox.queue.rescan()

    assert [item.chat for item in await world.take_all()] == [REF]


async def test_a_small_match_is_not_kept_waiting_by_a_large_one(world: World) -> None:
    await world.follow(Chat(ChatRef(1)))
    await copy_chat(world.db, 1, range(2, 3 * PAGE_SIZE))
    small = replace(FIXTURE, id="small")
    await world.outbox.put([alert()])
    await world.outbox.put([replace(alert(), key=replace(alert().key, fixture_id="small"), fixture=small)])

    items = await world.take_all()

    assert {item.key.fixture_id for item in items} == {FIXTURE.id, "small"}


async def test_old_deliveries_are_deleted(world: World) -> None:
    await world.follow(Chat(REF))
    await world.outbox.put([alert()])
    (item,) = await world.take_all()
    await world.record_sent(item)
    world.clock.move_to(NOW + dt.timedelta(days=15))

    assert await world.outbox.prune(dt.timedelta(days=14)) == 1
    assert await world.outbox.read_fired_rules(FIXTURE.id) == {}


async def test_a_listing_outlives_its_kick_off_however_short_news_is_kept(world: World) -> None:
    listings = FixtureListingRepository(world.db, world.clock)
    await listings.save([StoredListing(FIXTURE)])
    kept = []
    for days in (1, 16, 31):
        world.clock.move_to(NOW + dt.timedelta(days=days))
        await world.outbox.prune(dt.timedelta(hours=12))
        kept.append(await listings.get(FIXTURE.id) is not None)

    assert kept == [True, True, False]


async def test_a_season_of_old_deliveries_is_deleted_in_small_transactions_and_news_is_put_between_them(world: World) -> None:
    await world.follow(Chat(ChatRef(1)))
    await copy_chat(world.db, 1, range(2, 451))
    for n in range(2):
        await world.outbox.put([alert(action=f"old {n}")])
    await world.take_all()
    world.clock.move_to(NOW + dt.timedelta(days=15))
    before = world.clock.now() - dt.timedelta(days=14)

    batches = []
    has_more = True
    while has_more:
        async with world.db.transaction() as tx:
            count, has_more = await delete_batch_before(tx, before, 200)
        batches.append(count)
        if len(batches) == 2:
            await world.outbox.put([alert(action="new", at=world.clock.now())])

    assert (sum(batches), max(batches)) == (900, 200)
    assert list(await world.outbox.read_fired_rules(FIXTURE.id)) == ["new"]
    await world.take_all()
    assert await world.outbox.prune(dt.timedelta(days=14)) == 0
    assert await _count_deliveries(world) == 450


async def _count_deliveries(world: World) -> int:
    async with world.db.transaction() as tx:
        (row,) = await tx.fetch(select(func.count().label("n")).select_from(entries))
    return int(row["n"])


async def test_a_message_is_uncertain_before_it_leaves_and_no_longer_once_it_is_known_that_it_never_arrived(world: World) -> None:
    await world.follow(Chat(REF))
    await world.outbox.put([alert()])
    (item,) = await world.take_all()

    (begun,) = await world.outbox.queue.begin(
        [item], lambda context: context.delivery, lambda delivery: replace(delivery, is_uncertain=True, body="goal")
    )
    await world.restart()
    uncertain = await world.load_context(item)
    assert begun and uncertain
    await world.outbox.queue.restore(begun[0].delivery)
    restored = await world.load_context(item)

    assert (uncertain.delivery.is_uncertain, uncertain.delivery.body, uncertain.delivery.is_sent) == (True, "goal", False)
    assert restored and restored.delivery == begun[0].delivery
