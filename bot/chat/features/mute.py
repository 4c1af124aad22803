"""`/mute`, `/unmute` and the mute screens."""

from __future__ import annotations

import datetime as dt

from msgspec.structs import replace

from bot.chat import texts
from bot.chat.catalogue import Choice, has_ended
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
    make_page_buttons,
    read_page,
    select_page,
)
from bot.chat.routing import Command, Feature, ShowScreen
from bot.chat.texts import escape_text
from bot.i18n.language import format_hours
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import Chat, Scope
from rules.loading.values import parse_duration

_MAX_LISTED_MUTES = 30
"""Mutes that are listed; what else there is ends by itself, or all together."""


def mute_match(context: ChatContext) -> DialogueResult:
    """`/mute match`: the match in play that the chat follows, or buttons where there are several."""
    heard = _find_matches_to_mute(context)
    if not heard:
        return DialogueResult(Screen(no_match_to_mute_text()))
    return _mute_choice(context, heard[0]) if len(heard) == 1 else DialogueResult(choose_match_to_mute(context))


def choose_match_to_mute(context: ChatContext, page: int = 0) -> Screen:
    """The matches in play that the chat follows, a tap away from being silent."""
    heard = _find_matches_to_mute(context)
    page, shown = select_page(heard, page)
    taps = arrange_rows([make_button(choice.name, f"mm:{choice.token}") for choice in shown])
    return Screen(choose_match_text(), (*taps, *make_page_buttons(len(heard), page, "mq")))


def mute_picked_match(context: ChatContext, token: str) -> DialogueResult:
    """A match was tapped to be muted."""
    return _mute_choice(context, _find_match(context, token))


def unmute(context: ChatContext, said: tuple[str, ...]) -> DialogueResult:
    """`/unmute [all]`: end the one thing that is muted, or ask which."""
    if " ".join(said).casefold() == "all" or not list_mute_buttons(context):
        return _unmute_all(context)
    whole, *others = list_mute_buttons(context)
    if not others:
        return unmute_picked(context, whole.data.removeprefix("mu:"))
    return DialogueResult(
        Screen(
            muted_list_text(),
            arrange_rows([*list_mute_buttons(context)[:_MAX_LISTED_MUTES], Button(unmute_all_label(), "mu:all")]),
        )
    )


def unmute_picked(context: ChatContext, what: str) -> DialogueResult:
    """Something muted was tapped."""
    if what == "all":
        return _unmute_all(context)
    if what == "chat":
        return DialogueResult(Screen(chat_unmuted_text()), (UpdateChat(replace(context.chat, muted_until=None)),))
    choice = _find_match(context, what)
    return DialogueResult(Screen(match_unmuted_text(choice.name)), (UpdateChat(remove_muted_match(context.chat, choice.id)),))


def list_mute_buttons(context: ChatContext) -> tuple[Button, ...]:
    """What is muted now, as buttons that end it: the whole chat first, then matches that are not over."""
    until = context.chat.muted_until
    whole = (make_button(whole_chat_label(context.format_until(until)), "mu:chat"),) if until and until > context.now else ()
    matches = (choice for choice in context.catalogue.list_upcoming(context.now) if context.is_muted(choice.id))
    return (*whole, *(make_button(choice.name, f"mu:{choice.token}") for choice in matches))


def add_muted_match(chat: Chat, fixture_id: str) -> Chat:
    """The chat, hearing no news of a match."""
    return replace(chat, muted_matches=chat.muted_matches | {fixture_id})


def remove_muted_match(chat: Chat, fixture_id: str) -> Chat:
    """The chat, hearing a match again."""
    return replace(chat, muted_matches=chat.muted_matches - {fixture_id})


def _find_matches_to_mute(context: ChatContext) -> list[Choice]:
    """The matches in play that the chat follows and has not muted; all of them where it has muted each."""
    playing = [choice for choice in context.catalogue.matches if _is_followed_in_play(context, choice)]
    return [choice for choice in playing if choice.id not in context.chat.muted_matches] or playing


def _mute_choice(context: ChatContext, choice: Choice) -> DialogueResult:
    return DialogueResult(Screen(match_muted_text(choice.name)), (UpdateChat(add_muted_match(context.chat, choice.id)),))


def _unmute_all(context: ChatContext) -> DialogueResult:
    nothing = not list_mute_buttons(context)
    chat = replace(context.chat, muted_until=None, muted_matches=frozenset())
    return (
        DialogueResult(Screen(not_muted_text())) if nothing else DialogueResult(Screen(chat_unmuted_text()), (UpdateChat(chat),))
    )


def _is_followed_in_play(context: ChatContext, choice: Choice) -> bool:
    fixture = choice.fixture
    if fixture is None or has_ended(fixture, context.now) or not context.is_in_play(fixture):
        return False
    return context.is_covered(fixture)


_MUTE_HORIZON = dt.timedelta(days=1)
"""Later matches can be muted once they are near."""


def show_mute_screen(context: ChatContext, page: int, back: str) -> Screen:
    """The matches that the chat follows, in play or within a day, each marked where it is muted."""
    ours = [
        choice
        for choice in context.catalogue.list_upcoming(context.now)
        if is_match_near(context, choice) or context.is_muted(choice.id)
    ]
    page, shown = select_page(ours, page)
    taps = [make_button(_match_mute_label(context, choice), f"mt:{choice.token}:n:{page}:{back}") for choice in shown]
    turn = [Button(b.label, f"{b.data}:{back}") for row in make_page_buttons(len(ours), page, "n") for b in row]
    return Screen(
        choose_match_text(), (*arrange_rows(taps), *((tuple(turn),) if turn else ()), (Button(texts.back_label(), back),))
    )


def show_mute_screen_page(context: ChatContext, rest: str) -> Screen:
    """The page that button data names."""
    page, _, back = rest.partition(":")
    if not back.startswith(("v:", "d:")):
        raise OutdatedButton
    return show_mute_screen(context, read_page(page), back)


def _find_match(context: ChatContext, token: str) -> Choice:
    """Return the match that a token names. Raise OutdatedButton if it is not known any more."""
    choice = context.catalogue.find(token)
    if choice is None or choice.scope is not Scope.MATCH:
        raise OutdatedButton
    return choice


def toggle_match_mute(context: ChatContext, rest: str, show_screen: ShowScreen) -> DialogueResult:
    """A match was tapped: silent until it is over, or heard again."""
    token, _, back = rest.partition(":")
    choice = _find_match(context, token)
    if choice.fixture and has_ended(choice.fixture, context.now):
        raise OutdatedButton
    silent = context.is_muted(choice.id)
    chat = (remove_muted_match if silent else add_muted_match)(context.chat, choice.id)
    return DialogueResult(show_screen(replace(context, chat=chat), back), (UpdateChat(chat),))


def is_match_near(context: ChatContext, choice: Choice) -> bool:
    """Tell whether the chat follows a match that is in play or begins within a day."""
    fixture = choice.fixture
    if (
        fixture is None
        or has_ended(fixture, context.now)
        or (fixture.kickoff is not None and fixture.kickoff > context.now + _MUTE_HORIZON)
    ):
        return False
    return context.is_covered(fixture)


def _match_mute_label(context: ChatContext, choice: Choice) -> str:
    return f"🔕 {choice.name}" if context.is_muted(choice.id) else f"🔔 {choice.name}"


def choose_match_text() -> str:
    return _("<b>Which match shall be silent?</b>\nIt stays so until it is over; everything else is told as before.")


def match_muted_text(name: str) -> str:
    text = _("🔇 <b>{match}</b> is muted until it is over; other matches are told as before. /unmute ends it.")
    return text.format(match=escape_text(name))


def match_unmuted_text(name: str) -> str:
    return _("🔔 <b>{match}</b> is heard again.").format(match=escape_text(name))


def muted_list_text() -> str:
    return _("<b>This is muted here.</b>\nTap what shall be heard again.")


def whole_chat_label(until: str) -> str:
    return _("Everything, until {time}").format(time=until)


def unmute_all_label() -> str:
    return _("🔔 All of it")


_ON_OFF = {"on": True, "off": False}

_MAX_MUTE = dt.timedelta(days=365)


def mute(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/mute [1h | match | buttons on | buttons off]`."""
    wanted = " ".join(args).casefold()
    if wanted == "match":
        return mute_match(context)
    return set_mute_button(context, wanted) or mute_chat(context, wanted)


def mute_chat(context: ChatContext, wanted: str) -> DialogueResult:
    """`/mute [1h]`: nothing at all until then."""
    if not wanted:
        return DialogueResult(Screen(choose_mute_text(), (_mute_duration_buttons(),)))
    span = _parse_mute_duration(wanted)
    if span is None:
        return DialogueResult(Screen(not_a_duration_text(wanted)))
    if span > _MAX_MUTE:
        return DialogueResult(Screen(mute_too_long_text()))
    until = context.now + span
    return DialogueResult(
        Screen(chat_muted_text(context.format_until(until))),
        (UpdateChat(replace(context.chat, muted_until=until)),),
    )


def set_mute_button(context: ChatContext, wanted: str) -> DialogueResult | None:
    """`/mute buttons on | off`; None for anything else."""
    what, _, how = wanted.partition(" ")
    on = _ON_OFF.get(how.strip()) if what == "buttons" else None
    if on is None:
        return None
    return DialogueResult(
        Screen(mute_button_on_text() if on else mute_button_off_text()), (UpdateChat(replace(context.chat, buttons=on)),)
    )


def _mute_duration_buttons() -> ButtonRow:
    named = (format_hours(1), "1h"), (format_hours(3), "3h"), (this_match_label(), "match")
    return tuple(Button(label, f"q:{data}") for label, data in named)


def _parse_mute_duration(wanted: str) -> dt.timedelta | None:
    try:
        return parse_duration(wanted) or None
    except ValueError:
        return None


def choose_mute_text() -> str:
    return _("<b>Silence for how long?</b>\nOr send <code>/mute 45m</code>. What comes meanwhile is not told later.")


def this_match_label() -> str:
    return _("This match")


def no_match_to_mute_text() -> str:
    return _("No match that this chat follows is being played. <code>/mute 2h</code> works at any time.")


def chat_unmuted_text() -> str:
    return _("This chat hears again.")


def not_muted_text() -> str:
    return _("This chat is not muted. /mute changes that.")


def not_a_duration_text(wanted: str) -> str:
    text = _("“{time}” is no time that I understand. Try <code>/mute 1h</code> or <code>/mute match</code>.")
    return text.format(time=escape_text(wanted))


def mute_too_long_text() -> str:
    return _("That is too long: the longest is <code>/mute 365d</code>, and /unmute ends it.")


def chat_muted_text(until: str) -> str:
    text = _("🔇 This chat is muted until {time}. /unmute ends it; what comes meanwhile is not told later.")
    return text.format(time=escape_text(until))


def mute_button_on_text() -> str:
    return _("There is a button under each alert from now on.")


def mute_button_off_text() -> str:
    return _("Alerts come without a button from now on. <code>/mute buttons on</code> brings it back.")


FEATURE = Feature(
    commands={
        "mute": Command(mute, N_("Silence for an hour, or for this match"), changes_settings=True),
        "unmute": Command(unmute, N_("Hear again"), changes_settings=True),
    },
    buttons={
        "q": lambda context, rest: mute(context, tuple(rest.split())),
        "mm": mute_picked_match,
        "mu": unmute_picked,
    },
    toggles={"mt": toggle_match_mute},
    screens={"n": show_mute_screen_page, "mq": lambda context, page: choose_match_to_mute(context, read_page(page))},
)
