"""Alerts of one team or competition in words: `/alerts only goals for Arsenal`, `/alerts off for Liverpool`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec.structs import replace

from bot.chat.dialogue import Button, ChatContext, DialogueResult, Screen, arrange_rows, make_button, make_closing_row
from bot.chat.features.followed import choose_kinds, list_covering
from bot.chat.features.mute import find_followed_matches
from bot.chat.features.subscribe import search_followable, subscribe
from bot.chat.features.subscriptions import find_subscription, set_overrides_by_words, unsubscribe
from bot.chat.parsing.kinds import parse_kinds, read_kind_switches
from bot.chat.parsing.plain_words import ALERT_WORDS, EVERY_WORDS, JOINING_WORDS, ONLY_WORDS, parse_on_off
from bot.chat.texts import choice_name, choice_names, escape_text, subscription_name
from bot.i18n.language import join_sentence_list
from bot.i18n.language import translate as _
from bot.subscribers import Subscription
from rules.football.names import normalise

_ARTICLES = frozenset(
    {
        "the", "les", "los", "las", "die", "der", "das", "i", "gli", "le", "os", "as", "de", "di", "du", "da", "do", "del",
        "della", "dei", "des", "la", "lo", "of", "about", "von", "vom", "el", "il", "o", "al", "au", "um",
    }
)  # fmt: skip
"""Articles and prepositions between kinds and a name."""

_MAX_OFFERED_MATCHES = 3


def set_kinds_for_name(context: ChatContext, args: Sequence[str]) -> DialogueResult | None:
    """`/alerts only goals for Arsenal`: as `/alerts Arsenal only goals`. None if that is not what was typed."""
    # "goals foo" is a typing mistake: only a word such as "for" or "only" shows that the rest is a name.
    if not any(normalise(word) in ONLY_WORDS | JOINING_WORDS | _ARTICLES for word in (*args[1:-1], *args[:1])):
        return None
    for at in range(len(args) - 1, 0, -1):
        kinds = [word for word in args[:at] if normalise(word) not in ONLY_WORDS | _ARTICLES]
        if not kinds or not parse_kinds(kinds, context.kinds):
            continue
        name = read_name(context, args[at:])
        if name and not parse_kinds(name, context.kinds):
            # A team that is not followed yet is followed, and its kinds are a tap away.
            return set_overrides_by_words(context, (*name, *kinds)) or subscribe(context, name)
    return None


def switch_kinds_of_name(context: ChatContext, args: Sequence[str]) -> DialogueResult | None:
    """`/alerts no cards for Liverpool`, `/alerts Liverpool no cards`. None if that is not what was typed."""
    for at in range(1, len(args)):
        for words, rest in ((args[:at], args[at:]), (args[at:], args[:at])):
            switches = read_kind_switches(words, context.overridable_kinds)
            # Everything but a name is another request.
            name = read_name(context, rest) if switches and len(switches) < len(context.overridable_kinds) else ()
            if name and find_subscription(context, " ".join(name)):
                return set_overrides_by_words(context, (*name, *(f"{'+' if on else '-'}{kind}" for kind, on in switches)))
    return None


def switch_alerts_of_name(context: ChatContext, args: Sequence[str]) -> DialogueResult | None:
    """`/alerts off for Liverpool`, `/alerts Liverpool all`, `/alerts for Liverpool`. None if that is not what was typed."""
    words = [word for word in args if normalise(word) not in ALERT_WORDS]
    # The switch stands first or last: "off for Liverpool", "Liverpool all".
    is_switch = [parse_on_off(word) is not None or normalise(word) in EVERY_WORDS for word in words]
    at = next((at for at in (0, -1) if len(words) > 1 and is_switch[at]), None)
    if at == 0 and find_subscription(context, " ".join(words[:2])):
        # "all matches" is followed by that name.
        return None
    if at is None:
        # "for Liverpool" names no kind: its own settings, or it is followed now.
        starts_with_for = len(args) > 1 and normalise(args[0]) in JOINING_WORDS
        name = read_name(context, words) if starts_with_for else ()
        if not name or parse_kinds(name, context.kinds):
            return None
        return set_overrides_by_words(context, name) or subscribe(context, name)
    name, switch = read_name(context, words[1:] if at == 0 else words[:-1]), words[at]
    if not name or parse_kinds(name, context.kinds):
        return None
    subscription = find_subscription(context, " ".join(name))
    if parse_on_off(switch) is False:
        return _switch_off(context, subscription) if subscription else _explain_covering_subscriptions(context, " ".join(name))
    if subscription is None:
        return subscribe(context, name)
    # "on" is as usual, "all" every kind.
    kinds = frozenset(context.overridable_kinds) if normalise(switch) in EVERY_WORDS else None
    return choose_kinds(context, (subscription,), kinds)


def read_name(context: ChatContext, words: Sequence[str]) -> tuple[str, ...]:
    """Return the words of a name without "for", "d'" and the like before it."""
    # `d'Arsenal`, `l'Inter`.
    name = [re.sub(r"^[dl]['’](?=\w)", "", word) for word in words]
    while name and normalise(name[-1]) in JOINING_WORDS:
        name = name[:-1]
    while name and normalise(name[0]) in JOINING_WORDS | _ARTICLES:
        if normalise(name[0]) not in JOINING_WORDS:
            # An article may belong to the name: La Liga.
            typed = " ".join(name)
            if len(name) == 1 or find_subscription(context, typed) or search_followable(context, typed).exact:
                break
        name = name[1:]
    return tuple(name)


def _switch_off(context: ChatContext, subscription: Subscription) -> DialogueResult:
    """Switch off every alert that a subscription brings. The answer names the others that still bring alerts."""
    result = choose_kinds(context, (subscription,), frozenset())
    others = tuple(one for one in context.subscriptions if one != subscription)
    if not (covering := list_covering(context, (subscription,), others)):
        return result
    still = _("Alerts still come through {names}.").format(names=_join_names(covering))
    return replace(result, screen=replace(result.screen, html=f"{result.screen.html}\n{still}"))


def _explain_covering_subscriptions(context: ChatContext, typed: str) -> DialogueResult:
    """Answer a chat that asks for no alerts of a team that it follows only through its league, or not at all."""
    matches = find_followed_matches(context, typed)[:_MAX_OFFERED_MATCHES]
    fixture = matches[0].fixture if matches else None
    if fixture is None:
        return unsubscribe(context, (typed,))
    covering = [one for one in context.subscriptions if one.covers(fixture)]
    html = _("You don't follow “{name}” itself. Alerts come through {names}. Mute a match:")
    html = html.format(name=escape_text(typed), names=_join_names(covering))
    buttons = [make_button(f"🔇 {choice_name(match)}", f"mm:{match.token}", names=choice_names(match)) for match in matches]
    buttons.append(Button(_("✖ Unfollow"), "l:0"))
    return DialogueResult(Screen(html, (*arrange_rows(buttons), make_closing_row())))


def _join_names(subscriptions: Sequence[Subscription]) -> str:
    return join_sentence_list([f"<b>{escape_text(subscription_name(one))}</b>" for one in subscriptions])
