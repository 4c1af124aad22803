"""Choosing for a channel from a private chat: every button says for which chat it is. Pure.

Button data: `@CHAT;DATA` does for another chat what DATA does for one's own. Who presses it must administer that chat: data that
somebody makes up gives no more than a command would. `menu` shows the menu of the chat, `y:COMMAND` is a command without words.
"""

from __future__ import annotations

import re

from msgspec.structs import replace

from bot.chats import channel_words as words
from bot.chats import dialogue
from bot.chats.dialogue import DIALOGUES
from bot.chats.heard import Heard
from bot.chats.keyboards import rows
from bot.chats.reply import Button, Reply, Row, Turn, View
from bot.store.model import Chat, ChatRef

_AIMED = re.compile(r"@(-?\d{1,19});(.+)", re.DOTALL)
MENU = (
    (words.follow, "h:0"), (words.follows, "done"), (words.kinds, "ks"), (words.rings, "bs"), (words.times, "y:timezone"),
    (words.language, "y:language"), (words.quiet, "y:quiet"), (words.delay, "y:delay"), (words.mute, "y:mute"),
    (words.sample, "y:test"),
)  # fmt: skip
"""What a button is called, and what it does."""


def aimed(place: Heard, data: str) -> tuple[Heard, str]:
    """The chat that a button pressed in a private chat is for, and what it says."""
    found = _AIMED.fullmatch(data) if place.kind == "private" else None
    if found is None:
        return place, data
    return replace(place, ref=ChatRef(int(found[1])), kind="", title=""), found[2]


def menu(chat: Chat) -> Reply:
    """What can be chosen for a channel."""
    return _under(chat, Reply(words.menu(), rows([Button(label(), data) for label, data in MENU], 2)))


def aim(reply: Reply, chat: Chat) -> Reply:
    """A reply that speaks for another chat: it says for which, its buttons too, and leads back to the menu.
    A picture stays as it is: no screen can take its place."""
    if reply.picture:
        return reply
    return _under(chat, replace(reply, rows=(*reply.rows, (Button(words.back(), "menu"),))))


def press(view: View, data: str) -> Turn | None:
    """What a button for another chat does; None for one that is out of date or was never ours."""
    if data == "menu":
        return Turn(menu(view.chat))
    head, _, name = data.partition(":")
    command = DIALOGUES.get(name) if head == "y" else None
    turn = command.act(view, ()) if command else dialogue.press(view, data)
    return replace(turn, reply=aim(turn.reply, view.chat)) if turn else None


def _under(chat: Chat, reply: Reply) -> Reply:
    html = f"{words.choosing_for(chat.title)}\n\n{reply.html}"
    return replace(reply, html=html, rows=tuple(_row(chat, row) for row in reply.rows))


def _row(chat: Chat, row: Row) -> Row:
    return tuple(Button(button.label, f"@{chat.ref.chat_id};{button.data}") for button in row)
