"""Score lines and labels that cards, pictures, /today and inline results share."""

from __future__ import annotations

import msgspec

from bot.i18n import football
from bot.i18n.language import current_locale
from bot.i18n.language import translate as _
from rules.football.action import Fixture
from rules.football.match import Match
from rules.football.minute import Period
from rules.football.names import isolate
from rules.football.statuses import STATUSES, find_status
from rules.football.timeline import TIMED_PERIODS, EventKind, Stage, Timeline

_LOST_STATUS_WORDS = tuple(status.name for status in STATUSES if status.news or status.is_suspended)
"""The statuses that a picture or a list shows in place of the minute."""


class MatchLabels(msgspec.Struct, frozen=True):
    """Every text of a picture that is not a name or a number, in one language.

    `penalties` and `half_time_score` contain `{score}`. The drawing thread has no language of its own, so it gets this value,
    which is also part of a cache key.
    """

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
    """Pairs of a status of the feed and its translation."""
    periods: tuple[tuple[str, str], ...]
    """Pairs of a period of the feed and its translation."""
    locale: str
    """Babel's locale, for the date of the match."""


def translate_labels() -> MatchLabels:
    """Return the labels in the current language."""
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
        periods=tuple((period.value, period_text(period)) for period in TIMED_PERIODS),
        locale=current_locale(),
    )


def period_text(period: Period) -> str:
    """Return the name of a period in the current language, such as `Second half`."""
    # Not `capitalize`, which would make the other letters small.
    name = football.translate_term(period.value)
    return name[:1].upper() + name[1:]


def stage_text(timeline: Timeline, labels: MatchLabels) -> str:
    """Return the stage of the match in words, or the minute during play; the period where the minute is not known."""
    # Without a translation the feed's own word, as of a status that is new.
    if timeline.stage is Stage.LOST:
        return dict(labels.statuses).get(timeline.status, timeline.status)
    if timeline.stage is Stage.BEFORE:
        return labels.before_kickoff
    if timeline.stage is Stage.HALF_TIME:
        return labels.half_time
    if timeline.stage is Stage.FULL_TIME:
        # Also with a shootout after it: its score stands below, and says the rest.
        extra = timeline.periods[-1:] and timeline.periods[-1] in (Period.EXTRA_FIRST, Period.EXTRA_SECOND)
        return labels.after_extra_time if extra else labels.full_time
    return f"{timeline.minute}'" if timeline.minute else dict(labels.periods).get(timeline.period.value, labels.shootout)


def second_score_text(timeline: Timeline, labels: MatchLabels) -> str:
    """Return the shootout's score, else that of half time; empty if neither is known or the match is at half time now."""
    if timeline.shootout is not None:
        return labels.penalties.format(score=timeline.shootout)
    # At half time it is the score itself.
    if timeline.half_time is None or timeline.stage is Stage.HALF_TIME:
        return ""
    return labels.half_time_score.format(score=timeline.half_time)


def event_detail_text(kind: EventKind, labels: MatchLabels) -> str:
    """Return what is written beside the player's name; empty if the icon is enough."""
    return {
        EventKind.PENALTY_GOAL: labels.penalty,
        EventKind.OWN_GOAL: labels.own_goal,
        EventKind.DISALLOWED: labels.goal_disallowed,
        EventKind.PENALTY_MISSED: labels.penalty_missed,
        EventKind.PENALTY_SAVED: labels.penalty_saved,
        EventKind.SECOND_YELLOW: labels.second_yellow,
    }.get(kind, "")


def unnamed_player_text(kind: EventKind, labels: MatchLabels) -> str:
    """Return what is written in place of the name if the feed does not name the player."""
    if kind in (EventKind.YELLOW_CARD, EventKind.SECOND_YELLOW):
        return labels.yellow_card
    if kind is EventKind.RED_CARD:
        return labels.red_card
    return (
        "–" if kind is EventKind.SUBSTITUTION else labels.goal if kind.is_goal else event_detail_text(kind, labels).capitalize()
    )


def score_text(match: Match | None) -> str:
    """Return `2–1`, with the score of a shootout in brackets; empty before kick-off."""
    if match is None or not match.has_begun:
        return ""
    score = football.format_score(match.score)
    return f"{score} ({football.shootout_text(str(match.shootout))})" if match.shootout else score


def match_title(fixture: Fixture, match: Match | None) -> str:
    """Return the teams with `v`, or after kick-off with the official score between them."""
    if not (fixture.home.name and fixture.away.name):
        return isolate(fixture.name)
    if match is None or not match.has_begun:
        return football.format_title(fixture)
    kicks = f" ({football.shootout_text(str(match.shootout))})" if match.shootout else ""
    home, away = (isolate(football.translate_team(team.name)) for team in (fixture.home, fixture.away))
    return f"{home} {football.format_score(match.score)} {away}{kicks}"


def standing_text(fixture: Fixture, match: Match | None) -> str:
    """Return the minute or the stage in words; empty before kick-off."""
    # First what the match's own packets say. The list of fixtures may be minutes behind them.
    if match is not None and (match.is_completed or match.ended_by):
        return football.translate_term("full time")
    # Before the minute, which would stand still: the match may go on, but neither the score nor its end will come.
    if (match.collection_status if match else fixture.collection_status).casefold() == "collectiondropped":
        return football.translate_term("no live coverage")
    status = (match.status if match else "") or fixture.status
    known = find_status(status)
    if known.name in _LOST_STATUS_WORDS or known.name == "Completed":
        return football.translate_term("full time" if known.name == "Completed" else known.name.lower())
    if match is None or match.period is Period.BEFORE:
        return ""
    return f"{match.minute}'" if match.minute else football.translate_term(match.period.value)
