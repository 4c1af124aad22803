"""`/language`."""

from __future__ import annotations

from babel import Locale
from msgspec.structs import replace

from bot.chat.dialogue import ChatContext, DialogueResult, OutdatedButton, Screen, UpdateChat, arrange_rows, make_button
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text
from bot.i18n.language import ENGLISH, use_language
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from rules.engine.text import LANGUAGES
from rules.football.names import normalise

AUTO = "auto"


def set_language(context: ChatContext, said: tuple[str, ...]) -> DialogueResult:
    """`/language [code | name | auto]`; without words, buttons."""
    wanted = " ".join(said)
    if not wanted:
        return DialogueResult(_offer_languages(context))
    code = _parse_language(wanted)
    if code == AUTO and not _is_private(context):
        return DialogueResult(replace(_offer_languages(context), html=auto_is_private_text()))
    return (
        _save_language(context, code)
        if code
        else DialogueResult(replace(_offer_languages(context), html=unknown_language_text(wanted)))
    )


def set_picked_language(context: ChatContext, code: str) -> DialogueResult:
    """A language was tapped."""
    if code not in LANGUAGES and not (code == AUTO and _is_private(context)):
        raise OutdatedButton
    return _save_language(context, code)


def _save_language(context: ChatContext, code: str) -> DialogueResult:
    """Said in the new language; what speaks as Telegram does is learnt from it again."""
    chosen = code != AUTO
    spoken = code if chosen else context.user_language or ENGLISH
    chat = replace(context.chat, language=spoken, language_chosen=chosen)
    with use_language(spoken):
        html = language_set_text() if chosen else telegram_language_text()
        return DialogueResult(replace(_offer_languages(replace(context, chat=chat)), html=html), (UpdateChat(chat),))


def _offer_languages(context: ChatContext) -> Screen:
    """Every language in its own words, the one that is spoken ticked."""
    now = context.chat.language if context.chat.language_chosen or not _is_private(context) else AUTO
    named = [make_button(name, f"lang:{code}", is_chosen=code == now) for code, name in LANGUAGES.items()]
    auto = [make_button(telegram_language_label(), f"lang:{AUTO}", is_chosen=now == AUTO)] if _is_private(context) else []
    return Screen(choose_language_text(), (*arrange_rows(named, 2), *arrange_rows(auto)))


def _parse_language(wanted: str) -> str:
    """The code of a language that is named by it, in its own words or in English; empty for one that the bot does not speak."""
    names = {normalise(name): code for code, own in LANGUAGES.items() for name in (code, own, _english_name(code))}
    return AUTO if normalise(wanted) == AUTO else names.get(normalise(wanted), "")


def _english_name(code: str) -> str:
    return Locale(code).get_display_name(ENGLISH) or code


def _is_private(context: ChatContext) -> bool:
    return context.chat.kind == "private"


def choose_language_text() -> str:
    return _("<b>Which language shall I speak here?</b>")


def language_set_text() -> str:
    # Translators: name your own language in the place of English.
    return _("🌍 I speak English here now.")


def telegram_language_label() -> str:
    return _("As your Telegram does")


def telegram_language_text() -> str:
    return _("🌍 I speak the language of your Telegram here, where I know it.")


def unknown_language_text(wanted: str) -> str:
    return _("I do not speak “{name}”. I speak these:").format(name=escape_text(wanted))


def auto_is_private_text() -> str:
    return _("Only in a private chat can I speak as your Telegram does. Which language shall it be here?")


FEATURE = Feature(
    commands={"language": Command(set_language, N_("In which language I speak here"), changes_settings=True)},
    buttons={"lang": set_picked_language},
)
