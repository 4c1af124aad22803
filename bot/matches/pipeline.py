"""The path of a packet: it advances its match, the rules make alerts of the change, the outbox stores them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from bot.errors import StorageError
from bot.feed.sequence import FeedPosition
from bot.matches.snapshots import SnapshotStore
from bot.metrics import ALERTS, RULES_FIRED, UNKNOWN_ACTION_TYPES
from bot.outbox.outbox import Outbox
from bot.retry import retry_while_database_unavailable
from rules.engine.alert import Alert
from rules.engine.evaluate import Wording, evaluate, translate_alert
from rules.engine.rule import RuleSet
from rules.football.action import Fixture, Packet
from rules.football.advance import advance
from rules.football.catalogue import Catalogue
from rules.football.fixture_changes import is_final_status, make_full_time_packet, make_status_packet
from rules.football.match import Match, Moment
from rules.football.minute import Period

log = structlog.get_logger()


async def _ignore_match(_match: Match) -> None:
    """Nobody waits for the end of a match."""


class Pipeline:
    """Processes every packet of every match that this process follows. One per process."""

    def __init__(
        self,
        rules: RuleSet,
        catalogue: Catalogue,
        outbox: Outbox,
        snapshots: SnapshotStore | None = None,
        wordings: Sequence[Wording] = (),
    ) -> None:
        """Without `snapshots` a restart reads each match from its beginning. `on_over` hears of each match at its end.

        Alerts are put into the words of every language of `wordings`.
        """
        self.rules = rules
        self._names, self._outbox, self._snapshots, self._wordings = catalogue, outbox, snapshots, wordings
        self._matches: dict[str, Match] = {}
        self._notified: dict[str, defaultdict[str, set[str]]] = {}
        self._unknown: set[str] = set()
        self._joined_late: set[str] = set()
        self._changed_since_snapshot: set[str] = set()
        self._end_unseen: set[str] = set()
        self._caught_up: set[str] = set()
        self.on_over: Callable[[Match], Awaitable[None]] = _ignore_match

    def set_rules(self, rules: RuleSet, catalogue: Catalogue) -> None:
        """Ask other rules from the next packet on. What is known of the matches, and what was told of them, stays."""
        self.rules, self._names = rules, catalogue

    async def open(self, fixture: Fixture) -> FeedPosition | None:
        """Begin with a match, knowing what its chats were told before; where its feed goes on, None for its beginning."""
        told = await retry_while_database_unavailable(lambda: self._outbox.read_fired_rules(fixture.id))
        snapshots = self._snapshots
        kept = await retry_while_database_unavailable(lambda: snapshots.load_for(fixture)) if snapshots else None
        self._notified[fixture.id] = defaultdict(set, {action: set(rules) for action, rules in told.items()})
        self._matches[fixture.id] = kept.match if kept else Match(fixture)
        if snapshots and not kept:  # whoever comes next reads it to its end, though it be over by then
            await retry_while_database_unavailable(lambda: snapshots.save(Match(fixture), FeedPosition()))
        began = kept is not None and kept.position.position > 0
        if not told and not began:
            self._joined_late.add(fixture.id)
        return kept.position if kept and began else None

    async def process(self, packet: Packet, received: float = 0.0) -> Moment:
        """One packet, all the way to the outbox; when its frame came, in seconds since 1970, 0 where none brought it."""
        moment = advance(self._matches[packet.fixture_id], packet, self._names)
        self._matches[packet.fixture_id] = moment.after
        alerts = evaluate(self.rules, moment, self._notified[packet.fixture_id], self._names)
        await self._put_alerts(
            tuple(msgspec.structs.replace(alert, received_at=received) for alert in alerts) if received else alerts
        )
        self._log_unknown_type(packet)
        return moment

    async def on_caught_up(self, fixture_id: str) -> None:
        """The history has been read: tell once what was missed and is too old to be news."""
        await retry_while_database_unavailable(
            lambda: self._outbox.summarise_missed(fixture_id, is_late_join=fixture_id in self._joined_late)
        )
        self._joined_late.discard(fixture_id)
        self._caught_up.add(fixture_id)

    def matches_in_play(self) -> tuple[Match, ...]:
        """The matches whose history has been read, as they stand."""
        return tuple(self._matches[fixture_id] for fixture_id in self._caught_up if fixture_id in self._matches)

    async def save_snapshot(self, fixture_id: str, place: FeedPosition | None) -> None:
        """Keep how a match stands at this place in its feed, where it has moved on; None: it cannot be kept now."""
        if self._snapshots and place and place.position and fixture_id in self._matches:
            try:
                await self._snapshots.save(self._matches[fixture_id], place)
            except StorageError as error:  # the one before stands: what came since is read again
                log.warning("match_snapshot_not_saved", fixture=fixture_id, reason=str(error))
                return
            self._changed_since_snapshot.discard(fixture_id)

    def has_alerts_since_snapshot(self, fixture_id: str) -> bool:
        """Tell whether there were alerts since the match was kept."""
        return fixture_id in self._changed_since_snapshot

    async def apply_fixture_change(self, before: Fixture, after: Fixture, now: dt.datetime) -> None:
        """The fixtures say something new. They are believed where the stream is silent: before play, and on how it all ends."""
        match = self._matches.get(after.id)
        if match is None:
            match = Match(before, status=before.status, collection_status=before.collection_status)
        elif match.period is not Period.BEFORE and not is_final_status(after.status):
            return
        moment = advance(match, make_status_packet(after, match.seq, now), self._names)
        if after.id in self._matches:
            self._matches[after.id] = moment.after
        await self._put_alerts(evaluate(self.rules, moment, None, self._names))

    async def close(self, fixture_id: str, now: dt.datetime) -> None:
        """The match is over: full time is told, also where the feed sent no end; so is what was missed."""
        match = self._matches[fixture_id]
        if match.is_completed and not match.ended_by and fixture_id not in self._end_unseen:
            await self.process(make_full_time_packet(match, now))
        await self.on_caught_up(fixture_id)
        await self.on_over(self._matches[fixture_id])
        if self._snapshots:
            snapshots = self._snapshots
            await retry_while_database_unavailable(lambda: snapshots.delete(fixture_id))

    def mark_end_unseen(self, fixture_id: str) -> None:
        """The end was not seen: the score may not be the last one, and no full time is made of it."""
        self._end_unseen.add(fixture_id)

    def drop(self, fixture_id: str) -> None:
        """Remove a match from memory."""
        self._matches.pop(fixture_id, None)
        self._notified.pop(fixture_id, None)
        for ids in (self._joined_late, self._changed_since_snapshot, self._end_unseen, self._caught_up):
            ids.discard(fixture_id)
        if self._snapshots:
            self._snapshots.drop_cached(fixture_id)

    def match(self, fixture_id: str) -> Match | None:
        """How a match being followed stands; None for any other."""
        return self._matches.get(fixture_id)

    async def _put_alerts(self, alerts: tuple[Alert, ...]) -> None:
        if not alerts:
            return
        spoken = tuple(translate_alert(alert, self.rules, self._wordings) for alert in alerts)
        await retry_while_database_unavailable(lambda: self._outbox.put(spoken))
        self._changed_since_snapshot.add(alerts[0].key.fixture_id)
        for alert in alerts:
            ALERTS.labels(alert.kind, alert.state.value).inc()
            if alert.rule:
                RULES_FIRED.labels(alert.rule).inc()
            if alert.text_error:
                log.error("rule_text_failed", rule=alert.rule, fixture=alert.key.fixture_id, reason=alert.text_error)
            if alert.rule and alert.key.fixture_id in self._notified:
                self._notified[alert.key.fixture_id][alert.key.action_id].add(alert.rule)

    def _log_unknown_type(self, packet: Packet) -> None:
        """Log each unknown action type once: the feed may add types at any time."""
        if self._names.has_type(packet.type):
            return
        UNKNOWN_ACTION_TYPES.inc()
        if packet.type not in self._unknown:
            self._unknown.add(packet.type)
            log.info("unknown_action_type", name=packet.type, fixture=packet.fixture_id)
