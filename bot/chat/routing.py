"""Which feature a command or button belongs to, who may use it, for which chat."""

from __future__ import annotations

import re
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from bot.chat.dialogue import ChatContext, DialogueResult, Screen, UpdateOrigin
from bot.chat.features import alerts, fixtures, language, mute, quiet_hours, settings, start, subscribe, subscriptions, timezone
from bot.subscribers import ChatRef

RunCommand = Callable[[ChatContext, tuple[str, ...]], DialogueResult]


class Command(msgspec.Struct, frozen=True):
    """What a command does; one that `changes` something, or is `guarded`, is for administrators."""

    act: RunCommand
    changes: bool = False
    guarded: bool = False

    @property
    def for_all(self) -> bool:
        """Tell whether every member may say it."""
        return not self.changes and not self.guarded


def _run_help(_: ChatContext, __: tuple[str, ...]) -> DialogueResult:
    return DialogueResult(Screen(start.help_text()))


def _run_subscribe(view: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    return subscribe.subscribe(view, " ".join(words))


def _run_unsubscribe(view: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    return subscriptions.unsubscribe(view, " ".join(words))


def _run_subscriptions(view: ChatContext, _: tuple[str, ...]) -> DialogueResult:
    return subscriptions.list_subscriptions(view)


def _run_alerts(view: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    first = words[0] if words else ""
    if first.casefold() in alerts.SOUND_WORDS:
        return alerts.set_sounds_by_words(view, words)
    whole = len(words) < 2 and first.casefold() in ("", "all", "none")
    of_kinds = whole or alerts.parse_kind(first.lstrip("+-−–"), view.kinds)
    return (None if of_kinds else subscriptions.set_overrides_by_words(view, words)) or alerts.set_kinds(view, words)


def _run_mute(view: ChatContext, words: tuple[str, ...]) -> DialogueResult:
    wanted = " ".join(words).casefold()
    if wanted == "match":
        return mute.mute_match(view)
    return settings.set_mute_button(view, wanted) or mute.mute(view, words)


def _run_today(view: ChatContext, _: tuple[str, ...]) -> DialogueResult:
    return DialogueResult(fixtures.show_today(view))


def _run_live(view: ChatContext, _: tuple[str, ...]) -> DialogueResult:
    return DialogueResult(fixtures.show_live(view))


COMMAND_TABLE = {
    "start": Command(_run_help),
    "help": Command(_run_help),
    "subscribe": Command(_run_subscribe, changes=True),
    "unsubscribe": Command(_run_unsubscribe, changes=True),
    "subscriptions": Command(_run_subscriptions),
    "alerts": Command(_run_alerts, changes=True),
    "today": Command(_run_today),
    "live": Command(_run_live),
    "timeline": Command(fixtures.show_timeline),
    "mute": Command(_run_mute, changes=True),
    "unmute": Command(mute.unmute, changes=True),
    "spoilers": Command(settings.set_spoilers, changes=True),
    "delay": Command(quiet_hours.set_delay, changes=True),
    "quiet": Command(quiet_hours.set_quiet_hours, changes=True),
    "timezone": Command(timezone.set_timezone, changes=True),
    "language": Command(language.set_language, changes=True),
    "test": Command(start.send_sample, guarded=True),
}


def press_button(view: ChatContext, data: str) -> DialogueResult | None:
    """What a pressed button does; None for one that is out of date or was never ours."""
    head, _, rest = data.partition(":")
    if act := _BUTTON_ACTIONS.get(head):
        return act(view, rest)
    reply = show_screen(view, data)
    return DialogueResult(reply) if reply else None


def show_screen(view: ChatContext, data: str) -> Screen | None:
    """The screen that button data names; None where it names none (any more)."""
    head, _, rest = data.partition(":")
    draw = _SCREENS.get(head)
    return draw(view, rest) if draw else subscribe.show_browse_screen(view, data)


def is_for_all_members(data: str) -> bool:
    """Tell whether a button is for every member: one that only shows what everybody may ask for."""
    return data.startswith(("d:", "p:", "v:"))


def _toggle_followed(view: ChatContext, rest: str) -> DialogueResult | None:
    token, _, screen = rest.partition(":")
    return subscribe.toggle_followed(view, token, screen, show_screen)


def _unsubscribe_picked(view: ChatContext, rest: str) -> DialogueResult | None:
    token, _, page = rest.partition(":")
    return subscriptions.unsubscribe_picked(view, token, int(page)) if page.isdecimal() else None


def _show_unsubscribe_list(view: ChatContext, rest: str) -> Screen | None:
    return subscriptions.show_unsubscribe_list(view, int(rest)) if rest.isdecimal() else None


_SCREENS: dict[str, Callable[[ChatContext, str], Screen | None]] = {
    "d": fixtures.show_day_page,
    "e": fixtures.show_day_choice_page,
    "v": fixtures.show_live_page,
    "n": mute.show_mute_screen_page,
    "l": _show_unsubscribe_list,
    "ks": lambda view, _: alerts.show_kinds(view, view.chat),
    "bs": lambda view, _: alerts.show_sounds(view, view.chat),
    "mq": mute.show_match_choice_page,
    "fs": lambda view, _: settings.show_display_options(view, view.chat),
    "xs": subscriptions.show_overridable_page,
    "x": subscriptions.draw_for_subscription(subscriptions.edit_overrides),
    "xb": subscriptions.draw_for_subscription(subscriptions.edit_override_sounds),
}
"""By the head of button data, what draws the rest; the screens of choosing are drawn by `browse`."""

_BUTTON_ACTIONS: dict[str, Callable[[ChatContext, str], DialogueResult | None]] = {
    "t": _toggle_followed,
    "s": subscribe.follow_picked,
    "u": _unsubscribe_picked,
    "k": alerts.toggle_kind,
    "ka": lambda view, _: alerts.switch_all_kinds(view, on=True),
    "kn": lambda view, _: alerts.switch_all_kinds(view, on=False),
    "q": lambda view, rest: _run_mute(view, tuple(rest.split())),
    "f": settings.toggle_display_option,
    "g": lambda view, rest: settings.set_spoilers(view, (rest,)),
    "mm": mute.mute_picked_match,
    "mu": mute.unmute_picked,
    "mt": lambda view, rest: mute.toggle_match_mute(view, rest, show_screen),
    "w": lambda view, rest: quiet_hours.set_delay(view, tuple(rest.split())),
    "z": lambda view, rest: quiet_hours.set_quiet_hours(view, tuple(rest.split())),
    "p": fixtures.show_picked_timeline,
    "o": timezone.set_picked_timezone,
    "lang": language.set_picked_language,
    "b": alerts.cycle_sound,
    "bw": lambda view, _: alerts.toggle_confirmed_only(view),
    "xk": subscriptions.toggle_override_kind,
    "xr": subscriptions.cycle_override_sound,
    "xw": subscriptions.cycle_override_confirmation,
    "xg": subscriptions.toggle_override_scorers,
    "xx": subscriptions.reset_overrides,
    "done": lambda view, _: subscriptions.show_subscriptions(view),
}
"""By the head of button data, what acts on the rest."""

_TARGETED_DATA = re.compile(r"@(-?\d{1,19});(.+)", re.DOTALL)


def split_target(place: UpdateOrigin, data: str) -> tuple[UpdateOrigin, str]:
    """The chat that a button pressed in a private chat is for, and what it says."""
    found = _TARGETED_DATA.fullmatch(data) if place.kind == "private" else None
    if found is None:
        return place, data
    return replace(place, ref=ChatRef(int(found[1])), kind="", title=""), found[2]
