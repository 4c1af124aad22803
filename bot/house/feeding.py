"""The feed's room: follows matches and makes alerts."""

from __future__ import annotations

import datetime as dt

from bot.extras.maker import Extras
from bot.follow import Follower
from bot.house.common import Common, Work
from bot.house.keeper import lease_of
from bot.house.leased import leased
from bot.languages.football import wordings
from bot.pictures.maker import available
from bot.pipeline import Pipeline
from bot.schedule.runner import Runner
from bot.snapshots import Snapshots
from bot.store.standings import Standings
from bot.watch.facts import Feed
from bot.watch.status import status_lines
from rules.action import Fixture
from rules.match import Match

_LEFT_WITHIN = dt.timedelta(days=1)


class Feeding:
    """The plan, the connections and the line from packets to alerts."""

    def __init__(self, common: Common) -> None:
        self._common = common
        config, signals, clock = common.current.config, common.watch.signals, common.clock
        self.pipeline = Pipeline(config.rules, config.catalogue, common.outbox, Snapshots(common.positions), wordings())
        self.extras = Extras(self.pipeline.live, common.outbox, common.chats.extras_wanted, clock, pictures=available())
        self.pipeline.on_over = self.extras.over
        self.follower = Follower(
            self.pipeline,
            common.current.feed,
            clock,
            signals.look_soon,
            signals.look_soon,
            archive=common.source,
            last=common.last_matches,
        )
        self.runner = Runner(
            common.source,
            common.chats.every_subscription,
            self._follow,
            common.current.schedule,
            clock,
            signals.feed_refused,
            self._updated,
            signals.feed_accepted,
            Standings(common.database, clock),
            self._unfinished,
        )
        common.watch.feed = self._standing
        common.lines = self._lines
        common.on_rules.append(self.pipeline.use)
        common.on_chats.append(self.runner.wake)
        common.on_settings += [self.runner.wake, self.follower.reload]

    def works(self) -> tuple[Work, ...]:
        """Follow for ever."""
        return self.runner.run(), self.extras.run()

    def fixtures(self) -> tuple[Fixture, ...]:
        """The fixtures known now, by kick-off."""
        return self.runner.fixtures()

    def match(self, fixture_id: str) -> Match | None:
        """How a match being followed here stands; None for any other."""
        return self.pipeline.match(fixture_id)

    async def _follow(self, fixture: Fixture) -> None:
        """Follow a match as it is listed when its turn comes, as long as no other process does."""
        follow, known = self.follower.follow, self.runner.known
        await leased(self._common.leasing, lease_of(fixture.id), lambda: follow(known(fixture.id) or fixture))

    async def _updated(self, before: Fixture, after: Fixture) -> None:
        """Whoever follows the match tells what becomes of it; where nobody does, everybody says the same."""
        if not self._common.leasing.waits(lease_of(after.id)):
            await self.follower.updated(before, after)

    def _lines(self) -> list[str]:
        return status_lines(self.follower.statuses(), self.match, self._common.clock.now())

    def _standing(self) -> Feed:
        """How it stands, for those who watch."""
        runner, every = self.runner, self._common.current.schedule.refresh_fixtures_every
        titles = {fixture.id: fixture.title for fixture in runner.fixtures()}
        return Feed(self.follower.statuses(lags=False), titles, runner.refreshed_at, every, len(runner.planned()))

    async def _unfinished(self) -> frozenset[str]:
        """The matches of the last day that an earlier process left in the middle."""
        return await self._common.positions.unfinished(self._common.clock.now() - _LEFT_WITHIN)
