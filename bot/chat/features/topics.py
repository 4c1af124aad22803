"""`/topic`: a competition or team gets a topic of its own in a forum, which the bot can make."""

from __future__ import annotations

import math
from collections.abc import Sequence

import structlog
from msgspec.structs import replace
from telegram import Message, Update
from telegram.constants import ChatType
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError
from telegram.ext import CallbackQueryHandler, CommandHandler, filters

from bot.chat import texts
from bot.chat.dialogue import (
    AdministratorsOnly,
    ChatContext,
    OutdatedButton,
    Refusal,
    Screen,
    Subscribe,
    Unsubscribe,
    arrange_rows,
    make_button,
    make_closing_row,
)
from bot.chat.features.subscribe import search_followable
from bot.chat.middleware import Handler, with_origin
from bot.chat.reply_retrier import read_retry_after
from bot.chat.routing import Command, Feature
from bot.chat.search.catalogue import Choice, make_token
from bot.chat.services import ChatServices
from bot.chat.texts import choice_name, escape_text, subscription_name, which_one_text
from bot.chat.update_origin import HandlerContext, UpdateOrigin, read_origin
from bot.chat.user_limits import Throttle
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import Chat, ChatRef

TOPIC_PREFIX = "tp"
"""The prefix of the buttons that give something a topic."""

MAX_OFFERED = 8

_MAX_TOPIC_NAME = 128

_MAX_TYPED_LENGTH = 100

_SUPERGROUP_OFFSET = -1_000_000_000_000
"""The Bot API's id of a supergroup is this minus the id that links have."""

log = structlog.get_logger()


class TopicHandlers:
    """Moves what a forum follows into topics. Not a pure dialogue: Telegram has to make the topic before anything is stored."""

    def __init__(self, services: ChatServices) -> None:
        self._services = services
        self._refusals = Throttle(services.clock)

    def handlers(self) -> list[Handler]:
        """Return the handlers for the command and its buttons."""
        return [
            CommandHandler("topic", with_origin(self.on_topic), filters.UpdateType.MESSAGE),
            CallbackQueryHandler(self.on_button, rf"^{TOPIC_PREFIX}:"),
        ]

    async def on_topic(self, origin: UpdateOrigin, message: Message, ptb_context: HandlerContext) -> None:
        """`/topic [name]`: in the general topic a new topic is made, in any other one the name comes there."""
        origin = await self._services.mark_member(ptb_context.bot, origin)
        typed = " ".join(ptb_context.args or ())[:_MAX_TYPED_LENGTH]
        try:
            if origin.is_member:
                raise AdministratorsOnly
            if not message.chat.is_forum:
                raise Refusal(_("Topics are off here. In a group, an admin can turn them on in the group's settings."))
            context = await self._load(origin)
            found = search_followable(context, typed) if typed else None
            if found is None or found.exact is None:
                screen = _offer(context, typed, found.hits or found.suggestions if found else ())
            else:
                screen = await self._give_topic(ptb_context, origin, context, found.exact)
        except AdministratorsOnly as refusal:
            if not self._refusals.allow((origin.ref.chat_id, origin.user_id)):
                return
            screen = Screen(refusal.text)
        except Refusal as refusal:
            screen = Screen(refusal.text)
        await self._services.replies.send(origin, screen)

    async def on_button(self, update: Update, ptb_context: HandlerContext) -> None:
        """Give what was tapped a topic, and say so in place of the list."""
        query, origin = update.callback_query, read_origin(update)
        if query is None:
            return
        try:
            if origin is None:
                raise OutdatedButton
            if not await self._services.permissions.may_change(ptb_context.bot, origin):
                raise AdministratorsOnly
            context = await self._load(origin)
            choice = context.catalogue.find((query.data or "").partition(":")[2])
            if choice is None:
                raise OutdatedButton
            screen = await self._give_topic(ptb_context, origin, context, choice)
        except Refusal as refusal:
            await self._services.replies.acknowledge(query, refusal.text)
            return
        await self._services.replies.acknowledge(query, "")
        await self._services.replies.edit(query, screen)

    async def _load(self, origin: UpdateOrigin) -> ChatContext:
        context = await self._services.load_context(origin)
        if context.chat.is_configured:
            raise Refusal(texts.configured_chat_text())
        return context

    async def _give_topic(
        self, ptb_context: HandlerContext, origin: UpdateOrigin, context: ChatContext, choice: Choice
    ) -> Screen:
        """Move a subscription to a topic, a new one if the command came in the general one. Raise Refusal if none can be made."""
        general = replace(origin, ref=ChatRef(origin.ref.chat_id))
        before = context if not origin.ref.topic else await self._services.load_context(general)
        moved = before.find_subscriptions(choice.matching_subscriptions)
        # Such as by the first of two taps on one button. A kill may have left it in the general topic as well.
        if not origin.ref.topic and (
            existing := await self._services.find_topic(general.ref.chat_id, choice.matching_subscriptions)
        ):
            await self._services.apply_changes(general.ref, [Unsubscribe(one) for one in moved])
            return _name_topic(existing, choice)
        target = origin.ref if origin.ref.topic else await self._make_topic(ptb_context, origin, choice)
        # With the settings that it had in the general topic, its own ones included.
        added = moved or (choice.subscription,)
        if not origin.ref.topic:
            await self._services.load_context(replace(origin, ref=target, title=before.chat.title))
            await self._services.chats.update(target, lambda topic: _copy_settings(before.chat, topic))
        await self._services.apply_changes(target, [Subscribe(one) for one in added], origin.request_id)
        # Only now: a kill in between leaves it in both, and not in neither.
        await self._services.apply_changes(general.ref, [Unsubscribe(one) for one in moved])
        name = escape_text(choice_name(choice))
        if origin.ref.topic:
            return Screen(_("🧵 Alerts for <b>{name}</b> now come in this topic.").format(name=name), (make_closing_row(),))
        hello = _(
            "🧵 Alerts for <b>{name}</b> come here. Settings you change in this topic, such as /alerts or /mute, apply only here."
        )
        await self._services.replies.send(
            UpdateOrigin(target, ChatType.SUPERGROUP, "", None, 0), Screen(hello.format(name=name), (make_closing_row(),))
        )
        return Screen(_("🧵 <b>{name}</b> now has its own topic.").format(name=name))

    async def _make_topic(self, ptb_context: HandlerContext, origin: UpdateOrigin, choice: Choice) -> ChatRef:
        try:
            topic = await ptb_context.bot.create_forum_topic(origin.ref.chat_id, choice_name(choice)[:_MAX_TOPIC_NAME])
        except RetryAfter as error:
            # Not repeated later: the group's administrators may have made a topic themselves by then.
            minutes = math.ceil(read_retry_after(error) / 60)
            log.info("topic_not_made", chat=origin.ref.chat_id, reason=str(error))
            raise Refusal(
                _("Telegram lets me make no more topics now. Please try again in {minutes} min.").format(minutes=minutes)
            ) from error
        except (BadRequest, Forbidden) as error:
            log.info("topic_not_made", chat=origin.ref.chat_id, reason=str(error))
            raise Refusal(
                _("I need the right to manage topics. Or create a topic yourself and send /topic with the name in it.")
            ) from error
        except TelegramError as error:
            # Unreachable for a moment, for one. What the topic was to follow stays where it is.
            log.warning("topic_not_made", chat=origin.ref.chat_id, reason=str(error))
            raise Refusal(_("Something went wrong. Please try again in a moment.")) from error
        return ChatRef(origin.ref.chat_id, topic.message_thread_id)


def _name_topic(topic: ChatRef, choice: Choice) -> Screen:
    """Lead to the topic that something has already."""
    link = f"https://t.me/c/{_SUPERGROUP_OFFSET - topic.chat_id}/{topic.topic}"
    text = _('🧵 <b>{name}</b> already has <a href="{link}">its own topic</a>.')
    return Screen(text.format(name=escape_text(choice_name(choice)), link=link), (make_closing_row(),))


def _copy_settings(general: Chat, topic: Chat) -> Chat:
    """Return a new topic with the settings of the general one. Mutes and what belongs to single matches are not copied."""
    return replace(
        general,
        ref=topic.ref,
        type=topic.type,
        title=topic.title,
        muted_until=None,
        muted_matches=frozenset(),
        match_mutes=(),
        mute_offers=(),
        mentioned=(),
        digest_window_at=None,
        has_overrides=topic.has_overrides,
        unfollowed=(),
    )


def _offer(context: ChatContext, typed: str, hits: Sequence[Choice]) -> Screen:
    """Offer what was meant, or without a name what is followed here."""
    if not typed:
        # What the feed has no match of in the coming days has no place in the catalogue, and so no button.
        followed = [
            make_button(subscription_name(one), f"{TOPIC_PREFIX}:{token}")
            for one in context.subscriptions
            if context.catalogue.find(token := make_token(one))
        ]
        html = _("<b>🧵 Which one gets its own topic?</b>\nOr send <code>/topic Premier League</code>.")
        return Screen(html, (*arrange_rows(followed[:MAX_OFFERED]), make_closing_row()))
    if not hits:
        return Screen(_("I couldn't find “{name}”.").format(name=escape_text(typed)), (make_closing_row(),))
    buttons = [make_button(choice_name(choice), f"{TOPIC_PREFIX}:{choice.token}") for choice in hits[:MAX_OFFERED]]
    return Screen(which_one_text(typed), (*arrange_rows(buttons), make_closing_row()))


FEATURE = Feature(
    commands={"topic": Command(None, N_("A topic for a league or team"), changes_settings=True)},
    make_handlers=lambda services, _router: TopicHandlers(services).handlers(),
)
