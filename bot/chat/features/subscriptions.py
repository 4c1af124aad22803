"""`/subscriptions`, `/unsubscribe`, settings of one subscription."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from bot.chat import texts
from bot.chat import texts as words
from bot.chat.catalogue import Fit, make_short_id, make_token, measure_fit
from bot.chat.dialogue import (
    Button,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    Unsubscribe,
    UpdateSubscription,
    arrange_rows,
    make_button,
    make_page_buttons,
    read_page,
    select_page,
)
from bot.chat.features.subscribe import MAX_HITS, describe_changes
from bot.chat.routing import Command, Feature
from bot.chat.texts import and_more_text, escape_text, join_kind_names, overrides_label, parse_kind, subscription_name
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import NO_OVERRIDES, Scope, Subscription, SubscriptionOverrides, apply_overrides
from rules.engine.alert import LIVE_MESSAGE_KINDS


def choose_unsubscribe_text() -> str:
    return _("<b>This chat follows:</b>\nTap what it shall no longer follow.")


def nothing_followed_text() -> str:
    return _("This chat follows nothing yet. /subscribe changes that.")


def unsubscribed_all_text() -> str:
    return _("This chat follows nothing any more. /subscribe changes that.")


def unsubscribed_text(subscription: Subscription) -> str:
    return _("This chat does not follow <b>{name}</b> any more.").format(name=escape_text(subscription_name(subscription)))


def not_followed_text(wanted: str) -> str:
    return _("This chat does not follow “{name}”. /subscriptions lists what it follows.").format(name=escape_text(wanted))


def followed_list_text(subscriptions: tuple[Subscription, ...], shown: int) -> str:
    """The list of what a chat follows, cut after `shown` lines."""
    lines = [f"• {escape_text(subscription_name(s))}{_scope_suffix(s)}" for s in subscriptions[:shown]]
    rest = [and_more_text(len(subscriptions) - shown)] if len(subscriptions) > shown else []
    return "\n".join([_("<b>This chat follows:</b>"), *lines, *rest])


def _scope_suffix(subscription: Subscription) -> str:
    own = " 🎚" if subscription.taste.own else ""
    return (f" <i>({_('competition')})</i>" if subscription.scope is Scope.COMPETITION else "") + own


def enabled_kinds_text(kinds: tuple[str, ...]) -> str:
    """The kinds that a chat hears about, in one line."""
    if not kinds:
        return _("It hears about nothing. /alerts changes that.")
    return _("It hears about: {kinds}. /alerts changes that.").format(kinds=join_kind_names(kinds))


def confirmation_suffix(*, waits: bool) -> str:
    return f" {_('It waits until things are confirmed.')}" if waits else ""


MAX_LISTED_SUBSCRIPTIONS = 60


def unsubscribe(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/unsubscribe [name]`: act when there is no doubt, else offer what is followed."""
    wanted = " ".join(args)
    if not context.subscriptions:
        return DialogueResult(Screen(nothing_followed_text()))
    if not wanted:
        return DialogueResult(show_unsubscribe_list(context))
    if wanted.casefold() == "all":
        return DialogueResult(Screen(unsubscribed_all_text()), tuple(Unsubscribe(s) for s in context.subscriptions))
    hits = _find_subscriptions(context, wanted)
    if not hits:
        return DialogueResult(Screen(not_followed_text(wanted)))
    if len(hits) == 1:
        return DialogueResult(Screen(unsubscribed_text(hits[0])), (Unsubscribe(hits[0]),))
    return DialogueResult(
        Screen(texts.which_one_text(wanted), arrange_rows([_make_unsubscribe_button(s, 0) for s in hits[:MAX_HITS]]))
    )


def show_unsubscribe_list(context: ChatContext, page: int = 0) -> Screen:
    """What is followed, as buttons that stop it."""
    if not context.subscriptions:
        return Screen(unsubscribed_all_text())
    page, shown = select_page(context.subscriptions, page)
    turn = make_page_buttons(len(context.subscriptions), page, "l")
    return Screen(
        choose_unsubscribe_text(),
        (*arrange_rows([_make_unsubscribe_button(s, page) for s in shown]), *turn, (Button(texts.done_label(), "done"),)),
    )


def unsubscribe_picked(context: ChatContext, data: str) -> DialogueResult:
    """One of the followed was tapped."""
    token, _, page = data.partition(":")
    gone = tuple(s for s in context.subscriptions if make_token(s) == token)
    if not gone:
        raise OutdatedButton
    kept = tuple(s for s in context.subscriptions if s not in gone)
    screen = show_unsubscribe_list(replace(context, subscriptions=kept), read_page(page))
    changes = tuple(Unsubscribe(s) for s in gone)
    return DialogueResult(screen, changes, describe_changes(changes))


def list_subscriptions(context: ChatContext, _args: tuple[str, ...]) -> DialogueResult:
    """`/subscriptions`: what the chat follows and what it hears about, and the way to each of it."""
    each = ((Button(overrides_label(), "xs:0"),),) if context.subscriptions else ()
    return DialogueResult(replace(show_subscriptions(context).screen, buttons=each))


def show_subscriptions(context: ChatContext) -> DialogueResult:
    """What was chosen, without any buttons."""
    if not context.subscriptions:
        return DialogueResult(Screen(nothing_followed_text()))
    kinds = tuple(kind for kind in context.kinds if context.chat.takes(kind))
    suffix = confirmation_suffix(waits=context.chat.waits)
    html = f"{followed_list_text(context.subscriptions, MAX_LISTED_SUBSCRIPTIONS)}\n\n{enabled_kinds_text(kinds)}{suffix}"
    return DialogueResult(Screen(html))


def _find_subscriptions(context: ChatContext, wanted: str) -> tuple[Subscription, ...]:
    """The subscriptions that fit a name best."""
    fits = [(how, s) for s in context.subscriptions if (how := measure_fit(wanted, texts.subscription_name(s))) is not None]
    exact = tuple(s for how, s in fits if how is Fit.EXACT)
    return exact or tuple(s for _, s in fits)


def _make_unsubscribe_button(subscription: Subscription, page: int) -> Button:
    return make_button(f"✖ {texts.subscription_name(subscription)}", f"u:{make_token(subscription)}:{page}")


_NEXT_CONFIRMATION = {None: True, True: False, False: None}

_KIND_SIGNS = "+-−–"

_OVERRIDE_WORDS: dict[str, Callable[[SubscriptionOverrides], SubscriptionOverrides]] = {
    "wait": lambda taste: replace(taste, waits=True),
    "now": lambda taste: replace(taste, waits=False),
    "scorers": lambda taste: replace(taste, scorers=True),
    "usual": lambda _: NO_OVERRIDES,
}
"""Words that may follow a name, beside kinds with their sign."""


def list_overridable(context: ChatContext, page: int = 0) -> Screen:
    """What the chat follows, each a tap away from its own screen."""
    page, shown = select_page(context.subscriptions, page)
    found = [make_button(_overrides_button_label(one), f"x:{make_token(one)}") for one in shown]
    last = (Button(texts.done_label(), "done"),)
    return Screen(
        choose_overrides_text(), (*arrange_rows(found), *make_page_buttons(len(context.subscriptions), page, "xs"), last)
    )


def edit_overrides(context: ChatContext, one: Subscription) -> Screen:
    """Every kind on offer, ticked where this subscription hears it, and the rest of its taste."""
    ear, name = apply_overrides(context.chat, one.taste), make_token(one)
    offered = [
        make_button(texts.kind_name(k), f"xk:{name}:{make_short_id(k)}", is_chosen=ear.takes(k))
        for k in _overridable_kinds(context)
    ]
    more = (
        (Button(override_sounds_label(), f"xb:{name}"),),
        (make_button(override_confirmation_label(one.taste.waits), f"xw:{name}"),),
        (make_button(words.scorers_only_label(), f"xg:{name}", is_chosen=ear.scorers),),
        *(((Button(reset_overrides_label(), f"xx:{name}"),),) if one.taste.own else ()),
        (Button(texts.back_label(), "xs:0"), Button(texts.done_label(), "done")),
    )
    return Screen(overrides_text(one), (*arrange_rows(offered, 2), *more))


def edit_override_sounds(context: ChatContext, one: Subscription) -> Screen:
    """The kinds that this subscription hears, each with how it sounds."""
    ear, name = apply_overrides(context.chat, one.taste), make_token(one)
    heard = [
        make_button(f"{_override_sound_sign(one.taste, k)}{texts.kind_name(k)}", f"xr:{name}:{make_short_id(k)}")
        for k in _overridable_kinds(context)
        if ear.takes(k)
    ]
    return Screen(override_sounds_text(one), (*arrange_rows(heard, 2), (Button(texts.back_label(), f"x:{name}"),)))


def show_overridable_page(context: ChatContext, page: str) -> Screen:
    """The page of the list that button data names."""
    if not context.subscriptions:
        raise OutdatedButton
    return list_overridable(context, read_page(page))


def _read_overridable_kind(context: ChatContext, data: str) -> tuple[Subscription, str]:
    """Read the subscription and the kind that button data names. Raise OutdatedButton if either is not offered any more."""
    token, _, kind_token = data.partition(":")
    kind = context.find_kind(kind_token)
    if kind is None or kind in LIVE_MESSAGE_KINDS:
        raise OutdatedButton
    return _find_by_token(context, token), kind


def toggle_override_kind(context: ChatContext, data: str) -> DialogueResult:
    """A kind was tapped."""
    one, kind = _read_overridable_kind(context, data)
    on = not apply_overrides(context.chat, one.taste).takes(kind)
    return _save_overrides(context, one, switch_override_kind(context, one.taste, kind, on=on), edit_overrides)


def cycle_override_sound(context: ChatContext, data: str) -> DialogueResult:
    """A kind's loudness was tapped: as in the chat, ringing, silent, in turn."""
    one, kind = _read_overridable_kind(context, data)
    taste = one.taste
    ring, silent = taste.ring - {kind}, taste.silent - {kind}
    if kind in taste.ring:
        silent |= {kind}
    elif kind not in taste.silent:
        ring |= {kind}
    return _save_overrides(context, one, replace(taste, ring=ring, silent=silent), edit_override_sounds)


def cycle_override_confirmation(context: ChatContext, token: str) -> DialogueResult:
    """Waiting was tapped: as in the chat, wait, do not, in turn."""
    one = _find_by_token(context, token)
    return _save_overrides(context, one, replace(one.taste, waits=_NEXT_CONFIRMATION[one.taste.waits]), edit_overrides)


def toggle_override_scorers(context: ChatContext, token: str) -> DialogueResult:
    """Scorers alone were tapped."""
    one = _find_by_token(context, token)
    on = not apply_overrides(context.chat, one.taste).scorers
    return _save_overrides(context, one, replace(one.taste, scorers=None if on == context.chat.scorers else on), edit_overrides)


def reset_overrides(context: ChatContext, token: str) -> DialogueResult:
    """As in the chat again."""
    return _save_overrides(context, _find_by_token(context, token), NO_OVERRIDES, edit_overrides)


def switch_override_kind(context: ChatContext, taste: SubscriptionOverrides, kind: str, *, on: bool) -> SubscriptionOverrides:
    """A taste with one kind switched; one that hears what the chat hears has no kinds of its own."""
    ear = apply_overrides(context.chat, taste)
    now = {k for k in _overridable_kinds(context) if ear.takes(k)} - {kind} | ({kind} if on else set())
    as_chat = now == {k for k in _overridable_kinds(context) if context.chat.takes(k)}
    return replace(taste, kinds=None if as_chat else frozenset(now), scorers=None)


def set_overrides_by_words(context: ChatContext, said: tuple[str, ...]) -> DialogueResult | None:
    """`/alerts NAME [+kind -kind | wait | now | scorers | usual] …`; None where the words name nothing that is followed."""
    at = next(
        (n for n, word in enumerate(said) if word[0] in _KIND_SIGNS or (n and word.casefold() in _OVERRIDE_WORDS)), len(said)
    )
    one = _find_by_name(context, " ".join(said[:at]))
    if one is None:
        return None
    taste = one.taste
    for word in said[at:]:
        found = _apply_override_word(context, taste, word)
        if found is None:
            return DialogueResult(Screen(texts.unknown_kind_text(word, _overridable_kinds(context))))
        taste = found
    if at == len(said):
        return DialogueResult(edit_overrides(context, one))
    heard = [k for k in _overridable_kinds(context) if apply_overrides(context.chat, taste).takes(k)]
    return DialogueResult(
        Screen(overrides_set_text(one, texts.join_kind_names(heard))), (UpdateSubscription(replace(one, taste=taste)),)
    )


def _apply_override_word(context: ChatContext, taste: SubscriptionOverrides, word: str) -> SubscriptionOverrides | None:
    """A taste after one more word; None for a word that says nothing."""
    if change := _OVERRIDE_WORDS.get(word.casefold()):
        return change(taste)
    kind = parse_kind(word.lstrip(_KIND_SIGNS), _overridable_kinds(context))
    return switch_override_kind(context, taste, kind, on=word[0] == "+") if kind else None


def _overridable_kinds(context: ChatContext) -> tuple[str, ...]:
    """The kinds that a subscription may hear in a way of its own: cards and pictures are the chat's."""
    return tuple(kind for kind in context.kinds if kind not in LIVE_MESSAGE_KINDS)


def _find_by_name(context: ChatContext, name: str) -> Subscription | None:
    """The one subscription that a name fits without doubt."""
    hits = [
        (how, one)
        for one in context.subscriptions
        if (how := measure_fit(name, texts.subscription_name(one))) is not None and how < Fit.SUBSTRING
    ]
    best = [one for how, one in hits if how == min(how for how, _ in hits)]
    return best[0] if len(best) == 1 else None


def _find_by_token(context: ChatContext, token: str) -> Subscription:
    for subscription in context.subscriptions:
        if make_token(subscription) == token:
            return subscription
    raise OutdatedButton


def _overrides_button_label(one: Subscription) -> str:
    return f"{OVERRIDES_SIGN} {texts.subscription_name(one)}" if one.taste.own else texts.subscription_name(one)


def _override_sound_sign(taste: SubscriptionOverrides, kind: str) -> str:
    return "🔔 " if kind in taste.ring else "🔕 " if kind in taste.silent else ""


def _save_overrides(
    context: ChatContext, one: Subscription, taste: SubscriptionOverrides, draw: Callable[[ChatContext, Subscription], Screen]
) -> DialogueResult:
    after = replace(one, taste=taste)
    return DialogueResult(draw(context, after), (UpdateSubscription(after),))


OVERRIDES_SIGN = "🎚"


def choose_overrides_text() -> str:
    return _("<b>Which one shall be heard in a way of its own?</b>\n🎚 marks those that are.")


def overrides_text(subscription: Subscription) -> str:
    text = _("<b>{name}</b>\nWhat this chat hears because it follows this. Tap to switch; the rest of the chat stays as it is.")
    return text.format(name=escape_text(subscription_name(subscription)))


def override_sounds_text(subscription: Subscription) -> str:
    text = _("<b>{name}</b>\nTap to change: 🔔 always rings, 🔕 comes silently; without a sign it is as in the chat.")
    return text.format(name=escape_text(subscription_name(subscription)))


def override_sounds_label() -> str:
    return _("🔔 What rings …")


def override_confirmation_label(value: bool | None) -> str:
    if value is None:
        return _("Confirmation: as in the chat")
    return _("Confirmation: wait for it") if value else _("Confirmation: do not wait")


def reset_overrides_label() -> str:
    return _("↩ As in the chat")


def overrides_set_text(subscription: Subscription, heard: str) -> str:
    """What was said in words was done; `heard` are its kinds in a row."""
    text = _("🎚 Because it follows <b>{name}</b> this chat hears about: {kinds}.")
    return text.format(name=escape_text(subscription_name(subscription)), kinds=heard or _("nothing"))


FEATURE = Feature(
    commands={
        "unsubscribe": Command(unsubscribe, N_("Stop following"), changes_settings=True),
        "subscriptions": Command(list_subscriptions, N_("What this chat follows")),
    },
    buttons={
        "u": unsubscribe_picked,
        "done": lambda context, _: show_subscriptions(context),
        "xk": toggle_override_kind,
        "xr": cycle_override_sound,
        "xw": cycle_override_confirmation,
        "xg": toggle_override_scorers,
        "xx": reset_overrides,
    },
    screens={
        "l": lambda context, page: show_unsubscribe_list(context, read_page(page)),
        "xs": show_overridable_page,
        "x": lambda context, token: edit_overrides(context, _find_by_token(context, token)),
        "xb": lambda context, token: edit_override_sounds(context, _find_by_token(context, token)),
    },
)
