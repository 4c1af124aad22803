"""Texts that several features share: kinds, back, done, refusals. A text that one function says stands in that function."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from telegram.constants import ChatType

from bot.chat.search.catalogue import Choice
from bot.i18n.football import format_title, kind_name, title_names, translate_team
from bot.i18n.language import (
    format_day_and_time,
    format_short_date,
    format_time,
    join_with_commas,
    lower_first,
)
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.subscribers import Chat, Scope, Subscription
from bot.telegram.html import time_tag
from rules.engine.text import escape_html
from rules.football.names import isolate

PREVIOUS_SIGN = "◀"

NEXT_SIGN = "▶"

DONE_SIGN = "✔"
"""Begins the label of Done in each language."""

# Sliders, as in a mixing desk: the bell and the struck bell are taken by sounds and mutes.
OVERRIDES_SIGN = "🎚"
"""Marks subscriptions that have settings of their own."""


def escape_text(text: str) -> str:
    """Escape a text from outside for Telegram's HTML. A text from right to left is isolated, so that it moves no other."""
    return escape_html(isolate(text))


def administrators_only_text() -> str:
    return _("Only group admins can change this.")


def too_many_subscriptions_text(limit: int, chat: Chat | None = None) -> str:
    # Two whole sentences and not one with a word in it: languages inflect what stands around "channel" and "chat".
    if is_channel(chat):
        return ngettext(
            "This channel can follow {count} team, league or match at most. Unfollow something first: /subscriptions",
            "This channel can follow {count} teams, leagues and matches at most. Unfollow something first: /subscriptions",
            limit,
        ).format(count=limit)
    return ngettext(
        "This chat can follow {count} team, league or match at most. Unfollow something first: /subscriptions",
        "This chat can follow {count} teams, leagues and matches at most. Unfollow something first: /subscriptions",
        limit,
    ).format(count=limit)


def is_channel(chat: Chat | None) -> bool:
    """Return True for a channel, whose screens are read in its administrator's private chat: "this chat" would mean that one."""
    return chat is not None and chat.type == ChatType.CHANNEL


def configured_chat_text() -> str:
    return _("These settings are in the bot's configuration and can't be changed here.")


def outdated_button_text() -> str:
    return _("This button is outdated. Send the command again.")


def back_label() -> str:
    return _("◀ Back")


def done_label() -> str:
    return _("✔ Done")


def settings_label() -> str:
    return _("⚙ Settings")


def join_kind_names(kinds: Sequence[str]) -> str:
    """Join kinds for the middle of a sentence, as HTML."""
    return escape_text(join_with_commas([lower_first(kind_name(name)) for name in kinds]))


def subscription_name(subscription: Subscription) -> str:
    """Return the name of what is followed, as plain text."""
    if subscription.scope is Scope.ALL:
        return _("all matches")
    # Without the feed's id the key is the normalised name after a tilde.
    name = subscription.name or subscription.key.lstrip("~")
    return translate_team(name) if subscription.scope is Scope.TEAM else name


def choice_name(choice: Choice) -> str:
    """Return the name of what can be followed, as plain text: national teams and titles of matches in the chat's language."""
    if choice.fixture is not None:
        return format_title(choice.fixture)
    name = translate_team(choice.name) if choice.scope is Scope.TEAM else choice.name
    qualifier = translate_team(choice.qualifier)
    if choice.next_match and choice.next_match.kickoff:
        # Nothing else tells it from others of its name.
        qualifier = f"{format_title(choice.next_match)}, {format_short_date(choice.next_match.kickoff.date())}"
    return f"{name} · {qualifier}" if qualifier else name


def choice_names(choice: Choice) -> tuple[str, ...]:
    """Return the names of the teams in the name of a choice, which a label shortens alike; none if no match is named in it."""
    fixture = choice.fixture or choice.next_match
    return title_names(fixture) if fixture else ()


def subscription_names(subscription: Subscription) -> tuple[str, ...]:
    """Return the names of the teams in a followed match's name, as `choice_names` does."""
    # It is stored as the feed wrote it, and its fixture may be gone.
    return tuple(subscription.name.split(" v ")) if subscription.scope is Scope.MATCH else ()


def render_kickoff(kickoff: dt.datetime, timezone: str, *, with_day: bool = False) -> str:
    """Return a kick-off as HTML that each reader's Telegram shows in his own time zone, and older apps as it is written here."""
    text = format_day_and_time(kickoff, timezone) if with_day else format_time(kickoff, timezone)
    return time_tag(kickoff, escape_text(text), with_day=with_day)


def which_one_text(typed: str) -> str:
    return _("Which “{name}” do you mean?").format(name=escape_text(typed))


def and_more_text(count: int) -> str:
    return ngettext("… and {count} more", "… and {count} more", count).format(count=count)


def unknown_kind_text(typed: str, kinds: Sequence[str]) -> str:
    return _("I don't know “{name}”. Try: {kinds}.").format(name=escape_text(typed), kinds=join_kind_names(kinds))


def no_matches_text(date: str) -> str:
    return _("<b>{day}</b>\nNo matches are known for this day.").format(day=escape_text(date))


def display_options_label() -> str:
    return _("⚙ Options")


def overrides_label() -> str:
    return _("🎚 Per-team settings")


def sounds_label() -> str:
    return _("🔔 Sounds")


def scorers_only_label() -> str:
    return _("Only goals, with their scorers")


def back_to_kinds_label() -> str:
    return _("◀ Alerts")
