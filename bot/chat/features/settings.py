"""`/settings` and `/spoilers`: mute button, spoilers, digests, scorers only."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from bot.chat import texts
from bot.chat.dialogue import Button, ChatContext, DialogueResult, OutdatedButton, Screen, UpdateChat, make_button
from bot.chat.routing import Command, Feature
from bot.chat.texts import back_to_kinds_label, scorers_only_label
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import Chat


def mute_button_label() -> str:
    return _("Buttons under alerts")


def spoilers_label() -> str:
    return _("Hide scores behind spoilers")


def digests_label() -> str:
    return _("Group news of several matches")


DISPLAY_OPTIONS: dict[str, Callable[[], str]] = {
    "buttons": mute_button_label,
    "spoilers": spoilers_label,
    "bursts": digests_label,
    "scorers": scorers_only_label,
}
"""By setting of the chat, its label."""

_ON_OFF = {"on": True, "off": False}


def show_display_options(context: ChatContext, chat: Chat) -> Screen:
    """Every switch, ticked where it is on; a channel has no buttons to speak of."""
    names = [name for name in DISPLAY_OPTIONS if name != "buttons" or chat.kind != "channel"]
    switches = tuple((make_button(DISPLAY_OPTIONS[name](), f"f:{name}", is_chosen=getattr(chat, name)),) for name in names)
    return Screen(display_options_text(), (*switches, (Button(back_to_kinds_label(), "ks"), Button(texts.done_label(), "done"))))


def toggle_display_option(context: ChatContext, name: str) -> DialogueResult:
    """One switch was tapped."""
    if name not in DISPLAY_OPTIONS:
        raise OutdatedButton
    chat = replace(context.chat, **{name: not getattr(context.chat, name)})
    return DialogueResult(show_display_options(context, chat), (UpdateChat(chat),))


def set_spoilers(context: ChatContext, said: tuple[str, ...]) -> DialogueResult:
    """`/spoilers [on | off]`: hide scores until they are tapped, or no longer."""
    on = _ON_OFF.get(" ".join(said).casefold())
    if on is None:
        row = (Button(show_scores_label(), "g:off") if context.chat.spoilers else Button(hide_scores_label(), "g:on"),)
        return DialogueResult(Screen(spoilers_status_text(on=context.chat.spoilers), (row,)))
    chat = replace(context.chat, spoilers=on)
    return DialogueResult(Screen(spoilers_on_text() if on else spoilers_off_text()), (UpdateChat(chat),))


def display_options_text() -> str:
    return _("<b>How do alerts come to this chat?</b>\nTap to switch on and off.")


def spoilers_on_text() -> str:
    return _("🙈 What happened is hidden here from now on; a tap on it shows it. <code>/spoilers off</code> ends that.")


def spoilers_off_text() -> str:
    return _("Nothing is hidden here any more.")


def spoilers_status_text(*, on: bool) -> str:
    if on:
        return _("🙈 Scores are hidden here until they are tapped.")
    return _("Scores are not hidden here. <code>/spoilers on</code> hides them until they are tapped.")


def hide_scores_label() -> str:
    return _("🙈 Hide scores")


def show_scores_label() -> str:
    return _("Show scores")


FEATURE = Feature(
    commands={"spoilers": Command(set_spoilers, N_("Hide scores until they are tapped"), changes_settings=True)},
    buttons={"f": toggle_display_option, "g": lambda context, rest: set_spoilers(context, (rest,))},
    screens={"fs": lambda context, _: show_display_options(context, context.chat)},
)
