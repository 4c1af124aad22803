"""`/test`: a sample alert."""

from __future__ import annotations

from bot.chat.dialogue import ChatContext, DialogueResult, Screen, SendSample, make_closing_row
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext


def send_sample(context: ChatContext, _args: tuple[str, ...]) -> DialogueResult:
    """`/test`: send a sample, unless the chat is muted or its quiet hours hold alerts back."""
    chat = context.chat
    # The sample takes the way of real alerts, so it would be dropped by a mute and held by quiet hours like them.
    if chat.muted_until and chat.muted_until > context.now:
        html = _("🔇 Muted {until}, so a test alert wouldn't come. Undo: /unmute")
        return DialogueResult(
            Screen(html.format(until=escape_text(context.format_until(chat.muted_until))), (make_closing_row(),))
        )
    if held_until := chat.quiet_hold_ends_at(context.now):
        html = _("🌙 Quiet hours hold alerts {until}, so a test alert wouldn't come now. Change: /quiet")
        return DialogueResult(Screen(html.format(until=escape_text(context.format_until(held_until))), (make_closing_row(),)))
    html = _("🧪 Test alert on its way.")
    if chat.delay:
        # Mentioned, because somebody who forgot the delay would take the silence for a fault.
        text = ngettext(
            "🧪 Test alert in {count} second (your /delay).",
            "🧪 Test alert in {count} seconds (your /delay).",
            chat.delay,
        )
        html = text.format(count=chat.delay)
    return DialogueResult(Screen(html, (make_closing_row(),)), (SendSample(chat.delay),))


def sample_alert_text() -> str:
    """Return the text of the sample alert, as HTML in the current language."""
    return _("🧪 <b>Test</b>\n⚽ <b>Home United 1–0 Away City</b>\n23' A. Striker\n<i>Just a test.</i>")


# For administrators although it changes nothing: it makes a sound in everybody's pocket.
FEATURE = Feature(commands={"test": Command(send_sample, N_("Send a test alert"), admins_only=True)})
