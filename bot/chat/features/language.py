"""`/language`."""

from __future__ import annotations

from msgspec.structs import replace
from telegram.constants import ChatType

from bot.chat.dialogue import (
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    arrange_rows,
    make_button,
    make_closing_row,
    set_settings,
)
from bot.chat.parsing.plain_words import parse_language
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text
from bot.i18n.language import CHOICES, ENGLISH, use_language
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from rules.football.names import normalise

AUTO = "auto"
"""The language of the user's Telegram app. For private chats only: elsewhere there are many users."""


def set_language(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/language [code | name | auto]`; without arguments, buttons."""
    typed = " ".join(args)
    if not typed:
        return DialogueResult(_offer_languages(context))
    # Also by the name that the language has for itself, since who cannot read English types that; and "in German".
    code = AUTO if normalise(typed) == AUTO else parse_language(typed) or parse_language(" ".join(args[1:]))
    if not code:
        html = _("I don't speak “{name}”. Choose one of these:").format(name=escape_text(typed))
        return DialogueResult(replace(_offer_languages(context), html=html))
    if code == AUTO and not _is_private(context):
        html = _("I can follow your Telegram's language in a private chat only. Which language should I use here?")
        return DialogueResult(replace(_offer_languages(context), html=html))
    return _save_language(context, code)


def set_picked_language(context: ChatContext, code: str) -> DialogueResult:
    """Set the language that was tapped."""
    if code not in CHOICES and not (code == AUTO and _is_private(context)):
        raise OutdatedButton
    return _save_language(context, code)


def _save_language(context: ChatContext, code: str) -> DialogueResult:
    is_chosen = code != AUTO
    # A language of the app that the bot does not speak comes as English already.
    language = code if is_chosen else context.user_language or ENGLISH
    update = set_settings(language=language, language_chosen=is_chosen)
    # The answer is the first text in the new language.
    with use_language(language):
        html = (
            # Translators: name your own language in the place of English.
            _("🌍 Language: English") if is_chosen else _("🌍 Language: the same as your Telegram, where I speak it.")
        )
        screen = replace(_offer_languages(replace(context, chat=update.change(context.chat))), html=html)
    return DialogueResult(screen, (update,))


def _offer_languages(context: ChatContext) -> Screen:
    """Show every language under its own name, the current one ticked."""
    current = context.chat.language if context.chat.language_chosen or not _is_private(context) else AUTO
    buttons = [make_button(name, f"lang:{code}", is_chosen=code == current) for code, name in CHOICES.items()]
    auto = [make_button(_("Same as Telegram"), f"lang:{AUTO}", is_chosen=current == AUTO)] if _is_private(context) else []
    return Screen(_("<b>🌍 Language</b>"), (*arrange_rows(buttons, 2), *arrange_rows(auto), make_closing_row()))


def _is_private(context: ChatContext) -> bool:
    return context.chat.type == ChatType.PRIVATE


FEATURE = Feature(
    commands={"language": Command(set_language, N_("Change language"), changes_settings=True)},
    buttons={"lang": set_picked_language},
    screens={"ls": lambda context, _: _offer_languages(context)},
)
