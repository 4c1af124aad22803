"""Keeps a catalogue of the fixtures as they are listed now: a new list has a new one made beside the one in use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import structlog

from bot.chat.search.catalogue import FollowableCatalogue
from bot.chat.search.nicknames import Nicknames
from bot.clock import Clock
from bot.sharing import finish_in_turns
from rules.football.action import Fixture

log = structlog.get_logger()

_SMALL = 1000
"""The most fixtures of a list whose catalogue is waited for: it takes a moment, and an answer that is right is worth that."""

_MAX_AGE = 60.0
"""Seconds for which a large catalogue goes on answering after it was last known to be of the newest lists."""


class CurrentCatalogue:
    """Makes a catalogue for each new list of fixtures, a few milliseconds at a time: of 20,000 fixtures it takes seconds.

    Until it is ready, searches and screens get the one before.
    """

    def __init__(
        self,
        list_fixtures: Callable[[], Sequence[Fixture]],
        list_season: Callable[[], Sequence[Fixture]],
        nicknames: Nicknames | None,
        clock: Clock,
    ) -> None:
        self._list_fixtures, self._list_season = list_fixtures, list_season
        self._nicknames, self._clock = nicknames, clock
        self._ready = FollowableCatalogue((), nicknames)
        self._made_of: tuple[Sequence[Fixture], Sequence[Fixture]] = ((), ())
        self._current_at = float("-inf")
        """When the catalogue was last known to be of the newest lists, on the monotonic clock."""
        self._making: asyncio.Task[None] | None = None

    async def get(self, *, newest: bool = False) -> FollowableCatalogue:
        """Return the catalogue. It may be the one before a change, unless `newest` is set, the lists are short, or it is old."""
        if self._is_current():
            self._current_at = self._clock.monotonic()
            return self._ready
        is_usable = bool(self._made_of[0]) and self._clock.monotonic() - self._current_at < _MAX_AGE
        if newest or not is_usable or sum(map(len, self._list_now())) <= _SMALL:
            # The one that is being made may be of older lists, but the next begins after this call.
            for _ in range(2):
                if not self._is_current():
                    # Shielded: one caller may be cancelled while others wait for the same.
                    await asyncio.shield(self._start_making())
        else:
            self._start_making()
        return self._ready

    def _list_now(self) -> tuple[Sequence[Fixture], Sequence[Fixture]]:
        return self._list_fixtures(), self._list_season()

    def _is_current(self) -> bool:
        # By identity: lists are replaced as a whole and never changed.
        return all(made is now for made, now in zip(self._made_of, self._list_now(), strict=True))

    def _start_making(self) -> asyncio.Task[None]:
        """Begin to make the catalogue of the present lists, unless one is being made."""
        if self._making is None:
            self._making = asyncio.create_task(self._make())
            self._making.add_done_callback(self._on_made)
        return self._making

    async def _make(self) -> None:
        lists = self._list_now()
        catalogue = FollowableCatalogue(lists[0], self._nicknames, lists[1])
        await finish_in_turns(catalogue.prepare())
        # Also if the lists have changed meanwhile: it is newer than the one before, and changes may never stop.
        self._ready, self._made_of, self._current_at = catalogue, lists, self._clock.monotonic()

    def _on_made(self, task: asyncio.Task[None]) -> None:
        self._making = None
        if not task.cancelled() and (error := task.exception()):
            log.error("catalogue_not_made", reason=repr(error))
