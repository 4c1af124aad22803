"""`/test`: a sample alert."""

from __future__ import annotations

from bot.chat.dialogue import ChatContext, DialogueResult, Screen, SendSample
from bot.chat.routing import Command, Feature
from bot.chat.texts import escape_text, is_channel
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext


def send_sample(context: ChatContext, _args: tuple[str, ...]) -> DialogueResult:
    """`/test`: send a sample, unless the chat is muted or its quiet hours hold alerts back."""
    chat = context.chat
    # The sample takes the way of real alerts, so it would be dropped by a mute and held by quiet hours like them.
    if chat.muted_until and chat.muted_until > context.now:
        if is_channel(chat):
            html = _("🔇 This channel is muted until {time}, so a sample would not come either. /unmute ends it.")
        else:
            html = _("🔇 This chat is muted until {time}, so a sample would not come either. /unmute ends it.")
        return DialogueResult(Screen(html.format(time=escape_text(context.format_until(chat.muted_until)))))
    if held_until := chat.quiet_hold_ends_at(context.now):
        html = _("🌙 Quiet hours hold everything until {time}, so a sample would not come now. /quiet changes that.")
        return DialogueResult(Screen(html.format(time=escape_text(context.format_until(held_until)))))
    html = _("🧪 A sample alert is on its way, as real ones come.")
    if chat.delay:
        # Said, or somebody who forgot the delay would take the silence for a fault.
        text = ngettext(
            "🧪 A sample alert is on its way, as real ones come: {count} second later, as /delay says.",
            "🧪 A sample alert is on its way, as real ones come: {count} seconds later, as /delay says.",
            chat.delay,
        )
        html = text.format(count=chat.delay)
    return DialogueResult(Screen(html), (SendSample(chat.delay),))


def sample_alert_text() -> str:
    """Return the text of the sample alert, as HTML in the current language."""
    return _(
        "🧪 <b>Sample</b>\n⚽ <b>Home United 1–0 Away City</b>\n23' A. Striker\n"
        "<i>Nothing has happened: this is how an alert comes.</i>"
    )


# For administrators although it changes nothing: it makes a sound in everybody's pocket.
FEATURE = Feature(commands={"test": Command(send_sample, N_("Send a test alert"), admins_only=True)})
