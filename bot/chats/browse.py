"""Choosing by buttons: competitions, their teams, their matches; one message, edited in place.

A screen is named by its button data: `h:PAGE` the competitions, `c:TOKEN:PAGE` the teams of one, `m:TOKEN:PAGE` its matches.
`t:TOKEN:SCREEN` follows or stops following and shows the screen again.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from bot.chats import texts
from bot.chats.guide import ALL, Choice, over
from bot.chats.keyboards import button, page_of, rows, turner
from bot.chats.reply import Button, Change, Follow, Reply, Turn, Unfollow, View
from bot.chats.times import short_instant
from bot.store.model import Scope

TEAMS_PER_PAGE = 16
"""In two columns."""


def home(view: View, page: int = 0) -> Reply:
    """The first screen: everything, or one of the competitions."""
    competitions = view.guide.competitions
    if not competitions:
        return Reply(texts.no_fixtures())
    page, shown = page_of(competitions, page)
    everything = _toggle(view, ALL, texts.all_matches(), f"h:{page}")
    listed = [button(c.name, f"c:{c.token}:0", ticked=bool(view.follows(c.subscriptions))) for c in shown]
    return Reply(texts.choose(), ((everything,), *rows(listed), *turner(len(competitions), page, "h"), (_done(),)))


def teams(view: View, competition: Choice, page: int = 0) -> Reply:
    """The teams of a competition, ticked where the chat follows them."""
    everyone = view.guide.teams_of(competition)
    page, shown = page_of(everyone, page, TEAMS_PER_PAGE)
    screen = f"c:{competition.token}"
    whole = _toggle(view, competition, texts.whole(competition.name), f"{screen}:{page}")
    listed = [_toggle(view, team, team.name, f"{screen}:{page}") for team in shown]
    matches = Button(texts.matches(), f"m:{competition.token}:0")
    turn = turner(len(everyone), page, screen, TEAMS_PER_PAGE)
    return Reply(texts.competition(competition.name), ((whole,), *rows(listed, 2), *turn, (matches,), (_back("h:0"), _done())))


def matches(view: View, competition: Choice, page: int = 0) -> Reply:
    """The matches of a competition that are not over, by kick-off."""
    everything = view.guide.matches_of(competition, view.now)
    page, shown = page_of(everything, page)
    screen = f"m:{competition.token}"
    listed = [_toggle(view, match, match_label(view, match), f"{screen}:{page}") for match in shown]
    turn = turner(len(everything), page, screen)
    html = texts.matches_of(competition.name) if everything else texts.no_matches(competition.name)
    return Reply(html, (*rows(listed), *turn, (_back(f"c:{competition.token}:0"), _done())))


def screen(view: View, data: str) -> Reply | None:
    """Draw the screen that button data names; None when it names none (any more)."""
    name, *rest = data.split(":")
    if name == "h" and len(rest) == 1 and rest[0].isdecimal():
        return home(view, int(rest[0]))
    if len(rest) != 2 or not rest[1].isdecimal():
        return None
    competition = view.guide.choice(rest[0])
    if competition is None or competition.scope is not Scope.COMPETITION:
        return None
    draw = {"c": teams, "m": matches}.get(name)
    return draw(view, competition, int(rest[1])) if draw else None


def toggle(view: View, token: str, back_to: str, draw: Callable[[View, str], Reply | None]) -> Turn | None:
    """Follow what the token names, or stop following it, and draw a screen again; None when it is not known any more."""
    choice = offered(view, token)
    if choice is None:
        return None
    after, changes = switched(view, choice)
    reply = draw(after, back_to)
    return Turn(reply, changes) if reply else None


def offered(view: View, token: str) -> Choice | None:
    """What a token names; None when it is not known any more, or a match that is over and not followed."""
    choice = view.guide.choice(token)
    if choice and choice.fixture and over(choice.fixture, view.now) and not view.follows(choice.subscriptions):
        return None
    return choice


def switched(view: View, choice: Choice) -> tuple[View, tuple[Change, ...]]:
    """The view after a choice was switched, and what must be stored for it."""
    followed = view.follows(choice.subscriptions)
    changes: tuple[Change, ...] = tuple(Unfollow(s) for s in followed) or (Follow(choice.subscription),)
    kept = tuple(s for s in view.subscriptions if s not in followed)
    now = kept if followed else (*kept, choice.subscription)
    return replace(view, subscriptions=now), changes


def match_label(view: View, match: Choice) -> str:
    """`Sat 15:00 Arsenal v Chelsea`, in the chat's time zone."""
    kickoff = match.fixture.kickoff if match.fixture else None
    return f"{short_instant(kickoff, view.chat.timezone)} {match.name}" if kickoff else match.name


def _toggle(view: View, choice: Choice, label: str, back_to: str) -> Button:
    return button(label, f"t:{choice.token}:{back_to}", ticked=bool(view.follows(choice.subscriptions)))


def _back(data: str) -> Button:
    return Button(texts.back(), data)


def _done() -> Button:
    return Button(texts.done_button(), "done")
