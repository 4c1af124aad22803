"""What the fake Bot API remembers: chats, the messages in them, requests, scripted faults; and Telegram's limits."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.fake_telegram.html import Parsed, parse

WAIT_TIMEOUT = 60.0
"""Seconds after which a wait ends with an error: it only ends a hang, and is no measure of speed."""

_CHECK_INTERVAL = 0.01


async def wait_until(condition: Callable[[], Any]) -> None:
    """Wait until the condition holds. Raises TimeoutError after a minute."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WAIT_TIMEOUT
    # Polled, because the condition may depend on a file or another process, which sets no event here.
    while not condition():
        if loop.time() >= deadline:
            raise TimeoutError(f"still not true after {WAIT_TIMEOUT:g} s")
        await asyncio.sleep(_CHECK_INTERVAL)


class RefusedError(Exception):
    """An answer that is not ok."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        self.code, self.description, self.parameters = code, description, parameters
        super().__init__(description)

    def body(self) -> dict[str, Any]:
        """The JSON that Telegram sends."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        return body | ({"parameters": self.parameters} if self.parameters else {})


@dataclass(slots=True, frozen=True)
class Page:
    """An answer that is not Telegram's: what a proxy, a firewall or a captive portal shows in its place."""

    code: int
    body: bytes = b"<!DOCTYPE html><html><head><title>Access denied</title></head></html>"
    content_type: str = "text/html"


def bad_request(what: str) -> RefusedError:
    """`400 Bad Request: what`."""
    return RefusedError(400, f"Bad Request: {what}")


BLOCKED = RefusedError(403, "Forbidden: bot was blocked by the user")
KICKED = RefusedError(403, "Forbidden: bot was kicked from the supergroup chat")
CHAT_NOT_FOUND = bad_request("chat not found")
THREAD_NOT_FOUND = bad_request("message thread not found")
BAD_GATEWAY = RefusedError(502, "Bad Gateway")


def too_many(seconds: float) -> RefusedError:
    """`429`, asking to wait so many seconds, rounded up as Telegram does."""
    wait = max(1, math.ceil(seconds))
    return RefusedError(429, f"Too Many Requests: retry after {wait}", retry_after=wait)


@dataclass(slots=True, frozen=True)
class Button:
    """One inline button."""

    text: str
    data: str = ""
    url: str = ""
    style: str = ""
    """Its colour: primary, success or danger; empty: the app's own."""


@dataclass(slots=True, frozen=True)
class Version:
    """What a message said, from an instant of the loop's clock."""

    at: float
    html: str
    parsed: Parsed
    buttons: tuple[tuple[Button, ...], ...] = ()
    blocks: list[dict[str, Any]] | None = None
    """The blocks of a rich message as Telegram returns them, and `html` is its source. None for any other message."""


@dataclass(slots=True)
class Message:
    """A message in a chat, by the bot or by a member, with its history."""

    id: int
    chat_id: int
    date: int
    # Every one is kept: a test may ask what the chat showed in between.
    versions: list[Version]
    by_bot: bool = True
    reply_to: int | None = None
    silent: bool = False
    topic: int = 0
    deleted: bool = False
    pinned: bool = False
    photo: bytes = b""
    spoiler: bool = False
    ephemeral_id: int = 0
    """The number of an ephemeral message, which has no other one; 0: every member sees the message."""
    receiver: int = 0
    """The only one who sees an ephemeral message: a member, or the bot for a member's ephemeral command."""

    @property
    def now(self) -> Version:
        """The newest version."""
        return self.versions[-1]

    @property
    def at(self) -> float:
        """The time when it was sent, by the loop's clock."""
        return self.versions[0].at

    @property
    def html(self) -> str:
        """The HTML as it was sent last."""
        return self.now.html

    @property
    def text(self) -> str:
        """What a reader sees."""
        return self.now.parsed.text

    @property
    def struck(self) -> bool:
        """True if some of it is struck through now."""
        return self.now.parsed.struck

    @property
    def is_rich(self) -> bool:
        """True for a rich message."""
        return self.now.blocks is not None

    @property
    def edits(self) -> list[Version]:
        """Every later version, in order."""
        return self.versions[1:]

    @property
    def buttons(self) -> tuple[tuple[Button, ...], ...]:
        """Rows of inline buttons."""
        return self.now.buttons

    @property
    def labels(self) -> list[str]:
        """The words on all buttons, in reading order."""
        return [button.text for row in self.buttons for button in row]

    def button(self, label: str) -> Button:
        """The first button whose words contain `label`."""
        return next(button for row in self.buttons for button in row if label in button.text)


@dataclass(slots=True)
class FakeChat:
    """A chat as Telegram has it; `everything` holds members' messages too."""

    id: int
    type: str
    title: str = ""
    is_forum: bool = False
    admins: set[int] = field(default_factory=set)
    topics: set[int] = field(default_factory=set)
    """Open topics of a forum; empty: any is taken for open."""
    topic_names: dict[int, str] = field(default_factory=dict)
    """The names of the topics that the bot made."""
    everything: list[Message] = field(default_factory=list)
    refusal: RefusedError | None = None
    username: str = ""
    lacks: set[str] = field(default_factory=set)
    """Rights that the bot does not have, such as `can_post_messages`."""

    @property
    def messages(self) -> list[Message]:
        """The bot's messages that were not deleted, in order."""
        return [m for m in self.everything if m.by_bot and not m.deleted]

    @property
    def last(self) -> Message:
        """The bot's latest message."""
        return self.messages[-1]

    def find(self, message_id: int) -> Message | None:
        """Return a message by its id; None if there is none or it was deleted."""
        return next((m for m in self.everything if m.id == message_id and not m.deleted and not m.ephemeral_id), None)

    def find_ephemeral(self, receiver: int, ephemeral_id: int) -> Message | None:
        """Return an ephemeral message that this member was sent; None if there is none or it was deleted."""
        found = (m for m in self.everything if m.ephemeral_id == ephemeral_id and m.receiver == receiver and not m.deleted)
        return next(found, None) if ephemeral_id else None

    def json(self) -> dict[str, Any]:
        """Return Telegram's Chat object."""
        chat: dict[str, Any] = {"id": self.id, "type": self.type}
        # A private chat has the name of its person in place of a title.
        chat |= {"first_name": self.title or "Somebody"} if self.type == "private" else {"title": self.title or "Chat"}
        chat |= {"username": self.username} if self.username else {}
        return chat | ({"is_forum": True} if self.is_forum else {})


@dataclass(slots=True)
class Request:
    """One call of a method; `status` is 0 when no answer was given."""

    at: float
    method: str
    params: Mapping[str, Any]
    status: int = 0

    @property
    def chat_id(self) -> int | None:
        """The chat it was for; None for none."""
        return int(self.params["chat_id"]) if "chat_id" in self.params else None


class HeldAnswer:
    """The answer to requests whose answer the test holds back; they were carried out, unless they hang."""

    def __init__(self, wait: Callable[[Callable[[], Any]], Awaitable[Any]] = wait_until) -> None:
        """`wait` waits until a condition holds."""
        self.requests: list[Request] = []
        """Those whose answer is, or was, held."""
        self._wait = wait
        self._decided = asyncio.Event()
        self._dropped = False

    @property
    def reached(self) -> bool:
        """True once a request was carried out and waits for its answer."""
        return bool(self.requests)

    async def until_reached(self) -> Request:
        """Wait for the first such request."""
        await self._wait(lambda: self.requests)
        return self.requests[0]

    def release(self) -> None:
        """Let the answer go to the bot."""
        self._decided.set()

    def drop(self) -> None:
        """Close the connection in place of an answer."""
        self._dropped = True
        self._decided.set()

    async def decide(self, request: Request) -> bool:
        """Hold the answer to a request; return True if it is to be given, False if the connection is to be dropped."""
        # Added first, so that a test that waits for the request can decide at once.
        self.requests.append(request)
        await self._decided.wait()
        return not self._dropped


@dataclass(slots=True)
class Trouble:
    """Something that goes wrong as scripted. None matches any; `times` None means for ever."""

    how: str
    """`refuse`, `hang` (not done, no answer), `lose` (done, then the connection drops), `hold` (done, then `held` says)."""
    answer: RefusedError | Page = BAD_GATEWAY
    method: str | None = None
    chat_id: int | None = None
    times: int | None = 1
    skip: int = 0
    """So many requests are let through before."""
    held: HeldAnswer | None = None
    any_chat: bool = False
    """True: only requests that are for a chat."""
    tag: str = ""
    """Only requests with a text that has this tag."""
    with_polls: bool = False
    """True: `getUpdates` too, without its name."""

    def applies_to(self, request: Request) -> bool:
        """Return True if this request meets the trouble, and count it."""
        fits = self.method in (None, request.method) and self.chat_id in (None, request.chat_id)
        fits = fits and not (self.any_chat and request.chat_id is None)
        if self.tag:
            fits = fits and any(f"<{self.tag}" in str(request.params.get(name, "")) for name in ("text", "results"))
        # A poll is nearly always open, and would otherwise be the "next request" that a test means.
        is_poll = request.method == "getUpdates" != self.method and not self.with_polls
        if not fits or is_poll or self.times == 0:
            return False
        # Requests that are let through do not use up `times`.
        if self.skip:
            self.skip -= 1
            return False
        self.times = None if self.times is None else self.times - 1
        return True


@dataclass(slots=True)
class Window:
    """At most so many in so many seconds, sliding."""

    limit: int
    seconds: float
    taken: deque[float] = field(default_factory=deque)

    def wait(self, now: float) -> float:
        """Return the seconds until one more is allowed; 0 if it is allowed now."""
        # Exact, without a margin: the bot's own windows are tested against this one.
        while self.taken and self.taken[0] <= now - self.seconds:
            self.taken.popleft()
        return 0.0 if len(self.taken) < self.limit else self.taken[0] + self.seconds - now


class Limits:
    """30 a second over all (1,000 when paid), in one chat a burst and then one a second, 20 a minute in a group."""

    def __init__(self, burst: int = 3) -> None:
        self._burst = burst
        self._all, self._paid = Window(30, 1.0), Window(1000, 1.0)
        self._chats: dict[int, list[Window]] = {}

    def check(self, chat_id: int, now: float, *, paid: bool) -> None:
        """Count a message; raise 429 when it is one too many."""
        if chat_id not in self._chats:
            windows = [Window(self._burst, float(self._burst))]
            self._chats[chat_id] = [*windows, Window(20, 60.0)] if chat_id < 0 else windows
        windows = [self._paid if paid else self._all, *self._chats[chat_id]]
        wait = max(window.wait(now) for window in windows)
        # A refused message does not count.
        if wait > 0:
            raise too_many(wait)
        for window in windows:
            window.taken.append(now)


def keeps_pace(requests: Sequence[Request], since: float, limit: int = 30, seconds: float = 1.0) -> bool:
    """Return True if so many left in no more time than a limit asks for. `since`: before the first of them left.

    A real process is measured so and not by `Limits`, which count arrivals: on a busy machine those may come closer together than
    the requests left. Each of them left between `since` and its arrival, whatever the machine does.
    """
    arrivals = sorted(request.at for request in requests)
    return all(number <= limit * ((at - since) // seconds + 1) for number, at in enumerate(arrivals, start=1))


def read_version(at: float, text: str, mode: str, buttons: tuple[tuple[Button, ...], ...]) -> Version:
    """Read a text by its parse mode; raise EntitiesError."""
    # Other parse modes are not parsed: the bot sends only HTML.
    return Version(at, text, parse(text) if mode.lower() == "html" else Parsed(text.strip()), buttons)
