"""Scenario -> steps: which packets its match is told by, and when; the periods are laid out around what happens in them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from rules.action import SendType, Side
from rules.happening import CHECK_AFTER, CHECK_TAKES, Happening, What
from rules.minute import LAST_MINUTE, Minute, Period
from rules.scenario import Scenario

_TYPES = {
    What.GOAL: ("Goal", "Inside The Box"),
    What.PENALTY_GOAL: ("Goal", "Penalty"),
    What.OWN_GOAL: ("Goal", "Own Goal"),
    What.PENALTY_AWARDED: ("Penalty Awarded", "Foul"),
    What.PENALTY_MISSED: ("Penalty Missed", ""),
    What.PENALTY_SAVED: ("Penalty Missed", "Saved"),
    What.YELLOW_CARD: ("Yellow Card", ""),
    What.SECOND_YELLOW: ("Red Card", "Second Yellow"),
    What.RED_CARD: ("Red Card", "Straight Red"),
    What.VIDEO_CHECK: ("Video Check Underway", "Other"),
}
_QUIET = ("Attack", "Safe Possession", "Throw In", "Dangerous Attack", "Safe Possession", "Goal Kick", "Attack")
_KICK_EVERY = 40
_BREAKS = {2: 15 * 60, 3: 5 * 60, 4: 2 * 60, 5: 5 * 60}
_ADDED = {Period.FIRST_HALF: 2, Period.SECOND_HALF: 5, Period.EXTRA_FIRST: 1, Period.EXTRA_SECOND: 1}


class Part(msgspec.Struct, frozen=True):
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
    part: Part | None = None
    clock: int = 0
    side: Side | None = None
    player: str = ""
    related: tuple[str, ...] = ()
    gains: Side | None = None
    loses: Side | None = None
    status: str = "Live"


def steps_of(scenario: Scenario, quiet: int | None = None) -> list[Step]:
    """Everything that is to be told, in order; with `quiet`, the everyday actions of play too, one in so many seconds."""
    parts = tuple(played(scenario))
    steps = [*_before(), *_frame(parts), *_events(scenario, parts), *_kicks(scenario, parts)]
    if quiet:
        steps += _quiet_play(parts, quiet)
    return sorted(steps, key=lambda step: step.at)


def played(scenario: Scenario) -> Iterator[Part]:
    """The periods of the match, from what happens in it."""
    starts = 0
    for number, period in enumerate(_periods(scenario), start=1):
        starts += _BREAKS.get(5 if period is Period.SHOOTOUT else number, 0)
        part = _part(scenario, number, period, starts)
        yield part
        starts = part.ends


def _periods(scenario: Scenario) -> list[Period]:
    events = scenario.events
    extra = any(e.minute.base > 90 or e.what is What.EXTRA_TIME for e in events)
    shootout = bool(scenario.kicks) or any(e.what is What.SHOOTOUT for e in events)
    regular = [Period.FIRST_HALF, Period.SECOND_HALF, Period.EXTRA_FIRST, Period.EXTRA_SECOND]
    return regular[: 4 if extra else 2] + ([Period.SHOOTOUT] if shootout else [])


def _part(scenario: Scenario, number: int, period: Period, starts: int) -> Part:
    if period is Period.SHOOTOUT:
        return Part(number, "penalty shootout", "Shootout", 0, (len(scenario.kicks) + 1) * _KICK_EVERY, starts)
    label = "1st half" if number % 2 else "2nd half"
    first = {1: 0, 2: 45, 3: 90, 4: 105}[number] * 60
    last = _last(scenario, period)
    if number > 2:
        return Part(number, f"{label} extra time", "ExtraTime", first, last, starts)
    return Part(number, label, "Regular", first, last, starts)


def _last(scenario: Scenario, period: Period) -> int:
    """The clock at the end of a period: the minute that the scenario gives, else the usual, and never before all is settled."""
    inside = [e for e in scenario.events if period_of(e.minute) is period]
    ends = [_clock(e.minute) + 50 for e in inside if not _types(e)]
    usual = (LAST_MINUTE[period] + _ADDED[period]) * 60 - 20
    settled = max((_clock(e.minute) + _lasts(e) + 30 for e in inside if _types(e)), default=0)
    return max(max(ends, default=usual), settled)


def period_of(minute: Minute) -> Period:
    """The period in which a minute is played."""
    return next(period for period, last in LAST_MINUTE.items() if minute.base <= last)


def _types(event: Happening) -> bool:
    return event.what in _TYPES or event.what is What.SUBSTITUTION


def _lasts(event: Happening) -> int:
    course = event.course
    ends = (course.pending, course.cancelled, course.disallowed, course.deleted, course.restored, course.red)
    return max(filter(None, (*ends, course.corrected[1] if course.corrected else 0, CHECK_TAKES)), default=0)


def _clock(minute: Minute) -> int:
    return (minute.base + minute.added - 1) * 60 + 5


def _before() -> list[Step]:
    return [
        Step(-3600, "Team Colours", "colours", status="Scheduled"),
        Step(-2400, "Lineups", "lineups", status="Scheduled"),
    ]


def _frame(parts: tuple[Part, ...]) -> Iterator[Step]:
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


def _events(scenario: Scenario, parts: tuple[Part, ...]) -> Iterator[Step]:
    regular = list(LAST_MINUTE)
    seen: dict[Minute, int] = {}
    for number, event in enumerate(e for e in scenario.events if _types(e)):
        clock = _clock(event.minute) + 10 * seen.setdefault(event.minute, 0)
        seen[event.minute] += 1
        part = parts[regular.index(period_of(event.minute))]
        yield from _revisions(event, f"event-{number}", part, clock)


def _revisions(event: Happening, key: str, part: Part, clock: int) -> Iterator[Step]:
    """Everything that the feed says of one thing that happens, in order."""
    at, course, (kind, sub) = part.wall(clock), event.course, _TYPES.get(event.what, ("", ""))
    side = event.side.other if event.what is What.OWN_GOAL and event.side else event.side
    if event.what is What.SUBSTITUTION:
        yield Step(at, "Substitution Out", f"{key}-out", part=part, clock=clock, side=side, player=event.replaces)
        yield Step(
            at + 1, "Substitution In", key, part=part, clock=clock, side=side, player=event.player, related=(f"{key}-out",)
        )
        return
    if event.what is What.VIDEO_CHECK:
        yield from _video_check(key, part, clock, "Other")
        return
    goal = side if event.what.is_goal else None
    said = Step(at, kind, key, SendType.PENDING, "", part, clock, side)
    full = msgspec.structs.replace(said, sub_type=course.sub_type or sub, player=event.player)
    if course.pending:
        yield said
    if course.cancelled is not None:
        yield _later(said, course.cancelled, SendType.CANCELLED)
    elif course.disallowed is not None and course.disallowed <= course.pending:
        yield _disallowance(full, event, counted=False)
        yield _later(said, course.disallowed + 1, SendType.CANCELLED)
    else:
        yield _later(full, course.pending, SendType.CONFIRMED, gains=goal)
        yield from _afterwards(full, event, goal)


def _later(step: Step, seconds: int, send: SendType, gains: Side | None = None, loses: Side | None = None) -> Step:
    return msgspec.structs.replace(step, at=step.at + seconds, send=send, gains=gains, loses=loses)


def _afterwards(full: Step, event: Happening, goal: Side | None) -> Iterator[Step]:
    """What becomes of it once it is confirmed."""
    course = event.course
    if course.corrected is not None:
        name, seconds = course.corrected
        full = msgspec.structs.replace(full, player=name)
        yield _later(full, seconds, SendType.UPDATED)
    if course.red is not None:
        yield _later(msgspec.structs.replace(full, type="Red Card", sub_type="Straight Red"), course.red, SendType.UPDATED)
    if course.deleted is not None:
        yield _later(full, course.deleted, SendType.DELETED, loses=goal)
    if course.restored is not None:
        yield _later(full, course.restored, SendType.UPDATED, gains=goal)
    if course.disallowed is not None and full.part:
        if course.checked:
            yield from _video_check(f"{full.key}-check", full.part, full.clock + course.pending + CHECK_AFTER, "Potential Goal")
        yield _disallowance(full, event, counted=True)


def _disallowance(full: Step, event: Happening, *, counted: bool) -> Step:
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


def _video_check(key: str, part: Part, clock: int, about: str) -> Iterator[Step]:
    said = Step(part.wall(clock), "Video Check Underway", key, SendType.PENDING, part=part, clock=clock)
    yield said
    yield msgspec.structs.replace(said, at=said.at + 8, send=SendType.CONFIRMED, sub_type=about)
    over = CHECK_TAKES - 2
    yield Step(said.at + over, "Video Check Over", f"{key}-over", part=part, clock=clock + over, related=(key,))


def _kicks(scenario: Scenario, parts: tuple[Part, ...]) -> Iterator[Step]:
    shootout = parts[-1]
    for number, kick in enumerate(scenario.kicks, start=1):
        scored = kick.outcome == "scored"
        kind, sub = ("Goal", "Penalty") if scored else ("Penalty Missed", "Saved" if kick.outcome == "saved" else "")
        yield Step(
            shootout.starts + number * _KICK_EVERY - 5,
            kind,
            f"kick-{number}",
            sub_type=sub,
            part=shootout,
            side=kick.side,
            player=kick.player,
            gains=kick.side if scored else None,
        )


def _quiet_play(parts: tuple[Part, ...], every: int) -> Iterator[Step]:
    for part in parts:
        if part.type == "Shootout":
            continue
        for number, clock in enumerate(range(part.first + every, part.last - 1, every)):
            kind = _QUIET[number % len(_QUIET)]
            side = Side.HOME if number // 3 % 2 else Side.AWAY
            yield Step(part.wall(clock), kind, f"quiet-{part.id}-{number}", part=part, clock=clock, side=side)
