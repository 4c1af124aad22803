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
from telegram.ext import CallbackQueryHandler, ContextTypes

from bot.chat import texts
from bot.chat.dialogue import (
    Button,
    ButtonRow,
    Change,
    ChatContext,
    Screen,
    UpdateChat,
    UpdateOrigin,
    UpdateSubscription,
    format_until_for,
    make_button,
    read_origin,
    to_inline_keyboard,
)
from bot.chat.features import alerts, mute, subscriptions
from bot.chat.permissions import Permissions
from bot.chat.replies import acknowledge_press
from bot.chat.services import ChatServices
from bot.chat.texts import kind_name
from bot.i18n.language import translate as _
from bot.outbox.delivery import Delivery
from bot.outbox.news import SAMPLE, NewsItem
from bot.subscribers import Subscription, combine_overrides, covers
from bot.telegram.plan import MUTE_BUTTON_DATA, MUTE_BUTTON_LABEL
from rules.football.action import Fixture

_MUTE_HOUR = dt.timedelta(hours=1)

_MAX_NOTE_LENGTH = 190

CLOSED_KEYBOARD: tuple[ButtonRow, ...] = ((Button(MUTE_BUTTON_LABEL, MUTE_BUTTON_DATA),),)
"""The keyboard of every alert until its button is pressed."""


class AlertSubject(msgspec.Struct, frozen=True):
    """What an alert is about: its match, None where that is no single one, and its kind, empty where it has none of its own."""

    fixture: Fixture | None = None
    kind: str = ""


class MuteButtonResult(msgspec.Struct, frozen=True):
    """The buttons under the alert now, the note that Telegram shows, and what must be stored."""

    rows: tuple[ButtonRow, ...]
    note: str = ""
    changes: tuple[Change, ...] = ()


def read_alert_subject(entry: Delivery, news: NewsItem) -> AlertSubject:
    """What a message that was told is about; a summary has no kind, and a sample nothing at all."""
    if entry.key.fixture_id == SAMPLE:
        return AlertSubject()
    fixture = news.candidates[0].fixture
    return AlertSubject(fixture if fixture.id else None, "" if news.lines else entry.kind)


def press_mute_button(view: ChatContext, alert: AlertSubject, data: str) -> MuteButtonResult | None:
    """What the button does; None for data that was never ours."""
    if data == MUTE_BUTTON_DATA:
        return MuteButtonResult(build_mute_options(view, alert))
    act = _MUTE_ACTIONS.get(data.removeprefix(f"{MUTE_BUTTON_DATA}:"))
    return act(view, alert) if act else None


def build_mute_options(view: ChatContext, alert: AlertSubject) -> tuple[ButtonRow, ...]:
    """The opened menu."""
    until = view.chat.muted_until
    hour = Button(unmute_chat_label() if until and until > view.now else hour_mute_label(), "a:h")
    match = [Button(match_mute_label(muted=_is_match_muted(view, alert)), "a:m")] if alert.fixture else []
    kind = [make_button(kind_mute_label(alert.kind, off=not _is_kind_on(view, alert)), "a:k")] if alert.kind else []
    return ((*match, hour), (*kind, Button("✖", "a:x")))


def _toggle_match(view: ChatContext, alert: AlertSubject) -> MuteButtonResult | None:
    if alert.fixture is None:
        return None
    name, muted = alert.fixture.title, _is_match_muted(view, alert)
    chat = (mute.remove_muted_match if muted else mute.add_muted_match)(view.chat, alert.fixture.id)
    note = match_unmuted_note(name) if muted else match_muted_note(name)
    return MuteButtonResult(CLOSED_KEYBOARD, note[:_MAX_NOTE_LENGTH], (UpdateChat(chat),))


def _toggle_hour(view: ChatContext, _: AlertSubject) -> MuteButtonResult:
    if view.chat.muted_until and view.chat.muted_until > view.now:
        return MuteButtonResult(CLOSED_KEYBOARD, chat_unmuted_note(), (UpdateChat(replace(view.chat, muted_until=None)),))
    until = view.now + _MUTE_HOUR
    return MuteButtonResult(
        CLOSED_KEYBOARD, chat_muted_note(format_until_for(view, until)), (UpdateChat(replace(view.chat, muted_until=until)),)
    )


def _toggle_kind(view: ChatContext, alert: AlertSubject) -> MuteButtonResult | None:
    if not alert.kind:
        return None
    on = not _is_kind_on(view, alert)
    chat = alerts.switch_kind(replace(view.chat, scorers=False), alert.kind, view.kinds, on=on)
    tuned = (
        UpdateSubscription(replace(one, taste=subscriptions.switch_override_kind(view, one.taste, alert.kind, on=on)))
        for one in _find_overridden(view, alert)
    )
    return MuteButtonResult(
        CLOSED_KEYBOARD, kind_on_note(alert.kind) if on else kind_off_note(alert.kind), (UpdateChat(chat), *tuned)
    )


def _is_kind_on(view: ChatContext, alert: AlertSubject) -> bool:
    """Tell whether the chat, or a subscription for this match, hears the alert's kind."""
    return combine_overrides(view.chat, [one.taste for one in _find_covering(view, alert)]).takes(alert.kind)


def _find_overridden(view: ChatContext, alert: AlertSubject) -> list[Subscription]:
    """The subscriptions for this match that have kinds of their own."""
    return [one for one in _find_covering(view, alert) if one.taste.kinds is not None or one.taste.scorers]


def _find_covering(view: ChatContext, alert: AlertSubject) -> list[Subscription]:
    return [one for one in view.subscriptions if alert.fixture and covers(one, alert.fixture)]


def _is_match_muted(view: ChatContext, alert: AlertSubject) -> bool:
    return alert.fixture is not None and alert.fixture.id in view.chat.muted_matches


_MUTE_ACTIONS: dict[str, Callable[[ChatContext, AlertSubject], MuteButtonResult | None]] = {
    "m": _toggle_match,
    "h": _toggle_hour,
    "k": _toggle_kind,
    "x": lambda _, __: MuteButtonResult(CLOSED_KEYBOARD),
}
"""By the rest of button data, what it does."""

Context = ContextTypes.DEFAULT_TYPE

log = structlog.get_logger()

_LOOKUP_DELAYS = (0.2, 0.4, 0.0)
"""Seconds between looks for an alert: its id is committed milliseconds after Telegram's answer, later where much is sent."""


class MuteButtonHandler:
    """Hears presses of the button, and finds by chat and message which alert it is under: it works after a restart too."""

    def __init__(self, desk: ChatServices, permissions: Permissions) -> None:
        self._desk, self._permissions = desk, permissions

    def handler(self) -> CallbackQueryHandler[Context, None]:
        """The one handler of these buttons."""
        return CallbackQueryHandler(self.pressed, rf"^{MUTE_BUTTON_DATA}(:.*)?$")

    async def pressed(self, update: Update, context: Context) -> None:
        """Open the menu or do what it offers, for who may change the chat."""
        query, place = update.callback_query, read_origin(update)
        if query is None:
            return
        told = await self._told(place) if place else None
        if place is None or told is None:
            await acknowledge_press(query, message_unknown_note())
            return
        hushed = await self._hushed(context.bot, place, *told, query.data or "")
        if isinstance(hushed, str):
            await acknowledge_press(query, hushed)
            return
        await self._desk.store(told[0].ref, hushed.changes)
        await acknowledge_press(query, hushed.note)
        await _edit_buttons(query, hushed.rows)

    async def _told(self, place: UpdateOrigin) -> tuple[Delivery, NewsItem] | None:
        """What the message tells; an alert that has only just left is known a moment later."""
        if (why := self._desk.deps.why) is None:
            return None
        for pause in _LOOKUP_DELAYS:
            if account := await why(place.ref.chat_id, place.message_id):
                return account.entry, account.news
            await asyncio.sleep(pause)
        return None

    async def _hushed(self, bot: Bot, place: UpdateOrigin, entry: Delivery, news: NewsItem, data: str) -> MuteButtonResult | str:
        """What the press does, or the sentence that says why it does nothing."""
        if not await self._permissions.may_change(bot, place):
            return texts.administrators_only_text()
        view = await self._desk.view(entry.ref, place.kind, place.title)
        if view.chat.fixed:
            return texts.configured_chat_text()
        return press_mute_button(view, read_alert_subject(entry, news), data) or texts.outdated_button_text()


async def _edit_buttons(query: CallbackQuery, rows: tuple[ButtonRow, ...]) -> None:
    """The words of the alert stay; a message that was erased meanwhile needs no buttons."""
    try:
        await query.edit_message_reply_markup(to_inline_keyboard(Screen("", rows)))
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
