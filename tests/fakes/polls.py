"""Telegram's answers to `getUpdates` as a script says, below python-telegram-bot: no sockets, so that it runs on virtual time."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData

from bot.fake_telegram.state import RefusedError

Answer = list[Any] | RefusedError | TelegramError | bytes | float | None
"""Updates; a refusal; trouble on the way; any other body; seconds after which there is nothing; None: no answer at all."""


class ScriptedPolls(BaseRequest):
    """Gives one answer a request; when the script is over, holds each poll for its timeout and answers that there is nothing."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.at: list[float] = []
        self.offsets: list[int] = []

    @property
    def read_timeout(self) -> float | None:
        return 5.0

    async def initialize(self) -> None:
        """There is nothing to open."""

    async def shutdown(self) -> None:
        """There is nothing to close."""

    async def do_request(
        self, url: str, method: str, request_data: RequestData | None = None, *_timeouts: Any, **_more: Any
    ) -> tuple[int, bytes]:
        given: dict[str, Any] = request_data.parameters if request_data else {}
        self.at.append(asyncio.get_running_loop().time())
        self.offsets.append(int(given.get("offset", 0)))
        answer: Answer = self._answers.pop(0) if self._answers else float(given.get("timeout", 0))
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            answer = []
        if isinstance(answer, TelegramError):
            raise answer
        if isinstance(answer, RefusedError):
            return answer.code, json.dumps(answer.body()).encode()
        return 200, answer if isinstance(answer, bytes) else json.dumps({"ok": True, "result": answer}).encode()
