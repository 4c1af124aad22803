"""`/alerts`: kinds, sound of each, confirmed only."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bot.chat.catalogue import make_short_id
from bot.chat.dialogue import Button, ChatContext, DialogueResult, OutdatedButton, Screen, UpdateChat, arrange_rows, make_button
from bot.chat.features.subscriptions import set_overrides_by_words
from bot.chat.routing import Command, Feature
from bot.chat.texts import (
    KIND_SIGNS,
    back_to_kinds_label,
    display_options_label,
    done_label,
    join_kind_names,
    kind_name,
    overrides_label,
    parse_kind,
    sounds_label,
    unknown_kind_text,
)
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import DEFAULT_KINDS, Chat
from rules.engine.alert import LIVE_MESSAGE_KINDS

_SOUND_TEXTS = {
    "ring": N_("Done. In this chat these always ring: {kinds}."),
    "silent": N_("Done. In this chat these come silently: {kinds}."),
    "usual": N_("Done. In this chat these sound as their importance says: {kinds}."),
}
"""By the word that people type after `/alerts`."""


def set_alerts(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/alerts …`: choose the kinds of the chat, their sounds, or what one subscription sends.

    The first word tells the three apart. A subscription's name may begin with a kind's (Goal FC), and then the kind is meant.
    """
    first = args[0].casefold() if args else ""
    if first in _SOUND_TEXTS:
        return set_sounds(context, first, args[1:])
    if first in ("wait", "now"):
        return set_confirmed_only(context, is_on=first == "wait")
    is_for_chat = (len(args) < 2 and first in ("", "all", "none")) or parse_kind(first.lstrip(KIND_SIGNS), context.kinds)
    if not is_for_chat and (result := set_overrides_by_words(context, args)):
        return result
    return set_kinds(context, args)


def set_kinds(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/alerts [all | none | +kind -kind …]`; without arguments, buttons."""
    if not args:
        return DialogueResult(show_kinds(context, context.chat))
    chat, word = context.chat, args[0].casefold()
    if len(args) == 1 and word in ("all", "none"):
        chat = enable_all_kinds(chat) if word == "all" else disable_all_kinds(chat, context.kinds)
        html = _("This chat hears about everything now.") if word == "all" else _all_kinds_off_text()
        return DialogueResult(Screen(html), (UpdateChat(chat),))
    for typed in args:
        kind = parse_kind(typed.lstrip(KIND_SIGNS), context.kinds)
        if kind is None:
            # Nothing is changed then, not even the kinds before it: half a change would be hard to see.
            return DialogueResult(Screen(unknown_kind_text(typed, context.kinds)))
        chat = switch_kind(chat, kind, context.kinds, on=not typed.startswith(tuple("-−–")))
    kinds = list_enabled_kinds(chat, context.kinds)
    done = _("Done. This chat hears about: {kinds}.")
    return DialogueResult(
        Screen(done.format(kinds=join_kind_names(kinds)) if kinds else _all_kinds_off_text()), (UpdateChat(chat),)
    )


def show_kinds(context: ChatContext, chat: Chat) -> Screen:
    """Show every kind on offer, ticked if the chat gets its alerts."""
    kinds = [
        make_button(kind_name(kind), f"k:{make_short_id(kind)}", is_chosen=chat.filter.accepts(kind)) for kind in context.kinds
    ]
    options = (Button(sounds_label(), "bs"), Button(display_options_label(), "fs"))
    overrides = ((Button(overrides_label(), "xs:0"),),) if context.subscriptions else ()
    last = (Button(_("Everything"), "ka"), Button(_("Nothing"), "kn"), Button(done_label(), "done"))
    return Screen(
        _("<b>What shall this chat hear about?</b>\nTap to switch on and off."),
        (*arrange_rows(kinds, 2), options, *overrides, last),
    )


def toggle_kind(context: ChatContext, token: str) -> DialogueResult:
    """Switch one kind on or off."""
    kind = _read_kind(context, token)
    return _save_kinds(context, switch_kind(context.chat, kind, context.kinds, on=not context.chat.filter.accepts(kind)))


def _save_kinds(context: ChatContext, chat: Chat) -> DialogueResult:
    return DialogueResult(show_kinds(context, chat), (UpdateChat(chat),))


def enable_all_kinds(chat: Chat) -> Chat:
    """Return the chat with every kind on, including kinds that rules bring later."""
    # Cards and pictures stay as they were: they are messages of their own, which "everything" has never meant.
    return replace(
        chat,
        filter=replace(
            chat.filter, all_kinds=True, kinds_on=chat.filter.kinds_on & frozenset(LIVE_MESSAGE_KINDS), kinds_off=frozenset()
        ),
    )


def disable_all_kinds(chat: Chat, offered: Sequence[str]) -> Chat:
    """Return the chat with every kind on offer off."""
    # The default kinds are named too: one that no rule uses now would be on again once a rule does.
    return replace(
        chat, filter=replace(chat.filter, all_kinds=False, kinds_on=frozenset(), kinds_off=frozenset(offered) | DEFAULT_KINDS)
    )


def switch_kind(chat: Chat, kind: str, offered: Sequence[str], *, on: bool) -> Chat:
    """Return the chat with one kind switched on or off."""
    if on:
        return replace(
            chat, filter=replace(chat.filter, kinds_on=chat.filter.kinds_on | {kind}, kinds_off=chat.filter.kinds_off - {kind})
        )
    kinds_on = chat.filter.kinds_on
    if chat.filter.all_kinds:
        # "All but one" is stored as the list of the others.
        live = frozenset(LIVE_MESSAGE_KINDS)
        kinds_on = (frozenset(offered) - live) | (kinds_on & live)
    return replace(
        chat, filter=replace(chat.filter, all_kinds=False, kinds_on=kinds_on - {kind}, kinds_off=chat.filter.kinds_off | {kind})
    )


def list_enabled_kinds(chat: Chat, offered: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds on offer whose alerts the chat gets."""
    return tuple(kind for kind in offered if chat.filter.accepts(kind))


def set_sounds(context: ChatContext, sound: str, kinds: tuple[str, ...]) -> DialogueResult:
    """`/alerts ring | silent | usual KIND …`."""
    chat, found = context.chat, []
    for typed in kinds:
        kind = parse_kind(typed, context.kinds)
        if kind is None:
            return DialogueResult(Screen(unknown_kind_text(typed, context.kinds)))
        chat = set_sound(chat, kind, sound)
        found.append(kind)
    if not found:
        html = _("Name the kinds, such as <code>/alerts silent yellow_card</code>, or use the buttons of /alerts.")
        return DialogueResult(Screen(html))
    return DialogueResult(Screen(_(_SOUND_TEXTS[sound]).format(kinds=join_kind_names(found))), (UpdateChat(chat),))


def show_sounds(context: ChatContext, chat: Chat) -> Screen:
    """Show the kinds that the chat gets, each with its sound, and whether the chat waits for confirmation."""
    signs = dict.fromkeys(chat.filter.silent, "🔕 ") | dict.fromkeys(chat.filter.loud, "🔔 ")
    kinds = [
        make_button(f"{signs.get(kind, '')}{kind_name(kind)}", f"b:{make_short_id(kind)}")
        for kind in list_enabled_kinds(chat, context.kinds)
    ]
    html = _(
        "<b>What rings in this chat?</b>\nTap to change: 🔔 always rings, 🔕 comes silently; without a sign it is as the alert's "
        "own importance says."
    )
    wait = make_button(_("Wait for confirmation"), "bw", is_chosen=chat.filter.confirmed_only)
    last = (Button(back_to_kinds_label(), "ks"), Button(done_label(), "done"))
    return Screen(html, (*arrange_rows(kinds, 2), (wait,), last))


def cycle_sound(context: ChatContext, token: str) -> DialogueResult:
    """Change one kind from its usual sound to ringing, then to silent, then back."""
    kind, chat = _read_kind(context, token), context.chat
    sound = "silent" if kind in chat.filter.loud else "usual" if kind in chat.filter.silent else "ring"
    return _save_sounds(context, set_sound(chat, kind, sound))


def set_sound(chat: Chat, kind: str, sound: str) -> Chat:
    """Return the chat with one kind's sound set to `ring`, `silent` or `usual`."""
    ring, silent = chat.filter.loud - {kind}, chat.filter.silent - {kind}
    if sound == "ring":
        ring |= {kind}
    elif sound == "silent":
        silent |= {kind}
    return replace(chat, filter=replace(chat.filter, loud=ring, silent=silent))


def set_confirmed_only(context: ChatContext, *, is_on: bool) -> DialogueResult:
    """`/alerts wait | now`."""
    if is_on:
        html = _("This chat hears of things once they are confirmed. <code>/alerts now</code> tells them at once again.")
    else:
        html = _("This chat hears of things at once, and what is not yet confirmed says so.")
    return DialogueResult(
        Screen(html), (UpdateChat(replace(context.chat, filter=replace(context.chat.filter, confirmed_only=is_on))),)
    )


def _save_sounds(context: ChatContext, chat: Chat) -> DialogueResult:
    return DialogueResult(show_sounds(context, chat), (UpdateChat(chat),))


def _read_kind(context: ChatContext, token: str) -> str:
    kind = context.find_kind(token)
    if kind is None:
        raise OutdatedButton
    return kind


def _all_kinds_off_text() -> str:
    return _("This chat hears about nothing now. /alerts changes that.")


def toggle_confirmed_only(context: ChatContext) -> DialogueResult:
    """Switch whether the chat waits for confirmation."""
    wanted = replace(context.chat.filter, confirmed_only=not context.chat.filter.confirmed_only)
    return _save_sounds(context, replace(context.chat, filter=wanted))


FEATURE = Feature(
    commands={"alerts": Command(set_alerts, N_("Choose what to hear about"), changes_settings=True)},
    buttons={
        "k": toggle_kind,
        "ka": lambda context, _: _save_kinds(context, enable_all_kinds(context.chat)),
        "kn": lambda context, _: _save_kinds(context, disable_all_kinds(context.chat, context.kinds)),
        "b": cycle_sound,
        "bw": lambda context, _: toggle_confirmed_only(context),
    },
    screens={
        "ks": lambda context, _: show_kinds(context, context.chat),
        "bs": lambda context, _: show_sounds(context, context.chat),
    },
)
