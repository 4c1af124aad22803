"""The screen on which the matches of /live and /today are muted and heard again, one message edited in place. Pure.

Button data: `n:PAGE:BACK` shows a page, BACK being the screen that it came from; `mt:TOKEN:n:PAGE:BACK` turns a match's mute.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from msgspec.structs import replace

from bot.chats import mute_words as words
from bot.chats import mutes, texts
from bot.chats.guide import Choice, over
from bot.chats.keyboards import button, page_of, rows, turner
from bot.chats.reply import Button, Reply, Settle, Turn, View
from bot.store.model import Scope, covers

_SOON = dt.timedelta(days=1)
"""Later matches can be muted once they are near."""

Draw = Callable[[View, str], Reply | None]


def screen(view: View, page: int, back: str) -> Reply:
    """The matches that the chat follows, in play or within a day, each marked where it is muted."""
    ours = [choice for choice in view.guide.upcoming(view.now) if is_near(view, choice) or choice.id in view.chat.muted_matches]
    page, shown = page_of(ours, page)
    taps = [button(_label(view, choice), f"mt:{choice.token}:n:{page}:{back}") for choice in shown]
    turn = [Button(b.label, f"{b.data}:{back}") for row in turner(len(ours), page, "n") for b in row]
    return Reply(words.which_match(), (*rows(taps), *((tuple(turn),) if turn else ()), (Button(texts.back(), back),)))


def shown(view: View, rest: str) -> Reply | None:
    """The page that button data names; None for data that names none."""
    page, _, back = rest.partition(":")
    return screen(view, int(page), back) if page.isdecimal() and back.startswith(("v:", "d:")) else None


def toggled(view: View, rest: str, draw: Draw) -> Turn | None:
    """A match was tapped: silent until it is over, or heard again; None when it is not known any more."""
    token, _, back = rest.partition(":")
    choice = view.guide.choice(token)
    if choice is None or choice.scope is not Scope.MATCH or (choice.fixture and over(choice.fixture, view.now)):
        return None
    silent = choice.id in view.chat.muted_matches
    chat = (mutes.hear_match if silent else mutes.mute)(view.chat, choice.id)
    reply = draw(replace(view, chat=chat), back)
    return Turn(reply, (Settle(chat),)) if reply else None


def is_near(view: View, choice: Choice) -> bool:
    """Tell whether the chat follows a match that is in play or begins within a day."""
    fixture = choice.fixture
    if fixture is None or over(fixture, view.now) or (fixture.kickoff is not None and fixture.kickoff > view.now + _SOON):
        return False
    return any(covers(subscription, fixture) for subscription in view.subscriptions)


def _label(view: View, choice: Choice) -> str:
    return f"🔕 {choice.name}" if choice.id in view.chat.muted_matches else f"🔔 {choice.name}"
