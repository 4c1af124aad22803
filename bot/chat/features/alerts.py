"""`/alerts`: kinds, sound of each, confirmed only."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from bot.chat import texts
from bot.chat.catalogue import make_short_id, to_search_words
from bot.chat.dialogue import Button, ChatContext, DialogueResult, Screen, UpdateChat, arrange_rows, make_button
from bot.chat.texts import back_to_kinds_label, display_options_label, join_kind_names, overrides_label
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


def set_kinds(view: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    """`/alerts [all | none | +kind -kind …]`; without words, buttons."""
    if not words:
        return DialogueResult(show_kinds(view, view.chat))
    if len(words) == 1 and words[0].casefold() in ("all", "none"):
        chat = enable_all_kinds(view.chat) if words[0].casefold() == "all" else disable_all_kinds(view.chat, view.kinds)
        return DialogueResult(Screen(all_kinds_on_text() if chat.all_kinds else all_kinds_off_text()), (UpdateChat(chat),))
    chat = view.chat
    for word in words:
        kind = parse_kind(word.lstrip("+-−–"), view.kinds)
        if kind is None:
            return DialogueResult(Screen(texts.unknown_kind_text(word, view.kinds)))
        chat = switch_kind(chat, kind, view.kinds, on=word[0] not in "-−–")
    return DialogueResult(Screen(kinds_changed_text(list_enabled_kinds(chat, view.kinds))), (UpdateChat(chat),))


def toggle_kind(view: ChatContext, wanted: str) -> DialogueResult | None:
    """One kind was tapped; None when it is not offered any more."""
    kind = find_kind_by_token(view, wanted)
    return _save_kinds(view, switch_kind(view.chat, kind, view.kinds, on=not view.chat.takes(kind))) if kind else None


def switch_all_kinds(view: ChatContext, *, on: bool) -> DialogueResult:
    """Every kind switched on, also those to come, or every kind on offer off."""
    return _save_kinds(view, enable_all_kinds(view.chat) if on else disable_all_kinds(view.chat, view.kinds))


def find_kind_by_token(view: ChatContext, wanted: str) -> str | None:
    """The kind on offer that button data names; None when there is none any more."""
    return next((kind for kind in view.kinds if make_short_id(kind) == wanted), None)


def show_kinds(view: ChatContext, chat: Chat) -> Screen:
    """Every kind on offer, ticked where the chat hears about it."""
    kinds = [make_button(texts.kind_name(kind), f"k:{make_short_id(kind)}", ticked=chat.takes(kind)) for kind in view.kinds]
    each = ((Button(overrides_label(), "xs:0"),),) if view.subscriptions else ()
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


def parse_kind(word: str, offered: tuple[str, ...]) -> str | None:
    """Read a kind by its name or its words, in any letter case; None when there is none."""
    wanted = _normalise_kind(word)
    names = {_normalise_kind(texts.kind_name(kind)): kind for kind in offered} | {_normalise_kind(kind): kind for kind in offered}
    return names.get(wanted) or names.get(f"{wanted}s") or names.get(wanted.removesuffix("s"))


def _normalise_kind(word: str) -> str:
    return to_search_words(word).replace("_", "").replace(" ", "")


def _save_kinds(view: ChatContext, chat: Chat) -> DialogueResult:
    return DialogueResult(show_kinds(view, chat), (UpdateChat(chat),))


SOUND_WORDS = ("ring", "silent", "usual", "wait", "now")
"""What may follow `/alerts` to speak of loudness."""


def set_sounds_by_words(view: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    """`/alerts ring | silent | usual KIND …`, `/alerts wait | now`."""
    how, named = words[0].casefold(), words[1:]
    if how in ("wait", "now"):
        html = confirmed_only_text() if how == "wait" else at_once_text()
        return DialogueResult(Screen(html), (UpdateChat(replace(view.chat, waits=how == "wait")),))
    found = [parse_kind(word, view.kinds) for word in named]
    if None in found:
        return DialogueResult(Screen(texts.unknown_kind_text(named[found.index(None)], view.kinds)))
    meant = [kind for kind in found if kind]
    if not meant:
        return DialogueResult(Screen(no_kind_named_text()))
    chat = view.chat
    for kind in meant:
        chat = set_sound(chat, kind, how)
    return DialogueResult(Screen(sound_set_text(meant, how)), (UpdateChat(chat),))


def show_sounds(view: ChatContext, chat: Chat) -> Screen:
    """The kinds that the chat hears about, each with how it sounds, and whether it waits."""
    heard = list_enabled_kinds(chat, view.kinds)
    listed = [make_button(f"{_sound_sign(chat, kind)}{texts.kind_name(kind)}", f"b:{make_short_id(kind)}") for kind in heard]
    wait = Button(confirmed_only_on_label() if chat.waits else confirmed_only_label(), "bw")
    return Screen(
        sounds_text(),
        (*arrange_rows(listed, 2), (wait,), (Button(back_to_kinds_label(), "ks"), Button(texts.done_label(), "done"))),
    )


def cycle_sound(view: ChatContext, wanted: str) -> DialogueResult | None:
    """One kind was tapped: usual, ringing, silent, in turn; None when it is not offered any more."""
    kind = find_kind_by_token(view, wanted)
    if kind is None:
        return None
    now = "silent" if kind in view.chat.ring else "usual" if kind in view.chat.silent else "ring"
    return _save_sounds(view, set_sound(view.chat, kind, now))


def toggle_confirmed_only(view: ChatContext) -> DialogueResult:
    """Waiting for confirmation was tapped."""
    return _save_sounds(view, replace(view.chat, waits=not view.chat.waits))


def set_sound(chat: Chat, kind: str, how: str) -> Chat:
    """The chat, hearing one kind `ring`, `silent` or `usual`."""
    ring, silent = chat.ring - {kind}, chat.silent - {kind}
    return replace(chat, ring=ring | {kind} if how == "ring" else ring, silent=silent | {kind} if how == "silent" else silent)


def _sound_sign(chat: Chat, kind: str) -> str:
    return "🔔 " if kind in chat.ring else "🔕 " if kind in chat.silent else ""


def _save_sounds(view: ChatContext, chat: Chat) -> DialogueResult:
    return DialogueResult(show_sounds(view, chat), (UpdateChat(chat),))


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
