"""The button "Mention me" under a kick-off: who taps it is mentioned when the match has loud news."""

from __future__ import annotations

import structlog
from msgspec.structs import replace
from telegram import Update, User
from telegram.ext import CallbackQueryHandler

from bot.chat.routing import Feature
from bot.chat.services import ChatServices
from bot.chat.update_origin import HandlerContext, read_origin
from bot.i18n.language import translate as _
from bot.subscribers import Chat, Mentions
from bot.telegram.mentions import MENTION_BUTTON_DATA

MAX_NAME_LENGTH = 40
"""Characters of a person's name that are stored and shown."""

MAX_PEOPLE = 50
"""The most people of one match: ten messages of five, half of what a group may be sent in a minute."""

_MAX_MATCHES = 10
"""For how many matches a chat remembers who asked. The oldest are long over, so nothing else has to delete them."""

log = structlog.get_logger()


class MentionHandler:
    """Takes presses of the button. Every member may press it: it changes nothing for the others."""

    def __init__(self, services: ChatServices) -> None:
        self._services = services

    async def on_mention_button(self, update: Update, _ptb_context: HandlerContext) -> None:
        """Mention the person from now on, or no longer."""
        query, origin = update.callback_query, read_origin(update)
        if query is None:
            return
        explanation = await self._services.explain_message(origin.ref.chat_id, origin.message_id) if origin else None
        # The chat that the alert was delivered to, which is a topic where it was sent to one.
        chat = await self._services.chats.get(explanation.delivery.chat) if explanation else None
        if explanation is None or chat is None or not chat.mentions:
            await self._services.replies.acknowledge(query, _("This button is outdated: I don't know that message any more."))
            return
        fixture_id = explanation.delivery.key.fixture_id
        was_full = len(chat.list_mentioned(fixture_id)) >= MAX_PEOPLE
        changed = await self._services.chats.update(chat.ref, lambda stored: toggle_mention(stored, fixture_id, query.from_user))
        is_on = changed is not None and any(one == query.from_user.id for one, _name in changed.list_mentioned(fixture_id))
        if is_on:
            note = _("🔔 I'll mention you when this match has big news. Tap again to stop.")
        else:
            note = _("The list for this match is full.") if was_full else _("🔕 I won't mention you any more.")
        await self._services.replies.acknowledge(query, note)


def toggle_mention(chat: Chat, fixture_id: str, user: User) -> Chat:
    """Return the chat with a person among those who are mentioned in a match, or not any more. A full list stays as it is."""
    people = chat.list_mentioned(fixture_id)
    others = tuple(person for person in people if person[0] != user.id)
    if len(others) == len(people):
        if len(people) >= MAX_PEOPLE:
            return chat
        others = (*people, (user.id, user.full_name[:MAX_NAME_LENGTH]))
    matches = [one for one in chat.mentioned if one.fixture_id != fixture_id]
    return replace(chat, mentioned=(*matches, Mentions(fixture_id, others))[-_MAX_MATCHES:])


FEATURE = Feature(
    make_handlers=lambda services, _router: (
        CallbackQueryHandler(MentionHandler(services).on_mention_button, rf"^{MENTION_BUTTON_DATA}$"),
    )
)
