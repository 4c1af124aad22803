"""Applies one packet to a match: score, period, and what is retracted or restored.

Sections named in comments are those of the feed documentation.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from rules.football.action import Action, Fixture, Packet, SendType, Side, Summary, Team
from rules.football.action_records import record_revision
from rules.football.catalogue import Catalogue, load_catalogue
from rules.football.colours import update_colours
from rules.football.corrections.repeated_reports import own_record
from rules.football.corrections.score_lag import ScorePair, add_uncounted, catch_up, reconcile_score
from rules.football.corrections.unconfirmed import settle_unconfirmed
from rules.football.corrections.unshown_goals import review_goals
from rules.football.fixture_changes import (
    BEFORE_KICKOFF,
    COVERAGE_DROPPED,
    COVERAGE_LOST,
    COVERAGE_RESTORED,
    MATCH_RESUMED,
    detect_change,
    make_action,
)
from rules.football.lineups import update_lineups
from rules.football.match import ActionRecord, Match, Moment, Score
from rules.football.minute import PERIODS_BY_ID, Minute, Period, find_minute, is_later_period
from rules.football.names import normalise
from rules.football.statuses import COVERAGE_LEVELS
from rules.football.substitutions import name_coming_player
from rules.football.unknown_values import ScoreChange, resolve_unknown_send_type


def advance(before: Match, packet: Packet, catalogue: Catalogue | None = None) -> Moment:
    """Apply a packet to a match. Accepts any packet of the match, in any order; raises nothing."""
    catalogue = catalogue or load_catalogue()
    action = resolve_action(before, packet, catalogue)
    known = before.records.get(action.id)
    if known and own_record(known).action.seq >= action.seq:
        return Moment(before, action, before, is_news=False)
    if known is None and _only_moves_clock(before, packet, action, catalogue):
        return Moment(before, action, _update_clock(before, action, packet, packet.summary, is_late=False))
    # A late packet corrects the records, but its summary is older than the one already applied (section 7): only the
    # summary with the highest number may set score, period and clock.
    is_late = action.seq < before.seq
    summary = Summary() if is_late else packet.summary
    scores = _read_scores(before, summary, action.period)
    pairs = _pair_scores(before, scores)
    # What the score had to catch up with is taken off first: only the rest of its change is this action's doing.
    lagging = catch_up(before, pairs)
    change = lagging.find_change(is_kick=action.period is Period.SHOOTOUT)
    action = _resolve_outcome(before, action, change, catalogue)
    if action.send_type is SendType.OTHER:
        own = own_record(known) if known else None
        action = msgspec.structs.replace(action, send_type=resolve_unknown_send_type(action, own, summary, change))
    caught_up = msgspec.structs.replace(before, records=lagging.records) if lagging.records is not before.records else before
    action, records, affected = record_revision(caught_up, action, change, catalogue)
    uncounted, records, credited = reconcile_score(lagging, before, records, action, pairs)
    affected += credited
    # The clock before the break, which is found by it; the break before the score, which counts what is settled there.
    clocked = _update_clock(before, action, packet, summary, is_late)
    score = add_uncounted(scores.match, uncounted, is_kick=False)
    shootout = None if scores.shootout is None else add_uncounted(scores.shootout, uncounted, is_kick=True)
    records, settled = settle_unconfirmed(records, before, clocked, action, score, shootout)
    after = msgspec.structs.replace(
        clocked,
        fixture=_update_coverage(_learn_teams(before, packet, action, scores.match), action),
        records=records,
        colours=update_colours(before.colours, action),
        lineups=update_lineups(before.lineups, action),
        summary_score=scores.match,
        displayed_score=scores.displayed,
        score=score if shootout is not None else _subtract_pending_goals(score, records, in_shootout=False),
        shootout=_subtract_pending_goals(shootout, records, in_shootout=True) if shootout is not None else None,
        uncounted=uncounted,
    )
    # The feed may send a second End Match, and Touchline makes one where the feed sends none: the first is full time.
    is_repeated_end = action.type == "End Match" and before.ended_by not in ("", action.id)
    if action.type == "End Match" or action.id == before.ended_by:
        after, next_end = _update_end(after, action)
        affected += next_end
    if not is_late:
        after, reviewed = review_goals(before, after, action)
        affected += reviewed
    moment = Moment(before, action, after, is_news=not is_repeated_end, affected=affected, settled=settled)
    return _add_status_change(moment, summary.clock or 0)


_STATE_TYPES = ("Status Updated", "Team Colours", "Lineups", "End Period", "End Match")
"""The actions that change the match itself, whether they are remembered or not."""


def _only_moves_clock(before: Match, packet: Packet, action: Action, catalogue: Catalogue) -> bool:
    """Return True if a packet's action is not remembered, and its summary changes nothing but the clock.

    Nine in ten packets are throw-ins, passes and the like. `advance` would come to the same result for them, in three times the
    time. Whatever is not certain here is left to it. `action` is not known yet.
    """
    kind, summary, fixture = catalogue.find_type(action.type), packet.summary, before.fixture
    return (
        not (kind.is_remembered or kind.changes_score or kind.pairs_by_sub_type or kind.disallows or action.type in _STATE_TYPES)
        # Pending actions are remembered, and an unknown send type is found out by what the summary shows.
        and action.send_type is not SendType.PENDING
        and action.send_type is not SendType.OTHER
        and action.seq >= before.seq
        # No break in play, and no shootout, which has a score of its own.
        and action.period is before.period is not Period.SHOOTOUT
        and before.shootout is None
        and not any(period.period is Period.SHOOTOUT for period in summary.periods)
        and (not summary.status or summary.status == before.status)
        and (not summary.collection_status or summary.collection_status == before.collection_status)
        # The score is what it was, and nothing is in doubt that a later packet could settle.
        and (summary.home is None or summary.home == before.summary_score.home)
        and (summary.away is None or summary.away == before.summary_score.away)
        and not (before.uncounted or before.unshown_goals or before.ended_by)
        and before.displayed_score == before.summary_score
        and before.score == _subtract_pending_goals(before.summary_score, before.records, in_shootout=False)
        and (packet.team is None or bool(fixture.home.name and fixture.away.name))
    )


def _update_end(match: Match, action: Action) -> tuple[Match, tuple[ActionRecord, ...]]:
    """Return the match after a revision of an End Match, and the End Match that is full time from now on, if it is another one.

    An end that is taken back reopens the match, unless the feed has sent another end that still stands.
    """
    if not match.ended_by:
        if not action.send_type.is_standing:
            return match, ()
        if not (match.is_lost or match.is_suspended):
            return msgspec.structs.replace(match, ended_by=action.id), ()
        # No full time (section 10.3): play may be resumed, and the End Match that comes then is the first. So this one is
        # recorded as retracted, and the one after play resumes becomes full time.
        uncounted = {i: msgspec.structs.replace(r, is_retracted=True) for i, r in match.records.items() if i == action.id}
        return msgspec.structs.replace(match, records=match.records | uncounted), ()
    if action.id != match.ended_by or not action.send_type.is_retraction:
        return match, ()
    # The first of them: records keep the order of arrival, and what came first is full time.
    others = tuple(r for r in match.records.values() if r.action.type == "End Match" and r.is_standing)[:1]
    return msgspec.structs.replace(match, ended_by=others[0].action.id if others else ""), others


_RESUMING_TYPES = ("Status Updated", "Start Period", "Start Clock", "Play Resumed")
"""The actions with which a match goes on that was abandoned."""


def _add_status_change(moment: Moment, clock: int) -> Moment:
    """Add the change of coverage or status to a moment, if there is one. `clock` is the summary's, in seconds.

    A status packet's own clock stands at zero (section 10.4).
    """
    before, after = moment.before, moment.after
    if not before.status:
        return moment  # The first packet of a match brings its status, which is no change.
    if before.status == after.status and before.collection_status == after.collection_status:
        return moment  # Nearly every packet.
    name = detect_change((before.status, before.collection_status), (after.status, after.collection_status))
    # While Touchline itself is cut off, chats know that live data is missing. `restore_connection` says when it is back.
    if not name or (before.is_cut_off and name in (COVERAGE_LOST, COVERAGE_RESTORED)):
        return moment
    if name == MATCH_RESUMED and before.is_lost and moment.action.type not in _RESUMING_TYPES:
        return moment  # A packet from before the match was abandoned, which comes late.
    if name == COVERAGE_LOST:
        after = msgspec.structs.replace(after, score_when_coverage_lost=after.score)
    # The summary's clock is not taken over into the match, which a status packet never moves on (`_update_clock`).
    minute = find_minute(clock, after.period) if clock > after.clock else after.minute
    change = make_action(name, moment.action, after.fixture, minute, after.period)
    if name == COVERAGE_DROPPED and after.period is Period.BEFORE and before.status.casefold() == "scheduled":
        change = msgspec.structs.replace(change, sub_type=BEFORE_KICKOFF)
    return msgspec.structs.replace(moment, after=after, coverage_change=change)


def resolve_action(match: Match, packet: Packet, catalogue: Catalogue) -> Action:
    """Turn a packet into an action: canonical names, period, minute, and the side of its team."""
    action_type, sub_type = catalogue.resolve_names(packet.type, packet.sub_type)
    period, minute = _find_period_and_minute(match, packet, is_goal=catalogue.find_type(action_type).changes_score)
    side = packet.team_side or _find_side(match.fixture, packet.team)
    team = packet.team
    # The fixture's spelling of the team: one match has one name for it in all messages.
    if side and (known := match.fixture.team(side)).name:
        team = known
    action = Action(
        fixture_id=packet.fixture_id,
        id=packet.action_id,
        type=action_type,
        sub_type=sub_type,
        send_type=packet.send_type,
        # A packet without a number is taken in the order in which it comes (section 7).
        seq=match.seq + 1 if packet.seq is None else packet.seq,
        at=packet.at,
        period=period,
        minute=minute,
        side=side,
        team=team,
        player=packet.player,
        related=packet.related,
        metadata=packet.metadata,
        is_delayed=packet.is_delayed,
        may_repeat=catalogue.may_repeat(packet.type),
        timeline=packet.timeline,
        is_sub_type_of_name=bool(sub_type) and not packet.sub_type,
    )
    return name_coming_player(action)


def _find_period_and_minute(match: Match, packet: Packet, *, is_goal: bool) -> tuple[Period, Minute | None]:
    """Return the period and minute of a packet's action. A goal without them has those of its last revision, or of the match."""
    summary = packet.summary
    period = resolve_period(packet.period_id, summary, packet.clock)
    # None falls before the kick-off or at 00:00: there the feed has left it out, and all other goals would seem to come later.
    is_left_out = is_goal and (period is Period.BEFORE or (packet.clock == 0 and period is not Period.SHOOTOUT))
    if not is_left_out or match.period is Period.BEFORE:
        return period, find_minute(packet.clock, period)
    if known := match.records.get(packet.action_id):
        return known.action.period, known.action.minute
    if period is Period.BEFORE:
        period = resolve_period(summary.period_id, summary, summary.clock or 0) if summary.period_id else match.period
    if period is not match.period and not packet.clock:
        return period, None
    return period, find_minute(packet.clock or summary.clock or match.clock, period)


def _resolve_outcome(before: Match, action: Action, change: ScoreChange, catalogue: Catalogue) -> Action:
    """Return a penalty with its outcome, where not its sub type but something else shows it.

    A kick with which the score rises is a goal. A revision without a sub type keeps the outcome that was known.
    """
    outcomes = catalogue.find_type(action.type).pairs_by_sub_type
    if not outcomes or action.sub_type:
        return action
    known = before.records.get(action.id)
    is_kick = action.type == "Penalty Kick"
    # A penalty whose goal falls out of the score, and which is not taken back itself, is taken again.
    is_retaken = bool(known and known.action.type == "Goal" and change.lost) and not (is_kick or action.send_type.is_retraction)
    # A penalty that counts as missed and with which the score rises was a goal.
    is_goal_now = bool(known and known.action.type != "Goal" and change.gained)
    is_known = known and (known.action.type, known.action.sub_type) in outcomes.values()
    if known and is_known and not is_retaken and not is_goal_now:
        return msgspec.structs.replace(action, type=known.action.type, sub_type=known.action.sub_type)
    if is_kick and not action.send_type.is_retraction and change.gained:
        return msgspec.structs.replace(action, type="Goal", sub_type="Penalty")
    return action


def _pair_scores(before: Match, scores: _SummaryScores) -> dict[bool, ScorePair]:
    """Return the scores that the feed showed before and shows now: of play (False), and of the shootout (True)."""
    pairs = {False: ScorePair(before.summary_score, scores.match, scores.given[False])}
    # What was shown before the first packet of a shootout is the score of play, and the kicks begin at 0–0.
    if scores.shootout is not None:
        kicks_before = before.displayed_score if before.shootout is not None else Score()
        pairs[True] = ScorePair(kicks_before, scores.shootout, scores.given[True])
    return pairs


def resolve_period(period_id: int, summary: Summary, clock: int = 0) -> Period:
    """Return the period of an id: by the type and label that the summary has for it, else by the id (sections 6.1 and 14).

    `clock` is in seconds.
    """
    if period_id <= 0:
        return Period.BEFORE
    for period in summary.periods:
        if period.id == period_id:
            return period.period
    # Period 3 is extra time, or a shootout without extra time. A shootout's clock stands at 00:00 (section 8), while extra
    # time begins at 90:00.
    if period_id == 3 and clock < 45 * 60:
        return Period.SHOOTOUT
    # An id that nothing describes: a goal in it stays a goal of play while the clock runs.
    return PERIODS_BY_ID.get(period_id, Period.EXTRA_SECOND if clock >= 45 * 60 else Period.SHOOTOUT)


def _find_side(fixture: Fixture, team: Team | None) -> Side | None:
    """Return the side of a team by its id or name. Where only one side is known, any other team is on the other."""
    if team is None:
        return None
    for side in Side:
        known = fixture.team(side)
        # Either is enough: the same team may come with an id in one place and with its name alone in another.
        has_same_id = bool(known.id) and known.id == team.id
        if has_same_id or (known.name and normalise(known.name) == normalise(team.name)):
            return side
    named = [side for side in Side if fixture.team(side).name]
    return named[0].other if len(named) == 1 else None


class _SummaryScores(NamedTuple):
    """The scores that a summary shows; pending goals may be in them."""

    displayed: Score
    """The score of the period in play: the shootout's during one, else the match's."""
    match: Score
    """The score without the shootout."""
    shootout: Score | None
    """None before a shootout."""
    given: dict[bool, frozenset[Side]]
    """The sides whose score the summary gives: of play (False), and of the shootout (True)."""


def _read_scores(before: Match, summary: Summary, period: Period) -> _SummaryScores:
    """Read the scores of a summary; what it leaves out is as before."""
    kicks = next((p for p in summary.periods if p.period is Period.SHOOTOUT), None)
    if kicks is None and period is not Period.SHOOTOUT and before.shootout is None:
        match = _merge_score(summary.home, summary.away, before.summary_score)
        return _SummaryScores(match, match, None, {False: _list_sides_with_score(summary.home, summary.away)})
    # It is not documented whether the summary's own score counts the kicks of a shootout (section 12), so the match score is
    # that of the last period of play, and the shootout's is the number of goals in its own period.
    played = [p for p in summary.periods if p is not kicks]
    in_play = (played[-1].home, played[-1].away) if played else (None, None)
    in_shootout = (kicks.home_in_period, kicks.away_in_period) if kicks else (None, None)
    so_far = before.displayed_score if before.shootout is not None else Score()
    shootout = _merge_score(*in_shootout, so_far)
    given = {False: _list_sides_with_score(*in_play), True: _list_sides_with_score(*in_shootout)}
    return _SummaryScores(shootout, _merge_score(*in_play, before.summary_score), shootout, given)


def _list_sides_with_score(home: int | None, away: int | None) -> frozenset[Side]:
    """Return the sides whose goals a packet gives."""
    return frozenset(side for side, goals in zip(Side, (home, away), strict=True) if goals is not None)


def _merge_score(home: int | None, away: int | None, known: Score) -> Score:
    """Return the score of a packet; a side that it leaves out has the goals that are known."""
    return Score(known.home if home is None else home, known.away if away is None else away)


def _subtract_pending_goals(displayed: Score, records: dict[str, ActionRecord], *, in_shootout: bool) -> Score:
    """Return the score without the pending goals that the summary already counts.

    Whether a summary counts a pending goal is not documented (section 10.9): the record of each goal says what was seen.
    """
    for record in records.values():
        if record.is_pending and record.counted and (record.action.period is Period.SHOOTOUT) is in_shootout:
            displayed = displayed.minus_one(record.counted)
    return displayed


def _update_clock(before: Match, action: Action, packet: Packet, summary: Summary, is_late: bool) -> Match:
    """Move period, clock and status on. A packet without them leaves them as they are.

    A correction never moves them back. Only a new action of an earlier period does, if the match was in a wrong one.
    """
    if is_late:
        return before
    changes: dict[str, Any] = {"seq": action.seq}
    if summary.status:
        changes["status"] = summary.status
    if summary.collection_status:
        changes["collection_status"] = summary.collection_status
    # Status packets carry period 0 and clock 00:00 at any time (section 10.4); a delayed packet is about the past (10.6).
    if packet.period_id > 0 and action.type != "Status Updated" and not action.is_delayed:
        clock = max(packet.clock, summary.clock or 0)
        period = action.period
        if is_later_period(before.period, period) and not _has_play_gone_back(period, before, action, summary, clock):
            # A correction of an earlier period, or an action of it that comes after it: only the summary is about now.
            period, clock = before.period, summary.clock or 0
        if period is not before.period or clock >= before.clock:
            changes |= {"period": period, "clock": clock, "minute": find_minute(clock, period)}
            if period not in before.played_periods:
                changes["played_periods"] = (*before.played_periods, period)
    # With the period as it is now: this packet may have moved the match back from a wrong one.
    if action.type == "End Period" and not is_later_period(changes.get("period", before.period), action.period):
        changes["last_ended_period"] = action.period if action.send_type.is_standing else None
    return msgspec.structs.replace(before, **changes)


def _has_play_gone_back(period: Period, before: Match, action: Action, summary: Summary, clock: int) -> bool:
    """Return True if play is in an earlier period than the match: an action before was in a wrong one."""
    is_correction = action.send_type not in (SendType.PENDING, SendType.CONFIRMED) or action.id in before.records
    if is_correction:
        return False
    if summary.period_id:
        return resolve_period(summary.period_id, summary, clock) is period
    # A late packet of 45+3 has a higher clock than the match at 46'.
    minute = find_minute(clock, period)
    return clock >= before.clock and minute is not None and not minute.added


def _update_coverage(fixture: Fixture, action: Action) -> Fixture:
    """Return the fixture with the coverage level that a status packet has in its metadata (section 3.4)."""
    level = action.metadata.get("coverageLevel") if action.type == "Status Updated" else None
    if not isinstance(level, int) or isinstance(level, bool) or not 0 <= level < len(COVERAGE_LEVELS):
        return fixture
    return msgspec.structs.replace(fixture, coverage_level=COVERAGE_LEVELS[level])


def _learn_teams(before: Match, packet: Packet, action: Action, score: Score) -> Fixture:
    """Return the fixture with the packet's team on its side, where the fixture did not know who is at home.

    The side comes from the packet (API version 3), or, in version 1, from the side whose score a goal raised.
    """
    fixture = before.fixture
    side = action.side if fixture.home.name or fixture.away.name else packet.team_side
    if packet.team is None or (fixture.home.name and fixture.away.name):
        return fixture
    # Not by an own goal, whose team is not documented (section 14), nor by a kick, with which the score of play does not rise.
    if side is None and action.type == "Goal" and action.sub_type == "" and action.period is not Period.SHOOTOUT:
        side = score.find_scoring_side(before.summary_score)
    if side is None or fixture.team(side).name:
        return fixture
    return msgspec.structs.replace(fixture, **{side.value: packet.team})
