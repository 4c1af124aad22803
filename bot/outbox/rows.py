"""Values -> rows and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from bot.outbox.entry import Entry, News, Pin, Status
from bot.store.model import ChatRef
from rules.alert import Alert, AlertKey, State

_ALERTS = msgspec.json.Decoder(tuple[Alert, ...])
_BORN = msgspec.json.Decoder(dict[str, float])
_LINES = msgspec.json.Decoder(tuple[str, ...])

Row = Mapping[Any, Any]

_KEPT = tuple(name for name in Entry.__struct_fields__ if name not in ("key", "ref"))
ENTRY = ("fixture_id", "action_id", "chat_id", "topic", *_KEPT)
"""The columns of an entry in the order of `entry_values`."""
_KEPT_OF = attrgetter(*_KEPT)
_STATUSES = {status.value: status for status in Status}
_STATES = {state.value: state for state in State}
_PINS = {pin.value: pin for pin in Pin}
_STATUS, _STATE, _REASON, _PIN = (ENTRY.index(name) for name in ("status", "state", "reason", "pin"))
_TRUTHS = tuple(ENTRY.index(name) for name in ("rings", "restored", "reply_rings", "unsure"))


def news_row(news: News) -> dict[str, Any]:
    """The columns that a revision sets."""
    return {
        "fixture_id": news.key.fixture_id,
        "action_id": news.key.action_id,
        "seq": news.seq,
        "state": news.state.value,
        "candidates": msgspec.json.encode(news.candidates).decode(),
        "born": msgspec.json.encode(news.born).decode(),
        "lines": msgspec.json.encode(news.lines).decode() if news.lines else "",
        "missed": news.missed,
        "summary": news.summary,
        "rank": news.rank,
    }


def news_of(row: Row) -> News:
    """A row of alerts as news."""
    return News(
        key_of(row),
        row["seq"],
        State(row["state"]),
        _ALERTS.decode(row["candidates"]),
        _BORN.decode(row["born"]),
        _LINES.decode(row["lines"]) if row["lines"] else (),
        row["missed"],
        row["summary"],
        row["rank"],
        row["updated_at"],
    )


def entry_values(entry: Entry) -> list[Any]:
    """An entry as the values of `ENTRY`, for the driver."""
    values = [entry.key.fixture_id, entry.key.action_id, entry.ref.chat_id, entry.ref.topic, *_KEPT_OF(entry)]
    values[_STATUS], values[_STATE], values[_REASON] = entry.status.value, entry.state.value, str(entry.reason)
    values[_PIN] = entry.pin.value
    return values


def entry_from(values: Sequence[Any]) -> Entry:
    """The values of `ENTRY`, from the driver, as an entry."""
    own = list(values)
    own[_STATUS], own[_STATE], own[_PIN] = _STATUSES[own[_STATUS]], _STATES[own[_STATE]], _PINS[own[_PIN]]
    for place in _TRUTHS:
        own[place] = own[place] == 1
    return Entry(AlertKey(own[0], own[1]), ChatRef(own[2], own[3]), *own[4:])


def entry_of(row: Row) -> Entry:
    """A row of entries as an entry."""
    named = {name: row[name] for name in Entry.__struct_fields__ if name not in ("key", "ref")}
    named |= {"status": Status(row["status"]), "state": State(row["state"]), "pin": Pin(row["pin"])}
    return Entry(key_of(row), ChatRef(row["chat_id"], row["topic"]), **named)


def key_of(row: Row) -> AlertKey:
    """The key of an alert's or an entry's row."""
    return AlertKey(row["fixture_id"], row["action_id"])
