"""`/today`, `/live`, `/timeline`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from bot.chat.catalogue import Choice, has_ended
from bot.chat.dialogue import (
    Button,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    arrange_rows,
    make_button,
    make_page_buttons,
    read_page,
    select_page,
)
from bot.chat.routing import Command, Feature
from bot.chat.texts import NEXT_SIGN, PREVIOUS_SIGN, back_label, escape_text, no_matches_text
from bot.i18n.football import format_title
from bot.i18n.language import format_long_date, format_short_date, format_time, to_local_time
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.media.labels import match_title, score_text, standing_text
from rules.football.action import Fixture
from rules.football.match import Match
from rules.football.names import normalise

# A line of HTML has up to 150 characters: 25 lines stay below Telegram's 4,096.
DAY_PAGE_SIZE = 25

LIVE_PAGE_SIZE = 10

MAX_OFFERED_TIMELINES = 10

_MAX_BUTTON_DATA = 64
"""Telegram's limit in bytes."""


def show_today(context: ChatContext) -> Screen:
    """`/today`: show the matches of the day that it is in the chat's time zone."""
    return show_day(context, to_local_time(context.now, context.chat.timezone).date())


def show_day(context: ChatContext, date: dt.date, page: int = 0) -> Screen:
    """Show the matches of one day, by kick-off, with the ways to the days before and after."""
    here, zone = f"d:{date:%Y%m%d}", context.chat.timezone
    fixtures = _list_fixtures_of_day(context, date)
    page, shown = select_page(fixtures, page, DAY_PAGE_SIZE)
    pages = make_page_buttons(len(fixtures), page, here, DAY_PAGE_SIZE)
    if not fixtures:
        return Screen(no_matches_text(format_long_date(date)), (_make_day_buttons(date),))
    choose = Button(_("🔔 Follow …"), f"e:{date:%Y%m%d}:0")
    mute = make_mute_screen_button(context, fixtures, f"{here}:{page}")
    lines = [render_match_line(context, fixture) for fixture in shown]
    timezone = _("<i>Times: {timezone}</i>").format(timezone=escape_text(zone))
    html = "\n".join([_render_day_heading(date), "", *lines, "", timezone])
    return Screen(html, (*pages, (choose, *mute), _make_day_buttons(date)), redraw_data=f"{here}:{page}")


def show_day_choice(context: ChatContext, date: dt.date, page: int = 0) -> Screen:
    """Show the matches of one day as buttons that subscribe."""
    here = f"e:{date:%Y%m%d}"
    ids = {fixture.id for fixture in _list_fixtures_of_day(context, date)}
    choices = [choice for choice in context.catalogue.matches if choice.id in ids]
    page, shown = select_page(choices, page)
    buttons = []
    for choice in shown:
        kickoff = choice.fixture.kickoff if choice.fixture else None
        label = f"{format_time(kickoff, context.chat.timezone)} {choice.name}" if kickoff else choice.name
        buttons.append(make_match_button(context, choice, label, f"{here}:{page}"))
    html = f"{_render_day_heading(date)}\n{_('Tap the matches to follow.')}"
    back = (Button(back_label(), f"d:{date:%Y%m%d}:0"),)
    return Screen(html, (*arrange_rows(buttons), *make_page_buttons(len(choices), page, here), back))


def _render_day_heading(date: dt.date) -> str:
    return f"<b>{escape_text(format_long_date(date))}</b>"


def _list_fixtures_of_day(context: ChatContext, date: dt.date) -> list[Fixture]:
    # By the day in the chat's time zone: a match at 01:00 in Madrid belongs to another day in New York.
    zone = context.chat.timezone
    return [f for f in context.catalogue.fixtures if f.kickoff and f.title and to_local_time(f.kickoff, zone).date() == date]


def _make_day_buttons(date: dt.date) -> tuple[Button, ...]:
    try:
        before, after = date - dt.timedelta(days=1), date + dt.timedelta(days=1)
    except OverflowError:
        # Only forged data names the first or the last day that Python knows.
        return ()
    return (
        Button(f"{PREVIOUS_SIGN} {format_short_date(before)}", f"d:{before:%Y%m%d}:0"),
        Button(f"{format_short_date(after)} {NEXT_SIGN}", f"d:{after:%Y%m%d}:0"),
    )


def _read_day(data: str) -> tuple[dt.date, int]:
    """Read the day and the page that button data names."""
    try:
        date, page = data.split(":")
        return dt.date.fromisoformat(date), read_page(page)
    except (ValueError, OverflowError):
        raise OutdatedButton from None


def show_live(context: ChatContext, page: int = 0) -> Screen:
    """`/live`: show the matches in play, by kick-off, each with a button that subscribes."""
    in_play = [choice for choice in context.catalogue.matches if choice.fixture and context.is_in_play(choice.fixture)]
    refresh = _("🔄 Refresh")
    if not in_play:
        html = _("No match among the known fixtures is in play. /today lists the matches of the day.")
        return Screen(html, ((Button(refresh, "v:0"),),), redraw_data="v:0")
    page, shown = select_page(in_play, page, LIVE_PAGE_SIZE)
    lines, buttons, fixtures = [], [], []
    for choice in shown:
        if choice.fixture:
            lines.append(render_match_line(context, choice.fixture))
            title = visible_title(context, choice.fixture, context.find_match(choice.id))
            buttons.append(make_match_button(context, choice, title, f"v:{page}"))
            fixtures.append(choice.fixture)
    html = "\n".join([_("<b>In play now</b>"), "", *lines, "", _("<i>Tap a match to follow it.</i>")])
    pages = make_page_buttons(len(in_play), page, "v", LIVE_PAGE_SIZE)
    last = (Button(refresh, f"v:{page}"), *make_mute_screen_button(context, fixtures, f"v:{page}"))
    return Screen(html, (*arrange_rows(buttons), *pages, last), redraw_data=f"v:{page}")


def make_mute_screen_button(context: ChatContext, fixtures: Iterable[Fixture], back: str) -> tuple[Button, ...]:
    """Make the button to the mute screen; none if the chat follows none of these matches. `back` is the screen it is on."""
    is_followed = any(context.is_covered(fixture) and not has_ended(fixture, context.now) for fixture in fixtures)
    return (Button(_("🔕 Mute …"), f"n:0:{back}"),) if is_followed else ()


def make_match_button(context: ChatContext, choice: Choice, label: str, screen_data: str) -> Button:
    """Make a match's button: ticked if it is followed by itself, with a bell if another subscription covers it."""
    # A tap subscribes to the match itself: a tick would say that a tap ends it, which it cannot for a team's subscription.
    is_chosen = context.has_subscription(choice)
    if not is_chosen and choice.fixture is not None and context.is_covered(choice.fixture):
        label = f"🔔 {label}"
    return make_button(label, f"t:{choice.token}:{screen_data}", is_chosen=is_chosen)


def render_match_line(context: ChatContext, fixture: Fixture) -> str:
    """Return `15:00 Arsenal 2–1 Chelsea · 67' · Premier League`, with a bell if the chat follows it, struck if it is muted."""
    kickoff = format_time(fixture.kickoff, context.chat.timezone) if fixture.kickoff and fixture.is_kickoff_known else "–"
    headline = render_headline(context, fixture, context.find_match(fixture.id))
    line = " · ".join(filter(None, (f"{kickoff} {headline}", escape_text(fixture.competition.name))))
    if not context.is_covered(fixture):
        return line
    return f"{line} 🔕" if context.is_muted(fixture.id) else f"{line} 🔔"


def render_headline(context: ChatContext, fixture: Fixture, match: Match | None) -> str:
    """Return `Arsenal 2–1 Chelsea · 67'` as HTML. If the chat hides scores, all but the teams is behind a spoiler."""
    # The standing (67', half time) is hidden too: "after extra time" tells that it was level.
    standing, score = escape_text(standing_text(fixture, match)), score_text(match)
    if not context.chat.spoilers or score == "":
        return " · ".join(filter(None, [f"<b>{escape_text(match_title(fixture, match))}</b>", standing]))
    hidden = " · ".join(filter(None, [escape_text(score), standing]))
    return f"<b>{escape_text(format_title(fixture))}</b> · <tg-spoiler>{hidden}</tg-spoiler>"


def visible_title(context: ChatContext, fixture: Fixture, match: Match | None) -> str:
    """Return the title as plain text, without the score if the chat hides scores: a button has no spoilers."""
    return format_title(fixture) if context.chat.spoilers else match_title(fixture, match)


def show_timeline(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/timeline [name]`: draw the match if only one is meant, else show buttons."""
    typed = " ".join(args)
    found = []
    for fixture in context.catalogue.fixtures:
        match = context.find_match(fixture.id)
        is_named = normalise(typed) in normalise(f"{fixture.title} {fixture.competition.name}")
        if match and match.has_begun and (is_named if typed else context.is_covered(fixture)):
            found.append(match)
    found.sort(key=_recency_key, reverse=True)
    if not found and typed:
        html = _("No match of “{name}” is being played or was just played. /today shows the matches of the day.")
        return DialogueResult(Screen(html.format(name=escape_text(typed))))
    if not found:
        return DialogueResult(Screen(_("None of the matches that this chat follows has begun. /today shows when they do.")))
    if len(found) == 1:
        return DialogueResult(draw_timeline(context, found[0]))
    buttons = [make_button(visible_title(context, m.fixture, m), f"p:{m.fixture.id}") for m in found]
    # Telegram refuses the whole keyboard for one id that is too long; those of the feed are short.
    buttons = [button for button in buttons if len(button.data.encode()) <= _MAX_BUTTON_DATA]
    return DialogueResult(Screen(_("<b>Which match shall I draw?</b>"), arrange_rows(buttons[:MAX_OFFERED_TIMELINES])))


def draw_picked_timeline(context: ChatContext, fixture_id: str) -> DialogueResult:
    """Draw the match that was tapped."""
    match = context.find_match(fixture_id)
    if match is None:
        raise OutdatedButton
    return DialogueResult(draw_timeline(context, match))


def draw_timeline(context: ChatContext, match: Match) -> Screen:
    """Return the picture of a match, with its score in words; both hidden if the chat hides scores."""
    return Screen(
        render_headline(context, match.fixture, match),
        picture=match,
        is_spoiler=context.chat.spoilers,
        redraw_data=f"p:{match.fixture.id}",
    )


def _recency_key(match: Match) -> tuple[bool, float]:
    """Sort key: matches in play after those that are over, then by kick-off."""
    is_over = match.is_completed or bool(match.ended_by)
    return not is_over, match.fixture.kickoff.timestamp() if match.fixture.kickoff else 0.0


FEATURE = Feature(
    commands={
        "today": Command(lambda context, _: DialogueResult(show_today(context)), N_("The matches of the day")),
        "live": Command(lambda context, _: DialogueResult(show_live(context)), N_("The matches in play")),
        "timeline": Command(show_timeline, N_("A match in a picture")),
    },
    buttons={"p": draw_picked_timeline},
    screens={
        "d": lambda context, data: show_day(context, *_read_day(data)),
        "e": lambda context, data: show_day_choice(context, *_read_day(data)),
        "v": lambda context, page: show_live(context, read_page(page)),
    },
    # Not `e`: the matches of a day as buttons that subscribe, which is for administrators.
    public_prefixes=frozenset({"d", "p", "v"}),
)
