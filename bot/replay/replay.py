"""Sends a recording through the real line to one chat."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import structlog

from bot.clock import ManualClock
from bot.errors import FrameUnreadable, UserMistake
from bot.feed.decode import decode_frame
from bot.feed.recording import RecordedFrame, read_fixtures_beside, read_recording
from bot.matches.pipeline import Pipeline
from bot.media.renderer import PictureAttachment
from bot.outbox.delivery import DeliveryResult
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.html import to_one_line
from bot.telegram.plan import MessagePlan
from bot.telegram.rate_limits import Unlimited
from bot.telegram.sender import Sender
from rules.engine.alert import State
from rules.engine.rule import RuleSet
from rules.football.action import Fixture, Packet
from rules.football.catalogue import Catalogue

log = structlog.get_logger()

REPLAY_CHAT = ChatRef(1)


class ReplayedMessage(msgspec.Struct, frozen=True):
    """One message, edit or reply, as `replay --json` prints it; `home` and `away` leave a shootout apart."""

    at: str
    fixture_id: str
    action_id: str
    rule: str
    kind: str
    op: str
    state: str
    home: int
    away: int
    minute: str | None
    player: str | None
    text: str


class RecordingMessenger:
    """A chat that only counts its messages."""

    def __init__(self) -> None:
        self._last = 0

    async def send(
        self,
        chat: ChatRef,
        html: str,
        *,
        silent: bool,
        reply_to: int | None = None,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
    ) -> int:
        """Take a message; its number."""
        del chat, html, silent, reply_to, keyboard, picture
        self._last += 1
        return self._last

    async def edit(
        self,
        chat: ChatRef,
        message_id: int,
        html: str,
        *,
        keyboard: bytes | None = None,
        picture: PictureAttachment | None = None,
    ) -> None:
        """Take an edit."""

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """Take a pin."""


def _do_nothing(_: Pipeline) -> None:
    """Let the match be."""


async def replay_recording(
    path: Path,
    rules: RuleSet,
    names: Catalogue,
    show: Callable[[ReplayedMessage], None],
    meanwhile: Callable[[Pipeline], None] = _do_nothing,
) -> None:
    """Tell one recording from its first frame to its last; raise UserMistake where it cannot be read.

    `meanwhile` is called before every packet, as a reload would come between two.
    """
    frames = list(read_recording(path))
    if not frames:
        raise UserMistake(f"{path}: there is no frame in this recording")
    clock = ManualClock(frames[0].at)
    database = await Database.open("sqlite://")
    try:
        outbox = await _open_outbox(database, clock)
        sender = Sender(outbox.queue, RecordingMessenger(), Unlimited(), clock, MessageCollector(clock, show).on_delivered)
        await _play_frames(frames, read_fixtures_beside(path), Pipeline(rules, names, outbox), sender, clock, meanwhile)
    finally:
        await database.close()


async def _open_outbox(database: Database, clock: ManualClock) -> Outbox:
    """An outbox with one chat, which takes everything."""
    chats = ChatRepository(database)
    await chats.save(Chat(REPLAY_CHAT, filter=AlertFilter(all_kinds=True)))
    await SubscriptionRepository(database).add(REPLAY_CHAT, Subscription(Scope.ALL))
    return Outbox(database, clock)


async def _play_frames(
    frames: list[RecordedFrame],
    fixtures: dict[str, Fixture],
    pipeline: Pipeline,
    sender: Sender,
    clock: ManualClock,
    meanwhile: Callable[[Pipeline], None],
) -> None:
    opened: set[str] = set()
    for packet, at in _decode_packets(frames):
        clock.move_to(at)
        if packet.fixture_id not in opened:
            opened.add(packet.fixture_id)
            await pipeline.open(fixtures.get(packet.fixture_id, Fixture(packet.fixture_id)))
        meanwhile(pipeline)
        await pipeline.process(packet)
        await sender.send_all_due()
    for fixture_id in opened:
        await pipeline.close(fixture_id, clock.now())
        await sender.send_all_due()


def _decode_packets(frames: list[RecordedFrame]) -> Iterator[tuple[Packet, dt.datetime]]:
    unreadable: Counter[str] = Counter()
    for frame in frames:
        try:
            decoded = decode_frame(frame.frame, received=frame.at)
        except FrameUnreadable as error:
            unreadable[error.kind] += 1
            continue
        if isinstance(decoded, Packet):
            yield decoded, frame.at
    for kind, count in unreadable.items():
        log.warning("frames_skipped", kind=kind, count=count)


class MessageCollector:
    """Turns deliveries into rows. What is struck through shows the score that it was told with."""

    def __init__(self, clock: ManualClock, show: Callable[[ReplayedMessage], None]) -> None:
        self._clock, self._show = clock, show
        self._scores: dict[str, tuple[int, int]] = {}

    def on_delivered(self, plan: MessagePlan, result: DeliveryResult) -> None:
        """Show what a chat was sent just now."""
        del result
        alert = plan.alert
        struck = plan.operation == "edit" and alert.state is State.RETRACTED
        score = (alert.home_score, alert.away_score)
        home, away = self._scores.get(alert.key.action_id, score) if struck else score
        self._scores[alert.key.action_id] = (home, away)
        self._show(
            ReplayedMessage(
                at=self._clock.now().isoformat().replace("+00:00", "Z"),
                fixture_id=alert.key.fixture_id,
                action_id=alert.key.action_id,
                rule=alert.rule,
                kind=alert.kind,
                op=plan.operation,
                state=alert.state.value,
                home=home,
                away=away,
                minute=alert.facts.minute or None,
                player=alert.facts.player or None,
                text=plan.html,
            )
        )


def message_to_json(told: ReplayedMessage) -> str:
    """One object, one line."""
    return msgspec.json.encode(told).decode()


def message_to_text(told: ReplayedMessage) -> str:
    """The same for people: a time, a sign, the words in one line."""
    sign = {"send": "✉", "edit": "✎", "reply": "↩"}.get(told.op, told.op)
    return f"{told.at[11:19]}  {sign}  {to_one_line(told.text)}"
