"""The words in a picture, in the language that is spoken when it is ordered."""

from __future__ import annotations

import msgspec

from bot.languages import football
from bot.languages.speaking import locale
from bot.languages.speaking import translated as _
from rules.minute import Period
from rules.timeline import Kind, Stage, Timeline

_LOST = ("Suspended", "Abandoned", "Postponed", "Cancelled")


class Words(msgspec.Struct, frozen=True):
    """Every text that is not a name or a number. In `penalties` stands the score of a shootout, in `half_time_score` one too."""

    half_time: str
    full_time: str
    after_extra_time: str
    before: str
    extra_time: str
    shootout: str
    penalties: str
    half_time_score: str
    penalty: str
    own_goal: str
    disallowed: str
    missed: str
    saved: str
    second_yellow: str
    goal: str
    yellow_card: str
    red_card: str
    statuses: tuple[tuple[str, str], ...]
    """Where a match stands that is not played on, in the feed's word and in this language."""
    locale: str
    """For the date of the match."""


def spoken_words() -> Words:
    """The words in the language that is spoken now."""
    return Words(
        half_time=_("Half time"),
        full_time=_("Full time"),
        after_extra_time=_("After extra time"),
        before=_("Before kick-off"),
        extra_time=_("Extra time"),
        shootout=_("Shootout"),
        penalties=_("{score} on penalties"),
        half_time_score=_("Half time {score}"),
        penalty=_("penalty"),
        own_goal=_("own goal"),
        disallowed=_("goal disallowed"),
        missed=_("penalty missed"),
        saved=_("penalty saved"),
        second_yellow=_("second yellow"),
        goal=_("Goal"),
        yellow_card=_("Yellow card"),
        red_card=_("Red card"),
        statuses=tuple((status, football.said(status)) for status in _LOST),
        locale=locale(),
    )


def standing(timeline: Timeline, words: Words) -> str:
    """Where the match stands, in a word or its minute."""
    if timeline.stage is Stage.LOST:
        return dict(words.statuses).get(timeline.status, timeline.status)
    if timeline.stage is Stage.BEFORE:
        return words.before
    if timeline.stage is Stage.HALF_TIME:
        return words.half_time
    if timeline.stage is Stage.FULL_TIME:
        extra = timeline.periods[-1:] and timeline.periods[-1] in (Period.EXTRA_FIRST, Period.EXTRA_SECOND)
        return words.after_extra_time if extra else words.full_time
    return f"{timeline.minute}'" if timeline.minute else words.shootout


def below_the_score(timeline: Timeline, words: Words) -> str:
    """The shootout's score, else that of half time where it is not the one in play; empty where neither is known."""
    if timeline.shootout is not None:
        return words.penalties.format(score=timeline.shootout)
    if timeline.half_time is None or timeline.stage is Stage.HALF_TIME:
        return ""
    return words.half_time_score.format(score=timeline.half_time)


def detail(kind: Kind, words: Words) -> str:
    """What is said beside the name; empty where the sign says it all."""
    return {
        Kind.PENALTY_GOAL: words.penalty,
        Kind.OWN_GOAL: words.own_goal,
        Kind.DISALLOWED: words.disallowed,
        Kind.PENALTY_MISSED: words.missed,
        Kind.PENALTY_SAVED: words.saved,
        Kind.SECOND_YELLOW: words.second_yellow,
    }.get(kind, "")


def nameless(kind: Kind, words: Words) -> str:
    """What stands where the feed does not name the player."""
    if kind in (Kind.YELLOW_CARD, Kind.SECOND_YELLOW):
        return words.yellow_card
    if kind is Kind.RED_CARD:
        return words.red_card
    return "–" if kind is Kind.SUBSTITUTION else words.goal if kind.is_goal else detail(kind, words).capitalize()
