"""What is put into the outbox while a match goes on: each thing that happened at once, mere minutes now and then."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.fake_telegram.rich import read_rich_message
from bot.i18n.language import CHOICES
from bot.matches.live_messages import REFRESH_INTERVAL, LiveMessageUpdater, make_card_alert
from bot.subscribers import CardForm, ChatRef
from rules.engine.alert import CARD
from rules.football.match import Match
from tests.bot.news import LIVE_KINDS
from tests.bot.telegram.conftest import World
from tests.fakes.messenger import ShownMessage
from tests.packets import KICKOFF, Story
from tests.sqlite import new_sqlite
from tests.tasks import cancel_tasks

pytestmark = pytest.mark.virtual_time


class MatchWorld(World):
    """A match, the extras that show it, and a sender that brings them to chats."""

    async def open(self) -> None:
        await super().open()
        self.live: list[Match] = getattr(self, "live", [])
        self.extras = LiveMessageUpdater(
            lambda: self.live,
            self.outbox,
            self.chats.has_live_message_chats,
            self.chats.list_table_languages,
            self.clock,
            can_draw=True,
        )

    async def play(self, *matches: Match, each: float = 3.0) -> None:
        """Let a match stand so, one after the other, each for so many seconds."""
        works = [asyncio.create_task(work) for work in (self.extras.run(), self.sender.run())]
        for match in matches:
            self.live = [match]
            await asyncio.sleep(each)
        await cancel_tasks(*works)

    def card(self, chat_id: int = 1) -> ShownMessage:
        """The one message that is no picture."""
        (card,) = [shown for shown in self.shown(chat_id) if not shown.photo]
        return card

    def pictures(self, chat_id: int = 1) -> list[str]:
        """The first lines below the pictures."""
        return [shown.text.replace("\n", " · ") for shown in self.shown(chat_id) if shown.photo]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[MatchWorld]:
    made = MatchWorld(new_sqlite(tmp_path))
    await made.open()
    yield made
    await made.db.close()


def played_steps() -> list[Match]:
    """A match with a goal in each half, step by step; its second goal falls after the end."""
    story = Story()
    steps = [story.match]
    for kind, minute, more in (
        ("Start Period", 1, {}),
        ("Goal", 10, {"action": "g1", "side": "home", "player": "Saka", "score": (1, 0)}),
        ("End Period", 45, {}),
        ("Start Period", 46, {}),
        ("Goal", 70, {"action": "g2", "side": "home", "player": "Rice", "score": (2, 0)}),
        ("End Match", 90, {"action": "end", "status": "Completed"}),
    ):
        story.add(kind, minute=minute, **more)  # type: ignore[arg-type]
        steps.append(story.match)
    story.goal("g2", send="Deleted", minute=90, score=(1, 0))
    return [_fresh(match) for match in (*steps, story.match)]


def _fresh(match: Match) -> Match:
    """The same with an end that came a minute before the clock of these tests began."""
    end = match.records.get("end")
    if end is None:
        return match
    at = KICKOFF + dt.timedelta(minutes=29)
    return replace(match, records=match.records | {"end": replace(end, action=replace(end.action, at=at))})


async def test_a_match_is_one_card_and_two_pictures_which_a_late_correction_puts_right(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    *steps, corrected = played_steps()
    await world.play(*steps)
    before = [shown.photo for shown in world.shown() if shown.photo]
    await world.play(corrected)

    after = [shown.photo for shown in world.shown() if shown.photo]
    assert world.card().text.split("\n")[:2] == ["Arsenal 1–0 Chelsea", "Full time · Premier League"]
    assert len(world.card().versions) == 7 and not world.card().pinned
    assert world.pictures() == [
        "Arsenal 1–0 Chelsea · Half time · Premier League",
        "Arsenal 1–0 Chelsea · Full time · Premier League",
    ]
    assert [one == other for one, other in zip(before, after, strict=True)] == [True, False]


async def test_where_nobody_asks_nothing_is_made(world: MatchWorld) -> None:
    await world.follow(1)

    await world.play(*played_steps())

    assert await world.outbox.read_fired_rules("f1") == {} and not world.shown()


async def test_what_happens_is_shown_at_once_and_mere_minutes_now_and_then(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    story = Story()
    story.add("Start Period", minute=1)
    minutes = [story.add("Corner", minute=minute).after for minute in range(2, 22)]
    await world.play(*minutes, each=REFRESH_INTERVAL / 10)
    quiet = len(world.card().versions)
    await world.play(story.goal(minute=22, player="Saka", score=(1, 0)).after, each=2.0)

    assert quiet == 2
    assert "Saka" in world.card().text


async def test_a_chat_that_asks_in_the_middle_gets_the_card_soon_and_no_old_picture(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    steps = played_steps()
    await world.play(*steps[:5])
    await world.follow(2, kinds_on=LIVE_KINDS)

    await world.play(steps[5], each=REFRESH_INTERVAL + 2)

    assert "Rice" in world.card(2).text and not world.pictures(2)


async def test_after_a_restart_the_same_messages_go_on(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    steps = played_steps()
    await world.play(*steps[:4])
    await world.restart()

    await world.play(*steps[3:7])

    assert "Full time" in world.card().text and len(world.pictures()) == 2


async def test_a_match_that_ended_long_ago_is_put_right_and_not_shown_anew(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    *steps, last = played_steps()
    await world.play(*steps[:6])
    await world.follow(2, kinds_on=LIVE_KINDS)
    end = last.records["end"]
    old = replace(
        last, records=last.records | {"end": replace(end, action=replace(end.action, at=KICKOFF - dt.timedelta(hours=3)))}
    )

    await world.extras.on_match_over(old)
    await world.sender.send_all_due()

    assert "Full time" in world.card().text and not world.shown(2)


async def test_a_match_whose_end_was_not_seen_has_no_picture_of_it(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    story = Story()
    story.add("Corner", minute=60)
    await world.play(story.match)
    story.add("Corner", minute=80, status="Completed")

    await world.extras.on_match_over(story.match)
    await world.sender.send_all_due()

    assert "end not seen" in world.card().text and not world.pictures()


async def test_what_is_corrected_after_the_end_corrects_the_card_and_the_picture(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    story = Story()
    story.add("Start Period", minute=1)
    story.goal("g", minute=40, player="Saka", score=(1, 0))
    story.add("End Match", action="end", minute=94, status="Completed")
    await world.play(story.match)
    await world.extras.on_match_over(story.match)
    await world.sender.send_all_due()
    ended = world.card().text, world.pictures()[-1]

    story.goal("g", send="Deleted", minute=94, score=(0, 0), status="Completed")
    await world.play(story.match)

    assert "1–0" in ended[0] and ended[1].startswith("Arsenal 1–0 Chelsea · Full time")
    assert "0–0" in world.card().text and world.pictures()[-1].startswith("Arsenal 0–0 Chelsea · Full time")


async def test_a_card_whose_end_was_not_seen_says_so_until_the_end_comes_and_goes_on_where_the_match_does(
    world: MatchWorld,
) -> None:
    await world.follow(1, kinds_on=(CARD,))
    story = Story()
    story.add("Corner", minute=80, status="Completed")
    await world.play(story.match)
    await world.extras.on_match_over(story.match)
    await world.sender.send_all_due()
    unseen = [world.card().text]
    await world.play(story.match, each=2 * REFRESH_INTERVAL)
    unseen.append(world.card().text)
    story.add("End Match", action="end", minute=94, status="Completed")
    await world.play(story.match)
    await world.extras.on_match_over(story.match)
    await world.sender.send_all_due()
    ended = world.card().text
    story.add("End Match", "Deleted", "end", minute=95, status="Live")
    await world.play(story.match, each=2 * REFRESH_INTERVAL)

    assert ["end not seen" in text for text in (*unseen, ended, world.card().text)] == [True, True, False, False]
    assert "Full time" in ended and "Full time" not in world.card().text


async def test_a_match_that_cannot_be_shown_keeps_no_other_from_being(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS)
    good = played_steps()[1]
    broken = replace(good, fixture=replace(good.fixture, id="f0"), records=None)  # type: ignore[arg-type]
    world.live = [broken, good]

    await world.extras.update_all()
    await world.sender.send_all_due()

    assert "Arsenal 0–0 Chelsea" in world.card().text


async def test_a_chat_with_a_delay_sees_its_card_as_old_as_its_picture(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=LIVE_KINDS, delay=30)
    steps = played_steps()

    await world.play(*steps[1:7], each=10.0)
    meanwhile, pictures = world.card().text, world.pictures()
    await world.play(steps[6], each=40.0)

    assert "Half time" in meanwhile and "Rice" not in meanwhile and len(pictures) == 1
    assert "Full time" in world.card().text and len(world.pictures()) == 2


async def test_a_group_that_moves_gets_its_card_once_in_the_new_place(world: MatchWorld) -> None:
    await world.follow(-1, kinds_on=LIVE_KINDS)
    steps = played_steps()
    await world.play(*steps[:3])
    await world.chats.migrate(-1, -2)
    world.outbox.queue.rescan()

    await world.play(*steps[3:6])

    assert "Rice" in world.card(-2).text and world.card(-2).pinned


async def test_a_card_as_a_picture_is_drawn_when_something_happens_and_its_caption_follows_the_minutes(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=frozenset({CARD}), card_form=CardForm.PICTURE)
    story = Story()
    story.add("Start Period", minute=1)
    minutes = [story.add("Corner", minute=minute).after for minute in range(2, 6)]
    goal = story.goal(minute=6, player="Saka", score=(1, 0)).after
    await world.play(minutes[0])
    drawn = world.shown()[0].photo
    await world.play(*minutes[1:], each=REFRESH_INTERVAL + 2)
    same = world.shown()[0].photo
    await world.play(goal)

    (shown,) = world.shown()
    assert same == drawn != shown.photo
    assert len(shown.versions) == 5 and shown.text.startswith("Arsenal 1–0 Chelsea\nFirst half · 6'")


async def test_a_rich_card_of_every_step_of_a_match_is_one_that_telegram_takes() -> None:
    for match in played_steps():
        made = make_card_alert(match, KICKOFF, is_closed=False, table_languages=CHOICES)
        for html in made.rich_texts.values():
            read_rich_message({"html": html})

    assert set(made.rich_texts) >= {"en", "de", "es", "fr", "it", "pt"}
    assert made.timeline is not None and made.timeline.minute is None


async def test_a_card_is_made_as_a_table_only_in_the_languages_of_chats_that_have_chosen_tables(world: MatchWorld) -> None:
    await world.follow(1, kinds_on=frozenset({CARD}), card_form=CardForm.RICH, language="pt-PT")
    await world.follow(2, kinds_on=frozenset({CARD}), language="de")
    await world.follow(3, kinds_on=frozenset({CARD}), card_form=CardForm.RICH, language="it", spoilers=True)
    await world.follow(4, card_form=CardForm.RICH, language="fr")
    first = await world.chats.list_table_languages()
    await world.play(played_steps()[2])
    shown = [world.card(chat).rich for chat in (1, 2)]

    await world.chats.update(ChatRef(2), lambda chat: replace(chat, card_form=CardForm.RICH))
    await world.play(played_steps()[2], each=REFRESH_INTERVAL + 2)

    assert first == {"pt-PT"}
    assert "Golo" in shown[0] or "Saka" in shown[0]
    assert shown[1] == "" and "Halbzeit" in world.card(2).rich
