"""How loud a chat hears each kind, and whether it waits for confirmation: a part of /alerts. Pure.

Button data: `bs` shows the screen, `b:TOKEN` turns a kind from usual to ringing to silent, `bw` switches waiting.
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.chats import kinds, loud_words, texts
from bot.chats.guide import short
from bot.chats.keyboards import button, rows
from bot.chats.reply import Button, Reply, Settle, Turn, View
from bot.store.model import Chat

WORDS = ("ring", "silent", "usual", "wait", "now")
"""What may follow `/alerts` to speak of loudness."""


def said(view: View, words: tuple[str, ...]) -> Turn:
    """`/alerts ring | silent | usual KIND …`, `/alerts wait | now`."""
    how, named = words[0].casefold(), words[1:]
    if how in ("wait", "now"):
        html = loud_words.waits() if how == "wait" else loud_words.at_once()
        return Turn(Reply(html), (Settle(replace(view.chat, waits=how == "wait")),))
    found = [kinds.kind_of(word, view.kinds) for word in named]
    if None in found:
        return Turn(Reply(texts.unknown_kind(named[found.index(None)], view.kinds)))
    meant = [kind for kind in found if kind]
    if not meant:
        return Turn(Reply(loud_words.no_kind_named()))
    chat = view.chat
    for kind in meant:
        chat = sounding(chat, kind, how)
    return Turn(Reply(loud_words.sounds(meant, how)), (Settle(chat),))


def screen(view: View, chat: Chat) -> Reply:
    """The kinds that the chat hears about, each with how it sounds, and whether it waits."""
    heard = kinds.heard(chat, view.kinds)
    listed = [button(f"{_sign(chat, kind)}{texts.kind(kind)}", f"b:{short(kind)}") for kind in heard]
    wait = Button(loud_words.wait_on() if chat.waits else loud_words.wait_off(), "bw")
    return Reply(
        loud_words.choose(),
        (*rows(listed, 2), (wait,), (Button(loud_words.kinds_back(), "ks"), Button(texts.done_button(), "done"))),
    )


def turned(view: View, wanted: str) -> Turn | None:
    """One kind was tapped: usual, ringing, silent, in turn; None when it is not offered any more."""
    kind = kinds.of_token(view, wanted)
    if kind is None:
        return None
    now = "silent" if kind in view.chat.ring else "usual" if kind in view.chat.silent else "ring"
    return _settled(view, sounding(view.chat, kind, now))


def waited(view: View) -> Turn:
    """Waiting for confirmation was tapped."""
    return _settled(view, replace(view.chat, waits=not view.chat.waits))


def sounding(chat: Chat, kind: str, how: str) -> Chat:
    """The chat, hearing one kind `ring`, `silent` or `usual`."""
    ring, silent = chat.ring - {kind}, chat.silent - {kind}
    return replace(chat, ring=ring | {kind} if how == "ring" else ring, silent=silent | {kind} if how == "silent" else silent)


def _sign(chat: Chat, kind: str) -> str:
    return "🔔 " if kind in chat.ring else "🔕 " if kind in chat.silent else ""


def _settled(view: View, chat: Chat) -> Turn:
    return Turn(screen(view, chat), (Settle(chat),))
