"""`/test`: a sample alert."""

from __future__ import annotations

from bot.chat.dialogue import ChatContext, DialogueResult, Screen, SendSample, format_until_for
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext


def send_sample(context: ChatContext, _args: tuple[str, ...]) -> DialogueResult:
    """`/test`: a sample, unless the chat is muted or its quiet hours hold everything."""
    chat = context.chat
    if chat.muted_until and chat.muted_until > context.now:
        return DialogueResult(Screen(sample_muted_text(format_until_for(context, chat.muted_until))))
    if held := chat.held_until(context.now):
        return DialogueResult(Screen(sample_held_text(format_until_for(context, held))))
    return DialogueResult(Screen(sample_sent_text(chat.delay)), (SendSample(chat.delay),))


def sample_alert_text() -> str:
    return _(
        "🧪 <b>Sample</b>\n⚽ <b>Home United 1–0 Away City</b>\n23' A. Striker\n"
        "<i>Nothing has happened: this is how an alert comes.</i>"
    )


def sample_muted_text(until: str) -> str:
    text = _("🔇 This chat is muted until {time}, so a sample would not come either. /unmute ends it.")
    return text.format(time=escape_text(until))


def sample_held_text(until: str) -> str:
    text = _("🌙 Quiet hours hold everything until {time}, so a sample would not come now. /quiet changes that.")
    return text.format(time=escape_text(until))


def sample_sent_text(delay: int = 0) -> str:
    if not delay:
        return _("🧪 A sample alert is on its way, as real ones come.")
    text = ngettext(
        "🧪 A sample alert is on its way, as real ones come: {count} second later, as /delay says.",
        "🧪 A sample alert is on its way, as real ones come: {count} seconds later, as /delay says.",
        delay,
    )
    return text.format(count=delay)


FEATURE = Feature(commands={"test": Command(send_sample, N_("A sample alert"), admins_only=True)})
