"""`/mute`, `/unmute` and the mute screens."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from msgspec.structs import replace

from bot.chat.dialogue import (
    Button,
    ButtonRow,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    UpdateChat,
    arrange_rows,
    make_button,
    make_closing_row,
    make_page_buttons,
    read_page,
    select_page,
    set_settings,
)
from bot.chat.parsing.durations import parse_end, parse_length
from bot.chat.parsing.plain_words import EVERY_WORDS, JOINING_WORDS, parse_on_off
from bot.chat.routing import Command, Feature, ShowScreen
from bot.chat.search.catalogue import Choice, has_ended
from bot.chat.texts import back_label, choice_name, choice_names, done_label, escape_text, render_kickoff
from bot.i18n.language import format_hours, join_with_commas
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import Scope
from rules.football.names import normalise

# For longer there is /unsubscribe. The limit also keeps the end far from the last year that Python knows.
_MAX_MUTE = dt.timedelta(days=365)

_MATCH_WORDS = frozenset(
    {
        "match", "this match", "the match", "game", "this game", "the game", "until full time", "until the end",
        "until the end of the match", "until the match is over", "until the game is over", "dieses spiel", "das spiel", "spiel",
        "bis zum abpfiff", "bis spielende", "bis zum ende", "este partido", "el partido", "partido", "hasta el final",
        "ce match", "le match", "jusqu'a la fin", "jusqu'a la fin du match", "questa partita", "la partita", "partita",
        "fino alla fine", "este jogo", "o jogo", "jogo", "ate o fim", "ate o fim do jogo",
    }
)  # fmt: skip
"""What people call the match in play."""

_BETWEEN_NAMES = re.compile(r"[,;&]|\s(?:and|und|y|et|e)\s", re.IGNORECASE)

_MUTE_HORIZON = dt.timedelta(days=1)
"""The mute screen lists a match from so long before its kick-off."""

_MAX_LISTED_MUTES = 30
"""Telegram takes at most 100 buttons under a message. Match mutes end by themselves, and one button ends all of them."""


def mute(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/mute [1 hour | tonight | match | a team | off | buttons on | buttons off]`; without arguments, buttons."""
    # "everything for an hour" is what a length alone means.
    while args and normalise(args[0]) in EVERY_WORDS | JOINING_WORDS:
        args = args[1:]
    typed = " ".join(args)
    if not typed:
        return DialogueResult(show_mute_options(context))
    if normalise(typed) in _MATCH_WORDS:
        return mute_match(context)
    if parse_on_off(typed) is False:
        return unmute(context, ("all",))
    # Before the length of time is read: "buttons on" is no length of time.
    if args[0].casefold() in ("buttons", "button") and (is_on := parse_on_off(" ".join(args[1:]))) is not None:
        return set_mute_button(context, is_on=is_on)
    return _mute_by_words(context, args)


def _mute_by_words(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """Mute for the length of time that was typed, or the match of the team."""
    typed = " ".join(args)
    # A club may be called like a number (Once Caldas): minutes without a unit are typed in digits.
    until, is_length = _read_until(context, typed, "m" if any(char.isdigit() for char in typed) else "")
    if until:
        return mute_chat(context, until)
    if is_length:
        html = _("That's too long: at most <code>/mute 365d</code>. Undo: /unmute")
        return DialogueResult(Screen(html, show_mute_options(context).buttons))
    if matches := find_followed_matches(context, typed):
        return _mute_match(context, matches[0])
    if len(names := [part.strip() for part in _BETWEEN_NAMES.split(typed)]) > 1:
        several = [matches[0] for name in names if name and (matches := find_followed_matches(context, name))]
        if len(several) == len(names):
            return _mute_matches(several)
    # "Liverpool for an hour", or the time first. The longest name counts.
    for at in range(len(args) - 1, 0, -1):
        for name, time in ((args[:at], args[at:]), (args[-at:], args[:-at])):
            if result := _mute_match_until(context, " ".join(name), " ".join(time)):
                return result
    if found := context.catalogue.search_teams(_leave_out_match(typed)).exact:
        # The name is known, but there is nothing to mute: the team is not followed or does not play soon.
        html = _("No followed match of {name} in the coming days. Mute everything instead:")
        html = html.format(name=f"<b>{escape_text(choice_name(found))}</b>")
        return DialogueResult(Screen(html, (*_make_length_buttons()[:1], make_closing_row())))
    html = _("I don't understand “{words}”. Try <code>/mute 1h</code>, <code>/mute tonight</code> or a team's name.")
    return DialogueResult(Screen(html.format(words=escape_text(typed)), show_mute_options(context).buttons))


def _read_until(context: ChatContext, typed: str, default_unit: str = "") -> tuple[dt.datetime | None, bool]:
    """Return until when "an hour" or "until 9pm" mutes, None if it is too long or no time; and whether it is one."""
    end = parse_end(typed, context.now, context.chat.timezone)
    length = end - context.now if end else parse_length(typed, default_unit)
    # As a length first: a thousand years from now is no date.
    return (context.now + length if length and length <= _MAX_MUTE else None), bool(length)


def _mute_match_until(context: ChatContext, name: str, time: str) -> DialogueResult | None:
    """Mute the match of a team for the time that stands beside its name. None if one of the two is not known."""
    until, is_length = _read_until(context, time, "m" if any(char.isdigit() for char in time) else "")
    matches = find_followed_matches(context, name) if is_length else []
    if not matches:
        return None
    choice = matches[0]
    if until is None or choice.fixture is None:
        return _mute_match(context, choice)
    html = _("🔇 <b>{match}</b> is muted {until}. Other matches continue.")
    html = html.format(match=escape_text(choice_name(choice)), until=escape_text(context.format_until(until)))
    if choice.fixture.kickoff and choice.fixture.kickoff >= until:
        # The answer names the effect: before its kick-off nothing is sent about a match anyway.
        kickoff = render_kickoff(choice.fixture.kickoff, context.chat.timezone, with_day=True)
        html = f"{html}\n{_('Kick-off: {time}. Alerts are on again by then.').format(time=kickoff)}"
    buttons = (Button(_("🔔 Unmute"), f"mu:{choice.token}"), Button(_("🔇 Until full time"), f"mm:{choice.token}"))
    return DialogueResult(Screen(html, (buttons, make_closing_row())), (mute_match_until(choice.id, until),))


def show_mute_options(context: ChatContext) -> Screen:
    """Show how long the chat can be muted, and what is muted now."""
    html = _("<b>🔇 Mute for how long?</b>\nOr send <code>/mute 45m</code>. Missed alerts won't be sent later.")
    if (until := _find_mute_end(context)) is not None:
        html = _("🔇 Muted {until}.").format(until=escape_text(context.format_until(until)))
    unmute_button = ((Button(_("🔔 Unmute"), "mu:any"),),) if until or context.chat.list_muted_matches(context.now) else ()
    return Screen(html, (*_make_length_buttons(), *unmute_button, make_closing_row()))


def _make_length_buttons() -> tuple[ButtonRow, ...]:
    options = (
        (format_hours(1), "1h"), (format_hours(3), "3h"), (_("🌙 Until morning"), "tonight"), (_("This match"), "match"),
    )  # fmt: skip
    return arrange_rows([Button(label, f"q:{words}") for label, words in options], 2)


def mute_chat(context: ChatContext, until: dt.datetime) -> DialogueResult:
    """Mute all alerts in this chat for a while."""
    # Corrections of alerts that were sent still arrive: `bot.outbox.decide` asks for the mute before a first message only.
    html = _("🔇 Muted {until}. Missed alerts won't be sent later.")
    rows = ((Button(_("🔔 Unmute"), "mu:chat"), Button(_("🔇 Other time"), "qs:")), make_closing_row())
    return DialogueResult(
        Screen(html.format(until=escape_text(context.format_until(until))), rows), (set_settings(muted_until=until),)
    )


def mute_match(context: ChatContext) -> DialogueResult:
    """`/mute match`: mute the match in play that the chat follows; show buttons if there are several."""
    matches = _find_matches_to_mute(context)
    if not matches:
        html = _("None of your matches is live. Mute everything instead:")
        return DialogueResult(Screen(html, (*_make_length_buttons()[:1], make_closing_row())))
    if len(matches) > 1:
        return DialogueResult(show_matches_to_mute(context))
    return _mute_match(context, matches[0])


def show_matches_to_mute(context: ChatContext, page: int = 0) -> Screen:
    """Show the matches in play that the chat follows, each with a bell that is struck if it is muted; a tap switches it."""
    matches = _find_matches_to_mute(context)
    page, shown = select_page(matches, page)
    buttons = arrange_rows([_make_mute_toggle(context, choice, f"mq:{page}") for choice in shown])
    pages = make_page_buttons(len(matches), page, "mq")
    return Screen(_choose_match_text(), (*buttons, *pages, (Button(back_label(), "qs:"), Button(done_label(), "sd:"))))


def _find_matches_to_mute(context: ChatContext) -> list[Choice]:
    """Return the matches in play that the chat follows, muted or not, so that a repeated `/mute match` means the same match."""
    # Only matches that the chat follows: nothing is sent of others.
    return [
        choice
        for choice in context.catalogue.list_upcoming(context.now)
        if choice.fixture and context.is_in_play(choice.fixture) and context.is_covered(choice.fixture)
    ]


def find_followed_matches(context: ChatContext, typed: str) -> list[Choice]:
    """Return the matches that the chat follows whose teams are meant by a name: those in play first, then by kick-off."""
    catalogue = context.catalogue
    found = catalogue.search(_leave_out_match(typed), context.now)
    meant = (found.exact,) if found.exact else found.hits
    followed = [
        choice
        for choice in catalogue.list_upcoming(context.now)
        if choice.fixture
        and context.is_covered(choice.fixture)
        and any(one.id == choice.id or one.subscription.covers(choice.fixture) for one in meant)
    ]
    return sorted(followed, key=lambda choice: not (choice.fixture and context.is_in_play(choice.fixture)))


def _mute_matches(choices: Sequence[Choice]) -> DialogueResult:
    """Mute each of several matches until it is over."""
    names = [f"<b>{escape_text(choice_name(choice))}</b>" for choice in choices]
    html = _("🔇 Muted until full time: {matches}. Other matches continue.").format(matches=join_with_commas(names))
    rows = ((Button(_("🔔 Unmute"), "mu:any"),), make_closing_row())
    return DialogueResult(Screen(html, rows), tuple(add_muted_match(choice.id) for choice in choices))


def _leave_out_match(typed: str) -> str:
    """Return "the Liverpool match" without what is no name."""
    words = typed.split()
    return " ".join([word for word in words if normalise(word) not in _MATCH_WORDS and normalise(word) != "the"] or words)


def _mute_match(context: ChatContext, choice: Choice) -> DialogueResult:
    # The mute needs no end: the storage clears it once the match is over.
    html = _("🔇 <b>{match}</b> is muted until full time. Other matches continue.").format(match=escape_text(choice_name(choice)))
    others = (Button(_("🔇 Other match"), "mq:0"),) if len(_find_matches_to_mute(context)) > 1 else ()
    rows = ((Button(_("🔔 Unmute"), f"mu:{choice.token}"), *others), make_closing_row())
    return DialogueResult(Screen(html, rows), (add_muted_match(choice.id),))


def set_mute_button(context: ChatContext, *, is_on: bool) -> DialogueResult:
    """`/mute buttons on | off`: the button under each alert."""
    if is_on:
        html = _("Alerts now have a button.")
    else:
        html = _("Alerts no longer have a button. Bring it back: <code>/mute buttons on</code>")
    return DialogueResult(Screen(html, (make_closing_row(),)), (set_settings(mute_button=is_on),))


def unmute(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/unmute [all]`: end the only mute, or ask which one to end."""
    # A mute whose time has passed stays stored and has no effect. Nor has one of a match that has ended.
    until = _find_mute_end(context)
    matches = [choice for choice in context.catalogue.list_upcoming(context.now) if context.is_muted(choice.id)]
    if not until and not matches:
        return DialogueResult(Screen(_("Nothing is muted."), ((Button(_("🔇 Mute"), "qs:"),), make_closing_row())))
    typed = " ".join(args)
    if normalise(typed) in EVERY_WORDS:
        return unmute_all()
    if named := [choice for choice in find_followed_matches(context, typed) if choice in matches] if typed else []:
        return unmute_match(named[0])
    if until and not matches:
        return unmute_chat()
    if not until and len(matches) == 1:
        return unmute_match(matches[0])
    buttons = [make_button(choice_name(choice), f"mu:{choice.token}", names=choice_names(choice)) for choice in matches]
    if until:
        label = _("Everything, {until}").format(until=context.format_until(until))
        buttons.insert(0, make_button(label, "mu:chat"))
    html = _("<b>Muted</b>\nTap to unmute.")
    buttons = [*buttons[:_MAX_LISTED_MUTES], Button(_("🔔 Unmute all"), "mu:all")]
    return DialogueResult(Screen(html, (*arrange_rows(buttons), make_closing_row())))


def _find_mute_end(context: ChatContext) -> dt.datetime | None:
    until = context.chat.muted_until
    return until if until and until > context.now else None


def unmute_picked(context: ChatContext, data: str) -> DialogueResult:
    """End the mute that was tapped."""
    if data in ("any", "all"):
        return unmute(context, (data,))
    if data == "chat":
        return unmute_chat()
    return unmute_match(_find_match(context, data))


def unmute_all() -> DialogueResult:
    """End every mute."""
    return DialogueResult(_make_unmuted_screen(), (set_settings(muted_until=None, muted_matches=frozenset(), match_mutes=()),))


def unmute_chat() -> DialogueResult:
    """End the mute of the whole chat; muted matches stay so."""
    return DialogueResult(_make_unmuted_screen(), (set_settings(muted_until=None),))


def _make_unmuted_screen() -> Screen:
    return Screen(_("🔔 Unmuted."), ((Button(_("🔇 Mute"), "qs:"),), make_closing_row()))


def unmute_match(choice: Choice) -> DialogueResult:
    """End the mute of one match."""
    html = _("🔔 <b>{match}</b> unmuted.").format(match=escape_text(choice_name(choice)))
    rows = ((Button(_("↩ Undo"), f"mm:{choice.token}"),), make_closing_row())
    return DialogueResult(Screen(html, rows), (remove_muted_match(choice.id),))


def add_muted_match(fixture_id: str) -> UpdateChat:
    """Make the change that mutes one match more, until it is over."""
    return UpdateChat(lambda chat: chat.with_muted_match(fixture_id))


def mute_match_until(fixture_id: str, until: dt.datetime) -> UpdateChat:
    """Make the change that mutes one match for a while."""
    return UpdateChat(lambda chat: chat.with_muted_match(fixture_id, until))


def remove_muted_match(fixture_id: str) -> UpdateChat:
    """Make the change that unmutes one match."""
    return UpdateChat(lambda chat: chat.without_muted_match(fixture_id))


def show_mute_screen(context: ChatContext, page: int, back: str) -> Screen:
    """Show the matches that the chat follows, in play or soon, each with a bell that is struck if it is muted.

    It is opened from /live and /today, and `back` is the button data of that screen.
    """
    choices = [
        choice
        for choice in context.catalogue.list_upcoming(context.now)
        if context.is_muted(choice.id) or is_match_near(context, choice)
    ]
    page, shown = select_page(choices, page)
    buttons = [_make_mute_toggle(context, choice, f"n:{page}:{back}") for choice in shown]
    # The page buttons carry the way back too, after the page.
    pages = [
        tuple(Button(button.label, f"{button.data}:{back}") for button in row)
        for row in make_page_buttons(len(choices), page, "n")
    ]
    return Screen(_choose_match_text(), (*arrange_rows(buttons), *pages, (Button(back_label(), back),)))


def _make_mute_toggle(context: ChatContext, choice: Choice, screen_data: str) -> Button:
    sign = "🔕" if context.is_muted(choice.id) else "🔔"
    return make_button(f"{sign} {choice_name(choice)}", f"mt:{choice.token}:{screen_data}", names=choice_names(choice))


def show_mute_screen_page(context: ChatContext, data: str) -> Screen:
    """Show the page of the mute screen that button data names."""
    page, _colon, back = data.partition(":")
    # The data may be forged: it becomes the data of the Back button, which leads to these two screens only.
    if not back.startswith(("v:", "d:")):
        raise OutdatedButton
    return show_mute_screen(context, read_page(page), back)


def is_match_near(context: ChatContext, choice: Choice) -> bool:
    """Return True if the chat follows the match and it is in play or begins within a day."""
    fixture = choice.fixture
    if fixture is None or has_ended(fixture, context.now) or not context.is_covered(fixture):
        return False
    return fixture.kickoff is None or fixture.kickoff <= context.now + _MUTE_HORIZON


def toggle_match_mute(context: ChatContext, data: str, show_screen: ShowScreen) -> DialogueResult:
    """Mute or unmute the match that was tapped, and show the mute screen again."""
    token, _colon, screen_data = data.partition(":")
    choice = _find_match(context, token)
    if choice.fixture and has_ended(choice.fixture, context.now):
        raise OutdatedButton
    update = remove_muted_match(choice.id) if context.is_muted(choice.id) else add_muted_match(choice.id)
    after = replace(context, chat=update.change(context.chat))
    return DialogueResult(show_screen(after, screen_data), (update,))


def _find_match(context: ChatContext, token: str) -> Choice:
    choice = context.catalogue.find(token)
    if choice is None or choice.scope is not Scope.MATCH:
        raise OutdatedButton
    return choice


def _choose_match_text() -> str:
    return _("<b>Mute which match?</b>\nUntil full time; others continue. 🔔 on · 🔕 muted")


FEATURE = Feature(
    commands={
        "mute": Command(mute, N_("Mute alerts for a while"), changes_settings=True),
        "unmute": Command(unmute, N_("Unmute"), changes_settings=True),
    },
    buttons={
        "q": lambda context, words: mute(context, tuple(words.split())),
        "mm": lambda context, token: _mute_match(context, _find_match(context, token)),
        "mu": unmute_picked,
    },
    toggles={"mt": toggle_match_mute},
    screens={
        "n": show_mute_screen_page,
        "mq": lambda context, page: show_matches_to_mute(context, read_page(page)),
        "qs": lambda context, _: show_mute_options(context),
    },
)
