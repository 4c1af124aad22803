"""The server of the fake Bot API, its records, and the faults that a test scripts.

async with FakeBotApi(token="1:test") as api:
    api.url                                   # for `telegram.api_url`
    api.say(42, 42, "/subscribe Arsenal")     # what a member does
    await api.until(lambda: api.chat(42).messages)
    api.chat(42).last.text                    # what the chat shows
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Self

from aiohttp import web

from bot.fake_telegram.members import Members
from bot.fake_telegram.params import Params
from bot.fake_telegram.state import (
    BAD_GATEWAY,
    CHAT_NOT_FOUND,
    HeldAnswer,
    Page,
    RefusedError,
    Request,
    Trouble,
    bad_request,
    wait_until,
)

# Telegram sends these only to a bot that names them in `allowed_updates`.
_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_CONFLICT = RefusedError(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")


class FakeBotApi(Members):
    """The server, its records, and the faults that a test scripts. What members do is in `Members`."""

    def __init__(
        self,
        token: str = "1:test",  # noqa: S107  (a token of no bot)
        *,
        username: str = "touchline_bot",
        port: int = 0,
        strict_limits: bool = False,
        strict_chats: bool = False,
    ) -> None:
        super().__init__(username, strict_limits=strict_limits, strict_chats=strict_chats)
        self.token, self.url = token, ""
        self.log: list[Request] = []
        self.troubles: list[Trouble] = []
        self._port, self._allowed = port, frozenset[str]()
        self._pollers = 0
        self._gone = asyncio.Event()

    async def __aenter__(self) -> Self:
        # aiohttp would refuse more than 1 MB by itself. What is too large for Telegram is refused in Telegram's words.
        app = web.Application(client_max_size=60 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        # Ends polls, hanging requests and held answers: the server waits for them when it closes.
        self._gone.set()
        for held in [trouble.held for trouble in self.troubles if trouble.held]:
            held.drop()
        self._notify_change()
        await self._runner.cleanup()

    async def until(self, holds: Callable[[], Any]) -> None:
        """Wait until a condition holds. Raises TimeoutError after a minute."""
        await wait_until(holds)

    async def changes(self) -> AsyncIterator[None]:
        """Yield at first, and then whenever a request was answered or a member did something, until the server is closed."""
        while not self.is_over:
            # Taken before the caller looks: what happens while it does is the next change.
            changed = self._changed
            yield
            await changed.wait()

    def report(self) -> str:
        """Return the last requests as text, for a test that fails."""
        return "\n".join(
            [f"The last of {len(self.log)} requests to the Bot API:", *(_describe_request(r) for r in self.log[-15:])]
        )

    @property
    def connections(self) -> int:
        """How many connections are open: none once all that a killed process has sent was read."""
        server = self._runner.server
        return sum(handler.transport is not None for handler in server.connections) if server else 0

    @property
    def is_over(self) -> bool:
        """True once the server is closed."""
        return self._gone.is_set()

    def calls(self, method: str) -> list[Request]:
        """Return every request of one method, in order."""
        return [request for request in self.log if request.method == method]

    # What goes wrong.

    def refuse(self, chat_id: int, answer: RefusedError, times: int | None = None) -> None:
        """Answer whatever is asked for this chat with an error."""
        self.troubles.append(Trouble("refuse", answer, chat_id=chat_id, times=times))

    def fail(self, method: str | None = None, answer: RefusedError = BAD_GATEWAY, times: int | None = 1) -> None:
        """Answer the next requests with an error, by default 502; `getUpdates` only when named."""
        self.troubles.append(Trouble("refuse", answer, method=method, times=times))

    def lack(self, *names: str, ignores: bool = False) -> None:
        """Be older than these methods, parameters and fields: refuse them, or ignore them where a server does that."""
        self.lacking |= set(names)
        self.ignores_unknown = ignores

    def lack_tag(self, tag: str) -> None:
        """Refuse every text with this tag, as a server does that is older than the tag."""
        answer = RefusedError(400, f'Bad Request: can\'t parse entities: Unsupported start tag "{tag}" at byte offset 0')
        self.troubles.append(Trouble("refuse", answer, times=None, tag=tag))

    def answer_as_proxy(self, page: Page, method: str | None = None, times: int | None = None) -> Trouble:
        """Answer in Telegram's place, as a proxy does: every request, polls too, until `end_trouble`."""
        self.troubles.append(Trouble("refuse", page, method=method, times=times, with_polls=True))
        return self.troubles[-1]

    def refuse_all_chats(self, answer: RefusedError = CHAT_NOT_FOUND) -> Trouble:
        """Answer whatever is asked for any chat with an error, until `end_trouble`."""
        self.troubles.append(Trouble("refuse", answer, times=None, any_chat=True))
        return self.troubles[-1]

    def end_trouble(self, trouble: Trouble) -> None:
        """End a trouble that was scripted before."""
        self.troubles.remove(trouble)

    def hang(self, method: str, nth: int = 1, *, times: int | None = 1) -> HeldAnswer:
        """Take the nth request of a method from now on and never answer; nothing is done. `times` None: all after it."""
        held = HeldAnswer(self.until)
        self.troubles.append(Trouble("hang", method=method, times=times, skip=nth - 1, held=held))
        return held

    def lose_answer(self, method: str, times: int | None = 1) -> None:
        """Do what the next requests of a method ask, then drop the connection."""
        self.troubles.append(Trouble("lose", method=method, times=times))

    def hold_answer(self, method: str, nth: int = 1, *, chat_id: int | None = None, times: int | None = 1) -> HeldAnswer:
        """Carry out the nth request of a method from now on and answer it when the test says so; `times` None: all after it."""
        held = HeldAnswer(self.until)
        self.troubles.append(Trouble("hold", method=method, chat_id=chat_id, times=times, skip=nth - 1, held=held))
        return held

    # The server.

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        if download := re.fullmatch(rf"file/bot{re.escape(self.token)}/(.+)", http.match_info["path"]):
            content = self.downloads.get(download[1])
            return _respond(RefusedError(404, "Not Found")) if content is None else web.Response(body=content)
        found = re.fullmatch(r"bot([^/]+)/(\w+)", http.match_info["path"])
        if not found:
            return _respond(RefusedError(404, "Not Found"))
        # Telegram knows the form of a token: it answers 401 to one that it does not know, and 404 to what cannot be one.
        if found[1] != self.token:
            return _respond(RefusedError(401, "Unauthorized") if ":" in found[1] else RefusedError(404, "Not Found"))
        try:
            request = Request(asyncio.get_running_loop().time(), found[2], await _read_params(http))
        except ValueError:
            return _respond(bad_request("can't parse the request's body"))
        # Logged before it is served: a test may wait for a request that is never answered.
        self.log.append(request)
        try:
            return await self._serve(http, request)
        finally:
            self._notify_change()

    async def _serve(self, http: web.Request, request: Request) -> web.StreamResponse:
        trouble = next((t for t in self.troubles if t.applies_to(request)), None)
        if trouble and trouble.how == "hang":
            if trouble.held:
                trouble.held.requests.append(request)
            await self._gone.wait()
            return _respond(BAD_GATEWAY)
        if trouble and trouble.how == "refuse":
            return self._answer_request(request, trouble.answer)
        try:
            result = await self._carry_out(request)
        except RefusedError as refusal:
            return self._answer_request(request, refusal)
        # The request has been carried out. Only its answer is lost or held.
        lost = trouble and not (trouble.held and await trouble.held.decide(request))
        if lost and http.transport:
            http.transport.abort()
        return self._answer_request(request, result)

    async def _carry_out(self, request: Request) -> Any:
        params = Params(request.params)
        if request.method.lower() == "getupdates":
            return await self._get_updates(params)
        method = self.method(request.method)
        if method is None:
            raise RefusedError(404, "Not Found")
        return method(params)

    def _answer_request(self, request: Request, answer: Any) -> web.Response:
        request.status = answer.code if isinstance(answer, RefusedError | Page) else 200
        return _respond(answer)

    async def _get_updates(self, given: Params) -> Any:
        """Return the earliest updates from `offset` on; wait up to `timeout` for one. A second poller ends the first."""
        offset, limit = given.number("offset") or 0, given.number("limit") or 100
        allowed = given.json("allowed_updates")
        # Without a list, the previous one stays in force.
        self._allowed = frozenset(allowed) if allowed is not None else self._allowed
        # An offset confirms what is before it; a negative one counts from the last update.
        self.updates = [u for u in self.updates if u["update_id"] >= offset] if offset >= 0 else self.updates[offset:]
        ours = self._pollers = self._pollers + 1
        self._notify_change()
        # Telegram holds a poll for 50 seconds at most.
        await self._wait_for_update(ours, min(50, given.number("timeout") or 0))
        return [u for u in self.updates if self._is_wanted(u)][:limit]

    async def _wait_for_update(self, ours: int, seconds: float) -> None:
        """Wait until there is an update or the time is over. Raises a conflict if another poller comes."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not any(map(self._is_wanted, self.updates)) and loop.time() < deadline and not self._gone.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), deadline - loop.time())
            if ours != self._pollers:
                raise _CONFLICT

    def _is_wanted(self, update: dict[str, Any]) -> bool:
        kind = next(key for key in update if key != "update_id")
        return kind in self._allowed if self._allowed else kind not in _NOT_BY_DEFAULT


def _respond(answer: Any) -> web.Response:
    if isinstance(answer, Page):
        return web.Response(body=answer.body, status=answer.code, headers={"Content-Type": answer.content_type})
    if isinstance(answer, RefusedError):
        return web.json_response(answer.body(), status=answer.code)
    return web.json_response({"ok": True, "result": answer})


async def _read_params(http: web.Request) -> dict[str, Any]:
    """Arguments from the query and from a form, multipart or JSON body."""
    given: dict[str, Any] = dict(http.query)
    if http.content_type == "application/json":
        body = json.loads(await http.text() or "{}")
        if not isinstance(body, dict):
            raise ValueError
        return given | body
    return given | dict(await http.post())


def _describe_request(request: Request) -> str:
    params = ", ".join(f"{name}={str(value)[:100]!r}" for name, value in request.params.items())
    return f"  {request.at:.3f} {request.method}({params}) -> {request.status or 'no answer'}"
