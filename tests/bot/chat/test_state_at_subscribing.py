"""A chat that subscribes in mid-match is told how the match stands; what had to wait for Telegram is drawn again."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from bot.chat.application import ROUTER
from bot.chat.dialogue import OutdatedButton, Screen, SendSample, Subscribe
from bot.chat.features.fixtures import show_live
from bot.chat.replies import ReplySender
from bot.chat.reply_retrier import LatestScreen
from bot.chat.services import ChatServices
from bot.chat.update_origin import UpdateOrigin
from bot.clock import ManualClock
from bot.fake_telegram.state import too_many
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import ChatRef, Scope, Subscription
from bot.telegram.messenger import build_bot
from rules.engine.alert import CARD, SHIPPED_KINDS
from rules.football.match import Match, Score
from rules.football.minute import Minute, Period
from tests.bot.chat.conftest import World
from tests.bot.chat.fixtures import ARSENAL, FIXTURES, NOW, KnownFixtures, make_context

ORIGIN = UpdateOrigin(ChatRef(42), "private", "Reader", 42, 1)
FIXTURE = FIXTURES[0]
IN_PLAY = Match(FIXTURE, Score(2, 1), period=Period.SECOND_HALF, minute=Minute(67), status="Live")
TEAM = Subscribe(Subscription(Scope.TEAM, ARSENAL.id, ARSENAL.name))


class SubscribingChat:
    """A chat that subscribes; records for which matches it was sent how they stand."""

    def __init__(self, db: Database, match: Match = IN_PLAY) -> None:
        self.states: list[tuple[str, str, int]] = []
        self.subscriptions = SubscriptionRepository(db)
        self.services = ChatServices(
            chats=ChatRepository(db),
            subscriptions=self.subscriptions,
            directory=KnownFixtures((FIXTURE,), match),
            list_kinds=lambda: SHIPPED_KINDS,
            clock=ManualClock(NOW),
            replies=ReplySender(build_bot("1:token", "http://127.0.0.1:9")),
            commands=ROUTER.menu,
            send_match_state=self.send,
        )

    async def send(self, ref: ChatRef, match: Match, name: str, delay: int) -> None:
        assert ref == ORIGIN.ref
        self.states.append((match.fixture.id, name, delay))


async def test_a_subscription_that_covers_a_match_in_play_brings_its_state_once(db: Database) -> None:
    chat = SubscribingChat(db)
    await chat.services.load_context(ORIGIN)

    await chat.services.apply_changes(ORIGIN.ref, [TEAM], "42:1")
    await chat.services.apply_changes(ORIGIN.ref, [Subscribe(Subscription(Scope.ALL))], "42:2")

    assert chat.states == [(FIXTURE.id, "42:1", 0)]


@pytest.mark.parametrize(
    "match",
    [
        replace(IN_PLAY, period=Period.BEFORE, status="Scheduled"),
        replace(IN_PLAY, ended_by="ft"),
        replace(IN_PLAY, status="Completed"),
        replace(IN_PLAY, status="Abandoned"),
    ],
)
async def test_a_match_that_has_not_begun_or_is_over_brings_none(db: Database, match: Match) -> None:
    chat = SubscribingChat(db, match)
    await chat.services.load_context(ORIGIN)

    await chat.services.apply_changes(ORIGIN.ref, [TEAM], "42:1")

    assert chat.states == []


async def test_a_chat_with_match_cards_gets_the_card_instead(db: Database) -> None:
    chat = SubscribingChat(db)
    await chat.services.load_context(ORIGIN)
    await ChatRepository(db).update(ORIGIN.ref, lambda chat: replace(chat, filter=replace(chat.filter, kinds_on={CARD})))

    await chat.services.apply_changes(ORIGIN.ref, [TEAM, SendSample()], "42:1")

    assert chat.states == []


async def test_live_that_waits_out_a_429_shows_the_score_of_when_it_is_sent(world: World) -> None:
    world.directory.known = (FIXTURE,)
    world.directory.play(IN_PLAY)
    world.api.fail("sendMessage", too_many(1))
    asking = asyncio.create_task(world.ask(42, 42, "/live"))
    await world.api.until(lambda: any(request.method == "sendMessage" for request in world.api.log))
    world.directory.play(replace(IN_PLAY, score=Score(1, 1)))

    answer = await asking

    assert "1–1" in answer.text and "2–1" not in answer.text


async def test_a_screen_that_cannot_be_drawn_again_stays_as_it_was() -> None:
    async def redraw() -> Screen:
        raise OutdatedButton

    latest = LatestScreen(Screen("2–1"), redraw)

    assert [(await latest.get()).html, (await latest.get()).html] == ["2–1", "2–1"]


def test_live_can_be_drawn_again_by_its_data() -> None:
    context = make_context(fixtures=FIXTURES, matches=(IN_PLAY,))

    screen = show_live(context)

    assert ROUTER.press_button(context, screen.redraw_data).screen == screen
