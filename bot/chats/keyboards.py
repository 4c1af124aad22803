"""Rows of buttons: pages, ticks, labels that fit a phone, and the turn into Telegram's own type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.chats import texts
from bot.chats.reply import Button, Reply, Row
from rules.bidi import isolated

PER_PAGE = 8
LONGEST_LABEL = 40

T = TypeVar("T")


def button(label: str, data: str, *, ticked: bool = False) -> Button:
    """A button whose label is cut to fit; a tick shows what is chosen."""
    label = label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"
    label = isolated(label)
    return Button(f"✅ {label}" if ticked else label, data)


def rows(buttons: Sequence[Button], columns: int = 1) -> tuple[Row, ...]:
    """Lay buttons out in rows."""
    return tuple(tuple(buttons[at : at + columns]) for at in range(0, len(buttons), columns))


def page_of(things: Sequence[T], page: int, per_page: int = PER_PAGE) -> tuple[int, Sequence[T]]:
    """The page that there is, nearest to the one asked for, and what stands on it."""
    last = max(0, (len(things) - 1) // per_page)
    page = min(max(page, 0), last)
    return page, things[page * per_page : (page + 1) * per_page]


def turner(count: int, page: int, screen: str, per_page: int = PER_PAGE) -> tuple[Row, ...]:
    """The row that turns pages, `screen` being the data without its page; none where one page holds all."""
    last = max(0, (count - 1) // per_page)
    if not last:
        return ()
    before = [Button(texts.EARLIER, f"{screen}:{page - 1}")] if page else []
    after = [Button(texts.LATER, f"{screen}:{page + 1}")] if page < last else []
    here = Button(f"{page + 1} / {last + 1}", f"{screen}:{page}")
    return ((*before, here, *after),)


def markup(reply: Reply) -> InlineKeyboardMarkup | None:
    """Telegram's keyboard; None for a reply without buttons."""
    if not reply.rows:
        return None
    return InlineKeyboardMarkup([[InlineKeyboardButton(b.label, callback_data=b.data) for b in row] for row in reply.rows])
