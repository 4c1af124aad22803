"""A database of each kind for tests that need one open."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.storage.database import Database


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An open database."""
    opened = await Database.open(database_url)
    yield opened
    await opened.close()
