"""`/today`, `/live`, `/timeline`."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from math import inf

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
from bot.chat.features.timezone import zone_label
from bot.chat.parsing.plain_words import parse_day
from bot.chat.routing import Command, Feature
from bot.chat.search.catalogue import Choice, has_ended
from bot.chat.texts import (
    NEXT_SIGN,
    PREVIOUS_SIGN,
    back_label,
    choice_name,
    choice_names,
    escape_text,
    no_matches_text,
    render_kickoff,
)
from bot.i18n.football import format_title, title_names, translate_team
from bot.i18n.language import format_long_date, format_short_date, format_time, join_with_commas, to_local_time
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.media.labels import match_title, score_text, standing_text
from bot.subscribers import Scope
from bot.time_zones import find_zone
from rules.football.action import Fixture, Side
from rules.football.match import Match
from rules.football.names import isolate, normalise

# A line of HTML has up to 150 characters: 25 lines stay below Telegram's 4,096.
DAY_PAGE_SIZE = 25

LIVE_PAGE_SIZE = 10

MAX_OFFERED_TIMELINES = 10

MAX_COMING = 5
"""Coming matches of a team or competition that are listed if it has none on the day that was asked for."""

_UNKNOWN_KICKOFF = dt.datetime.min.replace(tzinfo=dt.UTC)
"""Sorts matches whose kick-off the feed does not tell before all others."""

_MAX_BUTTON_DATA = 64
"""Telegram's limit in bytes."""


def show_today(context: ChatContext, args: tuple[str, ...] = ()) -> Screen:
    """`/today [tomorrow | Saturday] [a team or competition]`: show the matches of a day in the chat's time zone."""
    today = to_local_time(context.now, context.chat.timezone).date()
    if not args:
        return show_day(context, today)
    # The day stands first or last; what is left is a name.
    for words, rest in ((args, ()), (args[:1], args[1:]), (args[-1:], args[:-1])):
        if (date := parse_day(" ".join(words), today)) is not None:
            return show_matches_of(context, " ".join(rest), date) if rest else show_day(context, date)
    return show_matches_of(context, " ".join(args), today)


def show_matches_of(context: ChatContext, typed: str, date: dt.date) -> Screen:
    """Show the matches of a team or competition on a day; if it has none then, its next ones."""
    catalogue = context.catalogue
    found = catalogue.search_teams(typed)
    meant = (found.exact,) if found.exact else found.hits or found.suggestions
    days = _make_day_buttons(date)
    if not meant:
        html = _("I couldn't find “{name}”.").format(name=escape_text(typed))
        return Screen(html, ((Button(_("🔎 Browse leagues"), "h:0"), Button(_("📅 Today"), "td:")),))
    ours = [f for f in catalogue.fixtures if f.title and any(choice.subscription.covers(f) for choice in meant)]
    ids = {fixture.id for fixture in ours}
    shown = [fixture for fixture in _list_fixtures_of_day(context, date) if fixture.id in ids][:DAY_PAGE_SIZE]
    if shown:
        return Screen("\n".join([_render_day_heading(date), *render_match_lines(context, shown)]), (days,))
    coming = [f for f in ours if f.kickoff and not has_ended(f, context.now)][:MAX_COMING]
    name = escape_text(join_with_commas([choice_name(choice) for choice in meant[:2]]))
    if not coming:
        return Screen(_("<b>{name}</b>\nNo match is known in the coming days.").format(name=name), (days,))
    lines = []
    for fixture in coming:
        day = fixture.kickoff and format_long_date(to_local_time(fixture.kickoff, context.chat.timezone).date())
        lines += [f"<i>{escape_text(day or '')}</i>", render_match_line(context, fixture)]
    heading = _("<b>{name}</b>\nNo match on that day. Next:").format(name=name)
    return Screen("\n".join([heading, *lines]), (days,))


def show_day(context: ChatContext, date: dt.date, page: int = 0) -> Screen:
    """Show the matches of one day, by kick-off, with the ways to the days before and after."""
    here, zone = f"d:{date:%Y%m%d}", context.chat.timezone
    fixtures = _list_fixtures_of_day(context, date)
    page, shown = select_page(fixtures, page, DAY_PAGE_SIZE)
    pages = make_page_buttons(len(fixtures), page, here, DAY_PAGE_SIZE)
    if not fixtures:
        return Screen(no_matches_text(format_long_date(date)), (_make_day_buttons(date),))
    choose = Button(_("➕ Follow…"), f"e:{date:%Y%m%d}:0")
    mute = make_mute_screen_button(context, fixtures, f"{here}:{page}")
    lines = render_match_lines(context, shown)
    has_sign = any(line.endswith((_FOLLOWED_SIGN, _THROUGH_OTHERS_SIGN, _MUTED_SIGN)) for line in lines)
    html = "\n".join([_render_day_heading(date), *lines, *(("", _render_legend()) if has_sign else ())])
    # The zone stands here, and leads to the others: kick-offs in a wrong zone are the first thing that surprises people.
    timezone = (Button(f"🕑 {zone_label(zone)}", "os:"),)
    return Screen(html, (*pages, (choose, *mute), timezone, _make_day_buttons(date)), redraw_data=f"{here}:{page}")


def show_day_choice(context: ChatContext, date: dt.date, page: int = 0) -> Screen:
    """Show the matches of one day as buttons that subscribe."""
    here = f"e:{date:%Y%m%d}"
    ids = {fixture.id for fixture in _list_fixtures_of_day(context, date)}
    choices = [choice for choice in context.catalogue.matches if choice.id in ids]
    page, shown = select_page(choices, page)
    buttons = []
    for choice in shown:
        kickoff = choice.fixture.kickoff if choice.fixture else None
        label = f"{format_time(kickoff, context.chat.timezone)} {choice_name(choice)}" if kickoff else choice_name(choice)
        buttons.append(make_match_button(context, choice, label, f"{here}:{page}"))
    html = f"{_render_day_heading(date)}\n{_('Tap to switch.')} {_render_legend()}"
    back = (Button(back_label(), f"d:{date:%Y%m%d}:0"),)
    return Screen(html, (*arrange_rows(buttons), *make_page_buttons(len(choices), page, here), back))


def _render_day_heading(date: dt.date) -> str:
    return f"<b>{escape_text(format_long_date(date))}</b>"


def _list_fixtures_of_day(context: ChatContext, date: dt.date) -> Sequence[Fixture]:
    # By the day in the chat's time zone: a match at 01:00 in Madrid belongs to another day in New York. Fixtures are in the order
    # of their kick-offs, so that of twenty thousand only the day's first and last are looked for.
    zone = find_zone(context.chat.timezone)
    first = dt.datetime.combine(date, dt.time(), zone).timestamp()
    # fold: the last hour of the day comes twice where the clocks go back at midnight.
    last = dt.datetime.combine(date, dt.time.max.replace(fold=1), zone).timestamp()
    fixtures = context.catalogue.fixtures
    start = bisect_left(fixtures, first, key=_kickoff_timestamp)
    return [f for f in fixtures[start : bisect_right(fixtures, last, start, key=_kickoff_timestamp)] if f.title]


def _kickoff_timestamp(fixture: Fixture) -> float:
    return fixture.kickoff.timestamp() if fixture.kickoff else inf


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
        return Screen(_("No match is live now."), ((Button(refresh, "v:0"), Button(_("📅 Today"), "td:")),), redraw_data="v:0")
    page, shown = select_page(in_play, page, LIVE_PAGE_SIZE)
    buttons, fixtures = [], []
    for choice in shown:
        if choice.fixture:
            title = visible_title(context, choice.fixture, context.find_match(choice.id))
            buttons.append(make_match_button(context, choice, title, f"v:{page}"))
            fixtures.append(choice.fixture)
    # Always with the signs here: the buttons below have them as soon as one is tapped.
    html = "\n".join([_("<b>In play now</b>"), *render_match_lines(context, fixtures), "", _render_legend()])
    pages = make_page_buttons(len(in_play), page, "v", LIVE_PAGE_SIZE)
    last = (Button(refresh, f"v:{page}"), *make_mute_screen_button(context, fixtures, f"v:{page}"))
    return Screen(html, (*arrange_rows(buttons), *pages, last), redraw_data=f"v:{page}")


def run_live(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/live [a team or competition]`."""
    if not args:
        return DialogueResult(show_live(context))
    catalogue, typed = context.catalogue, " ".join(args)
    found = catalogue.search_teams(typed)
    meant = (found.exact,) if found.exact else found.hits
    ours = [f for f in catalogue.fixtures if f.title and any(choice.subscription.covers(f) for choice in meant)]
    in_play = [fixture for fixture in ours if context.is_in_play(fixture)][:LIVE_PAGE_SIZE]
    if not in_play:
        # Not live: when it is next is the answer that helps.
        return DialogueResult(show_matches_of(context, typed, to_local_time(context.now, context.chat.timezone).date()))
    html = "\n".join([_("<b>In play now</b>"), *render_match_lines(context, in_play)])
    return DialogueResult(Screen(html, (_make_list_buttons(),)))


def make_mute_screen_button(context: ChatContext, fixtures: Iterable[Fixture], back: str) -> tuple[Button, ...]:
    """Make the button to the mute screen; none if the chat follows none of these matches. `back` is the screen it is on."""
    is_followed = any(context.is_covered(fixture) and not has_ended(fixture, context.now) for fixture in fixtures)
    return (Button(_("🔕 Mute…"), f"n:0:{back}"),) if is_followed else ()


def make_match_button(context: ChatContext, choice: Choice, label: str, screen_data: str) -> Button:
    """Make a match's button, whose sign says what it is and whose tap changes exactly that.

    ✅ is followed by itself, and a tap ends it. 🔔 is followed through a team or competition, and a tap mutes it; 🔕 is muted,
    and a tap unmutes it. Without a sign it is not followed, and a tap follows it.
    """
    sign, names = match_sign(context, choice.fixture) if choice.fixture else "", choice_names(choice)
    if sign in (_THROUGH_OTHERS_SIGN, _MUTED_SIGN):
        return make_button(f"{sign} {label}", f"mt:{choice.token}:{screen_data}", names=names)
    return make_button(label, f"t:{choice.token}:{screen_data}", is_chosen=sign == _FOLLOWED_SIGN, names=names)


_FOLLOWED_SIGN, _THROUGH_OTHERS_SIGN, _MUTED_SIGN = "✅", "🔔", "🔕"


def match_sign(context: ChatContext, fixture: Fixture) -> str:
    """Return the sign of a match: followed by itself, followed through its team or competition, or muted; empty for none."""
    covering = [subscription for subscription in context.subscriptions if subscription.covers(fixture)]
    if not covering:
        return ""
    if context.is_muted(fixture.id):
        return _MUTED_SIGN
    return _FOLLOWED_SIGN if any(subscription.scope is Scope.MATCH for subscription in covering) else _THROUGH_OTHERS_SIGN


def _render_legend() -> str:
    return _("<i>✅ followed · 🔔 through its team or league · 🔕 muted</i>")


def render_match_lines(context: ChatContext, fixtures: Iterable[Fixture]) -> list[str]:
    """Return a line for each match under headings of their competitions, those with the earliest match first."""
    by_competition: dict[str, list[str]] = {}
    for fixture in fixtures:
        by_competition.setdefault(fixture.competition.name, []).append(render_match_line(context, fixture))
    lines = []
    for name, matches in by_competition.items():
        lines += ["", *([f"<b>{escape_text(name)}</b>"] if name else []), *matches]
    return lines


def render_match_line(context: ChatContext, fixture: Fixture) -> str:
    """Return `15:00 Arsenal 2–1 Chelsea · 67'` with the match's sign."""
    is_known = fixture.kickoff is not None and fixture.is_kickoff_known
    kickoff = render_kickoff(fixture.kickoff, context.chat.timezone) if fixture.kickoff and is_known else "–"
    # Not bold: forty matches of a day would be a page of bold letters.
    line = f"{kickoff} {render_headline(context, fixture, context.find_match(fixture.id), is_bold=False)}"
    return f"{line} {match_sign(context, fixture)}".rstrip()


def render_headline(context: ChatContext, fixture: Fixture, match: Match | None, *, is_bold: bool = True) -> str:
    """Return `Arsenal 2–1 Chelsea · 67'` as HTML. If the chat hides scores, all but the teams is behind a spoiler."""
    # The standing (67', half time) is hidden too: "after extra time" tells that it was level.
    standing, score = escape_text(standing_text(fixture, match)), score_text(match)
    if not context.chat.spoilers or score == "":
        title = escape_text(match_title(fixture, match))
        return " · ".join(filter(None, [f"<b>{title}</b>" if is_bold else title, standing]))
    hidden = " · ".join(filter(None, [escape_text(score), standing]))
    title = escape_text(format_title(fixture))
    return f"{f'<b>{title}</b>' if is_bold else title} · <tg-spoiler>{hidden}</tg-spoiler>"


def visible_title(context: ChatContext, fixture: Fixture, match: Match | None) -> str:
    """Return the title as plain text, without the score if the chat hides scores: a button has no spoilers."""
    return format_title(fixture) if context.chat.spoilers else match_title(fixture, match)


def show_timeline(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/timeline [name]`: draw the match if only one is meant, else show buttons."""
    typed = " ".join(args)
    found = []
    for fixture in context.catalogue.fixtures:
        match = context.find_match(fixture.id)
        # First whether it has begun: few of thousands have.
        if match and match.has_begun and (_is_named(context, fixture, typed) if typed else context.is_covered(fixture)):
            found.append(match)
    # Those in play before those that are over, and the latest kick-off first.
    found.sort(key=lambda m: (not (m.is_completed or m.ended_by), m.fixture.kickoff or _UNKNOWN_KICKOFF), reverse=True)
    if not found and typed:
        html = _("No match of “{name}” is live or has just ended.").format(name=escape_text(typed))
        return DialogueResult(Screen(html, (_make_list_buttons(),)))
    if not found:
        return DialogueResult(Screen(_("None of your matches has begun yet."), (_make_list_buttons(),)))
    if len(found) == 1:
        return DialogueResult(draw_timeline(context, found[0]))
    buttons = [
        make_button(visible_title(context, m.fixture, m), f"p:{m.fixture.id}", names=title_names(m.fixture)) for m in found
    ]
    # Telegram refuses the whole keyboard for one id that is too long; those of the feed are short.
    buttons = [button for button in buttons if len(button.data.encode()) <= _MAX_BUTTON_DATA]
    screen = Screen(_("<b>Which match?</b>"), (*arrange_rows(buttons[:MAX_OFFERED_TIMELINES]), _make_list_buttons()))
    return DialogueResult(screen)


def _is_named(context: ChatContext, fixture: Fixture, typed: str) -> bool:
    """Return True if a match's teams or competition contain these letters, or have this nickname."""
    if normalise(typed) in normalise(f"{fixture.title} {fixture.competition.name}"):
        return True
    names = (fixture.home.name, fixture.away.name, fixture.competition.name)
    return any(context.catalogue.measure_fit(typed, name) is not None for name in names if name)


def _make_list_buttons() -> tuple[Button, ...]:
    return (Button(_("📅 Today"), "td:"), Button(_("🔴 Live"), "v:0"))


def draw_picked_timeline(context: ChatContext, fixture_id: str) -> DialogueResult:
    """Draw the match that was tapped."""
    match = context.find_match(fixture_id)
    if match is None:
        raise OutdatedButton
    return DialogueResult(draw_timeline(context, match))


def draw_timeline(context: ChatContext, match: Match) -> Screen:
    """Return the picture of a match, with its score in words, both hidden if the chat hides scores, and the formations."""
    return Screen(
        "\n".join([render_headline(context, match.fixture, match), *_list_formations(match)]),
        picture=match,
        is_spoiler=context.chat.spoilers,
        redraw_data=f"p:{match.fixture.id}",
    )


def _list_formations(match: Match) -> Iterator[str]:
    """Yield `Arsenal: 4-3-3, captain Ødegaard` for each team of which the feed gives either."""
    for side in Side:
        lineup = match.lineups.of_side(side)
        captain = _("captain {player}").format(player=isolate(lineup.captain)) if lineup.captain else ""
        if known := ", ".join(filter(None, (lineup.formation, captain))):
            name = isolate(translate_team(match.fixture.team(side).name))
            yield escape_text(_("{name}: {text}").format(name=name, text=known))


FEATURE = Feature(
    commands={
        "today": Command(lambda context, args: DialogueResult(show_today(context, args)), N_("Today's matches")),
        "live": Command(run_live, N_("Live scores")),
        "timeline": Command(show_timeline, N_("Match timeline (image)")),
    },
    buttons={"p": draw_picked_timeline},
    screens={
        "d": lambda context, data: show_day(context, *_read_day(data)),
        "e": lambda context, data: show_day_choice(context, *_read_day(data)),
        # Unlike `d`, it names no day: the button stands under messages that are read on another day.
        "td": lambda context, _: show_today(context),
        "v": lambda context, page: show_live(context, read_page(page)),
    },
    # Not `e`: the matches of a day as buttons that subscribe, which is for administrators.
    public_prefixes=frozenset({"d", "p", "td", "v"}),
)
