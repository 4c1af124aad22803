"""A strict fake of Telegram's Bot API on loopback, for tests: Touchline's own and yours.

Start at `server.FakeBotApi`: `async with FakeBotApi(token="1:test") as telegram`, and give `telegram.url` to the bot as
`telegram.api_url`. What Telegram would refuse is refused in Telegram's words, and everything is remembered.
"""

from __future__ import annotations

from bot.fake_telegram.server import FakeBotApi
from bot.fake_telegram.state import (
    BAD_GATEWAY,
    BLOCKED,
    CHAT_NOT_FOUND,
    Button,
    FakeChat,
    HeldAnswer,
    Message,
    Page,
    RefusedError,
    Request,
    Trouble,
)

__all__ = [
    "BAD_GATEWAY",
    "BLOCKED",
    "CHAT_NOT_FOUND",
    "Button",
    "FakeBotApi",
    "FakeChat",
    "HeldAnswer",
    "Message",
    "Page",
    "RefusedError",
    "Request",
    "Trouble",
]
