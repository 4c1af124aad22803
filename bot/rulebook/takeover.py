"""What a changed configuration changes in a running process; what may fail comes first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.config import Config
from bot.rulebook.book import Rulebook
from bot.rulebook.current import Current


class Takeover:
    """Takes a good configuration over: to be the `apply` of a Reloader."""

    def __init__(
        self,
        current: Current,
        book: Rulebook,
        settle: Callable[[Config], Awaitable[None]],
        wake: Callable[[], None],
        tell: Callable[[str], Awaitable[None]],
    ) -> None:
        """`settle` stores the configuration's chats, `wake` makes everybody look again, `tell` is for the admins."""
        self._current, self._book = current, book
        self._settle, self._wake, self._tell = settle, wake, tell

    async def __call__(self, config: Config) -> None:
        """Take it over; raise StoreError where it cannot be remembered."""
        before = self._current.config
        if (config.chats, config.rules.kinds()) != (before.chats, before.rules.kinds()):
            await self._settle(config)
        ended = await self._book.take(config)
        self._current.config = config
        self._wake()
        if ended:
            await self._tell(ended)
