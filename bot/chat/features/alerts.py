"""`/alerts`: kinds, sound of each, confirmed only."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bot.chat import texts
from bot.chat.catalogue import make_short_id
from bot.chat.dialogue import Button, ChatContext, DialogueResult, OutdatedButton, Screen, UpdateChat, arrange_rows, make_button
from bot.chat.features.subscriptions import set_overrides_by_words
from bot.chat.routing import Command, Feature
from bot.chat.texts import back_to_kinds_label, display_options_label, join_kind_names, overrides_label, parse_kind
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import DEFAULT_KINDS, Chat
from rules.engine import alert


def choose_kinds_text() -> str:
    return _("<b>What shall this chat hear about?</b>\nTap to switch on and off.")


def all_kinds_on_text() -> str:
    return _("This chat hears about everything now.")


def all_kinds_off_text() -> str:
    return _("This chat hears about nothing now. /alerts changes that.")


def sounds_label() -> str:
    return _("🔔 What rings …")


def all_kinds_label() -> str:
    return _("Everything")


def no_kinds_label() -> str:
    return _("Nothing")


def kinds_changed_text(kinds: tuple[str, ...]) -> str:
    if not kinds:
        return all_kinds_off_text()
    return _("Done. This chat hears about: {kinds}.").format(kinds=join_kind_names(kinds))


LIVE_MESSAGE_KIND_SET = frozenset(alert.LIVE_MESSAGE_KINDS)


def set_alerts(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/alerts …`: the kinds of the whole chat, their sounds, or what one subscription hears."""
    first = args[0].casefold() if args else ""
    if first in SOUND_WORDS:
        return set_sounds_by_words(context, args)
    is_for_chat = (len(args) < 2 and first in ("", "all", "none")) or parse_kind(first.lstrip("+-−–"), context.kinds)
    if not is_for_chat and (result := set_overrides_by_words(context, args)):
        return result
    return set_kinds(context, args)


def set_kinds(context: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    """`/alerts [all | none | +kind -kind …]`; without words, buttons."""
    if not words:
        return DialogueResult(show_kinds(context, context.chat))
    if len(words) == 1 and words[0].casefold() in ("all", "none"):
        chat = enable_all_kinds(context.chat) if words[0].casefold() == "all" else disable_all_kinds(context.chat, context.kinds)
        return DialogueResult(Screen(all_kinds_on_text() if chat.all_kinds else all_kinds_off_text()), (UpdateChat(chat),))
    chat = context.chat
    for word in words:
        kind = parse_kind(word.lstrip("+-−–"), context.kinds)
        if kind is None:
            return DialogueResult(Screen(texts.unknown_kind_text(word, context.kinds)))
        chat = switch_kind(chat, kind, context.kinds, on=word[0] not in "-−–")
    return DialogueResult(Screen(kinds_changed_text(list_enabled_kinds(chat, context.kinds))), (UpdateChat(chat),))


def toggle_kind(context: ChatContext, token: str) -> DialogueResult:
    """One kind was tapped."""
    kind = context.find_kind(token)
    if kind is None:
        raise OutdatedButton
    return _save_kinds(context, switch_kind(context.chat, kind, context.kinds, on=not context.chat.takes(kind)))


def switch_all_kinds(context: ChatContext, *, on: bool) -> DialogueResult:
    """Every kind switched on, also those to come, or every kind on offer off."""
    return _save_kinds(context, enable_all_kinds(context.chat) if on else disable_all_kinds(context.chat, context.kinds))


def show_kinds(context: ChatContext, chat: Chat) -> Screen:
    """Every kind on offer, ticked where the chat hears about it."""
    kinds = [make_button(texts.kind_name(kind), f"k:{make_short_id(kind)}", is_chosen=chat.takes(kind)) for kind in context.kinds]
    each = ((Button(overrides_label(), "xs:0"),),) if context.subscriptions else ()
    last = (Button(all_kinds_label(), "ka"), Button(no_kinds_label(), "kn"), Button(texts.done_label(), "done"))
    return Screen(
        choose_kinds_text(),
        (*arrange_rows(kinds, 2), (Button(sounds_label(), "bs"), Button(display_options_label(), "fs")), *each, last),
    )


def enable_all_kinds(chat: Chat) -> Chat:
    """The chat, hearing about every kind, also those to come; extras stay as they were chosen."""
    return replace(chat, all_kinds=True, kinds_on=chat.kinds_on & LIVE_MESSAGE_KIND_SET, kinds_off=frozenset())


def disable_all_kinds(chat: Chat, offered: tuple[str, ...]) -> Chat:
    """The chat, hearing about none of the kinds on offer."""
    return replace(chat, all_kinds=False, kinds_on=frozenset(), kinds_off=frozenset(offered) | DEFAULT_KINDS)


def switch_kind(chat: Chat, kind: str, offered: tuple[str, ...], *, on: bool) -> Chat:
    """The chat with one kind switched."""
    if on:
        return replace(chat, kinds_on=chat.kinds_on | {kind}, kinds_off=chat.kinds_off - {kind})
    so_far = (
        (frozenset(offered) - LIVE_MESSAGE_KIND_SET) | (chat.kinds_on & LIVE_MESSAGE_KIND_SET)
        if chat.all_kinds
        else chat.kinds_on
    )
    return replace(chat, all_kinds=False, kinds_on=so_far - {kind}, kinds_off=chat.kinds_off | {kind})


def list_enabled_kinds(chat: Chat, offered: tuple[str, ...]) -> tuple[str, ...]:
    """The kinds on offer that the chat hears about."""
    return tuple(kind for kind in offered if chat.takes(kind))


def _save_kinds(context: ChatContext, chat: Chat) -> DialogueResult:
    return DialogueResult(show_kinds(context, chat), (UpdateChat(chat),))


SOUND_WORDS = ("ring", "silent", "usual", "wait", "now")
"""What may follow `/alerts` to speak of loudness."""


def set_sounds_by_words(context: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    """`/alerts ring | silent | usual KIND …`, `/alerts wait | now`."""
    how, named = words[0].casefold(), words[1:]
    if how in ("wait", "now"):
        html = confirmed_only_text() if how == "wait" else at_once_text()
        return DialogueResult(Screen(html), (UpdateChat(replace(context.chat, waits=how == "wait")),))
    found = [parse_kind(word, context.kinds) for word in named]
    if None in found:
        return DialogueResult(Screen(texts.unknown_kind_text(named[found.index(None)], context.kinds)))
    meant = [kind for kind in found if kind]
    if not meant:
        return DialogueResult(Screen(no_kind_named_text()))
    chat = context.chat
    for kind in meant:
        chat = set_sound(chat, kind, how)
    return DialogueResult(Screen(sound_set_text(meant, how)), (UpdateChat(chat),))


def show_sounds(context: ChatContext, chat: Chat) -> Screen:
    """The kinds that the chat hears about, each with how it sounds, and whether it waits."""
    heard = list_enabled_kinds(chat, context.kinds)
    listed = [make_button(f"{_sound_sign(chat, kind)}{texts.kind_name(kind)}", f"b:{make_short_id(kind)}") for kind in heard]
    wait = Button(confirmed_only_on_label() if chat.waits else confirmed_only_label(), "bw")
    return Screen(
        sounds_text(),
        (*arrange_rows(listed, 2), (wait,), (Button(back_to_kinds_label(), "ks"), Button(texts.done_label(), "done"))),
    )


def cycle_sound(context: ChatContext, token: str) -> DialogueResult:
    """One kind was tapped: usual, ringing, silent, in turn."""
    kind = context.find_kind(token)
    if kind is None:
        raise OutdatedButton
    now = "silent" if kind in context.chat.ring else "usual" if kind in context.chat.silent else "ring"
    return _save_sounds(context, set_sound(context.chat, kind, now))


def toggle_confirmed_only(context: ChatContext) -> DialogueResult:
    """Waiting for confirmation was tapped."""
    return _save_sounds(context, replace(context.chat, waits=not context.chat.waits))


def set_sound(chat: Chat, kind: str, how: str) -> Chat:
    """The chat, hearing one kind `ring`, `silent` or `usual`."""
    ring, silent = chat.ring - {kind}, chat.silent - {kind}
    return replace(chat, ring=ring | {kind} if how == "ring" else ring, silent=silent | {kind} if how == "silent" else silent)


def _sound_sign(chat: Chat, kind: str) -> str:
    return "🔔 " if kind in chat.ring else "🔕 " if kind in chat.silent else ""


def _save_sounds(context: ChatContext, chat: Chat) -> DialogueResult:
    return DialogueResult(show_sounds(context, chat), (UpdateChat(chat),))


_SOUND_SET_TEXTS = {
    "ring": N_("Done. In this chat these always ring: {kinds}."),
    "silent": N_("Done. In this chat these come silently: {kinds}."),
    "usual": N_("Done. In this chat these sound as their importance says: {kinds}."),
}


def sounds_text() -> str:
    return _(
        "<b>What rings in this chat?</b>\nTap to change: 🔔 always rings, 🔕 comes silently; without a sign it is as the alert's "
        "own importance says."
    )


def confirmed_only_on_label() -> str:
    return f"✅ {confirmed_only_label()}"


def confirmed_only_label() -> str:
    return _("Wait for confirmation")


def confirmed_only_text() -> str:
    return _("This chat hears of things once they are confirmed. <code>/alerts now</code> tells them at once again.")


def at_once_text() -> str:
    return _("This chat hears of things at once, and what is not yet confirmed says so.")


def no_kind_named_text() -> str:
    return _("Name the kinds, such as <code>/alerts silent yellow_card</code>, or use the buttons of /alerts.")


def sound_set_text(kinds: Sequence[str], how: str) -> str:
    """What was settled; `how` is ring, silent or usual."""
    return _(_SOUND_SET_TEXTS[how]).format(kinds=join_kind_names(kinds))


FEATURE = Feature(
    commands={"alerts": Command(set_alerts, N_("Choose what to hear about"), changes_settings=True)},
    buttons={
        "k": toggle_kind,
        "ka": lambda context, _: switch_all_kinds(context, on=True),
        "kn": lambda context, _: switch_all_kinds(context, on=False),
        "b": cycle_sound,
        "bw": lambda context, _: toggle_confirmed_only(context),
    },
    screens={
        "ks": lambda context, _: show_kinds(context, context.chat),
        "bs": lambda context, _: show_sounds(context, context.chat),
    },
)
