"""`/subscriptions`, `/unsubscribe`, settings of one subscription.

A subscription may override the chat's settings: its kinds, their sound, waiting for confirmation, only goals with scorers.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec.structs import replace

from bot.chat.dialogue import (
    CHOSEN_SIGN,
    UNCHOSEN_SIGN,
    Button,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    UnfollowAll,
    Unsubscribe,
    UpdateSubscription,
    arrange_rows,
    make_button,
    make_closing_row,
    make_page_buttons,
    read_page,
    select_page,
)
from bot.chat.features.followed import choose_kinds, confirm_unfollowing, describe_changes
from bot.chat.features.subscribe import MAX_HITS
from bot.chat.parsing.kinds import KIND_SIGNS, parse_kind, parse_kinds
from bot.chat.parsing.plain_words import EVERY_WORDS, ONLY_WORDS
from bot.chat.parsing.sentences import drop_article
from bot.chat.routing import Command, Feature
from bot.chat.search.catalogue import make_short_id, make_token
from bot.chat.search.name_index import Fit
from bot.chat.texts import (
    OVERRIDES_SIGN,
    and_more_text,
    back_label,
    back_to_kinds_label,
    done_label,
    escape_text,
    join_kind_names,
    overrides_label,
    scorers_only_label,
    sounds_label,
    subscription_name,
    subscription_names,
    unknown_kind_text,
    which_one_text,
)
from bot.i18n.football import kind_name
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.storage.subscriptions import ChangeOverrides
from bot.subscribers import NO_OVERRIDES, Scope, Subscription, SubscriptionOverrides
from rules.engine.alert import LIVE_MESSAGE_KINDS
from rules.football.names import normalise

MAX_LISTED_SUBSCRIPTIONS = 60
"""Lines of the list: Telegram takes no more than 4,096 characters in a message."""

ShowOverrides = Callable[[ChatContext, Subscription], Screen]

_NEXT_CONFIRMATION = {None: True, True: False, False: None}
"""None: as in the chat."""

_OVERRIDE_WORDS: dict[str, ChangeOverrides] = {
    "wait": lambda overrides: replace(overrides, confirmed_only=True),
    "now": lambda overrides: replace(overrides, confirmed_only=False),
    "scorers": lambda overrides: replace(overrides, scorers_only=True),
    "usual": lambda _: NO_OVERRIDES,
}
"""Words that may follow a subscription's name in `/alerts`, beside kinds with their sign."""


def list_subscriptions(context: ChatContext, _args: tuple[str, ...]) -> DialogueResult:
    """`/subscriptions`: what the chat follows and which alerts it gets, with a button to the settings of each."""
    if not context.subscriptions:
        return DialogueResult(Screen(nothing_followed_text(), (make_follow_buttons(),)))
    buttons = (
        (Button(overrides_label(), "xs:0"),),
        (Button(_("➕ Follow more"), "h:0"), Button(_("✖ Unfollow"), "l:0")),
        make_closing_row(),
    )
    return DialogueResult(replace(show_subscriptions(context), buttons=buttons))


def show_subscriptions(context: ChatContext) -> Screen:
    """Show what was chosen, without buttons: the last screen of a dialogue."""
    subscriptions, shown = context.subscriptions, context.subscriptions[:MAX_LISTED_SUBSCRIPTIONS]
    if not subscriptions:
        return Screen(nothing_followed_text())
    lines = [_("<b>Following</b>")]
    for subscription in shown:
        competition = f" <i>({_('competition')})</i>" if subscription.scope is Scope.COMPETITION else ""
        sign = f" {OVERRIDES_SIGN}" if subscription.overrides.has_any else ""
        lines.append(f"• {escape_text(subscription_name(subscription))}{competition}{sign}")
    if len(subscriptions) > len(shown):
        lines.append(and_more_text(len(subscriptions) - len(shown)))
    kinds = [kind for kind in context.kinds if context.chat.filter.accepts(kind)]
    if kinds:
        # A member of a group may not change them.
        alerts = _("Alerts: {kinds}. Change: /alerts") if context.may_change else _("Alerts: {kinds}.")
        alerts = alerts.format(kinds=join_kind_names(kinds))
    else:
        alerts = _("All alerts are off. Change: /alerts") if context.may_change else _("All alerts are off.")
    if context.chat.filter.confirmed_only:
        alerts = f"{alerts}\n{_('They wait for confirmation.')}"
    return Screen("\n".join([*lines, "", alerts]))


def unsubscribe(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/unsubscribe [name | all]`: act if there is no doubt, else offer what is followed."""
    typed = " ".join(args)
    if not context.subscriptions:
        return DialogueResult(Screen(nothing_followed_text(), (make_follow_buttons(),)))
    if not typed:
        return DialogueResult(show_unsubscribe_list(context))
    if normalise(typed) in EVERY_WORDS:
        # As /stop does: what was followed is remembered, for the button that follows it again.
        undo = (Button(_("↩ Undo"), "p!:undo"),)
        return DialogueResult(Screen(unsubscribed_all_text(), (undo, make_follow_buttons())), (UnfollowAll(),))
    # Only what the chat follows is searched, not the fixtures: a subscription may be for a team that does not play now.
    fits = [(_measure_fit(context, typed, subscription), subscription) for subscription in context.subscriptions]
    exact = [subscription for fit, subscription in fits if fit is not None and fit <= Fit.NICKNAME]
    hits = exact or [subscription for fit, subscription in fits if fit is not None]
    if not hits and (name := drop_article(args)) != args:
        # "from Arsenal"
        return unsubscribe(context, name)
    if not hits:
        html = _("You don't follow “{name}”. Tap to unfollow:").format(name=escape_text(typed))
        return DialogueResult(replace(show_unsubscribe_list(context), html=html))
    if len(hits) == 1:
        return confirm_unfollowing(context, hits)
    buttons = [_make_unsubscribe_button(subscription, 0) for subscription in hits[:MAX_HITS]]
    last = (Button(back_label(), "l:0"), Button(done_label(), "done"))
    return DialogueResult(Screen(which_one_text(typed), (*arrange_rows(buttons), last)))


def show_unsubscribe_list(context: ChatContext, page: int = 0) -> Screen:
    """Show what is followed, as buttons that unsubscribe."""
    if not context.subscriptions:
        return Screen(unsubscribed_all_text(), (make_follow_buttons(),))
    page, shown = select_page(context.subscriptions, page)
    buttons = arrange_rows([_make_unsubscribe_button(subscription, page) for subscription in shown])
    pages = make_page_buttons(len(context.subscriptions), page, "l")
    html = _("<b>Following</b>\nTap to unfollow.")
    return Screen(html, (*buttons, *pages, (Button(done_label(), "done"),)))


def unsubscribe_picked(context: ChatContext, data: str) -> DialogueResult:
    """Unsubscribe from what was tapped in the list, and show the list again."""
    token, _, page = data.partition(":")
    # By the token of the subscription itself, which does not depend on the fixtures that are known.
    removed = tuple(s for s in context.subscriptions if make_token(s) == token)
    if not removed:
        raise OutdatedButton
    kept = tuple(s for s in context.subscriptions if s not in removed)
    screen = show_unsubscribe_list(replace(context, subscriptions=kept), read_page(page))
    changes = tuple(Unsubscribe(s) for s in removed)
    return DialogueResult(screen, changes, describe_changes(changes))


def _make_unsubscribe_button(subscription: Subscription, page: int) -> Button:
    return make_button(
        f"✖ {subscription_name(subscription)}", f"u:{make_token(subscription)}:{page}", names=subscription_names(subscription)
    )


def make_follow_buttons() -> tuple[Button, ...]:
    """Make the buttons of a chat that follows nothing."""
    return (Button(_("⚽ Follow a team"), "h:0"), Button(_("📅 Today"), "td:"))


def nothing_followed_text() -> str:
    return _("You don't follow anything yet.")


def unsubscribed_all_text() -> str:
    return _("Unfollowed everything. No alerts come.")


def show_overridable_list(context: ChatContext, page: int = 0) -> Screen:
    """Show what the chat follows, each as a button to its own settings."""
    # Everything was unsubscribed since the button was sent.
    if not context.subscriptions:
        raise OutdatedButton
    page, shown = select_page(context.subscriptions, page)
    buttons = []
    for subscription in shown:
        sign = f"{OVERRIDES_SIGN} " if subscription.overrides.has_any else ""
        label, names = f"{sign}{subscription_name(subscription)}", subscription_names(subscription)
        buttons.append(make_button(label, f"x:{make_token(subscription)}", names=names))
    pages = make_page_buttons(len(context.subscriptions), page, "xs")
    html = _("<b>🎚 Per-team settings</b>\nPick one to customise. 🎚 = customised")
    # It is reached from both lists.
    back = (Button(back_to_kinds_label(), "ks"), Button(_("⚽ Following"), "sl:"))
    return Screen(html, (*arrange_rows(buttons), *pages, back, (Button(done_label(), "done"),)))


def edit_overrides(context: ChatContext, subscription: Subscription) -> Screen:
    """Show every kind on offer, ticked if this subscription sends it, and its other settings."""
    overrides, token = subscription.overrides, make_token(subscription)
    effective = context.chat.filter.with_overrides(overrides)
    kinds = [
        make_button(kind_name(kind), f"xk:{token}:{make_short_id(kind)}", is_chosen=effective.accepts(kind))
        for kind in context.overridable_kinds
    ]
    confirmation = {
        None: _("Confirmation: default"),
        True: _("Confirmation: wait for it"),
        False: _("Confirmation: do not wait"),
    }
    html = _("<b>🎚 {name}</b>\nAlerts for this one only. Tap to switch.")
    return Screen(
        html.format(name=escape_text(subscription_name(subscription))),
        (
            *arrange_rows(kinds, 2),
            (Button(sounds_label(), f"xb:{token}"),),
            (make_button(confirmation[overrides.confirmed_only], f"xw:{token}"),),
            (make_button(scorers_only_label(), f"xg:{token}", is_chosen=effective.scorers_only),),
            *(((Button(_("↩ Default"), f"xx:{token}"),),) if overrides.has_any else ()),
            (Button(back_label(), "xs:0"), Button(done_label(), "done")),
        ),
    )


def edit_override_sounds(context: ChatContext, subscription: Subscription) -> Screen:
    """Show the kinds that this subscription sends, each with its sound."""
    overrides, token = subscription.overrides, make_token(subscription)
    effective = context.chat.filter.with_overrides(overrides)
    signs = dict.fromkeys(overrides.silent, "🔕 ") | dict.fromkeys(overrides.loud, "🔔 ")
    kinds = [
        make_button(f"{signs.get(kind, '')}{kind_name(kind)}", f"xr:{token}:{make_short_id(kind)}")
        for kind in context.overridable_kinds
        if effective.accepts(kind)
    ]
    html = _("<b>🎚 {name}</b>\n🔔 sound · 🔕 silent · no icon: default")
    return Screen(
        html.format(name=escape_text(subscription_name(subscription))),
        (*arrange_rows(kinds, 2), (Button(back_label(), f"x:{token}"),)),
    )


def toggle_override_kind(context: ChatContext, data: str) -> DialogueResult:
    """Switch one kind of a subscription on or off."""
    subscription, kind = _read_overridable_kind(context, data)
    on = not context.chat.filter.with_overrides(subscription.overrides).accepts(kind)
    # What was seen is switched, not what is stored by then: who presses it at the same moment wants the same.
    note = f"{CHOSEN_SIGN if on else UNCHOSEN_SIGN} {kind_name(kind)}"
    return _save_overrides(
        context, subscription, lambda overrides: switch_override_kind(context, overrides, kind, on=on), edit_overrides, note
    )


def cycle_override_sound(context: ChatContext, data: str) -> DialogueResult:
    """Change the sound of one kind of a subscription from the chat's to ringing, then to silent, then back."""
    subscription, kind = _read_overridable_kind(context, data)
    seen = subscription.overrides
    ring = frozenset({kind} if kind not in seen.loud | seen.silent else ())
    silent = frozenset({kind} if kind in seen.loud else ())

    def change(overrides: SubscriptionOverrides) -> SubscriptionOverrides:
        return replace(overrides, loud=(overrides.loud - {kind}) | ring, silent=(overrides.silent - {kind}) | silent)

    return _save_overrides(context, subscription, change, edit_override_sounds)


def cycle_override_confirmation(context: ChatContext, token: str) -> DialogueResult:
    """Change whether a subscription waits for confirmation from the chat's setting to yes, then to no, then back."""
    subscription = _find_by_token(context, token)
    confirmed_only = _NEXT_CONFIRMATION[subscription.overrides.confirmed_only]
    return _save_overrides(
        context, subscription, lambda overrides: replace(overrides, confirmed_only=confirmed_only), edit_overrides
    )


def toggle_override_scorers(context: ChatContext, token: str) -> DialogueResult:
    """Switch whether a subscription sends only goals, with their scorers."""
    subscription = _find_by_token(context, token)
    is_on = not context.chat.filter.with_overrides(subscription.overrides).scorers_only
    # What is as in the chat is no override, and follows the chat when that changes.
    scorers_only = None if is_on == context.chat.filter.scorers_only else is_on
    return _save_overrides(context, subscription, lambda overrides: replace(overrides, scorers_only=scorers_only), edit_overrides)


def switch_override_kind(context: ChatContext, overrides: SubscriptionOverrides, kind: str, *, on: bool) -> SubscriptionOverrides:
    """Return the overrides with one kind switched. Kinds that are those of the chat are no override."""
    # From what is sent now, with the chat's settings in it: switching one kind must not change the others.
    effective = context.chat.filter.with_overrides(overrides)
    kinds = {other for other in context.overridable_kinds if effective.accepts(other)} - {kind} | ({kind} if on else set())
    is_as_chat = kinds == {other for other in context.overridable_kinds if context.chat.filter.accepts(other)}
    # "Only goals, with their scorers" excludes every other kind, so choosing kinds ends it.
    return replace(overrides, kinds=None if is_as_chat else frozenset(kinds), scorers_only=None)


def _save_overrides(
    context: ChatContext, subscription: Subscription, change: ChangeOverrides, show: ShowOverrides, note: str = ""
) -> DialogueResult:
    changed = replace(subscription, overrides=change(subscription.overrides))
    return DialogueResult(show(context, changed), (UpdateSubscription(subscription, change),), note)


def set_overrides_by_words(context: ChatContext, args: tuple[str, ...]) -> DialogueResult | None:
    """`/alerts NAME [+kind -kind | wait | now | scorers | usual] …`. Return None if NAME names no subscription without doubt."""
    # A name has any number of words. It ends before the first kind with a sign, or the first word that means something here;
    # a name may be such a word itself ("Now"), so the first word is always part of it.
    end = next(
        (at for at, word in enumerate(args) if word[0] in KIND_SIGNS or (at and word.casefold() in _OVERRIDE_WORDS)), len(args)
    )
    subscription = find_subscription(context, " ".join(args[:end]))
    if subscription is None and end == len(args):
        return _set_kinds_after_name(context, args)
    if subscription is None:
        return None
    if end == len(args):
        return DialogueResult(edit_overrides(context, subscription))
    offered, steps = context.overridable_kinds, list[ChangeOverrides]()
    for word in args[end:]:
        if step := _OVERRIDE_WORDS.get(word.casefold()):
            steps.append(step)
        elif kind := parse_kind(word.lstrip(KIND_SIGNS), offered):
            steps.append(partial(switch_override_kind, context, kind=kind, on=word[0] == "+"))
        else:
            more = Button(overrides_label(), f"x:{make_token(subscription)}")
            return DialogueResult(Screen(unknown_kind_text(word, offered), ((more,), make_closing_row())))

    def change(overrides: SubscriptionOverrides) -> SubscriptionOverrides:
        for step in steps:
            overrides = step(overrides)
        return overrides

    effective = context.chat.filter.with_overrides(change(subscription.overrides))
    kinds = join_kind_names([kind for kind in offered if effective.accepts(kind)]) or _("nothing")
    html = _("🎚 <b>{name}</b>: {kinds}.")
    more = Button(overrides_label(), f"x:{make_token(subscription)}")
    return DialogueResult(
        Screen(html.format(name=escape_text(subscription_name(subscription)), kinds=kinds), ((more,), make_closing_row())),
        (UpdateSubscription(subscription, change),),
    )


def _set_kinds_after_name(context: ChatContext, args: tuple[str, ...]) -> DialogueResult | None:
    """`/alerts Arsenal goals`, `/alerts Arsenal only goals`: exactly these kinds. None if that is not what was typed."""
    # The longest name first, since a name may have a kind's word in it (Goal FC).
    for end in range(len(args) - 1, 0, -1):
        kinds = parse_kinds([word for word in args[end:] if normalise(word) not in ONLY_WORDS], context.overridable_kinds)
        name = [word for word in args[:end] if normalise(word) not in ONLY_WORDS]
        subscription = find_subscription(context, " ".join(name)) if kinds else None
        if subscription:
            return choose_kinds(context, (subscription,), frozenset(kinds))
    return None


def _read_overridable_kind(context: ChatContext, data: str) -> tuple[Subscription, str]:
    token, _, kind_token = data.partition(":")
    kind = context.find_kind(kind_token)
    if kind is None or kind in LIVE_MESSAGE_KINDS:
        raise OutdatedButton
    return _find_by_token(context, token), kind


def _find_by_token(context: ChatContext, token: str) -> Subscription:
    for subscription in context.subscriptions:
        if make_token(subscription) == token:
            return subscription
    raise OutdatedButton


def find_subscription(context: ChatContext, name: str) -> Subscription | None:
    """Return the subscription that a name fits best; None if there is none, or several."""
    hits = [
        (fit, subscription)
        for subscription in context.subscriptions
        if (fit := _measure_fit(context, name, subscription)) is not None and fit < Fit.SUBSTRING
    ]
    best = [subscription for fit, subscription in hits if fit == min(fit for fit, _ in hits)]
    return best[0] if len(best) == 1 else None


def _measure_fit(context: ChatContext, typed: str, subscription: Subscription) -> Fit | None:
    # By the feed's name: its other names, such as those of national teams in other languages, are known by that one.
    return context.catalogue.measure_fit(typed, subscription.name or subscription_name(subscription))


FEATURE = Feature(
    commands={
        "unsubscribe": Command(unsubscribe, N_("Stop following"), changes_settings=True),
        "subscriptions": Command(list_subscriptions, N_("What you follow")),
    },
    buttons={
        "u": unsubscribe_picked,
        "xk": toggle_override_kind,
        "xr": cycle_override_sound,
        "xw": cycle_override_confirmation,
        "xg": toggle_override_scorers,
        "xx": lambda context, token: _save_overrides(
            context, _find_by_token(context, token), lambda _: NO_OVERRIDES, edit_overrides
        ),
    },
    screens={
        "done": lambda context, _: show_subscriptions(context),
        "sl": lambda context, _: list_subscriptions(context, ()).screen,
        "l": lambda context, page: show_unsubscribe_list(context, read_page(page)),
        "xs": lambda context, page: show_overridable_list(context, read_page(page)),
        "x": lambda context, token: edit_overrides(context, _find_by_token(context, token)),
        "xb": lambda context, token: edit_override_sounds(context, _find_by_token(context, token)),
    },
)
