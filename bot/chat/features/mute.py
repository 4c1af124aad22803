"""`/mute`, `/unmute` and the mute screens."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from msgspec.structs import replace

from bot.chat import texts
from bot.chat.catalogue import Choice, has_ended
from bot.chat.dialogue import (
    Button,
    ButtonRow,
    ChatContext,
    DialogueResult,
    Screen,
    UpdateChat,
    arrange_rows,
    format_until_for,
    is_in_play,
    make_button,
    make_page_buttons,
    select_page,
)
from bot.chat.texts import escape_text
from bot.i18n.language import format_hours
from bot.i18n.language import translate as _
from bot.subscribers import Chat, Scope, covers
from rules.loading.values import parse_duration

_MAX_LISTED_MUTES = 30
"""Mutes that are listed; what else there is ends by itself, or all together."""


def mute_match(view: ChatContext) -> DialogueResult:
    """`/mute match`: the match in play that the chat follows, or buttons where there are several."""
    heard = _find_matches_to_mute(view)
    if not heard:
        return DialogueResult(Screen(no_match_to_mute_text()))
    return _mute_choice(view, heard[0]) if len(heard) == 1 else DialogueResult(choose_match_to_mute(view))


def choose_match_to_mute(view: ChatContext, page: int = 0) -> Screen:
    """The matches in play that the chat follows, a tap away from being silent."""
    heard = _find_matches_to_mute(view)
    page, shown = select_page(heard, page)
    taps = arrange_rows([make_button(choice.name, f"mm:{choice.token}") for choice in shown])
    return Screen(choose_match_text(), (*taps, *make_page_buttons(len(heard), page, "mq")))


def show_match_choice_page(view: ChatContext, page: str) -> Screen | None:
    """The page that button data names; None for data that names none."""
    return choose_match_to_mute(view, int(page)) if page.isdecimal() else None


def mute_picked_match(view: ChatContext, token: str) -> DialogueResult | None:
    """A match was tapped to be muted; None when it is not known any more."""
    choice = view.guide.choice(token)
    return _mute_choice(view, choice) if choice and choice.scope is Scope.MATCH else None


def unmute(view: ChatContext, said: tuple[str, ...]) -> DialogueResult:
    """`/unmute [all]`: end the one thing that is muted, or ask which."""
    if " ".join(said).casefold() == "all" or not list_mute_buttons(view):
        return _unmute_all(view)
    whole, *others = list_mute_buttons(view)
    if not others:
        return unmute_picked(view, whole.data.removeprefix("mu:")) or _unmute_all(view)
    return DialogueResult(
        Screen(
            muted_list_text(), arrange_rows([*list_mute_buttons(view)[:_MAX_LISTED_MUTES], Button(unmute_all_label(), "mu:all")])
        )
    )


def unmute_picked(view: ChatContext, what: str) -> DialogueResult | None:
    """Something muted was tapped; None when it is not known any more."""
    if what == "all":
        return _unmute_all(view)
    if what == "chat":
        return DialogueResult(Screen(chat_unmuted_text()), (UpdateChat(replace(view.chat, muted_until=None)),))
    choice = view.guide.choice(what)
    if choice is None or choice.scope is not Scope.MATCH:
        return None
    return DialogueResult(Screen(match_unmuted_text(choice.name)), (UpdateChat(remove_muted_match(view.chat, choice.id)),))


def list_mute_buttons(view: ChatContext) -> tuple[Button, ...]:
    """What is muted now, as buttons that end it: the whole chat first, then matches that are not over."""
    until = view.chat.muted_until
    whole = (make_button(whole_chat_label(format_until_for(view, until)), "mu:chat"),) if until and until > view.now else ()
    matches = (choice for choice in view.guide.upcoming(view.now) if choice.id in view.chat.muted_matches)
    return (*whole, *(make_button(choice.name, f"mu:{choice.token}") for choice in matches))


def add_muted_match(chat: Chat, fixture_id: str) -> Chat:
    """The chat, hearing no news of a match."""
    return replace(chat, muted_matches=chat.muted_matches | {fixture_id})


def remove_muted_match(chat: Chat, fixture_id: str) -> Chat:
    """The chat, hearing a match again."""
    return replace(chat, muted_matches=chat.muted_matches - {fixture_id})


def _find_matches_to_mute(view: ChatContext) -> list[Choice]:
    """The matches in play that the chat follows and has not muted; all of them where it has muted each."""
    playing = [choice for choice in view.guide.matches if _is_followed_in_play(view, choice)]
    return [choice for choice in playing if choice.id not in view.chat.muted_matches] or playing


def _mute_choice(view: ChatContext, choice: Choice) -> DialogueResult:
    return DialogueResult(Screen(match_muted_text(choice.name)), (UpdateChat(add_muted_match(view.chat, choice.id)),))


def _unmute_all(view: ChatContext) -> DialogueResult:
    nothing = not list_mute_buttons(view)
    chat = replace(view.chat, muted_until=None, muted_matches=frozenset())
    return (
        DialogueResult(Screen(not_muted_text())) if nothing else DialogueResult(Screen(chat_unmuted_text()), (UpdateChat(chat),))
    )


def _is_followed_in_play(view: ChatContext, choice: Choice) -> bool:
    fixture = choice.fixture
    if fixture is None or has_ended(fixture, view.now) or not is_in_play(view, fixture):
        return False
    return any(covers(subscription, fixture) for subscription in view.subscriptions)


_MUTE_HORIZON = dt.timedelta(days=1)
"""Later matches can be muted once they are near."""

DrawScreen = Callable[[ChatContext, str], Screen | None]


def show_mute_screen(view: ChatContext, page: int, back: str) -> Screen:
    """The matches that the chat follows, in play or within a day, each marked where it is muted."""
    ours = [
        choice for choice in view.guide.upcoming(view.now) if is_match_near(view, choice) or choice.id in view.chat.muted_matches
    ]
    page, shown = select_page(ours, page)
    taps = [make_button(_match_mute_label(view, choice), f"mt:{choice.token}:n:{page}:{back}") for choice in shown]
    turn = [Button(b.label, f"{b.data}:{back}") for row in make_page_buttons(len(ours), page, "n") for b in row]
    return Screen(
        choose_match_text(), (*arrange_rows(taps), *((tuple(turn),) if turn else ()), (Button(texts.back_label(), back),))
    )


def show_mute_screen_page(view: ChatContext, rest: str) -> Screen | None:
    """The page that button data names; None for data that names none."""
    page, _, back = rest.partition(":")
    return show_mute_screen(view, int(page), back) if page.isdecimal() and back.startswith(("v:", "d:")) else None


def toggle_match_mute(view: ChatContext, rest: str, draw: DrawScreen) -> DialogueResult | None:
    """A match was tapped: silent until it is over, or heard again; None when it is not known any more."""
    token, _, back = rest.partition(":")
    choice = view.guide.choice(token)
    if choice is None or choice.scope is not Scope.MATCH or (choice.fixture and has_ended(choice.fixture, view.now)):
        return None
    silent = choice.id in view.chat.muted_matches
    chat = (remove_muted_match if silent else add_muted_match)(view.chat, choice.id)
    reply = draw(replace(view, chat=chat), back)
    return DialogueResult(reply, (UpdateChat(chat),)) if reply else None


def is_match_near(view: ChatContext, choice: Choice) -> bool:
    """Tell whether the chat follows a match that is in play or begins within a day."""
    fixture = choice.fixture
    if (
        fixture is None
        or has_ended(fixture, view.now)
        or (fixture.kickoff is not None and fixture.kickoff > view.now + _MUTE_HORIZON)
    ):
        return False
    return any(covers(subscription, fixture) for subscription in view.subscriptions)


def _match_mute_label(view: ChatContext, choice: Choice) -> str:
    return f"🔕 {choice.name}" if choice.id in view.chat.muted_matches else f"🔔 {choice.name}"


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


_MAX_MUTE = dt.timedelta(days=365)


def mute(view: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    """`/mute [1h]`: nothing at all until then; `/mute match` is another dialogue."""
    wanted = " ".join(words).casefold()
    if not wanted:
        return DialogueResult(Screen(choose_mute_text(), (_mute_duration_buttons(),)))
    span = _parse_mute_duration(wanted)
    if span is None:
        return DialogueResult(Screen(not_a_duration_text(wanted)))
    if span > _MAX_MUTE:
        return DialogueResult(Screen(mute_too_long_text()))
    until = view.now + span
    return DialogueResult(
        Screen(chat_muted_text(format_until_for(view, until))), (UpdateChat(replace(view.chat, muted_until=until)),)
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
