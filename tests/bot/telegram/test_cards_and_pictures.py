"""Match cards and pictures: one message each, pinned, kept up to date, and never in the way of news."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bot.errors import TelegramUnreachable
from bot.media.renderer import PictureAttachment, PictureRenderer
from bot.outbox.delivery import Delivery, Reason
from bot.telegram.execute import execute
from bot.telegram.limits.rate_limits import RateLimiter
from bot.telegram.plan import Send
from rules.engine.alert import PICTURE, Alert
from rules.football.timeline import Timeline
from tests.bot.media.timelines import full
from tests.bot.news import LIVE_KINDS, NOW, REF, alert, match_card, minor
from tests.bot.telegram.conftest import World
from tests.fakes.messenger import FakeMessenger

pytestmark = pytest.mark.virtual_time


def pictured(timeline: Timeline, text: str = "<b>half time</b>") -> Alert:
    """The picture of a match."""
    return minor(1, text, action="picture:half_time", rule=PICTURE, kind=PICTURE, timeline=timeline)


async def stand(world: World, *alerts: Alert, seconds: float = 1.0) -> None:
    """Show how things stand, one after the other, each with so much time to be sent."""
    for one in alerts:
        await world.outbox.put_live(one)
        await world.send(seconds=seconds)


async def test_a_card_is_sent_silently_pinned_edited_and_unpinned_at_the_end(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)

    await stand(world, match_card(), match_card("1–0"), match_card("1–0, full time", is_match_over=True))

    (shown,) = world.shown()
    assert (shown.versions, shown.silent, shown.pinned) == (["0–0", "1–0", "1–0, full time"], True, False)
    assert [op for _, op, _ in world.telegram.requests] == ["send", "pin", "edit", "edit", "unpin"]
    assert [plan.operation for plan, _ in world.delivered] == ["send", "edit", "edit"]


async def test_a_card_that_was_not_pinned_when_the_process_died_is_pinned_after_the_restart(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    await world.outbox.put_live(match_card())
    (send,) = await world.sender._start_next(1)
    await send
    await world.sender._commit_completed()
    await world.restart()

    await world.sender.send_all_due()

    assert [shown.pinned for shown in world.shown()] == [True]


async def test_a_pin_that_telegram_does_not_answer_is_tried_again(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    await world.outbox.put_live(match_card())
    (send,) = await world.sender._start_next(1)
    await send
    world.telegram.fail(1, TelegramUnreachable("502", maybe_sent=True))

    await world.send(seconds=5)

    assert [shown.pinned for shown in world.shown()] == [True]


async def test_a_card_that_somebody_deletes_is_sent_anew_at_once_and_only_once(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    await stand(world, match_card())
    for text in ("1–0", "2–0"):
        world.telegram.chats[1].clear()
        await stand(world, match_card(text))
        if text == "1–0":
            assert [(shown.versions, shown.pinned) for shown in world.shown()] == [(["1–0"], True)]

    assert not world.shown()
    assert sum(op == "send" for _, op, _ in world.telegram.requests) == 2


async def test_only_the_latest_of_a_card_is_sent_and_what_happened_goes_first(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    for text in ("0–0", "1–0", "2–0"):
        await world.outbox.put_live(match_card(text))
    await world.outbox.put([alert()])

    await world.sender.send_all_due()

    assert [shown.versions for shown in world.shown()] == [["goal"], ["2–0"]]


async def test_a_card_begins_no_burst_and_waits_for_none(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS, digests=True)

    await stand(world, match_card())
    await world.send(alert())
    await stand(world, pictured(full()))

    assert [shown.at < 3 for shown in world.shown()[:2]] == [True, True]
    assert [shown.text for shown in world.shown()] == ["0–0", "goal", "half time"]


async def test_cards_leave_room_for_news_in_a_group_however_many_they_are(world: World) -> None:
    world.limits = RateLimiter()
    await world.restart()
    await world.follow(-1, kinds_on=LIVE_KINDS)
    async with world.sending():
        for number in range(30):
            one = match_card(f"0–{number}")
            await world.outbox.put_live(
                replace(one, key=replace(one.key, fixture_id=f"f{number}"), fixture=replace(one.fixture, id=f"f{number}"))
            )
        await asyncio.sleep(40)
        before = len(world.shown(-1))
        await world.outbox.put([alert()])
        await asyncio.sleep(4)

    assert before < 20
    assert "goal" in [shown.html for shown in world.shown(-1)]


async def test_a_picture_is_a_photo_and_a_correction_puts_another_in_its_place(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    await world.follow(2)
    before, after = full(), replace(full(), competition="Cup")

    await stand(world, pictured(before))
    first = world.shown()[0].photo
    await stand(world, pictured(after))

    (shown,) = world.shown()
    assert (shown.text, shown.silent, first[:4], shown.photo[:4]) == ("half time", True, b"\x89PNG", b"\x89PNG")
    assert shown.photo != first and not world.shown(2)


async def test_the_words_below_a_picture_are_cut_and_where_scores_are_hidden_so_is_the_picture(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS, spoilers=True)

    await stand(world, pictured(full(), "<b>" + "x" * 2000 + "</b>"))

    (shown,) = world.shown()
    assert (shown.text[-2:], len(shown.text) <= 1024, shown.is_spoiler) == ("x…", True, True)


async def test_a_picture_is_in_the_language_of_its_chat(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS, language="de")
    await world.follow(2, kinds_on=LIVE_KINDS)

    await stand(world, replace(pictured(replace(full(), kickoff=NOW)), texts={"de": "Halbzeit"}))

    assert [world.shown(chat)[0].text for chat in (1, 2)] == ["Halbzeit", "half time"]
    assert world.shown(1)[0].photo != world.shown(2)[0].photo


async def test_news_does_not_wait_while_a_picture_is_drawn(world: World) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    await world.outbox.put_live(pictured(replace(full(), competition="Drawn for the first time")))
    await world.sender._start_next(1)
    await world.outbox.put([alert()])

    await world.sender.send_all_due()

    assert [(shown.text, bool(shown.photo)) for shown in world.shown()] == [("goal", False), ("half time", True)]


async def test_a_picture_that_cannot_be_drawn_leaves_its_words() -> None:
    pictures, drawn = PictureRenderer(), asyncio.Event()
    picture = PictureAttachment(replace(full(), kickoff="yesterday"), "", is_spoiler=False)  # type: ignore[arg-type]

    assert pictures.get_or_start(picture, drawn.set) is None
    await drawn.wait()

    telegram, words = FakeMessenger(), alert(text="<b>1–0</b>")
    png = pictures.get_or_start(picture, drawn.set)
    plan = Send(Delivery(words.key, REF), words, words.text, True, Reason.FIRST, picture=replace(picture, png=png))
    await execute(telegram, REF, plan)

    (shown,) = telegram.chats[REF.chat_id]
    assert (png, shown.html, shown.photo) == (b"", "<b>1–0</b>", b"")


@pytest.mark.parametrize("is_plain", [False, True])
async def test_a_caption_that_telegram_does_not_take_is_sent_without_its_formatting(is_plain: bool) -> None:
    messenger = FakeMessenger()
    picture = PictureAttachment(full(), "en", is_spoiler=False, png=b"png", caption="<b>1–0</b> <big>Saka</big>")
    plan = Send(Delivery(pictured(full()).key, REF), pictured(full()), "the whole text", True, Reason.FIRST, picture=picture)

    await execute(messenger, REF, plan, is_plain=is_plain)

    (shown,) = messenger.chats[REF.chat_id]
    assert (shown.html, shown.photo) == ("1–0 Saka", b"png")
