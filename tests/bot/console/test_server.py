"""How somebody logs in to the console."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp

from bot.console.access import MAX_ATTEMPTS, Access
from bot.console.server import LOGIN_PATH, Gate, add_login


class HeldLogin:
    """An attempt to log in, whose password is on its way until it is released."""

    def __init__(self, password: str, *headers: tuple[bytes, bytes]) -> None:
        self._headers = headers or ((b"host", b"127.0.0.1"),)
        self._body = f"password={password}".encode()
        self.is_held, self._released = asyncio.Event(), asyncio.Event()
        self.status = 0

    async def send_to(self, api: ASGIApp) -> None:
        headers = [*self._headers, (b"content-type", b"application/x-www-form-urlencoded")]
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


async def test_behind_a_proxy_the_login_of_a_console_on_loopback_is_answered() -> None:
    api, access = FastAPI(), Access("right", lambda: 0.0)
    add_login(api, access)
    statuses = []
    for origin in (b"https://console.example", b"https://evil.example"):
        login = HeldLogin("wrong", (b"host", b"console.example"), (b"origin", origin))
        login.release()
        await login.send_to(Gate(api, access, is_loopback_only=True))
        statuses.append((login.status, login.is_held.is_set()))

    # Only the first is a wrong password; the second page's is not even read.
    assert statuses == [(403, True), (403, False)]
