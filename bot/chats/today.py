"""The dialogue of /today: the matches of one day in the chat's time zone, with how they stand. Pure.

Button data: `d:YYYYMMDD:PAGE` shows a day, `e:YYYYMMDD:PAGE` its matches as buttons that follow them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from bot.chats import place_words as words
from bot.chats import texts
from bot.chats.guide import Choice, over
from bot.chats.keyboards import button, page_of, rows, turner
from bot.chats.reply import Button, Reply, View
from bot.chats.times import clock_time, local, long_date, short_date
from bot.languages import football
from bot.store.model import covers
from rules.action import Fixture
from rules.bidi import isolated
from rules.match import Match
from rules.minute import Period

PER_PAGE = 25


def today(view: View) -> Reply:
    """The matches of the day that it is where the chat is."""
    return day(view, local(view.now, view.chat.timezone).date())


def day(view: View, date: dt.date, page: int = 0) -> Reply:
    """The matches of one day, by kick-off."""
    zone = view.chat.timezone
    ours = _of_day(view, date)
    page, shown = page_of(ours, page, PER_PAGE)
    choose = (Button(words.pick(), f"e:{date:%Y%m%d}:0"), *mute_button(view, ours, f"d:{date:%Y%m%d}:{page}"))
    pick = (choose,) if ours else ()
    buttons = (*turner(len(ours), page, f"d:{date:%Y%m%d}", PER_PAGE), *pick, _days(date))
    if not ours:
        return Reply(texts.no_matches(long_date(date)), buttons)
    lines = [line(view, fixture) for fixture in shown]
    return Reply("\n".join([texts.day(long_date(date)), "", *lines, "", texts.times_are(zone)]), buttons)


def pick(view: View, date: dt.date, page: int = 0) -> Reply:
    """The matches of one day as buttons, ticked where the chat follows them."""
    here = {fixture.id for fixture in _of_day(view, date)}
    ours = [choice for choice in view.guide.matches if choice.id in here]
    page, shown = page_of(ours, page)
    screen = f"e:{date:%Y%m%d}"
    taps = rows([_tap(view, choice, f"{screen}:{page}") for choice in shown])
    back = (Button(texts.back(), f"d:{date:%Y%m%d}:0"),)
    return Reply(f"{texts.day(long_date(date))}\n{words.pick_today()}", (*taps, *turner(len(ours), page, screen), back))


def mute_button(view: View, fixtures: Iterable[Fixture], back: str) -> tuple[Button, ...]:
    """The way to the mutes of these matches; none where the chat hears of none of them."""
    heard = any(covers(s, fixture) and not over(fixture, view.now) for fixture in fixtures for s in view.subscriptions)
    return (Button(words.mute_some(), f"n:0:{back}"),) if heard else ()


def turned(view: View, rest: str) -> Reply | None:
    """The day and page that button data names; None for data that names none."""
    return _read(view, rest, day)


def picking(view: View, rest: str) -> Reply | None:
    """The same day and page with a button for each match; None for data that names none."""
    return _read(view, rest, pick)


def _read(view: View, rest: str, draw: Callable[[View, dt.date, int], Reply]) -> Reply | None:
    try:
        date, page = rest.split(":")
        return draw(view, dt.date.fromisoformat(date), int(page))
    except (ValueError, OverflowError):
        return None


def _of_day(view: View, date: dt.date) -> list[Fixture]:
    zone = view.chat.timezone
    return [f for f in view.guide.fixtures if f.kickoff and f.title and local(f.kickoff, zone).date() == date]


def _tap(view: View, choice: Choice, screen: str) -> Button:
    kickoff = choice.fixture.kickoff if choice.fixture else None
    label = f"{clock_time(kickoff, view.chat.timezone)} {choice.name}" if kickoff else choice.name
    return tap(view, choice, label, screen)


def tap(view: View, choice: Choice, label: str, screen: str) -> Button:
    """A match as a button: ticked where it is followed by itself, with a bell where something else covers it."""
    ticked = bool(view.follows(choice.subscriptions))
    covered = choice.fixture is not None and any(covers(s, choice.fixture) for s in view.subscriptions)
    return button(f"🔔 {label}" if covered and not ticked else label, f"t:{choice.token}:{screen}", ticked=ticked)


def line(view: View, fixture: Fixture) -> str:
    """`15:00 Arsenal 2–1 Chelsea · 67' · Premier League`; a bell marks what the chat follows, a struck one what it muted."""
    kickoff = clock_time(fixture.kickoff, view.chat.timezone) if fixture.kickoff and fixture.kickoff_known else "–"
    match = view.scores.match(fixture.id)
    sign = "🔕" if fixture.id in view.chat.muted_matches else "🔔"
    bell = f" {sign}" if any(covers(s, fixture) for s in view.subscriptions) else ""
    parts = (f"{kickoff} {headline(view, fixture, match)}", texts.escape(fixture.competition.name))
    return " · ".join(filter(None, parts)) + bell


def headline(view: View, fixture: Fixture, match: Match | None) -> str:
    """`Arsenal 2–1 Chelsea · 67'` as HTML; where scores are hidden, the teams, and the rest behind spoiler text."""
    state = texts.escape(standing(fixture, match))
    if not view.chat.spoilers or score(match) == "":
        return " · ".join(filter(None, [f"<b>{texts.escape(title(fixture, match))}</b>", state]))
    hidden = " · ".join(filter(None, [texts.escape(score(match)), state]))
    return f"<b>{texts.escape(fixture.title)}</b> · <tg-spoiler>{hidden}</tg-spoiler>"


def label(view: View, fixture: Fixture, match: Match | None) -> str:
    """The title as plain text, without a score where the chat hides scores."""
    return fixture.title if view.chat.spoilers else title(fixture, match)


def score(match: Match | None) -> str:
    """`2–1`, with the kicks of a shootout; empty before the match has begun."""
    if match is None or (match.period is Period.BEFORE and not match.completed):
        return ""
    return f"{match.score} ({football.kicks(str(match.shootout))})" if match.shootout else str(match.score)


def title(fixture: Fixture, match: Match | None) -> str:
    """The teams, with the official score between them once the match has begun."""
    begun = match is not None and (match.period is not Period.BEFORE or match.completed)
    if not (fixture.home.name and fixture.away.name):
        return isolated(fixture.name)
    if match is None or not begun:
        return f"{isolated(fixture.home.name)} v {isolated(fixture.away.name)}"
    kicks = f" ({football.kicks(str(match.shootout))})" if match.shootout else ""
    return f"{isolated(fixture.home.name)} {match.score} {isolated(fixture.away.name)}{kicks}"


def standing(fixture: Fixture, match: Match | None) -> str:
    """The minute, or where the match stands in a word; empty before kick-off."""
    if match is not None and (match.completed or match.ended_by):
        return football.said("full time")
    status = (match.status if match else "") or fixture.status
    if status.casefold() in ("postponed", "cancelled", "abandoned", "suspended", "completed"):
        return football.said("full time" if status.casefold() == "completed" else status.lower())
    if match is None or match.period is Period.BEFORE:
        return ""
    return f"{match.minute}'" if match.minute else football.said(match.period.value)


def _days(date: dt.date) -> tuple[Button, ...]:
    try:
        before, after = date - dt.timedelta(days=1), date + dt.timedelta(days=1)
    except OverflowError:
        return ()
    return (Button(texts.EARLIER + " " + short_date(before), f"d:{before:%Y%m%d}:0"),
            Button(short_date(after) + " " + texts.LATER, f"d:{after:%Y%m%d}:0"))  # fmt: skip
