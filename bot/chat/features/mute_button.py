"""The button under an alert."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Callable

import msgspec
import structlog
from msgspec.structs import replace
from telegram import Bot, CallbackQuery, Update
from telegram.error import BadRequest
from telegram.ext import CallbackQueryHandler

from bot.chat import texts
from bot.chat.dialogue import (
    Button,
    ButtonRow,
    ChatContext,
    DialogueResult,
    HandlerContext,
    OutdatedButton,
    Refusal,
    Screen,
    UpdateChat,
    UpdateOrigin,
    UpdateSubscription,
    make_button,
    read_origin,
    to_inline_keyboard,
)
from bot.chat.features import alerts, mute, subscriptions
from bot.chat.routing import Feature
from bot.chat.services import ChatServices
from bot.chat.texts import kind_name
from bot.i18n.language import translate as _
from bot.outbox.delivery import Delivery
from bot.outbox.explanation import MessageExplanation
from bot.outbox.news import SAMPLE, NewsItem
from bot.subscribers import Recipient, Subscription
from bot.telegram.plan import MUTE_BUTTON_DATA, MUTE_BUTTON_LABEL
from rules.football.action import Fixture

_MUTE_HOUR = dt.timedelta(hours=1)

_MAX_NOTE_LENGTH = 190

CLOSED_KEYBOARD: tuple[ButtonRow, ...] = ((Button(MUTE_BUTTON_LABEL, MUTE_BUTTON_DATA),),)
"""The keyboard of every alert until its button is pressed."""

_CLOSED = Screen("", CLOSED_KEYBOARD)


class AlertSubject(msgspec.Struct, frozen=True):
    """What an alert is about: its match, None where that is no single one, and its kind, empty where it has none of its own."""

    fixture: Fixture | None = None
    kind: str = ""


def read_alert_subject(delivery: Delivery, news: NewsItem) -> AlertSubject:
    """What a message that was told is about; a summary has no kind, and a sample nothing at all."""
    if delivery.key.fixture_id == SAMPLE:
        return AlertSubject()
    fixture = news.alternatives[0].fixture
    return AlertSubject(fixture if fixture.id else None, "" if news.line_ids else delivery.kind)


def press_mute_button(context: ChatContext, alert: AlertSubject, data: str) -> DialogueResult:
    """What the button does: the result's screen has the buttons under the alert now, and no text."""
    if data == MUTE_BUTTON_DATA:
        return DialogueResult(Screen("", build_mute_options(context, alert)))
    act = _MUTE_ACTIONS.get(data.removeprefix(f"{MUTE_BUTTON_DATA}:"))
    if act is None:
        raise OutdatedButton
    return act(context, alert)


def build_mute_options(context: ChatContext, alert: AlertSubject) -> tuple[ButtonRow, ...]:
    """The opened menu."""
    until = context.chat.muted_until
    hour = Button(unmute_chat_label() if until and until > context.now else hour_mute_label(), "a:h")
    match = [Button(match_mute_label(muted=_is_match_muted(context, alert)), "a:m")] if alert.fixture else []
    kind = [make_button(kind_mute_label(alert.kind, off=not _is_kind_on(context, alert)), "a:k")] if alert.kind else []
    return ((*match, hour), (*kind, Button("✖", "a:x")))


def _toggle_match(context: ChatContext, alert: AlertSubject) -> DialogueResult:
    if alert.fixture is None:
        raise OutdatedButton
    name, muted = alert.fixture.title, _is_match_muted(context, alert)
    chat = (mute.remove_muted_match if muted else mute.add_muted_match)(context.chat, alert.fixture.id)
    note = match_unmuted_note(name) if muted else match_muted_note(name)
    return DialogueResult(_CLOSED, (UpdateChat(chat),), note[:_MAX_NOTE_LENGTH])


def _toggle_hour(context: ChatContext, _: AlertSubject) -> DialogueResult:
    if context.chat.muted_until and context.chat.muted_until > context.now:
        return DialogueResult(_CLOSED, (UpdateChat(replace(context.chat, muted_until=None)),), chat_unmuted_note())
    until = context.now + _MUTE_HOUR
    return DialogueResult(
        _CLOSED,
        (UpdateChat(replace(context.chat, muted_until=until)),),
        chat_muted_note(context.format_until(until)),
    )


def _toggle_kind(context: ChatContext, alert: AlertSubject) -> DialogueResult:
    if not alert.kind:
        raise OutdatedButton
    on = not _is_kind_on(context, alert)
    chat = alerts.switch_kind(
        replace(context.chat, filter=replace(context.chat.filter, scorers_only=False)), alert.kind, context.kinds, on=on
    )
    tuned = (
        UpdateSubscription(replace(one, overrides=subscriptions.switch_override_kind(context, one.overrides, alert.kind, on=on)))
        for one in _find_overridden(context, alert)
    )
    return DialogueResult(_CLOSED, (UpdateChat(chat), *tuned), kind_on_note(alert.kind) if on else kind_off_note(alert.kind))


def _is_kind_on(context: ChatContext, alert: AlertSubject) -> bool:
    """Tell whether the chat, or a subscription for this match, hears the alert's kind."""
    return Recipient.of(context.chat, [one.overrides for one in _find_covering(context, alert)]).accepts(alert.kind)


def _find_overridden(context: ChatContext, alert: AlertSubject) -> list[Subscription]:
    """The subscriptions for this match that have kinds of their own."""
    return [one for one in _find_covering(context, alert) if one.overrides.kinds is not None or one.overrides.scorers_only]


def _find_covering(context: ChatContext, alert: AlertSubject) -> list[Subscription]:
    return [one for one in context.subscriptions if alert.fixture and one.covers(alert.fixture)]


def _is_match_muted(context: ChatContext, alert: AlertSubject) -> bool:
    return alert.fixture is not None and context.is_muted(alert.fixture.id)


_MUTE_ACTIONS: dict[str, Callable[[ChatContext, AlertSubject], DialogueResult]] = {
    "m": _toggle_match,
    "h": _toggle_hour,
    "k": _toggle_kind,
    "x": lambda _, __: DialogueResult(_CLOSED),
}
"""By the rest of button data, what it does."""

log = structlog.get_logger()

_LOOKUP_DELAYS = (0.2, 0.4, 0.0)
"""Seconds between looks for an alert: its id is committed milliseconds after Telegram's answer, later where much is sent."""


class MuteButtonHandler:
    """Handles presses of the button. Which alert it is under is looked up by chat and message, so it works after a restart."""

    def __init__(self, services: ChatServices) -> None:
        self._services = services

    async def on_mute_button(self, update: Update, ptb_context: HandlerContext) -> None:
        """Open the menu, or do what it offers."""
        query, origin = update.callback_query, read_origin(update)
        if query is None:
            return
        replies = self._services.replies
        explanation = await self._find_explanation(origin) if origin else None
        if origin is None or explanation is None:
            await replies.acknowledge(query, message_unknown_note())
            return
        try:
            result = await self._press(ptb_context.bot, origin, explanation, query.data or "")
        except Refusal as refusal:
            await replies.acknowledge(query, refusal.text)
            return
        await self._services.apply_changes(explanation.delivery.chat, result.changes)
        await replies.acknowledge(query, result.note)
        await _edit_buttons(query, result.screen.buttons)

    async def _find_explanation(self, origin: UpdateOrigin) -> MessageExplanation | None:
        """What the message tells; an alert that has only just left is known a moment later."""
        if self._services.explain_message is None:
            return None
        for delay in _LOOKUP_DELAYS:
            if explanation := await self._services.explain_message(origin.ref.chat_id, origin.message_id):
                return explanation
            await asyncio.sleep(delay)
        return None

    async def _press(self, bot: Bot, origin: UpdateOrigin, explanation: MessageExplanation, data: str) -> DialogueResult:
        if not await self._services.permissions.may_change(bot, origin):
            raise Refusal(texts.administrators_only_text())
        # The chat that the alert was delivered to, which is a topic where it was sent to one.
        context = await self._services.load_context(replace(origin, ref=explanation.delivery.chat))
        if context.chat.is_configured:
            raise Refusal(texts.configured_chat_text())
        return press_mute_button(context, read_alert_subject(explanation.delivery, explanation.news), data)


async def _edit_buttons(query: CallbackQuery, buttons: tuple[ButtonRow, ...]) -> None:
    """The words of the alert stay; a message that was erased meanwhile needs no buttons."""
    try:
        await query.edit_message_reply_markup(to_inline_keyboard(buttons))
    except BadRequest as refusal:
        log.debug("buttons_not_shown", reason=str(refusal))


def match_mute_label(*, muted: bool) -> str:
    return f"{_bell_sign(muted)} {_('This match')}"


def hour_mute_label() -> str:
    return f"🔕 {_('1 hour')}"


def unmute_chat_label() -> str:
    return f"🔔 {_('Everything')}"


def kind_mute_label(name: str, *, off: bool) -> str:
    return f"{_bell_sign(off)} {kind_name(name)}"


def match_muted_note(name: str) -> str:
    return _("🔇 {match} is muted until it is over. /unmute ends it.").format(match=name)


def match_unmuted_note(name: str) -> str:
    return _("🔔 {match} is heard again.").format(match=name)


def chat_muted_note(until: str) -> str:
    return _("🔇 Everything is muted until {time}. /unmute ends it.").format(time=until)


def chat_unmuted_note() -> str:
    return _("🔔 This chat hears again.")


def kind_off_note(name: str) -> str:
    return _("🔇 Not told here any more: {kind}. /alerts changes that.").format(kind=kind_name(name))


def kind_on_note(name: str) -> str:
    return _("🔔 Told here again: {kind}.").format(kind=kind_name(name))


def message_unknown_note() -> str:
    return _("This button is out of date: I do not know that message any more.")


def _bell_sign(muted: bool) -> str:
    return "🔔" if muted else "🔕"


FEATURE = Feature(
    make_handlers=lambda services, _router: (
        CallbackQueryHandler(MuteButtonHandler(services).on_mute_button, rf"^{MUTE_BUTTON_DATA}(:.*)?$"),
    )
)
