"""A channel whose owner writes to the bot in private."""

from __future__ import annotations

import pytest

from bot.fake_telegram import FakeChat
from tests.bot.chat.conftest import World

BOT, OWNER, CHANNEL = 7_000_000_001, 42, -1_001_234_567_890
NAMED = "📣 Channel: Daily Goals"
"""How the bot begins what is about the channel."""


@pytest.fixture
def channel(world: World) -> FakeChat:
    """A channel with the owner and the bot as its administrators."""
    found = world.api.chat(CHANNEL, kind="channel", title="Daily Goals")
    found.username, found.admins = "dailygoals", {OWNER, BOT}
    return found
