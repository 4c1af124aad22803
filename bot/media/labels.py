"""Score lines and words shared by cards, pictures, /today and the console."""

from __future__ import annotations

import msgspec

from bot.i18n import football
from bot.i18n.language import current_locale
from bot.i18n.language import translate as _
from rules.football.action import Fixture
from rules.football.match import Match
from rules.football.minute import Period
from rules.football.names import isolate
from rules.football.timeline import EventKind, Stage, Timeline

_LOST_STATUS_WORDS = ("Suspended", "Abandoned", "Postponed", "Cancelled")


class MatchLabels(msgspec.Struct, frozen=True):
    """Every text that is not a name or a number. In `penalties` stands the score of a shootout, in `half_time_score` one too."""

    half_time: str
    full_time: str
    after_extra_time: str
    before_kickoff: str
    extra_time: str
    shootout: str
    penalties: str
    half_time_score: str
    penalty: str
    own_goal: str
    goal_disallowed: str
    penalty_missed: str
    penalty_saved: str
    second_yellow: str
    goal: str
    yellow_card: str
    red_card: str
    statuses: tuple[tuple[str, str], ...]
    """Where a match stands that is not played on, in the feed's word and in this language."""
    locale: str
    """For the date of the match."""


def translate_labels() -> MatchLabels:
    """The words in the language that is spoken now."""
    return MatchLabels(
        half_time=_("Half time"),
        full_time=_("Full time"),
        after_extra_time=_("After extra time"),
        before_kickoff=_("Before kick-off"),
        extra_time=_("Extra time"),
        shootout=_("Shootout"),
        penalties=_("{score} on penalties"),
        half_time_score=_("Half time {score}"),
        penalty=_("penalty"),
        own_goal=_("own goal"),
        goal_disallowed=_("goal disallowed"),
        penalty_missed=_("penalty missed"),
        penalty_saved=_("penalty saved"),
        second_yellow=_("second yellow"),
        goal=_("Goal"),
        yellow_card=_("Yellow card"),
        red_card=_("Red card"),
        statuses=tuple((status, football.translate_term(status)) for status in _LOST_STATUS_WORDS),
        locale=current_locale(),
    )


def stage_text(timeline: Timeline, words: MatchLabels) -> str:
    """Where the match stands, in a word or its minute."""
    if timeline.stage is Stage.LOST:
        return dict(words.statuses).get(timeline.status, timeline.status)
    if timeline.stage is Stage.BEFORE:
        return words.before_kickoff
    if timeline.stage is Stage.HALF_TIME:
        return words.half_time
    if timeline.stage is Stage.FULL_TIME:
        extra = timeline.periods[-1:] and timeline.periods[-1] in (Period.EXTRA_FIRST, Period.EXTRA_SECOND)
        return words.after_extra_time if extra else words.full_time
    return f"{timeline.minute}'" if timeline.minute else words.shootout


def second_score_text(timeline: Timeline, words: MatchLabels) -> str:
    """The shootout's score, else that of half time where it is not the one in play; empty where neither is known."""
    if timeline.shootout is not None:
        return words.penalties.format(score=timeline.shootout)
    if timeline.half_time is None or timeline.stage is Stage.HALF_TIME:
        return ""
    return words.half_time_score.format(score=timeline.half_time)


def event_detail_text(kind: EventKind, words: MatchLabels) -> str:
    """What is said beside the name; empty where the sign says it all."""
    return {
        EventKind.PENALTY_GOAL: words.penalty,
        EventKind.OWN_GOAL: words.own_goal,
        EventKind.DISALLOWED: words.goal_disallowed,
        EventKind.PENALTY_MISSED: words.penalty_missed,
        EventKind.PENALTY_SAVED: words.penalty_saved,
        EventKind.SECOND_YELLOW: words.second_yellow,
    }.get(kind, "")


def unnamed_player_text(kind: EventKind, words: MatchLabels) -> str:
    """What stands where the feed does not name the player."""
    if kind in (EventKind.YELLOW_CARD, EventKind.SECOND_YELLOW):
        return words.yellow_card
    if kind is EventKind.RED_CARD:
        return words.red_card
    return "–" if kind is EventKind.SUBSTITUTION else words.goal if kind.is_goal else event_detail_text(kind, words).capitalize()


def score_text(match: Match | None) -> str:
    """`2–1`, with the kicks of a shootout; empty before the match has begun."""
    if match is None or (match.period is Period.BEFORE and not match.is_completed):
        return ""
    return f"{match.score} ({football.shootout_text(str(match.shootout))})" if match.shootout else str(match.score)


def match_title(fixture: Fixture, match: Match | None) -> str:
    """The teams, with the official score between them once the match has begun."""
    begun = match is not None and (match.period is not Period.BEFORE or match.is_completed)
    if not (fixture.home.name and fixture.away.name):
        return isolate(fixture.name)
    if match is None or not begun:
        return f"{isolate(fixture.home.name)} v {isolate(fixture.away.name)}"
    kicks = f" ({football.shootout_text(str(match.shootout))})" if match.shootout else ""
    return f"{isolate(fixture.home.name)} {match.score} {isolate(fixture.away.name)}{kicks}"


def standing_text(fixture: Fixture, match: Match | None) -> str:
    """The minute, or where the match stands in a word; empty before kick-off."""
    if match is not None and (match.is_completed or match.ended_by):
        return football.translate_term("full time")
    status = (match.status if match else "") or fixture.status
    if status.casefold() in ("postponed", "cancelled", "abandoned", "suspended", "completed"):
        return football.translate_term("full time" if status.casefold() == "completed" else status.lower())
    if match is None or match.period is Period.BEFORE:
        return ""
    return f"{match.minute}'" if match.minute else football.translate_term(match.period.value)
