"""(news as it stood, a revision) -> news as it stands, and whom it has to reach. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from bot.outbox.entry import EXTRA_RANK, News
from rules.alert import EXTRAS, Alert, Importance, State


class Revised(msgspec.Struct, frozen=True):
    """`anew`: chats that were passed over may hear of it now, so that the audience is walked from its start."""

    news: News
    anew: bool


def revise(known: News | None, alerts: Sequence[Alert]) -> Revised | None:
    """Take the alternatives of one key's revision; None where it is not new, or takes back what was never made."""
    first = alerts[0]
    state = state_of(alerts)
    if known is not None and first.seq <= known.seq:
        return None
    if known is None:
        made = News(first.key, first.seq, state, tuple(alerts), rank=rank_of(alerts))
        made = msgspec.structs.replace(made, born=_born(None, made))
        return Revised(made, True) if made.fired else None
    candidates = tuple(_reasoned(alert, known) for alert in alerts)
    news = msgspec.structs.replace(known, seq=first.seq, state=state, candidates=candidates, rank=rank_of(alerts))
    news = msgspec.structs.replace(news, born=_born(known, news))
    return Revised(news, _anew(known, news))


def state_of(alerts: Sequence[Alert]) -> State:
    """Where the news stands: as the rules that fire say, or those for chats told before."""
    return next((a.state for a in alerts if not a.follow_up), alerts[0].state)


def rank_of(alerts: Sequence[Alert]) -> int:
    """The place among all that waits: major goals, other major and taken back news, minor news, cards and pictures."""
    return min(_rank(alert) for alert in alerts)


def _rank(alert: Alert) -> int:
    if alert.kind in EXTRAS:
        return EXTRA_RANK
    if alert.kind == "goal" and alert.importance is Importance.MAJOR:
        return 0
    return 1 if alert.importance is Importance.MAJOR or alert.state is State.RETRACTED else 2


def _born(known: News | None, news: News) -> dict[str, float]:
    """When each rule first made this news. What becomes official is news again for who was not told."""
    before = dict(known.born) if known else {}
    official = known is not None and known.state is State.PENDING and news.state is State.CONFIRMED
    kept = {} if official else before
    return before | {a.rule: kept.get(a.rule, a.at.timestamp()) for a in news.fired}


def _reasoned(alert: Alert, known: News) -> Alert:
    """What the rules compared stays known where the news is taken back, and where the rule itself is gone."""
    if alert.because or not (before := known.because):
        return alert
    kept = {rule: compared for rule, compared in before.items() if alert.rule in ("", rule)}
    return msgspec.structs.replace(alert, because=kept)


def _anew(known: News, news: News) -> bool:
    if not news.fired or news.summary:
        return False
    choices = [[(a.rule, a.kind) for a in one.fired] for one in (known, news)]
    return choices[0] != choices[1] or known.state is not news.state
