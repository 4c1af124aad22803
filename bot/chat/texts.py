"""Texts that several features share: kinds, back, done, refusals. A text that one function says stands in that function."""

from __future__ import annotations

from collections.abc import Sequence

from bot.chat.catalogue import to_search_words
from bot.i18n.football import kind_name
from bot.i18n.language import join_with_commas, lower_first
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.subscribers import Scope, Subscription
from rules.engine.text import escape_html
from rules.football.names import isolate

PREVIOUS_SIGN = "◀"

NEXT_SIGN = "▶"

KIND_SIGNS = "+-−–"
"""What may stand before a kind to switch it on or off. The last two are a minus sign and a dash."""

# Sliders, as in a mixing desk: the bell and the struck bell are taken by sounds and mutes.
OVERRIDES_SIGN = "🎚"
"""Marks subscriptions that have settings of their own."""


def escape_text(text: str) -> str:
    """Escape a text from outside for Telegram's HTML. A text from right to left is isolated, so that it moves no other."""
    return escape_html(isolate(text))


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


def parse_kind(typed: str, offered: Sequence[str]) -> str | None:
    """Read a kind by its name or its words, in any letter case, singular or plural. Return None if there is none."""
    # The words of the chat's language and the names of the YAML: people copy either. Plural or singular, since the menu says
    # "Goals" and people type "goal".
    wanted = _normalise_kind(typed)
    names = {_normalise_kind(kind_name(kind)): kind for kind in offered} | {_normalise_kind(kind): kind for kind in offered}
    return names.get(wanted) or names.get(f"{wanted}s") or names.get(wanted.removesuffix("s"))


def _normalise_kind(word: str) -> str:
    return to_search_words(word).replace("_", "").replace(" ", "")


def join_kind_names(kinds: Sequence[str]) -> str:
    """Join kinds for the middle of a sentence, as HTML."""
    return escape_text(join_with_commas([lower_first(kind_name(name)) for name in kinds]))


def subscription_name(subscription: Subscription) -> str:
    """Return the name of what is followed, as plain text."""
    # Without the feed's id the key is the normalised name after a tilde.
    return _("all matches") if subscription.scope is Scope.ALL else subscription.name or subscription.key.lstrip("~")


def which_one_text(typed: str) -> str:
    return _("Which one do you mean by “{name}”?").format(name=escape_text(typed))


def and_more_text(count: int) -> str:
    return ngettext("… and {count} more", "… and {count} more", count).format(count=count)


def unknown_kind_text(typed: str, kinds: Sequence[str]) -> str:
    names = join_with_commas([f"<code>{escape_text(kind)}</code>" for kind in kinds])
    return _("There are no alerts called “{name}”. There are: {kinds}.").format(name=escape_text(typed), kinds=names)


def no_matches_text(date: str) -> str:
    return _("<b>{day}</b>\nNo matches are known for this day.").format(day=escape_text(date))


def display_options_label() -> str:
    return _("⚙ How they come …")


def overrides_label() -> str:
    return _("🎚 Each by itself …")


def sounds_label() -> str:
    return _("🔔 What rings …")


def scorers_only_label() -> str:
    return _("Only goals, with their scorers")


def back_to_kinds_label() -> str:
    return _("◀ Kinds")
