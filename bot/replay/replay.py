"""Replays a match through the real pipeline and sender, and reports each message that one chat would get."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec
import structlog

from bot.clock import ManualClock
from bot.errors import FrameUnreadable, UserMistake
from bot.feed.decode import decode_frame
from bot.feed.match_source import MatchSource
from bot.feed.recording import RecordedFrame
from bot.matches.pipeline import Pipeline
from bot.outbox.outbox import Outbox
from bot.storage.chats import ChatRepository
from bot.storage.database import Database
from bot.storage.subscriptions import SubscriptionRepository
from bot.subscribers import AlertFilter, Chat, ChatRef, Scope, Subscription
from bot.telegram.html import to_one_line
from bot.telegram.limits.rate_limits import Unlimited
from bot.telegram.plan import MessagePlan, Reply, Send
from bot.telegram.sender import Sender
from rules.engine.alert import State
from rules.engine.rule import RuleSet
from rules.engine.text import Wording
from rules.football.action import Fixture, Packet
from rules.football.catalogue import Catalogue
from rules.football.match import Match
from rules.football.playback import merge_in_time
from rules.football.relisting import compare_listing

if TYPE_CHECKING:  # it imports python-telegram-bot, which a replay does without
    from bot.telegram.messenger import Messenger

log = structlog.get_logger()

REPLAY_CHAT = ChatRef(1)


class ReplayedMessage(msgspec.Struct, frozen=True):
    """One message, edit or reply. The field names are keys of `replay --json`. `home` and `away` do not count a shootout."""

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
    silent: bool = True
    """False: the phone rings. An edit never does."""


async def replay_match(
    match: MatchSource,
    rules: RuleSet,
    catalogue: Catalogue,
    on_message: Callable[[ReplayedMessage], None],
    before_packet: Callable[[Pipeline], None] | None = None,
) -> None:
    """Replay a match for a chat that gets everything: what a real chat gets of it depends on its settings alone.

    Messages come in sending order. `before_packet` is called before every packet, where a reload of the rules would take effect.
    Raises UserMistake if a recording cannot be read.
    """
    chat = Chat(REPLAY_CHAT, filter=AlertFilter(all_kinds=True))
    collector = MessageCollector(on_message)
    await replay_for_chat(
        match, chat, rules, catalogue, RecordingMessenger(), collector.on_delivered, before_packet=before_packet
    )


async def replay_for_chat(
    match: MatchSource,
    chat: Chat,
    rules: RuleSet,
    catalogue: Catalogue,
    messenger: Messenger,
    on_delivered: Callable[[MessagePlan, dt.datetime], None],
    *,
    wordings: Sequence[Wording] = (),
    before_packet: Callable[[Pipeline], None] | None = None,
    after_step: Callable[[Match], None] | None = None,
    last_wait: float = 0.0,
) -> None:
    """Replay a match from its first frame to its last for one chat that follows it, as fast as the machine can.

    `on_delivered` is called with each message and its time. Texts are in English and in the languages of `wordings`.
    `after_step` is called with the match once everything that a packet, or a change of its listing, led to was sent. `last_wait`
    is how many seconds pass after the last packet, for what the chat's settings hold back. Raises UserMistake if a recording
    cannot be read.
    """
    frames = list(match.read_frames())
    if not frames:
        raise UserMistake(f"{match.name}: there is no frame in this recording")
    fixtures, listings = match.read_fixtures(), match.read_listings()
    # The time of the recording: with today's, every alert would be older than its max_age.
    clock = ManualClock(min(at for at, _ in [(frames[0].at, None), *listings]))
    database = await Database.open("sqlite://")
    try:
        await ChatRepository(database).save(chat)
        await SubscriptionRepository(database).add(chat.ref, Subscription(Scope.ALL))
        outbox = Outbox(database, clock)
        # The real sender without limits: what is shown is what it would decide, only sooner.
        sender = Sender(outbox.queue, messenger, Unlimited(), clock, lambda plan, _result: on_delivered(plan, clock.now()))
        pipeline = Pipeline(rules, catalogue, outbox, wordings=wordings)
        opened: set[str] = set()
        for at, change in merge_in_time(_decode_packets(frames), listings):
            # By the time of arrival and not of the action, as live: the order of the frames is that of the feed.
            clock.move_to(at)
            fixture_id = change.fixture_id if isinstance(change, Packet) else change.id
            if fixture_id not in opened:
                opened.add(fixture_id)
                # A recording without fixtures.json has no names of the teams; its packets bring some.
                await pipeline.open(fixtures.get(fixture_id, Fixture(fixture_id)))
            if before_packet is not None:
                before_packet(pipeline)
            if isinstance(change, Packet):
                await pipeline.process(change)
            else:
                await apply_listing(pipeline, change, clock.now())
            # Before the next packet, as in a match that is followed live.
            await sender.send_all_due()
            if after_step is not None and (played := pipeline.match(fixture_id)):
                after_step(played)
        if last_wait:
            clock.move_to(clock.now() + dt.timedelta(seconds=last_wait))
            await sender.send_all_due()
        for fixture_id in opened:
            await pipeline.close(fixture_id, clock.now())
            await sender.send_all_due()
    finally:
        await database.close()


async def apply_listing(pipeline: Pipeline, listed: Fixture, now: dt.datetime) -> None:
    """Make the alerts about what changed in the listing of an open match since the last one."""
    match = pipeline.match(listed.id)
    if match and (relisting := compare_listing(match.fixture, listed)).changes:
        # One listing at an instant, so that the instant numbers it.
        await pipeline.apply_relisting(match.fixture, relisting, int(now.timestamp()), now)


def _decode_packets(frames: list[RecordedFrame]) -> Iterator[tuple[dt.datetime, Packet]]:
    """Yield the packets with the times of their arrival. Unreadable frames are skipped and logged once at the end, by kind."""
    unreadable: Counter[str] = Counter()
    for frame in frames:
        try:
            decoded = decode_frame(frame.frame, received=frame.at)
        except FrameUnreadable as error:
            unreadable[error.kind] += 1
            continue
        if isinstance(decoded, Packet):
            yield frame.at, decoded
    for kind, count in unreadable.items():
        log.warning("frames_skipped", kind=kind, count=count)


class RecordingMessenger:
    """A Messenger that sends nothing and numbers its messages from 1.

    `**_` stands for what a Messenger is given and this one does not use.
    """

    def __init__(self) -> None:
        self._last_id = 0

    async def send(self, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None = None, **_: object) -> int:
        """Return the next message id."""
        # From 1: the sender takes 0 for a message that cannot be reached.
        self._last_id += 1
        return self._last_id

    async def edit(self, chat: ChatRef, message_id: int, html: str, **_: object) -> None:
        """Accept an edit."""

    async def pin(self, chat: ChatRef, message_id: int, *, is_pinned: bool) -> None:
        """Accept a pin."""

    async def ping(self) -> None:
        """Answer."""


class MessageCollector:
    """Turns deliveries into ReplayedMessages."""

    def __init__(self, on_message: Callable[[ReplayedMessage], None]) -> None:
        self._on_message = on_message
        self._scores: dict[str, tuple[int, int]] = {}

    def on_delivered(self, plan: MessagePlan, at: dt.datetime) -> None:
        """Report what was sent just now."""
        alert = plan.alert
        score = (alert.home_score, alert.away_score)
        if plan.operation == "edit" and alert.state is State.RETRACTED:
            # The message is struck through with its old text: the score that goes with it is the one in that text.
            score = self._scores.get(alert.key.action_id, score)
        self._scores[alert.key.action_id] = score
        self._on_message(
            ReplayedMessage(
                at=at.isoformat().replace("+00:00", "Z"),
                fixture_id=alert.key.fixture_id,
                action_id=alert.key.action_id,
                rule=alert.rule,
                kind=alert.kind,
                op=plan.operation,
                state=alert.state.value,
                home=score[0],
                away=score[1],
                minute=alert.facts.minute or None,
                player=alert.facts.player or None,
                text=plan.html,
                silent=plan.is_silent if isinstance(plan, Send | Reply) else True,
            )
        )


def message_to_json(message: ReplayedMessage) -> str:
    """Return the message as one line of JSON."""
    return msgspec.json.encode(message).decode()


def message_to_text(message: ReplayedMessage) -> str:
    """Return the message as one line for people: time, sign of the operation, whether it is loud (🔔) or silent (🔕), text."""
    sign = {"send": "✉", "edit": "✎", "reply": "↩"}.get(message.op, message.op)
    # An edit makes no sound in any chat.
    sound = "  " if message.op == "edit" else "🔕" if message.silent else "🔔"
    return f"{message.at[11:19]}  {sign} {sound}  {to_one_line(message.text)}"
