"""The button under an alert."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

import msgspec
import structlog
from msgspec.structs import replace
from telegram import Bot, Update
from telegram.error import BadRequest
from telegram.ext import CallbackQueryHandler

from bot.chat.dialogue import (
    AdministratorsOnly,
    Button,
    ButtonRow,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Refusal,
    Screen,
    UpdateChat,
    UpdateSubscription,
    arrange_rows,
    make_button,
    set_settings,
    to_inline_keyboard,
    update_filter,
)
from bot.chat.features.alerts import switch_kind
from bot.chat.features.mute import add_muted_match, remove_muted_match
from bot.chat.features.subscriptions import switch_override_kind
from bot.chat.routing import Feature
from bot.chat.services import ChatServices
from bot.chat.texts import configured_chat_text
from bot.chat.update_origin import HandlerContext, UpdateOrigin, read_origin
from bot.i18n.football import format_title, kind_name
from bot.i18n.language import translate as _
from bot.outbox.delivery import Delivery
from bot.outbox.explanation import MessageExplanation
from bot.outbox.news import SAMPLE, NewsItem
from bot.subscribers import Recipient, Subscription
from bot.telegram.alert_keyboard import MUTE_BUTTON_DATA, MUTE_BUTTON_LABEL
from bot.telegram.mentions import has_mention_button, make_mention_button
from rules.football.action import Fixture

CLOSED_KEYBOARD: tuple[ButtonRow, ...] = ((Button(MUTE_BUTTON_LABEL, MUTE_BUTTON_DATA),),)
"""The keyboard of every alert until its button is pressed."""

_CLOSED = Screen("", CLOSED_KEYBOARD)

_MUTE_HOUR = dt.timedelta(hours=1)

_LOOKUP_DELAYS = (0.2, 0.4, 0.0)
"""Seconds after each attempt to find an alert: its id is committed just after Telegram's answer, later if much is sent."""

log = structlog.get_logger()


class MuteButtonHandler:
    """Handles presses of the button. Which alert it is under is looked up by chat and message, so it works after a restart."""

    def __init__(self, services: ChatServices) -> None:
        self._services = services

    async def on_mute_button(self, update: Update, ptb_context: HandlerContext) -> None:
        """Open the menu, or do what it offers and close it."""
        query, origin = update.callback_query, read_origin(update)
        if query is None:
            return
        replies = self._services.replies
        explanation = await self._find_explanation(origin) if origin else None
        if origin is None or explanation is None:
            await replies.acknowledge(query, _("This button is outdated: I don't know that message any more."))
            return
        try:
            result = await self._press(ptb_context.bot, origin, explanation, query.data or "")
        except Refusal as refusal:
            await replies.acknowledge(query, refusal.text)
            return
        await self._services.apply_changes(explanation.delivery.chat, result.changes)
        await replies.acknowledge(query, result.note)
        # After the answer, so that the spinner stops even if the edit waits for its turn. The text of the alert stays as it is,
        # since only the sender knows what it should be now.
        try:
            await query.edit_message_reply_markup(to_inline_keyboard(result.screen.buttons))
        except BadRequest as refusal:
            # The message was deleted meanwhile, or two administrators pressed the same button.
            log.debug("buttons_not_shown", reason=str(refusal))

    async def _find_explanation(self, origin: UpdateOrigin) -> MessageExplanation | None:
        for delay in _LOOKUP_DELAYS:
            if explanation := await self._services.explain_message(origin.ref.chat_id, origin.message_id):
                return explanation
            await asyncio.sleep(delay)
        return None

    async def _press(self, bot: Bot, origin: UpdateOrigin, explanation: MessageExplanation, data: str) -> DialogueResult:
        if not await self._services.permissions.may_change(bot, origin):
            raise AdministratorsOnly
        # The chat that the alert was delivered to, which is a topic where it was sent to one.
        context = await self._services.load_context(replace(origin, ref=explanation.delivery.chat))
        if context.chat.is_configured:
            raise Refusal(configured_chat_text())
        return press_mute_button(context, read_alert_subject(explanation.delivery, explanation.news), data)


class AlertSubject(msgspec.Struct, frozen=True):
    """What an alert is about."""

    fixture: Fixture | None = None
    """None for a sample, and for a digest of several matches."""
    kind: str = ""
    """Empty for a sample and for a digest."""
    action_id: str = ""
    """Likewise."""


def read_alert_subject(delivery: Delivery, news: NewsItem) -> AlertSubject:
    """Return what a message is about."""
    # A sample has no match that could be muted: its menu offers the hour alone.
    if delivery.key.fixture_id == SAMPLE:
        return AlertSubject()
    fixture = news.alternatives[0].fixture
    if news.line_ids:
        return AlertSubject(fixture if fixture.id else None)
    return AlertSubject(fixture, delivery.kind, delivery.key.action_id)


def press_mute_button(context: ChatContext, alert: AlertSubject, data: str) -> DialogueResult:
    """Return what a button does. The screen has no text: it only holds the buttons under the alert."""
    if data == MUTE_BUTTON_DATA:
        return _keep_mention_button(context, alert, DialogueResult(Screen("", make_mute_options(context, alert))))
    name, _colon, kind = data.removeprefix(f"{MUTE_BUTTON_DATA}:").partition(":")
    action = _ACTIONS.get(name)
    # Under an alert of a busy match the buttons name the kinds that came most, which may be others than its own.
    if action is None or (kind and kind not in context.kinds):
        raise OutdatedButton
    result = _keep_mention_button(context, alert, action(context, replace(alert, kind=kind) if kind else alert))
    offer = context.chat.find_mute_offer(alert.fixture.id) if alert.fixture else None
    if offer is None or offer.action_id != alert.action_id:
        return result
    # Later edits of the alert do not open the options again.
    close_offer = UpdateChat(lambda chat: chat.with_mute_offer(replace(offer, action_id="")))
    return replace(result, changes=(*result.changes, close_offer))


def _keep_mention_button(context: ChatContext, alert: AlertSubject, result: DialogueResult) -> DialogueResult:
    """Leave the button of a kick-off under it, whatever the mute button shows beside it."""
    if not has_mention_button(context.chat, alert.kind):
        return result
    button = make_mention_button()
    row = (Button(button["text"], button["callback_data"]),)
    return replace(result, screen=replace(result.screen, buttons=(row, *result.screen.buttons)))


def make_mute_options(context: ChatContext, alert: AlertSubject) -> tuple[ButtonRow, ...]:
    """Make the buttons of the open menu. A bell turns alerts on again, a struck one mutes."""
    match, kind = [], []
    if alert.fixture:
        sign = "🔔" if context.is_muted(alert.fixture.id) else "🔕"
        match = [Button(f"{sign} {_('This match')}", "a:m")]
    hour = Button(f"🔔 {_('Everything')}" if _is_chat_muted(context) else f"🔕 {_('1 hour')}", "a:h")
    if alert.kind:
        sign = "🔕" if _is_kind_on(context, alert) else "🔔"
        kind = [make_button(f"{sign} {_name_kind(context, alert)}", "a:k")]
    return ((*match, hour), *arrange_rows([*kind, Button("✖", "a:x")], 2))


def _toggle_match(context: ChatContext, alert: AlertSubject) -> DialogueResult:
    if alert.fixture is None:
        raise OutdatedButton
    if context.is_muted(alert.fixture.id):
        update, note = remove_muted_match(alert.fixture.id), _("🔔 {match} unmuted.")
    else:
        update = add_muted_match(alert.fixture.id)
        note = _("🔇 {match} muted until full time. Undo: /unmute")
    return DialogueResult(_CLOSED, (update,), note.format(match=format_title(alert.fixture)))


def _toggle_hour(context: ChatContext, _alert: AlertSubject) -> DialogueResult:
    if _is_chat_muted(context):
        return DialogueResult(_CLOSED, (set_settings(muted_until=None),), _("🔔 Unmuted."))
    until = context.now + _MUTE_HOUR
    note = _("🔇 Muted {until}. Undo: /unmute").format(until=context.format_until(until))
    return DialogueResult(_CLOSED, (set_settings(muted_until=until),), note)


def _toggle_kind(context: ChatContext, alert: AlertSubject) -> DialogueResult:
    if not alert.kind:
        raise OutdatedButton
    on = not _is_kind_on(context, alert)
    # "Only goals, with their scorers" excludes every other kind, so choosing a kind ends it.
    update = update_filter(
        lambda alert_filter: switch_kind(replace(alert_filter, scorers_only=False), alert.kind, context.kinds, on=on)
    )
    # Subscriptions with kinds of their own do not follow the chat: without this the kind would still come, or still not.
    changes = [
        UpdateSubscription(subscription, lambda overrides: switch_override_kind(context, overrides, alert.kind, on=on))
        for subscription in _find_covering(context, alert)
        if subscription.overrides.kinds is not None or subscription.overrides.scorers_only
    ]
    note = _("🔔 Alerts on: {kind}.") if on else _("🔇 Alerts off: {kind}. Change: /alerts")
    return DialogueResult(_CLOSED, (update, *changes), note.format(kind=_name_kind(context, alert)))


def _name_kind(context: ChatContext, alert: AlertSubject) -> str:
    """Return the alert's kind in words; not which one in a chat that hides what happened, since a button has no spoilers."""
    return _("This kind") if context.chat.spoilers else kind_name(alert.kind)


def _is_chat_muted(context: ChatContext) -> bool:
    return context.chat.muted_until is not None and context.chat.muted_until > context.now


def _is_kind_on(context: ChatContext, alert: AlertSubject) -> bool:
    """Return True if the chat gets alerts of this kind of this match, by its own filter or by that of a subscription."""
    overrides = [subscription.overrides for subscription in _find_covering(context, alert)]
    # The same decision as when an alert is sent (`bot.outbox.decide`), so that the sign tells what will come.
    return Recipient.of(context.chat, overrides).accepts(alert.kind)


def _find_covering(context: ChatContext, alert: AlertSubject) -> list[Subscription]:
    return [subscription for subscription in context.subscriptions if alert.fixture and subscription.covers(alert.fixture)]


_ACTIONS: dict[str, Callable[[ChatContext, AlertSubject], DialogueResult]] = {
    "m": _toggle_match,
    "h": _toggle_hour,
    "k": _toggle_kind,
    "x": lambda _context, _alert: DialogueResult(_CLOSED),
}
"""By the part of the button data after the prefix."""

FEATURE = Feature(
    make_handlers=lambda services, _router: (
        CallbackQueryHandler(MuteButtonHandler(services).on_mute_button, rf"^{MUTE_BUTTON_DATA}(:.*)?$"),
    )
)
