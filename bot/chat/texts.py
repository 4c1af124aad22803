"""Texts that several features share: kinds, back, done, refusals; command descriptions."""

from __future__ import annotations

import html
from collections.abc import Sequence

from bot.i18n.language import join_with_commas, lower_first
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.subscribers import Scope, Subscription
from rules.football.names import isolate

COMMANDS = {
    "subscribe": N_("Follow a team, a competition, a match or all"),
    "unsubscribe": N_("Stop following"),
    "subscriptions": N_("What this chat follows"),
    "alerts": N_("Choose what to hear about"),
    "today": N_("The matches of the day"),
    "live": N_("The matches in play"),
    "timeline": N_("A match in a picture"),
    "mute": N_("Silence for an hour, or for this match"),
    "unmute": N_("Hear again"),
    "spoilers": N_("Hide scores until they are tapped"),
    "delay": N_("Everything some seconds later: no spoilers"),
    "quiet": N_("Quiet hours of every day"),
    "timezone": N_("In whose time you read kick-offs"),
    "language": N_("In which language I speak here"),
    "channel": N_("Choose for a channel of yours"),
    "test": N_("A sample alert"),
    "why": N_("In reply to an alert: why it was told"),
    "help": N_("What I can do"),
}
"""Every command in the order of the menu, with what it does."""

PRIVATE_COMMANDS = frozenset({"channel"})
"""Commands that make sense in a private chat only."""

KIND_NAMES = {
    "goal": N_("Goals"),
    "red_card": N_("Red cards"),
    "yellow_card": N_("Yellow cards"),
    "penalty": N_("Penalties"),
    "shootout": N_("Shootouts"),
    "var": N_("Video checks"),
    "kick_off": N_("Kick-off"),
    "half_time": N_("Half time"),
    "full_time": N_("Full time"),
    "substitution": N_("Substitutions"),
    "lineups": N_("Line-ups"),
    "status": N_("Postponed, abandoned …"),
    "card": N_("Match card"),
    "picture": N_("Pictures"),
}

PREVIOUS_SIGN = "◀"

NEXT_SIGN = "▶"


def escape_text(text: str) -> str:
    """Make something from outside safe inside Telegram's HTML; what is written from right to left stays in its place."""
    return html.escape(isolate(text), quote=False)


def administrators_only_text() -> str:
    return _("Only this group's administrators can change that; /subscriptions and /today are for everybody.")


def configured_chat_text() -> str:
    return _("What this chat hears is set in the bot's configuration and cannot be changed here.")


def outdated_button_text() -> str:
    return _("This button is out of date. Please send the command again.")


def back_label() -> str:
    return _("◀ Back")


def done_label() -> str:
    return _("✔ Done")


def kind_name(name: str) -> str:
    """A kind of alert in words; one that an operator's rule invented is read from its name."""
    return _(KIND_NAMES[name]) if name in KIND_NAMES else name.replace("_", " ").capitalize()


def join_kind_names(kinds: Sequence[str]) -> str:
    """Kinds as they stand inside of a sentence."""
    return escape_text(join_with_commas([lower_first(kind_name(name)) for name in kinds]))


def subscription_name(subscription: Subscription) -> str:
    """What is followed, as plain text."""
    return _("all matches") if subscription.scope is Scope.ALL else subscription.name or subscription.key.lstrip("~")


def which_one_text(wanted: str) -> str:
    return _("Which one do you mean by “{name}”?").format(name=escape_text(wanted))


def and_more_text(count: int) -> str:
    return ngettext("… and {count} more", "… and {count} more", count).format(count=count)


def unknown_kind_text(word: str, kinds: tuple[str, ...]) -> str:
    known = join_with_commas([f"<code>{escape_text(k)}</code>" for k in kinds])
    return _("There are no alerts called “{name}”. There are: {kinds}.").format(name=escape_text(word), kinds=known)


def no_matches_text(date: str) -> str:
    return _("<b>{day}</b>\nNo matches are known for this day.").format(day=escape_text(date))


def display_options_label() -> str:
    return _("⚙ How they come …")


def overrides_label() -> str:
    return _("🎚 Each by itself …")


def scorers_only_label() -> str:
    return _("Only goals, with their scorers")


def back_to_kinds_label() -> str:
    return _("◀ Kinds")
