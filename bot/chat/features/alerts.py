"""`/alerts`: kinds, sound of each, confirmed only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec.structs import replace

from bot.chat.dialogue import (
    CHOSEN_SIGN,
    UNCHOSEN_SIGN,
    Button,
    ButtonRow,
    ChatContext,
    DialogueResult,
    OutdatedButton,
    Screen,
    arrange_rows,
    make_button,
    make_closing_row,
    set_settings,
    update_filter,
)
from bot.chat.features.alerts_for_name import read_name, set_kinds_for_name, switch_alerts_of_name, switch_kinds_of_name
from bot.chat.features.match_cards import parse_card_form, set_card_form
from bot.chat.features.subscribe import search_followable, subscribe
from bot.chat.features.subscriptions import set_overrides_by_words
from bot.chat.parsing.kinds import KIND_SIGNS, SWITCH_FILLERS, parse_kind, parse_kinds, read_kind_switches
from bot.chat.parsing.plain_words import ONLY_WORDS, parse_on_off
from bot.chat.routing import Command, Feature
from bot.chat.search.catalogue import make_short_id
from bot.chat.texts import (
    back_to_kinds_label,
    display_options_label,
    done_label,
    join_kind_names,
    overrides_label,
    settings_label,
    sounds_label,
    unknown_kind_text,
)
from bot.i18n.football import kind_name
from bot.i18n.language import mark_for_translation as N_
from bot.i18n.language import translate as _
from bot.subscribers import AlertFilter
from rules.engine.alert import CARD, DEFAULT_KINDS, LIVE_MESSAGE_KINDS
from rules.football.names import normalise

_SOUND_TEXTS = {
    "ring": N_("With sound: {kinds}."),
    "silent": N_("Without sound: {kinds}."),
    "usual": N_("Default sound: {kinds}."),
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
        return set_confirmation(context, first, args[1:])
    if (form := parse_card_form(args, context.kinds)) is not None:
        return set_card_form(context, form)
    if (result := set_only_kinds(context, args)) is not None:
        return result
    if not read_kind_switches(args, context.kinds):
        for read_words in (switch_kinds_of_name, switch_alerts_of_name, set_kinds_for_name):
            if (result := read_words(context, args)) is not None:
                return result
    is_switch = first in ("", "all") or parse_on_off(first) is not None
    is_for_chat = (len(args) < 2 and is_switch) or parse_kind(first.lstrip(KIND_SIGNS), context.kinds)
    if not is_for_chat and (result := set_overrides_by_words(context, args)):
        return result
    if not is_for_chat and search_followable(context, " ".join(args)).exact:
        # Somebody who asks for the alerts of a team that is not followed yet wants to follow it.
        return subscribe(context, args)
    return set_kinds(context, args)


def set_only_kinds(context: ChatContext, args: Sequence[str]) -> DialogueResult | None:
    """`/alerts only goals`, `/alerts goals and cards only`: exactly these kinds. None if the words say something else."""
    has_only = any(normalise(word) in ONLY_WORDS for word in args)
    # "I only want goals"
    words = [word for word in args if normalise(word) not in ONLY_WORDS | SWITCH_FILLERS]
    kinds = parse_kinds(words, context.kinds) if has_only else ()
    if not kinds:
        return None

    def change(alert_filter: AlertFilter) -> AlertFilter:
        alert_filter = replace(disable_all_kinds(alert_filter, context.kinds), scorers_only=False)
        for kind in kinds:
            alert_filter = switch_kind(alert_filter, kind, context.kinds, on=True)
        return alert_filter

    html = _("Alerts: only {kinds}.").format(kinds=join_kind_names(kinds))
    return DialogueResult(
        Screen(html, make_alert_buttons()),
        (update_filter(change),),
        starts_cards=_starts_cards(context.chat.filter, change(context.chat.filter)),
    )


def make_alert_buttons() -> tuple[ButtonRow, ...]:
    """Make the buttons under an answer about alerts: to all of them, to the settings, and out."""
    return ((Button(_("📣 Alerts"), "ks"),), make_closing_row())


def reset_kinds(alert_filter: AlertFilter) -> AlertFilter:
    """Return the filter with the kinds that a new chat has."""
    return replace(alert_filter, all_kinds=False, kinds_on=frozenset(), kinds_off=frozenset(), scorers_only=False)


def set_kinds(context: ChatContext, args: tuple[str, ...]) -> DialogueResult:
    """`/alerts [all | none | +kind -kind …]`; without arguments, buttons."""
    if not args:
        return DialogueResult(show_kinds(context, context.chat.filter))
    word = args[0].casefold()
    if len(args) == 1 and word == "all":
        return DialogueResult(Screen(_("All alerts are on."), make_alert_buttons()), (update_filter(enable_all_kinds),))
    if len(args) == 1 and parse_on_off(word) is True:
        kinds = list_enabled_kinds(reset_kinds(context.chat.filter), context.kinds)
        html = _("Alerts: {kinds}.").format(kinds=join_kind_names(kinds))
        # A mute would still keep them away.
        unmutes = (set_settings(muted_until=None),) if context.chat.muted_until else ()
        return DialogueResult(Screen(html, make_alert_buttons()), (update_filter(reset_kinds), *unmutes))
    if len(args) == 1 and parse_on_off(word) is False:
        change_all = update_filter(lambda alert_filter: disable_all_kinds(alert_filter, context.kinds))
        return DialogueResult(Screen(_all_kinds_off_text(), make_alert_buttons()), (change_all,))
    switches = _read_switches(args, context.kinds)
    if isinstance(switches, str):
        # Nothing is changed then, not even the kinds before it: half a change would be hard to see.
        return DialogueResult(Screen(unknown_kind_text(switches, context.kinds), make_alert_buttons()))

    def change(alert_filter: AlertFilter) -> AlertFilter:
        for kind, on in switches:
            alert_filter = switch_kind(alert_filter, kind, context.kinds, on=on)
        return alert_filter

    kinds = list_enabled_kinds(change(context.chat.filter), context.kinds)
    text = _("Alerts: {kinds}.") if kinds else _all_kinds_off_text()
    return DialogueResult(
        Screen(text.format(kinds=join_kind_names(kinds)), make_alert_buttons()),
        (update_filter(change),),
        starts_cards=_starts_cards(context.chat.filter, change(context.chat.filter)),
    )


def _read_switches(args: Sequence[str], offered: Sequence[str]) -> list[tuple[str, bool]] | str:
    """Return the kinds that are switched, each with whether it is on; the first word that means none, if there is one."""
    # "no cards", "everything but goals".
    if read := read_kind_switches(args, offered):
        return list(read)
    if not any(typed.startswith(tuple(KIND_SIGNS)) for typed in args) and (named := parse_kinds(args, offered)):
        # "red cards and penalties": phrases of several words, without signs.
        return [(kind, True) for kind in named]
    switches = []
    for typed in args:
        kind = parse_kind(typed.lstrip(KIND_SIGNS), offered)
        if kind is None:
            return typed
        switches.append((kind, not typed.startswith(tuple("-−–"))))
    return switches


def _starts_cards(before: AlertFilter, after: AlertFilter) -> bool:
    return after.accepts(CARD) and not before.accepts(CARD)


def _all_kinds_off_text() -> str:
    return _("All alerts are off. Change: /alerts")


def show_kinds(context: ChatContext, alert_filter: AlertFilter) -> Screen:
    """Show every kind on offer, ticked if its alerts are wanted."""
    buttons = [
        make_button(kind_name(kind), f"k:{make_short_id(kind)}", is_chosen=alert_filter.accepts(kind)) for kind in context.kinds
    ]
    options = (Button(sounds_label(), "bs"), Button(display_options_label(), "fs"))
    overrides = ((Button(overrides_label(), "xs:0"),),) if context.subscriptions else ()
    every = (Button(_("Everything"), "ka"), Button(_("Nothing"), "kn"))
    last = (Button(settings_label(), "st:"), Button(done_label(), "done"))
    html = _("<b>Which alerts do you want?</b>\nTap to switch on and off.")
    return Screen(html, (*arrange_rows(buttons, 2), every, options, *overrides, last))


def toggle_kind(context: ChatContext, token: str) -> DialogueResult:
    """Switch one kind on or off."""
    kind = _read_kind(context, token)
    # The switch is set to the opposite of what the person saw: who presses it at the same moment wants the same.
    on = not context.chat.filter.accepts(kind)
    note = f"{CHOSEN_SIGN if on else UNCHOSEN_SIGN} {kind_name(kind)}"
    return _change_kinds(context, lambda alert_filter: switch_kind(alert_filter, kind, context.kinds, on=on), note)


def _change_kinds(context: ChatContext, change: Callable[[AlertFilter], AlertFilter], note: str) -> DialogueResult:
    after = change(context.chat.filter)
    starts_cards = _starts_cards(context.chat.filter, after)
    return DialogueResult(show_kinds(context, after), (update_filter(change),), note, starts_cards)


def switch_all_kinds(context: ChatContext, *, on: bool) -> DialogueResult:
    """Switch every kind on or off."""
    if on:
        return _change_kinds(context, enable_all_kinds, f"{CHOSEN_SIGN} {_('Everything')}")
    return _change_kinds(context, lambda stored: disable_all_kinds(stored, context.kinds), f"{UNCHOSEN_SIGN} {_('Everything')}")


def enable_all_kinds(alert_filter: AlertFilter) -> AlertFilter:
    """Return the filter with every kind on, including kinds that rules bring later."""
    # Cards and pictures stay as they were: they are messages of their own, which "everything" has never meant.
    live = alert_filter.kinds_on & frozenset(LIVE_MESSAGE_KINDS)
    return replace(alert_filter, all_kinds=True, kinds_on=live, kinds_off=frozenset())


def disable_all_kinds(alert_filter: AlertFilter, offered: Sequence[str]) -> AlertFilter:
    """Return the filter with every kind on offer off."""
    # The default kinds are named too: one that no rule uses now would be on again once a rule does.
    return replace(alert_filter, all_kinds=False, kinds_on=frozenset(), kinds_off=frozenset(offered) | DEFAULT_KINDS)


def switch_kind(alert_filter: AlertFilter, kind: str, offered: Sequence[str], *, on: bool) -> AlertFilter:
    """Return the filter with one kind switched on or off."""
    kinds_on, kinds_off = alert_filter.kinds_on, alert_filter.kinds_off
    if on:
        return replace(alert_filter, kinds_on=kinds_on | {kind}, kinds_off=kinds_off - {kind})
    if alert_filter.all_kinds:
        # "All but one" is stored as the list of the others.
        live = frozenset(LIVE_MESSAGE_KINDS)
        kinds_on = (frozenset(offered) - live) | (kinds_on & live)
    return replace(alert_filter, all_kinds=False, kinds_on=kinds_on - {kind}, kinds_off=kinds_off | {kind})


def list_enabled_kinds(alert_filter: AlertFilter, offered: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds on offer whose alerts are wanted."""
    return tuple(kind for kind in offered if alert_filter.accepts(kind))


def set_sounds(context: ChatContext, sound: str, kinds: tuple[str, ...]) -> DialogueResult:
    """`/alerts ring | silent | usual KIND …`."""
    found: list[str] = []
    for typed in kinds:
        kind = parse_kind(typed, context.kinds)
        if kind is None:
            return DialogueResult(Screen(unknown_kind_text(typed, context.kinds), make_alert_buttons()))
        found.append(kind)
    if not found:
        html = _("Say which alerts, such as <code>/alerts silent yellow_card</code>, or use the buttons of /alerts.")
        return DialogueResult(Screen(html, make_alert_buttons()))
    html = _(_SOUND_TEXTS[sound]).format(kinds=join_kind_names(found))
    change = update_filter(lambda alert_filter: set_sound(alert_filter, found, sound))
    return DialogueResult(Screen(html, make_alert_buttons()), (change,))


def set_confirmation(context: ChatContext, word: str, args: Sequence[str]) -> DialogueResult:
    """`/alerts wait | now [for a name]`: whether alerts wait until the feed confirms them."""
    if args:
        result = set_overrides_by_words(context, (*read_name(context, args), word))
        return result or DialogueResult(Screen(unknown_kind_text(" ".join(args), context.kinds), make_alert_buttons()))
    is_on = word == "wait"
    if is_on:
        html = _("Alerts now wait for confirmation. <code>/alerts now</code>: get them instantly.")
    else:
        html = _("Alerts come instantly; ⏳ marks unconfirmed ones.")
    change = update_filter(lambda alert_filter: replace(alert_filter, confirmed_only=is_on))
    return DialogueResult(Screen(html, make_alert_buttons()), (change,))


def show_sounds(context: ChatContext, alert_filter: AlertFilter) -> Screen:
    """Show the kinds whose alerts are wanted, each with its sound."""
    signs = dict.fromkeys(alert_filter.silent, "🔕 ") | dict.fromkeys(alert_filter.loud, "🔔 ")
    buttons = [
        make_button(f"{signs.get(kind, '')}{kind_name(kind)}", f"b:{make_short_id(kind)}")
        for kind in list_enabled_kinds(alert_filter, context.kinds)
    ]
    html = _("<b>🔔 Sounds</b>\n🔔 sound · 🔕 silent · no icon: default")
    last = (Button(back_to_kinds_label(), "ks"), Button(done_label(), "done"))
    return Screen(html, (*arrange_rows(buttons, 2), last))


def cycle_sound(context: ChatContext, token: str) -> DialogueResult:
    """Change one kind from its usual sound to ringing, then to silent, then back."""
    kind, alert_filter = _read_kind(context, token), context.chat.filter
    sound = "silent" if kind in alert_filter.loud else "usual" if kind in alert_filter.silent else "ring"
    note = _(_SOUND_TEXTS[sound]).format(kinds=kind_name(kind))
    return _change_sounds(context, lambda stored: set_sound(stored, (kind,), sound), note)


def toggle_confirmed_only(context: ChatContext) -> DialogueResult:
    """Switch whether the chat waits for confirmation: the button stood on the screen of sounds in earlier versions."""
    is_on = not context.chat.filter.confirmed_only
    return _change_sounds(context, lambda alert_filter: replace(alert_filter, confirmed_only=is_on))


def _change_sounds(context: ChatContext, change: Callable[[AlertFilter], AlertFilter], note: str = "") -> DialogueResult:
    return DialogueResult(show_sounds(context, change(context.chat.filter)), (update_filter(change),), note)


def set_sound(alert_filter: AlertFilter, kinds: Iterable[str], sound: str) -> AlertFilter:
    """Return the filter with the sound of some kinds set to `ring`, `silent` or `usual`."""
    chosen = frozenset(kinds)
    loud, silent = alert_filter.loud - chosen, alert_filter.silent - chosen
    if sound == "ring":
        loud |= chosen
    elif sound == "silent":
        silent |= chosen
    return replace(alert_filter, loud=loud, silent=silent)


def _read_kind(context: ChatContext, token: str) -> str:
    kind = context.find_kind(token)
    if kind is None:
        raise OutdatedButton
    return kind


FEATURE = Feature(
    commands={"alerts": Command(set_alerts, N_("Choose your alerts"), changes_settings=True)},
    buttons={
        "k": toggle_kind,
        "ka": lambda context, _: switch_all_kinds(context, on=True),
        "kn": lambda context, _: switch_all_kinds(context, on=False),
        "b": cycle_sound,
        "bw": lambda context, _: toggle_confirmed_only(context),
    },
    screens={
        "ks": lambda context, _: show_kinds(context, context.chat.filter),
        "bs": lambda context, _: show_sounds(context, context.chat.filter),
    },
)
