"""What the button under an alert offers: silence for its match, for an hour, for its kind. Pure.

Button data: `a` opens the offers, `a:m` the match, `a:h` an hour, `a:k` the kind, `a:x` closes them. What is muted is heard again
by the same button. The alert itself is known by its chat and message, so that data can be forged to no other end.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from bot.chats import hush_words as words
from bot.chats import kinds, mutes, tastes
from bot.chats.hours import when
from bot.chats.keyboards import button
from bot.chats.reply import Button, Change, Row, Settle, Tune, View
from bot.outbox.bell import LABEL, OPENS
from bot.outbox.entry import Entry, News
from bot.outbox.sample import SAMPLE
from bot.store.model import Subscription, covers
from bot.store.taste import hearing
from rules.action import Fixture

_HOUR = dt.timedelta(hours=1)
_LONGEST_NOTE = 190
CLOSED: tuple[Row, ...] = ((Button(LABEL, OPENS),),)
"""The keyboard of every alert until its button is pressed."""


class About(msgspec.Struct, frozen=True):
    """What an alert is about: its match, None where that is no single one, and its kind, empty where it has none of its own."""

    fixture: Fixture | None = None
    kind: str = ""


class Hushed(msgspec.Struct, frozen=True):
    """The buttons under the alert now, the note that Telegram shows, and what must be stored."""

    rows: tuple[Row, ...]
    note: str = ""
    changes: tuple[Change, ...] = ()


def about(entry: Entry, news: News) -> About:
    """What a message that was told is about; a summary has no kind, and a sample nothing at all."""
    if entry.key.fixture_id == SAMPLE:
        return About()
    fixture = news.candidates[0].fixture
    return About(fixture if fixture.id else None, "" if news.lines else entry.kind)


def press(view: View, alert: About, data: str) -> Hushed | None:
    """What the button does; None for data that was never ours."""
    if data == OPENS:
        return Hushed(offers(view, alert))
    act = _ACTS.get(data.removeprefix(f"{OPENS}:"))
    return act(view, alert) if act else None


def offers(view: View, alert: About) -> tuple[Row, ...]:
    """The opened menu."""
    until = view.chat.muted_until
    hour = Button(words.everything() if until and until > view.now else words.one_hour(), "a:h")
    match = [Button(words.this_match(muted=_muted(view, alert)), "a:m")] if alert.fixture else []
    kind = [button(words.this_kind(alert.kind, off=not _heard(view, alert)), "a:k")] if alert.kind else []
    return ((*match, hour), (*kind, Button("✖", "a:x")))


def _match(view: View, alert: About) -> Hushed | None:
    if alert.fixture is None:
        return None
    name, muted = alert.fixture.title, _muted(view, alert)
    chat = (mutes.hear_match if muted else mutes.mute)(view.chat, alert.fixture.id)
    note = words.match_heard(name) if muted else words.match_muted(name)
    return Hushed(CLOSED, note[:_LONGEST_NOTE], (Settle(chat),))


def _hour(view: View, _: About) -> Hushed:
    if view.chat.muted_until and view.chat.muted_until > view.now:
        return Hushed(CLOSED, words.chat_heard(), (Settle(replace(view.chat, muted_until=None)),))
    until = view.now + _HOUR
    return Hushed(CLOSED, words.chat_muted(when(view, until)), (Settle(replace(view.chat, muted_until=until)),))


def _kind(view: View, alert: About) -> Hushed | None:
    if not alert.kind:
        return None
    on = not _heard(view, alert)
    chat = kinds.switch(replace(view.chat, scorers=False), alert.kind, view.kinds, on=on)
    tuned = (Tune(replace(one, taste=tastes.switch(view, one.taste, alert.kind, on=on))) for one in _tasteful(view, alert))
    return Hushed(CLOSED, words.kind_on(alert.kind) if on else words.kind_off(alert.kind), (Settle(chat), *tuned))


def _heard(view: View, alert: About) -> bool:
    """Tell whether the chat, or a subscription for this match, hears the alert's kind."""
    return hearing(view.chat, [one.taste for one in _covering(view, alert)]).takes(alert.kind)


def _tasteful(view: View, alert: About) -> list[Subscription]:
    """The subscriptions for this match that have kinds of their own."""
    return [one for one in _covering(view, alert) if one.taste.kinds is not None or one.taste.scorers]


def _covering(view: View, alert: About) -> list[Subscription]:
    return [one for one in view.subscriptions if alert.fixture and covers(one, alert.fixture)]


def _muted(view: View, alert: About) -> bool:
    return alert.fixture is not None and alert.fixture.id in view.chat.muted_matches


_ACTS: dict[str, Callable[[View, About], Hushed | None]] = {
    "m": _match,
    "h": _hour,
    "k": _kind,
    "x": lambda _, __: Hushed(CLOSED),
}
"""By the rest of button data, what it does."""
