"""Which dialogue a command or a button belongs to. Pure: what was said and the view in, a turn out."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from bot.chats import (
    browse,
    choosing,
    hours,
    kinds,
    language,
    live,
    loud,
    manner,
    mutes,
    sample,
    silence,
    tastes,
    texts,
    timeline,
    today,
    zones,
)  # fmt: skip
from bot.chats.reply import Reply, Turn, View

Act = Callable[[View, tuple[str, ...]], Turn]


class Command(msgspec.Struct, frozen=True):
    """What a command does; one that `changes` something, or is `guarded`, is for administrators."""

    act: Act
    changes: bool = False
    guarded: bool = False

    @property
    def for_all(self) -> bool:
        """Tell whether every member may say it."""
        return not self.changes and not self.guarded


def _help(_: View, __: tuple[str, ...]) -> Turn:
    return Turn(Reply(texts.help_()))


def _subscribe(view: View, words: tuple[str, ...]) -> Turn:
    return choosing.subscribe(view, " ".join(words))


def _unsubscribe(view: View, words: tuple[str, ...]) -> Turn:
    return choosing.unsubscribe(view, " ".join(words))


def _subscriptions(view: View, _: tuple[str, ...]) -> Turn:
    return choosing.subscriptions(view)


def _alerts(view: View, words: tuple[str, ...]) -> Turn:
    first = words[0] if words else ""
    if first.casefold() in loud.WORDS:
        return loud.said(view, words)
    whole = len(words) < 2 and first.casefold() in ("", "all", "none")
    of_kinds = whole or kinds.kind_of(first.lstrip("+-−–"), view.kinds)
    return (None if of_kinds else tastes.said(view, words)) or kinds.alerts(view, words)


def _mute(view: View, words: tuple[str, ...]) -> Turn:
    wanted = " ".join(words).casefold()
    if wanted == "match":
        return mutes.mute_match(view)
    return manner.buttons(view, wanted) or hours.mute(view, words)


def _today(view: View, _: tuple[str, ...]) -> Turn:
    return Turn(today.today(view))


def _live(view: View, _: tuple[str, ...]) -> Turn:
    return Turn(live.live(view))


DIALOGUES = {
    "start": Command(_help),
    "help": Command(_help),
    "subscribe": Command(_subscribe, changes=True),
    "unsubscribe": Command(_unsubscribe, changes=True),
    "subscriptions": Command(_subscriptions),
    "alerts": Command(_alerts, changes=True),
    "today": Command(_today),
    "live": Command(_live),
    "timeline": Command(timeline.timeline),
    "mute": Command(_mute, changes=True),
    "unmute": Command(mutes.unmute, changes=True),
    "spoilers": Command(manner.spoilers, changes=True),
    "delay": Command(hours.delay, changes=True),
    "quiet": Command(hours.quiet, changes=True),
    "timezone": Command(zones.timezone, changes=True),
    "language": Command(language.language, changes=True),
    "test": Command(sample.test, guarded=True),
}


def press(view: View, data: str) -> Turn | None:
    """What a pressed button does; None for one that is out of date or was never ours."""
    head, _, rest = data.partition(":")
    if act := _ACTS.get(head):
        return act(view, rest)
    reply = shown(view, data)
    return Turn(reply) if reply else None


def shown(view: View, data: str) -> Reply | None:
    """The screen that button data names; None where it names none (any more)."""
    head, _, rest = data.partition(":")
    draw = _SCREENS.get(head)
    return draw(view, rest) if draw else browse.screen(view, data)


def for_all(data: str) -> bool:
    """Tell whether a button is for every member: one that only shows what everybody may ask for."""
    return data.startswith(("d:", "p:", "v:"))


def _toggled(view: View, rest: str) -> Turn | None:
    token, _, screen = rest.partition(":")
    return browse.toggle(view, token, screen, shown)


def _stopped(view: View, rest: str) -> Turn | None:
    token, _, page = rest.partition(":")
    return choosing.stopped(view, token, int(page)) if page.isdecimal() else None


def _stopping(view: View, rest: str) -> Reply | None:
    return choosing.stopping(view, int(rest)) if rest.isdecimal() else None


_ACTS: dict[str, Callable[[View, str], Turn | None]] = {
    "t": _toggled,
    "s": choosing.picked,
    "u": _stopped,
    "k": kinds.switched,
    "ka": lambda view, _: kinds.switched_all(view, on=True),
    "kn": lambda view, _: kinds.switched_all(view, on=False),
    "q": lambda view, rest: _mute(view, tuple(rest.split())),
    "f": manner.switched,
    "g": lambda view, rest: manner.spoilers(view, (rest,)),
    "mm": mutes.picked,
    "mu": mutes.heard_again,
    "mt": lambda view, rest: silence.toggled(view, rest, shown),
    "w": lambda view, rest: hours.delay(view, tuple(rest.split())),
    "z": lambda view, rest: hours.quiet(view, tuple(rest.split())),
    "p": timeline.picked,
    "o": zones.picked,
    "lang": language.picked,
    "b": loud.turned,
    "bw": lambda view, _: loud.waited(view),
    "xk": tastes.switched,
    "xr": tastes.sounded,
    "xw": tastes.waited,
    "xg": tastes.scored,
    "xx": tastes.reset,
    "done": lambda view, _: choosing.done(view),
}
"""By the head of button data, what acts on the rest."""

_SCREENS: dict[str, Callable[[View, str], Reply | None]] = {
    "d": today.turned,
    "e": today.picking,
    "v": live.shown,
    "n": silence.shown,
    "l": _stopping,
    "ks": lambda view, _: kinds.ticked(view, view.chat),
    "bs": lambda view, _: loud.screen(view, view.chat),
    "mq": mutes.turned,
    "fs": lambda view, _: manner.screen(view, view.chat),
    "xs": tastes.pages,
    "x": tastes.shown(tastes.screen),
    "xb": tastes.shown(tastes.loudness),
}
"""By the head of button data, what draws the rest; the screens of choosing are drawn by `browse`."""
