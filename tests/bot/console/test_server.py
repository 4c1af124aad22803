"""How somebody logs in to the console."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI

from bot.console.access import MAX_ATTEMPTS, Access
from bot.console.server import LOGIN_PATH, add_login


class HeldLogin:
    """An attempt to log in, whose password is on its way until it is released."""

    def __init__(self, password: str) -> None:
        self._body = f"password={password}".encode()
        self.is_held, self._released = asyncio.Event(), asyncio.Event()
        self.status = 0

    async def send_to(self, api: FastAPI) -> None:
        headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-www-form-urlencoded")]
        scope = {"type": "http", "method": "POST", "path": LOGIN_PATH, "headers": headers, "query_string": b""}
        await api(scope | {"client": ("192.0.2.1", 1), "scheme": "http", "server": ("127.0.0.1", 80)}, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        self.is_held.set()
        await self._released.wait()
        return {"type": "http.request", "body": self._body}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)

    def release(self) -> None:
        self._released.set()


async def test_guesses_that_arrive_together_are_no_more_than_those_one_after_the_other() -> None:
    api, access = FastAPI(), Access("right", lambda: 0.0)
    add_login(api, access)
    logins = [*(HeldLogin("wrong") for _ in range(2 * MAX_ATTEMPTS)), HeldLogin("right")]
    requests = [asyncio.create_task(login.send_to(api)) for login in logins]
    for login in logins:
        await login.is_held.wait()

    for login, request in zip(logins, requests, strict=True):
        login.release()
        await request

    assert [login.status for login in logins] == [403] * MAX_ATTEMPTS + [429] * (MAX_ATTEMPTS + 1)
