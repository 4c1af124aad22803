"""The server of the fake Bot API, its records, and what members of chats do.

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
from collections.abc import AsyncIterator, Callable, Set
from typing import Any, Self

from aiohttp import web

from bot.fake_telegram.methods import Methods
from bot.fake_telegram.params import Params
from bot.fake_telegram.state import (
    BAD_GATEWAY,
    BLOCKED,
    CHAT_NOT_FOUND,
    FakeChat,
    HeldAnswer,
    Message,
    Page,
    RefusedError,
    Request,
    Trouble,
    bad_request,
    wait_until,
)

_NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
_CONFLICT = RefusedError(409, "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running")


class FakeBotApi(Methods):
    """The server, its records, and the push side: what members do."""

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
        self.updates: list[dict[str, Any]] = []
        """Updates that were not confirmed yet."""
        self.languages: dict[int, str] = {}
        """By user id, the language of their Telegram; English for all others."""
        self.names: dict[int, str] = {}
        """By user id, the first name; `User 42` for all others."""
        self._port, self._update_id, self._allowed = port, 1000, frozenset[str]()
        self._changed = asyncio.Event()
        self._pollers = 0
        self._gone = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=60 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
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
        return "\n".join([f"The last of {len(self.log)} requests to the Bot API:", *(_describe(r) for r in self.log[-15:])])

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
        """Answer the next requests with an error, 502 unless told; `getUpdates` only when named."""
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

    def block(self, user_id: int) -> None:
        """A user blocks the bot."""
        self.chat(user_id).refusal = BLOCKED
        self.my_chat_member(user_id, user_id, "member", "kicked")

    def unblock(self, user_id: int) -> None:
        """A user lets the bot in again."""
        self.chat(user_id).refusal = None
        self.my_chat_member(user_id, user_id, "kicked", "member")

    # What members do.

    def say(self, chat_id: int, user_id: int, text: str, **more: Any) -> Message:
        """A member writes; `more`: `topic`, `reply_to`, `as_chat` (an anonymous administrator), `edited`, `forwarded`,
        `ephemeral` (a command that the bot alone sees)."""
        chat = self.chat(chat_id)
        topic, receiver = more.get("topic", 0), int(str(self.me["id"])) if more.get("ephemeral") else 0
        message = self.add(chat, text, topic=topic, reply_to=more.get("reply_to"), receiver=receiver)
        body = self.message_to_json(message) | {"entities": _command_entities(text)}
        if chat.type == "channel":
            self.push({"channel_post": body | {"sender_chat": chat.json()}})
            return message
        if more.get("as_chat"):
            anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
            body |= {"from": anonymous, "sender_chat": chat.json()}
        else:
            body["from"] = self._user(user_id)
        if more.get("forwarded"):
            body["forward_origin"] = {"type": "hidden_user", "date": message.date, "sender_user_name": "Somebody"}
        self.push({"edited_message" if more.get("edited") else "message": body})
        return message

    def send_document(self, chat_id: int, user_id: int, name: str, content: bytes, *, size: int | None = None) -> Message:
        """A member sends a file; `size` is what Telegram says of it, where that is not so."""
        file = self.keep_file(content)
        message = self.add(self.chat(chat_id), "")
        body = self.message_to_json(message) | {"from": self._user(user_id)}
        del body["text"]
        document = {"file_id": file, "file_unique_id": f"u{file}", "file_name": name, "mime_type": "application/x-yaml"}
        self.push({"message": body | {"document": document | {"file_size": len(content) if size is None else size}}})
        return message

    def forward(self, chat_id: int, user_id: int, channel_id: int) -> Message:
        """A member forwards a channel's post."""
        message = self.add(self.chat(chat_id), "A post")
        origin = {"type": "channel", "date": message.date, "chat": self.chat(channel_id).json(), "message_id": 1}
        self.push({"message": self.message_to_json(message) | {"from": self._user(user_id), "forward_origin": origin}})
        return message

    def _user(self, user_id: int) -> dict[str, Any]:
        name, language = self.names.get(user_id, f"User {user_id}"), self.languages.get(user_id, "en")
        return {"id": user_id, "is_bot": False, "first_name": name, "language_code": language}

    def inline(self, user_id: int, words: str) -> str:
        """A member types after the bot's name in any chat; returns the query's id, to be found in `inline_answers`."""
        query = str(90_000 + self._update_id)
        self.queries.add(query)
        self.push({"inline_query": {"id": query, "from": self._user(user_id), "query": words, "offset": ""}})
        return query

    def press(self, chat_id: int, user_id: int, message: Message | int, data: str) -> str:
        """A member presses a button, by its data; returns the query's id, to be found in `answers`."""
        found = message if isinstance(message, Message) else self.chat(chat_id).find(message)
        if found is None:
            raise LookupError(f"there is no message {message} in chat {chat_id}")
        query = str(90_000 + self._update_id)
        self.queries.add(query)
        self.pressed.add(query)
        body = {"id": query, "from": self._user(user_id), "chat_instance": str(chat_id), "data": data}
        self.push({"callback_query": body | {"message": self.message_to_json(found)}})
        return query

    def tap(self, chat_id: int, user_id: int, label: str) -> str:
        """A member presses the button with these words under the bot's latest message."""
        last = self.chat(chat_id).last
        return self.press(chat_id, user_id, last, last.button(label).data)

    def answer(self, query: str) -> dict[str, Any] | None:
        """Return the answer to a button press; None while there is none."""
        return next((answer for answer in self.answers if answer["callback_query_id"] == query), None)

    def my_chat_member(self, chat_id: int, user_id: int, before: str, after: str, *, lacked: Set[str] = frozenset()) -> None:
        """The bot's own standing in a chat changes: `member`, `administrator`, `left`, `kicked`; `lacked`: rights it had not."""
        body: dict[str, Any] = {
            "chat": self.chat(chat_id).json(),
            "from": self._user(user_id),
            "date": 1_790_000_000,
        }
        kind, lacks = self.chat(chat_id).type, self.chat(chat_id).lacks
        body |= {
            "old_chat_member": self._make_member(before, kind, lacked),
            "new_chat_member": self._make_member(after, kind, lacks),
        }
        self.push({"my_chat_member": body})

    def migrate(self, old: int, new: int) -> None:
        """A group becomes a supergroup: two service messages, and the old id is refused from now on."""
        was = self.chat(old)
        was.refusal = RefusedError(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=new)
        chat = self.chat(new, kind="supergroup", title=was.title)
        chat.admins |= was.admins
        self.push({"message": self._service(was, migrate_to_chat_id=new)})
        self.push({"message": self._service(chat, migrate_from_chat_id=old)})

    def push(self, update: dict[str, Any]) -> int:
        """Queue any update as it is; returns its id."""
        self._update_id += 1
        self.updates.append({"update_id": self._update_id} | update)
        self._notify_change()
        return self._update_id

    def _service(self, chat: FakeChat, **fact: int) -> dict[str, Any]:
        body = self.message_to_json(self.add(chat, "")) | {"from": self._user(1)} | fact
        del body["text"]
        return body

    def _make_member(self, status: str, kind: str, lacks: Set[str] = frozenset()) -> dict[str, Any]:
        me = {int(str(self.me["id"]))} if status == "administrator" else set()
        chat = FakeChat(-1, kind if kind != "private" else "group", admins=me, lacks=set(lacks))
        extra = {"until_date": 0} if status == "kicked" else {}
        return self._describe_member(chat, int(str(self.me["id"]))) | {"status": status} | extra

    # The server.

    async def _handle(self, http: web.Request) -> web.StreamResponse:
        if download := re.fullmatch(rf"file/bot{re.escape(self.token)}/(.+)", http.match_info["path"]):
            content = self.downloads.get(download[1])
            return _respond(RefusedError(404, "Not Found")) if content is None else web.Response(body=content)
        found = re.fullmatch(r"bot([^/]+)/(\w+)", http.match_info["path"])
        if not found:
            return _respond(RefusedError(404, "Not Found"))
        if found[1] != self.token:
            return _respond(RefusedError(401, "Unauthorized") if ":" in found[1] else RefusedError(404, "Not Found"))
        try:
            request = Request(asyncio.get_running_loop().time(), found[2], await _params(http))
        except ValueError:
            return _respond(bad_request("can't parse the request's body"))
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
            result = await self._result(request)
        except RefusedError as refusal:
            return self._answer_request(request, refusal)
        lost = trouble and not (trouble.held and await trouble.held.decide(request))
        if lost and http.transport:
            http.transport.abort()
        return self._answer_request(request, result)

    async def _result(self, request: Request) -> Any:
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
        self._allowed = frozenset(allowed) if allowed is not None else self._allowed
        self.updates = [u for u in self.updates if u["update_id"] >= offset] if offset >= 0 else self.updates[offset:]
        ours = self._pollers = self._pollers + 1
        self._notify_change()
        await self._wait_for_update(ours, min(50, given.number("timeout") or 0))
        return [u for u in self.updates if self._is_wanted(u)][:limit]

    async def _wait_for_update(self, ours: int, seconds: float) -> None:
        """Wait until there is an update or the time is over. Raises a conflict if another poller comes."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not any(map(self._is_wanted, self.updates)) and loop.time() < deadline and not self._gone.is_set():
            await self._change(deadline - loop.time())
            if ours != self._pollers:
                raise _CONFLICT

    def _is_wanted(self, update: dict[str, Any]) -> bool:
        kind = next(key for key in update if key != "update_id")
        return kind in self._allowed if self._allowed else kind not in _NOT_BY_DEFAULT

    def _notify_change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _change(self, within: float) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), within)
        except TimeoutError:
            return


def _respond(answer: Any) -> web.Response:
    if isinstance(answer, Page):
        return web.Response(body=answer.body, status=answer.code, headers={"Content-Type": answer.content_type})
    if isinstance(answer, RefusedError):
        return web.json_response(answer.body(), status=answer.code)
    return web.json_response({"ok": True, "result": answer})


async def _params(http: web.Request) -> dict[str, Any]:
    """Arguments from the query and from a form, multipart or JSON body."""
    given: dict[str, Any] = dict(http.query)
    if http.content_type == "application/json":
        body = json.loads(await http.text() or "{}")
        if not isinstance(body, dict):
            raise ValueError
        return given | body
    return given | dict(await http.post())


def _describe(request: Request) -> str:
    params = ", ".join(f"{name}={str(value)[:100]!r}" for name, value in request.params.items())
    return f"  {request.at:.3f} {request.method}({params}) -> {request.status or 'no answer'}"


def _command_entities(text: str) -> list[dict[str, Any]]:
    found = re.finditer(r"(?<!\S)/[A-Za-z0-9_]+(?:@\w+)?", text)
    return [{"type": "bot_command", "offset": m.start(), "length": len(m[0])} for m in found]
