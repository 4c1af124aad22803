"""`/stop` and `/privacy`: unfollow everything, and see, export or erase what is stored of a chat."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bot.chat.dialogue import (
    Button,
    ChatContext,
    DialogueResult,
    EraseChat,
    OutdatedButton,
    RestoreUnfollowed,
    Screen,
    UnfollowAll,
)
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text, is_channel
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.subscribers import Subscription

_MAX_EXPORT_LENGTH = 3500
"""Characters of an export; Telegram takes 4,096 in a message."""


def stop(context: ChatContext, _args: tuple[str, ...]) -> DialogueResult:
    """`/stop`: unfollow everything, with a button to undo that. Settings stay."""
    if not context.subscriptions:
        if is_channel(context.chat):
            html = _("This channel follows nothing, so no alerts come. /privacy shows what is stored of it.")
        else:
            html = _("This chat follows nothing, so no alerts come. /privacy shows what is stored of it.")
        return DialogueResult(Screen(html, ((_erase_button(),),)))
    number = len(context.subscriptions)
    html = ngettext(
        "Stopped: {number} subscription was removed. No new alerts come, but messages that are here are still corrected.",
        "Stopped: {number} subscriptions were removed. No new alerts come, but messages that are here are still corrected.",
        number,
    ).format(number=number)
    buttons = ((Button(_("↩ Undo"), "p!:undo"),), (_erase_button(),))
    return DialogueResult(Screen(html, buttons), (UnfollowAll(),))


def show_privacy(context: ChatContext, _args: tuple[str, ...] = ()) -> DialogueResult:
    """`/privacy`: what is stored of this chat, with buttons to export or erase it."""
    title = _("What is stored of this channel") if is_channel(context.chat) else _("What is stored of this chat")
    html = _(
        "<b>{title}</b>\n"
        "• its number, title and kind, as Telegram gives them\n"
        "• its settings, and what it follows ({number})\n"
        "• which alerts it was sent, so that they can be corrected; they are deleted after some weeks\n\n"
        "Messages that people write here are not stored. Nothing is passed on to anybody."
    ).format(title=title, number=len(context.subscriptions))
    if context.privacy_url:
        page = _("The operator's page about privacy: {url}").format(url=escape_text(context.privacy_url))
        html = f"{html}\n\n{page}"
    return DialogueResult(Screen(html, ((Button(_("📄 Export"), "p!:export"),), (_erase_button(),))))


def _erase_button() -> Button:
    return Button(_("🗑 Erase what is stored …"), "p!:ask")


def _press(context: ChatContext, action: str) -> DialogueResult:
    match action:
        case "undo":
            return _undo_stop(context)
        case "export":
            return DialogueResult(_export(context))
        case "ask":
            if is_channel(context.chat):
                html = _("Erase this channel's settings, all that it follows, and its record of alerts? This cannot be undone.")
            else:
                html = _("Erase this chat's settings, all that it follows, and its record of alerts? This cannot be undone.")
            return DialogueResult(Screen(html, ((Button(_("🗑 Erase"), "p!:erase"), Button(_("Keep it"), "p!:show")),)))
        case "erase":
            if is_channel(context.chat):
                html = _("Erased: nothing of this channel is stored any more.")
            else:
                html = _("Erased: nothing of this chat is stored any more. Whoever writes to me again starts anew.")
            return DialogueResult(Screen(html), (EraseChat(),))
        case "show":
            return show_privacy(context)
        case _:
            raise OutdatedButton


def _undo_stop(context: ChatContext) -> DialogueResult:
    """Follow again what `/stop` removed."""
    if not context.chat.unfollowed:
        raise OutdatedButton
    if is_channel(context.chat):
        html = _("Undone: this channel follows the same as before. /subscriptions lists it.")
    else:
        html = _("Undone: this chat follows the same as before. /subscriptions lists it.")
    return DialogueResult(Screen(html), (RestoreUnfollowed(),))


def _export(context: ChatContext) -> Screen:
    """Return everything that is stored of the chat's choices, as JSON to copy."""
    chat = context.chat
    stored = {
        "chat": {"id": chat.ref.chat_id, "topic": chat.ref.topic, "type": chat.type, "title": chat.title},
        "channel_being_set_up": chat.managed_channel,
        "settings": {
            "language": chat.language,
            "timezone": chat.timezone,
            "delay": chat.delay,
            "quiet_hours": str(chat.quiet_hours or ""),
            "muted_until": chat.muted_until.isoformat() if chat.muted_until else "",
            "muted_matches": sorted(chat.muted_matches),
            "mute_button": chat.mute_button,
            "spoilers": chat.spoilers,
            "digests": chat.digests,
            "pins_cards": chat.pins_cards,
            "alerts_on": sorted(chat.filter.kinds_on),
            "alerts_off": sorted(chat.filter.kinds_off),
            "all_alerts": chat.filter.all_kinds,
            "loud": sorted(chat.filter.loud),
            "silent": sorted(chat.filter.silent),
            "confirmed_only": chat.filter.confirmed_only,
            "scorers_only": chat.filter.scorers_only,
        },
        "follows": _list_names(context.subscriptions),
        "followed_before_stop": _list_names(chat.unfollowed),
    }
    text = json.dumps(stored, ensure_ascii=False, indent=1)
    if len(text) > _MAX_EXPORT_LENGTH:
        # A chat that follows hundreds of teams: the settings whole, and of the list as much as one message holds.
        text = f"{text[:_MAX_EXPORT_LENGTH]}\n…"
    return Screen(f"<pre>{escape_text(text)}</pre>", ((Button(_("◀ Back"), "p!:show"),),))


def _list_names(subscriptions: Sequence[Subscription]) -> list[str]:
    return [f"{one.scope.value}: {one.name or one.key}" for one in subscriptions]


FEATURE = Feature(
    commands={
        "stop": Command(stop, N_("Unfollow everything"), changes_settings=True),
        "privacy": Command(show_privacy, N_("Your stored data"), admins_only=True),
    },
    buttons={"p!": _press},
)
