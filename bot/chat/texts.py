"""Texts that several features share: kinds, back, done, refusals. A text that one function says stands in that function."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import cache

from telegram.constants import ChatType

from bot.chat.parsing.plain_words import EVERY_WORDS, JOINING_WORDS
from bot.chat.search.catalogue import Choice
from bot.chat.search.nicknames import to_search_words
from bot.i18n.football import format_title, kind_name, title_names, translate_team
from bot.i18n.language import (
    CHOICES,
    format_day_and_time,
    format_short_date,
    format_time,
    join_with_commas,
    lower_first,
    use_language,
)
from bot.i18n.language import translate as _
from bot.i18n.language import translate_plural as ngettext
from bot.subscribers import Chat, Scope, Subscription
from bot.telegram.html import time_tag
from rules.engine.alert import LIVE_MESSAGE_KINDS
from rules.engine.text import escape_html
from rules.football.names import isolate, normalise

PREVIOUS_SIGN = "◀"

NEXT_SIGN = "▶"

DONE_SIGN = "✔"
"""Begins the label of Done in each language."""

KIND_SIGNS = "+-−–"
"""What may stand before a kind to switch it on or off. The last two are a minus sign and a dash."""

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


def parse_kind(typed: str, offered: Sequence[str]) -> str | None:
    """Read a kind by its name or its words, in any letter case, singular or plural. Return None if there is none."""
    # Plural or singular, since the menu says "Goals" and people type "goal".
    wanted = _normalise_kind(typed)
    names = _load_kind_words(tuple(offered))
    return names.get(wanted) or names.get(f"{wanted}s") or names.get(wanted.removesuffix("s"))


def parse_kinds(words: Sequence[str], offered: Sequence[str]) -> tuple[str, ...]:
    """Read several kinds, of one or more words each: `goals and red cards`. Return none at all if any word is left over."""
    found, at = list[str](), 0
    typed = [word.strip(",;.") for word in words]
    while at < len(typed):
        # The longest phrase first: "full time" is one kind, and so is "red cards".
        for end in range(min(at + _MAX_KIND_WORDS, len(typed)), at, -1):
            phrase = " ".join(typed[at:end])
            group = [kind for kind in _CARD_KINDS if kind in offered] if normalise(phrase) in _CARDS else []
            kind = parse_kind(phrase, offered)
            if kind or group:
                found += [kind] if kind else group
                at = end
                break
        else:
            if typed[at] and normalise(typed[at]) not in JOINING_WORDS:
                return ()
            at += 1
    return tuple(dict.fromkeys(found))


def read_kind_switches(words: Sequence[str], offered: Sequence[str]) -> tuple[tuple[str, bool], ...]:
    """Read `no cards`, `turn off VAR`, `cards off`, `don't send me corners`, `everything but goals`: kinds to switch on or off.

    Returns none at all if the words say something else.
    """
    typed = [normalise(word).replace("’", "'").strip("!.,?") for word in words]
    kept = [word for word in typed if word not in SWITCH_FILLERS]
    off, on = [word for word in kept if word in _SWITCH_OFF], [word for word in kept if word in _SWITCH_ON]
    if not (off or on) or (off and on):
        return ()
    rest = [word for word in kept if word not in _SWITCH_OFF | _SWITCH_ON]
    if any(word in EVERY_WORDS for word in rest):
        named = [word for word in rest if word not in EVERY_WORDS]
        excepted, every = parse_kinds(named, offered), [kind for kind in offered if kind not in LIVE_MESSAGE_KINDS]
        if named:
            # "everything but goals": all the others, so it is a switch of each.
            return tuple((kind, kind not in excepted) for kind in every) if excepted else ()
        return tuple((kind, bool(on)) for kind in every)
    kinds = parse_kinds(rest, offered)
    return tuple((kind, bool(on)) for kind in kinds)


_SWITCH_OFF = frozenset(
    {
        "no", "not", "off", "without", "stop", "don't", "dont", "disable", "hide", "remove", "except", "but", "kein", "keine",
        "keinen", "ohne", "aus", "ausschalten", "ausser", "sin", "desactiva", "desactivar", "excepto", "menos", "quita", "sans",
        "pas", "aucun", "desactive", "desactiver", "sauf", "niente", "senza", "nessun", "nessuna", "disattiva", "tranne", "sem",
        "desliga", "desligar", "exceto",
    }
)  # fmt: skip
"""Words that switch off what stands beside them, in each language."""

_SWITCH_ON = frozenset(
    {
        "on", "enable", "ein", "an", "einschalten", "activa", "activar", "active", "activer", "attiva", "attivare", "liga",
        "ligar", "ativar",
    }
)  # fmt: skip

SWITCH_FILLERS = frozenset(
    {
        "please", "pls", "bitte", "por", "favor", "more", "any", "the", "turn", "switch", "send", "sending", "me", "mehr",
        "mas", "plus", "piu", "mais", "alerts", "about", "for", "want", "tell", "notify", "avises", "avisa", "avisar",
        "previens", "avvisarmi", "avise", "voglio", "quiero", "quero", "veux", "will", "ich", "i", "do", "show", "showing",
        "meldungen", "schicken", "de", "d", "les", "las", "los", "die", "der", "das", "gli", "le", "os", "as", "per",
        "favore", "with", "get", "to", "envies", "envie", "enviar", "si", "anymore", "dei", "delle",
    }
)  # fmt: skip
"""Words in such a request that do not change its meaning."""

_MAX_KIND_WORDS = 4

_CARD_KINDS = ("red_card", "yellow_card")

_CARDS = frozenset({"cards", "karten", "tarjetas", "cartons", "cartellini", "cartoes"})
"""Both colours, in each language."""

_OTHER_KIND_WORDS = {
    "gelben karten": "yellow_card", "roten karten": "red_card", "corners": "play", "shots": "play", "offsides": "play",
    "ecken": "play", "corners y tiros": "play", "subs": "substitution", "reds": "red_card", "yellows": "yellow_card",
    "pens": "penalty", "results": "full_time", "kickoffs": "kick_off", "video checks": "var",
    "injuries and breaks": "injury", "videobeweise": "var", "tarjetas rojas": "red_card", "cartellini rossi": "red_card",
    "cartões vermelhos": "red_card", "tarjetas amarillas": "yellow_card", "cartellini gialli": "yellow_card",
    "cartões amarelos": "yellow_card", "tandas de penaltis": "shootout", "tiri di rigore": "shootout",
    "disputas de pênaltis": "shootout",
}  # fmt: skip
"""Names of kinds that people type and that are no button's label, where a shorter word is."""


@cache
def _load_kind_words(offered: tuple[str, ...]) -> dict[str, str]:
    """Return the kinds by their names in the YAML and by their words in every language: people copy either."""
    words = {_normalise_kind(word): kind for word, kind in _OTHER_KIND_WORDS.items() if kind in offered}
    for language in CHOICES:
        with use_language(language):
            words |= {_normalise_kind(kind_name(kind)): kind for kind in offered}
    return words | {_normalise_kind(kind): kind for kind in offered}


def _normalise_kind(word: str) -> str:
    return to_search_words(word).replace("_", "").replace(" ", "")


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
