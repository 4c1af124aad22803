"""The real bot on a clock that stands still, between a strict Bot API on loopback and matches told by a script."""

from __future__ import annotations

import asyncio
import datetime as dt
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiohttp

from bot.app.chat_worker import ChatWorker
from bot.app.feed_worker import FeedWorker
from bot.app.sender_worker import SenderWorker
from bot.app.services import Services
from bot.clock import ManualClock
from bot.config.load import load_config
from bot.fake_telegram import Message
from bot.fake_telegram.html import parse
from bot.storage.database import Database
from bot.telegram.http import ApiHealth
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.messenger import BotMessenger, build_bot
from docs.screens.shown import Bubble, Screen
from rules.football.action import Fixture, Packet
from rules.football.match import Match
from rules.scenarios.builder import build_packets
from rules.scenarios.scenario import Scenario
from tests.fakes.bot_api import FakeBotApi
from tests.sqlite import new_sqlite
from tests.waiting import until

ADMIN = 7
ME = 42
YOU = "You"
TOKEN = "123456789:AAscreensOfTheDocumentation00000000000"  # noqa: S105  # no secret
CONFIG = f"feed: {{token: none}}\ntelegram: {{token: '{TOKEN}', admins: [{ADMIN}]}}\nstorage: {{url: 'sqlite://'}}\n"


class Stage:
    """One bot with its chats; what is said and pressed is answered before the next line runs."""

    def __init__(self, api: FakeBotApi, common: Services, fixtures: Sequence[Fixture], played: Sequence[Scenario]) -> None:
        assert isinstance(common.clock, ManualClock)  # noqa: S101  # as stage gives it
        self.api, self.clock, self.common = api, common.clock, common
        common.messenger = cast("BotMessenger", _Slowly(common.messenger, self.clock))
        self.feeding, self.sending = FeedWorker(common), SenderWorker(common)
        self.chatting = ChatWorker(common, self, self._status, self._unknown_names)
        self._fixtures, self._times, self._files = tuple(fixtures), dict[int, dt.datetime](), dict[int, str]()
        self._by: dict[int, int] = {}
        self._kickoff = _kickoff(played)
        self._packets = sorted((packet for one in played for packet in build_packets(one)), key=lambda packet: packet.at)
        self.toast = ""

    def fixtures(self) -> tuple[Fixture, ...]:
        """The fixtures of these days."""
        return self._fixtures

    def match(self, fixture_id: str) -> Match | None:
        """How a match stands."""
        return self.feeding.pipeline.match(fixture_id)

    async def _status(self) -> str:
        return "1 match is followed."

    async def _unknown_names(self) -> list[str]:
        return []

    async def say(self, text: str, chat: int = ME, user: int = ME, **more: Any) -> Message:
        """Somebody writes, and the bot answers."""
        self._pass(1)
        self.toast = ""
        said = self.api.say(chat, user, text, **more)
        self._by[said.id] = user
        self._note(chat)
        await self._dealt_with()
        self.clock.move_to(self.clock.now() + dt.timedelta(milliseconds=40))
        await self._deliver()
        self._note(chat)
        return said

    async def tap(self, label: str, chat: int = ME, user: int = ME, message: Message | None = None) -> None:
        """Somebody presses a button of the latest message, or of this one."""
        self._pass(1)
        pressed = message or self.api.chat(chat).last
        query = self.api.press(chat, user, pressed, pressed.button(label).data)
        await self._dealt_with()
        self.toast = str((self.api.answer(query) or {}).get("text") or "")
        self._note(chat)

    async def play(self, until: dt.timedelta) -> None:
        """The matches go on until so long after their kick-off."""
        while self._packets and self._packets[0].at <= self._kickoff + until:
            await self._hear(self._packets.pop(0))
        if self.clock.now() < self._kickoff + until:
            self.clock.move_to(self._kickoff + until)
        await self._deliver()

    async def _hear(self, packet: Packet) -> None:
        """One packet, to the chats: its frame comes a little after the feed's stamp, and Telegram takes a moment."""
        self.clock.move_to(max(self.clock.now(), packet.at) + dt.timedelta(milliseconds=640))
        received = self.clock.now() - dt.timedelta(milliseconds=2)
        await self.feeding.pipeline.process(packet, received.timestamp())
        await self.feeding.live_messages.update_all()
        self.clock.move_to(self.clock.now() + dt.timedelta(milliseconds=3))
        await self._deliver()

    async def _deliver(self) -> None:
        """Send what is due; a picture is drawn first, beside everything else."""
        await self.sending.sender.send_all_due()
        if await self.common.chats.has_live_message_chats():
            await until(self._nothing_waits)
        for chat in self.api.chats:
            self._note(chat)

    async def _nothing_waits(self) -> bool:
        await self.sending.sender.send_all_due()
        return not await self.common.outbox.count_waiting()

    async def send(self, name: str, content: bytes, chat: int) -> None:
        """Somebody sends a file, and the bot answers."""
        self._pass(1)
        self._files[self.api.send_document(chat, chat, name, content).id] = name
        await self._dealt_with()
        self._note(chat)

    async def inline(self, words: str) -> tuple[Screen, Screen]:
        """Somebody types after the bot's name in another chat: what is offered, and what the first offer puts there."""
        self._pass(1)
        query = self.api.inline(ME, words)
        await self._dealt_with()
        offers, now = self.api.inline_answers[query], f"{self.clock.now():%H:%M}"
        rows = tuple((f"{one['title']} · {one['description']}",) for one in offers)
        typed = Bubble("", f"@touchline_bot {words}", rows=rows, at=now, mine=True)
        card = parse(offers[0]["input_message_content"]["message_text"])
        shared = Bubble("", card.text, tuple(card.entities), at=now, mine=True)
        return Screen("Ana", "online", (typed,), "typed in any chat"), Screen("Ana", "online", (shared,), "and shared")

    async def _dealt_with(self) -> None:
        """Until the bot has fetched everything that was said and has dealt with it."""
        await self.api.until(lambda: not self.api.updates)
        await self.chatting._application.update_queue.join()

    def _pass(self, seconds: float) -> None:
        self.clock.move_to(self.clock.now() + dt.timedelta(seconds=seconds))

    def _note(self, chat: int) -> None:
        for message in self.api.chat(chat).everything:
            self._times.setdefault(message.id, self.clock.now())

    def screen(self, says: str = "", *, chat: int = ME, last: int = 6, title: str = "", below: str = "bot") -> Screen:
        """How the chat looks now: its latest messages."""
        self._note(chat)
        found = [m for m in self.api.chat(chat).everything if not m.deleted][-last:]
        toast, self.toast = self.toast, ""
        pinned = next((m.text.split("\n")[0] for m in self.api.chat(chat).everything if m.pinned and not m.deleted), "")
        return Screen(title or "Touchline", below, tuple(map(self._bubble, found)), says, toast, pinned)

    def _bubble(self, message: Message) -> Bubble:
        answered = self.api.chat(message.chat_id).find(message.reply_to) if message.reply_to else None
        sender = self._sender(message)
        return Bubble(
            sender if message.chat_id < 0 and self.api.chat(message.chat_id).type != "channel" else "",
            f"📋 {self._files[message.id]}" if message.id in self._files else message.text,
            tuple(message.now.parsed.entities),
            tuple(tuple(button.text for button in row) for row in message.buttons),
            f"{self._times[message.id]:%H:%M}",
            mine=sender == YOU,
            edited=any(later.html != message.versions[0].html for later in message.edits) and not message.buttons,
            silent=message.silent,
            answers=(self._sender(answered), answered.text.split("\n")[0]) if answered else None,
            photo=message.photo,
            hidden=message.spoiler,
        )

    def _sender(self, message: Message) -> str:
        """Who sent a message; in a group somebody else may."""
        if message.by_bot:
            return "Touchline"
        return "Ana" if message.chat_id < 0 and self._by.get(message.id) == ADMIN else YOU


def _kickoff(played: Sequence[Scenario]) -> dt.datetime:
    kickoff = played[0].fixture.kickoff
    assert kickoff  # noqa: S101  # the scenario says when
    return kickoff


class _Slowly:
    """A messenger whose every request takes a moment of the clock that stands still."""

    def __init__(self, messenger: object, clock: ManualClock) -> None:
        self._messenger, self._clock = messenger, clock

    def __getattr__(self, name: str) -> Any:
        request = getattr(self._messenger, name)

        async def taken(*words: Any, **more: Any) -> Any:
            answer = await request(*words, **more)
            self._clock.move_to(self._clock.now() + dt.timedelta(milliseconds=47))
            return answer

        return taken


@asynccontextmanager
async def stage(fixtures: Sequence[Fixture], played: Sequence[Scenario]) -> AsyncIterator[Stage]:
    """Open everything two hours before matches that begin together; leaving closes it."""
    clock = ManualClock(_kickoff(played) - dt.timedelta(hours=2))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "config.yaml"
        path.write_text(CONFIG, encoding="utf-8")
        config = load_config(path, {})
        database = await Database.open(new_sqlite(Path(folder)))
        async with FakeBotApi(TOKEN) as api, aiohttp.ClientSession() as http, build_bot(TOKEN, api.url) as bot:
            made = Stage(
                api, Services(config, clock, database, "screens", bot, Unlimited(), http, ApiHealth(clock)), fixtures, played
            )
            for scenario in played:
                await made.feeding.pipeline.open(scenario.fixture)
                await made.feeding.pipeline.on_caught_up(scenario.fixture.id)
            answering = [asyncio.create_task(work) for work in made.chatting.background_work()]
            try:
                yield made
            finally:
                for task in answering:
                    task.cancel()
                await asyncio.gather(*answering, return_exceptions=True)
                await database.close()
