"""`/today`, `/live`, `/timeline`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

from bot.chat import texts
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
from bot.chat.texts import escape_text
from bot.i18n.language import format_long_date, format_short_date, format_time, to_local_time
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.media.labels import match_title, score_text, standing_text
from bot.subscribers import covers
from rules.football.action import Fixture
from rules.football.match import Match
from rules.football.minute import Period
from rules.football.names import normalise


def choose_timeline_text() -> str:
    return _("<b>Which match shall I draw?</b>")


def nothing_to_draw_text() -> str:
    return _("None of the matches that this chat follows has begun. /today shows when they do.")


def match_not_begun_text(wanted: str) -> str:
    text = _("No match of “{name}” is being played or was just played. /today shows the matches of the day.")
    return text.format(name=escape_text(wanted))


def day_heading_text(date: str) -> str:
    return f"<b>{escape_text(date)}</b>"


def timezone_line_text(timezone: str) -> str:
    return _("<i>Times: {timezone}</i>").format(timezone=escape_text(timezone))


DAY_PAGE_SIZE = 25


def show_today(context: ChatContext) -> Screen:
    """The matches of the day that it is where the chat is."""
    return show_day(context, to_local_time(context.now, context.chat.timezone).date())


def show_day(context: ChatContext, date: dt.date, page: int = 0) -> Screen:
    """The matches of one day, by kick-off."""
    zone = context.chat.timezone
    ours = _select_fixtures_of_day(context, date)
    page, shown = select_page(ours, page, DAY_PAGE_SIZE)
    choose = (
        Button(follow_day_label(), f"e:{date:%Y%m%d}:0"),
        *make_mute_screen_button(context, ours, f"d:{date:%Y%m%d}:{page}"),
    )
    pick = (choose,) if ours else ()
    buttons = (*make_page_buttons(len(ours), page, f"d:{date:%Y%m%d}", DAY_PAGE_SIZE), *pick, _make_day_buttons(date))
    if not ours:
        return Screen(texts.no_matches_text(format_long_date(date)), buttons)
    lines = [render_match_line(context, fixture) for fixture in shown]
    return Screen("\n".join([day_heading_text(format_long_date(date)), "", *lines, "", timezone_line_text(zone)]), buttons)


def show_day_choice(context: ChatContext, date: dt.date, page: int = 0) -> Screen:
    """The matches of one day as buttons, ticked where the chat follows them."""
    here = {fixture.id for fixture in _select_fixtures_of_day(context, date)}
    ours = [choice for choice in context.catalogue.matches if choice.id in here]
    page, shown = select_page(ours, page)
    screen = f"e:{date:%Y%m%d}"
    taps = arrange_rows([_make_day_button(context, choice, f"{screen}:{page}") for choice in shown])
    back = (Button(texts.back_label(), f"d:{date:%Y%m%d}:0"),)
    return Screen(
        f"{day_heading_text(format_long_date(date))}\n{follow_day_text()}",
        (*taps, *make_page_buttons(len(ours), page, screen), back),
    )


def make_mute_screen_button(context: ChatContext, fixtures: Iterable[Fixture], back: str) -> tuple[Button, ...]:
    """The way to the mutes of these matches; none where the chat hears of none of them."""
    heard = any(covers(s, fixture) and not has_ended(fixture, context.now) for fixture in fixtures for s in context.subscriptions)
    return (Button(mute_matches_label(), f"n:0:{back}"),) if heard else ()


def show_day_page(context: ChatContext, rest: str) -> Screen:
    """The day and page that button data names."""
    return _draw_day_page(context, rest, show_day)


def show_day_choice_page(context: ChatContext, rest: str) -> Screen:
    """The same day and page with a button for each match."""
    return _draw_day_page(context, rest, show_day_choice)


def _draw_day_page(context: ChatContext, rest: str, draw: Callable[[ChatContext, dt.date, int], Screen]) -> Screen:
    try:
        date, page = rest.split(":")
        return draw(context, dt.date.fromisoformat(date), int(page))
    except (ValueError, OverflowError):
        raise OutdatedButton from None


def _select_fixtures_of_day(context: ChatContext, date: dt.date) -> list[Fixture]:
    zone = context.chat.timezone
    return [f for f in context.catalogue.fixtures if f.kickoff and f.title and to_local_time(f.kickoff, zone).date() == date]


def _make_day_button(context: ChatContext, choice: Choice, screen: str) -> Button:
    kickoff = choice.fixture.kickoff if choice.fixture else None
    label = f"{format_time(kickoff, context.chat.timezone)} {choice.name}" if kickoff else choice.name
    return make_match_button(context, choice, label, screen)


def make_match_button(context: ChatContext, choice: Choice, label: str, screen: str) -> Button:
    """A match as a button: ticked where it is followed by itself, with a bell where something else covers it."""
    ticked = context.has_subscription(choice)
    covered = choice.fixture is not None and context.is_covered(choice.fixture)
    return make_button(f"🔔 {label}" if covered and not ticked else label, f"t:{choice.token}:{screen}", is_chosen=ticked)


def render_match_line(context: ChatContext, fixture: Fixture) -> str:
    """`15:00 Arsenal 2–1 Chelsea · 67' · Premier League`; a bell marks what the chat follows, a struck one what it muted."""
    kickoff = format_time(fixture.kickoff, context.chat.timezone) if fixture.kickoff and fixture.is_kickoff_known else "–"
    match = context.find_match(fixture.id)
    sign = "🔕" if context.is_muted(fixture.id) else "🔔"
    bell = f" {sign}" if context.is_covered(fixture) else ""
    parts = (f"{kickoff} {render_headline(context, fixture, match)}", texts.escape_text(fixture.competition.name))
    return " · ".join(filter(None, parts)) + bell


def render_headline(context: ChatContext, fixture: Fixture, match: Match | None) -> str:
    """`Arsenal 2–1 Chelsea · 67'` as HTML; where scores are hidden, the teams, and the rest behind spoiler text."""
    state = texts.escape_text(standing_text(fixture, match))
    if not context.chat.spoilers or score_text(match) == "":
        return " · ".join(filter(None, [f"<b>{texts.escape_text(match_title(fixture, match))}</b>", state]))
    hidden = " · ".join(filter(None, [texts.escape_text(score_text(match)), state]))
    return f"<b>{texts.escape_text(fixture.title)}</b> · <tg-spoiler>{hidden}</tg-spoiler>"


def visible_title(context: ChatContext, fixture: Fixture, match: Match | None) -> str:
    """The title as plain text, without a score where the chat hides scores."""
    return fixture.title if context.chat.spoilers else match_title(fixture, match)


def _make_day_buttons(date: dt.date) -> tuple[Button, ...]:
    try:
        before, after = date - dt.timedelta(days=1), date + dt.timedelta(days=1)
    except OverflowError:
        return ()
    return (Button(texts.PREVIOUS_SIGN + " " + format_short_date(before), f"d:{before:%Y%m%d}:0"),
            Button(format_short_date(after) + " " + texts.NEXT_SIGN, f"d:{after:%Y%m%d}:0"))  # fmt: skip


LIVE_PAGE_SIZE = 10


def show_live(context: ChatContext, page: int = 0) -> Screen:
    """The matches in play, by kick-off, each with a button that follows it."""
    playing = [choice for choice in context.catalogue.matches if choice.fixture and context.is_in_play(choice.fixture)]
    if not playing:
        return Screen(no_live_match_text(), ((Button(refresh_label(), "v:0"),),))
    page, shown = select_page(playing, page, LIVE_PAGE_SIZE)
    lines = [render_match_line(context, choice.fixture) for choice in shown if choice.fixture]
    taps = arrange_rows([_make_live_button(context, choice, page) for choice in shown])
    turn = make_page_buttons(len(playing), page, "v", LIVE_PAGE_SIZE)
    html = "\n".join([live_heading_text(), "", *lines, "", live_hint_text()])
    mute = make_mute_screen_button(context, [choice.fixture for choice in shown if choice.fixture], f"v:{page}")
    return Screen(html, (*taps, *turn, (Button(refresh_label(), f"v:{page}"), *mute)))


def _make_live_button(context: ChatContext, choice: Choice, page: int) -> Button:
    match = context.find_match(choice.id)
    words = visible_title(context, choice.fixture, match) if choice.fixture else choice.name
    return make_match_button(context, choice, words, f"v:{page}")


MAX_OFFERED_TIMELINES = 10

_MAX_BUTTON_DATA = 64


def show_timeline(context: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    """`/timeline [name]`: the picture where one match is meant, else buttons."""
    wanted = " ".join(words)
    begun = ((fixture, match) for fixture in context.catalogue.fixtures if (match := _find_begun_match(context, fixture)))
    found = sorted((match for fixture, match in begun if _is_requested(context, fixture, wanted)), key=_recency_key, reverse=True)
    if not found:
        return DialogueResult(Screen(match_not_begun_text(wanted) if wanted else nothing_to_draw_text()))
    if len(found) == 1:
        return DialogueResult(draw_timeline(context, found[0]))
    offers = [(visible_title(context, match.fixture, match), f"p:{match.fixture.id}") for match in found]
    fitting = [make_button(label, data) for label, data in offers if len(data.encode()) <= _MAX_BUTTON_DATA]
    return DialogueResult(Screen(choose_timeline_text(), arrange_rows(fitting[:MAX_OFFERED_TIMELINES])))


def show_picked_timeline(context: ChatContext, fixture_id: str) -> DialogueResult:
    """A match was tapped."""
    match = context.find_match(fixture_id)
    if match is None:
        raise OutdatedButton
    return DialogueResult(draw_timeline(context, match))


def draw_timeline(context: ChatContext, match: Match) -> Screen:
    """The picture of a match, with its score in words; both hidden where the chat hides scores."""
    return Screen(render_headline(context, match.fixture, match), picture=match, is_spoiler=context.chat.spoilers)


def _is_requested(context: ChatContext, fixture: Fixture, wanted: str) -> bool:
    if wanted:
        return normalise(wanted) in normalise(f"{fixture.title} {fixture.competition.name}")
    return context.is_covered(fixture)


def _find_begun_match(context: ChatContext, fixture: Fixture) -> Match | None:
    match = context.find_match(fixture.id)
    return match if match and (match.period is not Period.BEFORE or match.is_completed) else None


def _recency_key(match: Match) -> tuple[bool, float]:
    """Those in play before those that are over, then by kick-off."""
    over = match.is_completed or bool(match.ended_by)
    return not over, match.fixture.kickoff.timestamp() if match.fixture.kickoff else 0.0


def live_heading_text() -> str:
    return _("<b>In play now</b>")


def no_live_match_text() -> str:
    return _("No match among the known fixtures is in play. /today lists the matches of the day.")


def live_hint_text() -> str:
    return _("<i>Tap a match to follow it.</i>")


def refresh_label() -> str:
    return _("🔄 Refresh")


def follow_day_label() -> str:
    return _("🔔 Follow …")


def mute_matches_label() -> str:
    return _("🔕 Mute …")


def follow_day_text() -> str:
    return _("Tap the matches to follow.")


FEATURE = Feature(
    commands={
        "today": Command(lambda context, _: DialogueResult(show_today(context)), N_("The matches of the day")),
        "live": Command(lambda context, _: DialogueResult(show_live(context)), N_("The matches in play")),
        "timeline": Command(show_timeline, N_("A match in a picture")),
    },
    buttons={"p": show_picked_timeline},
    screens={
        "d": show_day_page,
        "e": show_day_choice_page,
        "v": lambda context, page: show_live(context, read_page(page)),
    },
    public_prefixes=frozenset({"d", "p", "v"}),
)
