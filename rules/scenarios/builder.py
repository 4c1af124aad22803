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
    first: int
    last: int
    starts: int

    def wall(self, clock: int) -> int:
        """When the clock shows so much."""
        return self.starts + clock - self.first

    @property
    def ends(self) -> int:
        """When it is over."""
        return self.wall(self.last)


class Step(msgspec.Struct, frozen=True):
    """One packet to be told: `at` in seconds after kick-off; `clock` is the action's own, `part` None outside of play."""

    at: int
    type: str
    key: str
    send: SendType = SendType.CONFIRMED
    sub_type: str = ""
    part: PlayedPeriod | None = None
    clock: int = 0
    side: Side | None = None
    player: str = ""
    related: tuple[str, ...] = ()
    gains: Side | None = None
    loses: Side | None = None
    status: str = "Live"


def lay_out(scenario: Scenario, quiet: int | None = None) -> list[Step]:
    """Everything that is to be told, in order; with `quiet`, the everyday actions of play too, one in so many seconds."""
    parts = tuple(lay_out_periods(scenario))
    steps = [
        *_build_prematch_steps(),
        *_build_period_steps(parts),
        *_build_event_steps(scenario, parts),
        *_build_kick_steps(scenario, parts),
    ]
    if quiet:
        steps += _build_quiet_steps(parts, quiet)
    return sorted(steps, key=lambda step: step.at)


def lay_out_periods(scenario: Scenario) -> Iterator[PlayedPeriod]:
    """The periods of the match, from what happens in it."""
    starts = 0
    for number, period in enumerate(_find_played_periods(scenario), start=1):
        starts += _BREAK_SECONDS.get(5 if period is Period.SHOOTOUT else number, 0)
        part = _lay_out_period(scenario, number, period, starts)
        yield part
        starts = part.ends


def _find_played_periods(scenario: Scenario) -> list[Period]:
    events = scenario.events
    extra = any(e.minute.base > 90 or e.what is ScenarioEventType.EXTRA_TIME for e in events)
    shootout = bool(scenario.kicks) or any(e.what is ScenarioEventType.SHOOTOUT for e in events)
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
    return event.what in _ACTION_TYPES or event.what is ScenarioEventType.SUBSTITUTION


def _event_duration(event: ScenarioEvent) -> int:
    course = event.course
    ends = (course.pending, course.cancelled, course.disallowed, course.deleted, course.restored, course.red)
    return max(filter(None, (*ends, course.corrected[1] if course.corrected else 0, VIDEO_CHECK_DURATION)), default=0)


def _clock_at(minute: Minute) -> int:
    return (minute.base + minute.added - 1) * 60 + 5


def _build_prematch_steps() -> list[Step]:
    return [
        Step(-3600, "Team Colours", "colours", status="Scheduled"),
        Step(-2400, "Lineups", "lineups", status="Scheduled"),
    ]


def _build_period_steps(parts: tuple[PlayedPeriod, ...]) -> Iterator[Step]:
    """Starts and ends."""
    yield Step(0, "Start Match", "start", part=parts[0])
    for part in parts:
        yield Step(part.starts, "Start Period", f"start-{part.id}", part=part, clock=part.first)
        yield Step(part.starts, "Start Clock", f"clock-{part.id}", part=part, clock=part.first)
        clock = 0 if part.type == "Shootout" else part.last
        yield Step(part.ends, "End Period", f"end-{part.id}", part=part, clock=clock)
    last = parts[-1]
    clock = 0 if last.type == "Shootout" else last.last
    yield Step(last.ends + 3, "End Match", "end", part=last, clock=clock, status="Completed")


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
    at, course, (kind, sub) = part.wall(clock), event.course, _ACTION_TYPES.get(event.what, ("", ""))
    side = event.side.other if event.what is ScenarioEventType.OWN_GOAL and event.side else event.side
    if event.what is ScenarioEventType.SUBSTITUTION:
        yield Step(at, "Substitution Out", f"{key}-out", part=part, clock=clock, side=side, player=event.replaces)
        yield Step(
            at + 1, "Substitution In", key, part=part, clock=clock, side=side, player=event.player, related=(f"{key}-out",)
        )
        return
    if event.what is ScenarioEventType.VIDEO_CHECK:
        yield from _build_video_check(key, part, clock, "Other")
        return
    goal = side if event.what.is_goal else None
    said = Step(at, kind, key, SendType.PENDING, "", part, clock, side)
    full = msgspec.structs.replace(said, sub_type=course.sub_type or sub, player=event.player)
    if course.pending:
        yield said
    if course.cancelled is not None:
        yield _make_revision(said, course.cancelled, SendType.CANCELLED)
    elif course.disallowed is not None and course.disallowed <= course.pending:
        yield _build_disallowance(full, event, counted=False)
        yield _make_revision(said, course.disallowed + 1, SendType.CANCELLED)
    else:
        yield _make_revision(full, course.pending, SendType.CONFIRMED, gains=goal)
        yield from _build_later_revisions(full, event, goal)


def _make_revision(step: Step, seconds: int, send: SendType, gains: Side | None = None, loses: Side | None = None) -> Step:
    return msgspec.structs.replace(step, at=step.at + seconds, send=send, gains=gains, loses=loses)


def _build_later_revisions(full: Step, event: ScenarioEvent, goal: Side | None) -> Iterator[Step]:
    """What becomes of it once it is confirmed."""
    course = event.course
    if course.corrected is not None:
        name, seconds = course.corrected
        full = msgspec.structs.replace(full, player=name)
        yield _make_revision(full, seconds, SendType.UPDATED)
    if course.red is not None:
        yield _make_revision(
            msgspec.structs.replace(full, type="Red Card", sub_type="Straight Red"), course.red, SendType.UPDATED
        )
    if course.deleted is not None:
        yield _make_revision(full, course.deleted, SendType.DELETED, loses=goal)
    if course.restored is not None:
        yield _make_revision(full, course.restored, SendType.UPDATED, gains=goal)
    if course.disallowed is not None and full.part:
        if course.checked:
            yield from _build_video_check(
                f"{full.key}-check", full.part, full.clock + course.pending + VIDEO_CHECK_DELAY, "Potential Goal"
            )
        yield _build_disallowance(full, event, counted=True)


def _build_disallowance(full: Step, event: ScenarioEvent, *, counted: bool) -> Step:
    seconds = event.course.disallowed or 0
    return Step(
        full.at + seconds,
        "Goal Disallowed",
        f"{full.key}-disallowed",
        sub_type=event.course.reason,
        part=full.part,
        clock=full.clock + seconds,
        side=full.side,
        player=full.player,
        related=(full.key,),
        loses=full.side if counted else None,
    )


def _build_video_check(key: str, part: PlayedPeriod, clock: int, about: str) -> Iterator[Step]:
    said = Step(part.wall(clock), "Video Check Underway", key, SendType.PENDING, part=part, clock=clock)
    yield said
    yield msgspec.structs.replace(said, at=said.at + 8, send=SendType.CONFIRMED, sub_type=about)
    over = VIDEO_CHECK_DURATION - 2
    yield Step(said.at + over, "Video Check Over", f"{key}-over", part=part, clock=clock + over, related=(key,))


def _build_kick_steps(scenario: Scenario, parts: tuple[PlayedPeriod, ...]) -> Iterator[Step]:
    shootout = parts[-1]
    for number, kick in enumerate(scenario.kicks, start=1):
        scored = kick.outcome == "scored"
        kind, sub = ("Goal", "Penalty") if scored else ("Penalty Missed", "Saved" if kick.outcome == "saved" else "")
        yield Step(
            shootout.starts + number * _KICK_INTERVAL - 5,
            kind,
            f"kick-{number}",
            sub_type=sub,
            part=shootout,
            side=kick.side,
            player=kick.player,
            gains=kick.side if scored else None,
        )


def _build_quiet_steps(parts: tuple[PlayedPeriod, ...], every: int) -> Iterator[Step]:
    for part in parts:
        if part.type == "Shootout":
            continue
        for number, clock in enumerate(range(part.first + every, part.last - 1, every)):
            kind = _QUIET_ACTION_TYPES[number % len(_QUIET_ACTION_TYPES)]
            side = Side.HOME if number // 3 % 2 else Side.AWAY
            yield Step(part.wall(clock), kind, f"quiet-{part.id}-{number}", part=part, clock=clock, side=side)


def build_packets(scenario: Scenario, *, quiet: int | None = None) -> tuple[Packet, ...]:
    """The match as the feed would tell it; with `quiet`, the everyday actions of play too, one in so many seconds."""
    teller = _PacketBuilder(scenario)
    return tuple(teller.packet(step) for step in lay_out(scenario, quiet))


class _PacketBuilder:
    """Walks the steps in order and knows the score, the periods and the next sequence number."""

    def __init__(self, scenario: Scenario) -> None:
        self.fixture = scenario.fixture
        self.seq = 0
        self.parts: list[PlayedPeriod] = []
        self.ended: set[int] = set()
        self.goals: dict[tuple[int, Side], int] = {}

    def packet(self, step: Step) -> Packet:
        """The next packet."""
        self.seq += 1
        self._move(step)
        fixture_id = self.fixture.id
        team = self.fixture.team(step.side) if step.side else None
        return Packet(
            fixture_id=fixture_id,
            action_id=make_id(fixture_id, step.key),
            type=step.type,
            send_type=step.send,
            at=(self.fixture.kickoff or dt.datetime.fromtimestamp(0, dt.UTC)) + dt.timedelta(seconds=step.at),
            sub_type=step.sub_type,
            seq=self.seq,
            period_id=step.part.id if step.part else 0,
            clock=step.clock,
            team=team,
            team_side=step.side,
            player=_make_player(team, step),
            related=tuple(make_id(fixture_id, key) for key in step.related),
            metadata={"homeTeamColour": "117, 170, 219", "awayTeamColour": "255, 255, 255"}
            if step.type == "Team Colours"
            else {},
            finished=step.status == "Completed",
            summary=self._summary(step),
        )

    def _move(self, step: Step) -> None:
        if step.part and step.part not in self.parts:
            self.parts.append(step.part)
        if step.part and step.type == "End Period":
            self.ended.add(step.part.id)
        for side, change in ((step.gains, 1), (step.loses, -1)):
            if side and step.part:
                self.goals[step.part.id, side] = self.goals.get((step.part.id, side), 0) + change

    def _summary(self, step: Step) -> Summary:
        periods = tuple(self._period(part) for part in self.parts)
        part = self.parts[-1] if self.parts else None
        shootout = bool(part and part.type == "Shootout")
        clock = 0 if part is None or shootout else min(part.last, part.first + step.at - part.starts)
        home, away = (self._until(part, side) for side in Side)
        return Summary(home, away, part.id if part else 1, step.status, "CollectingLive", clock, periods)

    def _period(self, part: PlayedPeriod) -> PeriodScore:
        home, away = (self._until(part, side) for side in Side)
        home_in, away_in = (self.goals.get((part.id, side), 0) for side in Side)
        return PeriodScore(part.id, part.label, part.type, home, away, home_in, away_in, part.id in self.ended)

    def _until(self, last: PlayedPeriod | None, side: Side) -> int:
        """Goals of play up to the end of a period; a shootout's kicks are not among them."""
        counted = [p for p in self.parts if last and p.id <= last.id and p.type != "Shootout"]
        return sum(self.goals.get((part.id, side), 0) for part in counted)


def _make_player(team: Team | None, step: Step) -> Player | None:
    return Player(make_id("player", team.name if team else "", step.player), step.player) if step.player else None
