"""Match cards in the outbox: the latest is all that counts, and only those get them who ask."""

from __future__ import annotations

from msgspec.structs import replace

from bot.outbox.decide import decide
from bot.outbox.delivery import Delivery, DeliveryStatus, Reason
from bot.outbox.news import LIVE_MESSAGE_PRIORITY
from bot.subscribers import AlertFilter, Chat, ChatRef, Recipient, Scope, Subscription
from rules.engine.alert import CARD
from rules.football.action import Team
from tests.bot.news import NOW, REF, alert, delivered, match_card, news
from tests.bot.outbox.conftest import World
from tests.packets import FIXTURE
from tests.rows import copy_chat

ASKING = Chat(REF, filter=AlertFilter(all_kinds=True, kinds_on=frozenset({CARD})))


async def test_a_card_reaches_those_who_ask_for_cards_and_nobody_who_takes_everything(world: World) -> None:
    await world.follow(
        ASKING,
        Chat(ChatRef(8), filter=AlertFilter(all_kinds=True)),
        Chat(ChatRef(9), filter=AlertFilter(kinds_on=frozenset({"picture"}))),
    )

    await world.outbox.put_live(match_card())

    assert [(t.chat, t.priority) for t in await world.take_all()] == [(REF, LIVE_MESSAGE_PRIORITY)]


async def test_a_card_that_stands_so_already_is_no_revision_also_after_a_restart(world: World) -> None:
    await world.follow(ASKING)
    await world.outbox.put_live(match_card())
    (item,) = await world.take_all()
    await world.record_sent(item)
    await world.restart()

    await world.outbox.put_live(match_card(at=NOW.replace(hour=15)))
    assert await world.take_all() == []
    await world.outbox.put_live(match_card("1–0"))

    assert [(t.chat, t.seq) for t in await world.take_all()] == [(REF, 2)]


async def test_a_chat_that_asks_in_the_middle_of_a_match_gets_the_card_as_it_stands(world: World) -> None:
    await world.follow(ASKING)
    await world.outbox.put_live(match_card())
    await world.take_all()
    await world.follow(replace(ASKING, ref=ChatRef(8)))

    await world.outbox.put_live(match_card())

    assert [t.chat for t in await world.take_all()] == [ChatRef(8)]


async def test_more_chats_than_fit_in_a_page_are_all_reached(world: World) -> None:
    await world.follow(replace(ASKING, ref=ChatRef(1)))
    await copy_chat(world.db, 1, range(2, 203))

    await world.outbox.put_live(match_card())

    assert len(await world.take_all()) == 202


async def test_what_was_never_begun_stays_so(world: World) -> None:
    await world.follow(ASKING)

    await world.outbox.put_live(match_card(), reach_new_chats=False)
    await world.outbox.put_live(match_card(at=NOW.replace(hour=12)))

    assert await world.take_all() == []


async def test_a_muted_chat_gets_the_card_once_it_is_muted_no_more(world: World) -> None:
    await world.follow(replace(ASKING, muted_until=NOW.replace(hour=20)))
    await world.outbox.put_live(match_card())
    assert await world.take_all() == []
    await world.chats.save(ASKING)

    await world.outbox.put_live(match_card("1–0"))

    assert [t.chat for t in await world.take_all()] == [REF]


async def test_old_news_in_one_message_leaves_the_card_out(world: World) -> None:
    await world.follow(ASKING)
    await world.outbox.put([alert(1, at=NOW.replace(hour=13))])
    await world.outbox.put_live(match_card())
    await world.take_all()
    world.clock.move_to(NOW.replace(hour=18))
    await world.follow(replace(ASKING, ref=ChatRef(8)))
    await world.outbox.put_live(match_card("1–0"))
    await world.take_all()

    await world.outbox.summarise_missed(match_card().key.fixture_id)

    digest, _ = [t for t in await world.take_all() if t.key.action_id.startswith("summary")]
    context = await world.load_context(digest)
    assert context is not None and context.news.line_ids == ("g",)


def test_a_card_that_was_told_goes_on_whatever_is_muted_since() -> None:
    before, now = match_card(), replace(match_card("1–0"), seq=2)
    muted = replace(ASKING, muted_until=NOW.replace(hour=20))

    assert decide(delivered(before), news(now), Recipient(muted), NOW).reason is Reason.REVISION
    assert (
        decide(Delivery(now.key, REF, DeliveryStatus.DROPPED, Reason.POSTPONED), news(now), Recipient(muted), NOW).reason
        is Reason.POSTPONED
    )


async def test_a_match_is_asked_for_by_its_followers_alone_and_by_those_who_have_its_card(world: World) -> None:
    other = replace(FIXTURE, id="f2", home=Team("x", "Lyon"), away=Team("y", "Nice"), competition=Team("z", "Ligue 1"), name="")
    await world.chats.save(ASKING)
    team = Subscription(Scope.TEAM, FIXTURE.home.id)
    await world.subscriptions.add(REF, team)

    assert [await world.outbox.is_live_message_wanted(fixture) for fixture in (FIXTURE, other)] == [True, False]
    await world.outbox.put_live(match_card())
    await world.subscriptions.remove(REF, team)
    assert await world.outbox.is_live_message_wanted(FIXTURE)
