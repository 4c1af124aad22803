"""Lays a scenario out in time and makes the feed's packets of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec

from rules.football.action import Packet, PeriodScore, Player, SendType, Side, Summary, Team
from rules.football.minute import LAST_MINUTE, Minute, Period
from rules.scenarios.parser import VIDEO_CHECK_DELAY, VIDEO_CHECK_DURATION, Scenario, ScenarioEvent, ScenarioEventType, make_id

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
}

_QUIET_ACTION_TYPES = ("Attack", "Safe Possession", "Throw In", "Dangerous Attack", "Safe Possession", "Goal Kick", "Attack")

_KICK_INTERVAL = 40

_BREAK_SECONDS = {2: 15 * 60, 3: 5 * 60, 4: 2 * 60, 5: 5 * 60}

_ADDED_MINUTES = {Period.FIRST_HALF: 2, Period.SECOND_HALF: 5, Period.EXTRA_FIRST: 1, Period.EXTRA_SECOND: 1}


class PlayedPeriod(msgspec.Struct, frozen=True):
    """A period as it is played: the clock runs from `first` to `last`, the wall from `starts`, in seconds after kick-off."""

    id: int
    label: str
    type: str
    first_clock: int
    last_clock: int
    starts_at: int

    def time_of(self, clock: int) -> int:
        """When the clock shows so much."""
        return self.starts_at + clock - self.first_clock

    @property
    def ends_at(self) -> int:
        """When it is over."""
        return self.time_of(self.last_clock)


class Step(msgspec.Struct, frozen=True):
    """One packet to be told: `at` in seconds after kick-off; `clock` is the action's own, `part` None outside of play."""

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


def lay_out(scenario: Scenario, quiet_interval: int | None = None) -> list[Step]:
    """Everything that is to be told, in order; with `quiet`, the everyday actions of play too, one in so many seconds."""
    parts = tuple(lay_out_periods(scenario))
    steps = [
        *_build_prematch_steps(),
        *_build_period_steps(parts),
        *_build_event_steps(scenario, parts),
        *_build_kick_steps(scenario, parts),
    ]
    if quiet_interval:
        steps += _build_quiet_steps(parts, quiet_interval)
    return sorted(steps, key=lambda step: step.at)


def lay_out_periods(scenario: Scenario) -> Iterator[PlayedPeriod]:
    """The periods of the match, from what happens in it."""
    starts = 0
    for number, period in enumerate(_find_played_periods(scenario), start=1):
        starts += _BREAK_SECONDS.get(5 if period is Period.SHOOTOUT else number, 0)
        part = _lay_out_period(scenario, number, period, starts)
        yield part
        starts = part.ends_at


def _find_played_periods(scenario: Scenario) -> list[Period]:
    events = scenario.events
    extra = any(e.minute.base > 90 or e.type is ScenarioEventType.EXTRA_TIME for e in events)
    shootout = bool(scenario.kicks) or any(e.type is ScenarioEventType.SHOOTOUT for e in events)
    regular = [Period.FIRST_HALF, Period.SECOND_HALF, Period.EXTRA_FIRST, Period.EXTRA_SECOND]
    return regular[: 4 if extra else 2] + ([Period.SHOOTOUT] if shootout else [])


def _lay_out_period(scenario: Scenario, number: int, period: Period, starts: int) -> PlayedPeriod:
    if period is Period.SHOOTOUT:
        return PlayedPeriod(number, "penalty shootout", "Shootout", 0, (len(scenario.kicks) + 1) * _KICK_INTERVAL, starts)
    label = "1st half" if number % 2 else "2nd half"
    first = {1: 0, 2: 45, 3: 90, 4: 105}[number] * 60
    last = _find_last_clock(scenario, period)
    if number > 2:
        return PlayedPeriod(number, f"{label} extra time", "ExtraTime", first, last, starts)
    return PlayedPeriod(number, label, "Regular", first, last, starts)


def _find_last_clock(scenario: Scenario, period: Period) -> int:
    """The clock at the end of a period: the minute that the scenario gives, else the usual, and never before all is settled."""
    inside = [e for e in scenario.events if period_at(e.minute) is period]
    ends = [_clock_at(e.minute) + 50 for e in inside if not _has_packets(e)]
    usual = (LAST_MINUTE[period] + _ADDED_MINUTES[period]) * 60 - 20
    settled = max((_clock_at(e.minute) + _event_duration(e) + 30 for e in inside if _has_packets(e)), default=0)
    return max(max(ends, default=usual), settled)


def period_at(minute: Minute) -> Period:
    """The period in which a minute is played."""
    return next(period for period, last in LAST_MINUTE.items() if minute.base <= last)


def _has_packets(event: ScenarioEvent) -> bool:
    return event.type in _ACTION_TYPES or event.type is ScenarioEventType.SUBSTITUTION


def _event_duration(event: ScenarioEvent) -> int:
    course = event.lifecycle
    ends = (
        course.confirmed_after,
        course.cancelled_after,
        course.disallowed_after,
        course.deleted_after,
        course.restored_after,
        course.red_card_after,
    )
    return max(filter(None, (*ends, course.correction[1] if course.correction else 0, VIDEO_CHECK_DURATION)), default=0)


def _clock_at(minute: Minute) -> int:
    return (minute.base + minute.added - 1) * 60 + 5


def _build_prematch_steps() -> list[Step]:
    return [
        Step(-3600, "Team Colours", "colours", status="Scheduled"),
        Step(-2400, "Lineups", "lineups", status="Scheduled"),
    ]


def _build_period_steps(parts: tuple[PlayedPeriod, ...]) -> Iterator[Step]:
    """Starts and ends."""
    yield Step(0, "Start Match", "start", period=parts[0])
    for part in parts:
        yield Step(part.starts_at, "Start Period", f"start-{part.id}", period=part, clock=part.first_clock)
        yield Step(part.starts_at, "Start Clock", f"clock-{part.id}", period=part, clock=part.first_clock)
        clock = 0 if part.type == "Shootout" else part.last_clock
        yield Step(part.ends_at, "End Period", f"end-{part.id}", period=part, clock=clock)
    last = parts[-1]
    clock = 0 if last.type == "Shootout" else last.last_clock
    yield Step(last.ends_at + 3, "End Match", "end", period=last, clock=clock, status="Completed")


def _build_event_steps(scenario: Scenario, parts: tuple[PlayedPeriod, ...]) -> Iterator[Step]:
    regular = list(LAST_MINUTE)
    seen: dict[Minute, int] = {}
    for number, event in enumerate(e for e in scenario.events if _has_packets(e)):
        clock = _clock_at(event.minute) + 10 * seen.setdefault(event.minute, 0)
        seen[event.minute] += 1
        part = parts[regular.index(period_at(event.minute))]
        yield from _build_revisions(event, f"event-{number}", part, clock)


def _build_revisions(event: ScenarioEvent, key: str, part: PlayedPeriod, clock: int) -> Iterator[Step]:
    """Everything that the feed says of one thing that happens, in order."""
    at, course, (kind, sub) = part.time_of(clock), event.lifecycle, _ACTION_TYPES.get(event.type, ("", ""))
    side = event.side.other if event.type is ScenarioEventType.OWN_GOAL and event.side else event.side
    if event.type is ScenarioEventType.SUBSTITUTION:
        yield Step(at, "Substitution Out", f"{key}-out", period=part, clock=clock, side=side, player=event.replaced_player)
        yield Step(
            at + 1, "Substitution In", key, period=part, clock=clock, side=side, player=event.player, related=(f"{key}-out",)
        )
        return
    if event.type is ScenarioEventType.VIDEO_CHECK:
        yield from _build_video_check(key, part, clock, "Other")
        return
    goal = side if event.type.is_goal else None
    said = Step(at, kind, key, SendType.PENDING, "", part, clock, side)
    full = msgspec.structs.replace(said, sub_type=course.sub_type or sub, player=event.player)
    if course.confirmed_after:
        yield said
    if course.cancelled_after is not None:
        yield _make_revision(said, course.cancelled_after, SendType.CANCELLED)
    elif course.disallowed_after is not None and course.disallowed_after <= course.confirmed_after:
        yield _build_disallowance(full, event, counted=False)
        yield _make_revision(said, course.disallowed_after + 1, SendType.CANCELLED)
    else:
        yield _make_revision(full, course.confirmed_after, SendType.CONFIRMED, gains=goal)
        yield from _build_later_revisions(full, event, goal)


def _make_revision(step: Step, seconds: int, send: SendType, gains: Side | None = None, loses: Side | None = None) -> Step:
    return msgspec.structs.replace(step, at=step.at + seconds, send_type=send, scoring_side=gains, losing_side=loses)


def _build_later_revisions(full: Step, event: ScenarioEvent, goal: Side | None) -> Iterator[Step]:
    """What becomes of it once it is confirmed."""
    course = event.lifecycle
    if course.correction is not None:
        name, seconds = course.correction
        full = msgspec.structs.replace(full, player=name)
        yield _make_revision(full, seconds, SendType.UPDATED)
    if course.red_card_after is not None:
        yield _make_revision(
            msgspec.structs.replace(full, type="Red Card", sub_type="Straight Red"), course.red_card_after, SendType.UPDATED
        )
    if course.deleted_after is not None:
        yield _make_revision(full, course.deleted_after, SendType.DELETED, loses=goal)
    if course.restored_after is not None:
        yield _make_revision(full, course.restored_after, SendType.UPDATED, gains=goal)
    if course.disallowed_after is not None and full.period:
        if course.has_video_check:
            yield from _build_video_check(
                f"{full.key}-check", full.period, full.clock + course.confirmed_after + VIDEO_CHECK_DELAY, "Potential Goal"
            )
        yield _build_disallowance(full, event, counted=True)


def _build_disallowance(full: Step, event: ScenarioEvent, *, counted: bool) -> Step:
    seconds = event.lifecycle.disallowed_after or 0
    return Step(
        full.at + seconds,
        "Goal Disallowed",
        f"{full.key}-disallowed",
        sub_type=event.lifecycle.reason,
        period=full.period,
        clock=full.clock + seconds,
        side=full.side,
        player=full.player,
        related=(full.key,),
        losing_side=full.side if counted else None,
    )


def _build_video_check(key: str, part: PlayedPeriod, clock: int, about: str) -> Iterator[Step]:
    said = Step(part.time_of(clock), "Video Check Underway", key, SendType.PENDING, period=part, clock=clock)
    yield said
    yield msgspec.structs.replace(said, at=said.at + 8, send_type=SendType.CONFIRMED, sub_type=about)
    over = VIDEO_CHECK_DURATION - 2
    yield Step(said.at + over, "Video Check Over", f"{key}-over", period=part, clock=clock + over, related=(key,))


def _build_kick_steps(scenario: Scenario, parts: tuple[PlayedPeriod, ...]) -> Iterator[Step]:
    shootout = parts[-1]
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


def _build_quiet_steps(parts: tuple[PlayedPeriod, ...], every: int) -> Iterator[Step]:
    for part in parts:
        if part.type == "Shootout":
            continue
        for number, clock in enumerate(range(part.first_clock + every, part.last_clock - 1, every)):
            kind = _QUIET_ACTION_TYPES[number % len(_QUIET_ACTION_TYPES)]
            side = Side.HOME if number // 3 % 2 else Side.AWAY
            yield Step(part.time_of(clock), kind, f"quiet-{part.id}-{number}", period=part, clock=clock, side=side)


def build_packets(scenario: Scenario, *, quiet_interval: int | None = None) -> tuple[Packet, ...]:
    """The match as the feed would tell it; with `quiet`, the everyday actions of play too, one in so many seconds."""
    teller = _PacketBuilder(scenario)
    return tuple(teller.build(step) for step in lay_out(scenario, quiet_interval))


class _PacketBuilder:
    """Walks the steps in order and knows the score, the periods and the next sequence number."""

    def __init__(self, scenario: Scenario) -> None:
        self.fixture = scenario.fixture
        self.seq = 0
        self.periods: list[PlayedPeriod] = []
        self.ended: set[int] = set()
        self.goals: dict[tuple[int, Side], int] = {}

    def build(self, step: Step) -> Packet:
        """The next packet."""
        self.seq += 1
        self._apply(step)
        fixture_id = self.fixture.id
        team = self.fixture.team(step.side) if step.side else None
        return Packet(
            fixture_id=fixture_id,
            action_id=make_id(fixture_id, step.key),
            type=step.type,
            send_type=step.send_type,
            at=(self.fixture.kickoff or dt.datetime.fromtimestamp(0, dt.UTC)) + dt.timedelta(seconds=step.at),
            sub_type=step.sub_type,
            seq=self.seq,
            period_id=step.period.id if step.period else 0,
            clock=step.clock,
            team=team,
            team_side=step.side,
            player=_make_player(team, step),
            related=tuple(make_id(fixture_id, key) for key in step.related),
            metadata={"homeTeamColour": "117, 170, 219", "awayTeamColour": "255, 255, 255"}
            if step.type == "Team Colours"
            else {},
            is_finished=step.status == "Completed",
            summary=self._summary(step),
        )

    def _apply(self, step: Step) -> None:
        if step.period and step.period not in self.periods:
            self.periods.append(step.period)
        if step.period and step.type == "End Period":
            self.ended.add(step.period.id)
        for side, change in ((step.scoring_side, 1), (step.losing_side, -1)):
            if side and step.period:
                self.goals[step.period.id, side] = self.goals.get((step.period.id, side), 0) + change

    def _summary(self, step: Step) -> Summary:
        periods = tuple(self._period(part) for part in self.periods)
        part = self.periods[-1] if self.periods else None
        shootout = bool(part and part.type == "Shootout")
        clock = 0 if part is None or shootout else min(part.last_clock, part.first_clock + step.at - part.starts_at)
        home, away = (self._goals_until(part, side) for side in Side)
        return Summary(home, away, part.id if part else 1, step.status, "CollectingLive", clock, periods)

    def _period(self, part: PlayedPeriod) -> PeriodScore:
        home, away = (self._goals_until(part, side) for side in Side)
        home_in, away_in = (self.goals.get((part.id, side), 0) for side in Side)
        return PeriodScore(part.id, part.label, part.type, home, away, home_in, away_in, part.id in self.ended)

    def _goals_until(self, last: PlayedPeriod | None, side: Side) -> int:
        """Goals of play up to the end of a period; a shootout's kicks are not among them."""
        counted = [p for p in self.periods if last and p.id <= last.id and p.type != "Shootout"]
        return sum(self.goals.get((part.id, side), 0) for part in counted)


def _make_player(team: Team | None, step: Step) -> Player | None:
    return Player(make_id("player", team.name if team else "", step.player), step.player) if step.player else None
