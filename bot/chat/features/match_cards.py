"""Match cards: what they are (text, picture or rich message), and whether they are pinned."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from telegram import Bot

from bot.chat.dialogue import (
    Button,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    make_button,
    set_settings,
    update_filter,
)
from bot.chat.parsing.kinds import parse_kind
from bot.chat.routing import Feature
from bot.chat.services import ChatServices
from bot.chat.texts import display_options_label, done_label
from bot.i18n.language import translate as _
from bot.subscribers import AlertFilter, CardForm, Chat
from rules.engine.alert import CARD, PICTURE
from rules.football.names import normalise

_FORM_WORDS = {
    CardForm.TEXT: "text texto texte testo",
    CardForm.PICTURE: "picture image photo bild foto imagen imagem immagine",
    CardForm.RICH: "table rich tabelle tabla tableau tabella tabela",
}
"""What people type for a form, in each language."""

_FORM_BY_WORD = {word: form for form, words in _FORM_WORDS.items() for word in words.split()}

_FILLER_WORDS = frozenset(
    {
        "as", "a", "an", "als", "ein", "eine", "como", "una", "uma", "comme", "un", "une", "come", "in", "en", "em",
        "message", "messages",
    }
)  # fmt: skip
"""Words between the name of match cards and the form."""

_MAX_NAME_WORDS = 3
"""Words of the name of match cards, in the language with the longest."""


def form_name(form: CardForm) -> str:
    """Return the name of a form, for buttons and behind a colon."""
    return {CardForm.TEXT: _("Text"), CardForm.PICTURE: _("Picture"), CardForm.RICH: _("Table")}[form]


def card_form_label(chat: Chat) -> str:
    return _("📋 Match card: {form}").format(form=form_name(chat.card_form))


def parse_card_form(args: Sequence[str], offered: Sequence[str]) -> CardForm | None:
    """Read `card as picture` or `card table`; None if it is something else.

    `card picture` switches on two kinds of alerts: pictures at half time and full time are one too.
    """
    for end in range(1, min(len(args), _MAX_NAME_WORDS + 1)):
        if parse_kind(" ".join(args[:end]).strip(":"), offered) == CARD:
            words = [normalise(word) for word in args[end:]]
            named = [_FORM_BY_WORD[word] for word in words if word in _FORM_BY_WORD]
            others = [word for word in words if word not in _FORM_BY_WORD and word not in _FILLER_WORDS]
            is_kind = named == [CardForm.PICTURE] and words[0] not in _FILLER_WORDS
            return named[0] if len(named) == 1 and not others and not is_kind else None
    return None


def show_card_forms(context: ChatContext, chat: Chat) -> Screen:
    """Show what a match card can be, with the present choice ticked."""
    forms = [form for form in CardForm if form is not CardForm.PICTURE or PICTURE in context.kinds or form is chat.card_form]
    lines = {
        CardForm.TEXT: _("<b>Text</b>: in every app."),
        CardForm.PICTURE: _("<b>Picture</b>: score, goals and cards along the match."),
        CardForm.RICH: _("<b>Table</b>: both teams side by side, and all events behind a tap. Needs an up-to-date Telegram app."),
    }
    choices = tuple(make_button(form_name(form), f"cf:{form.value}", is_chosen=form is chat.card_form) for form in forms)
    html = "\n".join([f"<b>{_('Match card')}</b>", *(lines[form] for form in forms)])
    note = _("The card of a match that is on may stay as it is; the next ones follow your choice.")
    return Screen(f"{html}\n\n{note}", (choices, (Button(display_options_label(), "fs"), Button(done_label(), "done"))))


def press_card_form(context: ChatContext, data: str) -> DialogueResult:
    """Choose the form that a button names."""
    if data not in frozenset(CardForm):
        raise OutdatedButton
    return set_card_form(context, CardForm(data))


def set_card_form(context: ChatContext, form: CardForm) -> DialogueResult:
    """Choose what match cards are. They are switched on with it: a chat that chooses their form wants them."""
    starts_cards = not context.chat.filter.accepts(CARD)

    def switch_on(alert_filter: AlertFilter) -> AlertFilter:
        return replace(alert_filter, kinds_on=alert_filter.kinds_on | {CARD}, kinds_off=alert_filter.kinds_off - {CARD})

    changes = (set_settings(card_form=form), *((update_filter(switch_on),) if starts_cards else ()))
    screen = show_card_forms(context, replace(context.chat, card_form=form))
    return DialogueResult(screen, changes, starts_cards=starts_cards)


async def ask_about_pins(services: ChatServices, bot: Bot, chat: Chat, result: DialogueResult) -> DialogueResult:
    """Ask about pinning in an answer that switched match cards on: before that, the bot does not need the right to pin."""
    if not result.starts_cards:
        return result
    may_pin = await services.permissions.may_pin(bot, chat.ref.chat_id, chat.type)
    return replace(result, screen=ask_to_pin(result.screen, chat, may_pin=may_pin))


def ask_to_pin(screen: Screen, chat: Chat, *, may_pin: bool) -> Screen:
    """Return a screen that switched match cards on, with how they are pinned and a button to change that.

    `may_pin` is False if the bot lacks the right.
    """
    if not chat.pins_cards:
        html = _("📌 Match cards are not pinned.")
    elif may_pin:
        html = _("📌 Match cards are pinned during the match.")
    else:
        html = _("📌 To pin match cards, I need the right to pin messages. Without it, cards still come.")
    label = _("📌 Don't pin") if chat.pins_cards else _("📌 Pin match cards")
    rows: tuple[tuple[Button, ...], ...] = ((Button(label, "f:pins"),),)
    # On the screen of the forms itself they stand below.
    if not any(button.data.startswith("cf:") for row in screen.buttons for button in row):
        rows = (*rows, (Button(card_form_label(chat), "cs"),))
    # The screen of the options, where the pin stays.
    return replace(screen, html=f"{screen.html}\n{html}", buttons=(*rows, *screen.buttons))


FEATURE = Feature(
    buttons={"cf": press_card_form},
    screens={"cs": lambda context, _: show_card_forms(context, context.chat)},
)
