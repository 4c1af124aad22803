"""Which dialogue a command or a button belongs to. Pure: what was said and the view in, a turn out."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bot.chats import browse, choosing, hours, kinds, texts, timeline, today
from bot.chats.reply import Reply, Turn, View

Act = Callable[[View, tuple[str, ...]], Turn]


class Command(msgspec.Struct, frozen=True):
    """What a command does; one that `changes` something is for administrators."""

    act: Act
    changes: bool = False


def _help(_: View, __: tuple[str, ...]) -> Turn:
    return Turn(Reply(texts.HELP))


def _subscribe(view: View, words: tuple[str, ...]) -> Turn:
    return choosing.subscribe(view, " ".join(words))


def _unsubscribe(view: View, words: tuple[str, ...]) -> Turn:
    return choosing.unsubscribe(view, " ".join(words))


def _subscriptions(view: View, _: tuple[str, ...]) -> Turn:
    return choosing.subscriptions(view)


def _today(view: View, _: tuple[str, ...]) -> Turn:
    return Turn(today.today(view))


DIALOGUES = {
    "start": Command(_help),
    "help": Command(_help),
    "subscribe": Command(_subscribe, changes=True),
    "unsubscribe": Command(_unsubscribe, changes=True),
    "subscriptions": Command(_subscriptions),
    "alerts": Command(kinds.alerts, changes=True),
    "today": Command(_today),
    "timeline": Command(timeline.timeline),
    "mute": Command(hours.mute, changes=True),
    "unmute": Command(hours.unmute, changes=True),
    "delay": Command(hours.delay, changes=True),
    "quiet": Command(hours.quiet, changes=True),
}


def press(view: View, data: str) -> Turn | None:
    """What a pressed button does; None for one that is out of date or was never ours."""
    head, _, rest = data.partition(":")
    if head == "t":
        token, _, screen = rest.partition(":")
        return browse.toggle(view, token, screen)
    if head == "s":
        return choosing.picked(view, rest)
    if head == "u":
        token, _, page = rest.partition(":")
        return choosing.stopped(view, token, int(page)) if page.isdecimal() else None
    if head in ("k", "ka", "kn"):
        return kinds.pressed(view, data)
    if head in ("q", "w", "z"):
        return hours.pressed(view, head, rest)
    if head == "p":
        return timeline.picked(view, rest)
    if head == "done":
        return choosing.subscriptions(view)
    reply = _shown(view, head, rest, data)
    return Turn(reply) if reply else None


def _shown(view: View, head: str, rest: str, data: str) -> Reply | None:
    if head == "d":
        return today.turned(view, data)
    if head == "l":
        return choosing.stopping(view, int(rest)) if rest.isdecimal() else None
    return browse.screen(view, data)


def for_all(data: str) -> bool:
    """Tell whether a button is for every member: one that turns the days of /today, or asks for a picture."""
    return data.startswith(("d:", "p:"))
