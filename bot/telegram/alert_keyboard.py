"""The buttons under an alert: one that opens the mute options, or the options themselves, and one to be mentioned; pure."""

from __future__ import annotations

import msgspec

from bot.i18n.football import kind_name
from bot.i18n.language import translate as _
from bot.outbox.delivery import DeliveryContext
from bot.outbox.news import SAMPLE
from bot.outbox.recent_alerts import BUSY_COUNT, find_noisy_kinds
from bot.subscribers import Chat, MuteOffer
from bot.telegram.mentions import has_mention_button, make_mention_button
from rules.engine.alert import LIVE_MESSAGE_KINDS

MUTE_BUTTON_LABEL = "🔕"

MUTE_BUTTON_DATA = "a"
"""The data of the button, also in messages that were sent long ago. It does not name the alert, which is found by its chat and
message."""

# Encoded once: it stands under nearly every message.
MUTE_BUTTON = msgspec.json.encode({"inline_keyboard": [[{"text": MUTE_BUTTON_LABEL, "callback_data": MUTE_BUTTON_DATA}]]})
"""The keyboard under an alert: one button, which opens the mute options. It is the same in every language."""


def has_mute_button(chat: Chat, kind: str) -> bool:
    """Return True if the mute button stands under this kind: not in channels, and not where the configuration fixes settings."""
    may_change = chat.mute_button and not chat.is_configured and chat.type != "channel"
    return may_change and kind not in LIVE_MESSAGE_KINDS


def render_keyboard(chat: Chat, kind: str, offer: MuteOffer | None) -> bytes | None:
    """Return what stands under a message of this kind, as Telegram's JSON; None if nothing does.

    With an `offer` the mute options stand open in place of the button that opens them.
    """
    keyboard = _render_mute_options(offer, chat) if offer else MUTE_BUTTON if has_mute_button(chat, kind) else None
    if not has_mention_button(chat, kind):
        return keyboard
    # Above the mute options, or beside the only button.
    rows = msgspec.json.decode(keyboard)["inline_keyboard"] if keyboard else [[]]
    rows = [[make_mention_button(), *rows[0]]] if len(rows) == 1 else [[make_mention_button()], *rows]
    return msgspec.json.encode({"inline_keyboard": rows})


def find_mute_offer(context: DeliveryContext, kind: str, *, is_new: bool) -> MuteOffer | None:
    """Return the offer that stands open under a message of this kind; it is made once a match, when the match becomes busy.

    `is_new`: the message is sent now, and not edited.
    """
    key = context.delivery.key
    if offer := context.recipient.chat.find_mute_offer(key.fixture_id):
        # An edit keeps the options open until somebody has used or closed them.
        return offer if offer.action_id == key.action_id else None
    is_alert = not context.news.line_ids and key.fixture_id != SAMPLE
    # One fewer, because the alert that is about to leave counts too.
    if not (is_new and is_alert and len(context.recent_kinds) >= BUSY_COUNT - 1):
        return None
    return MuteOffer(key.fixture_id, key.action_id, find_noisy_kinds((*context.recent_kinds, kind)))


def _render_mute_options(offer: MuteOffer, chat: Chat) -> bytes:
    """Return the keyboard with the mute options open, and with the kinds that came most."""
    first = [_make_mute_button(_("This match"), "m"), _make_mute_button(_("1 hour"), "h")]
    # A button cannot be a spoiler, and the kinds would reveal what happened.
    kinds = () if chat.spoilers else offer.kinds
    second = [_make_mute_button(kind_name(kind), f"k:{kind}") for kind in kinds]
    close = [{"text": "✖", "callback_data": f"{MUTE_BUTTON_DATA}:x"}]
    rows = [first, second, close] if len(second) > 1 else [first, [*second, *close]]
    return msgspec.json.encode({"inline_keyboard": rows})


def _make_mute_button(label: str, what: str) -> dict[str, str]:
    return {"text": f"{MUTE_BUTTON_LABEL} {label}", "callback_data": f"{MUTE_BUTTON_DATA}:{what}"}
