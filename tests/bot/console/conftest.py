"""The pages read what a real outbox and sender have written."""

from tests.bot.telegram.conftest import world

__all__ = ["world"]
