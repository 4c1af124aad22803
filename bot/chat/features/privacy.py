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
    make_closing_row,
)
from bot.chat.features.subscriptions import unsubscribe
from bot.chat.parsing.plain_words import EVERY_WORDS
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text, is_channel
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.i18n.shorten import shorten
from bot.subscribers import Subscription
from rules.football.names import normalise

_MAX_EXPORT_LENGTH = 3500
"""UTF-16 units of an export; Telegram takes 4,096 in a message."""


def stop(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/stop`: unfollow everything, with a button to undo that. Settings stay. `/stop Arsenal` unfollows that alone."""
    if args and normalise(args[0]) not in EVERY_WORDS:
        return unsubscribe(context, args)
    if not context.subscriptions:
        html = _("Nothing is followed, so no alerts come. Stored data: /privacy")
        return DialogueResult(Screen(html, ((_make_erase_button(),),)))
    number = len(context.subscriptions)
    html = ngettext(
        "Stopped: {number} subscription removed. No new alerts; messages already here are still corrected.",
        "Stopped: {number} subscriptions removed. No new alerts; messages already here are still corrected.",
        number,
    ).format(number=number)
    buttons = ((Button(_("↩ Undo"), "p!:undo"),), (_make_erase_button(),), make_closing_row())
    return DialogueResult(Screen(html, buttons), (UnfollowAll(),))


def show_privacy(context: ChatContext, _args: tuple[str, ...] = ()) -> DialogueResult:
    """`/privacy`: what is stored of this chat, with buttons to export or erase it."""
    title = _("What is stored about this channel") if is_channel(context.chat) else _("What is stored about this chat")
    html = _(
        "<b>{title}</b>\n"
        "• its ID, title and type, from Telegram\n"
        "• its settings and what it follows ({number})\n"
        "• the alerts it got, to correct them; deleted after some weeks\n\n"
        "Messages written here are not stored. Nothing is shared with anybody."
    ).format(title=title, number=len(context.subscriptions))
    if context.chat.mentioned:
        html = f"{html}\n{_('Also: who asked to be mentioned in the latest matches.')}"
    if context.privacy_url:
        page = _("The operator's page about privacy: {url}").format(url=escape_text(context.privacy_url))
        html = f"{html}\n\n{page}"
    return DialogueResult(Screen(html, ((Button(_("📄 Export"), "p!:export"),), (_make_erase_button(),), make_closing_row())))


def _make_erase_button() -> Button:
    return Button(_("🗑 Erase data…"), "p!:ask")


def _press(context: ChatContext, action: str) -> DialogueResult:
    match action:
        case "undo":
            # Follows again what /stop removed.
            if not context.chat.unfollowed:
                raise OutdatedButton
            html = _("Restored: everything is followed as before. List: /subscriptions")
            return DialogueResult(Screen(html, (make_closing_row(),)), (RestoreUnfollowed(),))
        case "export":
            return DialogueResult(_export(context))
        case "ask":
            html = _("Erase all settings, everything that is followed and the alert history? This can't be undone.")
            return DialogueResult(Screen(html, ((Button(_("🗑 Erase"), "p!:erase", "danger"), Button(_("Keep it"), "p!:show")),)))
        case "erase":
            html = _("Erased. Nothing is stored any more.")
            return DialogueResult(Screen(html), (EraseChat(),))
        case "show":
            return show_privacy(context)
        case _:
            raise OutdatedButton


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
            "matches_muted_until": {one.fixture_id: one.until.isoformat() for one in chat.match_mutes},
            "mute_button": chat.mute_button,
            "spoilers": chat.spoilers,
            "digests": chat.digests,
            "pins_cards": chat.pins_cards,
            "card_form": chat.card_form.value,
            "mentions": chat.mentions,
            "mentioned": [f"{name}: {one.fixture_id}" for one in chat.mentioned for _id, name in one.people],
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
    # A chat may follow hundreds of teams: the settings whole, and of the list as much as one message holds.
    return Screen(f"<pre>{escape_text(shorten(text, _MAX_EXPORT_LENGTH))}</pre>", ((Button(_("◀ Back"), "p!:show"),),))


def _list_names(subscriptions: Sequence[Subscription]) -> list[str]:
    return [f"{one.scope.value}: {one.name or one.key}" for one in subscriptions]


FEATURE = Feature(
    commands={
        "stop": Command(stop, N_("Unfollow everything"), changes_settings=True),
        "privacy": Command(show_privacy, N_("Your stored data"), admins_only=True),
    },
    buttons={"p!": _press},
)
