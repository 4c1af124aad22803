"""Lays a scenario out in time: which revisions the feed would send of each event, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from rules.football.action import SendType, Side, Team
from rules.football.lineups import LineupPlayer, Lineups
from rules.football.minute import LAST_MINUTE, Minute
from rules.football.statuses import ABANDONED
from rules.football.timeline import EventKind
from rules.scenarios.periods import KICK_INTERVAL, PlayedPeriod, find_clock, find_period, lay_out_periods
from rules.scenarios.scenario import (
    PERIOD_END_MINUTES,
    VIDEO_CHECK_DELAY,
    VIDEO_CHECK_DURATION,
    Scenario,
    ScenarioEvent,
    make_id,
)

# How the feed names what a line says, once it is confirmed. What is not here has steps of its own, or none.
_ACTION_TYPES = {
    EventKind.GOAL: ("Goal", "Inside The Box"),
    EventKind.PENALTY_GOAL: ("Goal", "Penalty"),
    EventKind.OWN_GOAL: ("Goal", "Own Goal"),
    EventKind.PENALTY_AWARDED: ("Penalty Awarded", "Foul"),
    EventKind.PENALTY_MISSED: ("Penalty Missed", ""),
    EventKind.PENALTY_SAVED: ("Penalty Missed", "Saved"),
    EventKind.YELLOW_CARD: ("Yellow Card", ""),
    EventKind.SECOND_YELLOW: ("Red Card", "Second Yellow"),
    EventKind.RED_CARD: ("Red Card", "Straight Red"),
    EventKind.VIDEO_CHECK: ("Video Check Underway", "Other"),
    EventKind.SIN_BIN: ("Temporary Dismissal", ""),
    EventKind.INJURY: ("Injury", ""),
    EventKind.WATER_BREAK: ("Play Stopped", "Water Break"),
    EventKind.ADDED_TIME: ("Added Time", ""),
}

_SIN_BIN_SECONDS = 10 * 60
"""How long a player is off (feed documentation, section 5.1)."""

_WATER_BREAK_SECONDS = 90

# What the feed sends between the events that matter, so that a simulated match is as heavy a load as a real one.
_QUIET_ACTION_TYPES = ("Attack", "Safe Possession", "Throw In", "Dangerous Attack", "Safe Possession", "Goal Kick", "Attack")


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
    is_resumed = any(event.kind is EventKind.RESUMED for event in scenario.events)
    return steps if last is None or is_resumed else steps[: last + 1]


_COLOURS = {"homeTeamColour": "117, 170, 219", "awayTeamColour": "255, 255, 255"}


def _make_lineups(scenario: Scenario) -> dict[str, Any]:
    """Return the metadata of the line-ups, in the shape of the REST side (feed documentation, section 9.2)."""

    def make_player(team: Team, player: LineupPlayer) -> dict[str, Any]:
        made = {"id": make_id("player", team.name, player.name), "shirtNumber": player.number, "fullName": player.name}
        return made | ({"captain": True} if player.is_captain else {})

    metadata: dict[str, Any] = {}
    for side in Side if scenario.lineups != Lineups() else ():
        team, lineup = scenario.fixture.team(side), scenario.lineups.of_side(side)
        metadata[side.value] = {
            "teamId": team.id,
            "startingLineup": [make_player(team, one) for one in lineup.starting],
            "substitutes": [make_player(team, one) for one in lineup.substitutes],
        } | ({"formation": lineup.formation} if lineup.formation else {})
    return metadata


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
    # After the end of its last period, which is an action of its own.
    yield Step(last.ends_at + 3, "End Match", "end", period=last, clock=clock, status="Completed")


def _build_event_steps(scenario: Scenario, periods: tuple[PlayedPeriod, ...]) -> Iterator[Step]:
    """Yield the revisions of each event, and of what follows from it, event by event."""
    regular = list(LAST_MINUTE)
    # Events of one minute keep their order: each is ten seconds after the one before.
    events_in_minute: Counter[Minute] = Counter()
    for number, event in enumerate(e for e in scenario.events if e.kind not in PERIOD_END_MINUTES):
        clock = find_clock(event.minute) + 10 * events_in_minute[event.minute]
        events_in_minute[event.minute] += 1
        period = periods[regular.index(find_period(event.minute))]
        if event.kind is EventKind.ABANDONED:
            yield Step(period.time_of(clock), "Status Updated", f"event-{number}", status=ABANDONED)
            continue
        if event.kind is EventKind.RESUMED:
            yield Step(period.time_of(clock), "Status Updated", f"event-{number}", break_before=int(event.player) * 3600)
            continue
        for step in _build_revisions(event, f"event-{number}", period, clock):
            yield step
            # Right after each revision, so that both actions go through the same life. The score does not change again.
            if event.lifecycle.is_sent_twice and step.type == "Goal":
                yield msgspec.structs.replace(
                    step,
                    at=step.at + 1,
                    type="Penalty Scored",
                    sub_type="",
                    key=f"{step.key}-scored",
                    scoring_side=None,
                    losing_side=None,
                )
        if event.kind is EventKind.SIN_BIN and event.lifecycle.cancelled_after is None:
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


def _build_revisions(event: ScenarioEvent, key: str, period: PlayedPeriod, clock: int) -> Iterator[Step]:
    """Yield all revisions of one event in order, with those of the actions that follow from it."""
    at, lifecycle, (kind, sub) = period.time_of(clock), event.lifecycle, _ACTION_TYPES.get(event.kind, ("", ""))
    # The file names the own goal's team; the feed's team is the one that gets the goal (feed documentation, section 14).
    side = event.side.other if event.kind is EventKind.OWN_GOAL and event.side else event.side
    if event.kind is EventKind.SUBSTITUTION and lifecycle.is_one_action:
        metadata = {"playerOut": {"name": event.replaced_player}}
        yield Step(at, "Substitution", key, period=period, clock=clock, side=side, player=event.player, metadata=metadata)
        return
    if event.kind is EventKind.SUBSTITUTION:
        yield Step(at, "Substitution Out", f"{key}-out", period=period, clock=clock, side=side, player=event.replaced_player)
        yield Step(
            at + 1, "Substitution In", key, period=period, clock=clock, side=side, player=event.player, related=(f"{key}-out",)
        )
        return
    if event.kind is EventKind.VIDEO_CHECK:
        yield from _build_video_check(key, period, clock, "Other")
        return
    if event.kind is EventKind.ADDED_TIME:
        yield Step(at, kind, key, period=period, clock=clock, metadata={"minutes": int(event.player)})
        return
    if event.kind is EventKind.WATER_BREAK:
        resumed = clock + _WATER_BREAK_SECONDS
        yield Step(at, kind, key, sub_type=sub, period=period, clock=clock)
        yield Step(at + _WATER_BREAK_SECONDS, "Play Resumed", f"{key}-over", period=period, clock=resumed, related=(key,))
        return
    # From here on all that may be pending: goals, penalties, cards.
    goal = side if event.kind.is_goal else None
    # While it is pending, the sub type and the player are not known yet (feed documentation, section 3.2).
    pending = Step(at, kind, key, SendType.PENDING, "", period, clock, side)
    confirmed = msgspec.structs.replace(pending, sub_type=lifecycle.sub_type or sub, player=event.player)
    if lifecycle.confirmed_after or lifecycle.is_never_confirmed:
        yield pending
    if lifecycle.is_never_confirmed:
        return
    if lifecycle.cancelled_after is not None:
        # Cancelled belongs to pending actions, Deleted to confirmed ones (section 4.1).
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
    """Yield the revisions of an event after its confirmation, with the actions that change it."""
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
    # As in the documentation's example (section 4.3): pending without its subject, confirmed with it some seconds later.
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
            shootout.starts_at + number * KICK_INTERVAL - 5,
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
