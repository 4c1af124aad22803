"""The dialogue of /live: the matches in play, with their scores, a tap away from being followed. Pure.

Button data: `v:PAGE` shows a page as it stands now; a match is `t:TOKEN:v:PAGE`.
"""

from __future__ import annotations

from bot.chats import place_words as words
from bot.chats.guide import Choice, over
from bot.chats.keyboards import page_of, rows, turner
from bot.chats.reply import Button, Reply, View
from bot.chats.today import label, line, mute_button, tap
from rules.action import Fixture
from rules.match import LOST, Match
from rules.minute import Period

PER_PAGE = 10


def live(view: View, page: int = 0) -> Reply:
    """The matches in play, by kick-off, each with a button that follows it."""
    playing = [choice for choice in view.guide.matches if choice.fixture and playing_now(view, choice.fixture)]
    if not playing:
        return Reply(words.live_none(), ((Button(words.refresh(), "v:0"),),))
    page, shown = page_of(playing, page, PER_PAGE)
    lines = [line(view, choice.fixture) for choice in shown if choice.fixture]
    taps = rows([_tap(view, choice, page) for choice in shown])
    turn = turner(len(playing), page, "v", PER_PAGE)
    html = "\n".join([words.live(), "", *lines, "", words.live_tap()])
    mute = mute_button(view, [choice.fixture for choice in shown if choice.fixture], f"v:{page}")
    return Reply(html, (*taps, *turn, (Button(words.refresh(), f"v:{page}"), *mute)))


def playing_now(view: View, fixture: Fixture) -> bool:
    """Tell whether a match is in play: as its stream says, or the fixtures where its stream is not followed."""
    match = view.scores.match(fixture.id)
    if match is None:
        return fixture.status.casefold() == "live" and not over(fixture, view.now)
    return begun(match) and not (match.completed or match.ended_by or match.status.casefold() in LOST - {"suspended"})


def begun(match: Match) -> bool:
    """Tell whether a match has kicked off."""
    return match.period is not Period.BEFORE or match.completed


def shown(view: View, rest: str) -> Reply | None:
    """The page that button data names; None for data that names none."""
    return live(view, int(rest)) if rest.isdecimal() else None


def _tap(view: View, choice: Choice, page: int) -> Button:
    match = view.scores.match(choice.id)
    words = label(view, choice.fixture, match) if choice.fixture else choice.name
    return tap(view, choice, words, f"v:{page}")
