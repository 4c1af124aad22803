"""The answer to following or unfollowing something: its effect, its alerts, and buttons to change or undo it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from msgspec.structs import replace

from bot.chat.dialogue import (
    Button,
    ButtonRow,
    Change,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    Subscribe,
    Unsubscribe,
    UpdateSubscription,
    arrange_rows,
    make_button,
    select_held_back,
)
from bot.chat.features.fixtures import render_headline
from bot.chat.routing import Feature
from bot.chat.search.catalogue import Choice, make_token
from bot.chat.texts import choice_name, choice_names, done_label, escape_text, join_kind_names, render_kickoff, subscription_name
from bot.i18n.football import format_title
from bot.i18n.language import format_short_date, join_sentence_list, to_local_time
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.matches.held_back import held_back_text
from bot.subscribers import Scope, Subscription, SubscriptionOverrides

MAX_NAMES = 5
"""The most names that one message may follow: their tokens have to fit into one button."""

MAX_OTHERS = 2
"""The most teams of a similar name that are offered in place of the one that was followed."""

_TOKEN_LENGTH = 8

_NEAR = dt.timedelta(days=7)
"""How far ahead a date is shown by its day of the week."""

# The letters stand in the data of buttons that were sent, and must not change.
PRESETS: dict[str, tuple[str, frozenset[str] | None]] = {
    "g": (N_("⚽ Only goals"), frozenset({"goal"})),
    "c": (N_("🟥 Goals and cards"), frozenset({"goal", "red_card", "yellow_card"})),
    "e": (N_("📣 Everything"), None),
}
"""The choices of alerts for what was just followed, and their kinds; None: every kind on offer."""


def confirm_following(context: ChatContext, choices: Sequence[Choice], others: Sequence[Choice] = ()) -> DialogueResult:
    """Subscribe to what is not followed yet and show the confirmation. `others`: similar names to offer instead."""
    added = tuple(choice.subscription for choice in choices if not context.has_subscription(choice))
    changes: tuple[Change, ...] = tuple(Subscribe(subscription) for subscription in added)
    # What is followed already is shown with its own settings, and under the key that it is stored by.
    known = tuple(s for choice in choices for s in context.find_subscriptions(choice.matching_subscriptions))
    after = replace(context, subscriptions=(*context.subscriptions, *added))
    screen = show_followed(after, (*added, *known), others, is_new=bool(added), added=added)
    return DialogueResult(screen, changes, describe_changes(changes))


def show_followed(
    context: ChatContext,
    subscriptions: Sequence[Subscription],
    others: Sequence[Choice] = (),
    *,
    is_new: bool = True,
    added: Sequence[Subscription] | None = None,
) -> Screen:
    """Show what is followed now, its next match or the score, its alerts, and buttons for the likely next wish.

    `added`: those that the chat did not follow before; None: all if `is_new`, else none.
    """
    names = join_sentence_list([f"<b>{escape_text(subscription_name(s))}</b>" for s in subscriptions])
    lines = [(_("✅ Following {names}.") if is_new else _("You already follow {names}.")).format(names=names)]
    if added is None:
        added = subscriptions if is_new else ()
    before = [one for one in context.subscriptions if one not in added]
    lines += [line for subscription in subscriptions if (line := render_effect(context, subscription, before))]
    held_back = select_held_back(context.catalogue.all_fixtures, context.held_back, subscriptions)
    lines += [held_back_text(fixture) for fixture in held_back[:MAX_NAMES]]
    if context.max_matches is not None and any(one.scope is Scope.ALL for one in subscriptions):
        limit = _("The bot follows {count} matches at a time, those of followed teams and leagues first.")
        lines.append(limit.format(count=context.max_matches))
    lines.append(render_alerts(context, subscriptions[0]))
    tokens = "".join(make_token(subscription) for subscription in subscriptions)
    presets = [
        make_button(_(label), f"pr:{letter}:{tokens}", is_chosen=subscriptions[0].overrides.kinds == kinds)
        for letter, (label, _kinds) in PRESETS.items()
        if (kinds := list_preset_kinds(context, letter))
    ]
    more = Button(_("🎚 More"), f"x:{tokens}" if len(subscriptions) == 1 else "xs:0")
    undo = Button(_("↩ Undo") if added else _("✖ Unfollow"), f"un:{tokens}")
    rows: list[ButtonRow] = [*arrange_rows([*presets, more], 2), (undo, Button(done_label(), "fd"))]
    if others and len(subscriptions) == 1:
        swaps = [
            make_button(choice_name(other), f"sw:{tokens}:{other.token}", names=choice_names(other))
            for other in others[:MAX_OTHERS]
        ]
        rows[-1:-1] = arrange_rows(swaps, 2)
        lines.append(_("<i>Not that one? Tap the right one.</i>"))
    return Screen("\n".join(lines), tuple(rows))


def render_effect(context: ChatContext, subscription: Subscription, before: Sequence[Subscription]) -> str:
    """Return the match in play that the subscription covers, or its next match; empty if none is known.

    A match that the chat followed `before` is shown with its score.
    """
    covered = [fixture for fixture in context.catalogue.all_fixtures if subscription.covers(fixture)]
    for fixture in covered:
        if context.is_in_play(fixture):
            # A chat gets the score of a match that is new to it in a message of its own, or on a card: with its delay, hidden
            # where it wants no spoilers, and corrected where a goal falls. So it is not read here as well.
            match = context.find_match(fixture.id)
            is_told_apart = context.chat.delay or (match is not None and not any(one.covers(fixture) for one in before))
            shown = escape_text(format_title(fixture)) if is_told_apart else render_headline(context, fixture, match)
            return _("Now: {match}").format(match=shown)
    for fixture in covered:
        if fixture.kickoff and fixture.kickoff > context.now and fixture.title:
            time = render_next_kickoff(fixture.kickoff, context.now, context.chat.timezone)
            return _("Next: {time} {match}").format(time=time, match=escape_text(format_title(fixture)))
    return ""


def render_next_kickoff(kickoff: dt.datetime, now: dt.datetime, timezone: str) -> str:
    """Return `Sat 22 15:00`, or `14 August` for a match that is more than a week away, whose time often is not final. HTML."""
    if kickoff - now < _NEAR:
        return render_kickoff(kickoff, timezone, with_day=True)
    return escape_text(format_short_date(to_local_time(kickoff, timezone).date()))


def render_alerts(context: ChatContext, subscription: Subscription) -> str:
    """Return the line that names the alerts that a subscription brings."""
    effective = context.chat.filter.with_overrides(subscription.overrides)
    kinds = [kind for kind in context.overridable_kinds if effective.accepts(kind)]
    if not kinds:
        return _("All alerts are off.")
    if len(kinds) == len(context.overridable_kinds):
        return _("Alerts: everything.")
    return _("Alerts: {kinds}.").format(kinds=join_kind_names(kinds))


def list_preset_kinds(context: ChatContext, letter: str) -> frozenset[str]:
    """Return the kinds of a preset that are on offer. Raise OutdatedButton for a letter that is none."""
    if letter not in PRESETS:
        raise OutdatedButton
    kinds, offered = PRESETS[letter][1], frozenset(context.overridable_kinds)
    return offered if kinds is None else kinds & offered


def choose_preset(context: ChatContext, data: str) -> DialogueResult:
    """Give what was just followed the alerts of a preset. A second tap returns to the chat's own."""
    letter, _colon, tokens = data.partition(":")
    subscriptions, kinds = _read_subscriptions(context, tokens), list_preset_kinds(context, letter)
    # From what was seen: two people who press it at the same moment want the same.
    return choose_kinds(context, subscriptions, None if subscriptions[0].overrides.kinds == kinds else kinds, added=None)


def choose_kinds(
    context: ChatContext,
    subscriptions: Sequence[Subscription],
    kinds: frozenset[str] | None,
    added: Sequence[Subscription] | None = (),
) -> DialogueResult:
    """Give subscriptions exactly these kinds; with None, those of the chat. `added` is that of `show_followed`."""

    def change(overrides: SubscriptionOverrides) -> SubscriptionOverrides:
        # "Only goals, with their scorers" would exclude the kinds that were chosen here.
        return replace(overrides, kinds=kinds, scorers_only=None)

    changed = tuple(replace(s, overrides=change(s.overrides)) for s in subscriptions)
    screen = show_followed(context, changed, added=added)
    return DialogueResult(screen, tuple(UpdateSubscription(s, change) for s in subscriptions))


def undo_following(context: ChatContext, tokens: str) -> DialogueResult:
    """Unsubscribe from what a confirmation is about."""
    return confirm_unfollowing(context, _read_subscriptions(context, tokens))


def confirm_unfollowing(context: ChatContext, removed: Sequence[Subscription]) -> DialogueResult:
    """Unsubscribe and say so, with what still reaches the chat by another subscription, and a way back."""
    kept = tuple(s for s in context.subscriptions if s not in removed)
    names = join_sentence_list([f"<b>{escape_text(subscription_name(s))}</b>" for s in removed])
    lines = [_("Unfollowed {names}.").format(names=names)]
    if covering := list_covering(context, removed, kept):
        still = join_sentence_list([f"<b>{escape_text(subscription_name(s))}</b>" for s in covering])
        # Without this the next goal would come as a surprise.
        lines.append(_("Alerts still come through {names}.").format(names=still))
    buttons = []
    if len(removed) == 1 and context.catalogue.find(make_token(removed[0])):
        buttons.append(Button(_("↩ Undo"), f"s:{make_token(removed[0])}"))
    buttons += [Button(_("⚽ Follow a team"), "h:0"), Button(done_label(), "done")]
    changes = tuple(Unsubscribe(s) for s in removed)
    return DialogueResult(Screen("\n".join(lines), arrange_rows(buttons, 2)), changes, describe_changes(changes))


def list_covering(
    context: ChatContext, removed: Sequence[Subscription], kept: Sequence[Subscription]
) -> tuple[Subscription, ...]:
    """Return those of the kept subscriptions that cover a coming match of the removed ones."""
    matches = [choice.fixture for choice in context.catalogue.list_upcoming(context.now) if choice.fixture]
    ours = [fixture for fixture in matches if any(s.covers(fixture) for s in removed)]
    return tuple(s for s in kept if any(s.covers(fixture) for fixture in ours))


def swap_followed(context: ChatContext, data: str) -> DialogueResult:
    """Follow another team of a similar name in place of the one that was followed."""
    tokens, _colon, other = data.partition(":")
    choice, removed = context.catalogue.find(other), _read_subscriptions(context, tokens)
    if choice is None:
        raise OutdatedButton
    without = replace(context, subscriptions=tuple(s for s in context.subscriptions if s not in removed))
    result = confirm_following(without, (choice,))
    return replace(result, changes=(*(Unsubscribe(s) for s in removed), *result.changes))


def describe_changes(changes: Sequence[Change]) -> str:
    """Return the note of a press that subscribed or unsubscribed."""
    added = [f"✅ {subscription_name(change.subscription)}" for change in changes if isinstance(change, Subscribe)]
    removed = [f"✖ {subscription_name(change.subscription)}" for change in changes if isinstance(change, Unsubscribe)]
    # Two subscriptions can mean the same team, by id and by name: it is named once.
    return " ".join(added[:1] + removed[:1])


def _read_subscriptions(context: ChatContext, tokens: str) -> tuple[Subscription, ...]:
    """Return the subscriptions that button data names. Raise OutdatedButton if one is not followed any more."""
    wanted = [tokens[at : at + _TOKEN_LENGTH] for at in range(0, len(tokens), _TOKEN_LENGTH)]
    by_token = {make_token(subscription): subscription for subscription in context.subscriptions}
    if not wanted or not all(token in by_token for token in wanted):
        raise OutdatedButton
    return tuple(by_token[token] for token in wanted)


FEATURE = Feature(buttons={"pr": choose_preset, "un": undo_following, "sw": swap_followed})
