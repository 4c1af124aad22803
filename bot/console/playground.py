"""The playground: a match under any rules, as one chat's phone shows it minute by minute.

A match is played through the real pipeline and sender in a child process, because a template of somebody's rule may loop for
longer than anyone waits. The page then moves through the result without asking again.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import datetime as dt
import html
import logging
import re
import sys
import zlib
from collections.abc import Sequence

import msgspec

# Before all others: it imports structlog without rich, which would be a tenth of this process's start.
from bot.logs import configure_logging

# isort: split

from bot.config.sent_rules import parse_sent_rules
from bot.errors import UserMistake
from bot.feed.match_source import MatchSource, ScenarioMatch, open_match
from bot.i18n.football import load_wordings
from bot.replay.children import LONGEST_WAIT, limit_processor_time, run_child
from bot.replay.replay import RecordingMessenger, replay_for_chat
from bot.subscribers import AlertFilter, Chat, ChatRef
from bot.telegram.plan import MessagePlan
from rules.engine.rule import RuleSet
from rules.football.catalogue import load_catalogue
from rules.football.match import Match
from rules.loading.loader import RulesInvalid, load_pack
from rules.scenarios.parser import SHIPPED_SCENARIOS, ScenarioInvalid, parse_scenario

PLAY_LIMIT = 20
"""Seconds of computing after which a match without an end is given up: its rules loop, or its recording is huge."""

MAX_LINK_SIZE = 60_000
"""Bytes that a link may unpack to. A longer one was not made here."""

_TOOK_TOO_LONG = "playing this match took too long; a text of these rules may loop"


class PlayRequest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is chosen in the playground. It travels in links, so its fields keep their names."""

    # What nobody has changed is left out, so that links are short.
    match: str = "opener"
    """A match that ships, or a recording that the console was started with."""
    scenario: str = ""
    """A scenario typed beside it, in YAML; it is played instead of `match`."""
    rules: str = ""
    """Rules in YAML; empty: the rules that ship, or those of the configuration."""
    language: str = "en"
    spoilers: bool = False
    digests: bool = False
    delay: int = 0
    """Seconds by which the chat wants alerts later."""
    every_kind: bool = False
    """True: also kinds that are off until a chat chooses them."""
    minute: int = -1
    """Where the slider stands: the index of a moment, not a minute; -1 stands for the end."""


class PhoneEvent(msgspec.Struct, frozen=True):
    """One request to Telegram. `moment` is the number of the moment in which it left."""

    moment: int
    operation: str
    """send, edit or reply"""
    message_id: int
    html: str
    is_silent: bool = False
    reply_to: int | None = None
    rule: str = ""
    kind: str = ""


class PlayMoment(msgspec.Struct, frozen=True):
    """The match after a packet that changed its minute, score or messages: where the slider can stop."""

    minute: str
    score: str


class PlayedMatch(msgspec.Struct, frozen=True):
    """A match as one chat got it in messages; or why it could not be played."""

    title: str = ""
    moments: tuple[PlayMoment, ...] = ()
    events: tuple[PhoneEvent, ...] = ()
    mistakes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class PhoneMessage(msgspec.Struct, frozen=True):
    """A message as it stands on the phone: what it says now, and how often it was edited."""

    message_id: int
    html: str
    is_silent: bool
    edits: int = 0
    reply_to: int | None = None
    quote: str = ""
    """The beginning of the message that it answers, as plain text."""
    rule: str = ""
    kind: str = ""


def show_phone(events: Sequence[PhoneEvent], moment: int) -> tuple[PhoneMessage, ...]:
    """Return the chat as it stands after a moment, the oldest message first."""
    messages: dict[int, PhoneMessage] = {}
    for event in events:
        if event.moment > moment:
            break
        # An edit makes no sound and keeps its place, whatever it changed.
        if event.operation == "edit" and (before := messages.get(event.message_id)):
            messages[event.message_id] = msgspec.structs.replace(before, html=event.html, edits=before.edits + 1)
        elif event.operation != "edit":
            quoted = messages.get(event.reply_to) if event.reply_to else None
            messages[event.message_id] = PhoneMessage(
                event.message_id,
                event.html,
                event.is_silent,
                reply_to=event.reply_to,
                quote=_first_words(quoted.html) if quoted else "",
                rule=event.rule,
                kind=event.kind,
            )
    return tuple(messages.values())


def pack_link(request: PlayRequest) -> str:
    """Return the request as one word for a link."""
    # Compressed, since whole rules and scenarios are in it; without the padding `=`, which some programs leave out of a link.
    return base64.urlsafe_b64encode(zlib.compress(msgspec.json.encode(request), 9)).decode().rstrip("=")


def unpack_link(word: str) -> PlayRequest | None:
    """Return the request of a link; None if the word was not made by `pack_link`."""
    try:
        # Up to a size: a short link of somebody else's may unpack to gigabytes. What is cut off is no valid JSON.
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)), MAX_LINK_SIZE)
        return msgspec.json.decode(text, type=PlayRequest)
    # A link is typed, cut off and forwarded: whatever comes is no reason for an error page.
    except (ValueError, binascii.Error, zlib.error, msgspec.DecodeError):
        return None


async def play_in_child(request: PlayRequest, recordings: Sequence[str] = (), seconds: float = LONGEST_WAIT) -> PlayedMatch:
    """Play a match in a process of its own. A failure becomes a mistake; nothing is raised.

    `recordings` are the only files that a request may name: it comes from a page.
    """
    if not request.scenario and request.match not in (*SHIPPED_NAMES, *recordings):
        return PlayedMatch(mistakes=(f"{request.match}: there is no such match here",))
    try:
        answer = await run_child("bot.console.playground", msgspec.json.encode(request), seconds)
    except OSError as error:
        return PlayedMatch(mistakes=(f"the match cannot be played, since no process can be started: {error.strerror}",))
    if answer.is_late:
        return PlayedMatch(mistakes=(_TOOK_TOO_LONG,))
    try:
        return msgspec.json.decode(answer.stdout, type=PlayedMatch)
    except msgspec.DecodeError:
        return PlayedMatch(mistakes=("this match could not be played",))


SHIPPED_NAMES = tuple(SHIPPED_SCENARIOS)


async def play(request: PlayRequest) -> PlayedMatch:
    """Play a match through the pipeline and the sender for one chat with the settings of the request."""
    # Mistakes of what somebody typed come as values: the page shows them while typing goes on.
    try:
        match: MatchSource
        if request.scenario.strip():
            match = ScenarioMatch("scenario", parse_scenario(request.scenario, "scenario"))
        else:
            match = open_match(request.match)
        rules, warnings = load_pack(), tuple[str, ...]()
        if request.rules.strip():
            parsed = parse_sent_rules(request.rules, "rules", load_catalogue())
            rules, warnings = parsed.rules, parsed.warnings
    except (ScenarioInvalid, RulesInvalid) as error:
        return PlayedMatch(mistakes=tuple(error.mistakes))
    except UserMistake as error:
        return PlayedMatch(mistakes=(str(error),))
    try:
        return msgspec.structs.replace(await _play(match, rules, request), warnings=warnings)
    except UserMistake as error:
        return PlayedMatch(mistakes=(str(error),))


async def _play(match: MatchSource, rules: RuleSet, request: PlayRequest) -> PlayedMatch:
    chat = Chat(
        ChatRef(1),
        filter=AlertFilter(all_kinds=request.every_kind),
        language=request.language,
        language_chosen=True,
        spoilers=request.spoilers,
        digests=request.digests,
        delay=request.delay,
    )
    phone = _Phone()
    await replay_for_chat(
        match,
        chat,
        rules,
        load_catalogue(),
        phone,
        phone.on_delivered,
        wordings=load_wordings(),
        after_step=phone.on_step,
        last_wait=request.delay + _DIGEST_WAIT,
    )
    last = len(phone.moments) - 1
    # What a delay or a digest held back until after the last packet belongs to the end.
    events = (msgspec.structs.replace(event, moment=min(event.moment, last)) for event in phone.events)
    return PlayedMatch(phone.title, tuple(phone.moments), tuple(events))


_DIGEST_WAIT = 60
"""Seconds after the last packet: longer than a digest collects alerts."""


class _Phone(RecordingMessenger):
    """A Messenger that notes what it is asked for, and the moments of the match at which the slider can stop."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[PhoneEvent] = []
        self.moments: list[PlayMoment] = []
        self.title = ""
        self._has_changed = False

    async def send(self, chat: ChatRef, html: str, *, silent: bool, reply_to: int | None = None, **_: object) -> int:
        """Note a message, and return its id."""
        message_id = await super().send(chat, html, silent=silent)
        operation = "reply" if reply_to else "send"
        self._note(PhoneEvent(len(self.moments), operation, message_id, html, is_silent=silent, reply_to=reply_to))
        return message_id

    async def edit(self, chat: ChatRef, message_id: int, html: str, **_: object) -> None:
        """Note an edit."""
        self._note(PhoneEvent(len(self.moments), "edit", message_id, html))

    def on_step(self, match: Match) -> None:
        """Note the moment if its minute or score is another one, or if it led to a message."""
        # Not each of a thousand passes is a stop of the slider.
        now = _describe_moment(match)
        self.title = match.fixture.title or self.title
        if not self.moments or self.moments[-1] != now or self._has_changed:
            self.moments.append(now)
            self._has_changed = False

    def on_delivered(self, plan: MessagePlan, _at: dt.datetime) -> None:
        """Note which rule a message is of."""
        # A Messenger is given texts and no rules. Called right after `send`, so that the newest event with this text is the one.
        for index in range(len(self.events) - 1, -1, -1):
            event = self.events[index]
            if event.html == plan.html and not event.rule:
                self.events[index] = msgspec.structs.replace(event, rule=plan.alert.rule, kind=plan.alert.kind)
                return

    def _note(self, event: PhoneEvent) -> None:
        self.events.append(event)
        self._has_changed = True


def _describe_moment(match: Match) -> PlayMoment:
    score = str(match.score)
    if match.shootout is not None:
        score = f"{score} ({match.shootout} pens)"
    minute = f"{match.minute}'" if match.minute else match.period.value
    return PlayMoment("FT" if match.ended_by else minute, score)


def _first_words(text: str) -> str:
    # One line, as Telegram quotes. Tags go first: what an entity stands for may look like one.
    plain = html.unescape(re.sub(r"<[^>]*>", "", text)).split("\n", 1)[0]
    return plain if len(plain) <= 60 else f"{plain[:59]}…"


if __name__ == "__main__":
    # First, because the rules of the request may loop. Standard output is the answer, so the log has only what is an error.
    limit_processor_time(PLAY_LIMIT)
    configure_logging(level=logging.ERROR)
    played = asyncio.run(play(msgspec.json.decode(sys.stdin.buffer.read(), type=PlayRequest)))
    sys.stdout.buffer.write(msgspec.json.encode(played))
