"""`/start` with its deep links, `/help`, and the last step of following something for the first time."""

from __future__ import annotations

import re

from msgspec.structs import replace
from telegram.constants import ChatType

from bot.chat.dialogue import Button, ChatContext, DialogueResult, Screen
from bot.chat.features.followed import confirm_following
from bot.chat.features.subscribe import is_whole_name, offer_search_result, search_followable
from bot.chat.features.subscriptions import show_subscriptions
from bot.chat.features.timezone import ask_timezone
from bot.chat.routing import Command, Feature
from bot.chat.texts import back_label, escape_text, is_channel
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _

HELP_GROUPS = (
    (N_("Follow"), ("subscribe", "unsubscribe", "subscriptions", "stop")),
    (N_("Alerts"), ("alerts", "mute", "unmute", "quiet", "delay", "spoilers", "test", "why")),
    (N_("Matches"), ("today", "live", "timeline")),
)
"""The commands of /help under their headings. Every other command stands under the last heading."""

_LINK_KIND = re.compile(r"(?:follow|subscribe|team|league|competition|match)[_-]+")
"""What a deep link may begin with. The name itself says what it is."""


def start(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/start`: three lines and what to do next. With the words of a deep link, `?start=team_arsenal`: follow that at once."""
    # Telegram allows a link's words to have letters, digits, _ and - only.
    payload = re.sub(r"[_-]+", " ", _LINK_KIND.sub("", args[0], count=1)).strip() if args else ""
    if not payload:
        return DialogueResult(show_start(context))
    found = search_followable(context, payload)
    if found.exact:
        result = confirm_following(context, (found.exact,), found.others)
    else:
        result = DialogueResult(offer_search_result(context, payload, found))
    # A link is followed out of season too.
    return replace(result, searches_season=not is_whole_name(context, payload, found))


def show_start(context: ChatContext) -> Screen:
    """Show what the bot is for, and the first steps."""
    if is_channel(context.chat):
        html = _(
            "⚽ <b>Touchline</b>\n"
            "Live goals, cards and results for this channel, corrected when a goal is ruled out.\n"
            "Send <code>/subscribe Arsenal</code>, or tap a button."
        )
    elif not context.may_change:
        html = _(
            "⚽ <b>Touchline</b>\n"
            "Live goals, cards and results for this chat, corrected when a goal is ruled out.\n"
            "Try /today, /live or /subscriptions. Admins choose what comes."
        )
    elif context.chat.type != ChatType.PRIVATE:
        html = _(
            "⚽ <b>Touchline</b>\n"
            "Live goals, cards and results for this chat, corrected when a goal is ruled out.\n"
            "Send <code>/subscribe Arsenal</code>, or tap a button."
        )
    else:
        html = _(
            "⚽ <b>Touchline</b>\n"
            "Live goals, cards and results for your teams, corrected when a goal is ruled out.\n"
            "Send me a team's name, such as <i>Arsenal</i>, or tap a button."
        )
    return Screen(
        html,
        (
            (Button(_("⚽ Follow a team"), "h:0", "primary"), Button(_("📅 Today"), "td:")),
            (Button(_("🕑 Time zone"), "os:"), Button(_("❓ Help"), "hp:")),
        ),
    )


def show_help(context: ChatContext) -> Screen:
    """Show every command under a heading."""
    # From the router's table, so that a new command cannot be missing here.
    lines, rest = [], dict(context.commands)
    for heading, names in HELP_GROUPS:
        described = [(name, rest.pop(name)) for name in names if name in rest]
        if not described:
            continue  # nothing under this heading is for a member of a group
        lines += [f"<b>{escape_text(_(heading))}</b>", *_render_commands(described), ""]
    lines += [f"<b>{escape_text(_('Settings and more'))}</b>", *_render_commands(list(rest.items())), ""]
    if context.may_change:
        lines.append(
            _("Shortcuts: <code>/subscribe Arsenal</code>, <code>/alerts +yellow_card -var</code>, <code>/mute 2h</code>.")
        )
    return Screen("\n".join(lines), ((Button(back_label(), "hi:"),),))


def _render_commands(commands: list[tuple[str, str]]) -> list[str]:
    return [f"/{name} – {escape_text(_(description))}" for name, description in commands]


def finish(context: ChatContext) -> Screen:
    """Show the last screen after following something: what is followed, or the time zones as long as none has been chosen."""
    return show_subscriptions(context) if context.chat.has_timezone else ask_timezone(context)


FEATURE = Feature(
    commands={
        "start": Command(start),
        "help": Command(lambda context, _: DialogueResult(show_help(context)), N_("All commands")),
    },
    screens={
        "hi": lambda context, _: show_start(context),
        "hp": lambda context, _: show_help(context),
        "fd": lambda context, _: finish(context),
    },
    public_prefixes=frozenset({"hi", "hp"}),
)
