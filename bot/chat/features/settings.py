"""`/settings`: everything that a chat can choose on one screen, with its present value."""

from __future__ import annotations

from telegram.constants import ChatType

from bot.chat.dialogue import Button, ChatContext, DialogueResult, Screen, arrange_rows
from bot.chat.features.quiet_hours import format_delay, render_quiet_hours
from bot.chat.features.timezone import zone_label
from bot.chat.routing import Command, Feature
from bot.chat.texts import done_label, escape_text, join_kind_names, subscription_name
from bot.i18n.language import CHOICES, current_language, format_time, join_with_commas
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext

MAX_NAMES = 5
"""Names of what is followed; the whole list is one tap away."""


def show_settings(context: ChatContext) -> Screen:
    """Show every setting with its value, and a button to each."""
    buttons = [
        Button(_("⚽ Following"), "sl:"),
        Button(_("📣 Alerts"), "ks"),
        Button(_("🔔 Sounds"), "bs"),
        Button(_("🌙 Quiet hours"), "zs:"),
        Button(_("🔇 Mute"), "qs:"),
        Button(_("⏱ Delay"), "ws:"),
        Button(_("🙈 Spoilers"), "gs:"),
        Button(_("🕑 Time zone"), "os:"),
        Button(_("🌍 Language"), "ls:"),
        Button(_("⚙ Options"), "fs"),
    ]
    return Screen(render_settings(context), (*arrange_rows(buttons, 2), (Button(done_label(), "sd:"),)))


def render_settings(context: ChatContext) -> str:
    """Return every setting with its value, a line each."""
    chat = context.chat
    kinds = [kind for kind in context.kinds if chat.filter.accepts(kind)]
    on, off = _("on"), _("off")
    lines = [
        f"<b>{_('Settings')}</b>",
        _("Following: {names}").format(names=_render_followed(context)),
        _("Alerts: {kinds}").format(kinds=join_kind_names(kinds) if kinds else off),
        _("Quiet hours: {hours}").format(hours=render_quiet_hours(context)),
        _("Delay: {delay}").format(delay=format_delay(context)),
        _("Spoiler mode: {state}").format(state=on if chat.spoilers else off),
        _("Time zone: {zone} (now {time})").format(
            zone=escape_text(zone_label(chat.timezone)), time=format_time(context.now, chat.timezone)
        ),
        _("Language: {language}").format(language=CHOICES[current_language()]),
    ]
    # Alerts of a channel have no button.
    if chat.type != ChatType.CHANNEL:
        lines.append(_("Buttons under alerts: {state}").format(state=on if chat.mute_button else off))
    if chat.muted_until and chat.muted_until > context.now:
        lines.append(_("🔇 Muted {until}.").format(until=escape_text(context.format_until(chat.muted_until))))
    return "\n".join(lines)


def _render_followed(context: ChatContext) -> str:
    names = [escape_text(subscription_name(subscription)) for subscription in context.subscriptions]
    if not names:
        return _("nothing yet")
    shown = join_with_commas(names[:MAX_NAMES])
    more = len(names) - MAX_NAMES
    return f"{shown} {ngettext('and {count} more', 'and {count} more', more).format(count=more)}" if more > 0 else shown


FEATURE = Feature(
    commands={
        "settings": Command(lambda context, _: DialogueResult(show_settings(context)), N_("All settings"), admins_only=True)
    },
    screens={
        "st": lambda context, _: show_settings(context),
        "sd": lambda context, _: Screen(render_settings(context)),
    },
)
