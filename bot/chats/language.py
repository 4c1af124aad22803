"""The dialogue of /language: in which language a chat is spoken to. Pure.

Button data: `lang:CODE`, or `lang:auto` to speak as the user's Telegram does.
"""

from __future__ import annotations

from babel import Locale
from msgspec.structs import replace

from bot.chats import language_words as words
from bot.chats.keyboards import button, rows
from bot.chats.reply import Reply, Settle, Turn, View
from bot.languages.speaking import ENGLISH, LANGUAGES, speaking
from rules.fold import fold

AUTO = "auto"


def language(view: View, said: tuple[str, ...]) -> Turn:
    """`/language [code | name | auto]`; without words, buttons."""
    wanted = " ".join(said)
    if not wanted:
        return Turn(_offered(view))
    code = _meant(wanted)
    if code == AUTO and not _private(view):
        return Turn(replace(_offered(view), html=words.auto_is_private()))
    return _settled(view, code) if code else Turn(replace(_offered(view), html=words.unknown(wanted)))


def picked(view: View, code: str) -> Turn | None:
    """A language was tapped; None for what is none."""
    return _settled(view, code) if code in LANGUAGES or (code == AUTO and _private(view)) else None


def _settled(view: View, code: str) -> Turn:
    """Said in the new language; what speaks as Telegram does is learnt from it again."""
    chosen = code != AUTO
    spoken = code if chosen else view.theirs or ENGLISH
    chat = replace(view.chat, language=spoken, language_chosen=chosen)
    with speaking(spoken):
        html = words.chosen() if chosen else words.goes_after_telegram()
        return Turn(replace(_offered(replace(view, chat=chat)), html=html), (Settle(chat),))


def _offered(view: View) -> Reply:
    """Every language in its own words, the one that is spoken ticked."""
    now = view.chat.language if view.chat.language_chosen or not _private(view) else AUTO
    named = [button(name, f"lang:{code}", ticked=code == now) for code, name in LANGUAGES.items()]
    auto = [button(words.theirs(), f"lang:{AUTO}", ticked=now == AUTO)] if _private(view) else []
    return Reply(words.choose(), (*rows(named, 2), *rows(auto)))


def _meant(wanted: str) -> str:
    """The code of a language that is named by it, in its own words or in English; empty for one that the bot does not speak."""
    names = {fold(name): code for code, own in LANGUAGES.items() for name in (code, own, _in_english(code))}
    return AUTO if fold(wanted) == AUTO else names.get(fold(wanted), "")


def _in_english(code: str) -> str:
    return Locale(code).get_display_name(ENGLISH) or code


def _private(view: View) -> bool:
    return view.chat.kind == "private"
