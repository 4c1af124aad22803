"""`/mute`, `/unmute` and the mute screens."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.chat.catalogue import Choice, has_ended
from bot.chat.dialogue import (
    Button,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    UpdateChat,
    arrange_rows,
    make_button,
    make_page_buttons,
    read_page,
    select_page,
    set_settings,
)
from bot.chat.routing import Command, Feature, ShowScreen
from bot.chat.texts import back_label, escape_text
from bot.i18n.language import format_hours
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import Scope
from rules.loading.values import parse_duration

# Who wants longer wants /unsubscribe. It also keeps the end far from the last year that Python knows.
_MAX_MUTE = dt.timedelta(days=365)

_MUTE_HORIZON = dt.timedelta(days=1)
"""The mute screen lists a match from so long before its kick-off."""

_MAX_LISTED_MUTES = 30
"""Telegram takes at most 100 buttons under a message. Match mutes end by themselves, and one button ends all of them."""

_ON_OFF = {"on": True, "off": False}


def mute(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/mute [1h | match | buttons on | buttons off]`; without arguments, buttons."""
    typed = " ".join(args).casefold()
    if not typed:
        options = ((format_hours(1), "1h"), (format_hours(3), "3h"), (_("This match"), "match"))
        html = _("<b>Silence for how long?</b>\nOr send <code>/mute 45m</code>. What comes meanwhile is not told later.")
        return DialogueResult(Screen(html, (tuple(Button(label, f"q:{words}") for label, words in options),)))
    if typed == "match":
        return mute_match(context)
    # Before the duration is parsed: "buttons on" is no time.
    what, _space, word = typed.partition(" ")
    if what == "buttons" and word.strip() in _ON_OFF:
        return set_mute_button(context, is_on=_ON_OFF[word.strip()])
    try:
        duration = parse_duration(typed)
    except ValueError:
        duration = dt.timedelta(0)
    if not duration:
        html = _("“{time}” is no time that I understand. Try <code>/mute 1h</code> or <code>/mute match</code>.")
        return DialogueResult(Screen(html.format(time=escape_text(typed))))
    if duration > _MAX_MUTE:
        return DialogueResult(Screen(_("That is too long: the longest is <code>/mute 365d</code>, and /unmute ends it.")))
    return mute_chat(context, duration)


def mute_chat(context: ChatContext, duration: dt.timedelta) -> DialogueResult:
    """Mute all alerts in this chat for a while."""
    until = context.now + duration
    # Corrections of alerts that were sent still arrive: `bot.outbox.decide` asks for the mute before a first message only.
    html = _("🔇 This chat is muted until {time}. /unmute ends it; what comes meanwhile is not told later.")
    time = escape_text(context.format_until(until))
    return DialogueResult(Screen(html.format(time=time)), (set_settings(muted_until=until),))


def mute_match(context: ChatContext) -> DialogueResult:
    """`/mute match`: mute the match in play that the chat follows; show buttons if there are several."""
    matches = _find_matches_to_mute(context)
    if not matches:
        html = _("No match that this chat follows is being played. <code>/mute 2h</code> works at any time.")
        return DialogueResult(Screen(html))
    if len(matches) > 1:
        return DialogueResult(show_matches_to_mute(context))
    return _mute_match(context, matches[0])


def show_matches_to_mute(context: ChatContext, page: int = 0) -> Screen:
    """Show the matches in play that the chat follows; a tap mutes one."""
    matches = _find_matches_to_mute(context)
    page, shown = select_page(matches, page)
    buttons = arrange_rows([make_button(choice.name, f"mm:{choice.token}") for choice in shown])
    return Screen(_choose_match_text(), (*buttons, *make_page_buttons(len(matches), page, "mq")))


def _find_matches_to_mute(context: ChatContext) -> list[Choice]:
    """Return the matches in play that the chat follows and has not muted; if it has muted each, all of them."""
    # Only matches that the chat follows: nothing is sent of others.
    in_play = [
        choice
        for choice in context.catalogue.list_upcoming(context.now)
        if choice.fixture and context.is_in_play(choice.fixture) and context.is_covered(choice.fixture)
    ]
    return [choice for choice in in_play if not context.is_muted(choice.id)] or in_play


def _mute_match(context: ChatContext, choice: Choice) -> DialogueResult:
    # The mute needs no end: the storage clears it once the match is over.
    html = _("🔇 <b>{match}</b> is muted until it is over; other matches are told as before. /unmute ends it.")
    return DialogueResult(Screen(html.format(match=escape_text(choice.name))), (add_muted_match(choice.id),))


def set_mute_button(context: ChatContext, *, is_on: bool) -> DialogueResult:
    """`/mute buttons on | off`: the button under each alert."""
    if is_on:
        html = _("There is a button under each alert from now on.")
    else:
        html = _("Alerts come without a button from now on. <code>/mute buttons on</code> brings it back.")
    return DialogueResult(Screen(html), (set_settings(mute_button=is_on),))


def unmute(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/unmute [all]`: end the only mute, or ask which one to end."""
    # A mute whose time has passed stays stored and has no effect. Nor has one of a match that has ended.
    until = context.chat.muted_until if context.chat.muted_until and context.chat.muted_until > context.now else None
    matches = [choice for choice in context.catalogue.list_upcoming(context.now) if context.is_muted(choice.id)]
    if not until and not matches:
        return DialogueResult(Screen(_("This chat is not muted. /mute changes that.")))
    if " ".join(args).casefold() == "all":
        return unmute_all()
    if until and not matches:
        return unmute_chat()
    if not until and len(matches) == 1:
        return unmute_match(matches[0])
    buttons = [make_button(choice.name, f"mu:{choice.token}") for choice in matches]
    if until:
        label = _("Everything, until {time}").format(time=context.format_until(until))
        buttons.insert(0, make_button(label, "mu:chat"))
    html = _("<b>This is muted here.</b>\nTap what shall be heard again.")
    buttons = [*buttons[:_MAX_LISTED_MUTES], Button(_("🔔 All of it"), "mu:all")]
    return DialogueResult(Screen(html, arrange_rows(buttons)))


def unmute_picked(context: ChatContext, data: str) -> DialogueResult:
    """End the mute that was tapped."""
    if data == "all":
        return unmute(context, ("all",))
    if data == "chat":
        return unmute_chat()
    return unmute_match(_find_match(context, data))


def unmute_all() -> DialogueResult:
    """End every mute."""
    return DialogueResult(Screen(_("This chat hears again.")), (set_settings(muted_until=None, muted_matches=frozenset()),))


def unmute_chat() -> DialogueResult:
    """End the mute of the whole chat; muted matches stay so."""
    return DialogueResult(Screen(_("This chat hears again.")), (set_settings(muted_until=None),))


def unmute_match(choice: Choice) -> DialogueResult:
    """End the mute of one match."""
    html = _("🔔 <b>{match}</b> is heard again.").format(match=escape_text(choice.name))
    return DialogueResult(Screen(html), (remove_muted_match(choice.id),))


def add_muted_match(fixture_id: str) -> UpdateChat:
    """Make the change that mutes one match more."""
    return UpdateChat(lambda chat: replace(chat, muted_matches=chat.muted_matches | {fixture_id}))


def remove_muted_match(fixture_id: str) -> UpdateChat:
    """Make the change that unmutes one match."""
    return UpdateChat(lambda chat: replace(chat, muted_matches=chat.muted_matches - {fixture_id}))


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
    buttons = []
    for choice in shown:
        sign = "🔕" if context.is_muted(choice.id) else "🔔"
        buttons.append(make_button(f"{sign} {choice.name}", f"mt:{choice.token}:n:{page}:{back}"))
    # The page buttons carry the way back too, after the page.
    pages = [
        tuple(Button(button.label, f"{button.data}:{back}") for button in row)
        for row in make_page_buttons(len(choices), page, "n")
    ]
    return Screen(_choose_match_text(), (*arrange_rows(buttons), *pages, (Button(back_label(), back),)))


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
    return _("<b>Which match shall be silent?</b>\nIt stays so until it is over; everything else is told as before.")


FEATURE = Feature(
    commands={
        "mute": Command(mute, N_("Silence for an hour, or for this match"), changes_settings=True),
        "unmute": Command(unmute, N_("Hear again"), changes_settings=True),
    },
    buttons={
        "q": lambda context, words: mute(context, tuple(words.split())),
        "mm": lambda context, token: _mute_match(context, _find_match(context, token)),
        "mu": unmute_picked,
    },
    toggles={"mt": toggle_match_mute},
    screens={"n": show_mute_screen_page, "mq": lambda context, page: show_matches_to_mute(context, read_page(page))},
)
