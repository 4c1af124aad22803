"""Mentions of people who asked for it: the button under a kick-off, and the replies that name them. Pure."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bot.i18n.language import translate as _
from bot.outbox.match_states import is_state_message
from bot.outbox.news import SAMPLE, NewsItem
from bot.subscribers import Chat
from rules.engine.alert import LIVE_MESSAGE_KINDS, Alert
from rules.engine.text import escape_html
from rules.football.names import isolate

MENTION_BUTTON_DATA = "me"
"""The data of the button. It does not name the match, which is found by its chat and message."""

KICK_OFF = "kick_off"

# The others are mentioned without being notified.
PEOPLE_PER_MESSAGE = 5
"""Telegram notifies about so many of the people whom one message mentions."""

_SEPARATOR = "\x1e"
"""Stands between replies that wait to be sent one after the other. No text has it: it is a control character."""


def has_mention_button(chat: Chat, kind: str) -> bool:
    """Return True if the button stands under alerts of this kind: in groups whose administrators allow it."""
    return chat.mentions and chat.type in ("group", "supergroup") and kind == KICK_OFF


def make_mention_button() -> dict[str, Any]:
    """Return the button as Telegram's JSON."""
    return {"text": _("🔔 Mention me"), "callback_data": MENTION_BUTTON_DATA}


def render_mentions(chat: Chat, news: NewsItem, alert: Alert, now: dt.datetime, *, is_silent: bool) -> str | None:
    """Return the replies that mention who asked for it, to follow a new message; None if it mentions nobody.

    Only what makes a sound in the chat calls anybody. The kick-off itself does not: its button is pressed after it.
    """
    people = chat.list_mentioned(news.key.fixture_id) if chat.mentions else ()
    is_alert = not news.line_ids and news.key.fixture_id != SAMPLE and not is_state_message(news.key)
    # Everything is silent where scores are hidden and in quiet hours, and a mention would notify people anyway.
    if not people or not is_alert or is_silent or chat.spoilers or chat.is_quiet(now):
        return None
    if alert.kind == KICK_OFF or alert.kind in LIVE_MESSAGE_KINDS:
        return None
    # By id, since not everybody has an @name, and names change.
    names = [f'<a href="tg://user?id={user_id}">{escape_html(isolate(name))}</a>' for user_id, name in people]
    chunks = [names[at : at + PEOPLE_PER_MESSAGE] for at in range(0, len(names), PEOPLE_PER_MESSAGE)]
    return _SEPARATOR.join(f"🔔 {', '.join(chunk)}" for chunk in chunks)


def split_replies(pending: str) -> tuple[str, str | None]:
    """Return the reply to send now, and those that are left; None if none is."""
    first, _separator, rest = pending.partition(_SEPARATOR)
    return first, rest or None
