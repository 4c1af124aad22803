"""The screen of the display options (buttons, spoilers, digests, pins, mentions, scorers), and `/spoilers`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from msgspec.structs import replace
from telegram.constants import ChatType

from bot.chat.dialogue import (
    CHOSEN_SIGN,
    UNCHOSEN_SIGN,
    Button,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    UpdateChat,
    make_button,
    make_closing_row,
    set_settings,
    update_filter,
)
from bot.chat.features.match_cards import card_form_label
from bot.chat.parsing.plain_words import parse_on_off
from bot.chat.routing import Command, Feature
from bot.chat.texts import back_to_kinds_label, done_label, scorers_only_label
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import Chat
from bot.telegram.mentions import KICK_OFF
from rules.engine.alert import CARD


class DisplayOption(NamedTuple):
    """A setting of the chat that is on or off."""

    label: Callable[[], str]
    is_on: Callable[[Chat], bool]
    switch: Callable[[bool], UpdateChat]


# The names stand in the data of buttons that were sent, and must not change.
DISPLAY_OPTIONS = {
    "buttons": DisplayOption(
        lambda: _("Buttons under alerts"), lambda chat: chat.mute_button, lambda on: set_settings(mute_button=on)
    ),
    "spoilers": DisplayOption(
        lambda: _("Hide scores behind spoilers"), lambda chat: chat.spoilers, lambda on: set_settings(spoilers=on)
    ),
    "bursts": DisplayOption(
        lambda: _("Combine simultaneous alerts"), lambda chat: chat.digests, lambda on: set_settings(digests=on)
    ),
    "pins": DisplayOption(lambda: _("Pin match cards"), lambda chat: chat.pins_cards, lambda on: set_settings(pins_cards=on)),
    "mentions": DisplayOption(
        lambda: _("“Mention me” at kick-off"), lambda chat: chat.mentions, lambda on: _switch_mentions(on=on)
    ),
    "waits": DisplayOption(
        lambda: _("Wait for confirmation"),
        lambda chat: chat.filter.confirmed_only,
        lambda on: update_filter(lambda alert_filter: replace(alert_filter, confirmed_only=on)),
    ),
    "scorers": DisplayOption(
        scorers_only_label,
        lambda chat: chat.filter.scorers_only,
        lambda on: update_filter(lambda alert_filter: replace(alert_filter, scorers_only=on)),
    ),
}


def _switch_mentions(*, on: bool) -> UpdateChat:
    """Let members ask to be mentioned. The button stands under the kick-off, so its alert is switched on too."""

    def change(chat: Chat) -> Chat:
        kinds = replace(chat.filter, kinds_on=chat.filter.kinds_on | {KICK_OFF}, kinds_off=chat.filter.kinds_off - {KICK_OFF})
        return replace(chat, mentions=on, filter=kinds if on else chat.filter)

    return UpdateChat(change)


def show_display_options(context: ChatContext, chat: Chat) -> Screen:
    """Show every option, ticked if it is on."""
    is_offered = {
        # Alerts in a channel never have the mute button.
        "buttons": chat.type != ChatType.CHANNEL,
        # Only a group has members to mention.
        "mentions": chat.type in (ChatType.GROUP, ChatType.SUPERGROUP),
        # Without cards there is nothing to pin.
        "pins": chat.filter.accepts(CARD),
    }
    offered = {name: option for name, option in DISPLAY_OPTIONS.items() if is_offered.get(name, True)}
    # With no card there is no form to choose.
    cards = ((Button(card_form_label(chat), "cs"),),) if chat.filter.accepts(CARD) else ()
    rows = [(make_button(option.label(), f"f:{name}", is_chosen=option.is_on(chat)),) for name, option in offered.items()]
    html = _("<b>⚙ Options</b>\nTap to switch on and off.")
    return Screen(html, (*rows, *cards, (Button(back_to_kinds_label(), "ks"), Button(done_label(), "done"))))


def toggle_display_option(context: ChatContext, name: str) -> DialogueResult:
    """Switch one option on or off."""
    option = DISPLAY_OPTIONS.get(name)
    if option is None:
        raise OutdatedButton
    # The switch is set to the opposite of what the person saw, not of what is stored by then: two administrators who both press
    # it at the same moment want the same.
    is_on = not option.is_on(context.chat)
    update, note = option.switch(is_on), f"{CHOSEN_SIGN if is_on else UNCHOSEN_SIGN} {option.label()}"
    return DialogueResult(show_display_options(context, update.change(context.chat)), (update,), note)


def set_spoilers(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/spoilers [on | off]`: hide scores until they are tapped; without arguments, a button to the other setting."""
    # What was typed was neither on nor off: it is not guessed.
    is_on = parse_on_off(" ".join(args)) if args else None
    if is_on is None:
        return DialogueResult(show_spoilers(context))
    if is_on:
        html = _("🙈 Spoiler mode on: tap an alert to reveal it. All come without sound, so none gives anything away.")
    else:
        html = _("Spoiler mode off.")
    undo = (Button(_("↩ Undo"), f"g:{'off' if is_on else 'on'}"),) if is_on != context.chat.spoilers else ()
    buttons = (*((undo,) if undo else ()), make_closing_row())
    return DialogueResult(Screen(html, buttons), (set_settings(spoilers=is_on),))


def show_spoilers(context: ChatContext) -> Screen:
    """Show whether scores are hidden, with a button to the other setting."""
    if context.chat.spoilers:
        html, button = _("🙈 Scores are hidden until they are tapped."), Button(_("Show scores"), "g:off")
    else:
        html = _("Scores are not hidden. Spoiler mode hides them until they are tapped.")
        button = Button(_("🙈 Hide scores"), "g:on")
    return Screen(html, ((button,), make_closing_row()))


FEATURE = Feature(
    commands={"spoilers": Command(set_spoilers, N_("Hide scores (spoiler mode)"), changes_settings=True)},
    buttons={"f": toggle_display_option, "g": lambda context, word: set_spoilers(context, (word,))},
    screens={
        "fs": lambda context, _: show_display_options(context, context.chat),
        "gs": lambda context, _: show_spoilers(context),
    },
)
