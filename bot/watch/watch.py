"""Looks every few seconds whether all is well, tells the admins what needs a person, and answers whoever asks."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import structlog
from sqlalchemy import make_url

from bot.clock import Clock
from bot.errors import StoreError
from bot.metrics import TOLD_ADMINS, exposition
from bot.outbox.depth import Depth, depth_of
from bot.store.engine import Database
from bot.store.troubles import Troubles
from bot.telegram.wire import Wire
from bot.watch.admins import Admins
from bot.watch.conditions import conditions
from bot.watch.facts import Facts, Feed, Telegram, Trouble
from bot.watch.gauges import Gauges
from bot.watch.readiness import unready
from bot.watch.signals import Signals
from bot.watch.standing import Ledger
from bot.watch.troubles import TROUBLES, Telling, What, lasting
from bot.watch.words import standing_line, told

log = structlog.get_logger()

LOOK_EVERY = 5.0
"""Seconds between two looks, unless something is reported."""
_BREATH = 0.2
"""The shortest time between two looks, in seconds: a thousand connections may report at once."""
_ANSWER_WITHIN = 2.0
"""Seconds in which the database has to answer whoever asks for /metrics."""


class Watch:
    """One a process. The rooms say what they have: `feed` the connections, `backlog` what the courier holds, `rules` how many."""

    def __init__(self, clock: Clock, database: Database, wire: Wire, admins: Admins, disk: Path | None = None) -> None:
        """`disk` is a place on the disk that must not get full."""
        self._clock, self._database, self._wire, self._admins, self._disk = clock, database, wire, admins, disk
        self.signals = Signals(clock)
        self.feed: Callable[[], Feed] | None = None
        self.backlog: Callable[[], int] | None = None
        self.rules: Callable[[], int] = lambda: 0
        self.spokesman = False
        """Of several processes one tells of the database, that which talks with people: without it they cannot agree."""
        self._ledger = Ledger(Troubles(database))
        self._started, self._at_work = clock.now(), False
        self._trouble: Trouble | None = None
        database.on_trouble = self._heard

    async def run(self) -> None:
        """Everything is at work: look and tell until cancelled."""
        self._started, self._at_work = self._clock.now(), True
        await asyncio.gather(self._admins.run(), self._look_again())

    async def look(self) -> None:
        """Look once; what is to be told waits for the admins."""
        facts = self.facts()
        found = {**conditions(facts), **self.signals.now()}
        if not self.spokesman:
            found = {name: sentence for name, sentence in found.items() if not name.startswith("database-")}
        for telling in await self._ledger.step(found, facts.now):
            self._tell(telling)

    def facts(self) -> Facts:
        """What is known now."""
        wire = self._wire
        telegram = Telegram(wire.failing_since, wire.refused_since, wire.skew)
        feed = self.feed() if self.feed else None
        return Facts(self._clock.now(), self._started, self._at_work, feed, telegram, self._trouble, _free(self._disk))

    def unready(self) -> tuple[str, ...]:
        """What is not well, a line each: for /readyz."""
        return unready(self.facts())

    def lines(self) -> list[str]:
        """The troubles that last, of all processes: for /status."""
        return [standing_line(name, standing) for name, standing in sorted(lasting(self._ledger.standings).items())]

    async def metrics(self) -> bytes:
        """All that is counted, and what is read off now: for /metrics."""
        depth = await self._depth()
        facts = self.facts()
        backlog = self.backlog() if self.backlog else None
        standing = set(lasting(self._ledger.standings))
        return exposition(Gauges(facts, not unready(facts), self.rules(), standing, depth, backlog))

    def _tell(self, telling: Telling) -> None:
        say = log.info if telling.what is What.OVER else log.warning
        say("trouble", name=telling.name, what=telling.what.value, reason=telling.detail)
        if telling.what is What.OVER or not TROUBLES[telling.name].cut_off:
            TOLD_ADMINS.labels(telling.name).inc()
            self._admins.post(telling.name, told(telling))

    async def _depth(self) -> Depth | None:
        try:
            async with asyncio.timeout(_ANSWER_WITHIN):
                return await depth_of(self._database, self._clock.now())
        except (StoreError, TimeoutError):
            return None

    async def _look_again(self) -> None:
        while True:
            self.signals.changed.clear()
            try:
                await self.look()
            except Exception as error:  # whoever watches must not be what fails
                log.exception("look_failed", reason=repr(error))
            await asyncio.sleep(_BREATH)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self.signals.changed.wait()

    def _heard(self, sentence: str | None) -> None:
        """The database says how it is."""
        since = self._trouble.since if self._trouble else self._clock.now()
        self._trouble = Trouble(sentence, since) if sentence else None


def _free(place: Path | None) -> int | None:
    try:
        return shutil.disk_usage(place).free if place else None
    except OSError:
        return None


def disk_of(url: str) -> Path | None:
    """Where the file of a database lies; None for one in memory or on a server."""
    place = make_url(url)
    file = place.database if place.get_backend_name() == "sqlite" else None
    return Path(file).absolute().parent if file and file != ":memory:" else None
