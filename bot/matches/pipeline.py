"""Takes each packet through its three steps: it advances its match, the rules make alerts, the outbox stores them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import structlog

from bot.errors import StorageError
from bot.feed.sequence import FeedPosition
from bot.matches.snapshots import SnapshotStore
from bot.metrics import ALERTS, RULES_FIRED, UNKNOWN_VALUES
from bot.outbox.outbox import Outbox
from bot.retry import retry_while_database_unavailable
from rules.engine.alert import Alert, AlertKey
from rules.engine.evaluate import evaluate, translate_alert
from rules.engine.rule import RuleSet
from rules.engine.text import Wording
from rules.football.action import Fixture, Packet
from rules.football.advance import advance
from rules.football.catalogue import Catalogue
from rules.football.corrections.rewind import has_score_changed
from rules.football.corrections.unconfirmed import settle_at_last
from rules.football.corrections.unshown_goals import strike_unshown_goals
from rules.football.fixture_changes import (
    can_lose_connection,
    is_final_status,
    lose_connection,
    make_full_time_packet,
    make_status_packet,
    restore_connection,
)
from rules.football.lineups import Lineups, merge_lineups
from rules.football.match import Match, Moment
from rules.football.minute import Period
from rules.football.relisting import Relisting, make_relisting_moments
from rules.football.unknown_values import UnknownValue, find_unknown_values

log = structlog.get_logger()

_MAX_UNKNOWN_NAMES = 200
"""Most unknown names to count by themselves: the feed decides them, and the metrics must not grow for ever."""


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
        """Without `snapshots` a restart reads each match from its start. Alerts are rendered in each language of `wordings`."""
        self.rules = rules
        self._catalogue, self._outbox, self._snapshots, self._wordings = catalogue, outbox, snapshots, wordings
        self._matches: dict[str, Match] = {}
        self._notified: dict[str, defaultdict[str, set[str]]] = {}
        """By fixture and action id, the rules whose alert was stored: they follow the action whatever it becomes."""
        self._unknown: set[UnknownValue] = set()
        self._joined_late: set[str] = set()
        """Fixtures of which no process has sent or read anything before: their past is summarised in other words."""
        self._changed_since_snapshot: set[str] = set()
        self._end_unseen: set[str] = set()
        self._ended: set[str] = set()
        """Fixtures whose end was brought to its full time, and not taken back since."""
        self._caught_up: set[str] = set()
        self.on_over: Callable[[Match], Awaitable[None]] | None = None
        """Called with each match at its end, after full time was stored, and once more when it is closed."""
        self.on_alerts: Callable[[Packet, Sequence[Alert]], None] | None = None
        """Called with each packet that led to alerts, after they were stored."""

    def set_rules(self, rules: RuleSet, catalogue: Catalogue) -> None:
        """Evaluate other rules from the next packet on. What is known of the matches, and what was sent about them, stays."""
        self.rules, self._catalogue = rules, catalogue

    async def open(self, fixture: Fixture) -> FeedPosition | None:
        """Begin with a match. Return the position in its feed to resume at; None to read it from the beginning."""
        # Which rules fired comes from the outbox and not from the snapshot: alerts may be stored after it was written, and a
        # correction has to follow them.
        fired = await retry_while_database_unavailable(lambda: self._outbox.read_fired_rules(fixture.id))
        snapshots = self._snapshots
        snapshot = await retry_while_database_unavailable(lambda: snapshots.load_for(fixture)) if snapshots else None
        self._notified[fixture.id] = defaultdict(set, {action: set(rules) for action, rules in fired.items()})
        self._matches[fixture.id] = snapshot.match if snapshot else Match(fixture)
        if snapshots and not snapshot:
            # An empty snapshot marks the match as begun: if this process is killed before the first real one, the next one
            # finds the match among the unfinished and follows it to its end, even if it is over by then.
            await retry_while_database_unavailable(lambda: snapshots.save(Match(fixture), FeedPosition()))
        position = snapshot.position if snapshot and snapshot.position.position > 0 else None
        if not fired and position is None:
            self._joined_late.add(fixture.id)
        return position

    async def read_position(self, fixture: Fixture) -> FeedPosition | None:
        """Return how far the process that follows a match has read it; None if that is not known."""
        snapshot = await self._snapshots.load_for(fixture) if self._snapshots else None
        return snapshot.position if snapshot and snapshot.position.position > 0 else None

    async def process(self, packet: Packet, received: float = 0.0) -> Moment:
        """Take one packet all the way to the outbox, and return what it changed. The match has to be open.

        `received` is when its frame arrived, in seconds since 1970; 0 if no frame brought it.
        """
        moment = advance(self._matches[packet.fixture_id], packet, self._catalogue)
        self._matches[packet.fixture_id] = moment.after
        if moment.before.ended_by and not moment.after.ended_by:
            self._ended.discard(packet.fixture_id)
            log.info("match_reopened", fixture=packet.fixture_id, feed_trace_id=packet.trace_id)
        alerts = evaluate(self.rules, moment, self._notified[packet.fixture_id], self._catalogue)
        # Only what a frame brought has been on its way: latencies are measured from here.
        if received:
            facts = {"received_at": received, "feed_trace_id": packet.trace_id}
            alerts = tuple(msgspec.structs.replace(alert, **facts) for alert in alerts)
        await self._put_alerts(alerts, moment)
        if alerts and self.on_alerts:
            self.on_alerts(packet, alerts)
        for value in find_unknown_values(packet, self._catalogue):
            self._report_unknown(value, packet)
        return moment

    def _report_unknown(self, value: UnknownValue, packet: Packet) -> None:
        """Count a name that nothing here knows, and log it once: a rule or a catalogue may want it."""
        is_new = value not in self._unknown
        if is_new and len(self._unknown) >= _MAX_UNKNOWN_NAMES:
            UNKNOWN_VALUES.labels(value.field, "(more)").inc()
            return
        UNKNOWN_VALUES.labels(value.field, value.name).inc()
        if is_new:
            self._unknown.add(value)
            log.info("unknown_name", field=value.field, name=value.name, fixture=packet.fixture_id, feed_trace_id=packet.trace_id)

    async def on_caught_up(self, fixture_id: str, *, was_down: bool = True) -> None:
        """Summarise what happened and is too old to be news. Called at every heartbeat.

        `was_down`: a connection was down in this match. Without it news can be old for another reason, as with a wrong clock
        or a feed that is late, and the summary does not speak of a connection.
        """
        # "While the connection was down" would be wrong for both.
        is_late_join = fixture_id in self._joined_late or not was_down
        await retry_while_database_unavailable(lambda: self._outbox.summarise_missed(fixture_id, is_late_join=is_late_join))
        self._joined_late.discard(fixture_id)
        self._caught_up.add(fixture_id)

    def matches_in_play(self) -> tuple[Match, ...]:
        """Return the matches whose history has been read; a card of any other would show a score of the past."""
        return tuple(self._matches[fixture_id] for fixture_id in self._caught_up if fixture_id in self._matches)

    async def save_snapshot(self, fixture_id: str, position: FeedPosition | None) -> None:
        """Store the match as it stands at a position in its feed, if it has changed; None if it cannot be resumed now."""
        if self._snapshots and position and fixture_id in self._matches:
            try:
                await self._snapshots.save(self._matches[fixture_id], position)
            except StorageError as error:
                # Not retried: the packets must go on, and the snapshot before this one only makes a restart read more.
                log.warning("match_snapshot_not_saved", fixture=fixture_id, reason=str(error))
                return
            self._changed_since_snapshot.discard(fixture_id)

    def has_alerts_since_snapshot(self, fixture_id: str) -> bool:
        """Return True if alerts were stored after the last snapshot of the match."""
        return fixture_id in self._changed_since_snapshot

    async def apply_fixture_change(self, before: Fixture, after: Fixture, now: dt.datetime) -> None:
        """Make alerts of a status in the list of fixtures.

        The list is believed before kick-off, and if it says that the match will not go on. In play the stream knows better,
        and the list may lag behind it.
        """
        match = self._matches.get(after.id)
        if match is None:
            # Not followed here, such as a match that is postponed on the day before: its stream never opens.
            match = Match(before, status=before.status, collection_status=before.collection_status)
        elif not match.status:
            # Its stream has brought nothing yet, so that only the list tells what a change is a change of.
            match = msgspec.structs.replace(match, status=before.status, collection_status=before.collection_status)
        elif match.period is not Period.BEFORE and not is_final_status(after.status):
            return
        moment = advance(match, make_status_packet(after, match.seq, now), self._catalogue)
        if after.id in self._matches:
            self._matches[after.id] = moment.after
        else:
            # Nothing is known of its score here, so that none is to be stored.
            moment = msgspec.structs.replace(moment, before=moment.after)
        await self._put_alerts(evaluate(self.rules, moment, None, self._catalogue), moment)

    async def apply_relisting(self, known: Fixture, relisting: Relisting, revision: int, now: dt.datetime) -> None:
        """Make alerts of what changed in the listing of a fixture, which chats have as `known`."""
        fixture = relisting.after
        match = self._matches.get(fixture.id)
        if match is None:
            match = Match(fixture, status=fixture.status, collection_status=fixture.collection_status)
        else:
            # Of a match that is followed, packets tell which team is at home.
            known = match.fixture
            home, away = (known.home, known.away) if match.has_begun or not fixture.home.name else (fixture.home, fixture.away)
            match = msgspec.structs.replace(match, fixture=msgspec.structs.replace(fixture, home=home, away=away))
            self._matches[fixture.id] = match
        for moment in make_relisting_moments(match, known, relisting, revision, now):
            await self._put_alerts(evaluate(self.rules, moment, None, self._catalogue), moment)

    async def apply_lineups(self, fixture_id: str, lineups: Lineups) -> None:
        """Add line-ups of the REST side to a match, and to the message that announced them without the players."""
        before = self._matches[fixture_id]
        after = msgspec.structs.replace(before, lineups=merge_lineups(before.lineups, lineups))
        if after.lineups == before.lineups:
            return
        self._matches[fixture_id] = after
        actions = [record.action for record in after.records.values() if record.action.type == "Lineups" and record.is_standing]
        for action in actions:
            # As a newer revision: the feed's own one has no players.
            action = msgspec.structs.replace(action, seq=max(action.seq, after.seq) + 1)
            moment = Moment(before, action, after)
            await self._put_alerts(evaluate(self.rules, moment, self._notified[fixture_id], self._catalogue), moment)

    async def report_connection_lost(self, fixture_id: str, reason: str, now: dt.datetime) -> None:
        """Tell the chats of a match, once, that its live data cannot be read here. `reason` is a term that is translated."""
        if can_lose_connection(self._matches[fixture_id]):
            await self._apply_moment(lose_connection(self._matches[fixture_id], reason, now))

    async def report_connection_back(self, fixture_id: str, now: dt.datetime) -> None:
        """Tell the chats that know of the loss that live data can be read again. Called once all that was missed is read."""
        if self._matches[fixture_id].is_cut_off:
            await self._apply_moment(restore_connection(self._matches[fixture_id], now))

    async def end(self, fixture_id: str, now: dt.datetime) -> None:
        """Bring a match to its full time: make one if the feed sent none, and summarise what was missed.

        The match stays open for what is corrected after its end. Its snapshot stays too: a process that is killed leaves the
        match among the unfinished, and the next one ends it again and reads on. Does nothing if the match has ended already.
        """
        if fixture_id in self._ended:
            return
        match = self._matches[fixture_id]
        # Without an End Match (section 12 of the feed documentation) the status ends it, and chats get the same message.
        if match.is_completed and not match.ended_by and fixture_id not in self._end_unseen:
            await self.process(make_full_time_packet(match, now))
        await self.on_caught_up(fixture_id)
        self._ended.add(fixture_id)
        log.info("match_ended", fixture=fixture_id, match=match.fixture.title)
        if self.on_over:
            await self.on_over(self._matches[fixture_id])

    async def close(self, fixture_id: str, now: dt.datetime) -> None:
        """Finish with a match of which nothing more is read: end it unless it has ended, and delete the snapshot."""
        # A match that is lost has had no end before, and one that was reopened has none any more.
        if fixture_id not in self._ended:
            await self.end(fixture_id, now)
        match = self._matches[fixture_id]
        # After the end no break in play follows at which these would be settled.
        if (match.ended_by or match.is_lost) and (moment := settle_at_last(match, now)):
            await self._apply_moment(moment)
        await self.review_score(fixture_id, now, is_last=True)
        if self.on_over:
            await self.on_over(self._matches[fixture_id])
        # Last: a process that is killed before leaves the match among the unfinished, and the next one ends it again.
        if self._snapshots:
            snapshots = self._snapshots
            await retry_while_database_unavailable(lambda: snapshots.delete(fixture_id))

    async def review_score(self, fixture_id: str, now: dt.datetime, *, is_last: bool = False) -> None:
        """Strike the goals that the score has left out for a minute, if play is in a break or over and no packet comes.

        `is_last`: nothing more is read of the match.
        """
        if moment := strike_unshown_goals(self._matches[fixture_id], now, is_last=is_last):
            await self._apply_moment(moment)

    async def _apply_moment(self, moment: Moment) -> None:
        """Take over a step that no packet brought."""
        fixture_id = moment.after.fixture.id
        self._matches[fixture_id] = moment.after
        await self._put_alerts(evaluate(self.rules, moment, self._notified[fixture_id], self._catalogue), moment)

    def mark_end_unseen(self, fixture_id: str) -> None:
        """Make no full time of this match: its end was not seen, and the score may have changed."""
        self._end_unseen.add(fixture_id)

    def drop(self, fixture_id: str) -> None:
        """Remove a match from memory."""
        self._matches.pop(fixture_id, None)
        self._notified.pop(fixture_id, None)
        for ids in (self._joined_late, self._changed_since_snapshot, self._end_unseen, self._ended, self._caught_up):
            ids.discard(fixture_id)
        if self._snapshots:
            self._snapshots.drop_cached(fixture_id)

    def match(self, fixture_id: str) -> Match | None:
        """Return a match that is being followed as it stands; None for any other."""
        return self._matches.get(fixture_id)

    async def _number_alerts(self, alerts: tuple[Alert, ...], moment: Moment) -> tuple[Alert, ...]:
        """Return the alerts with numbers that are higher than those of the same actions in the outbox, which ignores others.

        Two kinds of alerts need another number than their packet's: one of a packet that comes late has a lower number than what
        was stored meanwhile, and one that no packet brought has the number of the next packet.
        """
        match = self._matches.get(moment.after.fixture.id)
        if match is None or not alerts:
            return alerts
        stored: dict[AlertKey, int] = {}
        # Only for a late packet, and for what no packet brought: others have the highest number, and need no query.
        if moment.action.seq <= moment.before.seq:
            keys = {alert.key for alert in alerts}
            stored = await retry_while_database_unavailable(lambda: self._outbox.read_numbers(keys))
        # Most types have no record: their late packet may be one that was read before, and only its own number tells.
        action, is_late = moment.action, moment.action.seq < moment.before.seq
        has_record = action.id in moment.before.records or action.id in moment.after.records
        own_numbered = action.id if is_late and not has_record else None
        numbered, given = [], dict(match.alert_numbers)
        for alert in alerts:
            if alert.key.action_id == own_numbered:
                numbered.append(alert)
                continue
            number = max(alert.seq, stored.get(alert.key, -1) + 1, match.alert_numbers.get(alert.key.action_id, -1) + 1)
            numbered.append(msgspec.structs.replace(alert, seq=number) if number != alert.seq else alert)
            if number > match.seq:
                given[alert.key.action_id] = number
        if given != match.alert_numbers:
            self._matches[match.fixture.id] = msgspec.structs.replace(match, alert_numbers=given)
        return tuple(numbered)

    async def _put_alerts(self, alerts: tuple[Alert, ...], moment: Moment) -> None:
        """Store alerts in the outbox, in every language, and remember which rules made them.

        `moment` is what made them: how the match stands after it is stored with them.
        """
        # Stored in one transaction with the alerts: messages that show the score of the moment are renewed by it.
        match = moment.after if has_score_changed(moment.before, moment.after) else None
        if not alerts and match is None:
            return
        alerts = await self._number_alerts(alerts, moment)
        # Before they are stored, once for all chats: the sender knows neither rules nor catalogues of texts.
        translated = tuple(translate_alert(alert, self.rules, self._wordings) for alert in alerts)
        # The match waits while the database is away: a packet that is processed and not stored would be lost.
        await retry_while_database_unavailable(lambda: self._outbox.put(translated, match))
        if not alerts:
            return
        self._changed_since_snapshot.add(alerts[0].key.fixture_id)
        for alert in alerts:
            ALERTS.labels(alert.kind, alert.state.value).inc()
            if alert.rule:
                RULES_FIRED.labels(alert.rule).inc()
            if alert.text_error:
                trace = {"trace_id": alert.key.trace_id, "feed_trace_id": alert.feed_trace_id}
                log.error("rule_text_failed", rule=alert.rule, fixture=alert.key.fixture_id, reason=alert.text_error, **trace)
            if alert.rule and alert.key.fixture_id in self._notified:
                self._notified[alert.key.fixture_id][alert.key.action_id].add(alert.rule)
