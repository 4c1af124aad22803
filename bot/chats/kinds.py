"""The dialogue of /alerts: which kinds a chat hears about. Pure.

Button data: `k:TOKEN` switches a kind, `ka` switches all on, `kn` all off.
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.chats import texts
from bot.chats.guide import short
from bot.chats.keyboards import button, rows
from bot.chats.manner_words import manner
from bot.chats.reply import Button, Reply, Settle, Turn, View
from bot.chats.search import plain
from bot.chats.taste_words import each_by_itself
from bot.store.model import DEFAULT_KINDS, Chat
from rules import alert

EXTRAS = frozenset(alert.EXTRAS)


def alerts(view: View, words: tuple[str, ...]) -> Turn:
    """`/alerts [all | none | +kind -kind …]`; without words, buttons."""
    if not words:
        return Turn(ticked(view, view.chat))
    if len(words) == 1 and words[0].casefold() in ("all", "none"):
        chat = everything(view.chat) if words[0].casefold() == "all" else nothing(view.chat, view.kinds)
        return Turn(Reply(texts.every_kind() if chat.all_kinds else texts.no_kind()), (Settle(chat),))
    chat = view.chat
    for word in words:
        kind = kind_of(word.lstrip("+-−–"), view.kinds)
        if kind is None:
            return Turn(Reply(texts.unknown_kind(word, view.kinds)))
        chat = switch(chat, kind, view.kinds, on=word[0] not in "-−–")
    return Turn(Reply(texts.kinds_now(heard(chat, view.kinds))), (Settle(chat),))


def switched(view: View, wanted: str) -> Turn | None:
    """One kind was tapped; None when it is not offered any more."""
    kind = of_token(view, wanted)
    return _settled(view, switch(view.chat, kind, view.kinds, on=not view.chat.takes(kind))) if kind else None


def switched_all(view: View, *, on: bool) -> Turn:
    """Every kind switched on, also those to come, or every kind on offer off."""
    return _settled(view, everything(view.chat) if on else nothing(view.chat, view.kinds))


def of_token(view: View, wanted: str) -> str | None:
    """The kind on offer that button data names; None when there is none any more."""
    return next((kind for kind in view.kinds if short(kind) == wanted), None)


def ticked(view: View, chat: Chat) -> Reply:
    """Every kind on offer, ticked where the chat hears about it."""
    kinds = [button(texts.kind(kind), f"k:{short(kind)}", ticked=chat.takes(kind)) for kind in view.kinds]
    each = ((Button(each_by_itself(), "xs:0"),),) if view.subscriptions else ()
    last = (Button(texts.everything(), "ka"), Button(texts.nothing(), "kn"), Button(texts.done_button(), "done"))
    return Reply(texts.choose_kinds(), (*rows(kinds, 2), (Button(texts.loudness(), "bs"), Button(manner(), "fs")), *each, last))


def everything(chat: Chat) -> Chat:
    """The chat, hearing about every kind, also those to come; extras stay as they were chosen."""
    return replace(chat, all_kinds=True, kinds_on=chat.kinds_on & EXTRAS, kinds_off=frozenset())


def nothing(chat: Chat, offered: tuple[str, ...]) -> Chat:
    """The chat, hearing about none of the kinds on offer."""
    return replace(chat, all_kinds=False, kinds_on=frozenset(), kinds_off=frozenset(offered) | DEFAULT_KINDS)


def switch(chat: Chat, kind: str, offered: tuple[str, ...], *, on: bool) -> Chat:
    """The chat with one kind switched."""
    if on:
        return replace(chat, kinds_on=chat.kinds_on | {kind}, kinds_off=chat.kinds_off - {kind})
    so_far = (frozenset(offered) - EXTRAS) | (chat.kinds_on & EXTRAS) if chat.all_kinds else chat.kinds_on
    return replace(chat, all_kinds=False, kinds_on=so_far - {kind}, kinds_off=chat.kinds_off | {kind})


def heard(chat: Chat, offered: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds on offer that the chat hears about."""
    return tuple(kind for kind in offered if chat.takes(kind))


def kind_of(word: str, offered: tuple[str, ...]) -> str | None:
    """Read a kind by its name or its words, in any letter case; None when there is none."""
    wanted = _letters(word)
    names = {_letters(texts.kind(kind)): kind for kind in offered} | {_letters(kind): kind for kind in offered}
    return names.get(wanted) or names.get(f"{wanted}s") or names.get(wanted.removesuffix("s"))


def _letters(word: str) -> str:
    return plain(word).replace("_", "").replace(" ", "")


def _settled(view: View, chat: Chat) -> Turn:
    return Turn(ticked(view, chat), (Settle(chat),))
