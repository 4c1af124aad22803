"""Lays a scenario out in time: which revisions the feed would send of each event, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rules.football.action import SendType, Side, Team
from rules.football.lineups import Lineup, LineupPlayer, Lineups
from rules.football.minute import LAST_MINUTE, Minute, Period
from rules.football.statuses import ABANDONED
from rules.scenarios.scenario import VIDEO_CHECK_DELAY, VIDEO_CHECK_DURATION, Scenario, ScenarioEvent, ScenarioEventType, make_id

_ACTION_TYPES = {
    ScenarioEventType.GOAL: ("Goal", "Inside The Box"),
    ScenarioEventType.PENALTY_GOAL: ("Goal", "Penalty"),
    ScenarioEventType.OWN_GOAL: ("Goal", "Own Goal"),
    ScenarioEventType.PENALTY_AWARDED: ("Penalty Awarded", "Foul"),
    ScenarioEventType.PENALTY_MISSED: ("Penalty Missed", ""),
    ScenarioEventType.PENALTY_SAVED: ("Penalty Missed", "Saved"),
    ScenarioEventType.YELLOW_CARD: ("Yellow Card", ""),
    ScenarioEventType.SECOND_YELLOW: ("Red Card", "Second Yellow"),
    ScenarioEventType.RED_CARD: ("Red Card", "Straight Red"),
    ScenarioEventType.VIDEO_CHECK: ("Video Check Underway", "Other"),
    ScenarioEventType.SIN_BIN: ("Temporary Dismissal", ""),
    ScenarioEventType.INJURY: ("Injury", ""),
    ScenarioEventType.WATER_BREAK: ("Play Stopped", "Water Break"),
    ScenarioEventType.ADDED_TIME: ("Added Time", ""),
}

_TYPES_WITH_OWN_STEPS = (ScenarioEventType.SUBSTITUTION, ScenarioEventType.ABANDONED, ScenarioEventType.RESUMED)

_SIN_BIN_SECONDS = 10 * 60
"""How long a player is off (feed documentation, section 5.1)."""

_WATER_BREAK_SECONDS = 90

# What the feed sends between the events that matter, so that a simulated match is as heavy a load as a real one.
_QUIET_ACTION_TYPES = ("Attack", "Safe Possession", "Throw In", "Dangerous Attack", "Safe Possession", "Goal Kick", "Attack")

_KICK_INTERVAL = 40
"""Seconds from one kick of a shootout to the next."""

_BREAK_SECONDS = {2: 15 * 60, 3: 5 * 60, 4: 2 * 60, 5: 5 * 60}
"""Seconds of the break before the second half, before each half of extra time, and before a shootout."""

# Added time where the scenario does not say when a period ends.
_ADDED_MINUTES = {Period.FIRST_HALF: 2, Period.SECOND_HALF: 5, Period.EXTRA_FIRST: 1, Period.EXTRA_SECOND: 1}


class PlayedPeriod(msgspec.Struct, frozen=True):
    """A period as it is played: its clock runs from `first_clock` to `last_clock`, from `starts_at` seconds after kick-off on."""

    id: int
    label: str
    type: str
    first_clock: int
    last_clock: int
    starts_at: int

    def time_of(self, clock: int) -> int:
        """Return when the clock shows a value, in seconds after kick-off."""
        return self.starts_at + clock - self.first_clock

    @property
    def ends_at(self) -> int:
        """When the period is over, in seconds after kick-off."""
        return self.time_of(self.last_clock)


class Step(msgspec.Struct, frozen=True):
    """One packet to make: `at` is in seconds after kick-off, `clock` is the action's own, `period` is None outside of play.

    Steps with the same `key` are revisions of one action.
    """

    at: int
    type: str
    key: str
    send_type: SendType = SendType.CONFIRMED
    sub_type: str = ""
    period: PlayedPeriod | None = None
    clock: int = 0
    side: Side | None = None
    player: str = ""
    related: tuple[str, ...] = ()
    scoring_side: Side | None = None
    losing_side: Side | None = None
    status: str = "Live"
    metadata: Mapping[str, Any] = {}
    break_before: int = 0
    """Seconds for which the match had been abandoned before this step; the clock stands still in them."""


def lay_out(scenario: Scenario, quiet_interval: int | None = None) -> list[Step]:
    """Return the steps of a scenario in order. `quiet_interval` adds everyday actions of play, one in so many seconds."""
    periods = tuple(lay_out_periods(scenario))
    steps = [
        # Before kick-off the feed sends period 0 and clock 00:00 (feed documentation, section 6.1).
        Step(-3600, "Team Colours", "colours", status="Scheduled", metadata=_COLOURS),
        Step(-2400, "Lineups", "lineups", status="Scheduled", metadata=_make_lineups(scenario)),
        *_build_period_steps(periods),
        *_build_event_steps(scenario, periods),
        *_build_kick_steps(scenario, periods),
    ]
    if quiet_interval:
        steps += _build_quiet_steps(periods, quiet_interval)
    # Stable: steps of the same second stay in the order above, so a half starts before what happens in it.
    steps.sort(key=lambda step: step.at)
    # A match that is abandoned for good has no more packets.
    last = next((number for number, step in enumerate(steps) if step.status == ABANDONED), None)
    is_resumed = any(event.type is ScenarioEventType.RESUMED for event in scenario.events)
    return steps if last is None or is_resumed else steps[: last + 1]


_COLOURS = {"homeTeamColour": "117, 170, 219", "awayTeamColour": "255, 255, 255"}


def _make_lineups(scenario: Scenario) -> dict[str, Any]:
    """Return the metadata of the line-ups, in the shape of the REST side (feed documentation, section 9.2)."""
    if scenario.lineups == Lineups():
        return {}
    fixture = scenario.fixture
    return {side.value: _make_lineup(fixture.team(side), scenario.lineups.of_side(side)) for side in Side}


def _make_lineup(team: Team, lineup: Lineup) -> dict[str, Any]:
    def make_players(players: tuple[LineupPlayer, ...]) -> list[dict[str, Any]]:
        return [
            {"id": make_id("player", team.name, one.name), "shirtNumber": one.number, "fullName": one.name}
            | ({"captain": True} if one.is_captain else {})
            for one in players
        ]

    made = {"teamId": team.id, "startingLineup": make_players(lineup.starting), "substitutes": make_players(lineup.substitutes)}
    return made | ({"formation": lineup.formation} if lineup.formation else {})


def lay_out_periods(scenario: Scenario) -> Iterator[PlayedPeriod]:
    """Yield the periods of the match, which follow from what happens in it."""
    starts_at = 0
    events = scenario.events
    has_extra_time = any(e.minute.base > 90 or e.type is ScenarioEventType.EXTRA_TIME for e in events)
    has_shootout = bool(scenario.kicks) or any(e.type is ScenarioEventType.SHOOTOUT for e in events)
    regular = [Period.FIRST_HALF, Period.SECOND_HALF, Period.EXTRA_FIRST, Period.EXTRA_SECOND]
    played_periods = regular[: 4 if has_extra_time else 2] + ([Period.SHOOTOUT] if has_shootout else [])
    for number, period in enumerate(played_periods, start=1):
        # The break before a shootout is the same whether it is period 3 or 5.
        starts_at += _BREAK_SECONDS.get(5 if period is Period.SHOOTOUT else number, 0)
        played = _lay_out_period(scenario, number, period, starts_at)
        yield played
        starts_at = played.ends_at


def _lay_out_period(scenario: Scenario, number: int, period: Period, starts_at: int) -> PlayedPeriod:
    # Ids, labels and types are those of the feed documentation, sections 3.3 and 14; a shootout without extra time is period 3.
    if period is Period.SHOOTOUT:
        return PlayedPeriod(number, "penalty shootout", "Shootout", 0, (len(scenario.kicks) + 1) * _KICK_INTERVAL, starts_at)
    label = "1st half" if number % 2 else "2nd half"
    first = {1: 0, 2: 45, 3: 90, 4: 105}[number] * 60
    last = _find_last_clock(scenario, period)
    if number > 2:
        return PlayedPeriod(number, f"{label} extra time", "ExtraTime", first, last, starts_at)
    return PlayedPeriod(number, label, "Regular", first, last, starts_at)


def _find_last_clock(scenario: Scenario, period: Period) -> int:
    """Return the clock at the end of a period: as the scenario says, else as usual, and not before its last event is settled."""
    inside = [e for e in scenario.events if period_at(e.minute) is period]
    # Five seconds before the minute is over: `_clock_at` is its fifth second, and the clock must not show the next minute.
    ends = [_clock_at(e.minute) + 50 for e in inside if not _has_packets(e)]
    usual = (LAST_MINUTE[period] + _ADDED_MINUTES[period]) * 60 - 20
    # With room for the ten seconds between events of one minute: a revision after the end of its period would look late.
    settled = max((_clock_at(e.minute) + _event_duration(e) + 30 for e in inside if _has_packets(e)), default=0)
    return max(max(ends, default=usual), settled)


def period_at(minute: Minute) -> Period:
    """Return the period in which a minute is played."""
    return next(period for period, last in LAST_MINUTE.items() if minute.base <= last)


def _has_packets(event: ScenarioEvent) -> bool:
    return event.type in _ACTION_TYPES or event.type in _TYPES_WITH_OWN_STEPS


def _event_duration(event: ScenarioEvent) -> int:
    lifecycle = event.lifecycle
    ends = (
        lifecycle.confirmed_after,
        lifecycle.cancelled_after,
        lifecycle.disallowed_after,
        lifecycle.deleted_after,
        lifecycle.restored_after,
        lifecycle.red_card_after,
    )
    return max(filter(None, (*ends, lifecycle.correction[1] if lifecycle.correction else 0, VIDEO_CHECK_DURATION)), default=0)


def _clock_at(minute: Minute) -> int:
    """Return the clock of a minute, in seconds."""
    # The clock runs on through added time (feed documentation, section 8): 45+2 is 46:05, in the first half.
    return (minute.base + minute.added - 1) * 60 + 5


def _build_period_steps(periods: tuple[PlayedPeriod, ...]) -> Iterator[Step]:
    """Yield the starts and ends of the match and of its periods."""
    yield Step(0, "Start Match", "start", period=periods[0])
    for period in periods:
        yield Step(period.starts_at, "Start Period", f"start-{period.id}", period=period, clock=period.first_clock)
        yield Step(period.starts_at, "Start Clock", f"clock-{period.id}", period=period, clock=period.first_clock)
        # The clock of a shootout stands at 00:00 (feed documentation, section 8).
        clock = 0 if period.type == "Shootout" else period.last_clock
        yield Step(period.ends_at, "End Period", f"end-{period.id}", period=period, clock=clock)
    last = periods[-1]
    clock = 0 if last.type == "Shootout" else last.last_clock
    yield Step(last.ends_at + 3, "End Match", "end", period=last, clock=clock, status="Completed")


def _build_event_steps(scenario: Scenario, periods: tuple[PlayedPeriod, ...]) -> Iterator[Step]:
    regular = list(LAST_MINUTE)
    # Events of one minute keep their order: each is ten seconds after the one before.
    events_in_minute: Counter[Minute] = Counter()
    for number, event in enumerate(e for e in scenario.events if _has_packets(e)):
        clock = _clock_at(event.minute) + 10 * events_in_minute[event.minute]
        events_in_minute[event.minute] += 1
        period = periods[regular.index(period_at(event.minute))]
        if event.type is ScenarioEventType.ABANDONED:
            yield Step(period.time_of(clock), "Status Updated", f"event-{number}", status=ABANDONED)
            continue
        if event.type is ScenarioEventType.RESUMED:
            yield Step(period.time_of(clock), "Status Updated", f"event-{number}", break_before=int(event.player) * 3600)
            continue
        for step in _build_revisions(event, f"event-{number}", period, clock):
            yield step
            if event.lifecycle.is_sent_twice and step.type == "Goal":
                yield _repeat_as_penalty_scored(step)
        if event.type is ScenarioEventType.SIN_BIN and event.lifecycle.cancelled_after is None:
            yield from _build_end_of_sin_bin(event, f"event-{number}", periods, period, clock)


def _build_end_of_sin_bin(
    event: ScenarioEvent, key: str, periods: tuple[PlayedPeriod, ...], period: PlayedPeriod, clock: int
) -> Iterator[Step]:
    """Yield the return of the player, after ten minutes of play, a break not counted; nothing if the match ends before."""
    back, rest = clock + _SIN_BIN_SECONDS, clock + _SIN_BIN_SECONDS - period.last_clock
    if rest > 0:
        later = [p for p in periods if p.id == period.id + 1 and p.type != "Shootout"]
        if not later:
            return
        period, back = later[0], later[0].first_clock + rest
    yield Step(
        period.time_of(back),
        "Temporary Dismissal Over",
        f"{key}-over",
        period=period,
        clock=back,
        side=event.side,
        player=event.player,
        related=(key,),
    )


def _repeat_as_penalty_scored(step: Step) -> Step:
    """Return the same revision as an action of another type, with which the score does not change again."""
    return msgspec.structs.replace(
        step, at=step.at + 1, type="Penalty Scored", sub_type="", key=f"{step.key}-scored", scoring_side=None, losing_side=None
    )


def _build_revisions(event: ScenarioEvent, key: str, period: PlayedPeriod, clock: int) -> Iterator[Step]:
    """Yield all revisions of one event in order, with those of the actions that follow from it."""
    at, lifecycle, (kind, sub) = period.time_of(clock), event.lifecycle, _ACTION_TYPES.get(event.type, ("", ""))
    # The file names the own goal's team; the feed's team is the one that gets the goal (feed documentation, section 14).
    side = event.side.other if event.type is ScenarioEventType.OWN_GOAL and event.side else event.side
    if event.type is ScenarioEventType.SUBSTITUTION and lifecycle.is_one_action:
        metadata = {"playerOut": {"name": event.replaced_player}}
        yield Step(at, "Substitution", key, period=period, clock=clock, side=side, player=event.player, metadata=metadata)
        return
    if event.type is ScenarioEventType.SUBSTITUTION:
        yield Step(at, "Substitution Out", f"{key}-out", period=period, clock=clock, side=side, player=event.replaced_player)
        yield Step(
            at + 1, "Substitution In", key, period=period, clock=clock, side=side, player=event.player, related=(f"{key}-out",)
        )
        return
    if event.type is ScenarioEventType.VIDEO_CHECK:
        yield from _build_video_check(key, period, clock, "Other")
        return
    if event.type is ScenarioEventType.ADDED_TIME:
        yield Step(at, kind, key, period=period, clock=clock, metadata={"minutes": int(event.player)})
        return
    if event.type is ScenarioEventType.WATER_BREAK:
        resumed = clock + _WATER_BREAK_SECONDS
        yield Step(at, kind, key, sub_type=sub, period=period, clock=clock)
        yield Step(at + _WATER_BREAK_SECONDS, "Play Resumed", f"{key}-over", period=period, clock=resumed, related=(key,))
        return
    goal = side if event.type.is_goal else None
    # While it is pending, the sub type and the player are not known yet (feed documentation, section 3.2).
    pending = Step(at, kind, key, SendType.PENDING, "", period, clock, side)
    confirmed = msgspec.structs.replace(pending, sub_type=lifecycle.sub_type or sub, player=event.player)
    if lifecycle.confirmed_after or lifecycle.is_never_confirmed:
        yield pending
    if lifecycle.is_never_confirmed:
        return
    if lifecycle.cancelled_after is not None:
        yield _make_revision(pending, lifecycle.cancelled_after, SendType.CANCELLED)
    elif lifecycle.disallowed_after is not None and lifecycle.disallowed_after <= lifecycle.confirmed_after:
        # Disallowed while pending: it never counted, so no score falls with it.
        yield _build_disallowance(confirmed, event, counted=False)
        yield _make_revision(pending, lifecycle.disallowed_after + 1, SendType.CANCELLED)
    else:
        yield _make_revision(confirmed, lifecycle.confirmed_after, SendType.CONFIRMED, scoring_side=goal)
        yield from _build_later_revisions(confirmed, event, goal)


def _make_revision(
    step: Step, seconds: int, send_type: SendType, scoring_side: Side | None = None, losing_side: Side | None = None
) -> Step:
    return msgspec.structs.replace(
        step, at=step.at + seconds, send_type=send_type, scoring_side=scoring_side, losing_side=losing_side
    )


def _build_later_revisions(confirmed: Step, event: ScenarioEvent, goal: Side | None) -> Iterator[Step]:
    """Yield what becomes of an event once it is confirmed."""
    lifecycle = event.lifecycle
    # In the order in which a feed would send them; the steps are sorted by time afterwards, and equal times keep this order.
    if lifecycle.correction is not None:
        name, seconds = lifecycle.correction
        confirmed = msgspec.structs.replace(confirmed, player=name)
        yield _make_revision(confirmed, seconds, SendType.UPDATED)
    if lifecycle.red_card_after is not None:
        yield _make_revision(
            msgspec.structs.replace(confirmed, type="Red Card", sub_type="Straight Red"),
            lifecycle.red_card_after,
            SendType.UPDATED,
        )
    # Updated after Deleted restores an action (feed documentation, section 4.1).
    if lifecycle.deleted_after is not None:
        yield _make_revision(confirmed, lifecycle.deleted_after, SendType.DELETED, losing_side=goal)
    if lifecycle.restored_after is not None:
        yield _make_revision(confirmed, lifecycle.restored_after, SendType.UPDATED, scoring_side=goal)
    if lifecycle.disallowed_after is not None and confirmed.period:
        if lifecycle.has_video_check:
            yield from _build_video_check(
                f"{confirmed.key}-check",
                confirmed.period,
                confirmed.clock + lifecycle.confirmed_after + VIDEO_CHECK_DELAY,
                "Potential Goal",
            )
        yield _build_disallowance(confirmed, event, counted=True)


def _build_disallowance(confirmed: Step, event: ScenarioEvent, *, counted: bool) -> Step:
    """Return the action that disallows a goal, linked to it as in the feed (section 3.2). `counted`: the score falls with it."""
    seconds = event.lifecycle.disallowed_after or 0
    return Step(
        confirmed.at + seconds,
        "Goal Disallowed",
        f"{confirmed.key}-disallowed",
        sub_type=event.lifecycle.reason,
        period=confirmed.period,
        clock=confirmed.clock + seconds,
        side=confirmed.side,
        player=confirmed.player,
        related=(confirmed.key,),
        losing_side=confirmed.side if counted else None,
    )


def _build_video_check(key: str, period: PlayedPeriod, clock: int, about: str) -> Iterator[Step]:
    pending = Step(period.time_of(clock), "Video Check Underway", key, SendType.PENDING, period=period, clock=clock)
    yield pending
    yield msgspec.structs.replace(pending, at=pending.at + 8, send_type=SendType.CONFIRMED, sub_type=about)
    over = VIDEO_CHECK_DURATION - 2
    yield Step(pending.at + over, "Video Check Over", f"{key}-over", period=period, clock=clock + over, related=(key,))


def _build_kick_steps(scenario: Scenario, periods: tuple[PlayedPeriod, ...]) -> Iterator[Step]:
    shootout = periods[-1]
    for number, kick in enumerate(scenario.kicks, start=1):
        scored = kick.outcome == "scored"
        kind, sub = ("Goal", "Penalty") if scored else ("Penalty Missed", "Saved" if kick.outcome == "saved" else "")
        yield Step(
            shootout.starts_at + number * _KICK_INTERVAL - 5,
            kind,
            f"kick-{number}",
            sub_type=sub,
            period=shootout,
            side=kick.side,
            player=kick.player,
            scoring_side=kick.side if scored else None,
        )


def _build_quiet_steps(periods: tuple[PlayedPeriod, ...], interval: int) -> Iterator[Step]:
    for period in periods:
        if period.type == "Shootout":
            continue
        for number, clock in enumerate(range(period.first_clock + interval, period.last_clock - 1, interval)):
            kind = _QUIET_ACTION_TYPES[number % len(_QUIET_ACTION_TYPES)]
            side = Side.HOME if number // 3 % 2 else Side.AWAY
            yield Step(period.time_of(clock), kind, f"quiet-{period.id}-{number}", period=period, clock=clock, side=side)
