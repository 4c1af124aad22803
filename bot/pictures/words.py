"""The words in a picture; another language passes its own."""

from __future__ import annotations

import msgspec

from rules.minute import Period
from rules.timeline import Kind, Stage, Timeline


class Words(msgspec.Struct, frozen=True):
    """Every text that is not a name or a number. In `penalties` stands the score of a shootout, in `half_time_score` one too."""

    half_time: str = "Half time"
    full_time: str = "Full time"
    after_extra_time: str = "After extra time"
    before: str = "Before kick-off"
    extra_time: str = "Extra time"
    shootout: str = "Shootout"
    penalties: str = "{score} on penalties"
    half_time_score: str = "Half time {score}"
    penalty: str = "penalty"
    own_goal: str = "own goal"
    disallowed: str = "goal disallowed"
    missed: str = "penalty missed"
    saved: str = "penalty saved"
    second_yellow: str = "second yellow"
    goal: str = "Goal"
    yellow_card: str = "Yellow card"
    red_card: str = "Red card"
    locale: str = "en_GB"
    """For the date of the match."""


ENGLISH = Words()


def standing(timeline: Timeline, words: Words) -> str:
    """Where the match stands, in a word or its minute."""
    if timeline.stage is Stage.LOST:
        return timeline.status
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
