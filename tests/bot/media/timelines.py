"""Time lines for the tests of pictures: any, and one as full as they come."""

from __future__ import annotations

from hypothesis import strategies as st

from rules.football.action import Side, Team
from rules.football.colours import Colours
from rules.football.match import Score
from rules.football.minute import LAST_MINUTE, Minute, Period
from rules.football.timeline import TIMED_PERIODS, TIMELINE_KINDS, Event, EventKind, Kick, Stage, Timeline

FIRST = {Period.FIRST_HALF: 1, Period.SECOND_HALF: 46, Period.EXTRA_FIRST: 91, Period.EXTRA_SECOND: 106}
NAMES = st.sampled_from(
    ["Kane", "Pierre-Emerick Aubameyang", "", "محمد صلاح", "三笘薫", "Jan Vennegoor of Hesselink Hesselink Hesselink"]
)


@st.composite
def events(draw: st.DrawFn, periods: tuple[Period, ...]) -> Event:
    period = draw(st.sampled_from(periods))
    last = LAST_MINUTE[period]
    base = draw(st.integers(FIRST[period], last))
    minute = Minute(base, draw(st.integers(0, 12)) if base == last else 0)
    kind = draw(st.sampled_from(TIMELINE_KINDS))
    score = Score(9, 9) if kind.is_goal and draw(st.booleans()) else None
    return Event(draw(st.sampled_from(list(Side))), kind, period, minute, draw(NAMES), draw(NAMES), score)


@st.composite
def timelines(draw: st.DrawFn) -> Timeline:
    """Any match, with up to forty events and thirty kicks."""
    periods = TIMED_PERIODS[: draw(st.integers(1, 4))]
    found = draw(st.lists(events(periods), max_size=40))
    found.sort(key=lambda event: (TIMED_PERIODS.index(event.period), event.minute))
    kicks = draw(st.lists(st.builds(Kick, st.sampled_from(list(Side)), NAMES, st.booleans(), st.just(Score(3, 2))), max_size=30))
    return timeline(periods, found, kicks, draw(st.sampled_from(list(Stage))))


def timeline(periods: tuple[Period, ...], found: list[Event], kicks: list[Kick], stage: Stage = Stage.FULL_TIME) -> Timeline:
    """A match between two teams with long names."""
    return Timeline(
        home=Team("h", "Brighton & Hove Albion"),
        away=Team("a", "Wolverhampton Wanderers"),
        competition="Premier League",
        kickoff=None,
        stage=stage,
        score=Score(12, 10),
        half_time=Score(6, 5),
        shootout=Score(9, 8) if kicks else None,
        period=Period.SHOOTOUT if kicks else periods[-1],
        minute=None if kicks else Minute(LAST_MINUTE[periods[-1]]),
        status="Abandoned" if stage is Stage.LOST else "",
        periods=periods,
        events=tuple(found),
        kicks=tuple(kicks),
        colours=Colours((255, 255, 255), (250, 250, 250)),
    )


def full() -> Timeline:
    """Ten goals, ten cards and twelve substitutions in extra time too, and eighteen kicks."""
    kinds = [EventKind.GOAL, EventKind.YELLOW_CARD, EventKind.SUBSTITUTION] * 10 + [EventKind.SUBSTITUTION] * 2
    found = []
    for number, kind in enumerate(kinds):
        minute = Minute(1 + number * 119 // 31)
        period = next(period for period in TIMED_PERIODS if minute.base <= LAST_MINUTE[period])
        found.append(Event(list(Side)[number % 2], kind, period, minute, f"Player Number {number}", f"Other Number {number}"))
    kicks = [Kick(list(Side)[n % 2], f"Taker Number {n}", n % 3 > 0, Score(n // 2, n // 2)) for n in range(18)]
    return timeline(TIMED_PERIODS, found, kicks)
